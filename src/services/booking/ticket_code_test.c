/* booking/ticket_code_test.c - codes on tickets, against a vector and an independent verifier. */

#include "services/booking/ticket_code.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "support/scratch.h"
#include "support/test.h"
#include "support/tool.h"

/* The key pair of RFC 8032 7.1, TEST 1. */
static const uint8_t vector_seed[ED25519_KEY_SIZE] = {
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
    0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
};
#define VECTOR_PUBLIC_KEY "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
/* What that key signs for `vector`, made with Node's crypto and not by this program. */
#define VECTOR_TEXT                                                                               \
    "T1:*80FS7QTJIJFBLMJZQ-/UX-2*80FS7QTJ5PF7EKFSON.STY03007ODNBA7ODNBQX50/A0O*NAHFVBJLXAVDLBFAT" \
    "$V*RKPDL+0GT4F$+3-DB3ZA/%NXRSMS2O38U%A8TCPYHI/1N9LV/AW05:PA:0VT0Q1GHT+VJU810"
static const struct ticket_code vector = {
    .event.uuid.bytes = {0x01, 0x8f, 0x3c, 0x5a, 0x9b, 0x7e, 0x7a, 0x10, 0xb1, 0xc2, 0xd3, 0xe4,
                         0xf5, 0x06, 0x17, 0x28},
    .ticket.uuid.bytes = {0x01, 0x8f, 0x3c, 0x5a, 0x9b, 0x7e, 0x7b, 0x11, 0xa0, 0xb1, 0xc2, 0xd3,
                         0xe4, 0xf5, 0x06, 0x17},
    .generation = 3,
    .key_id = 258,
    .not_before_s = 1796493600,
    .expires_s = 1796526000,
};

