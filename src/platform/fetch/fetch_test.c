/* platform/fetch/fetch_test.c - asks a real server beside the test (support/http_peer.py). */

#include "platform/fetch/fetch.h"

#include <stdlib.h>
#include <string.h>

#include "support/beside.h"
#include "support/scratch.h"
#include "support/test.h"

static const char script[] = SUPPORT_DIR "/http_peer.py";

struct world {
    struct arena *arena;
    struct beside peer;
    struct fetcher *fetcher;
    const char *base;
};

static void world_close(struct world *world)
{
    world->fetcher->close(world->fetcher);
    beside_close(&world->peer);
    arena_close(world->arena);
}

static void world_open(struct world *world, const struct fetcher_options *options)
{
    const char *const args[] = {"/usr/bin/python3", script, NULL};

    *world = (struct world){.arena = arena_open(0)};
    world->peer = beside_open(world->arena, args);
    world->base =
        arena_printf(world->arena, "http://127.0.0.1:%d", (int)beside_port(&world->peer)).ptr;
    CHECK_OK(fetcher_open(options, &world->fetcher));
}

static err ask(struct world *world, struct fetch_request request, const char *path,
               struct fetch_answer *ret)
{
    const char *why = NULL;

    request.url = arena_printf(world->arena, "%s%s", world->base, path);
    if (request.method == NULL)
        request.method = "GET";
    return world->fetcher->send(world->fetcher, world->arena, &request, ret, &why);
}

static bool says(const struct fetch_answer *answer, const char *text)
{
    return memmem(answer->body.ptr, answer->body.size, text, strlen(text)) != NULL;
}

TEST(what_is_sent_arrives_and_the_answer_comes_back)
{
    CLEANUP(world_close) struct world world;
    struct fetch_answer answer = {0};
    struct fetch_request request = {.method = "POST", .body = STR("a=1&b=2")};

    world_open(&world, &(struct fetcher_options){0});
    fetch_add_header(&request, STR("Authorization"), STR("Bearer x"));
    CHECK_OK(ask(&world, request, "/echo?c=3", &answer));
    CHECK_I64(200, answer.status);
    CHECK(answer.sent);
    CHECK(says(&answer, "\"method\": \"POST\""));
    CHECK(says(&answer, "\"path\": \"/echo?c=3\""));
    CHECK(says(&answer, "\"body\": \"a=1&b=2\""));
    CHECK(says(&answer, "\"authorization\": \"Bearer x\""));
    CHECK(!says(&answer, "\"expect\""));
    CHECK_STR("twice", fetch_header(&answer, STR("x-told")));
    CHECK(fetch_header(&answer, STR("x-other")).ptr == NULL);
}

TEST(nothing_of_one_request_is_in_the_next)
{
    CLEANUP(world_close) struct world world;
    struct fetch_answer answer = {0};
    struct fetch_request request = {.method = "POST", .body = STR("secret")};

    world_open(&world, &(struct fetcher_options){0});
    fetch_add_header(&request, STR("Idempotency-Key"), STR("one"));
    CHECK_OK(ask(&world, request, "/echo", &answer));
    CHECK_OK(ask(&world, (struct fetch_request){0}, "/echo", &answer));
    CHECK(says(&answer, "\"method\": \"GET\""));
    CHECK(says(&answer, "\"body\": \"\""));
    CHECK(!says(&answer, "idempotency-key"));
    CHECK(says(&answer, "\"connection\": 1,")); /* and it is kept */
}

TEST(every_status_is_an_answer_and_no_redirect_is_followed)
{
    CLEANUP(world_close) struct world world;
    struct fetch_answer answer = {0};

    world_open(&world, &(struct fetcher_options){0});
    CHECK_OK(ask(&world, (struct fetch_request){0}, "/status/503", &answer));
    CHECK_I64(503, answer.status);
    CHECK_I64(7, fetch_retry_after_s(&answer));
    CHECK_STR("503", answer.body);
    CHECK_OK(ask(&world, (struct fetch_request){0}, "/redirect", &answer));
    CHECK_I64(302, answer.status);
    CHECK_STR("/echo", fetch_header(&answer, STR("location")));
    CHECK_I64(0, fetch_retry_after_s(&answer));
}

