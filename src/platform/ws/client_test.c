/* platform/ws/client_test.c - the client against another implementation's server, and against one that
 * sends exactly what a test wants. */

#include "platform/ws/client.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "platform/ws/handshake.h"
#include "support/test.h"

enum { MESSAGE_MAX = 100000, PORT_NONE = 1 };

static struct rng_seeded rng;
static struct clock_manual manual;

static struct ws_client_options options_of(struct arena *arena, int port)
{
    static const struct ws_header headers[] = {
        {STR("X-Node"), STR("n1")}
    };

    rng_seeded_init(&rng, 7);
    clock_manual_init(&manual, 1000000);
    return (struct ws_client_options){
        .url = arena_printf(arena, "ws://127.0.0.1:%d/feed?after=7", port),
        .bearer = STR("secret"),
        .subprotocol = STR("feed.v1"),
        .headers = headers,
        .header_count = 1,
        .message_max = MESSAGE_MAX,
        .clock = clock_system(),
        .rng = &rng.rng,
    };
}

static void check_next(struct ws_client *client, enum ws_opcode type, str expected)
{
    struct ws_event event;

    CHECK_OK(ws_client_receive(client, CLOCK_NEVER_MS, &event));
    CHECK_I64(type, event.type);
    CHECK(str_eq(expected, event.payload));
}

/* --- Another implementation --- */

static void check_echoes(struct ws_client *client, struct arena *arena)
{
    static const size_t sizes[] = {0, 1, 125, 126, 65535, 65536, MESSAGE_MAX};
    char *text = arena_alloc(arena, MESSAGE_MAX);

    memset(text, 'x', MESSAGE_MAX);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        CHECK_OK(ws_client_send(client, WS_TEXT, (str){text, sizes[i]}));
        CHECK_OK(ws_client_send(client, WS_BINARY, (str){text, sizes[i]}));
        check_next(client, WS_TEXT, (str){text, sizes[i]});
        check_next(client, WS_BINARY, (str){text, sizes[i]});
    }
}

TEST(another_implementation_understands_us)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct ws_failure failure;
    struct ws_client *client;
    struct ws_event event;
    int port = 0;

    FILE *server =
        popen("/usr/bin/python3 " SUPPORT_DIR "/ws_server.py", "r"); /* NOLINT(cert-env33-c) */
    CHECK(server != NULL && fscanf(server, "%d", &port) == 1); /* NOLINT(cert-err34-c): checked */
    struct ws_client_options options = options_of(arena, port);

    CHECK_OK(ws_client_open(&options, &client, &failure));
    check_echoes(client, arena);
    CHECK_OK(ws_client_ping(client, STR("there?")));
    check_next(client, WS_PONG, STR("there?"));
    CHECK_OK(ws_client_send(client, WS_TEXT, STR("fragments")));
    check_next(client, WS_TEXT, STR("fragmented"));
    CHECK_OK(ws_client_send(client, WS_TEXT, STR("ping")));
    check_next(client, WS_TEXT, STR("got it"));
    CHECK_OK(ws_client_send(client, WS_TEXT, STR("close")));
    CHECK_ERR(ERR_UNAVAILABLE, ws_client_receive(client, CLOCK_NEVER_MS, &event));
    CHECK_I64(4002, ws_client_failure(client)->code);
    CHECK_STR("closed by the server: 4002 as you wish", str_of(ws_client_failure(client)->why));
    CHECK_ERR(ERR_UNAVAILABLE, ws_client_send(client, WS_TEXT, STR("late")));
    ws_client_close(client, WS_NORMAL, STR(""));

    options.bearer = STR("wrong");
    CHECK_ERR(ERR_UNAVAILABLE, ws_client_open(&options, &client, &failure));
    CHECK_I64(503, failure.status);
    CHECK_I64(7, failure.retry_after_s);
    CHECK_STR("HTTP 503", str_of(failure.why));

    options.bearer = STR("secret"); /* and again, from where it was */
    CHECK_OK(ws_client_open(&options, &client, &failure));
    ws_client_close(client, WS_NORMAL, STR("done"));
    CHECK_OK(ws_client_open(&options, &client, &failure));
    CHECK_OK(ws_client_send(client, WS_TEXT, STR("quit")));
    CHECK_ERR(ERR_UNAVAILABLE, ws_client_receive(client, CLOCK_NEVER_MS, &event));
    CHECK_I64(WS_GOING_AWAY, ws_client_failure(client)->code);
    ws_client_close(client, WS_NORMAL, STR(""));
    CHECK(pclose(server) == 0);
}

