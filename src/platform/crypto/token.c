/* platform/crypto/token.c - opaque tokens: sessions, refresh, links in mails.
 *
 * 256 random bits as text; whoever stores one stores its SHA-256, so a stolen table opens
 * nothing. */

#include "platform/crypto/crypto.h"

#include <assert.h>

#include <openssl/crypto.h>

#include "platform/crypto/encode.h"

struct token_text token_new(struct rng *rng)
{
    uint8_t bytes[32];
    struct token_text token = {0};

    rng_fill(rng, bytes, sizeof(bytes));
    const size_t size = base64url_write(bytes, sizeof(bytes), token.text);
    assert(size == TOKEN_TEXT_SIZE);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return token;
}
