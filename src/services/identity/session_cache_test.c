/* identity/session_cache_test.c - what is kept, what is not kept any more, and how much. */
#include "services/identity/session_cache.h"

#include <pthread.h>
#include <stdatomic.h>

#include "support/test.h"

enum { HANDS = 4, ROUNDS = 20000, NOW_MS = 1000000 };

static void close_cache(struct session_cache **cache)
{
    session_cache_free(*cache);
}

static struct token_hash hash_of(int number, uint8_t shard)
{
    struct token_hash hash = {.bytes = {shard}};

    for (int i = 0; i < 4; i++)
        hash.bytes[4 + i] = (uint8_t)((unsigned)number >> (8 * i));
    return hash;
}

static struct session_seen seen_with(int64_t expires_at_ms)
{
    return (struct session_seen){
        .verdict = {.role = ROLE_CUSTOMER, .expires_at_ms = expires_at_ms},
        .at_ms = NOW_MS,
    };
}

/* Reads a generation and keeps the verdict, as one who asked the database between the two. */
static void keep(struct session_cache *cache, const struct token_hash *hash, int64_t expires_at_ms)
{
    const struct session_seen seen = seen_with(expires_at_ms);
    struct identity_token_verified found = {0};
    uint64_t generation = 0;

    (void)session_cache_find(cache, hash, NOW_MS, &found, &generation);
    session_cache_put(cache, hash, &seen, generation);
}

static bool knows(struct session_cache *cache, const struct token_hash *hash, int64_t expires_at_ms)
{
    struct identity_token_verified found = {0};
    uint64_t generation = 0;

    return session_cache_find(cache, hash, NOW_MS, &found, &generation) &&
           found.expires_at_ms == expires_at_ms;
}

TEST(a_verdict_is_kept_until_it_is_removed)
{
    CLEANUP(close_cache) struct session_cache *cache = session_cache_new();
    const struct token_hash one = hash_of(1, 0);
    const struct token_hash two = hash_of(2, 0);

    CHECK(!knows(cache, &one, 10));
    keep(cache, &one, 10);
    keep(cache, &two, 20);
    CHECK(knows(cache, &one, 10));
    CHECK(knows(cache, &two, 20));
    keep(cache, &one, 11); /* replaced, not doubled */
    CHECK(knows(cache, &one, 11));
    session_cache_remove(cache, &one);
    CHECK(!knows(cache, &one, 11));
    CHECK(knows(cache, &two, 20));
    session_cache_remove(cache, &one); /* what is not there can be removed */
}

TEST(a_verdict_counts_for_a_second_and_never_from_the_future)
{
    static const struct {
        int64_t now_ms;
        bool counts;
    } cases[] = {
        {NOW_MS - 1,                           false},
        {NOW_MS,                               true },
        {NOW_MS + SESSION_VERDICT_LIFE_MS - 1, true },
        {NOW_MS + SESSION_VERDICT_LIFE_MS,     false},
    };
    CLEANUP(close_cache) struct session_cache *cache = session_cache_new();
    const struct token_hash one = hash_of(1, 0);

    keep(cache, &one, 10);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct identity_token_verified found = {0};
        uint64_t generation = 0;

        CHECK_I64(cases[i].counts,
                  session_cache_find(cache, &one, cases[i].now_ms, &found, &generation));
    }
}

TEST(after_a_clearing_nothing_is_known_and_nothing_older_comes_back)
{
    CLEANUP(close_cache) struct session_cache *cache = session_cache_new();
    const struct session_seen seen = seen_with(10);

    for (int i = 0; i < SESSION_CACHE_SHARDS; i++) {
        const struct token_hash hash = hash_of(1, (uint8_t)i);
        struct identity_token_verified found = {0};
        uint64_t before = 0;

        keep(cache, &hash, 10);
        CHECK(session_cache_find(cache, &hash, NOW_MS, &found, &before));
        session_cache_clear(cache);
        CHECK(!knows(cache, &hash, 10));
        session_cache_put(cache, &hash, &seen, before);
        CHECK(!knows(cache, &hash, 10));
    }
}

