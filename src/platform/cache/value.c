/* platform/cache/value.c - values: sealed on their way to Redis, and what is trusted on the way
 * back.
 *
 * In Redis a value is its version in 20 digits, then the envelope (platform/crypto) of the expiry,
 * 8 bytes big-endian, and the bytes. The envelope's context is the key and the version, so that a
 * value can neither be moved nor be made newer. */
#include <assert.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "platform/cache/private.h"
#include "platform/crypto/crypto.h"
#include "platform/metrics/metrics.h"
#include "platform/metrics/spent.h"

enum { EXPIRY_SIZE = 8, TTL_GRACE_MS = 1000 };
#define TTL_MAX_MS (INT64_C(30) * 86400 * 1000)

struct version_text {
    char text[CACHE_VERSION_SIZE + 1];
};

static struct version_text version_text(uint64_t version)
{
    struct version_text text;

    (void)snprintf(text.text, sizeof(text.text), "%020" PRIu64, version);
    return text;
}

static str context_of(struct arena *arena, const struct cache_name *name, const char *version)
{
    return arena_printf(arena, "cache/%s/%.*s", name->text, CACHE_VERSION_SIZE, version);
}

static str seal(struct cache *cache, const struct cache_name *name, const char *version, str value,
                int64_t expires_at_ms, struct arena *scratch)
{
    char *plain = arena_alloc(scratch, EXPIRY_SIZE + value.size);

    for (int i = 0; i < EXPIRY_SIZE; i++)
        plain[i] = (char)((uint64_t)expires_at_ms >> (56 - 8 * i));
    if (value.size > 0)
        memcpy(plain + EXPIRY_SIZE, value.ptr, value.size);
    return keyring_seal(cache->options.keyring, cache->options.rng, scratch,
                        context_of(scratch, name, version), (str){plain, EXPIRY_SIZE + value.size});
}

/* `raw` as it is in Redis. ERR_NOT_FOUND: forged, or expired. */
static err unseal(struct cache *cache, const struct cache_name *name, str raw, int64_t now_ms,
                  struct arena *arena, str *ret)
{
    uint64_t expires_at_ms = 0;
    str plain = STR_ABSENT;

    if (raw.size < CACHE_VERSION_SIZE ||
        keyring_unseal(cache->options.keyring, arena, context_of(arena, name, raw.ptr),
                       str_slice(raw, CACHE_VERSION_SIZE, raw.size), &plain) != ERR_OK ||
        plain.size < EXPIRY_SIZE) {
        metric_add(cache->meter.errors, 1);
        return ERR_NOT_FOUND;
    }
    for (int i = 0; i < EXPIRY_SIZE; i++)
        expires_at_ms = expires_at_ms << 8 | (uint8_t)plain.ptr[i];
    if ((int64_t)expires_at_ms <= now_ms)
        return ERR_NOT_FOUND;
    *ret = str_slice(plain, EXPIRY_SIZE, plain.size);
    return ERR_OK;
}

static err counted(struct cache *cache, err e)
{
    metric_add(e == ERR_OK ? cache->meter.hits : cache->meter.misses, 1);
    return e;
}

/* --- Asking --- */

static bool send_get(struct cache *cache, const struct cache_name *name,
                     void (*done)(void *arg, const redisReply *reply), void *arg)
{
    struct order order;

    order.seconds = cache->meter.get_seconds;
    order.done = done;
    order.arg = arg;
    order.count = 0;
    order_add(&order, STR("GET"));
    order_add(&order, str_of(name->text));
    return link_send(cache->link, &order);
}

static str raw_of(const redisReply *reply, struct arena *arena)
{
    if (reply == NULL || reply->type != REDIS_REPLY_STRING)
        return STR_ABSENT;
    return arena_str(arena, (str){reply->str, reply->len});
}

static err get_here(struct cache *cache, const struct cache_name *name, int64_t now_ms,
                    struct arena *arena, str *ret)
{
    const bool found = memory_get(cache->memory, str_of(name->text), now_ms, arena, ret);

    return counted(cache, found ? ERR_OK : ERR_NOT_FOUND);
}

struct wait {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_done;
    struct arena *arena; /* of who waits, who does nothing else meanwhile */
    str raw;
};

static void end_wait(void *arg, const redisReply *reply)
{
    struct wait *wait = arg;

    (void)pthread_mutex_lock(&wait->lock);
    wait->raw = raw_of(reply, wait->arena);
    wait->is_done = true;
    (void)pthread_cond_signal(&wait->changed);
    (void)pthread_mutex_unlock(&wait->lock);
}

