/* platform/db/tx_test.c - transactions: all or nothing, snapshots, who waits for whom. */

#include <pthread.h>
#include <semaphore.h>
#include <time.h>

#include "platform/db/testdata/shop.h"

static const bool places[] = {false, true}; /* in_memory */
enum { PLACE_COUNT = sizeof(places) / sizeof(places[0]), SHORT_MS = 20 };

static err put(struct tx *tx, int64_t number)
{
    return db_exec(tx, &SQL_NOTE_PUT, ARGS(I64(number), NIL));
}

static int64_t count_in(struct tx *tx)
{
    int64_t count = -1;

    CHECK_OK(db_get_i64(tx, &SQL_NOTE_COUNT, NO_ARGS, &count));
    return count;
}

/* --- All or nothing --- */

static err put_and_fail(struct db *db)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, db));
    TRY(put(&tx, 1));
    TRY(db_exec(&tx, &SQL_NOTE_INSERT, ARGS(I64(1), NIL, NIL))); /* the same number */
    return tx_commit(&tx);
}

TEST(what_is_not_committed_is_gone)
{
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        CLEANUP(shop_done) struct shop shop;
        struct tx tx = {0};

        shop_start(&shop, places[i]);
        CHECK_ERR(ERR_CONFLICT, put_and_fail(shop.db));
        check_notes(0, shop.db);
        CHECK(!tx_is_open_here());
        tx_rollback(&tx); /* one that never began */

        CHECK_OK(tx_begin(&tx, shop.db));
        CHECK(tx_is_open_here());
        CHECK_OK(put(&tx, 1));
        CHECK_OK(tx_commit(&tx));
        CHECK(!tx_is_open_here());
        tx_rollback(&tx); /* one that has ended */
        check_notes(1, shop.db);
    }
}

TEST(a_savepoint_undoes_what_came_after_it)
{
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        CLEANUP(shop_done) struct shop shop;
        CLEANUP(tx_rollback) struct tx tx = {0};

        shop_start(&shop, places[i]);
        CHECK_OK(tx_begin(&tx, shop.db));
        CHECK_OK(put(&tx, 1));
        CHECK_OK(tx_savepoint(&tx));
        CHECK_OK(put(&tx, 2));
        CHECK_OK(tx_savepoint(&tx));
        CHECK_OK(put(&tx, 3));
        CHECK_OK(tx_undo(&tx));
        CHECK_I64(2, count_in(&tx));
        CHECK_OK(tx_savepoint(&tx));
        CHECK_OK(put(&tx, 4));
        CHECK_OK(tx_keep(&tx));
        CHECK_I64(3, count_in(&tx));
        CHECK_OK(tx_undo(&tx));
        CHECK_I64(1, count_in(&tx));
        CHECK_OK(tx_commit(&tx));
        check_notes(1, shop.db);
    }
}

static int64_t changes_of(const struct tx *tx)
{
    return tx->db->driver->changes(tx->connection);
}

TEST(changes_do_not_count_what_was_undone)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t before;

    shop_start(&shop, true);
    CHECK_OK(tx_begin(&tx, shop.db));
    before = changes_of(&tx);
    CHECK_OK(tx_savepoint(&tx));
    CHECK_OK(put(&tx, 1));
    CHECK_OK(tx_savepoint(&tx));
    CHECK_OK(put(&tx, 2));
    CHECK_I64(before + 2, changes_of(&tx));
    CHECK_OK(tx_undo(&tx));
    CHECK_I64(before + 1, changes_of(&tx));
    CHECK_OK(tx_undo(&tx));
    CHECK_I64(before, changes_of(&tx));
    CHECK_OK(put(&tx, 1));
    CHECK_I64(before + 1, changes_of(&tx));
}

/* --- Beside each other --- */

/* Work for another thread; its result. */
struct task {
    struct db *db;
    err (*run)(struct db *db);
    err result;
};

static void *task_run(void *arg)
{
    struct task *task = arg;

    task->result = task->run(task->db);
    return NULL;
}

/* Runs it in another thread, to its end. */
static err elsewhere(struct db *db, err (*run)(struct db *db))
{
    struct task task = {.db = db, .run = run, .result = ERR_INTERNAL};
    pthread_t thread;

    CHECK(pthread_create(&thread, NULL, task_run, &task) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    return task.result;
}

static err put_two(struct db *db)
{
    return note_put(db, 2, STR("two"));
}

static err see_one(struct db *db)
{
    int64_t count = -1;

    TRY(note_count(db, &count));
    return count == 1 ? ERR_OK : ERR_STALE;
}

TEST(a_reader_has_a_snapshot_and_does_not_block_the_writer)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(tx_rollback) struct tx tx = {0};

    shop_start(&shop, false);
    CHECK_OK(note_put(shop.db, 1, STR("one")));
    CHECK_OK(tx_read(&tx, shop.db));
    CHECK_I64(1, count_in(&tx));
    CHECK_OK(elsewhere(shop.db, put_two)); /* while the reader is at it */
    CHECK_I64(1, count_in(&tx));
    tx_rollback(&tx);
    CHECK_OK(tx_read(&tx, shop.db));
    CHECK_I64(2, count_in(&tx));
}

