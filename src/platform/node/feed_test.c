/* platform/node/feed_test.c - events reach those who want them, in order, once in effect. */

#include <string.h>

#include "base/time.h"
#include "platform/node/feed.sql.h"
#include "platform/node/feed_fixture.h"
#include "support/test.h"

TEST(events_reach_in_order_whoever_wants_their_kind)
{
    static const struct {
        const char *kind;
        const char *payload;
    } said[] = {
        {"order.placed",   "1"},
        {"refund.made",    "2"},
        {"order.place",    "3"},
        {"order.paid.eur", "4"},
        {"order.paid",     "5"},
        {"order.placed.x", "6"},
        {"order.placed",   "7"},
    };
    CLEANUP(fixture_done) struct fixture fixture;

    feed_fixture_open(&fixture, false);
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
        shop_tell(&fixture, said[i].kind, said[i].payload);
    node_run_due(fixture.node);
    CHECK_STR("1 -2 4 7", ledger_notes(&fixture));
    CHECK_STR("1 2 3 4 5 6 7", heard(&fixture, "cache"));
    CHECK_I64(0, feed_lag(&fixture, "ledger"));
    fixture_advance(&fixture, DAY_MS);
    CHECK_STR("1 -2 4 7", ledger_notes(&fixture));
    CHECK_STR("1 2 3 4 5 6 7", heard(&fixture, "cache"));
}

TEST(effects_happen_once_whenever_the_process_ends)
{
    CLEANUP(fixture_done) struct fixture fixture;

    feed_fixture_open(&fixture, true);
    shop_tell_many(&fixture, 1, 250); /* more than two batches */
    node_run_due(fixture.node);
    CHECK_I64(250, ledger_cursor(&fixture));
    shop_tell_many(&fixture, 251, 260); /* not delivered any more */
    fixture_close_node(&fixture);

    fixture_open(&fixture, shop_services, false);
    ear_of(&fixture, "ledger")->poison = STR("258");
    shop_tell_many(&fixture, 261, 265);
    node_run_due(fixture.node);
    CHECK_I64(257, ledger_cursor(&fixture));
    CHECK_STR("261 262 263 264 265", heard(&fixture, "cache")); /* from where it opened */
    fixture_close_node(&fixture);                               /* with the failure unsolved */

    fixture_open(&fixture, shop_services, false);
    node_run_due(fixture.node);
    const str want = numbers(&fixture, 1, 265);
    CHECK_STR(want.ptr,
              ledger_notes(&fixture)); /* a second one of any would have been a conflict */
    CHECK_STR("258 259 260 261 262 263 264 265", heard(&fixture, "ledger"));
    CHECK_STR("", heard(&fixture, "cache"));
}

TEST(a_failing_event_holds_up_those_behind_it_and_nothing_else)
{
    CLEANUP(fixture_done) struct fixture fixture;

    feed_fixture_open(&fixture, false);
    ear_of(&fixture, "ledger")->poison = STR("3");
    shop_tell_many(&fixture, 1, 5);
    node_run_due(fixture.node);
    CHECK_STR("1 2", ledger_notes(&fixture));
    CHECK_STR("1 2 3", heard(&fixture, "ledger"));
    CHECK_STR("1 2 3 4 5", heard(&fixture, "cache"));
    CHECK_I64(2, ledger_cursor(&fixture));
    CHECK_I64(3, feed_lag(&fixture, "ledger"));
    CHECK_I64(0, feed_lag(&fixture, "cache"));

    fixture_advance(&fixture, 999);
    CHECK_STR("1 2 3", heard(&fixture, "ledger"));
    fixture_advance(&fixture, 1);
    CHECK_STR("1 2 3 3", heard(&fixture, "ledger"));
    shop_tell(&fixture, "order.placed", "6"); /* a wake is no reason to try again */
    fixture_advance(&fixture, 1999);
    CHECK_STR("1 2 3 3", heard(&fixture, "ledger"));
    fixture_advance(&fixture, 1);
    CHECK_STR("1 2 3 3 3", heard(&fixture, "ledger"));
    CHECK_STR("1 2", ledger_notes(&fixture));

    ear_of(&fixture, "ledger")->poison = STR_ABSENT;
    fixture_advance(&fixture, 4000);
    CHECK_STR("1 2 3 4 5 6", ledger_notes(&fixture));
    CHECK_I64(0, feed_lag(&fixture, "ledger"));
}

TEST(a_failing_event_is_logged_once_per_doubling)
{
    CLEANUP(fixture_done) struct fixture fixture;

    feed_fixture_open(&fixture, false);
    ear_of(&fixture, "ledger")->poison = STR("1");
    shop_tell_many(&fixture, 1, 1);
    node_run_due(fixture.node);
    for (int i = 2; i <= 40; i++)
        fixture_advance(&fixture, 60000);
    CHECK_I64(6, fixture_logged(&fixture, "feed.blocked")); /* the 1st, 2nd, 4th ... 32nd */
    CHECK_I64(6, fixture_logged(&fixture, "I cannot stomach that."));
}

