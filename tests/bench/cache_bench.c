/* bench/cache_bench.c - what a rate limit and the verdict on a token cost a request, with memory:
 * and with a Redis on this machine.
 *
 *     cache_bench [ROUNDS]
 *
 * Server, Redis and generator share the machine. Each figure is of one thread, but for "8 threads",
 * and the median of five runs. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "platform/cache/cache.h"
#include "services/identity/identity_fixture.h"
#include "services/identity/session_cache.h"
#include "support/redis.h"
#include "support/test.h"

enum { ROUNDS_STANDARD = 20000, REPEATS = 5, KEYS = 1000, THREADS = 8, BODY_SIZE = 4096 };

/* --- Two instances --- */

struct bench {
    struct redis_server redis;
    struct office one;
    struct office other;
    int rounds;
    const char *token;
};

static void open_bench(struct bench *bench, struct arena *arena, bool with_redis)
{
    /* A machine that is busy with measuring is no reason to give Redis up. */
    const char *settings[] = {"cache.url=memory:", "cache.deadline_ms=10000", NULL};

    if (with_redis) {
        redis_open(&bench->redis, arena, NULL, NULL);
        settings[0] = arena_printf(arena, "cache.url=%s", bench->redis.url).ptr;
    }
    identity_fixture_open_with(&bench->one, settings, NULL);
    identity_fixture_open_with(&bench->other, settings, bench->one.dir);
    office_await_gauge(&bench->one, "boxoffice_cache_up", 1);
    office_await_gauge(&bench->other, "boxoffice_cache_up", 1);
    const struct answer answer = identity_register(&bench->one, "ana@b.org", "12345678");
    bench->token = identity_token(&bench->one, &answer);
}

static void close_bench(struct bench *bench)
{
    office_close(&bench->other);
    office_close(&bench->one);
    redis_close(&bench->redis);
}

static struct cache *cache_of(struct bench *bench)
{
    return bench->one.node->cache;
}

/* --- What is measured: each gives ns for one --- */

static double take_one(struct bench *bench, int keys)
{
    static const struct bucket_limit limit = {.per_s = 1 << 20, .burst = 1 << 24};
    struct cache *cache = cache_of(bench);
    const int64_t began_ns = clock_stopwatch_ns();
    int wait_s = 0;

    for (int i = 0; i < bench->rounds; i++)
        CHECK_OK(cache_take(cache, (uint64_t)(i % keys) * 977, &limit, i, true, &wait_s));
    return (double)(clock_stopwatch_ns() - began_ns) / bench->rounds;
}

static double take_hot(struct bench *bench)
{
    return take_one(bench, 1);
}

static double take_many(struct bench *bench)
{
    return take_one(bench, KEYS);
}

static double get_on(struct bench *bench, int rounds)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(16384);
    const int64_t began_ns = clock_stopwatch_ns();

    for (int i = 0; i < rounds; i++) {
        str value = STR_ABSENT;

        CHECK_OK(cache_get(cache_of(bench), STR("body"), 0, arena, &value));
        CHECK_I64(BODY_SIZE, value.size);
        arena_reset(arena);
    }
    return (double)(clock_stopwatch_ns() - began_ns) / rounds;
}

static void put_body(struct bench *bench)
{
    static const char bytes[BODY_SIZE];
    const struct cache_value value = {
        STR("body"), 1, {bytes, sizeof(bytes)},
          3600000
    };

    cache_put(cache_of(bench), &value, 0, bench->one.arena);
}

static double get_one(struct bench *bench)
{
    put_body(bench);
    return get_on(bench, bench->rounds);
}

static void *run_getter(void *arg)
{
    struct bench *bench = arg;

    (void)get_on(bench, bench->rounds / THREADS);
    return NULL;
}

static double get_together(struct bench *bench)
{
    pthread_t threads[THREADS];

    put_body(bench);
    const int64_t began_ns = clock_stopwatch_ns();
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, run_getter, bench) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    return (double)(clock_stopwatch_ns() - began_ns) / bench->rounds;
}

static int64_t verify(struct bench *bench, struct office *office)
{
    CLEANUP(call_done) struct call call = {0};
    const struct identity_token_verify in = {.token = str_of(bench->token)};
    struct identity_token_verified ret = {0};

    identity_fixture_call(office, &call);
    const int64_t began_ns = clock_stopwatch_ns();
    CHECK_OK(identity_token_verify(&call, &in, &ret));
    return clock_stopwatch_ns() - began_ns;
}

static double verdict_here(struct bench *bench)
{
    int64_t sum_ns = 0;

    (void)verify(bench, &bench->one);
    for (int i = 0; i < bench->rounds; i++)
        sum_ns += verify(bench, &bench->one);
    return (double)sum_ns / bench->rounds;
}

/* The first instance asks the database each time, ... */
static double verdict_of_database(struct bench *bench)
{
    int64_t sum_ns = 0;

    for (int i = 0; i < bench->rounds / 10; i++) {
        clock_manual_advance(&bench->one.clock, SESSION_VERDICT_LIFE_MS);
        sum_ns += verify(bench, &bench->one);
    }
    return (double)sum_ns / (bench->rounds / 10); /* NOLINT(bugprone-integer-division) */
}

/* ... the other hears of it, if there is somewhere to. */
static double verdict_of_others(struct bench *bench)
{
    int64_t sum_ns = 0;

    bench->other.clock.now_ms = bench->one.clock.now_ms;
    for (int i = 0; i < bench->rounds / 10; i++) {
        clock_manual_advance(&bench->one.clock, SESSION_VERDICT_LIFE_MS);
        clock_manual_advance(&bench->other.clock, SESSION_VERDICT_LIFE_MS);
        (void)verify(bench, &bench->one);
        sum_ns += verify(bench, &bench->other);
    }
    return (double)sum_ns / (bench->rounds / 10); /* NOLINT(bugprone-integer-division) */
}

static const struct {
    const char *label;
    double (*run)(struct bench *bench);
} rows[] = {
    {"rate limit, one account",                take_hot           },
    {"rate limit, 1,000 accounts",             take_many          },
    {"verdict, in memory",                     verdict_here       },
    {"verdict, first to ask (database)",       verdict_of_database},
    {"verdict, another has asked",             verdict_of_others  },
    {"value of 4 KiB, one thread",             get_one            },
    {"value of 4 KiB, 8 threads, each of all", get_together       },
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

static void measure(struct bench *bench, double ret_ns[ROWS])
{
    for (size_t i = 0; i < ROWS; i++) {
        double runs[REPEATS];

        for (int j = 0; j < REPEATS; j++)
            runs[j] = rows[i].run(bench);
        qsort(runs, REPEATS, sizeof(runs[0]), compare);
        ret_ns[i] = runs[REPEATS / 2];
    }
}

int main(int argc, char **argv)
{
    double ns[2][ROWS];
    int64_t rounds = ROUNDS_STANDARD;

    if (argc > 1 && (!str_to_i64(str_of(argv[1]), &rounds) || rounds < 100 || rounds > 10000000)) {
        (void)fprintf(stderr, "usage: cache_bench [ROUNDS]\n");
        return 2;
    }
    for (int i = 0; i < 2; i++) {
        CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
        struct bench bench = {.rounds = (int)rounds};

        open_bench(&bench, arena, i == 1);
        measure(&bench, ns[i]);
        close_bench(&bench);
    }
    printf("%-42s %12s %12s\n", "us for one", "memory:", "redis:");
    for (size_t i = 0; i < ROWS; i++)
        printf("%-42s %12.3f %12.3f\n", rows[i].label, ns[0][i] / 1000, ns[1][i] / 1000);
    return 0;
}
