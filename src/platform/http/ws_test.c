/* platform/http/ws_test.c - WebSocket connections over a real socket: the handshake, messages, limits,
 * slow and silent clients, and how they end. */

#include "platform/http/ws_fixture.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/ws/client.h"
#include "support/tool.h"

enum { TEXT = 0x81, BINARY = 0x82, CLOSE = 0x88, PING = 0x89, PONG = 0x8a, LARGE_SIZE = 60000 };

static int64_t gauge(const struct fixture *fixture)
{
    return fixture_metric(fixture, "boxoffice_ws_connections");
}

/* --- The handshake --- */

TEST(a_handshake_is_answered_as_in_the_rfc)
{
    CLEANUP(ws_fixture_close) struct fixture fixture;

    ws_fixture_open(&fixture, NULL);
    const int fd = client_open(&fixture);
    client_send(fd, STR("GET /ws?hello HTTP/1.1\r\nHost: test\r\n" WS_HANDSHAKE
                        "Sec-WebSocket-Protocol: other, boxoffice.v1\r\n\r\n"));
    const struct answer answer = client_read(&fixture, fd, "GET");
    CHECK_I64(101, answer.status);
    CHECK_STR("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", answer_header(&answer, "sec-websocket-accept"));
    CHECK_STR("websocket", answer_header(&answer, "upgrade"));
    CHECK_STR("upgrade", answer_header(&answer, "connection"));
    CHECK_STR("boxoffice.v1", answer_header(&answer, "sec-websocket-protocol"));
    CHECK(answer_header(&answer, "sec-websocket-extensions").ptr == NULL);
    CHECK(answer_header(&answer, "content-length").ptr == NULL);
    CHECK(answer_header(&answer, "x-request-id").size > 0);
    char hello[7];
    CHECK(recv(fd, hello, sizeof(hello), MSG_WAITALL) == sizeof(hello));
    CHECK(memcmp(hello, "\x81\x05hello", sizeof(hello)) == 0);
    close(fd);
    ws_wait(&ws_seen.closed, 1);
    CHECK_I64(WS_ABNORMAL, ws_seen.code);
}