err cache_get(struct cache *cache, str key, int64_t now_ms, struct arena *arena, str *ret)
{
    const struct cache_name name = cache_name_of(cache, 'v', key);
    struct wait wait = {.lock = PTHREAD_MUTEX_INITIALIZER,
                        .changed = PTHREAD_COND_INITIALIZER,
                        .arena = arena,
                        .raw = STR_ABSENT};

    if (cache->link == NULL || !send_get(cache, &name, end_wait, &wait))
        return get_here(cache, &name, now_ms, arena, ret);
    const int64_t began_ns = clock_stopwatch_ns();
    (void)pthread_mutex_lock(&wait.lock);
    while (!wait.is_done) /* the link ends every order, by its deadline at the latest */
        (void)pthread_cond_wait(&wait.changed, &wait.lock);
    (void)pthread_mutex_unlock(&wait.lock);
    spent_add(SPENT_CACHE, clock_stopwatch_ns() - began_ns);
    if (wait.raw.ptr == NULL)
        return counted(cache, ERR_NOT_FOUND);
    return counted(cache, unseal(cache, &name, wait.raw, now_ms, arena, ret));
}

struct ask {
    struct cache *cache;
    struct cache_name name;
    int64_t now_ms;
    struct arena *arena;
    void (*done)(void *arg, err e, str value);
    void *arg;
};

static void end_ask(void *arg, const redisReply *reply)
{
    const struct ask *ask = arg;
    const str raw = raw_of(reply, ask->arena);
    str value = STR_ABSENT;
    err e = ERR_NOT_FOUND;

    if (raw.ptr != NULL)
        e = unseal(ask->cache, &ask->name, raw, ask->now_ms, ask->arena, &value);
    ask->done(ask->arg, counted(ask->cache, e), value);
}

void cache_get_later(struct cache *cache, str key, int64_t now_ms, struct arena *arena,
                     void (*done)(void *arg, err e, str value), void *arg)
{
    struct ask *ask = arena_new(arena, struct ask);
    str value = STR_ABSENT;

    *ask = (struct ask){
        .cache = cache,
        .name = cache_name_of(cache, 'v', key),
        .now_ms = now_ms,
        .arena = arena,
        .done = done,
        .arg = arg,
    };
    if (cache->link != NULL && send_get(cache, &ask->name, end_ask, ask))
        return;
    const err e = get_here(cache, &ask->name, now_ms, arena, &value);
    done(arg, e, value);
}

/* --- Telling --- */

static bool send_put(struct cache *cache, const struct cache_name *name, const char *version,
                     str sealed, int64_t ttl_ms)
{
    struct order order;
    char ttl[24];

    order.seconds = cache->meter.put_seconds;
    order.done = NULL;
    order.arg = NULL;
    order.count = 0;
    (void)snprintf(ttl, sizeof(ttl), "%" PRId64, ttl_ms);
    order_add_script(&order, cache->link, SCRIPT_PUT);
    order_add(&order, STR("1"));
    order_add(&order, str_of(name->text));
    order_add(&order, str_of(version));
    order_add(&order, sealed);
    order_add(&order, str_of(ttl));
    return link_send(cache->link, &order);
}

void cache_put(struct cache *cache, const struct cache_value *value, int64_t now_ms,
               struct arena *scratch)
{
    const struct cache_name name = cache_name_of(cache, 'v', value->key);
    const struct version_text version = version_text(value->version);
    int64_t ttl_ms = value->expires_at_ms - now_ms;

    assert(value->bytes.size <= CACHE_VALUE_SIZE_MAX);
    if (cache->link == NULL || !link_is_up(cache->link)) {
        (void)memory_put(cache->memory, str_of(name.text), value->version, value->bytes,
                         value->expires_at_ms);
        return;
    }
    if (ttl_ms < 0)
        ttl_ms = 0;
    if (ttl_ms > TTL_MAX_MS)
        ttl_ms = TTL_MAX_MS;
    const str sealed =
        seal(cache, &name, version.text, value->bytes, value->expires_at_ms, scratch);
    (void)send_put(cache, &name, version.text, sealed, ttl_ms + TTL_GRACE_MS);
}

void cache_remove(struct cache *cache, str key)
{
    const struct cache_name name = cache_name_of(cache, 'v', key);
    struct order order;

    memory_remove(cache->memory, str_of(name.text));
    if (cache->link == NULL)
        return;
    order.seconds = cache->meter.put_seconds;
    order.done = NULL;
    order.arg = NULL;
    order.count = 0;
    order_add(&order, STR("DEL"));
    order_add(&order, str_of(name.text));
    (void)link_send(cache->link, &order);
}
