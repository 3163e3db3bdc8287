/* booking/order_news.h - what the other services are told of an order: one payload for all
 * "order.*" events. */
#pragma once

#include "services/booking/order.h"

/* What an event says besides the order itself. */
struct order_said {
    str reason;          /* "card_declined", "event_cancelled"; absent: none */
    refund_id refund;    /* zero: none */
    struct money amount; /* of the refund; no currency: none */
};

/* Writes the event into the outbox, in the transaction of the change. `kind` is
 * "order.confirmed", "order.cancelled", ... */
err order_tell(struct tx *tx, struct call *call, const char *kind, const struct order *order,
               const struct order_said *said);
