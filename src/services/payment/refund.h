/* payment/refund.h - gives money back, by the id that booking made for it.
 *
 *   PENDING ─(the provider took it)─▶ SUCCEEDED ─(its money has come back)─▶ PENDING,
 *    │   ▲─(an admin lets it be tried again)─┐                    the third time FAILED
 *    └─(refused as often as it is tried)─▶ FAILED
 *
 * What is refused or gets no answer is tried again after 1, 2, 4 ... 60 minutes. */
#pragma once

#include "services/payment/attempt.h"

enum {
    REFUND_LEASE_MS = 30000,
    REFUND_TRIES_MAX = 12,   /* about half a day; then somebody has to look at it */
    REFUND_RETURN_TRIES = 4, /* what money that comes back counts as: the third time is the last */
};
#define REFUND_CHORE "retry_refunds"

/* The contract of payment_refund. */
err refund_begin(struct call *call, const struct payment_refund *in, struct payment_refunded *ret);
/* All of a captured payment whose order is gone: the attempt has succeeded, and its money goes
 * back. The refund's id is the attempt's. ERR_CONFLICT: somebody else moved the attempt. */
err refund_whole(struct call *call, struct attempt *attempt);
/* One that has failed is pending again, and asked for at once; one that is pending is asked for at
 * once. ERR_NOT_FOUND. ERR_CONFLICT: it has succeeded. ERR_NOT_REFUNDABLE: its money is not there any
 * more. *ret_status: what has become of it. */
err refund_try_again(struct call *call, refund_id id, int *ret_status);
/* The provider says that the money which it had given back has come back to it (Stripe's
 * refund.failed after success): the refund has failed, its money is there again, and it waits for an
 * admin. Idempotent. ERR_CONFLICT: it has not succeeded yet. ERR_NOT_FOUND. */
err refund_returned(struct call *call, refund_id id);
/* Something may have changed at its provider: asks it. Where the money that it had given back has come
 * back, the refund is made anew; the third time it has failed, as by refund_returned.
 * ERR_NOT_FOUND. */
err refund_look(struct call *call, refund_id id);
/* Chore: asks again for what is pending. */
err refund_retry(struct call *call, int64_t *ret_next_ms);
/* How long after the `tries`th try the next one comes. Pure. */
int64_t refund_retry_ms(int64_t tries);
