/* platform/cache/trust_test.c - what somebody with the password of Redis can read, and what he can do. */
#include <string.h>

#include "platform/cache/cache_fixture.h"
#include "platform/cache/connect.h"
#include "platform/metrics/spent.h"
#include "support/test.h"

enum { DEADLINE_MS = 10000 };

struct lab {
    struct arena *arena;
    struct redis_server redis;
    struct peer peer;
    struct peer other;
};

static void close_lab(struct lab *lab)
{
    peer_close(&lab->peer);
    peer_close(&lab->other);
    redis_close(&lab->redis);
    arena_close(lab->arena);
}

static void open_lab(struct lab *lab)
{
    *lab = (struct lab){.arena = arena_open(0)};
    redis_open(&lab->redis, lab->arena, NULL, NULL);
    peer_open(&lab->peer, lab->redis.url, DEADLINE_MS);
    peer_open(&lab->other, lab->redis.url, DEADLINE_MS);
    peer_await(&lab->peer, true);
    peer_await(&lab->other, true);
}

static bool holds(str all, const char *text)
{
    return all.ptr != NULL && memmem(all.ptr, all.size, text, strlen(text)) != NULL;
}

TEST(instances_see_each_others_values)
{
    CLEANUP(close_lab) struct lab lab;

    open_lab(&lab);
    peer_put(&lab.peer, "a", 2, "two");
    CHECK_STR("two", peer_get(&lab.peer, "a"));
    CHECK_STR("two", peer_get(&lab.other, "a"));
    peer_put(&lab.other, "a", 1, "one");
    CHECK_STR("two", peer_get(&lab.other, "a"));
    cache_remove(lab.other.cache, STR("a"));
    CHECK(peer_get(&lab.other, "a").ptr == NULL);
    CHECK(peer_get(&lab.peer, "a").ptr == NULL);
}

TEST(who_waited_for_redis_has_spent_time_on_the_cache)
{
    CLEANUP(close_lab) struct lab lab;
    int64_t spent_ns[SPENT_KINDS];

    open_lab(&lab);
    spent_take(spent_ns);
    CHECK(peer_get(&lab.peer, "a").ptr == NULL);
    spent_take(spent_ns);
    CHECK(spent_ns[SPENT_CACHE] > 0);
    CHECK_I64(0, spent_ns[SPENT_DATABASE]);
}

TEST(neither_keys_nor_values_can_be_read)
{
    CLEANUP(close_lab) struct lab lab;

    open_lab(&lab);
    peer_put(&lab.peer, "token", 1, "ana@example.org");
    CHECK_STR("ana@example.org", peer_get(&lab.peer, "token"));
    const str name = redis_ask(&lab.redis, "KEYS *");
    CHECK(str_starts(name, STR("bo:v:")) && name.size == 37);
    CHECK(!holds(name, "token"));
    const str raw = redis_ask(&lab.redis, "GET %s", name.ptr);
    CHECK(raw.size > 20 && !holds(raw, "ana") && !holds(raw, "example"));
}

TEST(a_value_cannot_be_made_changed_moved_or_made_newer)
{
    CLEANUP(close_lab) struct lab lab;

    open_lab(&lab);
    peer_put(&lab.peer, "a", 1, "one");
    CHECK_STR("one", peer_get(&lab.peer, "a"));
    const str name = redis_ask(&lab.redis, "KEYS *");
    const str raw = redis_ask(&lab.redis, "GET %s", name.ptr);
    char *changed = arena_alloc(lab.arena, raw.size);

    for (size_t i = 0; i < raw.size; i++) { /* version, envelope, each byte of them */
        memcpy(changed, raw.ptr, raw.size);
        changed[i] ^= 1;
        CHECK_STR("OK", redis_ask(&lab.redis, "SET %s %b", name.ptr, changed, raw.size));
        CHECK(peer_get(&lab.peer, "a").ptr == NULL);
        CHECK_STR("OK", redis_ask(&lab.redis, "SET %s %b", name.ptr, raw.ptr, i));
        CHECK(peer_get(&lab.peer, "a").ptr == NULL);
    }
    CHECK_STR("OK", redis_ask(&lab.redis, "SET %s %b", name.ptr, raw.ptr, raw.size));
    CHECK_STR("one", peer_get(&lab.peer, "a"));

    peer_put(&lab.peer, "b", 1, "other");
    CHECK_STR("other", peer_get(&lab.peer, "b"));
    const str both = redis_ask(&lab.redis, "KEYS *");
    str rest = both;
    str one = STR_ABSENT;
    while (str_split(&rest, ' ', &one))
        (void)redis_ask(&lab.redis, "SET %b %b", one.ptr, one.size, raw.ptr, raw.size);
    CHECK_STR("one", peer_get(&lab.peer, "a"));
    CHECK(peer_get(&lab.peer, "b").ptr == NULL);
    CHECK(cache_is_up(lab.peer.cache));
    CHECK(peer_count(&lab.peer, "boxoffice_cache_errors_total") > 0);
}

TEST(a_value_of_another_type_is_a_miss)
{
    CLEANUP(close_lab) struct lab lab;

    open_lab(&lab);
    peer_put(&lab.peer, "a", 1, "one");
    CHECK_STR("one", peer_get(&lab.peer, "a"));
    const str name = redis_ask(&lab.redis, "KEYS *");
    CHECK_STR("1", redis_ask(&lab.redis, "DEL %s", name.ptr));
    CHECK_STR("1", redis_ask(&lab.redis, "RPUSH %s x", name.ptr));
    CHECK(peer_get(&lab.peer, "a").ptr == NULL);
    peer_put(&lab.peer, "a", 2, "two");
    CHECK(peer_get(&lab.peer, "a").ptr == NULL);
    CHECK(cache_is_up(lab.peer.cache));
}

TEST(news_reach_all_instances_and_cannot_be_made)
{
    CLEANUP(close_lab) struct lab lab;
    const char *forged[] = {"", "x", "0123456789abcdef01234567\005doorsforged", NULL};

    open_lab(&lab);
    peer_listen(&lab.peer, "doors");
    peer_listen(&lab.other, "doors");
    for (int i = 0; forged[i] != NULL; i++)
        CHECK_STR("2", redis_ask(&lab.redis, "PUBLISH %s %s", CACHE_CHANNEL, forged[i]));
    cache_publish(lab.peer.cache, "doors", STR("one"));
    peer_await_heard(&lab.other, 1);
    peer_await_heard(&lab.peer, 1);
    cache_publish(lab.other.cache, "doors", STR("two"));
    peer_await_heard(&lab.peer, 2);
    peer_await_heard(&lab.other, 2);
    CHECK_STR("one", str_of(lab.other.heard[0].text));
    CHECK_STR("two", str_of(lab.other.heard[1].text));
    CHECK_STR("one", str_of(lab.peer.heard[0].text));
    CHECK_STR("two", str_of(lab.peer.heard[1].text));
}
