/* platform/node/feed_order_test.c - what feeds show while other transactions are under way: on PostgreSQL numbers commit out of order; and two processes deliver
 * once. */

#include <libpq-fe.h>
#include <pthread.h>

#include "platform/node/feed_fixture.h"
#include "support/test.h"
#include "support/test_database.h"

/* --- Somebody else's transactions --- */

static void close_handle(PGconn **handle)
{
    PQfinish(*handle);
}

/* To the shop's database, or to one that has nothing to do with it. */
static PGconn *join(struct fixture *fixture, bool shop)
{
    const str prefix = config_text(fixture->config, "database.prefix");
    const char *name =
        shop ? arena_printf(fixture->arena, "%.*sshop", STR_ARG(prefix)).ptr : "postgres";
    PGconn *handle = PQconnectdb(test_database_url(fixture->arena, name));

    CHECK(PQstatus(handle) == CONNECTION_OK);
    return handle;
}

static void run(PGconn *handle, const char *sql)
{
    PGresult *result = PQexec(handle, sql);
    const ExecStatusType status = PQresultStatus(result);

    PQclear(result);
    CHECK(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK);
}

static void tell(PGconn *handle, const char *payload)
{
    static const char insert[] =
        "INSERT INTO outbox (kind, payload, at_ms) VALUES ('order.placed', $1, 0)";
    const char *const values[] = {payload};
    PGresult *result = PQexecParams(handle, insert, 1, NULL, values, NULL, NULL, 0);
    const ExecStatusType status = PQresultStatus(result);

    PQclear(result);
    CHECK(status == PGRES_COMMAND_OK);
}

/* What is due, without waiting for those who hold something up. */
static void look(struct fixture *fixture)
{
    clock_manual_advance(&fixture->clock, 100);
    (void)chores_run_due(fixture_find(fixture, "ledger"));
    (void)chores_run_due(fixture_find(fixture, "cache"));
}

static void check_heard(struct fixture *fixture, const char *want)
{
    CHECK_STR(want, ledger_notes(fixture));
    CHECK_STR(want, heard(fixture, "cache"));
}

/* --- Order --- */

TEST(what_commits_first_is_not_heard_before_what_was_written_first)
{
    CLEANUP(fixture_done) struct fixture fixture;
    CLEANUP(close_handle) PGconn *one = NULL;
    CLEANUP(close_handle) PGconn *other = NULL;

    feed_fixture_open(&fixture, false);
    if (!test_on_postgres())
        return; /* SQLite has one writer */
    one = join(&fixture, true);
    other = join(&fixture, true);
    run(one, "BEGIN");
    tell(one, "a1");
    run(other, "BEGIN");
    tell(other, "b1");
    run(other, "COMMIT");
    look(&fixture);
    check_heard(&fixture, "");
    CHECK_I64(1, feed_lag(&fixture, "cache"));
    tell(one, "a2"); /* a higher number than that of "b1" */
    look(&fixture);
    check_heard(&fixture, "");
    run(one, "COMMIT");
    look(&fixture);
    check_heard(&fixture, "a1 a2 b1");
    shop_tell(&fixture, "order.placed", "c1");
    look(&fixture);
    check_heard(&fixture, "a1 a2 b1 c1");
    CHECK_I64(0, feed_lag(&fixture, "cache"));
}

TEST(what_was_rolled_back_holds_nothing_up_any_more)
{
    CLEANUP(fixture_done) struct fixture fixture;
    CLEANUP(close_handle) PGconn *one = NULL;

    feed_fixture_open(&fixture, false);
    if (!test_on_postgres())
        return; /* SQLite has one writer */
    one = join(&fixture, true);
    run(one, "BEGIN");
    tell(one, "never");
    shop_tell_many(&fixture, 1, 3);
    look(&fixture);
    check_heard(&fixture, "");
    run(one, "ROLLBACK");
    look(&fixture);
    check_heard(&fixture, "1 2 3");
}

TEST(a_long_transaction_anywhere_on_the_server_delays_and_loses_nothing)
{
    CLEANUP(fixture_done) struct fixture fixture;
    CLEANUP(close_handle) PGconn *stranger = NULL;

    feed_fixture_open(&fixture, false);
    if (!test_on_postgres())
        return; /* a file of SQLite is alone */
    stranger = join(&fixture, false);
    shop_tell_many(&fixture, 1, 2);
    look(&fixture);
    check_heard(&fixture, "1 2");
    run(stranger, "BEGIN; SELECT pg_current_xact_id()");
    shop_tell_many(&fixture, 3, 150); /* more than one reading */
    for (int i = 0; i < 5; i++)
        look(&fixture);
    check_heard(&fixture, "1 2");
    CHECK_I64(148, feed_lag(&fixture, "ledger"));
    run(stranger, "COMMIT");
    look(&fixture);
    check_heard(&fixture, arena_cstr(fixture.arena, numbers(&fixture, 1, 150)));
}

