/* platform/cache/bucket.c - the buckets lie in a fixed table, one slot a hash; a lock guards a
 * stripe of them. Slots with a debt are listed once, in `owing`.
 *
 *   take -> unsent --collect--> unanswered --settle--> known to all
 *            (and the slot is listed)
 *
 * Locks: a stripe's before that of the list. */
#include "platform/cache/bucket.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "platform/metrics/spent.h"

enum { STRIPES = 64 };

struct slot {
    uint64_t key; /* 0: free */
    struct bucket bucket;
    struct bucket_limit limit;
    int32_t unsent;     /* tokens */
    int32_t unanswered; /* tokens */
    bool is_listed;
};

struct stripe {
    pthread_mutex_t lock;
    pthread_cond_t settled;
};

struct buckets {
    void (*wake)(void *arg);
    void *arg;
    _Atomic bool is_shared;
    _Atomic bool is_urgent;
    pthread_mutex_t list_lock;
    size_t owing_count;
    uint32_t owing[BUCKET_SLOTS];
    struct stripe stripes[STRIPES];
    struct slot slots[BUCKET_SLOTS];
};

/* --- Rules: no I/O --- */

void bucket_fill(struct bucket *bucket, const struct bucket_limit *limit, int64_t now_ms)
{
    const int64_t full = (int64_t)limit->burst * BUCKET_MILLI;
    const int64_t passed_ms = now_ms - bucket->filled_ms;

    if (passed_ms < 0) {
        if (passed_ms < -BUCKET_CLOCK_BACK_MS)
            bucket->filled_ms = now_ms;
        return;
    }
    /* By division first: what has passed may be more than can be multiplied. */
    if (passed_ms >= (full - bucket->milli_tokens) / limit->per_s + 1)
        bucket->milli_tokens = full;
    else
        bucket->milli_tokens += passed_ms * limit->per_s;
    if (bucket->milli_tokens > full)
        bucket->milli_tokens = full;
    bucket->filled_ms = now_ms;
}

static int wait_s(const struct slot *slot)
{
    const int64_t missing = BUCKET_MILLI - slot->bucket.milli_tokens;
    const int64_t missing_ms = (missing + slot->limit.per_s - 1) / slot->limit.per_s;

    return (int)((missing_ms + 999) / 1000);
}

static int32_t slice_of(const struct slot *slot)
{
    return slot->limit.burst > BUCKET_SLICES ? slot->limit.burst / BUCKET_SLICES : 1;
}

static int32_t unconfirmed(const struct slot *slot)
{
    return slot->unsent + slot->unanswered;
}

/* --- The table --- */

struct buckets *buckets_open(void (*wake)(void *arg), void *arg)
{
    struct buckets *buckets = mem_new(struct buckets);

    buckets->wake = wake;
    buckets->arg = arg;
    (void)pthread_mutex_init(&buckets->list_lock, NULL);
    for (size_t i = 0; i < STRIPES; i++) {
        (void)pthread_mutex_init(&buckets->stripes[i].lock, NULL);
        (void)pthread_cond_init(&buckets->stripes[i].settled, NULL);
    }
    return buckets;
}

void buckets_close(struct buckets *buckets)
{
    if (buckets == NULL)
        return;
    for (size_t i = 0; i < STRIPES; i++) {
        (void)pthread_cond_destroy(&buckets->stripes[i].settled);
        (void)pthread_mutex_destroy(&buckets->stripes[i].lock);
    }
    (void)pthread_mutex_destroy(&buckets->list_lock);
    mem_free(buckets);
}

static struct stripe *stripe_of(struct buckets *buckets, size_t slot)
{
    return &buckets->stripes[slot % STRIPES];
}

/* The key's slot as it is now. A newcomer finds a full bucket, and no debt but a listed slot stays
 * listed. */
static struct slot *occupy(struct buckets *buckets, uint64_t key, const struct bucket_limit *limit,
                           int64_t now_ms)
{
    struct slot *slot = &buckets->slots[key % BUCKET_SLOTS];

    if (slot->key != (key | 1)) {
        const bool is_listed = slot->is_listed;

        *slot = (struct slot){.key = key | 1, .is_listed = is_listed};
        slot->bucket = (struct bucket){(int64_t)limit->burst * BUCKET_MILLI, now_ms};
    }
    slot->limit = *limit;
    bucket_fill(&slot->bucket, limit, now_ms);
    return slot;
}

/* Counts the token for the others. */
static void owe(struct buckets *buckets, struct slot *slot)
{
    bool wake = false;

    slot->unsent++;
    const bool urgent = slot->unsent >= (slice_of(slot) + 1) / 2;
    if (!slot->is_listed) {
        slot->is_listed = true;
        (void)pthread_mutex_lock(&buckets->list_lock);
        wake = buckets->owing_count == 0;
        buckets->owing[buckets->owing_count++] = (uint32_t)(slot - buckets->slots);
        (void)pthread_mutex_unlock(&buckets->list_lock);
    }
    if (urgent && !atomic_exchange(&buckets->is_urgent, true))
        wake = true;
    if (wake)
        buckets->wake(buckets->arg);
}

