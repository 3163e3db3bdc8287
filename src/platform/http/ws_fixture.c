/* platform/http/ws_fixture.c - see ws_fixture.h. */

#include "platform/http/ws_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FIRST_BYTE_FINAL = 0x80, EVENT_TEXT_MAX = 70000, PATIENCE_S = 10 };

struct ws_seen ws_seen = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

/* --- The server's side --- */

static void note(int *what)
{
    pthread_mutex_lock(&ws_seen.mutex);
    (*what)++;
    pthread_cond_broadcast(&ws_seen.changed);
    pthread_mutex_unlock(&ws_seen.mutex);
}

int ws_count(const int *what)
{
    pthread_mutex_lock(&ws_seen.mutex);
    const int count = *what;
    pthread_mutex_unlock(&ws_seen.mutex);
    return count;
}

static void opened(struct ws *ws, struct req *req)
{
    struct ws_frame *hello = ws_frame_new(WS_TEXT, STR("hello"));

    if (str_eq(req->query, STR("hello")))
        CHECK_OK(ws_send(ws, hello, WS_PENDING_MAX));
    ws_frame_release(hello);
    pthread_mutex_lock(&ws_seen.mutex);
    if (ws_seen.newest != NULL)
        ws_release(ws_seen.newest);
    ws_seen.newest = ws_hold(ws);
    pthread_mutex_unlock(&ws_seen.mutex);
    note(&ws_seen.opened);
}

static void say(struct ws *ws, enum ws_opcode type, str text)
{
    struct ws_frame *frame = ws_frame_new(type, text);

    (void)ws_send(ws, frame, WS_PENDING_MAX);
    ws_frame_release(frame);
}

static void received(struct ws *ws, struct call *call, enum ws_opcode type, str message)
{
    if (str_eq(message, STR("close")))
        ws_close(ws, 4000, STR("as you wish"));
    else if (str_eq(message, STR("whoami")))
        say(ws, WS_TEXT,
            arena_printf(call->arena, "%d %.*s", ws_caller(ws)->role, STR_ARG(ws_subprotocol(ws))));
    else
        say(ws, type, message);
}

static void caught_up(struct ws *ws)
{
    (void)ws;
    note(&ws_seen.caught_up);
}

static void closed(struct ws *ws, int code)
{
    (void)ws;
    pthread_mutex_lock(&ws_seen.mutex);
    ws_seen.code = code;
    pthread_mutex_unlock(&ws_seen.mutex);
    note(&ws_seen.closed);
}

static const char *const subprotocols[] = {"boxoffice.v1", NULL};
static const struct ws_kind echo_kind = {
    .message_max = ECHO_MESSAGE_MAX,
    .frames_per_s = ECHO_FRAMES_PER_S,
    .subprotocols = subprotocols,
    .opened = opened,
    .received = received,
    .caught_up = caught_up,
    .closed = closed,
};

static err get_ws(struct req *req)
{
    return reply_upgrade(req, &echo_kind);
}

static err authenticate(struct req *req)
{
    if (!str_eq(req->authorization, STR("good")))
        return ERR_UNAUTHENTICATED;
    req->call.caller.role = ROLE_CUSTOMER;
    return ERR_OK;
}

static const struct route routes[] = {
    {METHOD_GET, "/ws",        get_ws, AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP  },
    {METHOD_GET, "/ws/secret", get_ws, AUTH_USER, NO_BODY, UNKEYED, ON_WORKER},
};

void ws_fixture_open(struct fixture *fixture, const struct tuning *tuning)
{
    const struct fixture_options options = {.authenticate = authenticate, .tuning = tuning};

    fixture_open(fixture, routes, sizeof(routes) / sizeof(routes[0]), &options);
}

void ws_fixture_close(struct fixture *fixture)
{
    fixture_close(fixture);
    if (ws_seen.newest != NULL) /* it may outlive its server */
        ws_release(ws_seen.newest);
    ws_seen.newest = NULL;
    ws_seen.opened = ws_seen.closed = ws_seen.caught_up = ws_seen.code = 0;
}

void ws_wait(const int *what, int count)
{
    pthread_mutex_lock(&ws_seen.mutex);
    while (*what < count)
        pthread_cond_wait(&ws_seen.changed, &ws_seen.mutex);
    pthread_mutex_unlock(&ws_seen.mutex);
}

/* --- The client's side --- */

struct ws_peer *peer_open(struct fixture *fixture)
{
    struct ws_peer *peer = arena_new(fixture->arena, struct ws_peer);

    peer->reader = ws_reader_new(WS_CLIENT, sizeof(peer->input) - WS_HEAD_SIZE_MAX);
    peer->fd = client_open(fixture);
    client_send(peer->fd, STR("GET /ws HTTP/1.1\r\nHost: test\r\n" WS_HANDSHAKE "\r\n"));
    CHECK_I64(101, client_read(fixture, peer->fd, "GET").status);
    return peer;
}

void peer_close(struct ws_peer *peer)
{
    ws_reader_done(&peer->reader);
    close(peer->fd);
}

void peer_frame(const struct ws_peer *peer, int first, str payload)
{
    static const uint8_t mask[WS_MASK_SIZE] = {0xa1, 0x02, 0x5f, 0x00};
    struct buf bytes = buf_on_heap(payload.size + WS_HEAD_SIZE_MAX);
    char head[WS_HEAD_SIZE_MAX];

    const size_t size = ws_head_write(head, WS_TEXT, payload.size, mask);
    head[0] = (char)first;
    buf_add(&bytes, (str){head, size});
    buf_add(&bytes, payload);
    ws_mask(bytes.data + size, payload.size, mask);
    client_send(peer->fd, buf_str(&bytes));
    buf_done(&bytes);
}

static str event_text(struct arena *arena, const struct ws_event *event)
{
    static const char *const names[] = {
        [WS_TEXT] = "text", [WS_BINARY] = "binary", [WS_PING] = "ping", [WS_PONG] = "pong"};

    if (event->type == WS_CLOSE)
        return arena_printf(arena, "close(%d)", event->code);
    return arena_printf(arena, "%s(%.*s)", names[event->type], STR_ARG(event->payload));
}

str peer_read(struct fixture *fixture, struct ws_peer *peer)
{
    for (;;) {
        struct ws_event event;
        size_t taken = 0;
        const enum ws_read read = ws_read(&peer->reader, peer->input, peer->size, &taken, &event);
        str text = STR_ABSENT;

        CHECK(read != WS_READ_FAILED);
        if (read == WS_READ_EVENT)
            text = event_text(fixture->arena, &event);
        memmove(peer->input, peer->input + taken, peer->size - taken);
        peer->size -= taken;
        if (read == WS_READ_EVENT)
            return text;
        const ssize_t got =
            recv(peer->fd, peer->input + peer->size, sizeof(peer->input) - peer->size, 0);
        if (got < 0)
            print_error("recv: %s\n", strerrordesc_np(errno));
        CHECK(got >= 0);
        if (got == 0)
            return STR("end");
        peer->size += (size_t)got;
    }
}
