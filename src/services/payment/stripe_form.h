/* payment/stripe_form.h - the forms that Stripe is sent; `amount` is Stripe's (stripe_money.h). */
#pragma once

#include "services/payment/provider.h"

str stripe_intent_form(struct call *call, const struct charge_request *request, int64_t amount);
/* Of a Checkout Session; it lives 45 minutes from the attempt's beginning. */
str stripe_page_form(struct call *call, const struct charge_request *request, int64_t amount);
str stripe_confirm_form(struct call *call, const struct charge_request *request);
