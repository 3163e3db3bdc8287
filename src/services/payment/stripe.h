/* payment/stripe.h - the provider "stripe": what its parts know of each other. */
#pragma once

#include "services/payment/provider.h"

/* provider.refund. */
err stripe_give_back(struct call *call, const struct refund_request *request,
                     enum refund_status *ret_status);