TEST(a_failing_listener_hears_again_and_the_record_goes_on)
{
    CLEANUP(fixture_done) struct fixture fixture;

    feed_fixture_open(&fixture, false);
    ear_of(&fixture, "cache")->poison = STR("2");
    shop_tell_many(&fixture, 1, 3);
    node_run_due(fixture.node);
    CHECK_STR("1 2 3", ledger_notes(&fixture));
    CHECK_STR("1 2", heard(&fixture, "cache"));
    ear_of(&fixture, "cache")->poison = STR_ABSENT;
    fixture_advance(&fixture, 1000);
    CHECK_STR("1 2 2 3", heard(&fixture, "cache"));
}

TEST(a_listener_follows_its_snapshot)
{
    CLEANUP(fixture_done) struct fixture fixture;

    feed_fixture_open(&fixture, true);
    shop_tell_many(&fixture, 1, 3);
    node_run_due(fixture.node); /* until nothing older is open on the server */
    const struct outbox_position snapshot = shop_outbox_end(&fixture);
    shop_tell_many(&fixture, 4, 5);
    fixture_close_node(&fixture);

    cache_snapshot = &snapshot;
    shop_says = "early"; /* between the snapshot and the feed */
    fixture_open(&fixture, shop_services, false);
    shop_tell(&fixture, "order.placed", "late");
    node_run_due(fixture.node);
    CHECK_STR("4 5 early late", heard(&fixture, "cache"));
    cache_snapshot = NULL;
}

TEST(jobs_that_an_event_leaves_run_at_once)
{
    CLEANUP(fixture_done) struct fixture fixture;

    feed_fixture_open(&fixture, false);
    ear_of(&fixture, "ledger")->add_job = true;
    node_run_due(fixture.node);
    shop_tell_many(&fixture, 1, 2);
    node_run_due(fixture.node);
    CHECK_STR("1 2 job-1 job-2", ledger_notes(&fixture));
}

TEST(unwanted_events_move_the_cursor_now_and_then)
{
    CLEANUP(fixture_done) struct fixture fixture;

    feed_fixture_open(&fixture, false);
    shop_tell(&fixture, "order.placed", "1");
    node_run_due(fixture.node);
    CHECK_I64(1, ledger_cursor(&fixture));
    for (int i = 0; i < 300; i++)
        shop_tell(&fixture, "stock.changed", "x");
    node_run_due(fixture.node);
    CHECK_I64(1, ledger_cursor(&fixture));
    CHECK_I64(0, feed_lag(&fixture, "ledger"));
    fixture_advance(&fixture, 5000);
    CHECK_I64(301, ledger_cursor(&fixture));
}

TEST(what_another_process_has_delivered_is_not_delivered_again)
{
    CLEANUP(fixture_done) struct fixture here;
    CLEANUP(fixture_done) struct fixture there;

    feed_fixture_open(&here, true);
    shop_tell_many(&here, 1, 2);
    node_run_due(here.node);

    fixture_init_beside(&there, &here); /* as the command line opens them */
    fixture_open(&there, shop_services, false);
    shop_tell_many(&there, 3, 5);
    node_run_due(there.node);
    CHECK_STR("1 2 3 4 5", ledger_notes(&there));
    shop_tell_many(&there, 6, 6);
    fixture_close_node(&there);

    fixture_advance(&here, 100); /* nobody has woken us */
    CHECK_STR("1 2 3 4 5 6", ledger_notes(&here));
    CHECK_STR("1 2 6", heard(&here, "ledger"));
    CHECK_STR("1 2 3 4 5 6", heard(&here, "cache"));
}

TEST(an_outbox_that_came_from_a_backup_is_followed_from_its_end)
{
    CLEANUP(fixture_done) struct fixture fixture;
    CLEANUP(tx_rollback) struct tx tx = {0};

    feed_fixture_open(&fixture, true);
    CHECK_OK(tx_begin(&tx, fixture_find(&fixture, "ledger")->db));
    CHECK_OK(db_exec(&tx, &SQL_FEED_CURSOR_SET, ARGS(TEXT(STR("shop")), I64(0), I64(1000))));
    CHECK_OK(tx_commit(&tx));
    fixture_close_node(&fixture);

    fixture_open(&fixture, shop_services, false);
    node_run_due(fixture.node);
    shop_tell_many(&fixture, 1, 2);
    node_run_due(fixture.node);
    CHECK_STR("1 2", ledger_notes(&fixture));
    CHECK_I64(1, fixture_logged(&fixture, "feed.set_back"));
}