/* --- A server that sends what it is told --- */

#define ACCEPT "(accept)"

struct puppet {
    int listener;
    int port;
    const char *answer; /* ACCEPT stands for the right Sec-WebSocket-Accept */
    str frames;
    pthread_t thread;
    char heard[4096]; /* behind the request */
    size_t heard_size;
};

#define SWITCH                                                                          \
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\n" \
    "Sec-WebSocket-Protocol: feed.v1\r\nSec-WebSocket-Accept: " ACCEPT "\r\n"

static void answer_one(struct puppet *puppet, int fd)
{
    char request[4096] = {0};
    char text[1024];
    size_t size = 0;

    while (strstr(request, "\r\n\r\n") == NULL) {
        const ssize_t got = recv(fd, request + size, sizeof(request) - 1 - size, 0);
        if (got <= 0)
            return;
        size += (size_t)got;
    }
    static const char key_name[] = "Sec-WebSocket-Key: ";
    const char *key = strstr(request, key_name) + strlen(key_name);
    const struct ws_accept accept = ws_accept_of((str){key, WS_KEY_SIZE});
    const char *mark = strstr(puppet->answer, ACCEPT);
    const size_t before = mark != NULL ? (size_t)(mark - puppet->answer) : strlen(puppet->answer);
    const int answer_size =
        snprintf(text, sizeof(text), "%.*s%s%s", (int)before, puppet->answer,
                 mark != NULL ? accept.text : "", mark != NULL ? mark + strlen(ACCEPT) : "");
    (void)send(fd, text, (size_t)answer_size, MSG_NOSIGNAL);
    (void)send(fd, puppet->frames.ptr, puppet->frames.size, MSG_NOSIGNAL);
}

static void *run_puppet(void *arg)
{
    struct puppet *puppet = arg;
    const int fd = accept(puppet->listener, NULL, NULL);
    ssize_t got;

    answer_one(puppet, fd);
    while ((got = recv(fd, puppet->heard + puppet->heard_size,
                       sizeof(puppet->heard) - puppet->heard_size, 0)) > 0)
        puppet->heard_size += (size_t)got;
    close(fd);
    return NULL;
}

static void puppet_open(struct puppet *puppet, const char *answer, str frames)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);

    *puppet = (struct puppet){.answer = answer, .frames = frames};
    puppet->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(puppet->listener, (struct sockaddr *)&address, size) == 0);
    CHECK(listen(puppet->listener, 1) == 0);
    CHECK(getsockname(puppet->listener, (struct sockaddr *)&address, &size) == 0);
    puppet->port = ntohs(address.sin_port);
    CHECK(pthread_create(&puppet->thread, NULL, run_puppet, puppet) == 0);
}

static void puppet_close(struct puppet *puppet)
{
    pthread_join(puppet->thread, NULL);
    close(puppet->listener);
}

