/* platform/cache/cache_test.c - what both drivers promise: each test runs with memory: and with Redis. */
#include "platform/cache/cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "platform/cache/cache_fixture.h"
#include "support/test.h"

enum { DEADLINE_MS = 10000 }; /* none of these is about being late */

static void open_peer(struct peer *peer, const char *url)
{
    peer_open(peer, url, DEADLINE_MS);
    peer_await(peer, true);
}

/* --- Values --- */

static void try_values(const char *url)
{
    CLEANUP(peer_close) struct peer peer = {0};
    str value = STR_ABSENT;

    open_peer(&peer, url);
    CHECK(peer_get(&peer, "a").ptr == NULL);
    peer_put(&peer, "a", 1, "one");
    peer_put(&peer, "b", 1, "");
    CHECK_STR("one", peer_get(&peer, "a"));
    CHECK_STR("", peer_get(&peer, "b"));
    cache_remove(peer.cache, STR("a"));
    CHECK(peer_get(&peer, "a").ptr == NULL);
    CHECK_STR("", peer_get(&peer, "b"));

    const int64_t now_ms = peer_now(&peer);
    const struct cache_value binary = {STR("\0\xff\r\n"), 1, STR("\0x\r\n"), now_ms + 1};
    cache_put(peer.cache, &binary, now_ms, peer.arena);
    CHECK_OK(cache_get(peer.cache, STR("\0\xff\r\n"), now_ms, peer.arena, &value));
    CHECK(str_eq(STR("\0x\r\n"), value));
    CHECK_I64(4, peer_count(&peer, "boxoffice_cache_hits_total"));
    CHECK_I64(2, peer_count(&peer, "boxoffice_cache_misses_total"));
    CHECK_I64(0, peer_count(&peer, "boxoffice_cache_errors_total"));
}

TEST(what_was_put_is_given_until_it_is_removed)
{
    with_each_driver(try_values);
}

static void try_versions(const char *url)
{
    CLEANUP(peer_close) struct peer peer = {0};

    open_peer(&peer, url);
    peer_put(&peer, "a", 5, "five");
    peer_put(&peer, "a", 4, "four");
    CHECK_STR("five", peer_get(&peer, "a"));
    peer_put(&peer, "a", 5, "five again");
    CHECK_STR("five again", peer_get(&peer, "a"));
    peer_put(&peer, "a", 10, "ten"); /* as numbers, not as texts */
    peer_put(&peer, "a", 9, "nine");
    CHECK_STR("ten", peer_get(&peer, "a"));
    peer_put(&peer, "a", UINT64_MAX, "last");
    peer_put(&peer, "a", UINT64_MAX - 1, "but one");
    CHECK_STR("last", peer_get(&peer, "a"));
    cache_remove(peer.cache, STR("a"));
    peer_put(&peer, "a", 0, "first");
    CHECK_STR("first", peer_get(&peer, "a"));
}

TEST(an_older_version_never_replaces_a_newer_one)
{
    with_each_driver(try_versions);
}

static void try_expiry(const char *url)
{
    CLEANUP(peer_close) struct peer peer = {0};

    open_peer(&peer, url);
    peer_put(&peer, "a", 5, "five"); /* for 60 s */
    clock_manual_advance(&peer.clock, 59999);
    CHECK_STR("five", peer_get(&peer, "a"));
    clock_manual_advance(&peer.clock, 1);
    CHECK(peer_get(&peer, "a").ptr == NULL);
    peer_put(&peer, "a", 4, "four"); /* expired is not forgotten */
    CHECK(peer_get(&peer, "a").ptr == NULL);
    peer_put(&peer, "a", 5, "five");
    CHECK_STR("five", peer_get(&peer, "a"));
    const struct cache_value expired = {STR("a"), 6, STR("six"), peer_now(&peer)};
    cache_put(peer.cache, &expired, peer_now(&peer), peer.arena);
    CHECK(peer_get(&peer, "a").ptr == NULL); /* the way to take a value back */
}

TEST(a_value_expires_by_the_clock_of_who_asks)
{
    with_each_driver(try_expiry);
}

static void try_sizes(const char *url)
{
    CLEANUP(peer_close) struct peer peer = {0};
    char key[CACHE_KEY_SIZE_MAX];
    str value = STR_ABSENT;

    open_peer(&peer, url);
    char *bytes = arena_alloc(peer.arena, CACHE_VALUE_SIZE_MAX);
    for (size_t i = 0; i < CACHE_VALUE_SIZE_MAX; i++)
        bytes[i] = (char)(i * 31 / 7);
    memset(key, 'k', sizeof(key));
    const str longest = {key, sizeof(key)};
    const str largest = {bytes, CACHE_VALUE_SIZE_MAX};
    const struct cache_value put = {longest, 1, largest, 1000};
    cache_put(peer.cache, &put, 0, peer.arena);
    CHECK_OK(cache_get(peer.cache, longest, 0, peer.arena, &value));
    CHECK(str_eq(largest, value));
    CHECK_ERR(ERR_NOT_FOUND,
              cache_get(peer.cache, str_slice(longest, 1, longest.size), 0, peer.arena, &value));
}

TEST(the_largest_value_under_the_longest_key_comes_back_whole)
{
    with_each_driver(try_sizes);
}

struct later {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int count;
    err e;
    str value;
};

static void note_later(void *arg, err e, str value)
{
    struct later *later = arg;

    (void)pthread_mutex_lock(&later->lock);
    later->count++;
    later->e = e;
    later->value = value;
    (void)pthread_cond_signal(&later->changed);
    (void)pthread_mutex_unlock(&later->lock);
}

