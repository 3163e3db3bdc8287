/* booking/stock.c - takes stock and gives it back: the guarded rows and their ledger.
 *
 * Buyers race for what remains in the database: one writer at a time reads a row, takes what it
 * finds, and the UPDATE's own WHERE has the last word. Each change is a row of the append-only
 * ledger in the same transaction, so that whoever doubts `remaining` can add it up again
 * (audit.c). The hints in memory are in stock_hint.c. */

#include "services/booking/stock.h"

#include <assert.h>

#include "services/booking/state.h"
#include "services/booking/stock.sql.h"
#include "services/booking/stock_hint.h"

static err ledger_add(struct tx *tx, const struct call *call, ticket_type_id type,
                      struct uuid order, enum stock_kind kind, int64_t quantity)
{
    return db_exec(
        tx, &SQL_STOCK_LEDGER_ADD,
        ARGS(UUID(type.uuid), UUID_OR_NIL(order), I64(kind), I64(quantity), I64(call->now_ms)));
}

struct stock_row {
    stock_level level;
    event_id event;
    int64_t total;
    bool ever_held;
};

/* ERR_NOT_FOUND. What it gives holds until the transaction ends. */
static err find_row(struct tx *tx, const struct call *call, ticket_type_id type,
                    struct stock_row *ret)
{
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(rows_first(&rows, tx, &SQL_STOCK_FIND, ARGS(UUID(type.uuid)), call->arena));
    ret->level = row_i64(&rows, 0);
    ret->event.uuid = row_uuid(&rows, 1);
    ret->total = row_i64(&rows, 2);
    ret->ever_held = row_i64(&rows, 3) != 0;
    return rows_close(&rows);
}

/* Makes `remaining` go up by `more`, or down. */
static err change_row(struct tx *tx, const struct call *call, const struct sql *sql,
                      ticket_type_id type, int64_t more, struct stock_row *row)
{
    int64_t changed = 0;

    TRY(db_exec_count(tx, sql, ARGS(UUID(type.uuid), I64(more)), &changed));
    if (changed != 1)
        return ERR_INTERNAL; /* not what was read in the same transaction */
    row->level += STOCK_VERSION_STEP + more;
    stock_changed(booking_of(call)->stock, row->event);
    return ERR_OK;
}

/* What was taken before goes back. That the row is gone or full would be our mistake. */
static err put_back(struct tx *tx, struct call *call, const struct stock_change *change,
                    enum stock_kind kind, stock_level *ret_level)
{
    struct stock_row row = {0};
    err e = ERR_OK;

    assert(change->quantity > 0 && tx->writes);

    e = find_row(tx, call, change->type, &row);
    if (e == ERR_NOT_FOUND)
        return ERR_INTERNAL;
    TRY(e);
    TRY(change_row(tx, call, &SQL_STOCK_PUT_BACK, change->type, change->quantity, &row));
    TRY(ledger_add(tx, call, change->type, change->order.uuid, kind, change->quantity));
    *ret_level = row.level;
    return ERR_OK;
}

/* --- What comes on offer and leaves it --- */

err stock_open_type(struct tx *tx, struct call *call, event_id event, ticket_type_id type,
                    int64_t total)
{
    assert(total >= 0 && total <= TICKET_TYPE_QUANTITY_MAX && tx->writes);

    TRY(db_exec(tx, &SQL_STOCK_OPEN, ARGS(UUID(type.uuid), UUID(event.uuid), I64(total))));
    return ledger_add(tx, call, type, (struct uuid){0}, STOCK_OPEN, total);
}

err stock_set_total(struct tx *tx, struct call *call, ticket_type_id type, int64_t total)
{
    struct stock_row row = {0};
    int64_t more = 0;

    assert(total >= 0 && total <= TICKET_TYPE_QUANTITY_MAX && tx->writes);

    TRY(find_row(tx, call, type, &row));
    more = total - row.total;
    if (stock_remaining(row.level) + more < 0)
        return ERR_CONFLICT;
    if (more == 0)
        return ERR_OK;
    TRY(change_row(tx, call, &SQL_STOCK_RESIZE, type, more, &row));
    return ledger_add(tx, call, type, (struct uuid){0}, STOCK_ADJUST, more);
}

