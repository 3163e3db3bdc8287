/* platform/crypto/digest_test.c - SHA-256 against FIPS 180-4, HMAC against RFC 4231. */

#include <string.h>

#include "platform/crypto/crypto.h"
#include "platform/crypto/test_vector.h"
#include "support/test.h"

/* The same byte many times. */
static str repeated(struct arena *arena, char byte, size_t size)
{
    char *bytes = arena_alloc(arena, size);

    memset(bytes, byte, size);
    return (str){bytes, size};
}

static void check_sha256(struct arena *arena, const char *expected, str data)
{
    uint8_t hash[SHA256_SIZE];

    sha256(data, hash);
    CHECK_STR(expected, hex_encode(arena, (str){(const char *)hash, sizeof(hash)}));
}

TEST(sha256_gives_the_published_values)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const char *of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    check_sha256(arena, of_nothing, STR(""));
    check_sha256(arena, of_nothing, STR_ABSENT);
    check_sha256(arena, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                 STR("abc"));
    check_sha256(arena, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
                 STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"));
    check_sha256(arena, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
                 repeated(arena, 'a', 1000000));
}

static void check_hmac(struct arena *arena, const char *expected, str key, str data)
{
    uint8_t mac[SHA256_SIZE];

    hmac_sha256(key, data, mac);
    CHECK_STR(expected, hex_encode(arena, (str){(const char *)mac, sizeof(mac)}));
}

TEST(hmac_gives_the_values_of_rfc_4231)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);

    check_hmac(arena, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
               repeated(arena, 0x0b, 20), STR("Hi There"));
    check_hmac(arena, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
               STR("Jefe"), STR("what do ya want for nothing?"));
    check_hmac(arena, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
               repeated(arena, (char)0xaa, 20), repeated(arena, (char)0xdd, 50));
    check_hmac(arena, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
               bytes_of_hex(arena, "0102030405060708090a0b0c0d0e0f10111213141516171819"),
               repeated(arena, (char)0xcd, 50));
    check_hmac(arena, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
               repeated(arena, (char)0xaa, 131),
               STR("Test Using Larger Than Block-Size Key - Hash Key First"));
    check_hmac(arena, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
               repeated(arena, (char)0xaa, 131),
               STR("This is a test using a larger than block-size key and a larger than "
                   "block-size data. The key needs to be hashed before being used by the HMAC "
                   "algorithm."));
}

TEST(hmac_takes_an_empty_key_and_an_empty_text)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const char *expected = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";

    check_hmac(arena, expected, STR(""), STR(""));
    check_hmac(arena, expected, STR_ABSENT, STR_ABSENT);
}

TEST(comparison_sees_every_bit)
{
    uint8_t a[32] = {0};
    uint8_t b[32] = {0};

    CHECK(equal_in_constant_time(a, b, sizeof(a)));
    for (size_t bit = 0; bit < sizeof(b) * 8; bit++) {
        b[bit / 8] = (uint8_t)(1U << bit % 8);
        CHECK(!equal_in_constant_time(a, b, sizeof(a)));
        b[bit / 8] = 0;
    }
    CHECK(equal_in_constant_time(a, b, 0));
}
