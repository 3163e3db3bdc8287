/* identity/session_cache.h - verdicts on access tokens in memory. Thread-safe, bounded, never
 * blocks for long. */
#pragma once

#include "platform/crypto/crypto.h"
#include "services/identity/identity.h"

enum {
    SESSION_CACHE_SHARDS = 16,
    SESSION_CACHE_SHARD_MAX = 8192,
    /* From the moment at which the database was asked. So a session that has ended elsewhere is
     * dead here after that, whatever news are lost on the way. */
    SESSION_VERDICT_LIFE_MS = 1000,
};

struct session_cache;

struct token_hash {
    uint8_t bytes[SHA256_SIZE];
};

struct session_cache *session_cache_new(void);
void session_cache_free(struct session_cache *cache); /* NULL is accepted */

/* Does a verdict of `seen_ms` still count? Not either if that is yet to come: the clock was set
 * back, or another's stands ahead of ours. */
static inline bool session_verdict_counts(int64_t seen_ms, int64_t now_ms)
{
    return seen_ms <= now_ms && now_ms - seen_ms < SESSION_VERDICT_LIFE_MS;
}

struct session_seen {
    struct identity_token_verified verdict;
    int64_t at_ms; /* when the database was asked, or before */
};

/* False: not known here, or not any more. *ret_generation is for session_cache_put either way. */
bool session_cache_find(struct session_cache *cache, const struct token_hash *hash, int64_t now_ms,
                        struct identity_token_verified *ret, uint64_t *ret_generation);
/* Keeps the verdict, unless a session of the shard has ended since `generation` was read. */
void session_cache_put(struct session_cache *cache, const struct token_hash *hash,
                       const struct session_seen *seen, uint64_t generation);
/* After the commit that ended the session. */
void session_cache_remove(struct session_cache *cache, const struct token_hash *hash);
/* Any of them may have ended. */
void session_cache_clear(struct session_cache *cache);
