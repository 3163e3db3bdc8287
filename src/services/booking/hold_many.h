/* booking/hold_many.h - places many orders with a few statements, where the database has arrays. */
#pragma once

#include "platform/db/batch.h"

struct hold_try;

/* May this order go that way? One of an event with limits.per_user or limits.one_active_hold, or one with points, goes
 * by itself, through hold_place. */
bool hold_many_fits(const struct hold_try *try);
/* The desk's batch_many (`owner` is the struct instance): does to each try, and to the database,
 * what hold_place of one after the other would have done. */
err hold_many(void *owner, struct batch_write *const *writes, size_t count, struct tx *tx);
