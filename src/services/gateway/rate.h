/* gateway/rate.h - token buckets: how often an account or a network may ask. Memory only, fixed
 * size, thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct rate_limit {
    int64_t per_s; /* what flows in */
    int64_t burst; /* what a full bucket holds */
};

struct rate_table;

struct rate_table *rate_table_new(void);
void rate_table_free(struct rate_table *table); /* NULL is accepted */

/* Takes one token from the bucket of `key`. False: empty; *ret_wait_s says when there is one again.
 * Two keys that share a slot take turns in it: the newcomer finds a full bucket, so a collision can
 * only allow more. */
bool rate_take(struct rate_table *table, uint64_t key, const struct rate_limit *limit,
               int64_t now_ms, int *ret_wait_s);

/* The same for all addresses of one network: an IPv4 address, or the 64 bits of an IPv6 address
 * that its owner cannot change at will. */
uint64_t rate_network_key(str address);
