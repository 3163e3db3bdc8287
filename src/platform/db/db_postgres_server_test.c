/* platform/db/db_postgres_server_test.c - servers that stop, hang and die, and transactions side by
 * side. */

#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "platform/db/db_postgres.h"
#include "platform/db/testdata/pg_shop.h"

static int64_t ms_since(int64_t since_ns)
{
    return (clock_stopwatch_ns() - since_ns) / 1000000;
}

/* --- Servers that stop, hang and die --- */

TEST(an_idle_connection_that_was_lost_is_replaced_unnoticed)
{
    CLEANUP(shop_done) struct shop shop;
    int64_t version = 0;

    pg_shop_start(&shop);
    CHECK_OK(note_put(shop.db, 1, STR("before")));
    CHECK_OK(db_version(shop.db, &version));
    postgres_stop(&pg_server);
    postgres_start(&pg_server);
    CHECK_OK(note_put(shop.db, 2, STR("after"))); /* with its statements prepared again */
    check_notes(2, shop.db);
    CHECK_OK(db_version(shop.db, &version));
    CHECK_OK(note_put(shop.db, 3, STR("x")));
    postgres_kill(&pg_server);
    postgres_start(&pg_server);
    CHECK_OK(note_put(shop.db, 4, STR("after")));
    CHECK(strstr(shop_log(&shop).ptr, "db.failed") == NULL);
    /* 10 s: until it is gone. */
    test_database_exec(shop.url, "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
                                 "WHERE datname = current_database() AND pid <> pg_backend_pid()");
    CHECK_OK(note_put(shop.db, 5, STR("after")));
    check_notes(5, shop.db);
}

TEST(a_server_that_is_away_is_unavailable_at_once_and_back_without_a_restart)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t since_ns;
    int64_t version = 0;

    pg_shop_start(&shop);
    CHECK_OK(tx_begin(&tx, shop.db));
    CHECK_OK(pg_add_account(&tx, &SQL_ACCOUNT_INSERT, 1, "a@x"));
    postgres_kill(&pg_server);
    since_ns = clock_stopwatch_ns();
    CHECK_ERR(ERR_UNAVAILABLE, pg_add_account(&tx, &SQL_ACCOUNT_INSERT, 2, "b@x"));
    CHECK_ERR(ERR_UNAVAILABLE, pg_put(&tx, 1));
    CHECK_ERR(ERR_UNAVAILABLE, tx_commit(&tx));
    for (int i = 0; i < 20; i++)
        CHECK_ERR(ERR_UNAVAILABLE, note_put(shop.db, 1, STR("x")));
    CHECK_ERR(ERR_UNAVAILABLE, db_version(shop.db, &version));
    CHECK(ms_since(since_ns) < 2000);
    postgres_start(&pg_server);
    while (note_put(shop.db, 1, STR("x")) != ERR_OK)
        CHECK(ms_since(since_ns) < 20000);
    check_notes(1, shop.db);
    CHECK_OK(db_version(shop.db, &version));
    CHECK_I64(0, shop_i64(&shop, "SELECT count(*) FROM account"));
}

/* One who commits while the server dies. */
struct committer {
    pthread_t thread;
    struct db *db;
    _Atomic int64_t acknowledged;
    _Atomic int64_t unknown;
    _Atomic bool stop;
};

static void *commit_on(void *arg)
{
    struct committer *committer = arg;

    for (int64_t number = 1; !committer->stop; number++) {
        const err e = note_put(committer->db, number, STR("x"));

        if (e == ERR_OK)
            committer->acknowledged++;
        else if (e == ERR_UNAVAILABLE)
            committer->unknown++;
        else
            return arg; /* any other answer would be false */
    }
    return NULL;
}

/* The server's data survives its processes, if not the machine: fsync is off here. */
TEST(what_was_acknowledged_is_there_after_the_server_has_died)
{
    CLEANUP(shop_done) struct shop shop;
    struct committer committer = {0};
    int64_t count = 0;
    void *failed = NULL;

    pg_shop_start(&shop);
    committer.db = shop.db;
    CHECK(pthread_create(&committer.thread, NULL, commit_on, &committer) == 0);
    for (int round = 0; round < 3; round++) {
        const int64_t before = committer.acknowledged;

        while (committer.acknowledged < before + 50)
            (void)usleep(1000);
        postgres_kill(&pg_server);
        postgres_start(&pg_server);
    }
    committer.stop = true;
    CHECK(pthread_join(committer.thread, &failed) == 0);
    CHECK(failed == NULL);
    CHECK(committer.unknown > 0);
    while (note_count(shop.db, &count) != ERR_OK)
        (void)usleep(1000); /* the next attempt to connect is due */
    CHECK(count >= committer.acknowledged && count <= committer.acknowledged + committer.unknown);
}

TEST(a_server_that_hangs_is_given_up)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct postgres_connection *own;
    int64_t since_ns;

    pg_shop_start(&shop);
    CHECK_OK(tx_begin(&tx, shop.db));
    CHECK_OK(pg_put(&tx, 1));
    own = tx.connection;
    own->patience_ms = 300; /* not the test's seconds */
    postgres_pause(&pg_server);
    since_ns = clock_stopwatch_ns();
    CHECK_ERR(ERR_UNAVAILABLE, tx_commit(&tx));
    CHECK(ms_since(since_ns) >= 250 && ms_since(since_ns) < 2000);
    CHECK(strstr(shop_log(&shop).ptr, "no answer in time") != NULL);
    postgres_resume(&pg_server);
    CHECK_OK(note_put(shop.db, 2, STR("x")));
}

