/* booking/paying.h - an order while it is paid: the ops that payment calls, booking_payment_begin to booking_settle.
 *
 *   none ──begin──▶ live ──confirm──▶ confirmed ──settle──▶ settled
 *                    └──abort──▶ aborted ◀──abort──┘
 *
 * Every op is idempotent per attempt: order_state.attempt_id and attempt_state say what it has done already. */
#pragma once

#include "services/booking/order.h"

enum {
    ABORT_EXTENSION_S = 300, /* a buyer whose payment failed has this long for another try ... */
    EXTENSIONS_MAX_S = 1800, /* ... but no longer than this after the hold would have ended */
};

/* When a hold ends whose payment came to nothing at `now_ms`. Pure. */
int64_t paying_extended_ms(const struct order *order, int64_t now_ms);
extern const struct json_shape booking_order_find_shape; /* struct booking_order_find */
