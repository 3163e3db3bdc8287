/* world.h - which services there are, and how a command opens them: the only place that knows all of them. */
#pragma once

#include "base/clock.h"
#include "platform/node/node.h"

/* Each ends with NULL: the services in the order in which they open, and the settings that belong to none of them. */
extern const struct service *const world_services[];
extern const struct settings *const world_settings[];

struct world_options { /* of every command */
    str data;          /* --data */
    str config;        /* --config */
    str services;      /* --services */
    str listen;        /* --listen; absent: no server */
    bool test_clock;
    bool background;     /* serves: refused where another server works on the same files */
    bool prepares;       /* makes what is missing on a PostgreSQL server */
    struct clock *clock; /* NULL: the machine's */
    struct rng *rng;     /* NULL: the machine's */
};

struct world {
    struct arena *arena;
    struct log *log;
    struct config *config;
    struct clock_test test_clock;
    struct node *node;
    int lock; /* of the data, while it is served; -1: none */
};

/* Opens settings and services: both steps below. ERR_INVALID, ERR_UNAVAILABLE: said in one line on stderr. world_close is due in any case. */
err world_open(struct world *world, const struct world_options *options);
/* The settings alone, and, in the background, the lock on the data. */
err world_prepare(struct world *world, const struct world_options *options);
err world_start(struct world *world, const struct world_options *options);
/* --data, or its default. */
const char *world_data_dir(struct world *world, const struct world_options *options);
void world_close(struct world *world);
/* --test-clock: POST /_test/clock. */
extern const struct service test_clock_service;
