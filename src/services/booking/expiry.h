/* booking/expiry.h - holds whose time is over give their tickets back. */
#pragma once

#include <stdint.h>

#include "base/err.h"

struct call;

#define EXPIRY_CHORE "expire_holds"

/* The chore. Holds with a payment under way are left alone: whoever ends one without money wakes the chore. */
err expire_holds(struct call *call, int64_t *ret_next_ms);
