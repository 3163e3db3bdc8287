/* booking/stock_test.c - stock is taken only where there is enough, always with its ledger row. */

#include "services/booking/stock.h"

#include "services/booking/state.h"
#include "services/booking/stock_hint.h"
#include "support/booking_node.h"
#include "support/test.h"

/* A type of its own in one open transaction. */
struct bench {
    struct booking_node node;
    struct call call;
    struct tx tx;
    struct known_event event;
    struct stock_change change;
};

static void bench_open(struct bench *bench, int64_t total)
{
    booking_node_open(&bench->node, NULL);
    bench->event = booking_add_simple(&bench->node, total, 100);
    booking_node_call(&bench->node, &bench->call);
    bench->tx = (struct tx){0};
    bench->change = (struct stock_change){
        .type = bench->event.types[0], .order.uuid = call_uuid(&bench->call), .quantity = 1};
    CHECK_OK(tx_begin(&bench->tx, bench->node.booking->db));
}

static void bench_close(struct bench *bench)
{
    tx_rollback(&bench->tx);
    call_done(&bench->call);
    booking_node_close(&bench->node);
}

TEST(stock_is_taken_as_far_as_it_goes)
{
    struct bench bench;
    stock_level level = -1;

    bench_open(&bench, 5);
    bench.change.quantity = 3;
    CHECK_OK(stock_check(&bench.tx, &bench.call, &bench.change));
    CHECK_OK(stock_hold(&bench.tx, &bench.call, &bench.change, &level));
    CHECK_I64(2, stock_remaining(level));
    CHECK_ERR(ERR_SOLD_OUT, stock_check(&bench.tx, &bench.call, &bench.change));
    CHECK_ERR(ERR_SOLD_OUT, stock_hold(&bench.tx, &bench.call, &bench.change, &level));
    CHECK_I64(2, stock_remaining(level));
    bench.change.quantity = 2;
    CHECK_OK(stock_hold(&bench.tx, &bench.call, &bench.change, &level));
    CHECK_I64(0, stock_remaining(level));
    bench_close(&bench);
}

TEST(what_was_taken_goes_back_and_each_level_is_newer)
{
    struct bench bench;
    stock_level levels[4];

    bench_open(&bench, 5);
    CHECK_OK(stock_hold(&bench.tx, &bench.call, &bench.change, &levels[0]));
    CHECK_OK(stock_release(&bench.tx, &bench.call, &bench.change, &levels[1]));
    CHECK_OK(stock_hold(&bench.tx, &bench.call, &bench.change, &levels[2]));
    CHECK_OK(stock_sell(&bench.tx, &bench.call, &bench.change));
    CHECK_OK(stock_cancel(&bench.tx, &bench.call, &bench.change, &levels[3]));
    CHECK_I64(4, stock_remaining(levels[0]));
    CHECK_I64(5, stock_remaining(levels[1]));
    CHECK_I64(4, stock_remaining(levels[2]));
    CHECK_I64(5, stock_remaining(levels[3]));
    for (size_t i = 1; i < 4; i++)
        CHECK(levels[i] > levels[i - 1]);
    CHECK_OK(tx_commit(&bench.tx));
    CHECK_I64(6, booking_i64(&bench.node, "SELECT count(*) FROM stock_ledger"));
    CHECK_I64(5, booking_i64(&bench.node, "SELECT sum(quantity) FROM stock_ledger"));
    bench_close(&bench);
}

TEST(a_total_moves_as_far_as_what_is_taken_allows)
{
    struct bench bench;
    stock_level level = 0;

    bench_open(&bench, 5);
    bench.change.quantity = 3;
    CHECK_OK(stock_hold(&bench.tx, &bench.call, &bench.change, &level));
    CHECK_ERR(ERR_CONFLICT, stock_set_total(&bench.tx, &bench.call, bench.change.type, 2));
    CHECK_OK(stock_set_total(&bench.tx, &bench.call, bench.change.type, 3));
    CHECK_OK(stock_set_total(&bench.tx, &bench.call, bench.change.type, 3));
    CHECK_ERR(ERR_SOLD_OUT, stock_check(&bench.tx, &bench.call, &bench.change));
    CHECK_OK(stock_set_total(&bench.tx, &bench.call, bench.change.type, 6));
    CHECK_OK(stock_check(&bench.tx, &bench.call, &bench.change));
    CHECK_OK(tx_commit(&bench.tx));
    CHECK_I64(6, booking_i64(&bench.node, "SELECT total FROM ticket_type_stock"));
    CHECK_I64(3, booking_i64(&bench.node, "SELECT remaining FROM ticket_type_stock"));
    CHECK_I64(3, booking_i64(&bench.node, "SELECT sum(quantity) FROM stock_ledger"));
    bench_close(&bench);
}

