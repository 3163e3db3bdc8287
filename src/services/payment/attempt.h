/* payment/attempt.h - one try to pay an order.
 *
 *   CREATED ─begin─▶ AUTHORISING ─▶ AUTHORISED ─confirm─▶ CAPTURING ─▶ CAPTURED ─settle─▶ SUCCEEDED
 *      │              │  │  │          ▲  │                   │
 *      │              │  │  └▶ REQUIRES_ACTION ─(too late)─┐  └─(refused for good)─▶ ABORTING
 *      │              │  │      └─(declined)─▶ ABORTING    │
 *      │              │  │                  └─(order gone)─┼▶ VOIDING ─▶ VOIDED
 *      │              │  └─(the provider has never seen it)┘      └─(captured after all)─▶ CAPTURED
 *      ├──(refused)───┴─(declined)─▶ ABORTING ─▶ FAILED
 *      └──(another is under way)─▶ REFERRED
 *
 *   CREATED ─begin─▶ CONFIRMING ─confirm─▶ WAITING ─settled by staff─▶ CAPTURED   (cash, transfer)
 *                     │    │                  └─(order cancelled)─▶ VOIDED
 *                     │    └──────confirm─▶ CAPTURED                               (free)
 *                     └─(order gone)─▶ ABORTING ◀─(order gone)─ CAPTURED
 *
 * Who moves an attempt on does it by a conditional update from the state that he saw: of two, one
 * stops. Money that was captured for an order which is gone goes back whole: SUCCEEDED, with a
 * refund of all of it. */
#pragma once

#include "base/money.h"
#include "platform/db/db.h"
#include "services/booking/booking.h"
#include "services/payment/payment.h"

/* The numbers are in the database. */
enum attempt_state {
    ATTEMPT_CREATED,         /* booking has not been asked yet */
    ATTEMPT_AUTHORISING,     /* the provider is asked, or its answer is unknown */
    ATTEMPT_REQUIRES_ACTION, /* the buyer has something to do */
    ATTEMPT_AUTHORISED,      /* booking is asked to make the tickets */
    ATTEMPT_CONFIRMING,      /* the same, for methods without a provider */
    ATTEMPT_CAPTURING,       /* the tickets exist, hidden; the provider is asked for the money */
    ATTEMPT_CAPTURED,        /* the money is there; booking is told */
    ATTEMPT_VOIDING,         /* the charge is made void, and booking told that it came to nothing */
    ATTEMPT_ABORTING,        /* nothing is charged; booking is told that it came to nothing */
    ATTEMPT_WAITING,         /* cash or transfer: until somebody says that it came */
    ATTEMPT_SUCCEEDED,       /* from here on: the end */
    ATTEMPT_FAILED,
    ATTEMPT_VOIDED,
    ATTEMPT_REFERRED, /* another attempt was under way: this one's key answers with that one */
    ATTEMPT_STATES,
};

enum { ATTEMPT_LEASE_MS = 30000 }; /* who works on an attempt has it to himself for so long */
#define ATTEMPT_CHORE "reconcile"

bool attempt_may_become(enum attempt_state from, enum attempt_state to);
bool attempt_is_over(enum attempt_state state);
/* "succeeded", "pending", "requires_action", "failed": as the API shows it. */
const char *attempt_status(enum attempt_state state);

struct attempt {
    attempt_id id;
    order_id order;
    struct uuid user;
    struct uuid event; /* zero: not known yet */
    struct uuid vendor;
    str method;
    str brand;
    str provider; /* absent: none */
    enum attempt_state state;
    str failure; /* err_name; absent: none */
    str redirect_url;
    bool hosted; /* the buyer pays on a page of the provider's */
    str brands;  /* "visa mastercard": the cards that the event takes; absent: any */
    struct money amount;
    int64_t refunded_minor;
    str idem_key;    /* absent: none, or free again */
    str idem_digest; /* 32 bytes */
    int answer_status;
    int tries;
    int64_t created_at_ms;
    attempt_id answers_with; /* of a referred one */
    int64_t lease_ms;        /* until when it is whoever's who read it so; see attempt_take_due */
    /* What it is for, as booking has just said: kept by the next move (sale.h), not read again. */
    str timezone;
    const struct booking_money_line *lines;
    size_t line_count;
};

/* The provider's key of the attempt: made of its id, so that it is known before the first call. */
str attempt_key(struct arena *arena, attempt_id id);

/* Leased until attempt->lease_ms. ERR_DUPLICATE: the user has an attempt with this idempotency key. */
err attempt_insert(struct call *call, const struct attempt *attempt);
err attempt_find(struct call *call, attempt_id id, struct attempt *ret);
err attempt_find_in(struct tx *tx, struct call *call, attempt_id id, struct attempt *ret);
err attempt_find_key(struct call *call, struct uuid user, str key, struct attempt *ret);
/* The one that brought the order's money. ERR_NOT_FOUND. */
err attempt_paid_of(struct call *call, order_id order, struct attempt *ret);
/* Its cash or transfer, expected or received. ERR_NOT_FOUND. */
err attempt_by_hand_of(struct call *call, order_id order, struct attempt *ret);
/* Removes an attempt that was refused before it had any effect. */
err attempt_remove(struct call *call, attempt_id id);
/* Writes what is new in *attempt (state `to`, brand, failure, ...) if its row is still in
 * attempt->state, and sets attempt->state. ERR_CONFLICT: somebody else moved it. */
err attempt_move(struct call *call, struct attempt *attempt, enum attempt_state to);
/* The same in a transaction of the caller's; what is in *attempt counts once that is committed. */
err attempt_move_in(struct tx *tx, struct call *call, struct attempt *attempt,
                    enum attempt_state to);
/* Lets go of the attempt: when the reconciler looks again if nothing else happens. Has no effect if
 * the lease that *attempt was read with has ended and is somebody else's now. */
err attempt_look_again(struct call *call, const struct attempt *attempt, int64_t at_ms);
/* Something may have changed at its provider: the reconciler looks at once, unless it is over or
 * somebody is at it. */
err attempt_look_now(struct call *call, attempt_id id);
/* Booking has refused it because of `other`. ERR_CONFLICT: it is CREATED no longer. */
err attempt_refer(struct call *call, struct attempt *attempt, attempt_id other);
/* Notes the status that POST /payment answers, for its replays. The first one counts: sets
 * attempt->answer_status to it. */
err attempt_answered(struct call *call, struct attempt *attempt, int status);
/* Nothing had an effect: its idempotency key is free again. */
err attempt_forget_key(struct call *call, attempt_id id);
/* The next one that nobody has finished in time; leases it for a while. The lease is in the row, in
 * the injected clock's time, and each is given out once (ret->lease_ms tells them apart), so any
 * number of processes may look. ERR_NOT_FOUND: none is due; *ret_next_ms then says when
 * (CLOCK_NEVER_MS: none is unfinished). */
err attempt_take_due(struct call *call, struct attempt *ret, int64_t *ret_next_ms);
/* The order was cancelled: nobody expects its cash or transfer any more. */
err attempt_forgo(struct tx *tx, struct call *call, order_id order);
/* At the start of the only process that has this database: whatever is unfinished is due at once. */
err attempt_all_due(struct call *call);