static void await_later(struct later *later, int count)
{
    (void)pthread_mutex_lock(&later->lock);
    while (later->count < count)
        (void)pthread_cond_wait(&later->changed, &later->lock);
    (void)pthread_mutex_unlock(&later->lock);
}

static void try_later(const char *url)
{
    CLEANUP(peer_close) struct peer peer = {0};
    struct later later = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

    open_peer(&peer, url);
    peer_put(&peer, "a", 1, "one");
    cache_get_later(peer.cache, STR("a"), peer_now(&peer), peer.arena, note_later, &later);
    await_later(&later, 1);
    CHECK_OK(later.e);
    CHECK_STR("one", later.value);
    cache_get_later(peer.cache, STR("b"), peer_now(&peer), peer.arena, note_later, &later);
    await_later(&later, 2);
    CHECK_ERR(ERR_NOT_FOUND, later.e);
    CHECK(later.value.ptr == NULL);
    CHECK_I64(1, peer_count(&peer, "boxoffice_cache_hits_total"));
    CHECK_I64(1, peer_count(&peer, "boxoffice_cache_misses_total"));
}

TEST(who_cannot_wait_is_called_back_once)
{
    with_each_driver(try_later);
}

/* --- Many at once --- */

enum { HANDS = 4, ROUNDS = 300 };

struct hand {
    pthread_t thread;
    struct peer *peer;
    int number;
    _Atomic int wrong;
};

/* Each writes rising versions of one key, of which the value is the version, and reads: what it
 * reads is never older than what it has put itself. */
static void *put_and_get(void *arg)
{
    struct hand *hand = arg;
    struct arena *arena = arena_open(0);

    for (int i = 0; i < ROUNDS; i++) {
        const int version = i * HANDS + hand->number;
        const struct cache_value put = {STR("k"), (unsigned)version,
                                        arena_printf(arena, "%d", version), 1000};
        str value = STR_ABSENT;
        int64_t found = -1;

        cache_put(hand->peer->cache, &put, 0, arena);
        if (cache_get(hand->peer->cache, STR("k"), 0, arena, &value) != ERR_OK ||
            !str_to_i64(value, &found) || found < version)
            hand->wrong++;
        arena_reset(arena);
    }
    arena_close(arena);
    return NULL;
}

static void try_many(const char *url)
{
    CLEANUP(peer_close) struct peer peer = {0};
    struct hand hands[HANDS];

    open_peer(&peer, url);
    for (int i = 0; i < HANDS; i++) {
        hands[i] = (struct hand){.peer = &peer, .number = i};
        CHECK(pthread_create(&hands[i].thread, NULL, put_and_get, &hands[i]) == 0);
    }
    for (int i = 0; i < HANDS; i++) {
        CHECK(pthread_join(hands[i].thread, NULL) == 0);
        CHECK_I64(0, hands[i].wrong);
    }
    str value = STR_ABSENT;
    CHECK_OK(cache_get(peer.cache, STR("k"), 0, peer.arena, &value));
    CHECK_STR(arena_printf(peer.arena, "%d", ROUNDS * HANDS - 1).ptr, value);
}

TEST(many_hands_on_one_key_never_see_it_go_back)
{
    with_each_driver(try_many);
}

/* --- Rate limits --- */

static void try_rate(const char *url)
{
    static const struct bucket_limit limit = {.per_s = 10, .burst = 50};
    CLEANUP(peer_close) struct peer peer = {0};
    int wait_s = 0;

    open_peer(&peer, url);
    for (int i = 0; i < 50; i++)
        CHECK_OK(cache_take(peer.cache, 42, &limit, 1000, true, &wait_s));
    CHECK_ERR(ERR_RATE_LIMITED, cache_take(peer.cache, 42, &limit, 1000, true, &wait_s));
    CHECK_I64(1, wait_s);
    CHECK_OK(cache_take(peer.cache, 43, &limit, 1000, true, &wait_s));
    for (int64_t now_ms = 1100; now_ms <= 3000; now_ms += 100) {
        CHECK_OK(cache_take(peer.cache, 42, &limit, now_ms, true, &wait_s));
        CHECK_ERR(ERR_RATE_LIMITED, cache_take(peer.cache, 42, &limit, now_ms, true, &wait_s));
    }
}

TEST(one_instance_keeps_a_limit_exactly)
{
    with_each_driver(try_rate);
}

/* --- News --- */

static void try_news(const char *url)
{
    CLEANUP(peer_close) struct peer peer = {0};
    const bool shared = strcmp(url, "memory:") != 0;
    int first = 0;

    open_peer(&peer, url);
    cache_publish(peer.cache, "doors", STR("nobody listens"));
    peer_listen(&peer, "doors");
    cache_publish(peer.cache, "doors", STR("one"));
    cache_publish(peer.cache, "windows", STR("other"));
    cache_publish(peer.cache, "doors", STR(""));
    cache_publish(peer.cache, "doors", STR("two"));
    peer_await_heard(&peer, 3);
    CHECK_STR("one", str_of(peer.heard[first].text));
    CHECK_STR("", str_of(peer.heard[first + 1].text));
    CHECK_STR("two", str_of(peer.heard[first + 2].text));
    if (shared) /* what Redis sends back of it is not heard twice */
        CHECK(peer_get(&peer, "nothing").ptr == NULL);
    cache_unlisten(peer.cache, &peer);
    cache_publish(peer.cache, "doors", STR("three"));
    peer_close_cache(&peer);
    CHECK_I64(3, peer.heard_count);
}

TEST(news_are_heard_by_who_listens_once_and_in_order)
{
    with_each_driver(try_news);
}
