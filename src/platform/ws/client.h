/* platform/ws/client.h - a WebSocket client (RFC 6455) for one thread, which waits in it.
 *
 * Made for feeds between services: whoever follows one has a thread of its own, connects, receives
 * until the connection ends, and connects again from where it was. The client keeps no queue and
 * never reconnects by itself. All deadlines are instants of the given clock. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/rng.h"
#include "platform/ws/reader.h"

enum {
    WS_CLIENT_OPEN_MS = 5000,        /* to connect and shake hands */
    WS_CLIENT_SEND_MS = 10000,       /* for a frame to be taken */
    WS_CLIENT_CLOSE_MS = 2000,       /* for the server to close in turn */
    WS_CLIENT_PING_AFTER_MS = 25000, /* of silence */
    WS_CLIENT_DEAD_AFTER_MS = 60000, /* of silence: the connection has failed */
    WS_CLIENT_WHY_SIZE_MAX = 400,
};

struct ws_client;

struct ws_header {
    str name;
    str value; /* without CR, LF, NUL */
};

struct ws_client_options {
    str url;         /* ws://HOST[:PORT]/PATH[?QUERY]; TLS is a proxy's */
    str bearer;      /* for Authorization; absent: none */
    str subprotocol; /* to be agreed on; absent: none */
    const struct ws_header *headers;
    size_t header_count;
    uint32_t message_max; /* bytes of a message that is received */
    struct clock *clock;
    struct rng *rng;
    /* 0: the standard ones above */
    uint32_t open_ms;
    uint32_t send_ms;
    uint32_t close_ms;
    uint32_t ping_after_ms;
    uint32_t dead_after_ms;
};

/* Why there is no connection, or none any more. */
struct ws_failure {
    int status;                       /* of an HTTP answer other than 101; 0: there was none */
    int retry_after_s;                /* which it named; 0: none */
    int code;                         /* of a close frame, else WS_ABNORMAL */
    char why[WS_CLIENT_WHY_SIZE_MAX]; /* one line for the log */
};

/* Connects and shakes hands. ERR_UNAVAILABLE with *ret_failure: nobody there, too late, refused, or
 * no WebSocket server. ERR_INVALID: the options cannot be meant. */
err ws_client_open(const struct ws_client_options *options, struct ws_client **ret,
                   struct ws_failure *ret_failure);

/* Waits for what comes next: WS_TEXT, WS_BINARY, or the WS_PONG of a ws_client_ping; its payload is
 * valid until the next call. Pings are answered by itself, and silence is broken with one.
 * ERR_NOT_FOUND: nothing came until `until_ms` (CLOCK_NEVER_MS: no end), or ws_client_wake.
 * ERR_UNAVAILABLE: the connection has ended, see ws_client_failure. */
err ws_client_receive(struct ws_client *client, int64_t until_ms, struct ws_event *ret);
/* WS_TEXT (UTF-8) or WS_BINARY. ERR_UNAVAILABLE: the connection has ended. */
err ws_client_send(struct ws_client *client, enum ws_opcode type, str payload);
/* A ping, whose pong ws_client_receive will give; up to 125 bytes. */
err ws_client_ping(struct ws_client *client, str payload);
const struct ws_failure *ws_client_failure(const struct ws_client *client);

/* From any thread, also before: the (next) ws_client_receive returns at once. */
void ws_client_wake(struct ws_client *client);
/* Says goodbye if it is still open, waits for the answer for a moment, frees it. */
void ws_client_close(struct ws_client *client, int code, str reason);
