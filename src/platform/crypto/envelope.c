/* platform/crypto/envelope.c - seals single values for the database with AES-256-GCM.
 *
 *   version 1 | key id 2, big endian | nonce 12 | ciphertext | tag 16
 *
 * The tag covers version, key id and the caller's context as well: a value opens only in the row
 * and column it was sealed for. Nonces are random: with 96 bits a key is good for 2^32 seals
 * (NIST SP 800-38D 8.3), after which a new master is due. */

#include <assert.h>
#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>

#include "platform/crypto/evp.h"
#include "platform/crypto/keyring_private.h"

enum {
    VERSION = 1,
    HEADER_SIZE = 3, /* version, key id */
    NONCE_SIZE = 12,
    TAG_SIZE = 16,
    PLAIN_SIZE_MAX = 64 << 20,
};

static const struct sealer *find_sealer(const struct keyring *keyring, uint16_t key_id)
{
    for (size_t i = 0; i < keyring->sealer_count; i++)
        if (keyring->sealers[i].id == key_id)
            return &keyring->sealers[i];
    return NULL;
}

/* A context that has the key, the nonce and everything that is authenticated but not hidden. */
static EVP_CIPHER_CTX *cipher_new(const struct sealer *sealer, const uint8_t *envelope, str context,
                                  int encrypt)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int size = 0;

    assert(context.size <= INT_MAX);
    evp_must(ctx != NULL);
    evp_must(EVP_CipherInit_ex2(ctx, evp_algorithms()->aes_256_gcm, sealer->key,
                                envelope + HEADER_SIZE, encrypt, NULL) == 1);
    evp_must(EVP_CipherUpdate(ctx, NULL, &size, envelope, HEADER_SIZE) == 1);
    if (context.size > 0)
        evp_must(EVP_CipherUpdate(ctx, NULL, &size, (const unsigned char *)context.ptr,
                                  (int)context.size) == 1);
    return ctx;
}

str keyring_seal(struct keyring *keyring, struct rng *rng, struct arena *arena, str context,
                 str plain)
{
    const struct sealer *sealer = &keyring->sealers[keyring->sealer_count - 1];
    const size_t size = HEADER_SIZE + NONCE_SIZE + plain.size + TAG_SIZE;
    int written = 0;
    int rest = 0;

    assert(plain.size <= PLAIN_SIZE_MAX);
    uint8_t *envelope = arena_alloc(arena, size);
    uint8_t *cipher = envelope + HEADER_SIZE + NONCE_SIZE;
    envelope[0] = VERSION;
    envelope[1] = (uint8_t)(sealer->id >> 8);
    envelope[2] = (uint8_t)sealer->id;
    rng_fill(rng, envelope + HEADER_SIZE, NONCE_SIZE);

    EVP_CIPHER_CTX *ctx = cipher_new(sealer, envelope, context, 1);
    if (plain.size > 0)
        evp_must(EVP_CipherUpdate(ctx, cipher, &written, (const unsigned char *)plain.ptr,
                                  (int)plain.size) == 1);
    evp_must(EVP_CipherFinal_ex(ctx, cipher + written, &rest) == 1);
    assert((size_t)written + (size_t)rest == plain.size);
    evp_must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, cipher + plain.size) == 1);
    EVP_CIPHER_CTX_free(ctx);
    return (str){(const char *)envelope, size};
}

err keyring_unseal(struct keyring *keyring, struct arena *arena, str context, str sealed,
                   str *ret_plain)
{
    const size_t overhead = HEADER_SIZE + NONCE_SIZE + TAG_SIZE;
    const uint8_t *envelope = (const uint8_t *)sealed.ptr;
    uint8_t tag[TAG_SIZE];
    int written = 0;
    int rest = 0;

    if (sealed.size < overhead || sealed.size - overhead > PLAIN_SIZE_MAX || envelope[0] != VERSION)
        return ERR_INVALID;
    const struct sealer *sealer =
        find_sealer(keyring, (uint16_t)((unsigned)envelope[1] << 8 | envelope[2]));
    if (sealer == NULL)
        return ERR_INVALID;

    const size_t size = sealed.size - overhead;
    const uint8_t *cipher = envelope + HEADER_SIZE + NONCE_SIZE;
    uint8_t *plain = arena_alloc(arena, size + 1); /* with a NUL behind it */
    memcpy(tag, cipher + size, sizeof(tag));
    EVP_CIPHER_CTX *ctx = cipher_new(sealer, envelope, context, 0);
    if (size > 0)
        evp_must(EVP_CipherUpdate(ctx, plain, &written, cipher, (int)size) == 1);
    evp_must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, tag) == 1);
    const bool genuine = EVP_CipherFinal_ex(ctx, plain + written, &rest) == 1;
    EVP_CIPHER_CTX_free(ctx);
    if (!genuine) {
        OPENSSL_cleanse(plain, size); /* nobody may see what was forged */
        return ERR_INVALID;
    }
    *ret_plain = (str){(const char *)plain, size};
    return ERR_OK;
}