TEST(what_breaks_off_may_have_arrived)
{
    static const char *const paths[] = {"/slow/2000", "/cut", "/drop"};
    CLEANUP(world_close) struct world world;
    struct fetch_answer answer = {0};
    const struct fetch_request request = {.method = "POST", .body = STR("x")};

    world_open(&world, &(struct fetcher_options){.timeout_ms = 200});
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        CHECK_ERR(ERR_UNAVAILABLE, ask(&world, request, paths[i], &answer));
        CHECK(answer.sent);
        CHECK_I64(0, answer.status);
    }
    CHECK_OK(ask(&world, request, "/echo", &answer)); /* and the next one is not touched by it */
}

TEST(what_cannot_connect_was_not_sent)
{
    CLEANUP(world_close) struct world world;
    struct fetch_answer answer = {.sent = true};

    world_open(&world, &(struct fetcher_options){0});
    world.base = "http://127.0.0.1:1"; /* where nobody listens */
    CHECK_ERR(ERR_UNAVAILABLE, ask(&world, (struct fetch_request){0}, "/", &answer));
    CHECK(!answer.sent);
}

TEST(an_answer_has_a_maximum)
{
    CLEANUP(world_close) struct world world;
    struct fetch_answer answer = {0};

    world_open(&world, &(struct fetcher_options){.answer_size_max = 1000});
    CHECK_OK(ask(&world, (struct fetch_request){0}, "/big/1000", &answer));
    CHECK_I64(1000, answer.body.size);
    CHECK_ERR(ERR_TOO_LARGE, ask(&world, (struct fetch_request){0}, "/big/1001", &answer));
    CHECK(answer.sent);
}

TEST(a_line_end_in_a_header_is_not_sent)
{
    CLEANUP(world_close) struct world world;
    struct fetch_answer answer = {0};
    struct fetch_request request = {0};

    world_open(&world, &(struct fetcher_options){0});
    fetch_add_header(&request, STR("X"), STR("a\r\nY: b"));
    CHECK_ERR(ERR_INVALID, ask(&world, request, "/echo", &answer));
    CHECK(!answer.sent);
    CHECK_ERR(ERR_INVALID, ask(&world, (struct fetch_request){0}, "/echo\r\nX: y", &answer));
}

TEST(a_certificate_is_verified)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    CLEANUP(beside_close) struct beside peer = {0};
    const char *const args[] = {"/usr/bin/python3", script, "--tls", scratch_dir(arena), NULL};
    struct fetch_answer answer = {0};
    struct fetcher *fetcher = NULL;

    peer = beside_open(arena, args);
    const struct fetch_request request = {
        .method = "GET",
        .url = arena_printf(arena, "https://localhost:%d/echo", (int)beside_port(&peer)),
    };
    CHECK_OK(fetcher_open(&(struct fetcher_options){0}, &fetcher));
    CHECK_ERR(ERR_UNAVAILABLE, fetcher->send(fetcher, arena, &request, &answer, NULL));
    CHECK(!answer.sent);
    fetcher->close(fetcher);
    const struct fetcher_options trusting = {.ca_file =
                                                 arena_cstr(arena, beside_value(&peer, STR("ca")))};
    CHECK_OK(fetcher_open(&trusting, &fetcher));
    CHECK_OK(fetcher->send(fetcher, arena, &request, &answer, NULL));
    CHECK_I64(200, answer.status);
    fetcher->close(fetcher);
}

TEST(what_may_be_asked)
{
    static const struct {
        const char *url;
        bool is_base;
    } cases[] = {
        {"https://api.stripe.com",         true },
        {"https://api.example.org:8443/x", true },
        {"http://127.0.0.1:12111",         true },
        {"http://localhost:12111",         true },
        {"http://api.example.org",         false},
        {"https://a:b@api.example.org",    false},
        {"https://api.example.org/?a=1",   false},
        {"https://api.example.org/#a",     false},
        {"ftp://127.0.0.1/",               false},
        {"file:///etc/passwd",             false},
        {"api.example.org",                false},
        {"",                               false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_I64(cases[i].is_base, fetch_is_base_url(str_of(cases[i].url)));
}

TEST(a_form_is_encoded)
{
    CLEANUP(buf_done) struct buf form = buf_on_heap(1000);

    fetch_add_form(&form, STR("metadata[payment]"), STR("pay_1:x y"));
    fetch_add_form(&form, STR("name"), STR("50% \xc3\xa9&=+"));
    CHECK_STR("metadata[payment]=pay_1%3Ax%20y&name=50%25%20%C3%A9%26%3D%2B", buf_str(&form));
}
