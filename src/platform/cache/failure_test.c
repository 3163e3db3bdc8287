/* platform/cache/failure_test.c - a Redis that is killed, stopped, slow, locked or not there costs speed
 * only, once, and is found again. */
#include <string.h>

#include "platform/cache/cache_fixture.h"
#include "platform/cache/link.h"
#include "support/test.h"

enum { DEADLINE_MS = 300, FAST_CALLS = 1000, PATIENT_MS = 10000 };

struct lab {
    struct arena *arena;
    struct redis_server redis;
    struct peer peer;
};

static void close_lab(struct lab *lab)
{
    peer_close(&lab->peer);
    redis_close(&lab->redis);
    arena_close(lab->arena);
}

static void open_lab(struct lab *lab, int64_t deadline_ms)
{
    *lab = (struct lab){.arena = arena_open(0)};
    redis_open(&lab->redis, lab->arena, NULL, NULL);
    peer_open(&lab->peer, lab->redis.url, deadline_ms);
    peer_await(&lab->peer, true);
    peer_listen(&lab->peer, "doors");
    peer_put(&lab->peer, "before", 7, "in redis");
    CHECK_STR("in redis", peer_get(&lab->peer, "before"));
    CHECK_I64(1, peer_count(&lab->peer, "boxoffice_cache_up"));
}

/* It has noticed: from now on this process is its own cache, and no call waits. */
static void check_alone(struct lab *lab)
{
    struct peer *peer = &lab->peer;
    int wait_s = 0;

    CHECK(!cache_is_up(peer->cache) && cache_is_shared(peer->cache));
    CHECK_I64(0, peer_count(peer, "boxoffice_cache_up"));
    CHECK(peer_get(peer, "before").ptr == NULL);
    const int64_t began_ns = clock_stopwatch_ns();
    for (int i = 0; i < FAST_CALLS; i++) {
        const struct bucket_limit limit = {.per_s = 1, .burst = 2 * FAST_CALLS};

        peer_put(peer, "meanwhile", (uint64_t)i, "here");
        CHECK_STR("here", peer_get(peer, "meanwhile"));
        CHECK_OK(cache_take(peer->cache, 1, &limit, 0, false, &wait_s));
        cache_publish(peer->cache, "nobody", STR("x"));
    }
    CHECK(clock_stopwatch_ns() - began_ns < FAST_CALLS * INT64_C(1000000)); /* 1 ms for all four */
    cache_publish(peer->cache, "doors", STR("own"));
    peer_await_heard(peer, 1);
    CHECK_STR("own", str_of(peer->heard[0].text));
}

/* It is back: values are shared again, and listeners know that they missed some. */
static void check_together(struct lab *lab)
{
    struct peer *peer = &lab->peer;

    peer_advance_until_up(peer);
    peer_await_heard(peer, 2);
    CHECK_STR("-", str_of(peer->heard[1].text));
    CHECK(peer_get(peer, "meanwhile").ptr == NULL);
    peer_put(peer, "after", 1, "in redis");
    CHECK_STR("in redis", peer_get(peer, "after"));
    CHECK_I64(1, peer_count(peer, "boxoffice_cache_up"));
    CHECK_I64(1, peer_logged(peer, "cache.down"));
    CHECK_I64(2, peer_logged(peer, "cache.up"));
    CHECK_I64(0, peer_logged(peer, "cache.refused"));
}

TEST(a_killed_redis_is_noticed_by_itself_and_found_again)
{
    CLEANUP(close_lab) struct lab lab;

    open_lab(&lab, PATIENT_MS);
    redis_kill(&lab.redis);
    peer_await(&lab.peer, false); /* without a call */
    check_alone(&lab);
    redis_start(&lab.redis);
    check_together(&lab);
}

