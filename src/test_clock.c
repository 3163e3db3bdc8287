/* test_clock.c - POST /_test/clock: moves the process's whole idea of time, for tests against the running program.
 *
 * Only there with --test-clock, which only a loopback address accepts. */
#include "platform/http/http.h"
#include "world.h"

enum { ADVANCE_S_MAX = 10 * 366 * 86400 };

struct advance {
    int64_t advance_s;
};
static const struct json_field advance_fields[] = {
    JSON_F_I64("advance_s", struct advance, advance_s, 0, ADVANCE_S_MAX, JSON_REQUIRED),
};
static const struct json_shape advance_shape = JSON_SHAPE(advance_fields, struct advance);

struct clock_now {
    int64_t now_ms;
};
static const struct json_field now_fields[] = {
    JSON_F_TIME("now", struct clock_now, now_ms, JSON_OPTIONAL),
};
static const struct json_shape now_shape = JSON_SHAPE(now_fields, struct clock_now);

static err post_clock(struct req *req)
{
    struct advance advance = {0};
    struct node *node = req->call.self->node;

    TRY(req_body(req, &advance_shape, &advance));
    /* The clock is the first member of the test clock that world.c made. */
    clock_test_advance((struct clock_test *)node->clock, advance.advance_s * 1000);
    node_run_due(node);
    const struct clock_now now = {clock_now_ms(node->clock)};
    return reply_json(req, 200, &now_shape, &now);
}

static const struct route routes[] = {
    {METHOD_POST, "/_test/clock", post_clock, AUTH_NONE, BODY(1024), UNKEYED, ON_WORKER},
};
static const struct route_table table = ROUTE_TABLE(routes);
static const struct route_table *const tables[] = {&table, NULL};

const struct service test_clock_service = {.name = "test_clock", .routes = tables};
