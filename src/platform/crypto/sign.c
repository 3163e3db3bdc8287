/* platform/crypto/sign.c - Ed25519 (RFC 8032) with the ticket keys.
 *
 * Scanners verify offline with the public keys, so every key that ever signed stays in the keyring
 * until its last ticket is over; what is signed names its key. */

#include <assert.h>

#include "platform/crypto/evp.h"
#include "platform/crypto/keyring_private.h"

/* --- Rules: no I/O --- */

void signer_init(struct signer *signer, const struct key *seed)
{
    size_t size = sizeof(signer->public_key);

    signer->id = seed->id;
    signer->pair =
        EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, seed->bytes, sizeof(seed->bytes));
    evp_must(signer->pair != NULL);
    evp_must(EVP_PKEY_get_raw_public_key(signer->pair, signer->public_key, &size) == 1);
    assert(size == ED25519_KEY_SIZE);
}

void signer_done(struct signer *signer)
{
    EVP_PKEY_free(signer->pair); /* wipes the seed */
    signer->pair = NULL;
}

static const struct signer *find_signer(const struct keyring *keyring, uint16_t key_id)
{
    for (size_t i = 0; i < keyring->signer_count; i++)
        if (keyring->signers[i].id == key_id)
            return &keyring->signers[i];
    return NULL;
}

uint16_t keyring_signing_key_id(struct keyring *keyring)
{
    return keyring->signers[keyring->signer_count - 1].id;
}

err keyring_public_key(struct keyring *keyring, uint16_t key_id, uint8_t ret[ED25519_KEY_SIZE])
{
    const struct signer *signer = find_signer(keyring, key_id);

    if (signer == NULL)
        return ERR_NOT_FOUND;
    for (size_t i = 0; i < ED25519_KEY_SIZE; i++)
        ret[i] = signer->public_key[i];
    return ERR_OK;
}

err keyring_sign(struct keyring *keyring, uint16_t key_id, str data,
                 uint8_t ret[ED25519_SIGNATURE_SIZE])
{
    const struct signer *signer = find_signer(keyring, key_id);
    size_t size = ED25519_SIGNATURE_SIZE;

    if (signer == NULL)
        return ERR_NOT_FOUND;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    evp_must(ctx != NULL);
    evp_must(EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, signer->pair, NULL) == 1);
    evp_must(EVP_DigestSign(ctx, ret, &size, (const unsigned char *)data.ptr, data.size) == 1);
    assert(size == ED25519_SIGNATURE_SIZE);
    EVP_MD_CTX_free(ctx);
    return ERR_OK;
}

err keyring_verify(struct keyring *keyring, uint16_t key_id, str data,
                   const uint8_t signature[ED25519_SIGNATURE_SIZE])
{
    const struct signer *signer = find_signer(keyring, key_id);

    if (signer == NULL)
        return ERR_INVALID;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    evp_must(ctx != NULL);
    evp_must(EVP_DigestVerifyInit_ex(ctx, NULL, NULL, NULL, NULL, signer->pair, NULL) == 1);
    const int verified = EVP_DigestVerify(ctx, signature, ED25519_SIGNATURE_SIZE,
                                          (const unsigned char *)data.ptr, data.size);
    EVP_MD_CTX_free(ctx);
    return verified == 1 ? ERR_OK : ERR_INVALID;
}