TEST(a_redis_that_is_restarted_has_lost_everything_and_nothing_breaks)
{
    CLEANUP(close_lab) struct lab lab;

    open_lab(&lab, PATIENT_MS);
    redis_kill(&lab.redis);
    redis_start(&lab.redis);
    peer_await(&lab.peer, false);
    check_alone(&lab);
    check_together(&lab);
    CHECK(peer_get(&lab.peer, "before").ptr == NULL);
    peer_put(&lab.peer, "before", 1, "an older one"); /* the version went, too */
    CHECK_STR("an older one", peer_get(&lab.peer, "before"));
}

TEST(a_stopped_redis_costs_one_deadline)
{
    CLEANUP(close_lab) struct lab lab;

    open_lab(&lab, DEADLINE_MS);
    redis_pause(&lab.redis);
    const int64_t began_ns = clock_stopwatch_ns();
    CHECK(peer_get(&lab.peer, "before").ptr == NULL);
    const int64_t took_ms = (clock_stopwatch_ns() - began_ns) / 1000000;
    CHECK(took_ms < INT64_C(5) * DEADLINE_MS); /* the machine may be busy */
    peer_await(&lab.peer, false);
    check_alone(&lab);
    for (int i = 0; i < 5; i++) { /* connections are accepted by the kernel, but nobody is there */
        clock_manual_advance(&lab.peer.clock, 30000);
        CHECK(!cache_is_up(lab.peer.cache));
    }
    redis_resume(&lab.redis);
    check_together(&lab);
}

TEST(a_stopped_redis_is_noticed_while_nobody_asks)
{
    CLEANUP(close_lab) struct lab lab;

    open_lab(&lab, DEADLINE_MS);
    redis_pause(&lab.redis);
    peer_await(&lab.peer, false);
    redis_resume(&lab.redis);
}

TEST(a_slow_redis_is_as_good_as_none)
{
    CLEANUP(close_lab) struct lab lab;

    open_lab(&lab, DEADLINE_MS);
    CHECK_STR("OK", redis_ask(&lab.redis, "CLIENT PAUSE %d ALL", 8 * DEADLINE_MS));
    CHECK(peer_get(&lab.peer, "before").ptr == NULL);
    peer_await(&lab.peer, false);
    check_alone(&lab);
    check_together(&lab);
}

TEST(a_redis_that_is_not_there_at_the_start_is_no_reason_not_to)
{
    CLEANUP(close_lab) struct lab lab = {.arena = arena_open(0)};

    redis_open(&lab.redis, lab.arena, NULL, NULL);
    redis_kill(&lab.redis);
    peer_open(&lab.peer, lab.redis.url, PATIENT_MS);
    peer_put(&lab.peer, "a", 1, "here");
    CHECK_STR("here", peer_get(&lab.peer, "a"));
    for (int i = 0; i < 20; i++)
        clock_manual_advance(&lab.peer.clock, 10000);
    redis_start(&lab.redis);
    peer_advance_until_up(&lab.peer);
    CHECK_I64(1, peer_logged(&lab.peer, "cache.down"));
    CHECK(peer_get(&lab.peer, "a").ptr == NULL);
}

TEST(a_wrong_password_is_one_line_in_the_log_and_no_secret_in_it)
{
    CLEANUP(close_lab) struct lab lab = {.arena = arena_open(0)};

    redis_open(&lab.redis, lab.arena, "right", NULL);
    const str url = arena_printf(lab.arena, "redis://:wrong@127.0.0.1:%d", lab.redis.port);
    peer_open(&lab.peer, url.ptr, PATIENT_MS);
    peer_await_logged(&lab.peer, "cache.refused");
    for (int i = 0; i < 20; i++) {
        clock_manual_advance(&lab.peer.clock, 10000);
        peer_put(&lab.peer, "a", 1, "here");
        CHECK_STR("here", peer_get(&lab.peer, "a"));
    }
    CHECK_STR("OK", redis_ask(&lab.redis, "CONFIG SET requirepass wrong"));
    peer_advance_until_up(&lab.peer);
    CHECK_I64(1, peer_logged(&lab.peer, "cache.refused"));
    CHECK_I64(1, peer_logged(&lab.peer, "WRONGPASS"));
    CHECK_I64(0, peer_logged(&lab.peer, "wrong"));
    CHECK_I64(0, peer_logged(&lab.peer, "cache.down"));
}