TEST(what_is_no_handshake_is_refused)
{
    static const struct {
        const char *request;
        const char *headers;
        err expected;
    } cases[] = {
        {"GET",  "",                                                             ERR_UPGRADE_REQUIRED},
        {"HEAD", WS_HANDSHAKE,                                                   ERR_UPGRADE_REQUIRED},
        {"GET",
         "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",                      ERR_UPGRADE_REQUIRED},
        {"GET",
         "Upgrade: h2c\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\n",                                        ERR_UPGRADE_REQUIRED},
        {"GET",
         "Upgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",                      ERR_UPGRADE_REQUIRED},
        {"GET",
         "Upgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 8\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",                      ERR_UPGRADE_REQUIRED},
        {"GET",
         "Upgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\n",                                        ERR_MALFORMED       },
        {"GET",  WS_HANDSHAKE "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ERR_MALFORMED       },
        {"GET",  WS_HANDSHAKE "Content-Length: 1\r\n\r\nx",                      ERR_MALFORMED       },
        {"GET",  WS_HANDSHAKE "Origin: https://evil.example\r\n",                ERR_FORBIDDEN       },
        {"GET",  WS_HANDSHAKE "Origin: https://test.evil\r\n",                   ERR_FORBIDDEN       },
        {"GET",  WS_HANDSHAKE "Origin: null\r\n",                                ERR_FORBIDDEN       },
        {"GET",  WS_HANDSHAKE "Origin: \r\n",                                    ERR_FORBIDDEN       },
    };
    CLEANUP(ws_fixture_close) struct fixture fixture;

    ws_fixture_open(&fixture, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct answer answer =
            client_ask(&fixture, cases[i].request, "/ws", cases[i].headers, NULL);
        if (answer.status != err_status(cases[i].expected))
            print_error("%zu: %s", i, cases[i].headers);
        CHECK_I64(err_status(cases[i].expected), answer.status);
        if (cases[i].expected == ERR_UPGRADE_REQUIRED)
            CHECK_STR("13", answer_header(&answer, "sec-websocket-version"));
    }
    const int fd = client_open(&fixture);
    client_send(fd, STR("GET /ws HTTP/1.0\r\nHost: test\r\n" WS_HANDSHAKE "\r\n"));
    CHECK_I64(426, client_read(&fixture, fd, "GET").status);
    close(fd);
    CHECK_I64(0, ws_seen.opened);
    CHECK_I64(
        101,
        client_ask(&fixture, "GET", "/ws", WS_HANDSHAKE "Origin: https://TEST\r\n", NULL).status);
}

TEST(who_may_not_is_refused_before_the_handshake)
{
    CLEANUP(ws_fixture_close) struct fixture fixture;

    ws_fixture_open(&fixture, NULL);
    CHECK_I64(401, client_ask(&fixture, "GET", "/ws/secret", WS_HANDSHAKE, NULL).status);
    const int fd = client_open(&fixture);
    client_send(
        fd,
        STR("GET /ws/secret HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer good\r\n" WS_HANDSHAKE
            "\r\n\x81\x86\0\0\0\0whoami")); /* without waiting for the answer */
    CHECK_I64(101, client_read(&fixture, fd, "GET").status);
    char told[4];
    CHECK(recv(fd, told, sizeof(told), MSG_WAITALL) == sizeof(told));
    CHECK(memcmp(told,
                 "\x81\x02"
                 "1 ",
                 sizeof(told)) == 0);
    close(fd);
}

/* --- Messages --- */

TEST(messages_come_back_whole_wherever_they_are_cut)
{
    static const str bytes = STR("\x81\x82\1\2\3\4"
                                 "ik"
                                 "\x01\x81\0\0\0\0"
                                 "a\x89\x81\0\0\0\0"
                                 "p\x80\x81\0\0\0\0"
                                 "b"
                                 "\x82\x80\0\0\0\0");
    CLEANUP(ws_fixture_close) struct fixture fixture;

    ws_fixture_open(&fixture, NULL);
    const int other = client_open(&fixture);
    for (size_t cut = 1; cut < bytes.size; cut++) {
        struct ws_peer *peer = peer_open(&fixture);
        client_send(peer->fd, str_slice(bytes, 0, cut));
        client_settle(&fixture, other);
        client_send(peer->fd, str_slice(bytes, cut, bytes.size));
        CHECK_STR("text(hi)", peer_read(&fixture, peer));
        CHECK_STR("pong(p)", peer_read(&fixture, peer));
        CHECK_STR("text(ab)", peer_read(&fixture, peer));
        CHECK_STR("binary()", peer_read(&fixture, peer));
        peer_close(peer);
    }
    close(other);
    ws_wait(&ws_seen.closed, (int)bytes.size - 1);
    CHECK_I64(0, gauge(&fixture));
}

TEST(a_breach_is_answered_with_its_code_and_nothing_behind_it_is_read)
{
    static const struct {
        const char *expected;
        int first;
        str payload;
    } cases[] = {
        {"close(1002)", 0xc1,  STR("x")       },
        {"close(1002)", 0x83,  STR("")        },
        {"close(1002)", 0x09,  STR("")        },
        {"close(1002)", 0x80,  STR("")        },
        {"close(1007)", TEXT,  STR("\xff")    },
        {"close(1002)", CLOSE, STR("\x03")    },
        {"close(1002)", CLOSE, STR("\x03\xee")},
    };
    CLEANUP(ws_fixture_close) struct fixture fixture;

    ws_fixture_open(&fixture, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ws_peer *peer = peer_open(&fixture);
        peer_frame(peer, cases[i].first, cases[i].payload);
        peer_frame(peer, TEXT, STR("more"));
        CHECK_STR(cases[i].expected, peer_read(&fixture, peer));
        CHECK_STR("end", peer_read(&fixture, peer));
        peer_close(peer);
        ws_wait(&ws_seen.closed, (int)i + 1);
    }
    struct ws_peer *peer = peer_open(&fixture);
    client_send(peer->fd, STR("\x81\x01x")); /* without a mask */
    CHECK_STR("close(1002)", peer_read(&fixture, peer));
    peer_close(peer);
    CHECK_I64(8, fixture_metric(&fixture, "boxoffice_ws_refused_total"));
}

TEST(a_message_has_a_bound_and_so_has_their_rate)
{
    CLEANUP(ws_fixture_close) struct fixture fixture;
    char large[ECHO_MESSAGE_MAX + 1];

    ws_fixture_open(&fixture, NULL);
    memset(large, 'x', sizeof(large));
    struct ws_peer *peer = peer_open(&fixture);
    peer_frame(peer, BINARY, (str){large, ECHO_MESSAGE_MAX});
    CHECK_I64(ECHO_MESSAGE_MAX + 8, (int64_t)peer_read(&fixture, peer).size);
    peer_frame(peer, BINARY, (str){large, sizeof(large)});
    CHECK_STR("close(1009)", peer_read(&fixture, peer));
    peer_close(peer);

    peer = peer_open(&fixture);
    for (int i = 0; i < ECHO_BURST; i++) {
        peer_frame(peer, PONG, STR(""));
        peer_frame(peer, 0x01, STR("")); /* fragments and pongs count like messages */
        peer_frame(peer, 0x80, STR(""));
    }
    for (int i = 0; i < ECHO_BURST / 3; i++)
        CHECK_STR("text()", peer_read(&fixture, peer));
    CHECK_STR("close(1008)", peer_read(&fixture, peer));
    peer_close(peer);

    /* What is used up comes back with time. */
    peer = peer_open(&fixture);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < ECHO_FRAMES_PER_S; i++)
            peer_frame(peer, TEXT, STR("x"));
        for (int i = 0; i < ECHO_FRAMES_PER_S; i++)
            CHECK_STR("text(x)", peer_read(&fixture, peer));
        clock_manual_advance(&fixture.clock, 1000);
    }
    peer_close(peer);
}