static void write_key(struct arena *arena, const char *dir, const char *name,
                      const uint8_t key[ED25519_KEY_SIZE])
{
    const str path = arena_printf(arena, "%s/%s", dir, name);
    const int fd = open(path.ptr, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    CHECK(fd >= 0);
    CHECK_I64(ED25519_KEY_SIZE, write(fd, key, ED25519_KEY_SIZE));
    CHECK(close(fd) == 0);
}

/* Keys 1, 2 and 258; the last signs. */
static struct keyring *open_keys(struct arena *arena)
{
    static const uint8_t others[3][ED25519_KEY_SIZE] = {{1}, {2}, {3}};
    const char *dir = scratch_dir(arena);
    struct keyring *keyring = NULL;
    str why = STR_ABSENT;

    write_key(arena, dir, "master.key", others[0]);
    write_key(arena, dir, "ticket-0001.key", others[1]);
    write_key(arena, dir, "ticket-0002.key", others[2]);
    write_key(arena, dir, "ticket-0258.key", vector_seed);
    CHECK_OK(keyring_open(dir, rng_system(), arena, &keyring, &why));
    return keyring;
}

static bool same_code(const struct ticket_code *a, const struct ticket_code *b)
{
    return uuid_eq(a->event.uuid, b->event.uuid) && uuid_eq(a->ticket.uuid, b->ticket.uuid) &&
           a->generation == b->generation && a->key_id == b->key_id &&
           a->not_before_s == b->not_before_s && a->expires_s == b->expires_s;
}

/* Signs whatever payload, as only somebody with the key could. */
static str sign_payload(struct keyring *keyring, struct arena *arena, const uint8_t *payload,
                        size_t size, uint16_t key_id)
{
    uint8_t bytes[256];

    memcpy(bytes, payload, size);
    CHECK_OK(keyring_sign(keyring, key_id, (str){(const char *)bytes, size}, bytes + size));
    const str text =
        base45_encode(arena, (str){(const char *)bytes, size + ED25519_SIGNATURE_SIZE});
    return arena_printf(arena, "T1:%.*s", STR_ARG(text));
}

static str vector_bytes(struct arena *arena)
{
    str bytes = STR_ABSENT;

    CHECK_OK(base45_decode(arena, str_slice(STR(VECTOR_TEXT), 3, TICKET_CODE_TEXT_SIZE), &bytes));
    CHECK_I64(45 + 64, (int64_t)bytes.size);
    return bytes;
}

static void check_refused(struct keyring *keyring, struct arena *arena, str text)
{
    struct ticket_code code = {.generation = 77};

    CHECK_ERR(ERR_INVALID_CODE, ticket_code_read(keyring, arena, text, &code));
    CHECK_I64(77, code.generation);
}

TEST(a_code_is_this_text_exactly)
{
    struct arena *arena = arena_open(0);
    struct keyring *keyring = open_keys(arena);
    struct ticket_code code = {0};
    str text = STR_ABSENT;

    CHECK_I64(258, keyring_signing_key_id(keyring));
    CHECK_OK(ticket_code_make(keyring, &vector, arena, &text));
    CHECK_STR(VECTOR_TEXT, text);
    CHECK_OK(ticket_code_read(keyring, arena, STR(VECTOR_TEXT), &code));
    CHECK(same_code(&vector, &code));
    keyring_close(keyring);
    arena_close(arena);
}

TEST(a_scanner_needs_nothing_but_the_public_key)
{
    struct arena *arena = arena_open(0);
    struct keyring *keyring = open_keys(arena);
    str text = STR_ABSENT;

    CHECK_OK(ticket_code_make(keyring, &vector, arena, &text));
    CHECK_STR("event 018f3c5a9b7e7a10b1c2d3e4f5061728\n"
              "ticket 018f3c5a9b7e7b11a0b1c2d3e4f50617\n"
              "generation 3\n"
              "not_before 1796493600\n"
              "expires 1796526000\n"
              "key 258\n"
              "version 1\n",
              tool_output(arena, "node '" TESTS_DIR "/support/ticket_code_verify.mjs' %s '%s'",
                          VECTOR_PUBLIC_KEY, text.ptr));
    keyring_close(keyring);
    arena_close(arena);
}

TEST(every_value_comes_back)
{
    static const struct {
        uint16_t key_id;
        uint16_t generation;
        uint32_t not_before_s;
        uint32_t expires_s;
        uint8_t fill; /* of both ids */
    } cases[] = {
        {1,   0,          0,          0,          0x00},
        {2,   UINT16_MAX, UINT32_MAX, UINT32_MAX, 0xff},
        {258, 0x0102,     0x01020304, 0x80000000, 0x7f},
    };
    struct arena *arena = arena_open(0);
    struct keyring *keyring = open_keys(arena);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ticket_code made = {
            .key_id = cases[i].key_id,
            .generation = cases[i].generation,
            .not_before_s = cases[i].not_before_s,
            .expires_s = cases[i].expires_s,
        };
        struct ticket_code code = {0};
        str text = STR_ABSENT;

        memset(&made.event, cases[i].fill, sizeof(made.event));
        memset(&made.ticket, ~cases[i].fill, sizeof(made.ticket));
        CHECK_OK(ticket_code_make(keyring, &made, arena, &text));
        CHECK_I64(TICKET_CODE_TEXT_SIZE, (int64_t)text.size);
        CHECK_OK(ticket_code_read(keyring, arena, text, &code));
        CHECK(same_code(&made, &code));
    }
    keyring_close(keyring);
    arena_close(arena);
}

