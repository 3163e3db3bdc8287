/* platform/crypto/encode_test.c - base64, base64url, hex, base45 and tokens: vectors, round trips,
 * and that no second spelling of a value is taken. */

#include <stdio.h>
#include <string.h>

#include "platform/crypto/crypto.h"
#include "platform/crypto/test_vector.h"
#include "support/test.h"

TEST(base64_gives_the_values_of_rfc_4648)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    static const struct {
        const char *text;
        const char *padded;
        const char *url;
    } cases[] = {
        {"",       "",         ""        },
        {"f",      "Zg==",     "Zg"      },
        {"fo",     "Zm8=",     "Zm8"     },
        {"foo",    "Zm9v",     "Zm9v"    },
        {"foob",   "Zm9vYg==", "Zm9vYg"  },
        {"fooba",  "Zm9vYmE=", "Zm9vYmE" },
        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        str decoded = STR_ABSENT;

        CHECK_STR(cases[i].padded, base64_encode(arena, str_of(cases[i].text)));
        CHECK_STR(cases[i].url, base64url_encode(arena, str_of(cases[i].text)));
        CHECK_OK(base64url_decode(arena, str_of(cases[i].url), &decoded));
        CHECK_STR(cases[i].text, decoded);
    }
    CHECK_STR("-__-", base64url_encode(arena, bytes_of_hex(arena, "fbfffe")));
    CHECK_STR("+//+", base64_encode(arena, bytes_of_hex(arena, "fbfffe")));
}

TEST(base64url_takes_one_spelling_only)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    static const char *const refused[] = {"Z",    "Zg==", "Zh",     "Zm9", "Zm9vY",     "Zm9v Zm9v",
                                          "Zm+v", "Zm/v", "Zm9v\n", "=",   "Z\xc3\xa9g"};
    str ret = STR("untouched");

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        CHECK_ERR(ERR_MALFORMED, base64url_decode(arena, str_of(refused[i]), &ret));
    CHECK_ERR(ERR_MALFORMED, base64url_decode(arena, (str){"Zm9\0", 4}, &ret));
    CHECK_STR("untouched", ret);
}

TEST(hex_is_lower_case)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);

    CHECK_STR("00ff1a", hex_encode(arena, bytes_of_hex(arena, "00ff1a")));
    CHECK_STR("", hex_encode(arena, STR_ABSENT));
}

TEST(base45_gives_the_values_of_rfc_9285)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    static const struct {
        const char *text;
        const char *encoded;
    } cases[] = {
        {"",        ""           },
        {"AB",      "BB8"        },
        {"Hello!!", "%69 VD92EX0"},
        {"base-45", "UJCLQE7W581"},
        {"ietf!",   "QED8WEX0"   },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        str decoded = STR_ABSENT;

        CHECK_STR(cases[i].encoded, base45_encode(arena, str_of(cases[i].text)));
        CHECK_OK(base45_decode(arena, str_of(cases[i].encoded), &decoded));
        CHECK_STR(cases[i].text, decoded);
    }
}

TEST(base45_refuses_what_no_encoder_gives)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    /* Too short by one, 65536, more, a byte of 256, lower case, foreign characters. */
    static const char *const refused[] = {"B",   "BB8B", "GGW",  ":::",    "V5",
                                          "bb8", "BB,",  "BB8_", "BB8\n0", "B\xc3\xa9"};
    str ret = STR("untouched");

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        CHECK_ERR(ERR_MALFORMED, base45_decode(arena, str_of(refused[i]), &ret));
    CHECK_STR("untouched", ret);
    CHECK_OK(base45_decode(arena, STR("FGW"), &ret)); /* 65535, the largest pair */
    CHECK_STR("ffff", hex_encode(arena, ret));
    CHECK_OK(base45_decode(arena, STR("U5"), &ret)); /* 255, the largest byte */
    CHECK_STR("ff", hex_encode(arena, ret));
}

TEST(what_is_encoded_comes_back)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct rng_seeded seeded;
    char bytes[200];

    rng_seeded_init(&seeded, 45);
    for (size_t size = 0; size <= sizeof(bytes); size++) {
        const str data = {bytes, size};
        str decoded = STR_ABSENT;

        rng_fill(&seeded.rng, bytes, sizeof(bytes));
        CHECK_OK(base64url_decode(arena, base64url_encode(arena, data), &decoded));
        CHECK(str_eq(data, decoded));
        CHECK_OK(base45_decode(arena, base45_encode(arena, data), &decoded));
        CHECK(str_eq(data, decoded));
    }
}

TEST(a_text_that_decodes_is_the_one_that_encodes)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    char text[3];
    size_t accepted = 0;

    /* All 256^3 would take long: all pairs of the second and third character, behind one first. */
    for (int second = 0; second < 256; second++) {
        for (int third = 0; third < 256; third++) {
            str decoded = STR_ABSENT;

            text[0] = 'A';
            text[1] = (char)second;
            text[2] = (char)third;
            if (base64url_decode(arena, (str){text, 3}, &decoded) == ERR_OK) {
                CHECK(str_eq((str){text, 3}, base64url_encode(arena, decoded)));
                accepted++;
            }
            if (base45_decode(arena, (str){text, 3}, &decoded) == ERR_OK) {
                CHECK(str_eq((str){text, 3}, base45_encode(arena, decoded)));
                accepted++;
            }
        }
        arena_reset(arena);
    }
    /* 64 * 16 texts of two bytes; 10 + 45 * 45 * k <= 65535 leaves 45 * 32 + 17 pairs. */
    CHECK_I64(64 * 16 + 45 * 32 + 17, (int64_t)accepted);
}

TEST(a_token_has_256_random_bits_in_43_characters)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct rng_seeded seeded;
    uint8_t bytes[32];

    rng_seeded_init(&seeded, 7);
    const struct token_text token = token_new(&seeded.rng);
    const struct token_text other = token_new(&seeded.rng);
    rng_seeded_init(&seeded, 7);
    rng_fill(&seeded.rng, bytes, sizeof(bytes));

    str decoded = STR_ABSENT;
    CHECK_I64(TOKEN_TEXT_SIZE, (int64_t)strlen(token.text));
    CHECK_OK(base64url_decode(arena, str_of(token.text), &decoded));
    CHECK(str_eq((str){(const char *)bytes, sizeof(bytes)}, decoded));
    CHECK(strcmp(token.text, other.text) != 0);
}
