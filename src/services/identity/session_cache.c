/* identity/session_cache.c - verdicts on access tokens in memory, so that a request need not ask
 * the database whose it is.
 *
 * Sharded by the token's hash. A shard's generation rises whenever a session ends: a verdict read
 * from the database before that is not put in after it, so a token is dead as soon as its logout
 * has been answered. A verdict counts for a second, so that one whose end was told to another
 * instance, or to none, is dead soon after. */
#include "services/identity/session_cache.h"

#include <pthread.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

struct shard {
    pthread_mutex_t lock;
    struct map *verdicts;
    uint64_t generation;
};

struct session_cache {
    struct shard shards[SESSION_CACHE_SHARDS];
};

static struct shard *shard_of(struct session_cache *cache, const struct token_hash *hash)
{
    return &cache->shards[hash->bytes[0] % SESSION_CACHE_SHARDS];
}

static str key_of(const struct token_hash *hash)
{
    return (str){(const char *)hash->bytes, sizeof(hash->bytes)};
}

static void free_verdict([[maybe_unused]] void *arg, [[maybe_unused]] str key, void *value)
{
    mem_free(value);
}

static void empty(struct shard *shard)
{
    map_each(shard->verdicts, free_verdict, NULL);
    map_close(shard->verdicts);
    shard->verdicts = NULL;
}

struct session_cache *session_cache_new(void)
{
    struct session_cache *cache = mem_new(struct session_cache);

    for (size_t i = 0; i < SESSION_CACHE_SHARDS; i++) {
        (void)pthread_mutex_init(&cache->shards[i].lock, NULL);
        cache->shards[i].verdicts = map_open();
    }
    return cache;
}

void session_cache_free(struct session_cache *cache)
{
    if (cache == NULL)
        return;
    for (size_t i = 0; i < SESSION_CACHE_SHARDS; i++) {
        empty(&cache->shards[i]);
        (void)pthread_mutex_destroy(&cache->shards[i].lock);
    }
    mem_free(cache);
}

bool session_cache_find(struct session_cache *cache, const struct token_hash *hash, int64_t now_ms,
                        struct identity_token_verified *ret, uint64_t *ret_generation)
{
    struct shard *shard = shard_of(cache, hash);

    (void)pthread_mutex_lock(&shard->lock);
    const struct session_seen *there = map_find(shard->verdicts, key_of(hash));
    const bool counts = there != NULL && session_verdict_counts(there->at_ms, now_ms);
    if (counts)
        *ret = there->verdict;
    *ret_generation = shard->generation;
    (void)pthread_mutex_unlock(&shard->lock);
    return counts;
}

void session_cache_put(struct session_cache *cache, const struct token_hash *hash,
                       const struct session_seen *seen, uint64_t generation)
{
    struct shard *shard = shard_of(cache, hash);

    (void)pthread_mutex_lock(&shard->lock);
    if (shard->generation == generation) {
        struct session_seen *copy = mem_new(struct session_seen);

        /* A full shard begins anew: the verdicts that are in use come back by themselves. */
        if (map_count(shard->verdicts) >= SESSION_CACHE_SHARD_MAX) {
            empty(shard);
            shard->verdicts = map_open();
        }
        *copy = *seen;
        mem_free(map_put(shard->verdicts, key_of(hash), copy));
    }
    (void)pthread_mutex_unlock(&shard->lock);
}

void session_cache_remove(struct session_cache *cache, const struct token_hash *hash)
{
    struct shard *shard = shard_of(cache, hash);

    (void)pthread_mutex_lock(&shard->lock);
    shard->generation++;
    mem_free(map_remove(shard->verdicts, key_of(hash)));
    (void)pthread_mutex_unlock(&shard->lock);
}

void session_cache_clear(struct session_cache *cache)
{
    for (size_t i = 0; i < SESSION_CACHE_SHARDS; i++) {
        struct shard *shard = &cache->shards[i];

        (void)pthread_mutex_lock(&shard->lock);
        shard->generation++;
        empty(shard);
        shard->verdicts = map_open();
        (void)pthread_mutex_unlock(&shard->lock);
    }
}