TEST(times_beyond_32_bits_are_the_nearest_ones)
{
    static const struct {
        int64_t at_ms;
        uint32_t expected;
    } cases[] = {
        {0,                      0         },
        {999,                    0         },
        {1000,                   1         },
        {1796493600999,          1796493600},
        {-1,                     0         },
        {TIME_MS_MIN,            0         },
        {INT64_C(4294967295000), UINT32_MAX},
        {INT64_C(4294967296000), UINT32_MAX},
        {TIME_MS_MAX,            UINT32_MAX},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_I64(cases[i].expected, ticket_code_time(cases[i].at_ms));
}

TEST(no_character_can_be_another)
{
    static const char others[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:az\n\xff";
    struct arena *arena = arena_open(0);
    struct keyring *keyring = open_keys(arena);
    struct arena *scratch = arena_open(0);

    /* Each place with some of the others; with every one of them this would take a minute. */
    for (size_t at = 0; at < TICKET_CODE_TEXT_SIZE; at++)
        for (size_t other = at % 4; other < sizeof(others); other += 4) {
            char text[] = VECTOR_TEXT;

            if (text[at] == others[other])
                continue;
            text[at] = others[other];
            check_refused(keyring, scratch, (str){text, TICKET_CODE_TEXT_SIZE});
            arena_reset(scratch);
        }
    arena_close(scratch);
    keyring_close(keyring);
    arena_close(arena);
}

TEST(only_the_whole_text_is_a_code)
{
    static const char *const texts[] = {
        "",
        "T",
        "T1:",
        "T1",
        "T2:",
        "hello",
        "t1:",
        " " VECTOR_TEXT,
        VECTOR_TEXT " ",
        VECTOR_TEXT "\n",
        VECTOR_TEXT "0",
        VECTOR_TEXT "00",
        VECTOR_TEXT VECTOR_TEXT,
        "HC1:" VECTOR_TEXT,
    };
    struct arena *arena = arena_open(0);
    struct keyring *keyring = open_keys(arena);

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        check_refused(keyring, arena, str_of(texts[i]));
    for (size_t size = 0; size < TICKET_CODE_TEXT_SIZE; size++) {
        check_refused(keyring, arena, str_slice(STR(VECTOR_TEXT), 0, size));
        check_refused(
            keyring, arena,
            str_slice(STR(VECTOR_TEXT), TICKET_CODE_TEXT_SIZE - size, TICKET_CODE_TEXT_SIZE));
    }
    check_refused(keyring, arena, STR_ABSENT);
    keyring_close(keyring);
    arena_close(arena);
}

TEST(another_version_or_length_is_refused_though_it_is_signed)
{
    struct arena *arena = arena_open(0);
    struct keyring *keyring = open_keys(arena);
    uint8_t payload[TICKET_CODE_PAYLOAD_SIZE + 1] = {0};
    struct ticket_code code = {0};

    memcpy(payload, vector_bytes(arena).ptr, TICKET_CODE_PAYLOAD_SIZE);
    CHECK_OK(
        ticket_code_read(keyring, arena, sign_payload(keyring, arena, payload, 45, 258), &code));
    for (int version = 0; version < 256; version++) {
        payload[44] = (uint8_t)version;
        if (version != TICKET_CODE_VERSION)
            check_refused(keyring, arena, sign_payload(keyring, arena, payload, 45, 258));
    }
    payload[44] = TICKET_CODE_VERSION;
    check_refused(keyring, arena, sign_payload(keyring, arena, payload, 44, 258));
    check_refused(keyring, arena, sign_payload(keyring, arena, payload, 46, 258));
    keyring_close(keyring);
    arena_close(arena);
}

TEST(a_code_is_signed_by_the_key_that_it_names)
{
    struct arena *arena = arena_open(0);
    struct keyring *keyring = open_keys(arena);
    struct keyring *strangers = NULL;
    struct ticket_code code = vector;
    uint8_t payload[TICKET_CODE_PAYLOAD_SIZE];
    str text = STR("untouched");

    /* By a key of ours, but not the one named. */
    memcpy(payload, vector_bytes(arena).ptr, sizeof(payload));
    check_refused(keyring, arena, sign_payload(keyring, arena, payload, sizeof(payload), 1));

    code.key_id = 3;
    CHECK_ERR(ERR_NOT_FOUND, ticket_code_make(keyring, &code, arena, &text));
    CHECK_STR("untouched", text);

    /* By somebody else's key of the same number. */
    CHECK_OK(keyring_open_memory(7, &strangers));
    code.key_id = keyring_signing_key_id(strangers);
    CHECK_OK(ticket_code_make(strangers, &code, arena, &text));
    CHECK_I64(1, code.key_id);
    CHECK_OK(ticket_code_read(strangers, arena, text, &code));
    check_refused(keyring, arena, text);
    keyring_close(strangers);
    keyring_close(keyring);
    arena_close(arena);
}

/* RFC 8032 5.1.7: S is below the order L of the group, or S + L would be the same signature. */
TEST(a_signature_has_no_second_spelling)
{
    static const uint8_t order[32] = {
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,        0xd6,
        0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10,
    };
    struct arena *arena = arena_open(0);
    struct keyring *keyring = open_keys(arena);
    uint8_t bytes[45 + 64];
    unsigned carry = 0;

    memcpy(bytes, vector_bytes(arena).ptr, sizeof(bytes));
    for (size_t i = 0; i < sizeof(order); i++) {
        carry += (unsigned)bytes[45 + 32 + i] + order[i];
        bytes[45 + 32 + i] = (uint8_t)carry;
        carry >>= 8;
    }
    CHECK_I64(0, carry);
    const str text = base45_encode(arena, (str){(const char *)bytes, sizeof(bytes)});
    check_refused(keyring, arena, arena_printf(arena, "T1:%.*s", STR_ARG(text)));
    keyring_close(keyring);
    arena_close(arena);
}
