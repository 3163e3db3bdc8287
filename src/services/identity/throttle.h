/* identity/throttle.h - slows down who guesses passwords: from the THROTTLE_FREEth failure in a row
 * on each one has its address wait, 1 s, 2 s, 4 s ... 300 s. Never a lock-out for good. */
#pragma once

#include "platform/node/node.h"
#include "services/identity/account.h"

enum {
    THROTTLE_FREE = 5,
    THROTTLE_DELAY_S_MAX = 300,
    THROTTLE_MEMORY_S = 3600,
    FORGET_AT_ONCE = 500, /* rows */
};

/* The wait after that many failures in a row. Pure. */
int64_t throttle_delay_s(int64_t failures);
/* ERR_RATE_LIMITED with Retry-After while the address is blocked, whether anybody has it or not. */
err throttle_check(struct call *call, const uint8_t index[EMAIL_INDEX_SIZE]);
err throttle_fail(struct call *call, const uint8_t index[EMAIL_INDEX_SIZE]);
err throttle_clear(struct call *call, const uint8_t index[EMAIL_INDEX_SIZE]);
/* Drops at most FORGET_AT_ONCE that count no more; how many. */
err throttle_forget(struct call *call, int64_t *ret_count);
