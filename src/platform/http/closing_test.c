/* platform/http/closing_test.c - how a server ends: in peace, out of time, and amid a crowd. */

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/http/desk_fixture.h"

struct closing {
    struct fixture *fixture;
    int64_t grace_ms;
    pthread_t thread;
};

static void *run_closing(void *arg)
{
    const struct closing *closing = arg;

    http_close(closing->fixture->server, closing->grace_ms);
    return NULL;
}

static void begin_closing(struct closing *closing, struct fixture *fixture, int64_t grace_ms)
{
    *closing = (struct closing){.fixture = fixture, .grace_ms = grace_ms};
    CHECK(pthread_create(&closing->thread, NULL, run_closing, closing) == 0);
}

static void end_closing(struct closing *closing)
{
    CHECK(pthread_join(closing->thread, NULL) == 0);
    closing->fixture->server = NULL;
}

TEST(a_stopping_server_finishes_what_it_has_begun)
{
    CLEANUP(fixture_close) struct fixture fixture;
    struct closing closing;

    desk_open(&fixture, &(struct fixture_options){.worker_count = 2, .waiting_max = 0});
    const int idle = client_open(&fixture);
    client_settle(&fixture, idle);
    const int working = desk_ask(&fixture, "/latched");
    desk_wait(&desk.arrived_count, 1);
    const int parked = desk_ask(&fixture, "/parked");
    desk_wait(&desk.parked_count, 1);
    const int halfway = client_open(&fixture);
    client_send(halfway, STR("GET /readyz HTTP/1.1\r\nHo"));
    client_settle(&fixture, idle);

    begin_closing(&closing, &fixture, 60000);
    CHECK(client_is_closed(idle));
    client_send(halfway, STR("st: a\r\n\r\n"));
    const struct answer not_ready = client_read(&fixture, halfway, "GET");
    CHECK_I64(503, not_ready.status);
    CHECK(not_ready.is_closed && client_is_closed(halfway));

    desk_open_latch();
    struct answer answer = client_read(&fixture, working, "GET");
    CHECK_STR("latched", answer.body);
    CHECK(answer.is_closed && client_is_closed(working));
    req_resume(desk.parked[0], then_reply, ON_WORKER);
    answer = client_read(&fixture, parked, "GET");
    CHECK_STR("resumed blocks=1", answer.body);
    CHECK(answer.is_closed && client_is_closed(parked));
    end_closing(&closing);
    close(idle);
    close(working);
    close(parked);
    close(halfway);
}

TEST(what_is_not_done_in_time_is_cut_and_comes_to_its_end_alone)
{
    CLEANUP(fixture_close) struct fixture fixture;
    struct closing closing;
    int waiting[3];

    desk_open(&fixture, &(struct fixture_options){.worker_count = 1, .waiting_max = 0});
    const int parked = desk_ask(&fixture, "/parked");
    desk_wait(&desk.parked_count, 1);
    const int working = desk_ask(&fixture, "/latched");
    desk_wait(&desk.arrived_count, 1);
    for (int i = 0; i < 3; i++)
        waiting[i] = desk_ask(&fixture, "/latched");
    desk_wait_metric(&fixture, "boxoffice_http_waiting", 3);

    begin_closing(&closing, &fixture, 10);
    CHECK(client_is_closed(parked));
    CHECK(client_is_closed(working));
    for (int i = 0; i < 3; i++) {
        CHECK(client_is_closed(waiting[i]));
        close(waiting[i]);
    }
    desk_open_latch(); /* the one that runs is waited for */
    end_closing(&closing);
    CHECK_I64(1, desk.arrived_count); /* those that waited were not begun */
    CHECK_I64(0, fixture_metric(&fixture, "boxoffice_http_in_flight"));
    CHECK_I64(0, fixture_metric(&fixture, "boxoffice_http_connections"));
    CHECK_I64(0, fixture_metric(&fixture, "boxoffice_http_parked"));

    /* The server is gone; who had parked a request may say so late. */
    req_resume(desk.parked[0], then_reply, ON_WORKER);
    CHECK_I64(0, desk.then_count);
    close(parked);
    close(working);
}

