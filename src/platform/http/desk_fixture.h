/* platform/http/desk_fixture.h - for tests: a desk on which handlers leave requests, and a latch at
 * which they wait.
 *
 * Routes: /parked and /parked/worker lie on the desk until they are resumed; /early,
 * /early/worker and /early-block are resumed before their handler returns; /latched (worker) and
 * /latched/loop stand at the latch until it opens. */
#pragma once

#include <pthread.h>

#include "platform/http/http_fixture.h"

enum { DESK_SIZE_MAX = 256 };

struct desk {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct req *parked[DESK_SIZE_MAX];
    int parked_count;
    int arrived_count; /* at the latch */
    bool is_open;      /* the latch */
    int then_count;    /* how often then_reply ran */
};
extern struct desk desk;

/* Clears the desk and opens a server around it. */
void desk_open(struct fixture *fixture, const struct fixture_options *options);
void desk_clear(void);
void desk_open_latch(void);
/* Waits until one of the desk's counts is `at_least`. */
void desk_wait(const int *count, int at_least);
void desk_wait_metric(const struct fixture *fixture, const char *name, int64_t value);

/* What a test resumes with: a reply "resumed blocks=0", a refusal, a reply that needs a worker. */
err then_reply(struct req *req);
err then_fail(struct req *req);
err then_block(struct req *req);

/* Sends a GET on a new connection and gives that. */
int desk_ask(const struct fixture *fixture, const char *path);
str desk_answer(struct fixture *fixture, int fd); /* the body of the next answer */
