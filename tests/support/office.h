/* support/office.h - a box office in this process: the services that a test names, behind a real
 * HTTP server, on a clock that stands still.
 *
 * Nothing runs in the background: what is due is done by office_advance and office_run_due. */
#pragma once

#include "support/http_ask.h"
#include "support/test_node.h"

#define OFFICE_START_MS INT64_C(1795392000000) /* 2026-11-23T00:00:00Z */

enum { OFFICE_TABLES_MAX = 12 };

struct office_options {
    const struct service *const *services; /* ends with NULL */
    const char *const *settings;           /* "name=value", ended by NULL; may be NULL */
    const char *dir;                       /* of the data; NULL: a new one */
    err (*authenticate)(struct req *req);  /* NULL: by the words below */
    err (*admit)(struct req *req);         /* NULL: everybody */
    /* Calls an op of a service that is not among them; NULL: there is none. */
    err (*forward)(struct call *call, const struct op *op, const void *in, void *ret);
};

struct office {
    struct office_options options;
    struct arena *arena; /* of the test; not thread-safe */
    struct clock_manual clock;
    struct rng_seeded rng;
    const struct settings *tables[OFFICE_TABLES_MAX + 1];
    struct config *config;
    struct log *log;
    int log_fd;
    struct node *node;
    struct http_server *server;
    const char *dir; /* of the data; survives office_restart */
};

/* The test fails if anything does. */
void office_open(struct office *office, const struct office_options *options);
void office_close(struct office *office); /* for CLEANUP too */
/* Closes and opens it again, as a restart of the process would: only what is in files is left. */
void office_restart(struct office *office);
/* The server first, which cuts off what is not answered within the grace, then the node. */
void office_shut(struct office *office, int64_t grace_ms);

/* Moves the clock and does what is due then. */
void office_advance(struct office *office, int64_t by_ms);
void office_run_due(struct office *office);

/* A call of that service on this thread; call_done it. */
void office_call(struct office *office, const char *service, struct call *call);
struct answer office_ask(struct office *office, const struct ask *ask);
/* All at once, each on a thread. */
void office_ask_together(struct office *office, const struct ask *asks, size_t count,
                         struct answer *ret);
/* A gauge without labels; and waits until other threads have brought it to that value. */
int64_t office_gauge(struct office *office, const char *name);
void office_await_gauge(struct office *office, const char *name, int64_t value);
/* How often `text` is in the log. */
int office_logged(struct office *office, const char *text);

/* --- Who --- */

/* Bearer tokens: "customer-7", "vendor-1" (a member of vendor 1), "admin-1". The number tells
 * people apart; a vendor's member is user 1000 + number, an admin user 2000 + number. */
struct uuid office_user(int number);
struct uuid office_vendor(int number);

/* --- Past the services: SQL of a test's own on a service's file, as somebody with a shell would --- */

void office_exec(struct office *office, const char *service, const char *sql);
bool office_try(struct office *office, const char *service, const char *sql);
int64_t office_i64(struct office *office, const char *service, const char *sql);
void office_add_trigger(struct office *office, const char *service,
                        const struct test_trigger *trigger);
void office_drop_trigger(struct office *office, const char *service,
                         const struct test_trigger *trigger);
