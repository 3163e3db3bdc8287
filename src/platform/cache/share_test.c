/* platform/cache/share_test.c - rate limits over several instances: how exact they are, and that Redis
 * counts as we do. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

#include "platform/cache/bucket.h"
#include "platform/cache/cache_fixture.h"
#include "platform/cache/scripts.h"
#include "support/test.h"

enum { DEADLINE_MS = 10000, INSTANCES = 4, BURST = 800, PER_S = 100 };

static const struct bucket_limit limit = {.per_s = PER_S, .burst = BURST};

struct lab {
    struct arena *arena;
    struct redis_server redis;
    struct peer peers[INSTANCES];
};

static void close_lab(struct lab *lab)
{
    for (int i = 0; i < INSTANCES; i++)
        peer_close(&lab->peers[i]);
    redis_close(&lab->redis);
    arena_close(lab->arena);
}

static void open_lab(struct lab *lab)
{
    *lab = (struct lab){.arena = arena_open(0)};
    redis_open(&lab->redis, lab->arena, NULL, NULL);
    for (int i = 0; i < INSTANCES; i++)
        peer_open(&lab->peers[i], lab->redis.url, DEADLINE_MS);
    for (int i = 0; i < INSTANCES; i++)
        peer_await(&lab->peers[i], true);
}

struct taker {
    pthread_t thread;
    struct peer *peer;
    int64_t now_ms;
    int taken;
};

static void *take_all(void *arg)
{
    struct taker *taker = arg;
    int wait_s = 0;

    while (cache_take(taker->peer->cache, 99, &limit, taker->now_ms, true, &wait_s) == ERR_OK)
        taker->taken++;
    return NULL;
}

/* All instances take what they can, as fast as they can. */
static int take_together(struct lab *lab, int64_t now_ms)
{
    struct taker takers[INSTANCES];
    int taken = 0;

    for (int i = 0; i < INSTANCES; i++) {
        takers[i] = (struct taker){.peer = &lab->peers[i], .now_ms = now_ms};
        CHECK(pthread_create(&takers[i].thread, NULL, take_all, &takers[i]) == 0);
    }
    for (int i = 0; i < INSTANCES; i++) {
        CHECK(pthread_join(takers[i].thread, NULL) == 0);
        taken += takers[i].taken;
    }
    return taken;
}

TEST(all_instances_together_exceed_a_burst_by_a_slice_each_at_most)
{
    CLEANUP(close_lab) struct lab lab;

    open_lab(&lab);
    const int taken = take_together(&lab, 1000);
    CHECK(taken >= BURST);
    CHECK(taken <= BURST + INSTANCES * BURST / BUCKET_SLICES);
}

/* What was taken too much is paid back: over a minute no more flows out than flows in. */
TEST(in_the_long_run_nothing_is_exceeded)
{
    CLEANUP(close_lab) struct lab lab;
    int taken = 0;

    open_lab(&lab);
    for (int i = 0; i < 30; i++)
        taken += take_together(&lab, 1000 + i * 2000);
    CHECK(taken >= BURST + 29 * 2 * PER_S - INSTANCES * BURST / BUCKET_SLICES);
    CHECK(taken <= BURST + 29 * 2 * PER_S + INSTANCES * BURST / BUCKET_SLICES);
}

TEST(what_one_instance_has_taken_slowly_another_knows)
{
    CLEANUP(close_lab) struct lab lab;
    int wait_s = 0;
    int taken = 0;

    open_lab(&lab);
    for (int i = 0; i < BURST; i++)
        CHECK_OK(cache_take(lab.peers[0].cache, 99, &limit, 1000, true, &wait_s));
    CHECK_ERR(ERR_RATE_LIMITED, cache_take(lab.peers[0].cache, 99, &limit, 1000, true, &wait_s));
    while (cache_take(lab.peers[1].cache, 99, &limit, 1000, true, &wait_s) == ERR_OK)
        taken++;
    CHECK(taken <= BURST / BUCKET_SLICES);
}

TEST(without_redis_each_instance_keeps_the_limit_for_itself)
{
    CLEANUP(close_lab) struct lab lab;

    open_lab(&lab);
    redis_kill(&lab.redis);
    for (int i = 0; i < INSTANCES; i++)
        peer_await(&lab.peers[i], false);
    CHECK_I64((int64_t)INSTANCES * BURST, take_together(&lab, 1000));
}

/* --- The script counts as bucket_fill does --- */

static int64_t in_redis(struct lab *lab, const struct bucket_limit *of, int64_t at_ms,
                        int64_t taken)
{
    int64_t level = 0;
    const str text =
        redis_ask(&lab->redis, "EVAL %s 1 k %lld %d %d %lld", cache_scripts[SCRIPT_TAKE],
                  (long long)at_ms, of->per_s, of->burst, (long long)taken);

    CHECK(str_to_i64(text, &level));
    return level;
}

static int64_t in_c(struct bucket *bucket, const struct bucket_limit *of, int64_t at_ms,
                    int64_t taken)
{
    const int64_t lowest = -(int64_t)of->burst * BUCKET_MILLI;

    bucket_fill(bucket, of, at_ms);
    bucket->milli_tokens -= taken * BUCKET_MILLI;
    if (bucket->milli_tokens < lowest)
        bucket->milli_tokens = lowest;
    return bucket->milli_tokens;
}

TEST(redis_counts_as_we_do)
{
    static const int64_t steps_ms[] = {0,  1,     7,     100,    1000,    5000,
                                       -1, -5000, -9999, -20000, 86400000};
    CLEANUP(close_lab) struct lab lab;
    struct rng_seeded rng;
    int64_t now_ms = PEER_START_MS;
    struct bucket bucket = {BURST * BUCKET_MILLI, PEER_START_MS};

    open_lab(&lab);
    rng_seeded_init(&rng, 3);
    for (int i = 0; i < 500; i++) {
        const int64_t taken = (int64_t)rng_below(&rng.rng, 400);

        now_ms += steps_ms[rng_below(&rng.rng, sizeof(steps_ms) / sizeof(steps_ms[0]))];
        CHECK_I64(in_c(&bucket, &limit, now_ms, taken), in_redis(&lab, &limit, now_ms, taken));
    }
}

TEST(a_bucket_that_somebody_has_spoiled_is_full_again)
{
    CLEANUP(close_lab) struct lab lab;

    open_lab(&lab);
    CHECK_STR("OK", redis_ask(&lab.redis, "SET k %s", "nonsense"));
    CHECK_I64((BURST - 1) * BUCKET_MILLI, in_redis(&lab, &limit, 1000, 1));
    CHECK_STR("OK", redis_ask(&lab.redis, "SET k %s", "999999999999 9999999999999"));
    CHECK_I64((BURST - 1) * BUCKET_MILLI, in_redis(&lab, &limit, 1000, 1));
}