TEST(another_implementation_understands_us)
{
    CLEANUP(ws_fixture_close) struct fixture fixture;

    ws_fixture_open(&fixture, NULL);
    CHECK_STR("the same\n",
              tool_output(fixture.arena, "/usr/bin/python3 " SUPPORT_DIR "/ws_client.py %d 2>&1",
                          http_port(fixture.server)));
}

TEST(our_client_talks_to_our_server)
{
    CLEANUP(ws_fixture_close) struct fixture fixture;
    struct ws_failure failure;
    struct ws_client *client;
    struct ws_event event;

    ws_fixture_open(&fixture, NULL);
    const struct ws_client_options options = {
        .url =
            arena_printf(fixture.arena, "ws://127.0.0.1:%d/ws/secret", http_port(fixture.server)),
        .bearer = STR("good"),
        .subprotocol = STR("boxoffice.v1"),
        .message_max = ECHO_MESSAGE_MAX,
        .clock = clock_system(),
        .rng = &fixture.rng.rng,
    };
    CHECK_OK(ws_client_open(&options, &client, &failure));
    CHECK_OK(ws_client_send(client, WS_TEXT, STR("whoami")));
    CHECK_OK(ws_client_receive(client, CLOCK_NEVER_MS, &event));
    CHECK_STR("1 boxoffice.v1", event.payload);
    CHECK_OK(ws_client_ping(client, STR("1")));
    CHECK_OK(ws_client_receive(client, CLOCK_NEVER_MS, &event));
    CHECK_I64(WS_PONG, event.type);
    ws_client_close(client, 4003, STR("enough"));
    ws_wait(&ws_seen.closed, 1);
    CHECK_I64(4003, ws_seen.code);
}

/* --- Closing --- */

