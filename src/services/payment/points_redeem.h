/* payment/points_redeem.h - points that an order is paid with.
 *
 *   RESERVED ─(promised or paid)─▶ REDEEMED ─(given back)─▶ some or all returned
 *      └─(refused, expired, cancelled, never held)─▶ RELEASED */
#pragma once

#include "services/payment/points.h"

/* The numbers are in the database. */
enum points_state { POINTS_STATE_RESERVED, POINTS_STATE_REDEEMED, POINTS_STATE_RELEASED };

/* What news of an order mean for the points that were reserved for it; nothing, if none were. In a
 * write transaction; again does no harm. */
err points_redeem_commit(struct tx *tx, struct call *call, order_id order);
err points_redeem_release(struct tx *tx, struct call *call, order_id order, int64_t *ret_points);
/* The order keeps tickets worth so many of its points: what was redeemed beyond that comes back.
 * `source`: the refund, or the order that came to nothing. */
err points_redeem_keep(struct tx *tx, struct call *call, order_id order, struct uuid source,
                       int64_t points_kept);

#define POINTS_FATE_CHORE "settle_points"
/* Chore: asks booking what became of orders that points are reserved for longer than a hold
 * lasts. */
err points_redeem_settle(struct call *call, int64_t *ret_next_ms);
