/* platform/ws/handshake.c - the sums and comparisons of the opening handshake. */

#include "platform/ws/handshake.h"

#include <assert.h>
#include <openssl/evp.h>
#include <string.h>

enum { SHA1_SIZE = 20, KEY_DECODED_ROOM = 18 };

static const char accept_suffix[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455 1.3 */

struct ws_key ws_key_make(const uint8_t nonce[WS_NONCE_SIZE])
{
    struct ws_key key;
    const int size = EVP_EncodeBlock((unsigned char *)key.text, nonce, WS_NONCE_SIZE);

    assert(size == WS_KEY_SIZE);
    return key;
}

bool ws_key_is_valid(str key)
{
    uint8_t decoded[KEY_DECODED_ROOM];

    if (key.size != WS_KEY_SIZE || !str_ends(key, STR("==")) || key.ptr[WS_KEY_SIZE - 3] == '=')
        return false;
    if (EVP_DecodeBlock(decoded, (const unsigned char *)key.ptr, WS_KEY_SIZE) != KEY_DECODED_ROOM)
        return false;
    const struct ws_key again = ws_key_make(decoded); /* unused bits must be 0 */
    return memcmp(again.text, key.ptr, WS_KEY_SIZE) == 0;
}

struct ws_accept ws_accept_of(str key)
{
    char text[WS_KEY_SIZE + sizeof(accept_suffix)];
    uint8_t digest[SHA1_SIZE];
    struct ws_accept accept;

    assert(key.size == WS_KEY_SIZE);
    memcpy(text, key.ptr, WS_KEY_SIZE);
    memcpy(text + WS_KEY_SIZE, accept_suffix, sizeof(accept_suffix));
    const int is_made =
        EVP_Digest(text, WS_KEY_SIZE + sizeof(accept_suffix) - 1, digest, NULL, EVP_sha1(), NULL);
    assert(is_made == 1);
    const int size = EVP_EncodeBlock((unsigned char *)accept.text, digest, SHA1_SIZE);
    assert(size == WS_ACCEPT_SIZE);
    return accept;
}

bool ws_list_has(str list, str token)
{
    str part;

    while (str_split(&list, ',', &part))
        if (str_eq_nocase(str_trim(part), token))
            return true;
    return false;
}

str ws_choose_subprotocol(str offered, const char *const *wanted)
{
    for (; wanted != NULL && *wanted != NULL; wanted++) {
        str rest = offered;
        str part;

        while (str_split(&rest, ',', &part))
            if (str_eq(str_trim(part), str_of(*wanted)))
                return str_of(*wanted);
    }
    return STR_ABSENT;
}
