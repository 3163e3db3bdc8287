/* platform/ws/handshake.h - the opening handshake (RFC 6455 4): what both ends compute and check.
 * Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { WS_NONCE_SIZE = 16, WS_KEY_SIZE = 24, WS_ACCEPT_SIZE = 28 };

struct ws_key {
    char text[WS_KEY_SIZE + 1];
};

struct ws_accept {
    char text[WS_ACCEPT_SIZE + 1];
};

/* Sec-WebSocket-Key of a client, from 16 random bytes. */
struct ws_key ws_key_make(const uint8_t nonce[WS_NONCE_SIZE]);
/* 16 bytes in base64, in their one spelling. */
bool ws_key_is_valid(str key);
/* Sec-WebSocket-Accept for a key. */
struct ws_accept ws_accept_of(str key);

/* Is `token` one of the comma-separated ones of a header? ASCII letters count alike. */
bool ws_list_has(str list, str token);
/* The first of the wanted subprotocols (NULL-terminated, case counts) that stands in the client's
 * list; absent if there is none. */
str ws_choose_subprotocol(str offered, const char *const *wanted);
