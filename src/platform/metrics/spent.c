/* platform/metrics/spent.c - one sum for each thread and component. */

#include "platform/metrics/spent.h"

#include <assert.h>
#include <string.h>

static _Thread_local int64_t spent_ns[SPENT_KINDS];

void spent_add(enum spent kind, int64_t ns)
{
    assert(kind < SPENT_KINDS && ns >= 0);
    spent_ns[kind] += ns;
}

void spent_take(int64_t ret_ns[SPENT_KINDS])
{
    memcpy(ret_ns, spent_ns, sizeof(spent_ns));
    memset(spent_ns, 0, sizeof(spent_ns));
}
