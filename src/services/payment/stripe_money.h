/* payment/stripe_money.h - amounts as Stripe counts them (docs.stripe.com/currencies). */
#pragma once

#include "base/money.h"

/* What Stripe's `amount` must be. False: Stripe cannot charge it, be it that it does not know the
 * currency's minor unit, or that it takes whole tens of it (three decimals) or whole major units
 * (currencies that it counts without decimals) alone. */
bool stripe_amount(struct money money, int64_t *ret);
/* The other way round. False: it is none of ours. */
bool stripe_minor(int64_t amount, struct currency currency, int64_t *ret);