/* Waits until so little is unanswered that one more may be taken. The slot may be another's then. */
static void await_settled(struct buckets *buckets, struct stripe *stripe, const struct slot *slot)
{
    const uint64_t key = slot->key;
    const int64_t began_ns = clock_stopwatch_ns();

    while (slot->key == key && unconfirmed(slot) >= slice_of(slot) &&
           atomic_load(&buckets->is_shared)) {
        if (slot->unsent > 0 && !atomic_exchange(&buckets->is_urgent, true))
            buckets->wake(buckets->arg);
        (void)pthread_cond_wait(&stripe->settled, &stripe->lock);
    }
    spent_add(SPENT_CACHE, clock_stopwatch_ns() - began_ns);
}

err buckets_take(struct buckets *buckets, uint64_t key, const struct bucket_limit *limit,
                 int64_t now_ms, bool may_block, int *ret_wait_s)
{
    struct stripe *stripe = stripe_of(buckets, key % BUCKET_SLOTS);
    err e = ERR_OK;

    (void)pthread_mutex_lock(&stripe->lock);
    struct slot *slot = occupy(buckets, key, limit, now_ms);
    const bool must_wait = atomic_load(&buckets->is_shared) &&
                           slot->bucket.milli_tokens >= BUCKET_MILLI &&
                           unconfirmed(slot) >= slice_of(slot);
    if (must_wait && may_block) {
        await_settled(buckets, stripe, slot);
        slot = occupy(buckets, key, limit, now_ms);
    }
    if (slot->bucket.milli_tokens < BUCKET_MILLI) {
        *ret_wait_s = wait_s(slot);
        e = ERR_RATE_LIMITED;
    } else if (must_wait && !may_block) {
        e = ERR_WOULD_BLOCK;
    } else {
        slot->bucket.milli_tokens -= BUCKET_MILLI;
        if (atomic_load(&buckets->is_shared))
            owe(buckets, slot);
    }
    (void)pthread_mutex_unlock(&stripe->lock);
    return e;
}

/* --- Sharing --- */

void buckets_share(struct buckets *buckets, bool shared)
{
    atomic_store(&buckets->is_shared, shared);
    if (shared)
        return;
    for (size_t i = 0; i < STRIPES; i++) {
        (void)pthread_mutex_lock(&buckets->stripes[i].lock);
        (void)pthread_cond_broadcast(&buckets->stripes[i].settled);
        (void)pthread_mutex_unlock(&buckets->stripes[i].lock);
    }
}

bool buckets_owe(struct buckets *buckets, bool *ret_urgent)
{
    (void)pthread_mutex_lock(&buckets->list_lock);
    const bool owes = buckets->owing_count > 0;
    (void)pthread_mutex_unlock(&buckets->list_lock);
    *ret_urgent = atomic_load(&buckets->is_urgent);
    return owes;
}

static bool unlist(struct buckets *buckets, uint32_t *ret_index)
{
    (void)pthread_mutex_lock(&buckets->list_lock);
    const bool any = buckets->owing_count > 0;
    if (any)
        *ret_index = buckets->owing[--buckets->owing_count];
    (void)pthread_mutex_unlock(&buckets->list_lock);
    return any;
}

size_t buckets_collect(struct buckets *buckets, struct bucket_debt *ret, size_t max)
{
    uint32_t index = 0;
    size_t count = 0;

    atomic_store(&buckets->is_urgent, false); /* first: what comes from now on wakes again */
    while (count < max && unlist(buckets, &index)) {
        struct stripe *stripe = stripe_of(buckets, index);
        struct slot *slot = &buckets->slots[index];

        (void)pthread_mutex_lock(&stripe->lock);
        slot->is_listed = false;
        /* What has flowed in again since is forgiven: it may have been taken long ago. */
        const int64_t full = (int64_t)slot->limit.burst * BUCKET_MILLI;
        const int64_t missing =
            (full - slot->bucket.milli_tokens + BUCKET_MILLI - 1) / BUCKET_MILLI;
        const int32_t taken = slot->unsent < missing ? slot->unsent : (int32_t)missing;
        slot->unsent = 0;
        if (taken > 0) {
            slot->unanswered += taken;
            ret[count++] = (struct bucket_debt){
                .key = (slot->key & ~UINT64_C(1)) | (index & 1), /* as it was given */
                .limit = slot->limit,
                .at_ms = slot->bucket.filled_ms,
                .taken = taken,
                .slot = index,
            };
        }
        (void)pthread_mutex_unlock(&stripe->lock);
    }
    return count;
}

void buckets_settle(struct buckets *buckets, const struct bucket_debt *debt,
                    const int64_t *shared_milli_tokens)
{
    struct stripe *stripe = stripe_of(buckets, debt->slot);
    struct slot *slot = &buckets->slots[debt->slot];

    (void)pthread_mutex_lock(&stripe->lock);
    if (slot->key == (debt->key | 1)) {
        slot->unanswered -= (int32_t)debt->taken;
        if (slot->unanswered < 0) /* the slot was another's meanwhile */
            slot->unanswered = 0;
        if (shared_milli_tokens != NULL) {
            struct bucket shared = {*shared_milli_tokens, debt->at_ms};

            bucket_fill(&shared, &slot->limit, slot->bucket.filled_ms);
            shared.milli_tokens -= (int64_t)(slot->unsent + slot->unanswered) * BUCKET_MILLI;
            if (shared.milli_tokens < slot->bucket.milli_tokens)
                slot->bucket.milli_tokens = shared.milli_tokens;
        }
        (void)pthread_cond_broadcast(&stripe->settled);
    }
    (void)pthread_mutex_unlock(&stripe->lock);
}
