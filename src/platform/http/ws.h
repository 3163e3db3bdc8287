/* platform/http/ws.h - WebSocket connections of the server (RFC 6455).
 *
 * A route's handler answers with reply_upgrade; all that goes before (authentication, roles,
 * limits) is as for any route. From then on the connection lives on its event loop, where the
 * functions of its kind are called; they must not block. ws_send and ws_close may be called from
 * any thread.
 *
 * There is no queue of messages per client. A frame is made once and shared by all who get it;
 * what a client has not read yet is a list of references to frames, bounded in bytes. Who sends
 * is told when a client is behind, and once it has caught up: of a value of which only the newest
 * counts nothing has to be kept for it meanwhile. */
#pragma once

#include "platform/http/http.h"
#include "platform/ws/frame.h"

struct ws;
struct ws_frame;

enum {
    WS_MESSAGE_MAX = 64 * 1024,  /* bytes, of what clients send: the most that a kind may allow */
    WS_PENDING_MAX = 256 * 1024, /* bytes that may wait for one client */
    WS_PING_AFTER_MS = 25000,
    WS_DEAD_AFTER_MS = 60000,
    WS_FRAMES_PER_S = 20,
};

struct ws_kind {
    uint32_t message_max;            /* bytes, up to WS_MESSAGE_MAX; longer: closed with 1009 */
    uint32_t frames_per_s;           /* from one client, and at once four times that; more: 1008 */
    uint32_t ping_after_ms;          /* of silence, by the node's clock */
    uint32_t dead_after_ms;          /* of silence: closed with 1006 */
    const char *const *subprotocols; /* best first, ends with NULL; NULL: none is spoken */
    /* May pages of that origin connect? Not asked where none is sent, which browsers always do.
     * NULL: only those of the host that the request names. */
    bool (*admits)(const struct req *req, str origin);
    /* Before anything is received. The request is over when this returns. */
    void (*opened)(struct ws *ws, struct req *req);
    /* WS_TEXT (UTF-8) or WS_BINARY. The call has the caller of the request, an arena of this
     * message's and may not block. */
    void (*received)(struct ws *ws, struct call *call, enum ws_opcode type, str message);
    /* After a ws_send was refused because the client was behind: nothing waits any more. May be
     * NULL. */
    void (*caught_up)(struct ws *ws);
    /* The last call, exactly once after opened. `code`: what the client closed with, or we did if
     * we were first; WS_ABNORMAL where it just went. */
    void (*closed)(struct ws *ws, int code);
};

/* In a handler: `return reply_upgrade(req, &kind)`. `kind` lives as long as the server. 400:
 * broken handshake, 403: origin, 426: not a WebSocket handshake of version 13. */
err reply_upgrade(struct req *req, const struct ws_kind *kind);

/* --- Frames: any thread --- */

/* WS_TEXT (which must be UTF-8) or WS_BINARY, with one reference, the caller's. */
struct ws_frame *ws_frame_new(enum ws_opcode type, str payload);
struct ws_frame *ws_frame_hold(struct ws_frame *frame);
void ws_frame_release(struct ws_frame *frame); /* NULL is accepted */

/* --- Connections --- */

/* Any thread. ERR_OVERLOADED: more than `pending_max` bytes wait for this client already (0: for
 * values of which only the newest counts); nothing was added, and caught_up will be called.
 * ERR_UNAVAILABLE: it is closed or closing. */
err ws_send(struct ws *ws, struct ws_frame *frame, size_t pending_max);
/* Any thread. Closes behind what waits already. `code`: WS_NORMAL and the like, or 3000 to 4999;
 * `reason`: UTF-8, cut behind 123 bytes. Only the first call counts. */
void ws_close(struct ws *ws, int code, str reason);

/* Whoever keeps a connection beyond `closed`, or uses it on another thread, holds it. Any thread. */
struct ws *ws_hold(struct ws *ws);
void ws_release(struct ws *ws);

/* The kind's own; on the loop only. */
void ws_set_state(struct ws *ws, void *state);
void *ws_state(const struct ws *ws);
/* Whose request it was. */
const struct caller *ws_caller(const struct ws *ws);
str ws_subprotocol(const struct ws *ws); /* absent: none was agreed on */
