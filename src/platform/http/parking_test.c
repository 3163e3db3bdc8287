/* platform/http/parking_test.c - who has a request when: workers, parking, hand-overs, overload. */

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/http/desk_fixture.h"

/* --- Parking --- */

TEST(a_parked_request_is_answered_where_it_is_resumed)
{
    static const struct {
        const char *path;
        err (*then)(struct req *req);
        enum run_on where;
        const char *body;
    } cases[] = {
        {"/parked",        then_reply, ON_LOOP,   "resumed blocks=0"},
        {"/parked",        then_reply, ON_WORKER, "resumed blocks=1"},
        {"/parked",        then_block, ON_LOOP,   "resumed blocks=1"},
        {"/parked/worker", then_reply, ON_LOOP,   "resumed blocks=0"},
        {"/parked/worker", then_reply, ON_WORKER, "resumed blocks=1"},
    };
    CLEANUP(fixture_close) struct fixture fixture;

    desk_open(&fixture, &(struct fixture_options){.worker_count = 2, .waiting_max = 0});
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        desk_clear();
        const int fd = desk_ask(&fixture, cases[i].path);
        desk_wait(&desk.parked_count, 1);
        desk_wait_metric(&fixture, "boxoffice_http_parked", 1);
        req_resume(desk.parked[0], cases[i].then, cases[i].where);
        CHECK_STR(cases[i].body, desk_answer(&fixture, fd));
        CHECK_I64(0, fixture_metric(&fixture, "boxoffice_http_parked"));
        close(fd);
    }
    const int fd = desk_ask(&fixture, "/parked");
    desk_wait(&desk.parked_count, 2);
    req_resume(desk.parked[1], then_fail, ON_LOOP);
    CHECK_I64(409, client_read(&fixture, fd, "GET").status);
    close(fd);
}

TEST(a_resume_may_come_before_the_handler_has_returned)
{
    static const char *const paths[] = {"/early", "/early/worker"};
    CLEANUP(fixture_close) struct fixture fixture;

    desk_open(&fixture, &(struct fixture_options){.worker_count = 2, .waiting_max = 0});
    for (int round = 0; round < 50; round++)
        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
            const int fd = desk_ask(&fixture, paths[i]);
            CHECK_STR("early blocks=1", desk_answer(&fixture, fd));
            close(fd);
        }
    const int fd = desk_ask(&fixture, "/early-block");
    CHECK_STR("early blocks=1", desk_answer(&fixture, fd));
    close(fd);
    CHECK_I64(0, fixture_metric(&fixture, "boxoffice_http_parked"));
}

TEST(requests_behind_a_parked_one_wait_for_it)
{
    CLEANUP(fixture_close) struct fixture fixture;

    desk_open(&fixture, &(struct fixture_options){.worker_count = 2, .waiting_max = 0});
    const int fd = desk_ask(&fixture, "/parked");
    client_send(
        fd, STR("GET /early HTTP/1.1\r\nHost: a\r\n\r\nGET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"));
    desk_wait(&desk.parked_count, 1);
    const int other = client_open(&fixture);
    client_settle(&fixture, other);
    req_resume(desk.parked[0], then_reply, ON_LOOP);
    CHECK_STR("resumed blocks=0", desk_answer(&fixture, fd));
    CHECK_STR("early blocks=1", desk_answer(&fixture, fd));
    CHECK_STR("{\"status\":\"ok\"}", desk_answer(&fixture, fd));
    close(other);
    close(fd);
}

