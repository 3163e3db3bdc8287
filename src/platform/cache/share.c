/* platform/cache/share.c - rate limits over all instances: takes are counted here at once, and
 * told to Redis every 100 ms, or as soon as half a slice has been taken.
 *
 * One script call for up to BATCH buckets, so that a busy instance costs Redis ten calls a second
 * and not one a request. */
#include <assert.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "platform/cache/private.h"
#include "platform/metrics/metrics.h"

enum { BATCH = 100, NUMBERS = 4 /* of each bucket */, NUMBER_SIZE = 24 };
#define SETTLE_EVERY_NS INT64_C(100000000)

struct batch {
    struct cache *cache;
    size_t count;
    struct bucket_debt debts[BATCH];
};

/* What the command is made of, until it is sent. */
struct words {
    struct cache_name names[BATCH];
    char numbers[BATCH][NUMBERS][NUMBER_SIZE];
};

static void end_batch(void *arg, const redisReply *reply)
{
    struct batch *batch = arg;
    const bool answered =
        reply != NULL && reply->type == REDIS_REPLY_ARRAY && reply->elements == batch->count;

    for (size_t i = 0; i < batch->count; i++) {
        const bool is_level = answered && reply->element[i]->type == REDIS_REPLY_INTEGER;
        const int64_t level = is_level ? reply->element[i]->integer : 0;

        buckets_settle(batch->cache->buckets, &batch->debts[i], is_level ? &level : NULL);
    }
    mem_free(batch);
}

static void write_debt(struct cache *cache, const struct bucket_debt *debt,
                       struct cache_name *ret_name, char ret_numbers[NUMBERS][NUMBER_SIZE])
{
    const int64_t numbers[NUMBERS] = {debt->at_ms, debt->limit.per_s, debt->limit.burst,
                                      debt->taken};

    *ret_name = cache_name_of(cache, 'b', (str){(const char *)&debt->key, sizeof(debt->key)});
    for (int i = 0; i < NUMBERS; i++)
        (void)snprintf(ret_numbers[i], NUMBER_SIZE, "%" PRId64, numbers[i]);
}

static void send_batch(struct cache *cache, struct batch *batch)
{
    struct words words;
    struct order order;
    char count[NUMBER_SIZE];

    order.seconds = cache->meter.take_seconds;
    order.done = end_batch;
    order.arg = batch;
    order.count = 0;
    (void)snprintf(count, sizeof(count), "%zu", batch->count);
    order_add_script(&order, cache->link, SCRIPT_TAKE);
    order_add(&order, str_of(count));
    for (size_t i = 0; i < batch->count; i++) {
        write_debt(cache, &batch->debts[i], &words.names[i], words.numbers[i]);
        order_add(&order, str_of(words.names[i].text));
    }
    for (size_t i = 0; i < batch->count; i++)
        for (int j = 0; j < NUMBERS; j++)
            order_add(&order, str_of(words.numbers[i][j]));
    if (!link_send(cache->link, &order))
        end_batch(batch, NULL);
}

/* True: there may be more. */
static bool collect_and_send(struct cache *cache)
{
    struct batch *batch = mem_new(struct batch);
    const size_t count = buckets_collect(cache->buckets, batch->debts, BATCH);

    batch->cache = cache;
    batch->count = count;
    if (count > 0)
        send_batch(cache, batch);
    else
        mem_free(batch);
    return count == BATCH;
}

int64_t cache_settle(void *arg, int64_t now_ns)
{
    struct cache *cache = arg;
    bool urgent = false;

    static_assert(3 + BATCH * (1 + NUMBERS) <= LINK_ARGS_MAX);
    if (!buckets_owe(cache->buckets, &urgent))
        return INT64_MAX;
    if (!urgent && now_ns - cache->settled_ns < SETTLE_EVERY_NS)
        return cache->settled_ns + SETTLE_EVERY_NS;
    cache->settled_ns = now_ns;
    while (collect_and_send(cache))
        ;
    return INT64_MAX; /* the next debt wakes the link */
}

err cache_take(struct cache *cache, uint64_t key, const struct bucket_limit *limit, int64_t now_ms,
               bool may_block, int *ret_wait_s)
{
    return buckets_take(cache->buckets, key, limit, now_ms, may_block, ret_wait_s);
}
