/* fuzz/ticket_code_fuzz.c - no text but the one that was signed is a ticket's code.
 *
 * The input is read as the text of a code, which must have no second spelling; then as the fields
 * of one, which must come back, and not come back once a character of their code was changed. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "services/booking/ticket_code.h"

enum { ARENA_CHUNK = 16 * 1024, FIELDS_SIZE = 16 + 16 + 2 + 4 + 4, CHANGE_SIZE = 2 };

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_text(struct keyring *keyring, struct arena *arena, str text)
{
    struct ticket_code code = {0};
    str again = STR_ABSENT;

    if (ticket_code_read(keyring, arena, text, &code) != ERR_OK)
        return;
    assert(ticket_code_make(keyring, &code, arena, &again) == ERR_OK);
    assert(str_eq(text, again));
}

static struct ticket_code code_of(struct keyring *keyring, const uint8_t fields[FIELDS_SIZE])
{
    struct ticket_code code = {.key_id = keyring_signing_key_id(keyring)};

    memcpy(code.event.uuid.bytes, fields, 16);
    memcpy(code.ticket.uuid.bytes, fields + 16, 16);
    memcpy(&code.generation, fields + 32, 2);
    memcpy(&code.not_before_s, fields + 34, 4);
    memcpy(&code.expires_s, fields + 38, 4);
    return code;
}

static void make_and_change(struct keyring *keyring, struct arena *arena, const uint8_t *data)
{
    const struct ticket_code code = code_of(keyring, data);
    const size_t at = data[FIELDS_SIZE] % TICKET_CODE_TEXT_SIZE;
    char changed[TICKET_CODE_TEXT_SIZE];
    struct ticket_code back = {0};
    str text = STR_ABSENT;

    assert(ticket_code_make(keyring, &code, arena, &text) == ERR_OK);
    assert(ticket_code_read(keyring, arena, text, &back) == ERR_OK);
    assert(uuid_eq(code.event.uuid, back.event.uuid));
    assert(uuid_eq(code.ticket.uuid, back.ticket.uuid));
    assert(code.generation == back.generation && code.key_id == back.key_id);
    assert(code.not_before_s == back.not_before_s && code.expires_s == back.expires_s);

    memcpy(changed, text.ptr, sizeof(changed));
    changed[at] = (char)data[FIELDS_SIZE + 1];
    if (changed[at] != text.ptr[at])
        assert(ticket_code_read(keyring, arena, (str){changed, sizeof(changed)}, &back) ==
               ERR_INVALID_CODE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct keyring *keyring;
    static struct arena *arena;

    if (keyring == NULL) {
        assert(keyring_open_memory(1, &keyring) == ERR_OK);
        arena = arena_open(ARENA_CHUNK);
    }
    read_text(keyring, arena, (str){(const char *)data, size});
    if (size == FIELDS_SIZE + CHANGE_SIZE)
        make_and_change(keyring, arena, data);
    arena_reset(arena);
    return 0;
}