TEST(either_side_closes_and_both_know_why)
{
    CLEANUP(ws_fixture_close) struct fixture fixture;

    ws_fixture_open(&fixture, NULL);
    struct ws_peer *peer = peer_open(&fixture);
    peer_frame(peer, CLOSE,
               STR("\x0f\xa1"
                   "done"));
    CHECK_STR("close(4001)", peer_read(&fixture, peer));
    CHECK_STR("end", peer_read(&fixture, peer));
    peer_close(peer);
    ws_wait(&ws_seen.closed, 1);
    CHECK_I64(4001, ws_seen.code);

    peer = peer_open(&fixture);
    peer_frame(peer, CLOSE, STR(""));
    CHECK_STR("close(1005)", peer_read(&fixture, peer));
    peer_close(peer);
    ws_wait(&ws_seen.closed, 2);
    CHECK_I64(WS_NO_CODE, ws_seen.code);

    peer = peer_open(&fixture);
    peer_frame(peer, TEXT, STR("close"));
    CHECK_STR("close(4000)", peer_read(&fixture, peer));
    peer_frame(peer, TEXT, STR("late")); /* nobody answers that */
    peer_frame(peer, CLOSE, STR("\x0f\xa0"));
    CHECK_STR("end", peer_read(&fixture, peer));
    peer_close(peer);
    ws_wait(&ws_seen.closed, 3);
    CHECK_I64(4000, ws_seen.code);
}

static const struct tuning hasty = {
    .idle_ms = 60000, .receive_ms = 10000, .send_ms = 100, .linger_ms = 100, .tick_ms = 5};

TEST(who_does_not_close_in_turn_is_cut)
{
    CLEANUP(ws_fixture_close) struct fixture fixture;

    ws_fixture_open(&fixture, &hasty);
    struct ws_peer *peer = peer_open(&fixture);
    peer_frame(peer, TEXT, STR("close"));
    CHECK_STR("close(4000)", peer_read(&fixture, peer));
    CHECK_STR("end", peer_read(&fixture, peer));
    ws_wait(&ws_seen.closed, 1);
    CHECK_I64(4000, ws_seen.code);
    peer_close(peer);
}

TEST(a_server_that_stops_says_goodbye)
{
    CLEANUP(ws_fixture_close) struct fixture fixture;

    ws_fixture_open(&fixture, &hasty);
    struct ws_peer *peer = peer_open(&fixture);
    http_close(fixture.server, 10000);
    fixture.server = NULL;
    CHECK_I64(1, ws_seen.closed);
    CHECK_I64(WS_GOING_AWAY, ws_seen.code);
    CHECK_STR("close(1001)", peer_read(&fixture, peer));
    CHECK_STR("end", peer_read(&fixture, peer));
    peer_close(peer);

    /* Whoever still holds it gets an answer, and no harm is done. */
    struct ws_frame *frame = ws_frame_new(WS_TEXT, STR("late"));
    CHECK_ERR(ERR_UNAVAILABLE, ws_send(ws_seen.newest, frame, WS_PENDING_MAX));
    ws_close(ws_seen.newest, WS_NORMAL, STR(""));
    ws_frame_release(frame);
}

TEST(a_server_in_a_hurry_cuts_without_a_word)
{
    CLEANUP(ws_fixture_close) struct fixture fixture;

    ws_fixture_open(&fixture, NULL);
    struct ws_peer *peer = peer_open(&fixture);
    http_close(fixture.server, 0);
    fixture.server = NULL;
    CHECK_I64(1, ws_seen.closed);
    peer_close(peer);
}

/* --- Silence --- */

TEST(a_silent_client_is_asked_once_and_then_given_up)
{
    CLEANUP(ws_fixture_close) struct fixture fixture;

    ws_fixture_open(&fixture, &hasty);
    struct ws_peer *peer = peer_open(&fixture);
    clock_manual_advance(&fixture.clock, WS_PING_AFTER_MS);
    CHECK_STR("ping()", peer_read(&fixture, peer));
    peer_frame(peer, PONG, STR(""));
    peer_frame(peer, TEXT, STR("x"));
    CHECK_STR("text(x)", peer_read(&fixture, peer)); /* so the pong was heard */
    clock_manual_advance(&fixture.clock, WS_PING_AFTER_MS);
    CHECK_STR("ping()", peer_read(&fixture, peer));
    clock_manual_advance(&fixture.clock, WS_DEAD_AFTER_MS - WS_PING_AFTER_MS - 1);
    CHECK_I64(1, gauge(&fixture));
    clock_manual_advance(&fixture.clock, 1);
    CHECK_STR("end", peer_read(&fixture, peer));
    ws_wait(&ws_seen.closed, 1);
    CHECK_I64(WS_ABNORMAL, ws_seen.code);
    peer_close(peer);
}

