/* platform/cache/cache_fixture.h - for tests: caches of several instances, with and without a Redis. */
#pragma once

#include "base/clock.h"
#include "base/rng.h"
#include "platform/cache/cache.h"
#include "platform/metrics/metrics.h"
#include "support/redis.h"

#define PEER_START_MS INT64_C(1795392000000)

enum { PEER_NEWS_MAX = 64 };

struct heard {
    char text[32]; /* "-" for "some were missed" */
};

/* One instance. */
struct peer {
    struct arena *arena;
    struct clock_manual clock;
    struct rng_seeded rng;
    struct keyring *keyring;
    struct metrics *metrics;
    struct log *log;
    int log_fd;
    struct cache *cache;
    struct heard heard[PEER_NEWS_MAX]; /* by peer_hear; read below peer_heard_count() */
    _Atomic int heard_count;
};

/* Opens an instance with that cache.url; all have the same keys. The test fails if that fails. */
void peer_open(struct peer *peer, const char *url, int64_t deadline_ms);
void peer_close(struct peer *peer); /* for CLEANUP too; accepts a zeroed one */
void peer_close_cache(struct peer *peer);

/* Waits until the cache is up, or down. With an advance, moves the clock until it is. */
void peer_await(struct peer *peer, bool up);
void peer_advance_until_up(struct peer *peer);
int64_t peer_now(const struct peer *peer);

void peer_put(struct peer *peer, const char *key, uint64_t version, const char *value);
/* "" is a value; absent: ERR_NOT_FOUND. */
str peer_get(struct peer *peer, const char *key);

/* Listens to `channel` and notes what it hears. */
void peer_listen(struct peer *peer, const char *channel);
/* Waits until so many were heard. */
void peer_await_heard(struct peer *peer, int count);

int64_t peer_count(struct peer *peer, const char *name); /* a metric without labels */
int peer_logged(struct peer *peer, const char *text);    /* how often it is in the log */
void peer_await_logged(struct peer *peer, const char *text);
/* For what the link says at one of its tries: when that is, it reckons from the time at which it went down. */
void peer_advance_until_logged(struct peer *peer, const char *text);

/* `run` once with memory:, and once with a Redis of its own. */
void with_each_driver(void (*run)(const char *url));
