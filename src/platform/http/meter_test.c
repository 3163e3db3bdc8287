/* platform/http/meter_test.c - where requests spend their time, and what they spend it on. */

#include <unistd.h>

#include "platform/http/desk_fixture.h"

#define PLACE(name)     "boxoffice_http_place_seconds_count{place=\"" name "\"}"
#define COMPONENT(name) "boxoffice_http_component_seconds_count{component=\"" name "\"}"
#define OVER(name)      "boxoffice_http_over_budget_total{component=\"" name "\"}"

static err spend_little(struct req *req)
{
    spent_add(SPENT_DATABASE, 1000);
    return reply_empty(req, 204);
}

/* Nobody waits in this test: the component says how long it took. */
static err spend_much(struct req *req)
{
    spent_add(SPENT_DATABASE, INT64_C(801) * 1000000);
    spent_add(SPENT_CACHE, INT64_C(100) * 1000000);
    return reply_empty(req, 204);
}

static const struct route routes[] = {
    {METHOD_GET, "/little", spend_little, AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP  },
    {METHOD_GET, "/much",   spend_much,   AUTH_NONE, NO_BODY, UNKEYED, ON_WORKER},
};

/* A request is counted before it is answered, so who has the answer finds it counted. */
static void check_counts(const struct fixture *fixture, const char *const *names,
                         const int64_t *counts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        CHECK_I64(counts[i], fixture_metric(fixture, names[i]));
}

TEST(the_time_of_a_request_is_told_by_place_and_component)
{
    static const char *const names[] = {
        PLACE("loop"),      PLACE("queue"),   PLACE("worker"),     PLACE("parked"),
        PLACE("handover"),  COMPONENT("own"), COMPONENT("buffer"), COMPONENT("database"),
        COMPONENT("cache"), OVER("database"), OVER("cache")};
    enum { NAMES = sizeof(names) / sizeof(names[0]) };
    CLEANUP(fixture_close) struct fixture fixture;

    fixture_open(&fixture, routes, sizeof(routes) / sizeof(routes[0]),
                 &(struct fixture_options){.worker_count = 1});
    CHECK_I64(204, client_ask(&fixture, "GET", "/little", "", NULL).status);
    check_counts(&fixture, names, (const int64_t[NAMES]){1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0}, NAMES);
    CHECK_I64(204, client_ask(&fixture, "GET", "/much", "", NULL).status);
    /* Own work is what is left beside the components: nothing, as the handler tells it. */
    check_counts(&fixture, names, (const int64_t[NAMES]){2, 1, 1, 0, 1, 1, 1, 2, 1, 1, 0}, NAMES);
}

TEST(a_parked_request_is_nowhere_else)
{
    CLEANUP(fixture_close) struct fixture fixture;

    desk_open(&fixture, &(struct fixture_options){.worker_count = 1});
    const int fd = desk_ask(&fixture, "/parked");
    desk_wait(&desk.parked_count, 1);
    desk_wait_metric(&fixture, "boxoffice_http_parked", 1);
    CHECK_I64(0, fixture_metric(&fixture, PLACE("parked")));
    req_resume(desk.parked[0], then_reply, ON_LOOP);
    (void)desk_answer(&fixture, fd);
    close(fd);
    CHECK_I64(1, fixture_metric(&fixture, PLACE("parked")));
    CHECK_I64(1, fixture_metric(&fixture, PLACE("handover")));
    CHECK_I64(0, fixture_metric(&fixture, PLACE("worker")));
}
