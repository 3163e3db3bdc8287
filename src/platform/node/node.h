/* platform/node/node.h - one process: its clock, chance, settings and services.
 *
 * A service is a constant descriptor; an instance is one running copy with its database and
 * state. Nothing is global, so that tests and the simulator run several nodes in one process.
 * main.c alone lists the services. */
#pragma once

#include <stdbool.h>

#include "base/clock.h"
#include "base/rng.h"
#include "platform/config/config.h"
#include "platform/db/db.h"
#include "platform/log/log.h"
#include "platform/metrics/metrics.h"
#include "platform/node/call.h"
#include "platform/node/chore.h"
#include "platform/node/jobs.h"
#include "platform/node/op.h"
#include "platform/node/outbox.h"

struct route_table;
struct cache;
struct keyring;
struct hasher;
struct feeds;

enum { NODE_INSTANCES_MAX = 8 };

struct service {
    const char *name;
    const struct route_table *const *routes; /* each of these arrays ends with NULL */
    const struct op *const *ops;
    const struct sql_list *const *statements;
    const struct migration_list *migrations; /* NULL: has no database */
    bool one_writer;                         /* of its database: see db_options */
    const struct settings *settings;         /* may be NULL */
    const struct chore *chores;              /* ends with a row without name; may be NULL */
    const struct job_kind *jobs;             /* likewise */
    const struct consumer *consumers;        /* likewise */
    err (*open)(struct instance *self, struct call *call); /* makes self->state; may be NULL */
    void (*close)(struct instance *self);                  /* may be NULL */
};

struct instance {
    const struct service *service;
    struct node *node;
    struct db *db; /* NULL: the service owns none */
    void *state;   /* the service's own */
    struct chores *chores;
    struct feeds *feeds; /* what it hears of other services */
    bool is_open;        /* from the end of open to the begin of close: ops reach it */
};

/* What the node itself is told: database.url, database.prefix, cache.*. */
extern const struct settings node_settings;

struct node_options {
    const struct service *const *services; /* which run here; ends with NULL */
    struct clock *clock;
    struct rng *rng;
    struct config *config;
    struct log *log;
    const char *data_dir; /* databases, keys, mail; ":memory:" keeps databases in memory (tests) */
    bool background;      /* start the chores' threads; else only node_run_due works them off */
    /* No other process works on these databases, so what another has leased is free. Never so on a
     * PostgreSQL server. */
    bool alone;
    bool prepares; /* makes what is missing on a PostgreSQL server; SQLite files are always made */
};

/* What opening the node has made. */
struct node_prepared {
    int roles;
    int databases;
    int migrations;
};

struct node {
    struct clock *clock;
    struct rng *rng;
    struct config *config;
    struct log *log;
    struct metrics *metrics;
    struct keyring *keyring; /* platform/crypto: seals columns, signs, MACs */
    struct hasher *hasher;   /* platform/crypto: argon2id in its own pool */
    struct cache *cache;     /* platform/cache: what instances share for speed */
    /* Calls an op whose service does not run here. NULL: such ops are ERR_UNAVAILABLE. */
    err (*forward)(struct call *call, const struct op *op, const void *in, void *ret);
    struct arena *arena; /* what node_open makes to last as long as the node */
    const char *data_dir;
    struct instance instances[NODE_INSTANCES_MAX];
    size_t instance_count;
    struct node_prepared prepared;
    bool background;
    bool alone;
    bool prepares;
};

/* Opens databases (migrating them), services, feeds and chores, in the order of `services`. On
 * failure everything is closed again and *ret_why says in one line (in `arena`) what is wrong. */
err node_open(const struct node_options *options, struct arena *arena, struct node **ret,
              str *ret_why);
/* Stops the chores, then closes the services in reverse order. */
void node_close(struct node *node);
struct instance *node_find(struct node *node, const char *service); /* NULL: does not run here */

/* Runs everything that is due now, again and again until nothing is: feeds, jobs, chores. Waits for
 * transactions of others that hold up a feed, for 2 s at most. For --test-clock and tests; not from
 * within a chore. */
void node_run_due(struct node *node);
