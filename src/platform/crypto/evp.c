/* platform/crypto/evp.c - looks OpenSSL's algorithms up once for the whole process.
 *
 * A lookup by name takes locks and costs more than hashing a token does. What is kept here never
 * changes after the first call and lives as long as the process: there is nothing to close. */

#include "platform/crypto/evp.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>

static struct evp algorithms;
static pthread_once_t algorithms_once = PTHREAD_ONCE_INIT;

void evp_must(bool succeeded)
{
    if (succeeded)
        return;
    ERR_print_errors_fp(stderr);
    abort();
}

static void fetch_algorithms(void)
{
    char digest[] = "SHA256";
    const OSSL_PARAM of_hmac[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);

    evp_must(hmac != NULL);
    algorithms.hmac_sha256 = EVP_MAC_CTX_new(hmac);
    evp_must(algorithms.hmac_sha256 != NULL);
    evp_must(EVP_MAC_CTX_set_params(algorithms.hmac_sha256, of_hmac) == 1);
    EVP_MAC_free(hmac); /* the context holds it */

    algorithms.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    algorithms.aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    algorithms.hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    evp_must(algorithms.sha256 != NULL);
    evp_must(algorithms.aes_256_gcm != NULL);
    evp_must(algorithms.hkdf != NULL);
}

const struct evp *evp_algorithms(void)
{
    evp_must(pthread_once(&algorithms_once, fetch_algorithms) == 0);
    return &algorithms;
}
