/* booking/order_news.h - what the other services are told of an order: one payload for all
 * "order.*" events. */
#pragma once

#include "services/booking/order.h"

/* What an event says besides the order itself. */
struct order_said {
    str reason;             /* "card_declined", "event_cancelled"; absent: none */
    refund_id refund;       /* zero: none */
    struct money amount;    /* of the refund; no currency: none */
    struct money paid;      /* what it was settled for; no currency: nothing new */
    int64_t face_minor;     /* list price of that */
    int64_t points_kept;    /* of an order with points: what is left of them */
    int64_t refunded_minor; /* with this refund, in all */
    bool over;              /* nothing is left of the order */
};

/* Writes the event into the outbox, in the transaction of the change. `kind` is
 * "order.confirmed", "order.cancelled", ... */
err order_tell(struct tx *tx, struct call *call, const char *kind, const struct order *order,
               const struct order_said *said);

struct order_paid {
    int64_t minor;
    const struct booking_money_line *lines;
    size_t line_count;
};
/* That it is paid, for how much, and what for. */
err order_tell_paid(struct tx *tx, struct call *call, const char *kind, const struct order *order,
                    const struct order_paid *paid);