TEST(a_user_with_a_password_signs_in)
{
    CLEANUP(close_lab) struct lab lab = {.arena = arena_open(0)};

    redis_open(&lab.redis, lab.arena, NULL, NULL);
    CHECK_STR("OK", redis_ask(&lab.redis,
                              "ACL SETUSER box on >pw ~bo:* &boxoffice:* +@all -@dangerous +role"));
    CHECK_STR("OK", redis_ask(&lab.redis, "CONFIG SET requirepass other"));
    const str url = arena_printf(lab.arena, "redis://box:pw@127.0.0.1:%d/2", lab.redis.port);
    peer_open(&lab.peer, url.ptr, PATIENT_MS);
    peer_await(&lab.peer, true);
    peer_put(&lab.peer, "a", 1, "one");
    CHECK_STR("one", peer_get(&lab.peer, "a"));
}

TEST(scripts_that_were_flushed_are_loaded_again)
{
    CLEANUP(close_lab) struct lab lab;

    open_lab(&lab, PATIENT_MS);
    CHECK_STR("OK", redis_ask(&lab.redis, "SCRIPT FLUSH"));
    peer_put(&lab.peer, "a", 1, "lost");
    peer_await(&lab.peer, false);
    peer_advance_until_up(&lab.peer);
    peer_put(&lab.peer, "a", 1, "one");
    CHECK_STR("one", peer_get(&lab.peer, "a"));
}

TEST(a_redis_that_has_become_a_replica_is_left)
{
    CLEANUP(close_lab) struct lab lab;

    open_lab(&lab, PATIENT_MS);
    CHECK_STR("OK", redis_ask(&lab.redis, "REPLICAOF 127.0.0.1 1"));
    peer_put(&lab.peer, "a", 1, "lost");
    peer_await(&lab.peer, false);
    peer_advance_until_logged(&lab.peer, "it is a replica");
    CHECK_STR("OK", redis_ask(&lab.redis, "REPLICAOF NO ONE"));
    peer_advance_until_up(&lab.peer);
}

TEST(a_full_redis_refuses_values_and_stays)
{
    CLEANUP(close_lab) struct lab lab;

    open_lab(&lab, PATIENT_MS);
    CHECK_STR("OK", redis_ask(&lab.redis, "CONFIG SET maxmemory 1"));
    peer_put(&lab.peer, "a", 1, "refused");
    CHECK(peer_get(&lab.peer, "a").ptr == NULL);
    CHECK(cache_is_up(lab.peer.cache));
    CHECK_I64(1, peer_count(&lab.peer, "boxoffice_cache_errors_total"));
}

TEST(more_orders_than_may_wait_are_refused_and_the_rest_is_done)
{
    CLEANUP(close_lab) struct lab lab;

    open_lab(&lab, PATIENT_MS);
    redis_pause(&lab.redis);
    for (int i = 0; i < LINK_ORDERS_MAX + 100; i++)
        cache_publish(lab.peer.cache, "nobody", STR("x"));
    CHECK(peer_count(&lab.peer, "boxoffice_cache_errors_total") >= 100);
    redis_resume(&lab.redis);
    while (peer_get(&lab.peer, "before").ptr == NULL)
        ;
    CHECK(cache_is_up(lab.peer.cache));
}

TEST(closing_sends_what_was_put)
{
    CLEANUP(close_lab) struct lab lab;
    CLEANUP(peer_close) struct peer other = {0};

    open_lab(&lab, PATIENT_MS);
    peer_open(&other, lab.redis.url, PATIENT_MS);
    peer_await(&other, true);
    for (int i = 0; i < 100; i++)
        peer_put(&lab.peer, "last", (uint64_t)i, "word");
    peer_put(&lab.peer, "last", 100, "very last");
    peer_close_cache(&lab.peer);
    CHECK_STR("very last", peer_get(&other, "last"));
}
