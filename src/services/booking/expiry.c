/* booking/expiry.c - holds whose time is over give their tickets back.
 *
 * Nobody relies on this being on time: an order is held only while its status says so and
 * expires_at is ahead. This chore merely returns the stock, through the same desk as the holds,
 * a bounded number of orders in each write so that buyers are never kept waiting long. */

#include "services/booking/expiry.h"

#include <assert.h>

#include "services/booking/desk.h"
#include "services/booking/expiry.sql.h"
#include "services/booking/hold.h"
#include "services/booking/order.h"
#include "services/booking/order_news.h"
#include "services/booking/state.h"

enum {
    CHUNK_ORDERS = 64,
    LOOK_AGAIN_MS = 60 * 1000, /* at the latest: a lost wake then costs a minute, no more */
};

/* One write of the desk. */
struct chunk {
    order_id orders[CHUNK_ORDERS];
    size_t count;
};

static err find_due(struct tx *tx, struct call *call, struct chunk *chunk)
{
    CLEANUP(rows_done) struct rows rows = {0};

    chunk->count = 0;
    TRY(rows_open(&rows, tx, &SQL_EXPIRY_DUE, ARGS(I64(call->now_ms), I64(CHUNK_ORDERS)),
                  call->arena));
    while (chunk->count < CHUNK_ORDERS && rows_next(&rows))
        chunk->orders[chunk->count++].uuid = row_uuid(&rows, 0);
    return rows_close(&rows);
}

static err expire(struct tx *tx, struct desk_write *write, order_id id)
{
    struct order order;

    TRY(order_get(tx, write->call, id, &order));
    assert(order_shown_status(&order, write->call->now_ms) == ORDER_EXPIRED);
    TRY(hold_release(tx, write, &order));
    TRY(order_become(tx, id, ORDER_HELD, ORDER_EXPIRED));
    return order_tell(tx, write->call, "order.expired", &order, &(struct order_said){0});
}

static err apply(struct tx *tx, struct desk_write *write)
{
    struct chunk *chunk = write->arg;

    TRY(find_due(tx, write->call, chunk));
    for (size_t i = 0; i < chunk->count; i++)
        TRY(expire(tx, write, chunk->orders[i]));
    return ERR_OK;
}

/* The earliest end of a hold. One that is placed from now on ends later than hold_ttl_ms from
 * now. */
static err find_next(struct call *call, int64_t *ret_next_ms)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    const int64_t ttl_ms = booking_of(call)->hold_ttl_ms;
    const int64_t latest_ms = call->now_ms + (ttl_ms < LOOK_AGAIN_MS ? ttl_ms : LOOK_AGAIN_MS);
    int64_t earliest_ms = latest_ms;
    err e = ERR_OK;

    TRY(tx_read(&tx, call_db(call)));
    e = db_get_i64(&tx, &SQL_EXPIRY_NEXT, NO_ARGS, &earliest_ms);
    if (e != ERR_OK && e != ERR_NOT_FOUND)
        return e;
    *ret_next_ms = earliest_ms < latest_ms ? earliest_ms : latest_ms;
    return ERR_OK;
}

err expire_holds(struct call *call, int64_t *ret_next_ms)
{
    for (;;) {
        struct chunk chunk;

        TRY(find_next(call, ret_next_ms));
        if (*ret_next_ms > call->now_ms || chores_stopping(call->self))
            return ERR_OK;
        TRY(desk_run(call, apply, &chunk));
        if (chunk.count == 0) { /* somebody else was quicker */
            *ret_next_ms = call->now_ms + 1000;
            return ERR_OK;
        }
        call_next(call);
    }
}