TEST(a_type_leaves_only_if_nobody_ever_held_it)
{
    struct bench bench;
    stock_level level = 0;
    ticket_type_id fresh;

    bench_open(&bench, 5);
    CHECK_OK(stock_hold(&bench.tx, &bench.call, &bench.change, &level));
    CHECK_OK(stock_release(&bench.tx, &bench.call, &bench.change, &level));
    CHECK_ERR(ERR_CONFLICT, stock_close_type(&bench.tx, &bench.call, bench.change.type));
    fresh.uuid = call_uuid(&bench.call);
    CHECK_OK(stock_open_type(&bench.tx, &bench.call, bench.event.id, fresh, 7));
    CHECK_OK(stock_set_total(&bench.tx, &bench.call, fresh, 9));
    CHECK_OK(stock_close_type(&bench.tx, &bench.call, fresh));
    CHECK_ERR(ERR_NOT_FOUND, stock_close_type(&bench.tx, &bench.call, fresh));
    CHECK_OK(tx_commit(&bench.tx));
    CHECK_I64(1, booking_i64(&bench.node, "SELECT count(*) FROM ticket_type_stock"));
    CHECK_I64(5, booking_i64(&bench.node, "SELECT sum(quantity) FROM stock_ledger"));
    bench_close(&bench);
}

TEST(a_newer_level_wins_in_whatever_order_they_are_noted)
{
    struct stock *stock = stock_new();
    const ticket_type_id type = {.uuid.bytes = {1}};
    const stock_level old = STOCK_VERSION_STEP + 10;
    const stock_level new = 2 * STOCK_VERSION_STEP + 3;
    int64_t remaining = -1;

    CHECK(!stock_hint(stock, type, &remaining));
    stock_note(stock, type, 12); /* as it was opened */
    CHECK(stock_hint(stock, type, &remaining));
    CHECK_I64(12, remaining);
    stock_note(stock, type, new);
    stock_note(stock, type, old);
    CHECK(stock_hint(stock, type, &remaining));
    CHECK_I64(3, remaining);
    stock_free(stock);
}

TEST(many_types_have_a_hint_each)
{
    struct stock *stock = stock_new();

    for (int i = 0; i < 20000; i++)
        stock_note(stock,
                   (ticket_type_id){
                       .uuid.bytes = {[14] = (uint8_t)(i >> 8), [15] = (uint8_t)i}
        },
                   i);
    for (int i = 0; i < 20000; i++) {
        int64_t remaining = -1;

        CHECK(stock_hint(stock,
                         (ticket_type_id){
                             .uuid.bytes = {[14] = (uint8_t)(i >> 8), [15] = (uint8_t)i}
        },
                         &remaining));
        CHECK_I64(i, remaining);
    }
    stock_free(stock);
}

TEST(changed_events_are_taken_once_each)
{
    struct stock *stock = stock_new();
    struct arena *arena = arena_open(0);
    event_id *events = NULL;

    CHECK(!stock_has_changed(stock));
    for (int i = 0; i < 300; i++)
        stock_changed(stock, (event_id){.uuid.bytes = {(uint8_t)(i % 3 + 1)}});
    CHECK(stock_has_changed(stock));
    CHECK_I64(3, (int64_t)stock_take_changed(stock, arena, &events));
    for (int i = 0; i < 3; i++)
        CHECK_I64(i + 1, events[i].uuid.bytes[0]);
    CHECK(!stock_has_changed(stock));
    CHECK_I64(0, (int64_t)stock_take_changed(stock, arena, &events));
    arena_close(arena);
    stock_free(stock);
}