TEST(what_was_read_before_a_session_ended_is_not_kept_after_it)
{
    CLEANUP(close_cache) struct session_cache *cache = session_cache_new();
    const struct token_hash one = hash_of(1, 0);
    const struct session_seen seen = seen_with(10);
    struct identity_token_verified found = {0};
    uint64_t before = 0;

    CHECK(!session_cache_find(cache, &one, NOW_MS, &found, &before));
    session_cache_remove(cache, &one); /* its logout is answered */
    session_cache_put(cache, &one, &seen, before);
    CHECK(!knows(cache, &one, 10));
    keep(cache, &one, 10); /* who asks from now on may keep what he hears */
    CHECK(knows(cache, &one, 10));
}

TEST(the_end_of_a_session_concerns_its_shard_alone)
{
    CLEANUP(close_cache) struct session_cache *cache = session_cache_new();
    const struct session_seen seen = seen_with(10);
    struct identity_token_verified found = {0};
    uint64_t generations[SESSION_CACHE_SHARDS];

    for (int i = 0; i < SESSION_CACHE_SHARDS; i++) {
        const struct token_hash hash = hash_of(1, (uint8_t)i);
        CHECK(!session_cache_find(cache, &hash, NOW_MS, &found, &generations[i]));
    }
    const struct token_hash ended = hash_of(2, 3);
    session_cache_remove(cache, &ended);
    for (int i = 0; i < SESSION_CACHE_SHARDS; i++) {
        const struct token_hash hash = hash_of(1, (uint8_t)i);
        session_cache_put(cache, &hash, &seen, generations[i]);
        CHECK_I64(i != 3, knows(cache, &hash, 10));
    }
}

TEST(a_full_shard_begins_anew_and_the_others_stay)
{
    CLEANUP(close_cache) struct session_cache *cache = session_cache_new();
    const struct token_hash elsewhere = hash_of(1, 1);

    keep(cache, &elsewhere, 1);
    for (int i = 0; i < SESSION_CACHE_SHARD_MAX; i++) {
        const struct token_hash hash = hash_of(i, 0);
        keep(cache, &hash, i);
    }
    for (int i = 0; i < SESSION_CACHE_SHARD_MAX; i++) {
        const struct token_hash hash = hash_of(i, 0);
        CHECK(knows(cache, &hash, i));
    }
    const struct token_hash one_more = hash_of(SESSION_CACHE_SHARD_MAX, 0);
    keep(cache, &one_more, 7);
    CHECK(knows(cache, &one_more, 7));
    for (int i = 0; i < SESSION_CACHE_SHARD_MAX; i++) {
        const struct token_hash hash = hash_of(i, 0);
        CHECK(!knows(cache, &hash, i));
    }
    CHECK(knows(cache, &elsewhere, 1));
}

/* --- Many at once --- */

struct hand {
    pthread_t thread;
    struct session_cache *cache;
    _Atomic bool *is_ended; /* of the session, as the database would say */
};

/* One who verifies: looks, asks the "database", keeps what it said. */
static void *verify(void *arg)
{
    const struct hand *hand = arg;
    const struct token_hash hash = hash_of(1, 0);
    const struct session_seen seen = seen_with(10);

    for (int i = 0; i < ROUNDS; i++) {
        struct identity_token_verified found = {0};
        uint64_t generation = 0;

        if (session_cache_find(hand->cache, &hash, NOW_MS, &found, &generation))
            continue;
        if (!*hand->is_ended)
            session_cache_put(hand->cache, &hash, &seen, generation);
    }
    return NULL;
}

TEST(no_race_keeps_a_dead_session)
{
    for (int round = 0; round < 10; round++) {
        CLEANUP(close_cache) struct session_cache *cache = session_cache_new();
        const struct token_hash hash = hash_of(1, 0);
        struct hand hands[HANDS];
        _Atomic bool is_ended = false;

        for (size_t i = 0; i < HANDS; i++) {
            hands[i] = (struct hand){.cache = cache, .is_ended = &is_ended};
            CHECK(pthread_create(&hands[i].thread, NULL, verify, &hands[i]) == 0);
        }
        while (!knows(cache, &hash, 10))
            ;
        is_ended = true; /* the commit ... */
        session_cache_remove(cache, &hash);
        for (int i = 0; i < 100; i++)
            CHECK(!knows(cache, &hash, 10));
        for (size_t i = 0; i < HANDS; i++)
            CHECK(pthread_join(hands[i].thread, NULL) == 0);
        CHECK(!knows(cache, &hash, 10));
    }
}
