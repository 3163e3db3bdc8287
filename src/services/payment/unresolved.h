/* payment/unresolved.h - money that needs somebody: refunds that failed, payments that cannot be
 * finished, disputes.
 *
 * There is no list of them to keep: what is unresolved is read from the refunds and attempts
 * themselves, and is gone from here once it is through. */
#pragma once

#include "platform/http/http.h"
#include "services/payment/payment.h"

#define DISPUTE_PREFIX "dsp"

enum unresolved_kind { UNRESOLVED_REFUND, UNRESOLVED_PAYMENT, UNRESOLVED_DISPUTE };

extern const struct route_table unresolved_routes;
