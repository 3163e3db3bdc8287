/* platform/ws/frame.h - WebSocket frames (RFC 6455 5): their heads, masks and close payloads.
 *
 * Pure: no I/O, no memory of its own. Both ends use it: the server in platform/http and the
 * client beside it. No extension is ever agreed on, so all reserved bits are 0. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum ws_opcode {
    WS_CONTINUATION = 0,
    WS_TEXT = 1,
    WS_BINARY = 2,
    WS_CLOSE = 8,
    WS_PING = 9,
    WS_PONG = 10,
};

/* RFC 6455 7.4.1. Of those, 1005 and 1006 never stand in a frame. */
enum ws_code {
    WS_NORMAL = 1000,
    WS_GOING_AWAY = 1001,
    WS_PROTOCOL_ERROR = 1002,
    WS_UNSUPPORTED = 1003,
    WS_NO_CODE = 1005,  /* the other side closed without saying why */
    WS_ABNORMAL = 1006, /* the connection is gone, and nobody closed it */
    WS_NOT_UTF8 = 1007,
    WS_POLICY = 1008,
    WS_TOO_BIG = 1009,
    WS_INTERNAL = 1011,
    WS_TRY_LATER = 1013,
};

enum {
    WS_HEAD_SIZE_MAX = 14,
    WS_CONTROL_SIZE_MAX = 125, /* payload of a close, ping or pong */
    WS_REASON_SIZE_MAX = 123,
    WS_MASK_SIZE = 4,
};

struct ws_head {
    bool is_final;
    bool is_masked;
    enum ws_opcode opcode;
    uint8_t mask[WS_MASK_SIZE];
    size_t head_size;
    uint64_t payload_size;
};

enum ws_head_state { WS_HEAD_READ, WS_HEAD_INCOMPLETE, WS_HEAD_INVALID };

/* Reads the head at the begin of `text`. Invalid: a reserved bit or opcode, a control frame that
 * is fragmented or too long, a length that is not written in its shortest form. */
enum ws_head_state ws_head_read(str text, struct ws_head *ret);

/* Writes the head of an unfragmented frame; `mask` NULL: unmasked. Gives its size. */
size_t ws_head_write(char ret[WS_HEAD_SIZE_MAX], enum ws_opcode opcode, uint64_t payload_size,
                     const uint8_t *mask);

/* Masks, or unmasks, in place (RFC 6455 5.3). */
void ws_mask(char *bytes, size_t size, const uint8_t mask[WS_MASK_SIZE]);

/* The payload of a close frame; a reason that is too long loses whole characters at its end. Gives
 * its size; 0 for WS_NO_CODE. */
size_t ws_close_write(char ret[WS_CONTROL_SIZE_MAX], int code, str reason);
/* The code (WS_NO_CODE where none stands there), or as a negative number the code to fail with: a
 * payload of one byte, a code that may not be sent, a reason that is no UTF-8. */
int ws_close_read(str payload, str *ret_reason);

/* Well-formed UTF-8; unlike str_is_utf8 with NUL, which is a character of a message. */
bool ws_is_text(str payload);
