/* booking/order_refund.h - the refund of some tickets of an order: written down with them, then
 * asked of payment.
 *
 *   pending ──payment gave it back──▶ succeeded ◀─┐
 *      └──payment could not, for good──▶ failed ───┘ (an admin had it tried again)
 *
 * The row is the intent: from its commit on the money is owed, and a job sees to it whatever
 * becomes of the request. */
#pragma once

#include "services/booking/price.h"
#include "services/booking/ticket_end.h"
#include "services/payment/payment.h"

#define GIVE_BACK_JOB "give_back"
enum {
    GIVE_BACK_PATIENCE_MS = 30 * 1000, /* a request that asks payment itself has this long */
    GIVE_BACK_TRIES_MAX = 30,          /* more than a day */
    GIVE_BACK_BACKOFF_S = 5,
};

struct order_refund {
    refund_id id;
    order_id order;
    struct money amount;
    int status; /* enum refund_status */
    str reason; /* absent: none was given */
    ticket_id *tickets;
    size_t ticket_count;
    struct booking_money_line *lines; /* what the amount is for */
    size_t line_count;
};

/* What becomes of an order once tickets of it have ended: `left` still admit or have admitted,
 * `refunded_minor` is given back in all. Pure; for pending, confirmed, partially refunded ones. */
enum order_status order_refund_leaves(enum order_status from, int64_t left, int64_t refunded_minor);

struct order_refund_make {
    const struct order *order;
    const struct ticket *tickets; /* of the order, valid: all of them end */
    size_t ticket_count;
    enum ticket_status to;
    const struct price_terms *terms; /* each ticket by those that give most; none: all of it */
    size_t term_count;
    bool event_cancelled;
    struct uuid user;      /* who asked; zero: nobody but the box office itself */
    str key;               /* the Idempotency-Key; absent: none */
    const uint8_t *digest; /* of the body, 32 bytes; NULL: none */
    str reason;
    int64_t give_back_at_ms; /* when the job looks whether the money is on its way */
};
/* Ends the tickets and writes the refund, the order's new status and the news, in the desk's
 * transaction. What was never paid is no money: the refund of it is of 0, succeeds at once, and
 * less is due. ERR_DUPLICATE: the user has a refund with this key. */
err order_refund_make(struct tx *tx, struct desk_write *write, const struct order_refund_make *in,
                      refund_id *ret);

/* In any transaction. ERR_NOT_FOUND. */
err order_refund_get(struct tx *tx, struct call *call, refund_id id, struct order_refund *ret);
/* The refund that a user has with this key. ERR_NOT_FOUND; ERR_IDEMPOTENCY_MISMATCH: it came
 * with another body. */
err order_refund_of_key(struct tx *tx, struct call *call, struct uuid user, str key,
                        const uint8_t digest[32], refund_id *ret);
/* Asks payment for what is pending and notes what it says. Any error: it stays pending. No
 * transaction may be open. */
err order_refund_pay(struct call *call, refund_id id);

/* The job GIVE_BACK_JOB. */
err order_refund_run(struct call *call, str payload);
/* Consumer of payment's "refund.succeeded" and "refund.failed". */
err order_refund_follow(struct call *call, struct tx *tx, const struct feed_event *event);
