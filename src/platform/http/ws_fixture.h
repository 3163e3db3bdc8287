/* platform/http/ws_fixture.h - for tests: a WebSocket route that can be led from outside, and a client
 * that sends exactly the frames that it is told. */
#pragma once

#include "platform/http/http_fixture.h"
#include "platform/http/ws.h"
#include "platform/ws/reader.h"

#define WS_HANDSHAKE                                                                         \
    "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

enum { ECHO_MESSAGE_MAX = 1000, ECHO_FRAMES_PER_S = 50, ECHO_BURST = 200 };

/* What the server side has seen; under the mutex. */
struct ws_seen {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct ws *newest; /* held */
    int opened;
    int closed;
    int caught_up;
    int code;
};
extern struct ws_seen ws_seen;

/* GET /ws echoes, but closes on "close", and says role and subprotocol on "whoami"; with ?hello it
 * begins to speak. GET /ws/secret wants a user. */
void ws_fixture_open(struct fixture *fixture, const struct tuning *tuning);
void ws_fixture_close(struct fixture *fixture); /* for CLEANUP */
int ws_count(const int *what);
/* Waits until `*what` is `count`. */
void ws_wait(const int *what, int count);

struct ws_peer {
    int fd;
    struct ws_reader reader;
    char input[1 << 16];
    size_t size;
};

/* Connects and upgrades. */
struct ws_peer *peer_open(struct fixture *fixture);
void peer_close(struct ws_peer *peer);
/* A masked frame as the bytes say: first byte (FIN, RSV, opcode), payload. */
void peer_frame(const struct ws_peer *peer, int first, str payload);
/* The next event, as "text(...)", "ping(...)", "close(CODE)"; "end" where the stream ends. */
str peer_read(struct fixture *fixture, struct ws_peer *peer);
