/* identity/session_share.c - verdicts as the cache's values, ends as its news.
 *
 * The key is the token's hash. A verdict is version 0 and an end version 1, so that a verdict that
 * was read before the end does not come back after it. Neither says more than ids and a role, and
 * the cache seals both. */
#include "services/identity/session_share.h"

#include <string.h>

#include "platform/cache/cache.h"

enum {
    KEY_SIZE = 8 + SHA256_SIZE,
    UUID_SIZE = 16,
    LIVE_SIZE = 3 * UUID_SIZE + 8 + 8 + 1,
    END_LIFE_MS = 60000, /* longer than any verdict that could contradict it */
};
#define CHANNEL "session.ended"

struct key {
    char bytes[KEY_SIZE];
};

static struct key key_of(const struct token_hash *hash)
{
    struct key key = {.bytes = "session/"};

    memcpy(key.bytes + KEY_SIZE - SHA256_SIZE, hash->bytes, SHA256_SIZE);
    return key;
}

static str key_text(const struct key *key)
{
    return (str){key->bytes, sizeof(key->bytes)};
}

static struct cache *cache_of(const struct call *call)
{
    return call->self->node->cache;
}

/* --- The bytes of a verdict: user, vendor, session, expiry, seen, role --- */

static char *write_uuid(char *to, struct uuid id)
{
    memcpy(to, id.bytes, UUID_SIZE);
    return to + UUID_SIZE;
}

static const char *read_uuid(const char *from, struct uuid *ret)
{
    memcpy(ret->bytes, from, UUID_SIZE);
    return from + UUID_SIZE;
}

static char *write_i64(char *to, int64_t n)
{
    for (int i = 0; i < 8; i++)
        to[i] = (char)((uint64_t)n >> (56 - 8 * i));
    return to + 8;
}

static const char *read_i64(const char *from, int64_t *ret)
{
    uint64_t n = 0;

    for (int i = 0; i < 8; i++)
        n = n << 8 | (uint8_t)from[i];
    *ret = (int64_t)n;
    return from + 8;
}

static void write_verdict(char ret[LIVE_SIZE], const struct identity_token_verified *verdict,
                          int64_t seen_ms)
{
    char *to = ret;

    to = write_uuid(to, verdict->user.uuid);
    to = write_uuid(to, verdict->vendor.uuid);
    to = write_uuid(to, verdict->session.uuid);
    to = write_i64(to, verdict->expires_at_ms);
    to = write_i64(to, seen_ms);
    *to = (char)verdict->role;
}

static void read_verdict(const char *from, struct identity_token_verified *ret,
                         int64_t *ret_seen_ms)
{
    from = read_uuid(from, &ret->user.uuid);
    from = read_uuid(from, &ret->vendor.uuid);
    from = read_uuid(from, &ret->session.uuid);
    from = read_i64(from, &ret->expires_at_ms);
    from = read_i64(from, ret_seen_ms);
    ret->role = (uint8_t)*from;
}

/* --- Asking and telling --- */

enum session_word session_share_ask(struct call *call, const struct token_hash *hash,
                                    struct identity_token_verified *ret, int64_t *ret_seen_ms)
{
    const struct key key = key_of(hash);
    str value = STR_ABSENT;

    if (!cache_is_shared(cache_of(call)))
        return SESSION_UNKNOWN;
    if (cache_get(cache_of(call), key_text(&key), call->now_ms, call->arena, &value) != ERR_OK)
        return SESSION_UNKNOWN;
    if (value.size == 0)
        return SESSION_ENDED;
    if (value.size != LIVE_SIZE)
        return SESSION_UNKNOWN;
    read_verdict(value.ptr, ret, ret_seen_ms);
    return session_verdict_counts(*ret_seen_ms, call->now_ms) ? SESSION_LIVE : SESSION_UNKNOWN;
}

void session_share_tell(struct call *call, const struct token_hash *hash,
                        const struct identity_token_verified *verdict)
{
    const struct key key = key_of(hash);
    char bytes[LIVE_SIZE];
    const struct cache_value value = {
        .key = key_text(&key),
        .version = 0,
        .bytes = {bytes, sizeof(bytes)},
        .expires_at_ms = call->now_ms + SESSION_VERDICT_LIFE_MS,
    };

    if (!cache_is_shared(cache_of(call)))
        return;
    write_verdict(bytes, verdict, call->now_ms);
    cache_put(cache_of(call), &value, call->now_ms, call->arena);
}

void session_share_end(struct call *call, const struct token_hash *hash)
{
    const struct key key = key_of(hash);
    const struct cache_value value = {
        .key = key_text(&key),
        .version = 1,
        .bytes = STR(""),
        .expires_at_ms = call->now_ms + END_LIFE_MS,
    };

    if (!cache_is_shared(cache_of(call)))
        return;
    /* In this order: who hears the news and asks then finds the end. */
    cache_put(cache_of(call), &value, call->now_ms, call->arena);
    cache_publish(cache_of(call), CHANNEL, (str){(const char *)hash->bytes, SHA256_SIZE});
}

/* --- Listening --- */

static void hear(void *arg, str payload)
{
    struct session_cache *sessions = arg;
    struct token_hash hash;

    if (payload.size != sizeof(hash.bytes)) { /* above all: some may have been missed */
        session_cache_clear(sessions);
        return;
    }
    memcpy(hash.bytes, payload.ptr, sizeof(hash.bytes));
    session_cache_remove(sessions, &hash);
}

void session_share_open(struct node *node, struct session_cache *sessions)
{
    cache_listen(node->cache, CHANNEL, hear, sessions);
}

void session_share_close(struct node *node, struct session_cache *sessions)
{
    cache_unlisten(node->cache, sessions);
}
