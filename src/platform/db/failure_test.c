/* platform/db/failure_test.c - full disks, killed processes, damaged data, logs that grow. */

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "platform/db/batch.h"
#include "platform/db/testdata/shop.h"

enum { BIG_SIZE = 64 * 1024 };

static str big_text(struct shop *shop)
{
    char *text = arena_alloc(shop->arena, BIG_SIZE);

    memset(text, 'x', BIG_SIZE);
    return (str){text, BIG_SIZE};
}

/* --- Full --- */

TEST_OF_SQLITE(a_full_file_refuses_the_transaction_and_nothing_else)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t pages = 0;

    shop_start(&shop, false);
    CHECK_OK(note_put(shop.db, 1, STR("before")));
    CHECK(sqlite_get_i64(shop_sqlite(&shop)->writer->handle, "PRAGMA max_page_count = 24",
                         &pages) == SQLITE_OK);
    CHECK_OK(tx_begin(&tx, shop.db));
    CHECK_OK(db_exec(&tx, &SQL_NOTE_PUT, ARGS(I64(2), TEXT(STR("small")))));
    CHECK_ERR(ERR_UNAVAILABLE, db_exec(&tx, &SQL_NOTE_PUT, ARGS(I64(3), TEXT(big_text(&shop)))));
    CHECK(strstr(shop_log(&shop).ptr, "statement=note_put result=unavailable") != NULL);
    /* SQLite has rolled back by itself: what follows must not be a transaction of its own. */
    CHECK_ERR(ERR_UNAVAILABLE, db_exec(&tx, &SQL_NOTE_PUT, ARGS(I64(4), NIL)));
    CHECK_ERR(ERR_UNAVAILABLE, tx_savepoint(&tx));
    CHECK_ERR(ERR_UNAVAILABLE, tx_commit(&tx));
    check_notes(1, shop.db);

    CHECK_OK(note_put(shop.db, 5, STR("small")));
    CHECK_ERR(ERR_UNAVAILABLE, note_put(shop.db, 6, big_text(&shop)));
    CHECK(sqlite_get_i64(shop_sqlite(&shop)->writer->handle, "PRAGMA max_page_count = 100000",
                         &pages) == SQLITE_OK);
    CHECK_OK(note_put(shop.db, 6, big_text(&shop)));
    check_notes(3, shop.db);
    CHECK_OK(db_verify(shop.db, shop.arena, &shop.why));
}

/* One line a second, however much fails. */
TEST_OF_SQLITE(a_failing_machine_does_not_flood_the_log)
{
    CLEANUP(shop_done) struct shop shop;
    int64_t pages = 0;
    const char *first;

    shop_start(&shop, false);
    CHECK(sqlite_get_i64(shop_sqlite(&shop)->writer->handle, "PRAGMA max_page_count = 24",
                         &pages) == SQLITE_OK);
    for (int i = 0; i < 20; i++)
        CHECK_ERR(ERR_UNAVAILABLE, note_put(shop.db, 6, big_text(&shop)));
    first = strstr(shop_log(&shop).ptr, "db.failed");
    CHECK(first != NULL && strstr(first + 1, "db.failed") == NULL);
    clock_manual_advance(&shop.clock, 1000);
    CHECK_ERR(ERR_UNAVAILABLE, note_put(shop.db, 6, big_text(&shop)));
    first = strstr(shop_log(&shop).ptr, "db.failed");
    CHECK(first != NULL && strstr(first + 1, "db.failed") != NULL);
}

/* A small disk of this process' own, which is gone with it. */
static bool mount_small(const char *dir)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", dir, "tmpfs", 0, "size=2m") == 0;
}

/* Leaves no room on the disk; gives the name of what is in the way. */
static const char *fill_disk(struct shop *shop)
{
    static const char zeros[4096];
    const char *path = arena_printf(shop->arena, "%s/filler", shop->dir).ptr;
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    CHECK(fd >= 0);
    while (write(fd, zeros, sizeof(zeros)) > 0)
        continue;
    (void)close(fd);
    return path;
}

struct note {
    struct batch_write write; /* first */
    int64_t number;
    str body;
    int apply_count;
};

static err apply_note(struct batch_write *write, struct tx *tx)
{
    struct note *note = (struct note *)write;

    note->apply_count++;
    return db_exec(tx, &SQL_NOTE_PUT, ARGS(I64(note->number), TEXT(note->body)));
}

static void ignore_done([[maybe_unused]] struct batch_write *write)
{
}

