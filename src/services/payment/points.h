/* payment/points.h - the ledger of loyalty points: accounts, lots that end, and every change of
 * them.
 *
 *   earned ──▶ available ──reserve──▶ reserved ──commit──▶ (spent)
 *                 ▲ │ ▲                  │                    │
 *                 │ │ └─────release──────┘                    │
 *                 │ ├──expire──▶ (gone)                       │
 *                 │ └──take back──▶ (gone; what is missing becomes debt)
 *                 └────────────────────return─────────────────┘
 *
 * Whatever comes in pays the debt first. A change is known by its kind and its source: made again,
 * it does nothing, and says ERR_OK. */
#pragma once

#include "platform/db/db.h"
#include "services/payment/points_rules.h"

/* The numbers are in the database. */
enum points_kind {
    POINTS_EARNED,     /* source: the order, or the ticket that was admitted */
    POINTS_TAKEN_BACK, /* the refund */
    POINTS_RESERVED,   /* the order, as for the next two */
    POINTS_RELEASED,
    POINTS_REDEEMED, /* changes no balance: reserved becomes spent */
    POINTS_RETURNED, /* the refund, or the order that came to nothing */
    POINTS_EXPIRED,  /* the lot */
};

struct points_account {
    struct uuid user;
    int64_t available; /* may be spent; 0 while there is a debt */
    int64_t reserved;
    int64_t debt;
};

struct points_change {
    struct uuid source;
    order_id order;
    int64_t points;        /* > 0 */
    int64_t base;          /* of what is earned and taken back: before multipliers */
    int64_t expires_at_ms; /* of what is earned; of what is returned: at the earliest */
};

/* Each in a write transaction of payment's database. Opening makes the account if it is not there,
 * locks it until the transaction ends, and lets go of what has expired by call->now_ms. */
err points_account_open(struct tx *tx, struct call *call, struct uuid user,
                        struct points_account *ret);
err points_earn(struct tx *tx, struct call *call, struct points_account *account,
                const struct points_change *change);
/* From the order's own lot first; what is not there any more becomes debt. */
err points_take_back(struct tx *tx, struct call *call, struct points_account *account,
                     const struct points_change *change);
/* ERR_INSUFFICIENT_POINTS: nothing was written. */
err points_reserve(struct tx *tx, struct call *call, struct points_account *account,
                   const struct points_change *change);
/* All that was reserved for the order: `points` is as much. */
err points_release(struct tx *tx, struct call *call, struct points_account *account,
                   const struct points_change *change);
err points_commit(struct tx *tx, struct call *call, struct points_account *account,
                  const struct points_change *change);
/* Some of what was committed for the order: they end as they would have, but not before
 * `expires_at_ms`. */
err points_return(struct tx *tx, struct call *call, struct points_account *account,
                  const struct points_change *change);
/* In a read too: what the user has earned since then, before multipliers. */
err points_earned_since(struct tx *tx, struct uuid user, int64_t since_ms, int64_t *ret);

#define POINTS_EXPIRY_CHORE "expire_points"
/* Chore: takes what has expired out of the balances, an account at a time. Nobody relies on it:
 * what has expired is neither shown nor spent. */
err points_expire(struct call *call, int64_t *ret_next_ms);
/* ERR_CONFLICT with the first divergence in *ret_found. */
err points_audit(struct tx *tx, struct call *call, str *ret_found);