TEST(what_is_no_handshake_is_no_connection)
{
    static const struct {
        const char *answer;
        int status;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",                                         200},
        {"HTTP/1.1 401 Unauthorized\r\n\r\n",                                                    401},
        {"HTTP/1.0 101 Switching Protocols\r\n\r\n",                                             0  },
        {"HTTP/1.1 1010 Switching Protocols\r\n\r\n",                                            0  },
        {"SSH-2.0-OpenSSH_9.2\r\n\r\n",                                                          0  },
        {"HTTP/1.1 101 Switching Protocols\r\n\r\n",                                             0  },
        {SWITCH "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",                          0  },
        {SWITCH "Sec-WebSocket-Protocol: feed.v1\r\n\r\n",                                       0  },
        {SWITCH " folded\r\n\r\n",                                                               0  },
        {SWITCH "no colon\r\n\r\n",                                                              0  },
        {SWITCH "bare: LF\n\r\n\r\n",                                                            0  },
        {"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
         "Sec-WebSocket-Protocol: feed.v1\r\n"
         "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",                  0  },
        {"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
         "Sec-WebSocket-Protocol: feed.v2\r\nSec-WebSocket-Accept: " ACCEPT "\r\n\r\n",
         0                                                                                          },
        {"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
         "Sec-WebSocket-Accept: " ACCEPT "\r\n\r\n",
         0                                                                                          },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
        struct ws_failure failure;
        struct ws_client *client;
        struct puppet puppet;

        puppet_open(&puppet, cases[i].answer, STR(""));
        const struct ws_client_options options = options_of(arena, puppet.port);
        CHECK_ERR(ERR_UNAVAILABLE, ws_client_open(&options, &client, &failure));
        CHECK_I64(cases[i].status, failure.status);
        CHECK(failure.why[0] != '\0');
        puppet_close(&puppet);
    }
}

/* Frames that come in one piece with the answer. */
TEST(a_server_that_breaks_the_protocol_is_left_with_a_code)
{
    static const struct {
        str frames;
        int code;
    } cases[] = {
        {STR("\x81\x81\0\0\0\0x"),            WS_PROTOCOL_ERROR}, /* masked */
        {STR("\xc1\x01x"),                    WS_PROTOCOL_ERROR},
        {STR("\x81\x01\xff"),                 WS_NOT_UTF8      },
        {STR("\x82\x7f\0\0\0\0\0\1\x86\xa1"), WS_TOO_BIG       },
        {STR("\x8a\x00\x88\x02\x0f\xa1"),     4001             },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
        struct ws_failure failure;
        struct ws_client *client;
        struct ws_event event;
        struct puppet puppet;

        puppet_open(&puppet, SWITCH "\r\n", cases[i].frames);
        const struct ws_client_options options = options_of(arena, puppet.port);
        CHECK_OK(ws_client_open(&options, &client, &failure));
        CHECK_ERR(ERR_UNAVAILABLE, ws_client_receive(client, CLOCK_NEVER_MS, &event));
        CHECK_I64(cases[i].code, ws_client_failure(client)->code);
        ws_client_close(client, WS_NORMAL, STR(""));
        puppet_close(&puppet);

        /* It was told, in a masked frame. */
        struct ws_reader reader = ws_reader_new(WS_SERVER, MESSAGE_MAX);
        size_t taken;
        CHECK_I64(WS_READ_EVENT, ws_read(&reader, puppet.heard, puppet.heard_size, &taken, &event));
        CHECK_I64(WS_CLOSE, event.type);
        CHECK_I64(cases[i].code, event.code);
        ws_reader_done(&reader);
    }
}