/* As on a server that has become a standby. */
TEST(a_server_that_may_not_write_any_more_is_left)
{
    CLEANUP(shop_done) struct shop shop;

    pg_shop_start(&shop);
    CHECK_OK(note_put(shop.db, 1, STR("x")));
    PQclear(postgres_run(pg_shop_db(&shop)->pool, "SET default_transaction_read_only = on"));
    CHECK_ERR(ERR_UNAVAILABLE, note_put(shop.db, 2, STR("x")));
    CHECK(pg_shop_db(&shop)->pool == NULL);
    CHECK_OK(note_put(shop.db, 2, STR("x"))); /* on a new connection, to one that may */
    check_notes(2, shop.db);
}

/* --- Side by side --- */

struct payer {
    pthread_t thread;
    struct db *db;
    pthread_barrier_t *both;
    const char *first;
    const char *second;
    int runs;
    err result;
};

static err lock(struct tx *tx, const char *email)
{
    int64_t balance = 0;

    return db_get_i64(tx, &SQL_ACCOUNT_LOCK, ARGS(TEXT(str_of(email))), &balance);
}

static err pay_both(struct tx *tx, void *arg)
{
    struct payer *payer = arg;

    TRY(lock(tx, payer->first));
    if (payer->runs++ == 0)
        (void)pthread_barrier_wait(payer->both); /* the other has its first, too */
    TRY(lock(tx, payer->second));
    TRY(db_exec(tx, &SQL_ACCOUNT_PAY, ARGS(TEXT(str_of(payer->first)), I64(1))));
    return db_exec(tx, &SQL_ACCOUNT_PAY, ARGS(TEXT(str_of(payer->second)), I64(2)));
}

static void *payer_run(void *arg)
{
    struct payer *payer = arg;

    payer->result = tx_run(payer->db, pay_both, payer);
    return NULL;
}

TEST(a_deadlock_is_run_again)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(tx_rollback) struct tx tx = {0};
    pthread_barrier_t both;
    struct payer payers[2] = {
        {.first = "a@x", .second = "b@x"},
        {.first = "b@x", .second = "a@x"}
    };

    pg_shop_start(&shop);
    CHECK_OK(tx_begin(&tx, shop.db));
    CHECK_OK(pg_add_account(&tx, &SQL_ACCOUNT_INSERT, 1, "a@x"));
    CHECK_OK(pg_add_account(&tx, &SQL_ACCOUNT_INSERT, 2, "b@x"));
    CHECK_OK(tx_commit(&tx));
    CHECK(pthread_barrier_init(&both, NULL, 2) == 0);
    for (int i = 0; i < 2; i++) {
        payers[i].db = shop.db;
        payers[i].both = &both;
        CHECK(pthread_create(&payers[i].thread, NULL, payer_run, &payers[i]) == 0);
    }
    for (int i = 0; i < 2; i++) {
        CHECK(pthread_join(payers[i].thread, NULL) == 0);
        CHECK_OK(payers[i].result);
    }
    CHECK(payers[0].runs + payers[1].runs > 2); /* at least one of them again */
    CHECK_I64(20 - 2 * 3, shop_i64(&shop, "SELECT sum(balance)::bigint FROM account"));
}

/* The next number is the count: two who read the same would collide. */
static err grow_note(struct shop *shop)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t count = 0;

    TRY(tx_begin(&tx, shop->db));
    TRY(db_get_i64(&tx, &SQL_NOTE_COUNT, NO_ARGS, &count));
    TRY(db_exec(&tx, &SQL_NOTE_INSERT, ARGS(I64(count), NIL, NIL)));
    return tx_commit(&tx);
}

static void *grow_notes(void *arg)
{
    for (int i = 0; i < 20; i++)
        if (grow_note(arg) != ERR_OK)
            return arg;
    return NULL;
}

TEST(where_one_writes_at_a_time_what_was_read_holds)
{
    CLEANUP(shop_done) struct shop shop;
    pthread_t threads[3];

    pg_shop_init(&shop);
    shop.options.one_writer = true;
    CHECK_OK(shop_open(&shop));
    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&threads[i], NULL, grow_notes, &shop) == 0);
    for (int i = 0; i < 3; i++) {
        void *failed = NULL;

        CHECK(pthread_join(threads[i], &failed) == 0);
        CHECK(failed == NULL);
    }
    check_notes(60, shop.db);
}

static void *write_beside(void *arg)
{
    struct shop *shop = arg;

    return note_put(shop->db, 2, STR("beside")) == ERR_OK ? NULL : arg;
}

TEST(writers_do_not_wait_for_each_other)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(tx_rollback) struct tx tx = {0};
    pthread_t thread;
    void *failed = NULL;

    pg_shop_start(&shop);
    CHECK_OK(tx_begin(&tx, shop.db));
    CHECK_OK(pg_put(&tx, 1));
    CHECK(pthread_create(&thread, NULL, write_beside, &shop) == 0);
    CHECK(pthread_join(thread, &failed) == 0);
    CHECK(failed == NULL);
    CHECK_OK(tx_commit(&tx));
    check_notes(2, shop.db);
}

TEST(what_somebody_has_switched_off_is_found)
{
    CLEANUP(shop_done) struct shop shop;

    pg_shop_start(&shop);
    CHECK_OK(db_verify(shop.db, shop.arena, &shop.why));
    test_database_exec(shop.url,
                       "ALTER TABLE note ADD CONSTRAINT note_low CHECK (number < 5) NOT VALID");
    CHECK_ERR(ERR_INTERNAL, db_verify(shop.db, shop.arena, &shop.why));
    CHECK_STR("shop: constraint note_low of note was never checked", shop.why);
    CHECK_OK(note_put(shop.db, 1, STR("x"))); /* in the pipeline again */
}
