/* platform/cache/cache.h - what instances share for speed: values, rate limits, news. Losing it
 * costs speed only.
 *
 * Two drivers behind one interface. `memory:` keeps all of it in this process. `redis://` shares it
 * with every instance that has the same keys (DATA/keys) and the same Redis; while that is away, an
 * instance goes on with its own memory. No call fails because of Redis: a value that cannot be had
 * is ERR_NOT_FOUND, and each call has a deadline (`cache.deadline_ms`).
 *
 * Times are parameters; Redis is never asked for one, and its TTLs only collect garbage. Redis sees
 * MACs for keys and sealed bytes for values, so who reads it learns nothing and who writes to it
 * can take values away or bring back old ones until they expire, but cannot make one. Everything
 * here is thread-safe. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/rng.h"
#include "base/str.h"

struct cache;
struct keyring;
struct log;
struct metrics;

enum {
    CACHE_KEY_SIZE_MAX = 256,
    CACHE_VALUE_SIZE_MAX = 256 * 1024,
    CACHE_NEWS_SIZE_MAX = 4096,
    CACHE_CHANNEL_SIZE_MAX = 64,
    CACHE_LISTENERS_MAX = 16,
    CACHE_MEMORY_SIZE_MIN = 8 * 1024 * 1024,
};

struct cache_options {
    /* memory:
     * redis://[[user]:password@]host[:port][/db]
     * redis+sentinel://[[user]:password@]host[:port][,host[:port]...]/master[/db]
     * User and password percent-encoded; they are those of Redis, Sentinels are asked without. */
    str url;
    int64_t deadline_ms; /* for one call; > 0 */
    size_t memory_size;  /* bytes of values kept in this process; >= CACHE_MEMORY_SIZE_MIN */
    struct clock *clock; /* reconnects by it; deadlines are real time, as Redis is */
    struct rng *rng;
    struct keyring *keyring;
    struct log *log;
    struct metrics *metrics;
};

/* ERR_INVALID with *ret_why in `arena` (never a password): not such a URL. A Redis that is not
 * there, or wants another password, is no error: it is logged and asked again. */
err cache_open(const struct cache_options *options, struct arena *arena, struct cache **ret,
               str *ret_why);
/* Sends what was put and published so far, if that is done within the deadline. Nobody else uses
 * the cache any more. NULL is accepted. */
void cache_close(struct cache *cache);
/* Is there a Redis at all? If not, what is put here was put by this process. */
bool cache_is_shared(const struct cache *cache);
/* Does it answer? A memory cache always does. */
bool cache_is_up(const struct cache *cache);

/* --- Values --- */

/* The newest version of `key` that was put and has not expired, in `arena`; an empty one is not
 * absent. ERR_NOT_FOUND: there is none, or it cannot be had. May block until the deadline, so it
 * is for workers. */
err cache_get(struct cache *cache, str key, int64_t now_ms, struct arena *arena, str *ret);
/* The same for those who cannot wait: `done` is called exactly once, with ERR_OK or ERR_NOT_FOUND,
 * perhaps before this returns, on this thread or the cache's, where it must not block. `arena` is
 * the cache's until then: one that belongs to a parked request. */
void cache_get_later(struct cache *cache, str key, int64_t now_ms, struct arena *arena,
                     void (*done)(void *arg, err e, str value), void *arg);
struct cache_value {
    str key;          /* 1 to CACHE_KEY_SIZE_MAX bytes: asserted */
    uint64_t version; /* raised by whoever owns the value */
    str bytes;        /* up to CACHE_VALUE_SIZE_MAX: asserted */
    int64_t expires_at_ms;
};
/* Puts the value, unless a newer version is there that has not been forgotten; an equal one is
 * replaced. Also the way to take a value back: put a higher version that says so, or one that has
 * expired. It is not given from `expires_at_ms` on; until then a cache that is full or away may
 * forget it. Never blocks. `scratch` takes what it needs meanwhile. */
void cache_put(struct cache *cache, const struct cache_value *value, int64_t now_ms,
               struct arena *scratch);
/* Forgets the key and its version. Never blocks. */
void cache_remove(struct cache *cache, str key);

/* --- Rate limits: token buckets --- */

struct bucket_limit {
    int32_t per_s; /* what flows in; > 0 */
    int32_t burst; /* what a full bucket holds; > 0 */
};

/* Takes one token from the bucket of `key`. ERR_RATE_LIMITED: it is empty; *ret_wait_s says when
 * there is a token again, in s, rounded up. ERR_WOULD_BLOCK, only if not `may_block`: this instance
 * has taken so much that it must hear of the others first (README.md says how exact that is).
 *
 * Fixed memory: two keys that share a slot take turns in it, and the newcomer finds a full bucket,
 * so a collision can only allow more. */
err cache_take(struct cache *cache, uint64_t key, const struct bucket_limit *limit, int64_t now_ms,
               bool may_block, int *ret_wait_s);

/* --- News: small messages to all instances, this one included, at most once each --- */

/* Calls `hear` for each message on `channel` from now on, on a thread of the cache, one after the
 * other; it must not block for long. An absent payload: some may have been missed, so drop what you
 * know from them. `channel` is a constant of the program. */
void cache_listen(struct cache *cache, const char *channel, void (*hear)(void *arg, str payload),
                  void *arg);
/* After it has returned, `hear` is not called with `arg` any more. Not from within `hear`. */
void cache_unlisten(struct cache *cache, void *arg);
/* Up to CACHE_NEWS_SIZE_MAX bytes (asserted). Never blocks. */
void cache_publish(struct cache *cache, const char *channel, str payload);