TEST_OF_SQLITE(a_full_disk_refuses_until_there_is_room_again)
{
    enum { NOTE_COUNT = 8 };
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct note notes[NOTE_COUNT] = {0};
    struct batch *batch;
    const char *filler;

    shop_init(&shop, false);
    if (!mount_small(shop.dir)) {
        print_message("# skipped: needs the right to mount\n");
        return; /* not skip(), which jumps over the cleanup and leaks */
    }
    CHECK_OK(shop_open(&shop));
    CHECK_OK(batch_open(shop.db, "notes", NULL, NULL, NULL, &batch));
    CHECK_OK(note_put(shop.db, 1, STR("before")));
    filler = fill_disk(&shop);
    CHECK_ERR(ERR_UNAVAILABLE, note_put(shop.db, 2, big_text(&shop)));
    check_notes(1, shop.db);

    /* A batch: each of its writes is refused, and none is tried again by itself. */
    CHECK_OK(tx_begin(&tx, shop.db)); /* so that they gather */
    for (int i = 0; i < NOTE_COUNT; i++) {
        notes[i] = (struct note){
            .write = {.apply = apply_note, .done = ignore_done},
              .number = 10 + i
        };
        notes[i].body = big_text(&shop);
        CHECK_OK(batch_submit(batch, &notes[i].write));
    }
    tx_rollback(&tx);
    batch_close(batch);
    for (int i = 0; i < NOTE_COUNT; i++)
        CHECK_ERR(ERR_UNAVAILABLE, notes[i].write.result);
    check_notes(1, shop.db);

    CHECK(unlink(filler) == 0);
    CHECK_OK(note_put(shop.db, 2, big_text(&shop)));
    check_notes(2, shop.db);
    CHECK_OK(db_verify(shop.db, shop.arena, &shop.why));
    shop_close(&shop);
    CHECK(umount(shop.dir) == 0);
}

/* --- Killed --- */

/* Commits notes 1, 2, 3 ... and says so for each, until it is killed. */
static void commit_for_ever(struct shop *shop, int fd)
{
    if (shop_open(shop) != ERR_OK)
        return;
    for (int64_t number = 1;; number++)
        if (note_put(shop->db, number, STR("acknowledged")) != ERR_OK ||
            write(fd, &number, sizeof(number)) != (ssize_t)sizeof(number))
            return;
}

TEST(what_was_acknowledged_survives_a_kill)
{
    enum { ROUNDS = 5, COMMITS = 40 };

    for (int round = 0; round < ROUNDS; round++) {
        CLEANUP(shop_done) struct shop shop;
        int64_t last = 0;
        int64_t number;
        int64_t count = -1;
        int ends[2];
        pid_t child;

        shop_init(&shop, false);
        CHECK(pipe2(ends, O_CLOEXEC) == 0);
        child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            (void)close(ends[0]);
            commit_for_ever(&shop, ends[1]);
            _exit(1);
        }
        (void)close(ends[1]);
        while (last < COMMITS + round &&
               read(ends[0], &number, sizeof(number)) == (ssize_t)sizeof(number))
            last = number;
        CHECK(kill(child, SIGKILL) == 0);
        while (read(ends[0], &number, sizeof(number)) == (ssize_t)sizeof(number))
            last = number; /* said before it died */
        CHECK(waitpid(child, NULL, 0) == child);
        (void)close(ends[0]);

        CHECK(last >= COMMITS);
        CHECK_OK(shop_open(&shop));
        CHECK_OK(note_count(shop.db, &count));
        CHECK(count == last ||
              count == last + 1); /* one may have been committed, but not yet told */
        CHECK_OK(db_verify(shop.db, shop.arena, &shop.why));
    }
}

/* --- Damaged --- */

TEST_OF_SQLITE(a_row_that_refers_to_nothing_is_found)
{
    CLEANUP(shop_done) struct shop shop;
    sqlite3 *other;

    shop_start(&shop, false);
    CHECK_OK(db_verify(shop.db, shop.arena, &shop.why));
    CHECK(sqlite3_open(shop_path(&shop), &other) == SQLITE_OK);
    CHECK(sqlite_run(other, "PRAGMA foreign_keys = OFF; INSERT INTO seat VALUES (1, 1, x'00')") ==
          SQLITE_OK);
    CHECK(sqlite3_close(other) == SQLITE_OK);
    CHECK_ERR(ERR_INTERNAL, db_verify(shop.db, shop.arena, &shop.why));
    CHECK_STR("shop: row 1 of seat refers to a row of account that is not there", shop.why);
}

TEST_OF_SQLITE(a_value_that_its_column_forbids_is_found)
{
    CLEANUP(shop_done) struct shop shop;
    sqlite3 *other;

    shop_start(&shop, false);
    CHECK(sqlite3_open(shop_path(&shop), &other) == SQLITE_OK);
    CHECK(sqlite_run(other, "PRAGMA ignore_check_constraints = ON;"
                            "INSERT INTO account (id, email, balance) VALUES (x'00', 'a@x', -1)") ==
          SQLITE_OK);
    CHECK(sqlite3_close(other) == SQLITE_OK);
    CHECK_ERR(ERR_INTERNAL, db_verify(shop.db, shop.arena, &shop.why));
    CHECK_STR("shop: CHECK constraint failed in account", shop.why);
}

/* --- Checkpoints --- */

static int64_t wal_bytes(const struct shop *shop)
{
    return metric_value(shop->db->metrics.wal_bytes);
}

