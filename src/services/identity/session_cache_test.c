/* identity/session_cache_test.c - what is kept, what is not kept any more, and how much. */
#include "services/identity/session_cache.h"

#include <pthread.h>
#include <stdatomic.h>

#include "support/test.h"

enum { HANDS = 4, ROUNDS = 20000 };

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

static struct identity_token_verified verdict_of(int64_t expires_at_ms)
{
    return (struct identity_token_verified){.role = ROLE_CUSTOMER, .expires_at_ms = expires_at_ms};
}

/* Reads a generation and keeps the verdict, as one who asked the database between the two. */
static void keep(struct session_cache *cache, const struct token_hash *hash, int64_t expires_at_ms)
{
    const struct identity_token_verified verdict = verdict_of(expires_at_ms);
    struct identity_token_verified found = {0};
    uint64_t generation = 0;

    (void)session_cache_find(cache, hash, &found, &generation);
    session_cache_put(cache, hash, &verdict, generation);
}

static bool knows(struct session_cache *cache, const struct token_hash *hash, int64_t expires_at_ms)
{
    struct identity_token_verified found = {0};
    uint64_t generation = 0;

    return session_cache_find(cache, hash, &found, &generation) &&
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

TEST(what_was_read_before_a_session_ended_is_not_kept_after_it)
{
    CLEANUP(close_cache) struct session_cache *cache = session_cache_new();
    const struct token_hash one = hash_of(1, 0);
    const struct identity_token_verified verdict = verdict_of(10);
    struct identity_token_verified found = {0};
    uint64_t before = 0;

    CHECK(!session_cache_find(cache, &one, &found, &before));
    session_cache_remove(cache, &one); /* its logout is answered */
    session_cache_put(cache, &one, &verdict, before);
    CHECK(!knows(cache, &one, 10));
    keep(cache, &one, 10); /* who asks from now on may keep what he hears */
    CHECK(knows(cache, &one, 10));
}

TEST(the_end_of_a_session_concerns_its_shard_alone)
{
    CLEANUP(close_cache) struct session_cache *cache = session_cache_new();
    const struct identity_token_verified verdict = verdict_of(10);
    struct identity_token_verified found = {0};
    uint64_t generations[SESSION_CACHE_SHARDS];

    for (int i = 0; i < SESSION_CACHE_SHARDS; i++) {
        const struct token_hash hash = hash_of(1, (uint8_t)i);
        CHECK(!session_cache_find(cache, &hash, &found, &generations[i]));
    }
    const struct token_hash ended = hash_of(2, 3);
    session_cache_remove(cache, &ended);
    for (int i = 0; i < SESSION_CACHE_SHARDS; i++) {
        const struct token_hash hash = hash_of(1, (uint8_t)i);
        session_cache_put(cache, &hash, &verdict, generations[i]);
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
    const struct identity_token_verified verdict = verdict_of(10);

    for (int i = 0; i < ROUNDS; i++) {
        struct identity_token_verified found = {0};
        uint64_t generation = 0;

        if (session_cache_find(hand->cache, &hash, &found, &generation))
            continue;
        if (!*hand->is_ended)
            session_cache_put(hand->cache, &hash, &verdict, generation);
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