/* Whoever takes his snapshot between two commits hears of both, though he has seen the one already. */
TEST(a_snapshot_in_the_middle_misses_nothing)
{
    CLEANUP(fixture_done) struct fixture fixture;
    CLEANUP(close_handle) PGconn *one = NULL;

    feed_fixture_open(&fixture, true);
    if (!test_on_postgres())
        return; /* SQLite has one writer */
    shop_tell(&fixture, "order.placed", "before");
    look(&fixture);
    one = join(&fixture, true);
    run(one, "BEGIN");
    tell(one, "a");
    shop_tell(&fixture, "order.placed", "b");
    const struct outbox_position snapshot = shop_outbox_end(&fixture);
    fixture_close_node(&fixture);

    cache_snapshot = &snapshot;
    fixture_open(&fixture, shop_services, false);
    look(&fixture);
    CHECK_STR("", heard(&fixture, "cache"));
    run(one, "COMMIT");
    look(&fixture);
    CHECK_STR("a b", heard(&fixture, "cache"));
    CHECK_STR("before a b", ledger_notes(&fixture));
    cache_snapshot = NULL;
}

/* --- Another server's numbers --- */

static PGconn *join_ledger(struct fixture *fixture)
{
    const str prefix = config_text(fixture->config, "database.prefix");
    const char *name = arena_printf(fixture->arena, "%.*sledger", STR_ARG(prefix)).ptr;
    PGconn *handle = PQconnectdb(test_database_url(fixture->arena, name));

    CHECK(PQstatus(handle) == CONNECTION_OK);
    return handle;
}

/* A dump of a server that had counted further: some of its numbers are of transactions that this one has yet to begin. What nobody has read is old,
 * and stands in the order of transactions. */
TEST(an_outbox_of_another_server_goes_on_where_its_readers_were)
{
    CLEANUP(fixture_done) struct fixture fixture;
    CLEANUP(close_handle) PGconn *shop = NULL;
    CLEANUP(close_handle) PGconn *ledger = NULL;

    feed_fixture_open(&fixture, true);
    if (!test_on_postgres())
        return; /* transactions of SQLite have no numbers */
    shop_tell_many(&fixture, 1, 4);
    node_run_due(fixture.node);
    shop = join(&fixture, true);
    ledger = join_ledger(&fixture);
    fixture_close_node(&fixture);
    run(shop, "UPDATE outbox SET xid = xid + 1000000000 WHERE payload IN ('3', '4')");
    run(shop, "INSERT INTO outbox (kind, payload, at_ms, xid)"
              " SELECT 'order.placed', '6', 0, max(xid) + 2 FROM outbox");
    run(shop, "INSERT INTO outbox (kind, payload, at_ms, xid)"
              " SELECT 'order.placed', '5', 0, max(xid) - 1 FROM outbox");
    run(shop, "UPDATE feed_reader SET xid = xid + 1000000000");
    run(ledger, "UPDATE feed_cursor SET xid = xid + 1000000000");

    for (int i = 0; i < 2; i++) { /* and again, from then on as its own */
        fixture_open(&fixture, shop_services, false);
        node_run_due(fixture.node);
        CHECK_STR(i == 0 ? "1 2 3 4 5 6" : "1 2 3 4 5 6 7 8", ledger_notes(&fixture));
        CHECK_I64(1, fixture_logged(&fixture, "outbox.adopted"));
        shop_tell(&fixture, "order.placed", i == 0 ? "7" : "9");
        shop_tell(&fixture, "order.placed", i == 0 ? "8" : "10");
        node_run_due(fixture.node);
        CHECK_STR(i == 0 ? "7 8" : "9 10", heard(&fixture, "cache"));
        if (i == 0)
            fixture_close_node(&fixture);
    }
    CHECK_STR("1 2 3 4 5 6 7 8 9 10", ledger_notes(&fixture));
    CHECK_I64(0, fixture_logged(&fixture, "feed.set_back"));
}

/* --- Two processes --- */

static void *run_due(void *arg)
{
    struct fixture *fixture = arg;

    for (int i = 0; i < 20; i++)
        fixture_advance(fixture, 100);
    return NULL;
}

TEST(of_two_processes_that_deliver_at_once_each_event_takes_effect_once)
{
    enum { EVENTS = 300 };
    CLEANUP(fixture_done) struct fixture here;
    CLEANUP(fixture_done) struct fixture there;
    pthread_t thread;

    feed_fixture_open(&here, true);
    fixture_init_beside(&there, &here);
    fixture_open(&there, shop_services, false);
    shop_tell_many(&here, 1, EVENTS);
    CHECK(pthread_create(&thread, NULL, run_due, &there) == 0);
    (void)run_due(&here);
    CHECK(pthread_join(thread, NULL) == 0);
    (void)run_due(&here); /* the other may have been at it to the last */
    CHECK_STR(numbers(&here, 1, EVENTS).ptr,
              ledger_notes(&here)); /* a second one of any would be a conflict */
    CHECK_STR(numbers(&here, 1, EVENTS).ptr, heard(&here, "cache"));
    CHECK_STR(numbers(&here, 1, EVENTS).ptr, heard(&there, "cache"));
    CHECK_I64(0, fixture_logged(&here, "feed.blocked") + fixture_logged(&there, "feed.blocked"));
    fixture_close_node(&there);
}
