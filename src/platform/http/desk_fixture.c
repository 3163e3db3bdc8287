/* platform/http/desk_fixture.c - see desk_fixture.h. */

#include "platform/http/desk_fixture.h"

#include <unistd.h>

struct desk desk = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
static char resumed[] = "resumed";
static char early[] = "early";

void desk_clear(void)
{
    desk.parked_count = 0;
    desk.arrived_count = 0;
    desk.is_open = false;
    desk.then_count = 0;
}

void desk_wait(const int *count, int at_least)
{
    pthread_mutex_lock(&desk.mutex);
    while (*count < at_least)
        pthread_cond_wait(&desk.changed, &desk.mutex);
    pthread_mutex_unlock(&desk.mutex);
}

void desk_open_latch(void)
{
    pthread_mutex_lock(&desk.mutex);
    desk.is_open = true;
    pthread_cond_broadcast(&desk.changed);
    pthread_mutex_unlock(&desk.mutex);
}

err then_reply(struct req *req)
{
    pthread_mutex_lock(&desk.mutex);
    desk.then_count++;
    pthread_cond_broadcast(&desk.changed);
    pthread_mutex_unlock(&desk.mutex);
    return reply_text(req, 200, STR("text/plain"),
                      arena_printf(req->call.arena, "%s blocks=%d", (const char *)req->parked,
                                   (int)req->call.may_block));
}

err then_fail(struct req *req)
{
    return call_explain(&req->call, ERR_SOLD_OUT, "gone");
}

err then_block(struct req *req)
{
    return req->call.may_block ? then_reply(req) : ERR_WOULD_BLOCK;
}

/* Leaves it on the desk: the test resumes it. */
static err get_parked(struct req *req)
{
    req->parked = resumed;
    pthread_mutex_lock(&desk.mutex);
    desk.parked[desk.parked_count++] = req;
    pthread_cond_broadcast(&desk.changed);
    pthread_mutex_unlock(&desk.mutex);
    return req_park(req);
}

/* Resumed before the handler returns, and then once more. */
static err then_again(struct req *req)
{
    req_resume(req, then_reply, ON_LOOP);
    return req_park(req);
}

static err get_early(struct req *req)
{
    req->parked = early;
    req_resume(req, then_again, ON_WORKER);
    return req_park(req);
}

static err get_early_block(struct req *req)
{
    req->parked = early;
    req_resume(req, then_block, ON_LOOP);
    return req_park(req);
}

/* Stands at the latch, on a worker or in the way of a whole loop. */
static err get_latched(struct req *req)
{
    pthread_mutex_lock(&desk.mutex);
    desk.arrived_count++;
    pthread_cond_broadcast(&desk.changed);
    while (!desk.is_open)
        pthread_cond_wait(&desk.changed, &desk.mutex);
    pthread_mutex_unlock(&desk.mutex);
    return reply_text(req, 200, STR("text/plain"), STR("latched"));
}

static const struct route routes[] = {
    {METHOD_GET, "/parked",        get_parked,      AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP  },
    {METHOD_GET, "/parked/worker", get_parked,      AUTH_NONE, NO_BODY, UNKEYED, ON_WORKER},
    {METHOD_GET, "/early",         get_early,       AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP  },
    {METHOD_GET, "/early/worker",  get_early,       AUTH_NONE, NO_BODY, UNKEYED, ON_WORKER},
    {METHOD_GET, "/early-block",   get_early_block, AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP  },
    {METHOD_GET, "/latched",       get_latched,     AUTH_NONE, NO_BODY, UNKEYED, ON_WORKER},
    {METHOD_GET, "/latched/loop",  get_latched,     AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP  },
};

void desk_open(struct fixture *fixture, const struct fixture_options *options)
{
    desk_clear();
    fixture_open(fixture, routes, sizeof(routes) / sizeof(routes[0]), options);
}

int desk_ask(const struct fixture *fixture, const char *path)
{
    char text[128];
    const int fd = client_open(fixture);

    (void)snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path);
    client_send(fd, str_of(text));
    return fd;
}

str desk_answer(struct fixture *fixture, int fd)
{
    return client_read(fixture, fd, "GET").body;
}

void desk_wait_metric(const struct fixture *fixture, const char *name, int64_t value)
{
    while (fixture_metric(fixture, name) != value)
        usleep(200);
}
