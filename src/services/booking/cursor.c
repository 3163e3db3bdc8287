/* booking/cursor.c - list cursors: base64url of a MAC and the position it vouches for.
 *
 * A position is the key of the last row that was shown. It is no secret, but it goes back into
 * queries and index walks unchecked, so a client must not be able to write one. */

#include "services/booking/cursor.h"

#include <assert.h>
#include <string.h>

#include "platform/crypto/crypto.h"
#include "platform/node/node.h"

enum {
    MAC_SIZE = 16, /* HMAC-SHA256 cut in half (RFC 2104 5): nobody can try offline */
    TEXT_SIZE_MAX = (MAC_SIZE + CURSOR_POSITION_SIZE_MAX + 2) / 3 * 4,
};

/* Over list ‖ 0 ‖ position: names hold no NUL, so no two pairs give the same bytes. */
static void mac_of(struct call *call, const char *list, str position, uint8_t ret[SHA256_SIZE])
{
    struct buf data = buf_in(call->arena, strlen(list) + 1 + CURSOR_POSITION_SIZE_MAX + 1);

    buf_add_cstr(&data, list);
    buf_add_char(&data, '\0');
    buf_add(&data, position);
    assert(!data.overflow);
    keyring_mac(call->self->node->keyring, "cursor", buf_str(&data), ret);
}

str cursor_make(struct call *call, const char *list, str position)
{
    uint8_t mac[SHA256_SIZE];
    char bytes[MAC_SIZE + CURSOR_POSITION_SIZE_MAX];

    assert(position.size > 0 && position.size <= CURSOR_POSITION_SIZE_MAX);

    mac_of(call, list, position, mac);
    memcpy(bytes, mac, MAC_SIZE);
    memcpy(bytes + MAC_SIZE, position.ptr, position.size);
    return base64url_encode(call->arena, (str){bytes, MAC_SIZE + position.size});
}

err cursor_read(struct call *call, const char *list, str cursor, str *ret_position)
{
    uint8_t mac[SHA256_SIZE];
    str bytes = STR_ABSENT;

    if (cursor.size > TEXT_SIZE_MAX || base64url_decode(call->arena, cursor, &bytes) != ERR_OK ||
        bytes.size <= MAC_SIZE || bytes.size - MAC_SIZE > CURSOR_POSITION_SIZE_MAX)
        return call_explain(call, ERR_MALFORMED, "The cursor was not given out by this list.");

    const str position = str_slice(bytes, MAC_SIZE, bytes.size);
    mac_of(call, list, position, mac);
    if (!equal_in_constant_time(mac, bytes.ptr, MAC_SIZE))
        return call_explain(call, ERR_MALFORMED, "The cursor was not given out by this list.");
    *ret_position = position;
    return ERR_OK;
}
