/* identity/session_share.h - what instances tell each other about tokens, through the node's cache.
 *
 * A verdict is worth as much as the database's word at `seen_ms` (session_cache.h): sharing it
 * never makes it older than SESSION_VERDICT_LIFE_MS. An end is told at once. */
#pragma once

#include "services/identity/session_cache.h"

enum session_word {
    SESSION_UNKNOWN, /* nobody has told; ask the database */
    SESSION_LIVE,
    SESSION_ENDED, /* for good */
};

/* From now on, ends that others tell are taken out of `sessions`. */
void session_share_open(struct node *node, struct session_cache *sessions);
void session_share_close(struct node *node, struct session_cache *sessions);

/* What others have said. May block until the cache's deadline. */
enum session_word session_share_ask(struct call *call, const struct token_hash *hash,
                                    struct identity_token_verified *ret, int64_t *ret_seen_ms);
/* Tells a verdict that the database gave at call->now_ms. Never blocks. */
void session_share_tell(struct call *call, const struct token_hash *hash,
                        const struct identity_token_verified *verdict);
/* Tells that the session of this token has ended, after the commit. Never blocks. */
void session_share_end(struct call *call, const struct token_hash *hash);
