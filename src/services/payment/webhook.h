/* payment/webhook.h - POST /webhooks/stripe: what Stripe tells of its own accord. */
#pragma once

#include "platform/http/http.h"

enum { WEBHOOK_TOLERANCE_S = 300 };

/* Is `header` (Stripe-Signature: "t=...,v1=...,v1=...") a signature of `body` by `secret`, of a time at
 * most WEBHOOK_TOLERANCE_S from now_s on either side? Any of several v1 will do; the comparison takes
 * the same time whatever they are. Pure.
 * Source: docs.stripe.com/webhooks, "Verify webhook signatures manually". */
bool webhook_is_signed(str header, str body, str secret, int64_t now_s);

extern const struct route_table webhook_routes;
