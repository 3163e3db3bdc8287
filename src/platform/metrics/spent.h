/* platform/metrics/spent.h - time that a thread has spent inside a component, for whoever's work it does.
 *
 * The component adds what it has taken; whoever runs a piece of work takes the sum before and behind it. Nothing is shared between threads. */
#pragma once

#include <stdint.h>

enum spent { SPENT_DATABASE, SPENT_CACHE, SPENT_KINDS };

void spent_add(enum spent kind, int64_t ns);
/* What this thread has spent since the last time; begins anew. */
void spent_take(int64_t ret_ns[SPENT_KINDS]);
