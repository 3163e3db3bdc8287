/* platform/cache/cache_fixture.c - see cache_fixture.h. */
#include "platform/cache/cache_fixture.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "platform/crypto/crypto.h"
#include "platform/log/log.h"
#include "support/test.h"

enum { PATIENCE_MS = 30000 };

static void sleep_a_moment(void)
{
    const struct timespec moment = {.tv_nsec = 1000000};

    (void)nanosleep(&moment, NULL);
}

void peer_open(struct peer *peer, const char *url, int64_t deadline_ms)
{
    static _Atomic uint64_t seed = 1;
    str why = STR_ABSENT;

    *peer = (struct peer){.arena = arena_open(0), .metrics = metrics_open()};
    clock_manual_init(&peer->clock, PEER_START_MS);
    rng_seeded_init(&peer->rng, atomic_fetch_add(&seed, 1));
    CHECK_OK(keyring_open_memory(7, &peer->keyring));
    peer->log_fd = memfd_create("log", MFD_CLOEXEC);
    CHECK(peer->log_fd >= 0);
    peer->log = log_open(peer->log_fd, LOG_INFO, &peer->clock.clock);
    const struct cache_options options = {
        .url = str_of(url),
        .deadline_ms = deadline_ms,
        .memory_size = CACHE_MEMORY_SIZE_MIN,
        .clock = &peer->clock.clock,
        .rng = &peer->rng.rng,
        .keyring = peer->keyring,
        .log = peer->log,
        .metrics = peer->metrics,
    };
    CHECK_OK(cache_open(&options, peer->arena, &peer->cache, &why));
}

void peer_close_cache(struct peer *peer)
{
    cache_close(peer->cache);
    peer->cache = NULL;
}

void peer_close(struct peer *peer)
{
    if (peer->arena == NULL)
        return;
    peer_close_cache(peer);
    log_close(peer->log);
    (void)close(peer->log_fd);
    metrics_close(peer->metrics);
    keyring_close(peer->keyring);
    arena_close(peer->arena);
    peer->arena = NULL;
}

void peer_await(struct peer *peer, bool up)
{
    for (int i = 0; i < PATIENCE_MS && cache_is_up(peer->cache) != up; i++)
        sleep_a_moment();
    CHECK_I64(up, cache_is_up(peer->cache));
}

void peer_advance_until_up(struct peer *peer)
{
    for (int i = 0; i < PATIENCE_MS && !cache_is_up(peer->cache); i++) {
        clock_manual_advance(&peer->clock, 100);
        sleep_a_moment();
    }
    CHECK(cache_is_up(peer->cache));
}

void peer_advance_until_logged(struct peer *peer, const char *text)
{
    for (int i = 0; i < PATIENCE_MS && peer_logged(peer, text) == 0; i++) {
        clock_manual_advance(&peer->clock, 100);
        sleep_a_moment();
    }
    CHECK(peer_logged(peer, text) > 0);
}

int64_t peer_now(const struct peer *peer)
{
    return clock_now_ms(&peer->clock.clock);
}

void peer_put(struct peer *peer, const char *key, uint64_t version, const char *value)
{
    const int64_t now_ms = peer_now(peer);

    const struct cache_value put = {str_of(key), version, str_of(value), now_ms + 60000};

    cache_put(peer->cache, &put, now_ms, peer->arena);
}

str peer_get(struct peer *peer, const char *key)
{
    str value = STR_ABSENT;
    const err e = cache_get(peer->cache, str_of(key), peer_now(peer), peer->arena, &value);

    if (e != ERR_OK)
        CHECK_ERR(ERR_NOT_FOUND, e);
    CHECK((e == ERR_OK) == (value.ptr != NULL));
    return value;
}

static void hear(void *arg, str payload)
{
    struct peer *peer = arg;
    const int at = peer->heard_count;
    const str text = payload.ptr != NULL ? payload : STR("-");

    if (at == PEER_NEWS_MAX)
        return;
    (void)snprintf(peer->heard[at].text, sizeof(peer->heard[at].text), "%.*s", STR_ARG(text));
    peer->heard_count = at + 1;
}

void peer_listen(struct peer *peer, const char *channel)
{
    cache_listen(peer->cache, channel, hear, peer);
}

void peer_await_heard(struct peer *peer, int count)
{
    for (int i = 0; i < PATIENCE_MS && peer->heard_count < count; i++)
        sleep_a_moment();
    CHECK_I64(count, peer->heard_count);
}

int64_t peer_count(struct peer *peer, const char *name)
{
    const bool is_gauge = strstr(name, "_total") == NULL;

    return metric_value(is_gauge ? metrics_gauge(peer->metrics, name, NULL, "")
                                 : metrics_counter(peer->metrics, name, NULL, ""));
}

int peer_logged(struct peer *peer, const char *text)
{
    const off_t size = lseek(peer->log_fd, 0, SEEK_END);
    int count = 0;

    CHECK(size >= 0);
    char *all = arena_alloc(peer->arena, (size_t)size + 1);
    CHECK(pread(peer->log_fd, all, (size_t)size, 0) == size);
    for (const char *at = all; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

void peer_await_logged(struct peer *peer, const char *text)
{
    for (int i = 0; i < PATIENCE_MS && peer_logged(peer, text) == 0; i++)
        sleep_a_moment();
    CHECK(peer_logged(peer, text) > 0);
}

void with_each_driver(void (*run)(const char *url))
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    CLEANUP(redis_close) struct redis_server redis = {0};

    run("memory:");
    redis_open(&redis, arena, "a b:c", NULL);
    run(arena_printf(arena, "redis://:a%%20b%%3Ac@127.0.0.1:%d/3", redis.port).ptr);
}
