/* booking/expiry.c - holds whose time is over give their tickets back.
 *
 * Nobody relies on this being on time: an order is held only while its status says so and expires_at is
 * ahead. This chore merely returns the stock, through the same desk as the holds, a bounded number of orders in
 * each write so that buyers are never kept waiting long. */

#include "services/booking/expiry.h"

#include <assert.h>
#include <stddef.h>

#include "platform/db/batch.h"
#include "services/booking/buyer.h"
#include "services/booking/expiry.sql.h"
#include "services/booking/order.h"
#include "services/booking/state.h"
#include "services/booking/stock.h"

enum {
    CHUNK_ORDERS = 64,
    LOOK_AGAIN_MS = 60 * 1000, /* at the latest: a lost wake then costs a minute, no more */
};

struct due {
    order_id id;
    struct uuid user;
    event_id event;
};

struct note {
    ticket_type_id type;
    stock_level level;
};

/* One write of the desk. */
struct chunk {
    struct batch_write write;
    struct call *call;
    struct due orders[CHUNK_ORDERS];
    size_t order_count;
    struct note *notes;
    size_t note_count;
};

static err find_due(struct tx *tx, struct chunk *chunk)
{
    CLEANUP(rows_done) struct rows rows = {0};

    chunk->order_count = 0;
    chunk->note_count = 0;
    TRY(rows_open(&rows, tx, &SQL_EXPIRY_DUE, ARGS(I64(chunk->call->now_ms), I64(CHUNK_ORDERS)),
                  chunk->call->arena));
    while (rows_next(&rows))
        chunk->orders[chunk->order_count++] = (struct due){
            .id.uuid = row_uuid(&rows, 0),
            .user = row_uuid(&rows, 1),
            .event.uuid = row_uuid(&rows, 2),
        };
    return rows_close(&rows);
}

/* Gives the number of tickets. */
static err release_items(struct tx *tx, struct chunk *chunk, order_id order, int64_t *ret_tickets)
{
    CLEANUP(rows_done) struct rows rows = {0};
    struct call *call = chunk->call;
    struct stock_change changes[EVENT_TICKET_TYPES_MAX];
    size_t count = 0;
    int64_t tickets = 0;

    TRY(rows_open(&rows, tx, &SQL_EXPIRY_ITEMS, ARGS(UUID(order.uuid)), call->arena));
    while (count < EVENT_TICKET_TYPES_MAX && rows_next(&rows))
        changes[count++] = (struct stock_change){
            .type.uuid = row_uuid(&rows, 0), .order = order, .quantity = row_i64(&rows, 1)};
    TRY(rows_close(&rows));
    for (size_t i = 0; i < count; i++) {
        struct note *note = &chunk->notes[chunk->note_count++];

        note->type = changes[i].type;
        TRY(stock_release(tx, call, &changes[i], &note->level));
        tickets += changes[i].quantity;
    }
    *ret_tickets = tickets;
    return ERR_OK;
}

static err tell(struct tx *tx, struct call *call, const struct due *order)
{
    const struct id_text id = id_format(ORDER_PREFIX, order->id.uuid);
    const struct id_text event = id_format(EVENT_PREFIX, order->event.uuid);
    const struct id_text user = id_format("usr", order->user);

    return outbox_add(tx, call, "order.expired",
                      arena_printf(call->arena,
                                   "{\"order_id\":\"%s\",\"event_id\":\"%s\",\"user_id\":\"%s\"}",
                                   id.text, event.text, user.text));
}

static err apply(struct batch_write *write, struct tx *tx)
{
    struct chunk *chunk = (struct chunk *)((char *)write - offsetof(struct chunk, write));

    TRY(find_due(tx, chunk));
    if (chunk->order_count == 0)
        return ERR_OK;
    chunk->notes =
        arena_new_array(chunk->call->arena, struct note, CHUNK_ORDERS * EVENT_TICKET_TYPES_MAX);
    for (size_t i = 0; i < chunk->order_count; i++) {
        const struct due *order = &chunk->orders[i];
        int64_t tickets = 0;

        TRY(order_become(tx, order->id, ORDER_HELD, ORDER_EXPIRED));
        TRY(release_items(tx, chunk, order->id, &tickets));
        if (tickets > 0)
            TRY(buyer_give_back(tx, order->user, order->event, tickets));
        TRY(tell(tx, chunk->call, order));
    }
    return ERR_OK;
}

/* Up to CHUNK_ORDERS orders in one write; gives how many. */
static err expire_some(struct call *call, size_t *ret_count)
{
    struct chunk *chunk = arena_new(call->arena, struct chunk);
    const struct booking *booking = booking_of(call);

    chunk->call = call;
    chunk->write.apply = apply;
    TRY(batch_run(booking->desk, &chunk->write));
    for (size_t i = 0; i < chunk->note_count; i++)
        stock_note(booking->stock, chunk->notes[i].type, chunk->notes[i].level);
    *ret_count = chunk->order_count;
    return ERR_OK;
}

/* The earliest end of a hold. One that is placed from now on ends later than hold_ttl_ms from now. */
static err find_next(struct call *call, int64_t *ret_next_ms)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    const int64_t ttl_ms = booking_of(call)->hold_ttl_ms;
    int64_t next_ms = call->now_ms + (ttl_ms < LOOK_AGAIN_MS ? ttl_ms : LOOK_AGAIN_MS);
    int64_t earliest_ms = next_ms;
    err e = ERR_OK;

    TRY(tx_read(&tx, call_db(call)));
    e = db_get_i64(&tx, &SQL_EXPIRY_NEXT, NO_ARGS, &earliest_ms);
    if (e != ERR_OK && e != ERR_NOT_FOUND)
        return e;
    *ret_next_ms = earliest_ms < next_ms ? earliest_ms : next_ms;
    return ERR_OK;
}

err expire_holds(struct call *call, int64_t *ret_next_ms)
{
    for (;;) {
        size_t count = 0;

        TRY(find_next(call, ret_next_ms));
        if (*ret_next_ms > call->now_ms || chores_stopping(call->self))
            return ERR_OK;
        TRY(expire_some(call, &count));
        if (count == 0) { /* somebody else was quicker */
            *ret_next_ms = call->now_ms + 1000;
            return ERR_OK;
        }
        outbox_wake(call->self);
        call_next(call);
    }
}
