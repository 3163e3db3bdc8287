/* platform/crypto/digest.c - SHA-256 (FIPS 180-4), HMAC-SHA256 (RFC 2104), comparison.
 *
 * Every token and cursor of every request comes through here. One call costs one small context;
 * contexts are not kept per thread, since keyed ones would outlive the request that used the
 * key. */

#include "platform/crypto/crypto.h"

#include <openssl/crypto.h>

#include "platform/crypto/evp.h"

void sha256(str data, uint8_t ret[SHA256_SIZE])
{
    evp_must(EVP_Digest(data.ptr, data.size, ret, NULL, evp_algorithms()->sha256, NULL) == 1);
}

void hmac_sha256(str key, str data, uint8_t ret[SHA256_SIZE])
{
    static const unsigned char empty[1];
    const unsigned char *bytes = key.size > 0 ? (const unsigned char *)key.ptr : empty;
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(evp_algorithms()->hmac_sha256);

    evp_must(ctx != NULL);
    evp_must(EVP_MAC_init(ctx, bytes, key.size, NULL) == 1);
    evp_must(EVP_MAC_update(ctx, (const unsigned char *)data.ptr, data.size) == 1);
    evp_must(EVP_MAC_final(ctx, ret, NULL, SHA256_SIZE) == 1);
    EVP_MAC_CTX_free(ctx);
}

bool equal_in_constant_time(const void *a, const void *b, size_t size)
{
    return CRYPTO_memcmp(a, b, size) == 0;
}
