/* payment/accept.h - may this order be paid like that? */
#pragma once

#include "services/payment/attempt.h"
#include "services/payment/provider.h"

/* What the event takes against what the attempt is (method, brand if it is known, provider), with one
 * of the event's methods alone if `payment_method` is not zero. Sets attempt->brands. Pure, but for
 * what it explains. ERR_METHOD_NOT_ACCEPTED. */
err accept_payment(struct call *call, const struct booking_payment_begun *begun,
                   struct uuid payment_method, struct attempt *attempt);