static int64_t file_size(struct shop *shop, const char *end)
{
    struct stat st;

    return stat(arena_printf(shop->arena, "%s%s", shop_path(shop), end).ptr, &st) == 0 ? st.st_size
                                                                                       : -1;
}

/* The janitor has a thread of its own, which is given ten seconds. */
static bool happens(const struct shop *shop, bool (*what)(const struct shop *shop))
{
    const struct timespec moment = {.tv_nsec = 5000000};

    for (int i = 0; i < 2000 && !what(shop); i++)
        (void)nanosleep(&moment, NULL);
    return what(shop);
}

static bool is_empty(const struct shop *shop)
{
    return wal_bytes(shop) == 0;
}

static bool has_checkpoint(const struct shop *shop)
{
    return metric_value(shop->db->metrics.checkpoint_seconds) > 0;
}

/* Moves the log, or waits for the writer to do so. */
static bool is_at_it(const struct shop *shop)
{
    pthread_mutex_t *work = &shop_sqlite(shop)->janitor.work;

    if (pthread_mutex_trylock(work) != 0)
        return true;
    (void)pthread_mutex_unlock(work);
    return false;
}

static void write_megabytes(struct shop *shop, int count)
{
    for (int i = 0; i < count * 16; i++)
        CHECK_OK(note_put(shop->db, i, big_text(shop)));
}

TEST_OF_SQLITE(a_long_log_is_moved_into_the_file_in_the_next_gap)
{
    CLEANUP(shop_done) struct shop shop;
    int64_t first_size;

    shop_start(&shop, false);
    CHECK_OK(note_put(shop.db, 1000, STR("x")));
    CHECK(wal_bytes(&shop) > 0);
    write_megabytes(&shop, 5);
    CHECK(happens(&shop, is_empty));
    CHECK(file_size(&shop, "") > 5000000);
    first_size = file_size(&shop, "-wal");
    CHECK_OK(note_put(shop.db, 1000, STR("y"))); /* begins the log anew */
    CHECK(wal_bytes(&shop) > 0 && wal_bytes(&shop) < 100000);
    CHECK_I64(first_size, file_size(&shop, "-wal"));
    shop_close(&shop);
    CHECK(file_size(&shop, "-wal") <= 0);
    CHECK_OK(shop_open(&shop));
    check_notes(81, shop.db);
}

TEST_OF_SQLITE(a_reader_that_stays_delays_the_checkpoint_but_not_the_writer)
{
    CLEANUP(shop_done) struct shop shop;
    sqlite3 *reader; /* of another process, as it were */
    int64_t count = -1;

    shop_start(&shop, false);
    CHECK_OK(note_put(shop.db, 1000, STR("x")));
    CHECK(sqlite3_open(shop_path(&shop), &reader) == SQLITE_OK);
    CHECK(sqlite_run(reader, "BEGIN; SELECT count(*) FROM note") == SQLITE_OK);
    write_megabytes(&shop, 1);
    CHECK_OK(db_checkpoint(shop.db));
    CHECK(wal_bytes(&shop) > 0);
    CHECK(sqlite_get_i64(reader, "SELECT count(*) FROM note", &count) == SQLITE_OK);
    CHECK_I64(1, count);
    CHECK(sqlite_run(reader, "COMMIT") == SQLITE_OK);
    CHECK_OK(db_checkpoint(shop.db));
    CHECK_I64(0, wal_bytes(&shop));
    CHECK(sqlite3_close(reader) == SQLITE_OK);
}

TEST_OF_SQLITE(a_checkpoint_can_be_asked_for)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(shop_done) struct shop memory;

    shop_start(&shop, false);
    shop_start(&memory, true);
    CHECK_OK(note_put(shop.db, 1, big_text(&shop)));
    CHECK(wal_bytes(&shop) > BIG_SIZE);
    CHECK_OK(db_checkpoint(shop.db));
    CHECK_I64(0, wal_bytes(&shop));
    CHECK_OK(db_checkpoint(shop.db));
    CHECK_OK(db_checkpoint(memory.db));
}

TEST_OF_SQLITE(a_log_of_64_mib_is_moved_whoever_writes)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(tx_rollback) struct tx tx = {0};

    shop_start(&shop, false);
    CHECK_OK(note_put(shop.db, 1, STR("x")));
    CHECK(!has_checkpoint(&shop));
    CHECK_OK(tx_begin(&tx, shop.db));
    /* As if that commit had left so much, and with a writer at it, who is not disturbed. */
    CHECK(sqlite_wal_hook(shop_sqlite(&shop), NULL, "main", WAL_BYTES_MAX / 4096) == SQLITE_OK);
    CHECK(happens(&shop, is_at_it)); /* before the next commit tells how much it really is */
    CHECK_OK(db_exec(&tx, &SQL_NOTE_PUT, ARGS(I64(2), NIL)));
    CHECK_OK(tx_commit(&tx));
    CHECK(happens(&shop, has_checkpoint));
    check_notes(2, shop.db);
}