TEST(who_cannot_be_reached_or_was_not_meant_is_told_apart)
{
    static const str urls[] = {
        STR("http://127.0.0.1/"),
        STR("wss://127.0.0.1/"),
        STR("ws://"),
        STR("ws:///x"),
        STR("ws://a:0/"),
        STR("ws://a:65536/"),
        STR("ws://a:x/"),
        STR("ws://u@127.0.0.1/"),
        STR("ws://127.0.0.1/ x"),
        STR("ws://127.0.0.1/\r\nX: y"),
        STR("ws://127.0.0.1/#x"),
        STR(""),
    };
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct ws_client_options options = options_of(arena, PORT_NONE);
    struct ws_failure failure;
    struct ws_client *client;

    CHECK_ERR(ERR_UNAVAILABLE, ws_client_open(&options, &client, &failure));
    CHECK_STR("127.0.0.1:1: Connection refused", str_of(failure.why));
    options.url = STR("ws://[::1]:1/");
    CHECK_ERR(ERR_UNAVAILABLE, ws_client_open(&options, &client, &failure));
    CHECK(str_starts(str_of(failure.why), STR("::1:1: ")));
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        options.url = urls[i];
        CHECK_ERR(ERR_INVALID, ws_client_open(&options, &client, &failure));
    }
    options = options_of(arena, PORT_NONE);
    options.bearer = STR("a\r\nX: y");
    CHECK_ERR(ERR_INVALID, ws_client_open(&options, &client, &failure));
}

/* --- The clock --- */

static void *advance(void *arg)
{
    clock_manual_advance(&manual, *(const int64_t *)arg);
    return NULL;
}

TEST(silence_is_broken_with_a_ping_and_ends_the_connection)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct ws_failure failure;
    struct ws_client *client;
    struct ws_event event;
    struct puppet puppet;

    puppet_open(&puppet, SWITCH "\r\n", STR(""));
    struct ws_client_options options = options_of(arena, puppet.port);
    options.clock = &manual.clock;
    CHECK_OK(ws_client_open(&options, &client, &failure));
    CHECK_ERR(ERR_NOT_FOUND, ws_client_receive(client, 1000000, &event)); /* it is that late */
    clock_manual_advance(&manual, WS_CLIENT_PING_AFTER_MS);
    CHECK_ERR(ERR_NOT_FOUND, ws_client_receive(client, clock_now_ms(&manual.clock), &event));
    ws_client_wake(client);
    CHECK_ERR(ERR_NOT_FOUND, ws_client_receive(client, CLOCK_NEVER_MS, &event));

    /* While it waits. */
    int64_t rest_ms = WS_CLIENT_DEAD_AFTER_MS - WS_CLIENT_PING_AFTER_MS;
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, advance, &rest_ms) == 0);
    CHECK_ERR(ERR_UNAVAILABLE, ws_client_receive(client, CLOCK_NEVER_MS, &event));
    pthread_join(thread, NULL);
    CHECK_I64(WS_ABNORMAL, ws_client_failure(client)->code);
    CHECK_STR("silent for too long", str_of(ws_client_failure(client)->why));
    ws_client_close(client, WS_NORMAL, STR(""));
    puppet_close(&puppet);
    CHECK(puppet.heard_size == 6 && memcmp(puppet.heard, "\x89\x80", 2) == 0); /* one ping */
}

TEST(a_server_that_never_answers_is_late)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct ws_failure failure;
    struct ws_client *client;
    struct puppet puppet;

    puppet_open(&puppet, "HTTP/1.1 101 ", STR("")); /* and no more */
    struct ws_client_options options = options_of(arena, puppet.port);
    options.open_ms = 50;
    CHECK_ERR(ERR_UNAVAILABLE, ws_client_open(&options, &client, &failure));
    CHECK_STR("no answer in time", str_of(failure.why));
    puppet_close(&puppet);
}

TEST(a_server_that_does_not_close_in_turn_is_left)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct ws_failure failure;
    struct ws_client *client;
    struct puppet puppet;

    puppet_open(&puppet, SWITCH "\r\n", STR("\x81\x01x"));
    struct ws_client_options options = options_of(arena, puppet.port);
    options.close_ms = 50;
    CHECK_OK(ws_client_open(&options, &client, &failure));
    ws_client_close(client, WS_GOING_AWAY, STR("stopping"));
    puppet_close(&puppet);
    CHECK_I64(6 + 2 + 8, (int64_t)puppet.heard_size);
}
