/* payment/unresolved.h - money that needs somebody: refunds that failed, payments that cannot be
 * finished.
 *
 * There is no list of them to keep: what is unresolved is read from the refunds and attempts
 * themselves, and is gone from here once it is through. */
#pragma once

#include "platform/http/http.h"
#include "services/payment/payment.h"

enum unresolved_kind { UNRESOLVED_REFUND, UNRESOLVED_PAYMENT };

extern const struct route_table unresolved_routes;
