/* platform/crypto/keyfile.h - the keys on disk; for this folder only.
 *
 *   master.key         32 random bytes, id 0: made at the first start, never replaced
 *   master-NNNN.key    later ones; the highest seals, all unseal
 *   ticket-NNNN.key    Ed25519 seeds; the highest signs, all verify; made at first: 0001
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/rng.h"
#include "base/str.h"

enum { KEY_SIZE = 32, KEYS_MAX = 64 };

struct key {
    uint16_t id;
    uint8_t bytes[KEY_SIZE];
};

struct key_set {
    struct key masters[KEYS_MAX]; /* ascending; the first has id 0 */
    size_t master_count;
    struct key tickets[KEYS_MAX]; /* ascending */
    size_t ticket_count;
};

/* Reads all keys of the directory; makes it and the first keys where there are none. Processes
 * that start at once end with the same keys. ERR_INVALID with one line in *ret_why. */
err key_set_load(const char *path, struct rng *rng, struct arena *arena, struct key_set *ret,
                 str *ret_why);
void key_set_wipe(struct key_set *keys); /* for CLEANUP too */
