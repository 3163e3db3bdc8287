/* booking/redeem.h - orders that are paid with loyalty points, whole or in part.
 *
 *   redeem_reserve ── placed ──▶ the order's, until payment hears what becomes of it
 *        └── refused, or the key has an order already ──▶ redeem_release
 *
 * The points are payment's (payment/points.h); here they are a discount of the order's items, and a
 * row of order_points. Whatever is reserved and not released, because we crashed, payment finds by
 * asking for the order. */
#pragma once

#include "services/booking/event.h"
#include "services/booking/order.h"

/* The member `redeem` of POST /tickets/book. */
struct redeem {
    int kind;            /* enum payment_redeem: discount or free ticket */
    int64_t points;      /* of a discount */
    ticket_type_id type; /* of a free ticket */
};
extern const struct json_shape redeem_shape;

struct hold_request;
/* ERR_INVALID with the fields. Pure. */
err redeem_check(struct call *call, const struct hold_request *asked);
/* What is to be paid with points: of the order all that its tickets cost, or one ticket. Pure. */
int64_t redeem_price(const struct order *order, const struct redeem *redeem);
/* Puts a discount into the order's items. Pure. */
void redeem_discount(struct order *order, const struct redeem *redeem, int64_t minor);
/* What an order keeps of its points where so much of its discount is of tickets that are not given
 * back. Pure. */
int64_t redeem_keeps(int64_t points, int64_t discount_minor, int64_t kept_minor);
/* What payment goes by. Pure. */
enum booking_fate redeem_fate(enum order_status status);

/* Sets the points aside for an order that is priced, and prices it anew with what they pay. No
 * transaction may be open. ERR_INSUFFICIENT_POINTS, ERR_NOT_REDEEMABLE, ERR_UNAVAILABLE. */
err redeem_reserve(struct call *call, const struct event *event, const struct redeem *redeem,
                   struct order *order);
/* The order was not held. */
void redeem_release(struct call *call, order_id order);

/* In the transaction that places the order; and of the order read back: its points, 0 if none. */
err redeem_insert(struct tx *tx, const struct order *order);
err redeem_get(struct tx *tx, struct order *order);
/* What of its points the order keeps as its tickets are now. In the desk's transaction. */
err redeem_kept(struct tx *tx, struct call *call, const struct order *order, int64_t *ret_points);