TEST(a_reader_does_not_wait_for_the_writer_nor_see_its_work)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(tx_rollback) struct tx tx = {0};

    shop_start(&shop, false);
    CHECK_OK(note_put(shop.db, 1, STR("one")));
    CHECK_OK(tx_begin(&tx, shop.db));
    CHECK_OK(put(&tx, 2));
    CHECK_I64(2, count_in(&tx));
    CHECK_OK(elsewhere(shop.db, see_one));
    CHECK_OK(tx_commit(&tx));
    check_notes(2, shop.db);
}

TEST_OF_SQLITE(a_writer_waits_only_so_long_for_another)
{
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        CLEANUP(shop_done) struct shop shop;
        CLEANUP(tx_rollback) struct tx tx = {0};

        shop_start(&shop, places[i]);
        CHECK_I64(DB_WRITER_WAIT_MS, shop.db->writer_wait_ms);
        shop.db->writer_wait_ms = SHORT_MS;
        shop.db->reader_wait_ms = SHORT_MS;
        CHECK_OK(tx_begin(&tx, shop.db));
        CHECK_ERR(ERR_UNAVAILABLE, elsewhere(shop.db, put_two));
        if (places[i]) /* one connection for everything */
            CHECK_ERR(ERR_OVERLOADED, elsewhere(shop.db, see_one));
        CHECK_OK(put(&tx, 1));
        CHECK_OK(tx_commit(&tx));
        CHECK_OK(elsewhere(shop.db, see_one));
        CHECK_OK(elsewhere(shop.db, put_two));
    }
}

TEST(there_are_so_many_readers_and_no_more)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(tx_rollback) struct tx tx = {0};

    shop_init(&shop, false);
    shop.options.reader_count_max = 1;
    CHECK_OK(shop_open(&shop));
    shop.db->reader_wait_ms = SHORT_MS;
    CHECK_OK(note_put(shop.db, 1, STR("one")));
    CHECK_OK(tx_read(&tx, shop.db));
    CHECK_ERR(ERR_OVERLOADED, elsewhere(shop.db, see_one));
    tx_rollback(&tx);
    CHECK_OK(elsewhere(shop.db, see_one));
}

TEST_OF_SQLITE(another_process_that_writes_is_waited_for)
{
    CLEANUP(shop_done) struct shop shop;
    sqlite3 *other;

    shop_start(&shop, false);
    (void)sqlite3_busy_timeout(shop_sqlite(&shop)->writer->handle, SHORT_MS);
    /* Locks do not tell connections from processes. */
    CHECK(sqlite3_open(shop_path(&shop), &other) == SQLITE_OK);
    CHECK(sqlite_run(other, "BEGIN IMMEDIATE; INSERT INTO note (number) VALUES (1)") == SQLITE_OK);
    CHECK_ERR(ERR_UNAVAILABLE, note_put(shop.db, 2, STR("two")));
    check_notes(0, shop.db);
    CHECK(sqlite_run(other, "COMMIT") == SQLITE_OK);
    CHECK_OK(note_put(shop.db, 2, STR("two")));
    check_notes(2, shop.db);
    CHECK(sqlite3_close(other) == SQLITE_OK);
}

TEST_OF_SQLITE(two_dbs_of_one_memory_share_it_and_take_turns)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct db *twin = NULL;

    shop_start(&shop, true);
    CHECK_OK(db_open(&shop.options, shop.arena, &twin, &shop.why));
    twin->writer_wait_ms = SHORT_MS;
    CHECK_OK(note_put(shop.db, 1, STR("one")));
    check_notes(1, twin);
    CHECK_OK(tx_begin(&tx, shop.db));
    CHECK_OK(put(&tx, 2));
    CHECK_ERR(ERR_UNAVAILABLE, elsewhere(twin, put_two));
    CHECK_ERR(ERR_UNAVAILABLE, elsewhere(twin, see_one)); /* rather than half of the other's work */
    CHECK_OK(tx_commit(&tx));
    CHECK_OK(elsewhere(twin, put_two));
    check_notes(2, twin);
    db_close(twin);
    check_notes(2, shop.db);
}

/* Holds the writer for a moment after it has said so. */
struct holder {
    struct db *db;
    sem_t entered;
    err result;
};

static err hold_for_a_moment(struct holder *holder)
{
    static const struct timespec moment = {.tv_nsec = SHORT_MS * 1000000L};
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, holder->db));
    (void)sem_post(&holder->entered);
    (void)nanosleep(&moment, NULL);
    TRY(put(&tx, 1));
    return tx_commit(&tx);
}

static void *holder_run(void *arg)
{
    struct holder *holder = arg;

    holder->result = hold_for_a_moment(holder);
    return NULL;
}

