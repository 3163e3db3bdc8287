/* booking/ticket_code.c - packs, signs and reads the code on a ticket.
 *
 * The payload is signed bare, without a prefix for domain separation: ticket keys sign nothing
 * else, and a scanner verifies the 45 bytes that it has in its hand. There is one text per code:
 * base45 is read strictly, and neither signatures nor keys have a second spelling, so texts can be
 * compared. */

#include "services/booking/ticket_code.h"

#include <assert.h>
#include <string.h>

/* In the order of the payload. */
enum {
    AT_EVENT = 0,
    AT_TICKET = 16,
    AT_GENERATION = 32,
    AT_NOT_BEFORE = 34,
    AT_EXPIRES = 38,
    AT_KEY = 42,
    AT_VERSION = 44,
    AT_SIGNATURE = TICKET_CODE_PAYLOAD_SIZE,
    CODE_SIZE = TICKET_CODE_PAYLOAD_SIZE + ED25519_SIGNATURE_SIZE,
};

static const str code_prefix = {"T1:", 3};

/* --- Rules: no I/O --- */

static void put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put_u32(uint8_t *at, uint32_t value)
{
    put_u16(at, (uint16_t)(value >> 16));
    put_u16(at + 2, (uint16_t)value);
}

static uint16_t get_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)get_u16(at) << 16 | get_u16(at + 2);
}

static void pack(const struct ticket_code *code, uint8_t ret[TICKET_CODE_PAYLOAD_SIZE])
{
    memcpy(ret + AT_EVENT, code->event.uuid.bytes, sizeof(code->event.uuid.bytes));
    memcpy(ret + AT_TICKET, code->ticket.uuid.bytes, sizeof(code->ticket.uuid.bytes));
    put_u16(ret + AT_GENERATION, code->generation);
    put_u32(ret + AT_NOT_BEFORE, code->not_before_s);
    put_u32(ret + AT_EXPIRES, code->expires_s);
    put_u16(ret + AT_KEY, code->key_id);
    ret[AT_VERSION] = TICKET_CODE_VERSION;
}

static struct ticket_code unpack(const uint8_t payload[TICKET_CODE_PAYLOAD_SIZE])
{
    struct ticket_code code = {
        .generation = get_u16(payload + AT_GENERATION),
        .not_before_s = get_u32(payload + AT_NOT_BEFORE),
        .expires_s = get_u32(payload + AT_EXPIRES),
        .key_id = get_u16(payload + AT_KEY),
    };

    memcpy(code.event.uuid.bytes, payload + AT_EVENT, sizeof(code.event.uuid.bytes));
    memcpy(code.ticket.uuid.bytes, payload + AT_TICKET, sizeof(code.ticket.uuid.bytes));
    return code;
}

uint32_t ticket_code_time(int64_t at_ms)
{
    const int64_t at_s = at_ms / 1000;

    if (at_ms < 0)
        return 0;
    return at_s > UINT32_MAX ? UINT32_MAX : (uint32_t)at_s;
}

/* --- Codes --- */

err ticket_code_make(struct keyring *keyring, const struct ticket_code *code, struct arena *arena,
                     str *ret_text)
{
    uint8_t bytes[CODE_SIZE];

    pack(code, bytes);
    TRY(keyring_sign(keyring, code->key_id, (str){(const char *)bytes, TICKET_CODE_PAYLOAD_SIZE},
                     bytes + AT_SIGNATURE));
    const str encoded = base45_encode(arena, (str){(const char *)bytes, sizeof(bytes)});
    const str text = arena_printf(arena, "%s%.*s", code_prefix.ptr, STR_ARG(encoded));
    assert(text.size == TICKET_CODE_TEXT_SIZE);
    *ret_text = text;
    return ERR_OK;
}

err ticket_code_read(struct keyring *keyring, struct arena *arena, str text,
                     struct ticket_code *ret)
{
    str decoded = STR_ABSENT;
    uint8_t bytes[CODE_SIZE];

    /* Length first: what a scanner sends is bounded before anything is done with it. */
    if (text.size != TICKET_CODE_TEXT_SIZE || !str_starts(text, code_prefix))
        return ERR_INVALID_CODE;
    if (base45_decode(arena, str_slice(text, code_prefix.size, text.size), &decoded) != ERR_OK ||
        decoded.size != sizeof(bytes))
        return ERR_INVALID_CODE;
    memcpy(bytes, decoded.ptr, sizeof(bytes));
    if (bytes[AT_VERSION] != TICKET_CODE_VERSION)
        return ERR_INVALID_CODE;
    const struct ticket_code code = unpack(bytes);
    if (keyring_verify(keyring, code.key_id, (str){(const char *)bytes, TICKET_CODE_PAYLOAD_SIZE},
                       bytes + AT_SIGNATURE) != ERR_OK)
        return ERR_INVALID_CODE;
    *ret = code;
    return ERR_OK;
}