err stock_close_type(struct tx *tx, struct call *call, ticket_type_id type)
{
    struct stock_row row = {0};

    assert(tx->writes);

    TRY(find_row(tx, call, type, &row));
    if (row.ever_held)
        return ERR_CONFLICT;
    assert(stock_remaining(row.level) == row.total);
    TRY(db_exec(tx, &SQL_STOCK_CLOSE, ARGS(UUID(type.uuid))));
    return ledger_add(tx, call, type, (struct uuid){0}, STOCK_ADJUST, -row.total);
}

/* --- What is held and sold --- */

/* The row, if there is enough in it. A type without a row has nothing to sell. */
static err find_enough(struct tx *tx, const struct call *call, const struct stock_change *change,
                       struct stock_row *ret)
{
    const err e = find_row(tx, call, change->type, ret);

    assert(change->quantity > 0);
    if (e == ERR_NOT_FOUND || (e == ERR_OK && stock_remaining(ret->level) < change->quantity))
        return ERR_SOLD_OUT;
    return e;
}

err stock_check(struct tx *tx, struct call *call, const struct stock_change *change)
{
    struct stock_row row = {0};

    return find_enough(tx, call, change, &row);
}

err stock_hold(struct tx *tx, struct call *call, const struct stock_change *change,
               stock_level *ret_level)
{
    struct stock_row row = {0};

    assert(tx->writes);

    TRY(find_enough(tx, call, change, &row));
    TRY(change_row(tx, call, &SQL_STOCK_TAKE, change->type, -change->quantity, &row));
    TRY(ledger_add(tx, call, change->type, change->order.uuid, STOCK_HOLD, -change->quantity));
    *ret_level = row.level;
    return ERR_OK;
}

err stock_release(struct tx *tx, struct call *call, const struct stock_change *change,
                  stock_level *ret_level)
{
    return put_back(tx, call, change, STOCK_RELEASE, ret_level);
}

err stock_sell(struct tx *tx, struct call *call, const struct stock_change *change)
{
    assert(change->quantity > 0 && tx->writes);

    return ledger_add(tx, call, change->type, change->order.uuid, STOCK_SALE, 0);
}

err stock_cancel(struct tx *tx, struct call *call, const struct stock_change *change,
                 stock_level *ret_level)
{
    return put_back(tx, call, change, STOCK_CANCEL, ret_level);
}

/* --- What the others are told --- */

static str seal_payload(struct call *call, const event_id *events, size_t count)
{
    struct buf buf = buf_in(call->arena, (count + 1) * (ID_TEXT_SIZE_MAX + 4) + 32);

    buf_add_cstr(&buf, "{\"event_ids\":[");
    for (size_t i = 0; i < count; i++) {
        const struct id_text id = id_format(EVENT_PREFIX, events[i].uuid);

        buf_printf(&buf, "%s\"%s\"", i == 0 ? "" : ",", id.text);
    }
    buf_add_cstr(&buf, "]}");
    assert(!buf.overflow);
    return buf_str(&buf);
}

err stock_seal(void *owner, struct tx *tx)
{
    CLEANUP(call_done) struct call call = {0};
    struct instance *self = owner;
    event_id *events = NULL;
    size_t count = 0;

    if (!stock_has_changed(((struct booking *)self->state)->stock))
        return ERR_OK;
    call_init(&call, self, "stock.seal");
    count = stock_take_changed(booking_of(&call)->stock, call.arena, &events);
    for (size_t from = 0; from < count; from += STOCK_NEWS_EVENTS_MAX) {
        const size_t some =
            count - from < STOCK_NEWS_EVENTS_MAX ? count - from : STOCK_NEWS_EVENTS_MAX;

        TRY(outbox_add(tx, &call, "inventory.changed", seal_payload(&call, events + from, some)));
    }
    return ERR_OK;
}
