/* payment/booking_stand_in.h - for tests: stands in for booking, keeps to its contract, and fails
 * on demand.
 *
 * Orders are in memory and survive what happens to the office: booking is another process. A test
 * has one of it at a time. */
#pragma once

#include "services/booking/booking.h"

enum stand_in_state { /* of an order, as order_state.attempt_state is in booking */
                      STAND_IN_NONE,
                      STAND_IN_LIVE,
                      STAND_IN_CONFIRMED,
                      STAND_IN_SETTLED,
                      STAND_IN_ABORTED,
};

struct stand_in_order {
    order_id id;
    struct uuid user;
    int64_t total_minor;
    attempt_id attempt;
    enum stand_in_state state;
    bool is_pending; /* cash, transfer */
    bool is_gone;    /* expired and sold to others, or cancelled */
    int tickets;     /* that exist */
    int settled;     /* how often that had an effect: never more than once */
};

enum stand_in_fault {
    FAULT_NONE,
    FAULT_DOWN, /* ERR_UNAVAILABLE, and nothing has happened */
    FAULT_LOST, /* ERR_UNAVAILABLE, but it has */
};

/* Forgets everything. */
void stand_in_reset(void);
/* For office_options.forward. */
err stand_in_forward(struct call *call, const struct op *op, const void *in, void *ret);

/* A held order. Its event takes card, cash_on_arrival and bank_transfer, and mastercard by `brand`
 * only if that is what it says (NULL: any card). */
order_id stand_in_sell(struct uuid user, int64_t total_minor, const char *brand);
struct stand_in_order stand_in_order(order_id id);
/* It has expired and its tickets are sold to others; or its event was cancelled. */
void stand_in_take_away(order_id id);

/* The `first`th call from now on (from 1) and `count` - 1 more of them fail; `op` NULL: of any
 * op. */
void stand_in_fail(const struct op *op, enum stand_in_fault fault, int first, int count);
int stand_in_call_count(void); /* since stand_in_fail or stand_in_reset */
/* Calls of that op stand still until stand_in_let_go. */
void stand_in_hold(const struct op *op);
void stand_in_await_held(int count); /* until so many stand still */
void stand_in_let_go(void);
