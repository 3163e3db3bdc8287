/* booking/hold_place.c - places an order in the desk's transaction, and lets go of one.
 *
 * Many orders share that transaction, so what is refused must not have written anything:
 * everything that can refuse comes first, and the writes follow. One writer at a time makes what
 * was read hold until the commit (PostgreSQL: the row locks of hold.pg.sql and stock.pg.sql). */

#include "services/booking/hold.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "services/booking/buyer.h"
#include "services/booking/desk.h"
#include "services/booking/hold.sql.h"
#include "services/booking/price.h"

/* The order that the key has already. ERR_NOT_FOUND: none. */
static err find_first(struct tx *tx, struct call *call, struct hold_try *try)
{
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(rows_first(&rows, tx, &SQL_HOLD_FIRST, ARGS(UUID(call->caller.user), TEXT(try->key)),
                   call->arena));
    const struct uuid id = row_uuid(&rows, 0);
    const str digest = row_blob(&rows, 1);
    TRY(rows_close(&rows));
    if (digest.size != sizeof(try->digest) ||
        memcmp(digest.ptr, try->digest, sizeof(try->digest)) != 0) {
        call->problem = (struct problem){0}; /* what pricing had to say does not matter */
        return ERR_IDEMPOTENCY_MISMATCH;
    }
    try->order.id.uuid = id;
    try->replayed = true;
    return ERR_OK;
}

/* Is the event still what the order was priced by? */
static err check_version(struct tx *tx, struct call *call, const struct event *event)
{
    CLEANUP(rows_done) struct rows rows = {0};
    int64_t version = 0;
    int64_t status = 0;
    const err e = rows_first(&rows, tx, &SQL_HOLD_EVENT, ARGS(UUID(event->id.uuid)), call->arena);

    if (e == ERR_NOT_FOUND)
        return ERR_STALE;
    TRY(e);
    version = row_i64(&rows, 0);
    status = row_i64(&rows, 1);
    TRY(rows_close(&rows));
    if (version != event->version || status != EVENT_PUBLISHED)
        return ERR_STALE;
    return ERR_OK;
}

static err check_no_active_hold(struct tx *tx, struct call *call, const struct event *event)
{
    int64_t found = 0;
    const err e =
        db_get_i64(tx, &SQL_HOLD_ACTIVE,
                   ARGS(UUID(call->caller.user), UUID(event->id.uuid), I64(call->now_ms)), &found);

    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(e);
    return call_explain(call, ERR_LIMIT_EXCEEDED,
                        "You hold tickets of this event already; pay for them or let them go first "
                        "(limits.one_active_hold).");
}

static struct stock_change change_of(const struct order *order, size_t index)
{
    return (struct stock_change){.type = order->items[index].type,
                                 .order = order->id,
                                 .quantity = order->items[index].quantity};
}

/* Is there enough of every type? Needed where a later refusal would come after a write. */
static err check_stock(struct tx *tx, struct call *call, const struct hold_try *try)
{
    for (size_t i = 0; i < try->order.item_count; i++) {
        const struct stock_change change = change_of(&try->order, i);
        const err e = stock_check(tx, call, &change);

        if (e == ERR_SOLD_OUT)
            return hold_sold_out(call, try->event, change.type);
        TRY(e);
    }
    return ERR_OK;
}

static err count_buyer(struct tx *tx, struct call *call, const struct hold_try *try)
{
    const int64_t per_user = try->event->limits.per_user;
    const err e = buyer_take(tx, call->caller.user, try->event->id,
                             order_ticket_quantity(&try->order), per_user);

    if (e == ERR_LIMIT_EXCEEDED)
        return call_explain(call, e,
                            "A person may have at most %" PRId64
                            " tickets of this event (limits.per_user).",
                            per_user);
    return e;
}

static err take_stock(struct tx *tx, struct call *call, struct hold_try *try, bool checked)
{
    for (size_t i = 0; i < try->order.item_count; i++) {
        const struct stock_change change = change_of(&try->order, i);
        const err e = stock_hold(tx, call, &change, &try->levels[i]);

        if (e == ERR_SOLD_OUT && !checked)
            return hold_sold_out(call, try->event, change.type);
        /* Less than was just seen in the same transaction: nothing of this may be committed. */
        if (e == ERR_SOLD_OUT)
            return ERR_INTERNAL;
        TRY(e);
    }
    return ERR_OK;
}

static err insert_item(struct tx *tx, const struct order *order, const struct order_item *item)
{
    const struct booking_money_line *money = &item->money;

    TRY(db_exec(tx, &SQL_HOLD_INSERT_ITEM,
                ARGS(UUID(order->id.uuid), UUID(item->type.uuid), I64(item->quantity),
                     I64(item->unit_price_minor))));
    if (price_is_plain(money))
        return ERR_OK;
    return db_exec(tx, &SQL_HOLD_INSERT_MONEY,
                   ARGS(UUID(order->id.uuid), UUID(item->type.uuid), I64(money->discount_minor),
                        I64(money->buyer_fee_minor), I64(money->vendor_fee_minor),
                        I64(money->tax_minor), I64(money->tax_included_minor)));
}

static err insert_order(struct tx *tx, const struct hold_try *try)
{
    const struct order *order = &try->order;
    const struct value id = UUID(order->id.uuid);
    const str currency = str_of(order->total.currency.code);
    const str digest = {(const char *)try->digest, sizeof(try->digest)};

    TRY(db_exec(tx, &SQL_HOLD_INSERT,
                ARGS(id, UUID(order->user), UUID(order->event.uuid), I64(order->expires_at_ms),
                     I64(order->hold_ms), I64(order->total.minor), TEXT(currency), TEXT(try->key),
                     BLOB(digest), I64(order->created_at_ms), I64(order->event_version))));
    for (size_t i = 0; i < order->item_count; i++)
        TRY(insert_item(tx, order, &order->items[i]));
    TRY(redeem_insert(tx, order));
    if (order->attendees.ptr == NULL)
        return ERR_OK;
    return db_exec(tx, &SQL_HOLD_INSERT_ATTENDEES, ARGS(id, TEXT(order->attendees)));
}

err hold_place(struct tx *tx, struct call *call, struct hold_try *try)
{
    const bool counted = try->event != NULL && try->event->limits.per_user != JSON_NULL;
    const bool check_first = counted || try->order.item_count > 1;
    err e = ERR_OK;

    try->replayed = false;
    e = find_first(tx, call, try);
    if (e != ERR_NOT_FOUND)
        return e;
    if (try->refusal != ERR_OK)
        return try->refusal;

    assert(try->event != NULL && try->order.item_count > 0 &&
           try->order.expires_at_ms > call->now_ms);
    TRY(check_version(tx, call, try->event));
    if (try->event->limits.one_active_hold)
        TRY(check_no_active_hold(tx, call, try->event));
    if (check_first)
        TRY(check_stock(tx, call, try));
    if (counted)
        TRY(count_buyer(tx, call, try));
    if (try->levels == NULL)
        try->levels = arena_new_array(call->arena, stock_level, try->order.item_count);
    TRY(take_stock(tx, call, try, check_first));
    return insert_order(tx, try);
}

err hold_release(struct tx *tx, struct desk_write *write, const struct order *order)
{
    for (size_t i = 0; i < order->item_count; i++) {
        const struct stock_change item = {order->items[i].type, order->id,
                                          order->items[i].quantity};
        stock_level level = 0;

        TRY(stock_release(tx, write->call, &item, &level));
        desk_note(write, item.type, level);
    }
    return buyer_give_back(tx, order->user, order->event, order_ticket_quantity(order));
}
