/* payment/refund.h - gives money back, by the id that booking made for it.
 *
 *   PENDING ─(the provider took it)─▶ SUCCEEDED
 *      └─(refused for good)─▶ FAILED */
#pragma once

#include "services/payment/attempt.h"

enum { REFUND_LEASE_MS = 30000 };
#define REFUND_CHORE "retry_refunds"

/* The contract of payment_refund. */
err refund_begin(struct call *call, const struct payment_refund *in, struct payment_refunded *ret);
/* All of a captured payment whose order is gone: the attempt has succeeded, and its money goes
 * back. The refund's id is the attempt's. ERR_CONFLICT: somebody else moved the attempt. */
err refund_whole(struct call *call, struct attempt *attempt);
/* Chore: asks again for what is pending, a minute apart. */
err refund_retry(struct call *call, int64_t *ret_next_ms);
