/* platform/node/outbox_test.c - what is told with a change, and how long it is kept. */

#include "base/time.h"
#include "platform/node/feed.sql.h"
#include "platform/node/feed_fixture.h"
#include "support/test.h"

/* --- Writing --- */

TEST(a_rolled_back_transaction_tells_nothing)
{
    CLEANUP(fixture_done) struct fixture fixture;
    CLEANUP(call_done) struct call call;
    struct tx tx = {0};

    feed_fixture_open(&fixture, false);
    call_init(&call, fixture_find(&fixture, "shop"), "test");
    CHECK_OK(tx_begin(&tx, call_db(&call)));
    CHECK_OK(outbox_add(&tx, &call, "order.placed", STR("never")));
    tx_rollback(&tx);
    outbox_wake(call.self);
    node_run_due(fixture.node);
    CHECK_STR("", heard(&fixture, "cache"));
}

TEST(an_outsized_event_is_refused)
{
    CLEANUP(fixture_done) struct fixture fixture;
    CLEANUP(call_done) struct call call;

    feed_fixture_open(&fixture, false);
    call_init(&call, fixture_find(&fixture, "shop"), "test");
    CHECK_ERR(ERR_INTERNAL, shop_say(&call, "order.placed",
                                     (str){arena_alloc(call.arena, OUTBOX_PAYLOAD_SIZE_MAX + 1),
                                           OUTBOX_PAYLOAD_SIZE_MAX + 1}));
}

/* --- Pruning --- */

TEST(what_is_old_and_read_by_all_is_pruned_but_for_the_last)
{
    CLEANUP(fixture_done) struct fixture fixture;

    feed_fixture_open(&fixture, false);
    shop_tell_many(&fixture, 1, 1200); /* more than two transactions of it */
    node_run_due(fixture.node);
    fixture_advance(&fixture, INT64_C(1000) * (OUTBOX_KEPT_S - 700));
    CHECK_I64(1200, shop_outbox_count(&fixture));
    shop_tell_many(&fixture, 1201, 1203);
    node_run_due(fixture.node);
    fixture_advance(&fixture, INT64_C(1000) * 60); /* so that the ledger tells how far it is */
    fixture_advance(&fixture, INT64_C(1000) * 1240);
    CHECK_I64(3, shop_outbox_count(&fixture));
    fixture_advance(&fixture, DAY_MS);
    CHECK_I64(1, shop_outbox_count(&fixture)); /* its number is the end */
    shop_tell(&fixture, "order.placed", "1204");
    node_run_due(fixture.node);
    CHECK_I64(1204, ledger_cursor(&fixture));
    CHECK_I64(1204, fixture_i64(fixture_find(&fixture, "ledger"), &SQL_NOTE_COUNT));
}

TEST(nothing_is_pruned_that_a_consumer_has_still_to_read)
{
    CLEANUP(fixture_done) struct fixture fixture;

    feed_fixture_open(&fixture, false);
    ear_of(&fixture, "ledger")->poison = STR("3");
    shop_tell_many(&fixture, 1, 5);
    node_run_due(fixture.node);
    for (int i = 0; i < 3; i++)
        fixture_advance(&fixture, DAY_MS);
    CHECK_I64(3, shop_outbox_count(&fixture));
    ear_of(&fixture, "ledger")->poison = STR_ABSENT;
    for (int i = 0; i < 3; i++)
        fixture_advance(&fixture, DAY_MS);
    CHECK_I64(1, shop_outbox_count(&fixture));
    CHECK_STR("1 2 3 4 5", ledger_notes(&fixture));
}

TEST(a_consumer_that_does_not_run_here_is_waited_for)
{
    CLEANUP(fixture_done) struct fixture fixture;

    feed_fixture_open(&fixture, true);
    shop_tell_many(&fixture, 1, 3);
    node_run_due(fixture.node);
    fixture_close_node(&fixture);

    fixture_open(&fixture, shop_alone, false);
    shop_tell_many(&fixture, 4, 6);
    for (int i = 0; i < 3; i++)
        fixture_advance(&fixture, DAY_MS);
    CHECK_I64(6, shop_outbox_count(&fixture)); /* it had not told that it has read three */
    fixture_close_node(&fixture);

    fixture_open(&fixture, shop_services, false);
    node_run_due(fixture.node);
    CHECK_STR("1 2 3 4 5 6", ledger_notes(&fixture));
}

TEST(a_consumer_that_follows_no_more_is_forgotten)
{
    CLEANUP(fixture_done) struct fixture fixture;
    CLEANUP(tx_rollback) struct tx tx = {0};

    feed_fixture_open(&fixture, false);
    CHECK_OK(tx_begin(&tx, fixture_find(&fixture, "shop")->db));
    CHECK_OK(db_exec(&tx, &SQL_FEED_READER_SET,
                     ARGS(TEXT(STR("cache")), I64(0), I64(0)))); /* once durable */
    CHECK_OK(tx_commit(&tx));
    shop_tell_many(&fixture, 1, 5);
    for (int i = 0; i < 3; i++)
        fixture_advance(&fixture, DAY_MS);
    CHECK_I64(1, shop_outbox_count(&fixture));
    CHECK_I64(1, fixture_logged(&fixture, "feed.reader_forgotten"));
}
