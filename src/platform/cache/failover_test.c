/* platform/cache/failover_test.c - real Sentinels, a master that dies, and the replica that takes over. */
#include <stdio.h>
#include <string.h>

#include "platform/cache/cache_fixture.h"
#include "support/test.h"

enum { DEADLINE_MS = 2000, DOWN_AFTER_MS = 500 };

struct lab {
    struct arena *arena;
    struct redis_server master;
    struct redis_server replica;
    struct redis_sentinels sentinels;
    struct peer peer;
    struct peer other;
};

static void close_lab(struct lab *lab)
{
    peer_close(&lab->peer);
    peer_close(&lab->other);
    redis_sentinels_close(&lab->sentinels);
    redis_close(&lab->replica);
    redis_close(&lab->master);
    arena_close(lab->arena);
}

static const char *with_password(struct lab *lab, const char *url)
{
    return arena_printf(lab->arena, "redis+sentinel://:pw@%s", url + strlen("redis+sentinel://"))
        .ptr;
}

TEST(the_replica_that_sentinels_chose_is_found)
{
    CLEANUP(close_lab) struct lab lab = {.arena = arena_open(0)};
    const char *options[] = {"--replicaof", NULL, NULL};

    redis_open(&lab.master, lab.arena, "pw", NULL);
    options[1] = arena_printf(lab.arena, "127.0.0.1 %d", lab.master.port).ptr;
    redis_open(&lab.replica, lab.arena, "pw", options);
    redis_sentinels_open(&lab.sentinels, lab.arena, "main", &lab.master, DOWN_AFTER_MS, 1);
    const char *url = with_password(&lab, lab.sentinels.url);
    peer_open(&lab.peer, url, DEADLINE_MS);
    peer_open(&lab.other, url, DEADLINE_MS);
    peer_await(&lab.peer, true);
    peer_await(&lab.other, true);
    peer_listen(&lab.other, "doors");
    peer_put(&lab.peer, "a", 1, "one");
    CHECK_STR("one", peer_get(&lab.peer, "a"));
    const str port = arena_printf(lab.arena, "port=%d", lab.master.port);
    CHECK_I64(1, peer_logged(&lab.peer, port.ptr));

    redis_kill(&lab.sentinels.servers[0]); /* the first to be asked */
    redis_kill(&lab.master);
    peer_await(&lab.peer, false);
    peer_await(&lab.other, false);
    peer_put(&lab.peer, "b", 1, "alone");
    CHECK_STR("alone", peer_get(&lab.peer, "b"));
    peer_advance_until_up(&lab.peer);
    peer_advance_until_up(&lab.other);
    const str new_port = arena_printf(lab.arena, "port=%d", lab.replica.port);
    CHECK_I64(1, peer_logged(&lab.peer, new_port.ptr));
    peer_await_heard(&lab.other, 1);
    CHECK_STR("-", str_of(lab.other.heard[0].text));

    peer_put(&lab.peer, "c", 1, "three");
    CHECK_STR("three", peer_get(&lab.peer, "c"));
    CHECK_STR("three", peer_get(&lab.other, "c"));
    cache_publish(lab.peer.cache, "doors", STR("news"));
    peer_await_heard(&lab.other, 2);
    CHECK_STR("news", str_of(lab.other.heard[1].text));
}

TEST(a_master_that_no_sentinel_knows_is_told_once)
{
    CLEANUP(close_lab) struct lab lab = {.arena = arena_open(0)};

    redis_open(&lab.master, lab.arena, NULL, NULL);
    redis_sentinels_open(&lab.sentinels, lab.arena, "main", &lab.master, DOWN_AFTER_MS, 0);
    const str url = arena_printf(lab.arena, "redis+sentinel://127.0.0.1:%d/other",
                                 lab.sentinels.servers[0].port);
    peer_open(&lab.peer, url.ptr, DEADLINE_MS);
    peer_await_logged(&lab.peer, "knows no master other");
    for (int i = 0; i < 20; i++)
        clock_manual_advance(&lab.peer.clock, 10000);
    CHECK_I64(1, peer_logged(&lab.peer, "cache."));
    CHECK(!cache_is_up(lab.peer.cache));
}