TEST(another_db_that_writes_is_waited_for)
{
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        CLEANUP(shop_done) struct shop shop;
        struct holder holder = {.result = ERR_INTERNAL};
        pthread_t thread;

        shop_start(&shop, places[i]);
        CHECK_OK(db_open(&shop.options, shop.arena, &holder.db, &shop.why));
        CHECK(sem_init(&holder.entered, 0, 0) == 0);
        CHECK(pthread_create(&thread, NULL, holder_run, &holder) == 0);
        CHECK(sem_wait(&holder.entered) == 0);
        CHECK_OK(note_put(shop.db, 2, STR("two")));
        CHECK(pthread_join(thread, NULL) == 0);
        CHECK_OK(holder.result);
        db_close(holder.db);
        check_notes(2, shop.db);
    }
}

/* --- Version --- */

TEST(the_version_changes_with_every_commit_of_anybody)
{
    for (size_t i = 0; i < PLACE_COUNT; i++) {
        CLEANUP(shop_done) struct shop shop;
        struct tx tx = {0};
        struct db *twin = NULL;
        int64_t first;
        int64_t next;

        shop_start(&shop, places[i]);
        CHECK_OK(db_open(&shop.options, shop.arena, &twin, &shop.why));
        CHECK_OK(db_version(shop.db, &first));
        CHECK_OK(tx_begin(&tx, shop.db));
        CHECK_OK(put(&tx, 1));
        tx_rollback(&tx);
        check_notes(0, shop.db);
        CHECK_OK(db_version(shop.db, &next));
        if (!shop.on_postgres)
            CHECK_I64(first, next); /* nothing was committed */

        for (int64_t round = 1; round <= 6; round++) {
            CHECK_OK(note_put(round % 2 == 0 ? shop.db : twin, round, STR("x")));
            first = next;
            CHECK_OK(db_version(shop.db, &next));
            CHECK(first != next);
        }
        CHECK_OK(db_version(shop.db, &first));
        CHECK_I64(first, next);
        db_close(twin);
    }
}

/* --- Bugs --- */

/* A transaction in a database in memory that its process leaves behind. */
static void start_bug(struct tx *tx, bool writes)
{
    static struct shop shop;

    shop_start(&shop, true);
    CHECK_OK(note_put(shop.db, 1, STR("one")));
    *tx = (struct tx){0};
    CHECK_OK(writes ? tx_begin(tx, shop.db) : tx_read(tx, shop.db));
}

static void begin_twice(void)
{
    struct tx tx;
    struct tx other = {0};

    start_bug(&tx, true);
    CHECK_OK(tx_read(&other, tx.db));
}

static void write_while_reading(void)
{
    struct tx tx;

    start_bug(&tx, false);
    CHECK_OK(put(&tx, 2));
}

static void give_too_few_arguments(void)
{
    struct tx tx;

    start_bug(&tx, true);
    CHECK_OK(db_exec(&tx, &SQL_NOTE_PUT, ARGS(I64(2))));
}

static void use_a_stranger(void)
{
    static const struct sql stranger = {.name = "stranger", .sqlite = "SELECT 1"};
    struct tx tx;

    start_bug(&tx, true);
    CHECK_OK(db_exec(&tx, &stranger, NO_ARGS));
}

static void commit_with_open_rows(void)
{
    struct tx tx;
    struct rows rows = {0};

    start_bug(&tx, true);
    CHECK_OK(rows_open(&rows, &tx, &SQL_NOTE_COUNT, NO_ARGS, NULL));
    CHECK_OK(tx_commit(&tx));
}

static void commit_within_a_savepoint(void)
{
    struct tx tx;

    start_bug(&tx, true);
    CHECK_OK(tx_savepoint(&tx));
    CHECK_OK(tx_commit(&tx));
}

static void open_a_statement_twice(void)
{
    struct tx tx;
    struct rows rows = {0};
    struct rows again = {0};

    start_bug(&tx, true);
    CHECK_OK(rows_open(&rows, &tx, &SQL_NOTE_COUNT, NO_ARGS, NULL));
    CHECK_OK(rows_open(&again, &tx, &SQL_NOTE_COUNT, NO_ARGS, NULL));
}

static void ask_for_the_version_in_a_transaction(void)
{
    struct tx tx;
    int64_t version;

    start_bug(&tx, false);
    CHECK_OK(db_version(tx.db, &version));
}

TEST(a_bug_ends_the_process)
{
    static void (*const bugs[])(void) = {
        begin_twice,
        write_while_reading,
        give_too_few_arguments,
        use_a_stranger,
        commit_with_open_rows,
        commit_within_a_savepoint,
        open_a_statement_twice,
        ask_for_the_version_in_a_transaction,
    };
    for (size_t i = 0; i < sizeof(bugs) / sizeof(bugs[0]); i++)
        CHECK(dies_of_assertion(bugs[i]));
}
