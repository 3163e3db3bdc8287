/* platform/crypto/sign_test.c - Ed25519 against RFC 8032 7.1, and what must not verify. */

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "platform/crypto/crypto.h"
#include "platform/crypto/test_vector.h"
#include "support/scratch.h"
#include "support/test.h"

/* A file that only we can read. */
static void write_key(struct arena *arena, const char *dir, const char *name, str bytes)
{
    const char *path = arena_printf(arena, "%s/%s", dir, name).ptr;
    FILE *file = fopen(path, "wb");

    CHECK(file != NULL);
    CHECK(fwrite(bytes.ptr, 1, bytes.size, file) == bytes.size);
    CHECK(fclose(file) == 0);
    CHECK(chmod(path, 0600) == 0);
}

static str signature_of(const uint8_t signature[ED25519_SIGNATURE_SIZE])
{
    return (str){(const char *)signature, ED25519_SIGNATURE_SIZE};
}

struct vector {
    const char *seed;
    const char *public_key;
    const char *message;
    const char *signature;
};

static void check_vector(struct arena *arena, const struct vector *vector)
{
    const char *dir = scratch_dir(arena);
    struct keyring *keyring = NULL;
    const str message = bytes_of_hex(arena, vector->message);
    uint8_t public_key[ED25519_KEY_SIZE];
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    str why = STR_ABSENT;

    write_key(arena, dir, "master.key", (str){(char[32]){0}, 32});
    write_key(arena, dir, "ticket-0007.key", bytes_of_hex(arena, vector->seed));
    CHECK_OK(keyring_open(dir, rng_system(), arena, &keyring, &why));
    CHECK_I64(7, keyring_signing_key_id(keyring));
    CHECK_OK(keyring_public_key(keyring, 7, public_key));
    CHECK_STR(vector->public_key,
              hex_encode(arena, (str){(const char *)public_key, sizeof(public_key)}));
    CHECK_OK(keyring_sign(keyring, 7, message, signature));
    CHECK_STR(vector->signature, hex_encode(arena, signature_of(signature)));
    CHECK_OK(keyring_verify(keyring, 7, message, signature));
    keyring_close(keyring);
}

TEST(signatures_are_those_of_rfc_8032)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    static const struct vector vectors[] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701"
         "c"
         "f9b46bd25bf5f0595bbe24655141438e7a100b"},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d"
         "0"
         "f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
        {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
         "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f7609"
         "8"
         "4dc6594a7c15e9716ed28dc027beceea1ec40a"},
    };

    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
        check_vector(arena, &vectors[i]);
}

TEST(one_changed_bit_or_another_key_does_not_verify)
{
    struct keyring *keyring = NULL;
    struct keyring *other = NULL;
    char data[45];
    uint8_t signature[ED25519_SIGNATURE_SIZE];

    CHECK_OK(keyring_open_memory(1, &keyring));
    CHECK_OK(keyring_open_memory(2, &other));
    memset(data, 't', sizeof(data));
    const str signed_data = {data, sizeof(data)};
    CHECK_OK(keyring_sign(keyring, 1, signed_data, signature));
    CHECK_OK(keyring_verify(keyring, 1, signed_data, signature));
    CHECK_ERR(ERR_INVALID, keyring_verify(other, 1, signed_data, signature));

    for (size_t bit = 0; bit < sizeof(signature) * 8; bit++) {
        signature[bit / 8] ^= (uint8_t)(1U << bit % 8);
        CHECK_ERR(ERR_INVALID, keyring_verify(keyring, 1, signed_data, signature));
        signature[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] ^= 1;
        CHECK_ERR(ERR_INVALID, keyring_verify(keyring, 1, signed_data, signature));
        data[i] ^= 1;
    }
    CHECK_ERR(ERR_INVALID, keyring_verify(keyring, 1, str_slice(signed_data, 0, 44), signature));
    keyring_close(other);
    keyring_close(keyring);
}

TEST(an_unknown_signing_key_is_refused)
{
    struct keyring *keyring = NULL;
    uint8_t bytes[ED25519_SIGNATURE_SIZE] = {0};

    CHECK_OK(keyring_open_memory(1, &keyring));
    CHECK_I64(1, keyring_signing_key_id(keyring));
    CHECK_ERR(ERR_NOT_FOUND, keyring_sign(keyring, 2, STR("x"), bytes));
    CHECK_ERR(ERR_NOT_FOUND, keyring_public_key(keyring, 0, bytes));
    CHECK_ERR(ERR_INVALID, keyring_verify(keyring, 65535, STR("x"), bytes));
    keyring_close(keyring);
}
