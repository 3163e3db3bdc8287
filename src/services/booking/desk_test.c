/* booking/desk_test.c - writes through the desk: kept whole or not at all, and hinted only once they are kept. */
#include "services/booking/desk.h"

#include "services/booking/state.h"
#include "support/booking_node.h"
#include "support/test.h"

struct taking {
    struct known_event event;
    int64_t quantity;
    err after; /* what the write ends with, after it has taken stock */
};

static err take(struct tx *tx, struct desk_write *write)
{
    struct taking *taking = write->arg;
    const struct stock_change change = {
        taking->event.types[0], {call_uuid(write->call)}, taking->quantity};
    stock_level level = 0;

    TRY(stock_hold(tx, write->call, &change, &level));
    desk_note(write, change.type, level);
    return taking->after;
}

static int64_t hint(struct call *call, const struct taking *taking)
{
    int64_t left = -1;

    CHECK(stock_hint(booking_of(call)->stock, taking->event.types[0], &left));
    return left;
}

TEST(a_write_that_refuses_late_leaves_nothing)
{
    CLEANUP(booking_node_close) struct booking_node node;
    CLEANUP(call_done) struct call call = {0};
    struct taking taking = {.quantity = 3, .after = ERR_CONFLICT};

    booking_node_open(&node, NULL);
    taking.event = booking_add_simple(&node, 10, 1000);
    booking_node_call(&node, &call);
    CHECK_ERR(ERR_CONFLICT, desk_run(&call, take, &taking));
    CHECK_I64(10, hint(&call, &taking));
    CHECK_I64(10, booking_i64(&node, "SELECT remaining FROM ticket_type_stock"));

    taking.after = ERR_OK;
    CHECK_OK(desk_run(&call, take, &taking));
    CHECK_I64(7, hint(&call, &taking));
    CHECK_I64(7, booking_i64(&node, "SELECT sum(quantity) FROM stock_ledger"));
    taking.quantity = 8;
    CHECK_ERR(ERR_SOLD_OUT, desk_run(&call, take, &taking));
    CHECK_I64(7, hint(&call, &taking));
}
