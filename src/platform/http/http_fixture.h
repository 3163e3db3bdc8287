/* platform/http/http_fixture.h - for tests: a server in this process and a client that sends
 * exactly what it is told. */
#pragma once

#include "platform/http/internal.h"
#include "support/test.h"

enum { FIXTURE_ANSWER_SIZE_MAX = 20 << 20, FIXTURE_LOG_SIZE_MAX = 64 << 10 };

struct fixture {
    struct clock_manual clock;
    struct rng_seeded rng;
    struct node node;
    struct arena *arena;
    struct http_server *server;
    int log_fds[2]; /* a pipe: what the server logged */
};

struct fixture_options {
    err (*authenticate)(struct req *req);
    err (*admit)(struct req *req);
    const struct tuning *tuning; /* NULL: the real ones */
    int loop_count;              /* 0: 1 */
    int worker_count;
    int waiting_max;
    bool access_log;
    bool internal;
};

/* Serves `routes` as the routes of a service "test". */
void fixture_open(struct fixture *fixture, const struct route *routes, size_t count,
                  const struct fixture_options *options);
void fixture_close(struct fixture *fixture); /* for CLEANUP; accepts one whose server is closed */
int64_t fixture_metric(const struct fixture *fixture,
                       const char *name); /* a series without labels */
str fixture_log(struct fixture *fixture); /* all lines so far */

struct answer {
    int status;
    str head; /* with the status line */
    str body;
    bool is_closed; /* the server closed behind it */
};

int client_open(const struct fixture *fixture);
void client_send(int fd, str bytes);
/* One answer. `method` "HEAD" has no body. Status 0: the server closed instead. */
struct answer client_read(struct fixture *fixture, int fd, const char *method);
/* Reads the end of the stream; false: something else came, or nothing within 10 s. */
bool client_is_closed(int fd);
/* On a connection of its own, closed behind. */
struct answer client_ask(struct fixture *fixture, const char *method, const char *path,
                         const char *headers, const char *body);
bool text_contains(str text, const char *part);
str answer_header(const struct answer *answer, const char *name); /* absent: none */
/* When it comes back, the (single) loop has read whatever was sent before. */
void client_settle(struct fixture *fixture, int settled_fd);
