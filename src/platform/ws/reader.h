/* platform/ws/reader.h - makes messages of the bytes that the other side sends (RFC 6455 5.4).
 *
 * One per connection. Between messages it holds no memory but itself. */
#pragma once

#include "base/buf.h"
#include "platform/ws/frame.h"

enum ws_side { WS_SERVER, WS_CLIENT };

struct ws_reader {
    enum ws_side side;     /* ours: a server takes masked frames only, a client none */
    enum ws_opcode opcode; /* of the message whose fragments come; WS_CONTINUATION: none */
    bool is_over;          /* a close was read, or it failed: what follows is nobody's */
    uint32_t message_max;  /* bytes */
    uint64_t frame_count;  /* frames so far, for limits on their rate */
    struct buf fragments;
};

/* `message_max`: bytes that a message may have, whole and unmasked. */
struct ws_reader ws_reader_new(enum ws_side side, uint32_t message_max);
void ws_reader_done(struct ws_reader *reader); /* for CLEANUP */

struct ws_event {
    enum ws_opcode type; /* WS_TEXT (is UTF-8), WS_BINARY, WS_CLOSE, WS_PING or WS_PONG */
    str payload;         /* of WS_CLOSE the reason; valid until the next call and change of bytes */
    int code;            /* WS_CLOSE and WS_READ_FAILED */
};

enum ws_read {
    WS_READ_EVENT,
    WS_READ_MORE,   /* nothing more can be made of these bytes */
    WS_READ_FAILED, /* the other side broke the protocol: close with event.code */
};

/* Makes the next event of `bytes`, which are changed in place (unmasked). *ret_taken of them are
 * used up in any case; what is left must be there again at the next call. A frame is taken whole,
 * so at most message_max + WS_HEAD_SIZE_MAX bytes ever have to be kept. */
enum ws_read ws_read(struct ws_reader *reader, char *bytes, size_t size, size_t *ret_taken,
                     struct ws_event *ret);
