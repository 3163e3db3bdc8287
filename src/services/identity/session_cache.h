/* identity/session_cache.h - verdicts on access tokens in memory. Thread-safe, bounded, never
 * blocks for long. */
#pragma once

#include "platform/crypto/crypto.h"
#include "services/identity/identity.h"

enum { SESSION_CACHE_SHARDS = 16, SESSION_CACHE_SHARD_MAX = 8192 };

struct session_cache;

struct token_hash {
    uint8_t bytes[SHA256_SIZE];
};

struct session_cache *session_cache_new(void);
void session_cache_free(struct session_cache *cache); /* NULL is accepted */

/* False: not known here. *ret_generation is for session_cache_put either way. */
bool session_cache_find(struct session_cache *cache, const struct token_hash *hash,
                        struct identity_token_verified *ret, uint64_t *ret_generation);
/* Keeps the verdict, unless a session of the shard has ended since `generation` was read. */
void session_cache_put(struct session_cache *cache, const struct token_hash *hash,
                       const struct identity_token_verified *verdict, uint64_t generation);
/* After the commit that ended the session. */
void session_cache_remove(struct session_cache *cache, const struct token_hash *hash);
