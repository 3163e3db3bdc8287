/* platform/cache/bucket.h - token buckets of this instance, and what it owes the shared ones. For
 * this folder only.
 *
 * Alone, a bucket is exact. Shared, takes are counted here at once and told to the others a little
 * later (buckets_collect); the answer (buckets_settle) can only lower the level here. What has been
 * taken but not answered for is bounded by the slice: beyond it a take waits for the answer. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/cache/cache.h"

enum {
    BUCKET_CLOCK_BACK_MS = 10000, /* clocks of instances differ by less; see bucket_fill */
    BUCKET_SLICES = 16,           /* burst / 16 may be taken unanswered, at least 1 */
    BUCKET_SLOTS = 65536,
};

#define BUCKET_MILLI INT64_C(1000) /* a token, as levels are kept */

struct bucket {
    int64_t milli_tokens; /* negative: others have taken what was here, too */
    int64_t filled_ms;
};

/* What flowed in until now_ms. A clock that stands a little back fills nothing and changes nothing;
 * one that was set back counts from there. scripts.c does the same in Redis. */
void bucket_fill(struct bucket *bucket, const struct bucket_limit *limit, int64_t now_ms);

struct buckets;

/* A take that others should hear of soon calls wake(arg); it must not block. */
struct buckets *buckets_open(void (*wake)(void *arg), void *arg);
void buckets_close(struct buckets *buckets); /* NULL is accepted */

/* The contract of cache_take. */
err buckets_take(struct buckets *buckets, uint64_t key, const struct bucket_limit *limit,
                 int64_t now_ms, bool may_block, int *ret_wait_s);

/* --- Sharing; from one thread --- */

/* Off at first. Switched off, takes that wait go on alone. */
void buckets_share(struct buckets *buckets, bool shared);
/* Is anything to be collected, and does a take wait for it, or will soon? */
bool buckets_owe(struct buckets *buckets, bool *ret_urgent);

struct bucket_debt {
    uint64_t key;
    struct bucket_limit limit;
    int64_t at_ms;
    int64_t taken; /* tokens */
    uint32_t slot;
};
/* What was taken since the last time, up to `max` buckets; each is settled exactly once. */
size_t buckets_collect(struct buckets *buckets, struct bucket_debt *ret, size_t max);
/* `shared` as of debt->at_ms, with the debt taken; NULL: nobody answered, and the debt is void. */
void buckets_settle(struct buckets *buckets, const struct bucket_debt *debt,
                    const int64_t *shared_milli_tokens);
