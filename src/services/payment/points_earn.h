/* payment/points_earn.h - what orders earn, and what refunds take back.
 *
 * An order's net points are always those of the money that counts: of what was paid, less what was
 * given back, or, where the vendor says so, of the tickets that were admitted. */
#pragma once

#include "services/payment/points.h"

/* What booking tells of an order, as far as points go by it. */
struct points_order {
    order_id order;
    struct uuid user;
    struct uuid vendor; /* zero: unknown */
    event_id event;
    struct money paid;
    int64_t face_minor; /* list price of what was paid */
    int64_t at_ms;      /* when it was told */
    int64_t until_ms;   /* when its event is over */
};
/* The order is paid: earns, or will at the door. Each order once. */
err points_earn_paid(struct tx *tx, struct call *call, const struct points_order *order);
/* So much of it was given back, in all; `refund` is the latest. */
err points_earn_refunded(struct tx *tx, struct call *call, order_id order, refund_id refund,
                         int64_t refunded_minor);
/* A ticket of that list price was admitted: its share of what was paid counts. Once for each
 * ticket: booking tells it once. */
err points_earn_admitted(struct tx *tx, struct call *call, order_id order, ticket_id ticket,
                         int64_t price_minor);
