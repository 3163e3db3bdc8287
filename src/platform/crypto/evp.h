/* platform/crypto/evp.h - OpenSSL's algorithms, looked up once; for this folder only. */
#pragma once

#include <stdbool.h>

#include <openssl/evp.h>
#include <openssl/kdf.h>

struct evp {
    EVP_MD *sha256;
    EVP_MAC_CTX *hmac_sha256; /* without a key: to be copied */
    EVP_CIPHER *aes_256_gcm;
    EVP_KDF *hkdf;
};

/* Immutable, from any thread. Aborts where the library lacks one of them. */
const struct evp *evp_algorithms(void);

/* Calls that fail only for want of memory or in a broken library: aborts with OpenSSL's reason. */
void evp_must(bool succeeded);
