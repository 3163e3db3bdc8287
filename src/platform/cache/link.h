/* platform/cache/link.h - the one thread that talks to Redis. For this folder only.
 *
 *            connection_open                    I/O error, an answer that is late,
 *   down ───────────────────────────▶ up        a Redis that is no master any more
 *    ▲  ▲   backoff 0.2, 0.4 … 30 s    │        or has lost our scripts
 *    │  └── fails ──┘                  │
 *    └─────────────────────────────────┘
 *
 * An order is one command. While the link is down none is taken; when it goes down, all that are
 * under way fail at once: so only those wait for a dead Redis who asked before it was noticed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/rng.h"
#include "platform/cache/scripts.h"
#include "platform/cache/url.h"

struct link;
struct log;
struct metric;
struct redisReply;

enum { LINK_ORDERS_MAX = 4096, LINK_BYTES_MAX = 32 * 1024 * 1024, LINK_ARGS_MAX = 600 };

struct link_options {
    const struct cache_url *url; /* copied; its texts outlive the link */
    int64_t deadline_ms;
    struct clock *clock; /* of the backoff; deadlines are real time */
    struct rng *rng;
    struct log *log;
    struct metric *up;     /* gauge */
    struct metric *errors; /* orders that failed, refused ones among them */
    /* On the link's thread, with `arg`: */
    void (*goes_up)(void *arg);
    void (*goes_down)(void *arg);
    void (*hear)(void *arg, str message); /* of CACHE_CHANNEL; valid until it returns */
    /* At each turn while it is up: does what is due and gives when to come again, on the stopwatch;
     * link_wake makes it come sooner. */
    int64_t (*turn)(void *arg, int64_t now_ns);
    void *arg;
};

/* *ret is set before the first hook is called. */
void link_open(const struct link_options *options, struct link **ret);
/* Finishes what was sent, within the deadline. NULL is accepted. */
void link_close(struct link *link);
bool link_is_up(const struct link *link);
void link_wake(struct link *link); /* never blocks; also under locks */

/* Set the first four members, and no more: the rest is large. */
struct order {
    struct metric *seconds; /* histogram */
    /* On the link's thread, exactly once for each order that was taken; NULL: it failed. Must not
     * block. May be NULL. */
    void (*done)(void *arg, const struct redisReply *reply);
    void *arg;
    int count;
    size_t sizes[LINK_ARGS_MAX];
    const char *args[LINK_ARGS_MAX];
};
void order_add(struct order *order, str arg); /* the text lives until link_send */
void order_add_script(struct order *order, struct link *link, enum script script);
/* False: down, or too much is under way; `done` is not called then. Copies all it needs. */
bool link_send(struct link *link, struct order *order);
