/* booking/seen.h - which Idempotency-Keys may already have an order: "certainly not", or "look". */
#pragma once

#include "platform/node/call.h"

struct seen;

struct seen *seen_new(int64_t now_ms);
void seen_free(struct seen *seen); /* NULL is accepted */
/* Adds the keys of the orders in the database. */
err seen_load(struct call *call, struct seen *seen);

/* Thread-safe and without locks. A key that was added is remembered for SEEN_S at least. */
enum { SEEN_S = 25 * 3600 };
void seen_add(struct seen *seen, struct uuid user, str key, int64_t now_ms);
/* False: there is no order with this key, and none on its way. */
bool seen_maybe(const struct seen *seen, struct uuid user, str key);