/* --- Behind --- */

static str large_payload(struct fixture *fixture)
{
    char *text = arena_alloc(fixture->arena, LARGE_SIZE);

    memset(text, 'x', LARGE_SIZE);
    return (str){text, LARGE_SIZE};
}

/* Sends until the kernel takes no more: what waits still does after the loop had its turn. Gives the
 * number of frames that are on their way. */
static int fill(struct fixture *fixture, int settled_fd)
{
    struct ws_frame *frame = ws_frame_new(WS_BINARY, large_payload(fixture));
    int count = 0;
    err e = ERR_OK;

    while (e == ERR_OK) {
        while (ws_send(ws_seen.newest, frame, WS_PENDING_MAX) == ERR_OK)
            count++;
        client_settle(fixture, settled_fd);
        if ((e = ws_send(ws_seen.newest, frame, 0)) == ERR_OK)
            count++;
    }
    CHECK_ERR(ERR_OVERLOADED, e);
    ws_frame_release(frame);
    return count;
}

TEST(who_reads_slowly_is_behind_and_then_catches_up)
{
    CLEANUP(ws_fixture_close) struct fixture fixture;
    struct ws_frame *frame = ws_frame_new(WS_TEXT, STR("newest"));

    ws_fixture_open(&fixture, NULL);
    const int other = client_open(&fixture);
    struct ws_peer *peer = peer_open(&fixture);
    const int count = fill(&fixture, other);
    CHECK_ERR(ERR_OVERLOADED, ws_send(ws_seen.newest, frame, 0));
    const int before = ws_count(&ws_seen.caught_up);
    CHECK(fixture_metric(&fixture, "boxoffice_ws_behind_total") > 0);
    for (int i = 0; i < count; i++)
        CHECK(str_starts(peer_read(&fixture, peer), STR("binary(")));
    ws_wait(&ws_seen.caught_up, before + 1);
    CHECK_OK(ws_send(ws_seen.newest, frame, 0)); /* from a thread that is not the loop's */
    CHECK_STR("text(newest)", peer_read(&fixture, peer));
    ws_frame_release(frame);
    peer_close(peer);
    close(other);
}

TEST(who_does_not_read_at_all_is_cut)
{
    CLEANUP(ws_fixture_close) struct fixture fixture;

    ws_fixture_open(&fixture, &hasty);
    const int other = client_open(&fixture);
    struct ws_peer *peer = peer_open(&fixture);
    (void)fill(&fixture, other);
    ws_wait(&ws_seen.closed, 1);
    CHECK_I64(WS_ABNORMAL, ws_seen.code);
    peer_close(peer);
    close(other);
}

/* --- Many threads --- */

enum { SENDERS = 4, SENDS = 300 };

static void *send_many(void *arg)
{
    struct ws_frame *frame = arg;

    for (int i = 0; i < SENDS; i++)
        CHECK_OK(ws_send(ws_seen.newest, frame, WS_PENDING_MAX));
    return NULL;
}

TEST(one_frame_goes_out_from_many_threads)
{
    CLEANUP(ws_fixture_close) struct fixture fixture;
    struct ws_frame *frame = ws_frame_new(WS_TEXT, STR("x"));
    pthread_t threads[SENDERS];

    ws_fixture_open(&fixture, NULL);
    struct ws_peer *peer = peer_open(&fixture);
    for (int i = 0; i < SENDERS; i++)
        CHECK(pthread_create(&threads[i], NULL, send_many, frame) == 0);
    for (int i = 0; i < SENDERS * SENDS; i++)
        CHECK_STR("text(x)", peer_read(&fixture, peer));
    for (int i = 0; i < SENDERS; i++)
        pthread_join(threads[i], NULL);
    ws_frame_release(frame);
    peer_close(peer);
}
