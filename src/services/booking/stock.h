/* booking/stock.h - how many tickets remain: the guarded rows, their ledger, and hints in memory.
 *
 *   opened ──hold──▶ held ──sale──▶ sold
 *      ▲              │              │
 *      └───release────┘◀───cancel────┘
 *
 * Invariant: remaining = sum of the ledger's quantities of the type, 0 <= remaining <= total. Only the guarded update in a transaction admits; a hint may refuse. */
#pragma once

#include "platform/db/db.h"
#include "platform/node/outbox.h"
#include "services/booking/event.h"

enum stock_kind {
    STOCK_OPEN,    /* + total: the type came on offer */
    STOCK_HOLD,    /* - quantity */
    STOCK_RELEASE, /* + quantity: a hold ended */
    STOCK_SALE,    /* 0: held becomes sold */
    STOCK_CANCEL,  /* + quantity: sold, then cancelled or refunded */
    STOCK_ADJUST,  /* the vendor changed the total */
};

struct stock_change {
    ticket_type_id type;
    order_id order;
    int64_t quantity; /* > 0 */
};

/* A type's stock as one write left it: what remains in the low 24 bits, the row's version above. So the newer of two levels is the greater one, and a late
 * stock_note does no harm. A version is 0 when the type is opened: its level is then its total. */
typedef int64_t stock_level;

#define STOCK_VERSION_STEP (INT64_C(1) << 24)

static inline int64_t stock_remaining(stock_level level)
{
    return level & (STOCK_VERSION_STEP - 1);
}

/* --- In a write transaction; each writes its ledger row --- */

err stock_open_type(struct tx *tx, struct call *call, event_id event, ticket_type_id type,
                    int64_t total);
/* ERR_CONFLICT: less than what is held and sold. */
err stock_set_total(struct tx *tx, struct call *call, ticket_type_id type, int64_t total);
/* The type leaves the offer: ERR_CONFLICT if any ticket of it was ever held or sold. */
err stock_close_type(struct tx *tx, struct call *call, ticket_type_id type);
/* ERR_SOLD_OUT: nothing was written. Gives the level to note after the commit. */
err stock_hold(struct tx *tx, struct call *call, const struct stock_change *change,
               stock_level *ret_level);
err stock_release(struct tx *tx, struct call *call, const struct stock_change *change,
                  stock_level *ret_level);
err stock_sell(struct tx *tx, struct call *call, const struct stock_change *change);
err stock_cancel(struct tx *tx, struct call *call, const struct stock_change *change,
                 stock_level *ret_level);
/* ERR_SOLD_OUT if stock_hold would give it. Takes nothing; what it has found holds until the transaction ends. */
err stock_check(struct tx *tx, struct call *call, const struct stock_change *change);
/* The desk's batch_seal (`owner` is the struct instance): an "inventory.changed" {"event_ids": [...]} of all events that the writes before it
 * changed (but for types that came or went, of which the event itself tells). */
err stock_seal(void *owner, struct tx *tx);

/* --- Hints: what remained after the last commit that this process knows of --- */

struct stock *stock_new(void);
void stock_free(struct stock *stock);
/* Reads all rows, or those of one event. */
err stock_load(struct call *call, struct stock *stock, const event_id *event);
/* Consumer of booking's own "inventory.changed": what other processes took and gave back. */
err stock_follow(struct call *call, struct tx *tx, const struct feed_event *event);
void stock_note(struct stock *stock, ticket_type_id type, stock_level level); /* after the commit */
/* Another one after each change of any hint. Take it before the hints that are to be of it. */
uint64_t stock_version(struct stock *stock);
/* False: unknown here. */
bool stock_hint(struct stock *stock, ticket_type_id type, int64_t *ret_remaining);