/* --- All at once --- */

enum { CROWD_SIZE = 4, CROWD_REQUESTS = 150 };

struct crowd {
    struct fixture *fixture;
    int number;
    int served;
    int failed;
};

/* Reads a status line and skips the rest; tests' CHECK is for the main thread only. */
static int read_status(int fd)
{
    char text[2048];
    size_t size = 0;

    while (size < sizeof(text) - 1) {
        const ssize_t got = recv(fd, text + size, sizeof(text) - 1 - size, 0);
        if (got <= 0)
            return 0;
        size += (size_t)got;
        text[size] = '\0';
        const char *body = strstr(text, "\r\n\r\n");
        const char *length = strstr(text, "Content-Length: ");
        if (body != NULL && length != NULL &&
            text + size >= body + 4 + atoi(length + strlen("Content-Length: ")))
            return atoi(text + strlen("HTTP/1.1 "));
    }
    return 0;
}

static void *run_client(void *arg)
{
    static const char *const requests[] = {
        "GET /early HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /parked HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /parked/worker HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /latched HTTP/1.1\r\nHost: a\r\n\r\n",
    };
    struct crowd *crowd = arg;
    int fd = client_open(crowd->fixture);

    for (int i = 0; i < CROWD_REQUESTS; i++) {
        client_send(fd, str_of(requests[(i + crowd->number) % 5]));
        if (i % 16 == 15) { /* gone before the answer */
            close(fd);
            fd = client_open(crowd->fixture);
        } else if (read_status(fd) == 200) {
            crowd->served++;
        } else {
            crowd->failed++;
        }
    }
    close(fd);
    return NULL;
}

/* Resumes whatever comes onto the desk, until the latch is closed again. */
static void *run_resumer(void *arg)
{
    int count = 0;

    (void)arg;
    for (;;) {
        pthread_mutex_lock(&desk.mutex);
        while (desk.parked_count == 0 && desk.is_open)
            pthread_cond_wait(&desk.changed, &desk.mutex);
        if (desk.parked_count == 0) {
            pthread_mutex_unlock(&desk.mutex);
            return NULL;
        }
        struct req *req = desk.parked[--desk.parked_count];
        pthread_mutex_unlock(&desk.mutex);
        req_resume(req, then_block, count++ % 2 == 0 ? ON_LOOP : ON_WORKER);
    }
}

TEST(a_crowd_is_served_by_several_loops)
{
    const struct fixture_options options = {.loop_count = 3, .worker_count = 3};
    CLEANUP(fixture_close) struct fixture fixture;
    struct crowd crowds[CROWD_SIZE] = {0};
    pthread_t clients[CROWD_SIZE];
    pthread_t resumers[2];

    desk_open(&fixture, &options);
    desk_open_latch();
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&resumers[i], NULL, run_resumer, NULL) == 0);
    for (int i = 0; i < CROWD_SIZE; i++) {
        crowds[i] = (struct crowd){.fixture = &fixture, .number = i};
        CHECK(pthread_create(&clients[i], NULL, run_client, &crowds[i]) == 0);
    }
    for (int i = 0; i < CROWD_SIZE; i++)
        pthread_join(clients[i], NULL);
    desk_wait_metric(&fixture, "boxoffice_http_in_flight", 0);

    /* Once more, and the server goes while requests are everywhere. */
    int fds[30];
    for (int i = 0; i < 30; i++)
        fds[i] = desk_ask(&fixture, i % 2 == 0 ? "/parked" : "/early");
    http_close(fixture.server, 0);
    fixture.server = NULL;
    for (int i = 0; i < 30; i++)
        close(fds[i]);
    pthread_mutex_lock(&desk.mutex);
    desk.is_open = false;
    pthread_cond_broadcast(&desk.changed);
    pthread_mutex_unlock(&desk.mutex);
    for (int i = 0; i < 2; i++)
        pthread_join(resumers[i], NULL);
    for (int i = 0; i < CROWD_SIZE; i++) {
        CHECK_I64(0, crowds[i].failed);
        CHECK_I64(CROWD_REQUESTS - CROWD_REQUESTS / 16, crowds[i].served);
    }
}