TEST(a_request_outlives_its_client)
{
    static const enum run_on wheres[] = {ON_LOOP, ON_WORKER};
    const struct linger reset = {.l_onoff = 1};
    CLEANUP(fixture_close) struct fixture fixture;

    desk_open(&fixture, &(struct fixture_options){.worker_count = 2, .waiting_max = 0});
    for (size_t i = 0; i < sizeof(wheres) / sizeof(wheres[0]); i++) {
        desk_clear();
        const int fd = desk_ask(&fixture, "/parked");
        desk_wait(&desk.parked_count, 1);
        CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) == 0);
        close(fd); /* RST: nobody will read the answer */
        req_resume(desk.parked[0], then_reply, wheres[i]);
        desk_wait(&desk.then_count, 1);
        desk_wait_metric(&fixture, "boxoffice_http_in_flight", 0);
        desk_wait_metric(&fixture, "boxoffice_http_connections", 0);
    }
    const int fd = desk_ask(&fixture, "/latched");
    desk_wait(&desk.arrived_count, 1);
    close(fd);
    desk_open_latch();
    desk_wait_metric(&fixture, "boxoffice_http_in_flight", 0);
    desk_wait_metric(&fixture, "boxoffice_http_connections", 0);
}

/* --- Hand-overs and the bounds of the pool --- */

TEST(many_completions_cost_one_wake_up)
{
    enum { COUNT = 100 };
    CLEANUP(fixture_close) struct fixture fixture;
    int fds[COUNT];

    desk_open(&fixture, &(struct fixture_options){.worker_count = 2, .waiting_max = 0});
    for (int i = 0; i < COUNT; i++)
        fds[i] = desk_ask(&fixture, "/parked");
    desk_wait(&desk.parked_count, COUNT);
    desk_wait_metric(&fixture, "boxoffice_http_parked", COUNT);

    const int in_the_way = desk_ask(&fixture, "/latched/loop");
    desk_wait(&desk.arrived_count, 1);
    const int64_t wakeups = fixture_metric(&fixture, "boxoffice_http_wakeups_total");
    const int64_t handovers = fixture_metric(&fixture, "boxoffice_http_handovers_total");
    for (int i = 0; i < COUNT; i++)
        req_resume(desk.parked[i], then_reply, ON_LOOP);
    desk_open_latch();
    CHECK_STR("latched", desk_answer(&fixture, in_the_way));
    for (int i = 0; i < COUNT; i++) {
        CHECK_STR("resumed blocks=0", desk_answer(&fixture, fds[i]));
        close(fds[i]);
    }
    CHECK_I64(wakeups + 1, fixture_metric(&fixture, "boxoffice_http_wakeups_total"));
    CHECK_I64(handovers + COUNT, fixture_metric(&fixture, "boxoffice_http_handovers_total"));
    close(in_the_way);
}

TEST(who_would_wait_too_long_is_told_so_at_once)
{
    CLEANUP(fixture_close) struct fixture fixture;
    int fds[3];

    desk_open(&fixture, &(struct fixture_options){.worker_count = 1, .waiting_max = 2});
    const int parked = desk_ask(&fixture, "/parked");
    desk_wait(&desk.parked_count, 1);
    fds[0] = desk_ask(&fixture, "/latched");
    desk_wait(&desk.arrived_count, 1);
    fds[1] = desk_ask(&fixture, "/latched");
    fds[2] = desk_ask(&fixture, "/latched");
    desk_wait_metric(&fixture, "boxoffice_http_waiting", 2);

    const struct answer refused = client_ask(&fixture, "GET", "/latched", "", NULL);
    CHECK_I64(503, refused.status);
    CHECK_STR("1", answer_header(&refused, "retry-after"));
    CHECK(memmem(refused.body.ptr, refused.body.size, "\"code\":\"overloaded\"", 19) != NULL);
    CHECK_I64(1, fixture_metric(&fixture, "boxoffice_http_overloaded_total"));
    CHECK_I64(1, fixture_metric(&fixture, "boxoffice_http_workers_busy"));
    CHECK_I64(200, client_ask(&fixture, "GET", "/healthz", "", NULL).status);

    /* What was begun is finished, full or not. */
    req_resume(desk.parked[0], then_reply, ON_WORKER);
    desk_wait_metric(&fixture, "boxoffice_http_waiting", 3);
    desk_open_latch();
    for (int i = 0; i < 3; i++) {
        CHECK_STR("latched", desk_answer(&fixture, fds[i]));
        close(fds[i]);
    }
    CHECK_STR("resumed blocks=1", desk_answer(&fixture, parked));
    close(parked);
}
