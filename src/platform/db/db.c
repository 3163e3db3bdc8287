/* platform/db/db.c - the rules of transactions and statements that hold for every engine.
 *
 * What can only be a bug is asserted here, once: two transactions on one thread, a statement that
 * was never registered, arguments that do not fit, rows left open at a commit. What an engine does
 * lies behind struct driver (db_driver.h). */

#include "platform/db/db.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "platform/db/db_driver.h"
#include "platform/db/migration.sql.h"
#include "platform/log/log.h"
#include "platform/metrics/metrics.h"
#include "platform/metrics/spent.h"

enum { COMPLAINTS_APART_MS = 1000, RUNS_MAX = 5 };
#define S_PER_NS 1e-9

/* Per thread, not per database: a thread that held two transactions could deadlock with another one
 * that takes them the other way round. */
static _Thread_local bool open_here;
static _Thread_local int64_t opened_ns; /* when it was asked for */

static const struct driver *const drivers[] = {&sqlite_driver, &postgres_driver};

/* --- Opening and closing --- */

static void metrics_init(struct db *db, struct metrics *metrics)
{
    char labels[DB_NAME_SIZE_MAX + sizeof("db=\"\"")];

    if (metrics == NULL)
        return;
    (void)snprintf(labels, sizeof(labels), "db=\"%s\"", db->name);
    db->metrics = (struct db_metrics){
        .writer_wait_seconds = metrics_histogram(
            metrics, "boxoffice_db_writer_wait_seconds", labels,
            "Wait for the writer, in order of arrival.", METRICS_SECONDS, METRICS_SECONDS_COUNT),
        .commit_seconds = metrics_histogram(metrics, "boxoffice_db_commit_seconds", labels,
                                            "Commit of a write, until it is durable.",
                                            METRICS_SECONDS, METRICS_SECONDS_COUNT),
        .checkpoint_seconds = metrics_histogram(metrics, "boxoffice_db_checkpoint_seconds", labels,
                                                "Moving the write-ahead log into the file.",
                                                METRICS_SECONDS, METRICS_SECONDS_COUNT),
        .wal_bytes = metrics_gauge(metrics, "boxoffice_db_wal_bytes", labels,
                                   "What waits in the write-ahead log for a checkpoint."),
        .transaction_seconds =
            metrics_histogram(metrics, "boxoffice_db_seconds", labels,
                              "A transaction, from having its connection to its end.",
                              METRICS_SECONDS, METRICS_SECONDS_COUNT),
    };
}

void db_init(struct db *db, const struct driver *driver, str name, const struct db_options *options)
{
    db->driver = driver;
    if (options->name != NULL)
        name = str_of(options->name);
    (void)snprintf(db->name, sizeof(db->name), "%.*s",
                   STR_ARG(str_slice(name, 0, DB_NAME_SIZE_MAX)));
    for (char *c = db->name; *c != '\0'; c++)
        if (*c == '"' || *c == '\\' || *c == '\n')
            *c = '_'; /* it becomes a label */
    statements_init(&db->statements, &migration_sql, options->statements);
    db->clock = options->clock;
    db->log = options->log;
    db->writer_wait_ms = DB_WRITER_WAIT_MS;
    db->reader_wait_ms = DB_READER_WAIT_MS;
    metrics_init(db, options->metrics);
}

void db_done(struct db *db)
{
    statements_done(&db->statements);
}

void db_complain(struct db *db, err e, const char *statement, int code, const char *message)
{
    if (db->log == NULL)
        return;
    if (e == ERR_UNAVAILABLE) {
        const int64_t now_ms = clock_now_ms(db->clock);
        int64_t last_ms = db->complained_at_ms;

        if (last_ms != 0 && now_ms >= last_ms && now_ms - last_ms < COMPLAINTS_APART_MS)
            return;
        if (!atomic_compare_exchange_strong(&db->complained_at_ms, &last_ms, now_ms))
            return; /* another thread writes it */
    }
    log_event(db->log, LOG_ERROR, "db.failed", LOG_CSTR("db", db->name),
              LOG_CSTR("statement", statement), LOG_CSTR("result", err_name(e)),
              LOG_I64("code", code), LOG_CSTR("message", message));
}

static const struct driver *driver_find(str url)
{
    str scheme;

    if (!str_split(&url, ':', &scheme) || url.ptr == NULL)
        return NULL;
    for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
        if (str_eq(scheme, str_of(drivers[i]->scheme)) || str_eq(scheme, str_of(drivers[i]->alias)))
            return drivers[i];
    return NULL;
}

static err migrate_and_prepare(struct db *db, const struct db_options *options, struct arena *arena,
                               str *ret_why)
{
    TRY(db->driver->migrate_begin(db, arena, ret_why));
    TRY(db_migrate(db, options, arena, ret_why));
    TRY(db->driver->migrate_end(db, arena, ret_why));
    return db->driver->ready(db, arena, ret_why);
}

err db_open(const struct db_options *options, struct arena *arena, struct db **ret, str *ret_why)
{
    const struct driver *driver = driver_find(str_of(options->url));
    struct db *db;
    err e;

    assert(options->clock != NULL);
    assert(options->reader_count_max >= 0 && options->reader_count_max <= DB_READERS_MAX);
    if (driver == NULL) {
        *ret_why = arena_printf(
            arena, "%s: no database that is known here (sqlite:FILE, postgresql://...)",
            options->url);
        return ERR_INVALID;
    }
    TRY(driver->open(options, arena, &db, ret_why));
    e = migrate_and_prepare(db, options, arena, ret_why);
    if (e != ERR_OK) {
        db_close(db);
        return e;
    }
    *ret = db;
    return ERR_OK;
}

void db_close(struct db *db)
{
    if (db != NULL)
        db->driver->close(db);
}

const char *db_file(const struct db *db)
{
    return db->file;
}

bool db_has_arrays(const struct db *db)
{
    return db->driver->has_arrays;
}

/* --- Transactions --- */

static void note_spent(void)
{
    spent_add(SPENT_DATABASE, clock_stopwatch_ns() - opened_ns);
}

static err begin(struct tx *tx, struct db *db, bool writes)
{
    void *connection;

    assert(tx->connection == NULL);
    assert(!open_here);
    opened_ns = clock_stopwatch_ns(); /* waiting for the writer is part of it */
    const err e = db->driver->begin(db, writes, &connection);
    if (e != ERR_OK) {
        note_spent();
        return e;
    }
    *tx = (struct tx){
        .db = db, .connection = connection, .writes = writes, .began_ns = clock_stopwatch_ns()};
    open_here = true;
    return ERR_OK;
}

err tx_begin(struct tx *tx, struct db *db)
{
    return begin(tx, db, true);
}

err tx_read(struct tx *tx, struct db *db)
{
    return begin(tx, db, false);
}

/* Takes the connection out of `tx`: whatever comes now, it is no longer this thread's. */
static void *leave(struct tx *tx)
{
    void *connection = tx->connection;

    assert(open_here);
    tx->connection = NULL;
    open_here = false;
    return connection;
}

static void note_end(const struct tx *tx)
{
    if (tx->db->metrics.transaction_seconds != NULL)
        metric_observe(tx->db->metrics.transaction_seconds,
                       (double)(clock_stopwatch_ns() - tx->began_ns) * S_PER_NS);
    note_spent();
}

err tx_commit(struct tx *tx)
{
    err e;

    assert(tx->connection != NULL);
    assert(tx->savepoint_depth == 0);
    e = tx->db->driver->commit(tx->db, leave(tx), tx->writes);
    note_end(tx);
    return e;
}

void tx_rollback(struct tx *tx)
{
    if (tx->connection == NULL)
        return;
    tx->db->driver->rollback(tx->db, leave(tx), tx->writes);
    note_end(tx);
}

static err run_once(struct db *db, err (*work)(struct tx *tx, void *arg), void *arg)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, db));
    TRY(work(&tx, arg));
    return tx_commit(&tx);
}

err tx_run(struct db *db, err (*work)(struct tx *tx, void *arg), void *arg)
{
    for (int i = 0; i < RUNS_MAX; i++) {
        const err e = run_once(db, work, arg);

        if (e != ERR_CONTENDED)
            return e;
    }
    return ERR_OVERLOADED;
}

static err savepoint(struct tx *tx, enum savepoint_act act)
{
    assert(tx->connection != NULL && tx->writes);
    return tx->db->driver->savepoint(tx->db, tx->connection, act);
}

err tx_savepoint(struct tx *tx)
{
    assert(tx->savepoint_depth < DB_SAVEPOINTS_MAX);
    TRY(savepoint(tx, SAVEPOINT_SET));
    tx->savepoint_depth++;
    return ERR_OK;
}

err tx_keep(struct tx *tx)
{
    assert(tx->savepoint_depth > 0);
    tx->savepoint_depth--;
    return savepoint(tx, SAVEPOINT_KEEP);
}

err tx_undo(struct tx *tx)
{
    assert(tx->savepoint_depth > 0);
    tx->savepoint_depth--;
    return savepoint(tx, SAVEPOINT_UNDO);
}

bool tx_is_open_here(void)
{
    return open_here;
}

/* --- Values --- */

struct value value_text(str s)
{
    return s.ptr != NULL ? (struct value){.type = VALUE_TEXT, .bytes = s} : NIL;
}

struct value value_blob(str s)
{
    return s.ptr != NULL ? (struct value){.type = VALUE_BLOB, .bytes = s} : NIL;
}

struct value value_uuid_or_nil(struct uuid id)
{
    return uuid_is_zero(id) ? NIL : UUID(id);
}

struct value value_i64_or_nil(int64_t n)
{
    return n == INT64_MIN ? NIL : I64(n);
}

/* --- Statements --- */

static size_t slot_of(const struct tx *tx, const struct sql *sql, struct args args)
{
    assert(tx->connection != NULL);
    assert(args.count == (size_t)sql->param_count);
    return statements_slot(&tx->db->statements, sql);
}

err db_exec(struct tx *tx, const struct sql *sql, struct args args)
{
    return tx->db->driver->exec(tx->db, tx->connection, slot_of(tx, sql, args), args, NULL);
}

err db_exec_count(struct tx *tx, const struct sql *sql, struct args args, int64_t *ret_count)
{
    return tx->db->driver->exec(tx->db, tx->connection, slot_of(tx, sql, args), args, ret_count);
}

err db_get_i64(struct tx *tx, const struct sql *sql, struct args args, int64_t *ret)
{
    CLEANUP(rows_done) struct rows rows = {0};
    int64_t value;

    TRY(rows_first(&rows, tx, sql, args, NULL));
    value = row_i64(&rows, 0);
    TRY(rows_close(&rows));
    *ret = value;
    return ERR_OK;
}

/* --- Rows --- */

err rows_open(struct rows *rows, struct tx *tx, const struct sql *sql, struct args args,
              struct arena *arena)
{
    void *cursor;

    assert(rows->cursor == NULL);
    TRY(tx->db->driver->rows_open(tx->db, tx->connection, slot_of(tx, sql, args), args, &cursor));
    *rows = (struct rows){.tx = tx, .sql = sql, .cursor = cursor, .arena = arena};
    return ERR_OK;
}

bool rows_next(struct rows *rows)
{
    struct db *db;
    err e;

    if (rows->cursor == NULL || rows->e != ERR_OK)
        return false;
    assert(rows->tx->connection != NULL);
    db = rows->tx->db;
    e = db->driver->rows_next(db, rows->cursor);
    if (e == ERR_OK)
        return true;
    if (e != ERR_NOT_FOUND) {
        rows->e = e;
        return false;
    }
    rows->e = db->driver->rows_close(db, rows->cursor);
    rows->cursor = NULL;
    return false;
}

err rows_close(struct rows *rows)
{
    err e = ERR_OK;

    /* A transaction that has ended closed its rows. */
    if (rows->cursor != NULL && rows->tx->connection != NULL)
        e = rows->tx->db->driver->rows_close(rows->tx->db, rows->cursor);
    rows->cursor = NULL;
    return rows->e != ERR_OK ? rows->e : e;
}

void rows_done(struct rows *rows)
{
    if (rows_close(rows) != ERR_OK)
        return; /* whoever leaves like this has an error already, or did not want to know */
}

err rows_first(struct rows *rows, struct tx *tx, const struct sql *sql, struct args args,
               struct arena *arena)
{
    TRY(rows_open(rows, tx, sql, args, arena));
    if (rows_next(rows))
        return ERR_OK;
    TRY(rows_close(rows));
    return ERR_NOT_FOUND;
}

/* --- Columns --- */

static const struct driver *driver_of(const struct rows *rows)
{
    assert(rows->cursor != NULL && rows->tx->connection != NULL);
    return rows->tx->db->driver;
}

bool row_is_null(const struct rows *rows, int column)
{
    return driver_of(rows)->is_null(rows->cursor, column);
}

int64_t row_i64(const struct rows *rows, int column)
{
    return driver_of(rows)->i64(rows->cursor, column);
}

int64_t row_i64_or(const struct rows *rows, int column, int64_t if_null)
{
    return row_is_null(rows, column) ? if_null : row_i64(rows, column);
}

double row_real(const struct rows *rows, int column)
{
    return driver_of(rows)->real(rows->cursor, column);
}

str row_text(const struct rows *rows, int column)
{
    assert(rows->arena != NULL);
    return arena_str(rows->arena, driver_of(rows)->bytes(rows->cursor, column));
}

str row_blob(const struct rows *rows, int column)
{
    return row_text(rows, column);
}

struct uuid row_uuid(const struct rows *rows, int column)
{
    const str bytes = driver_of(rows)->bytes(rows->cursor, column);
    struct uuid id = {0};

    if (bytes.ptr == NULL)
        return id;
    assert(bytes.size == sizeof(id.bytes));
    memcpy(id.bytes, bytes.ptr, sizeof(id.bytes));
    return id;
}

/* --- Maintenance --- */

/* A database in memory has one connection for everything: in a transaction these would wait for
 * its end. */

err db_version(struct db *db, int64_t *ret)
{
    assert(!open_here);
    return db->driver->version(db, ret);
}

err db_checkpoint(struct db *db)
{
    assert(!open_here);
    return db->driver->checkpoint(db);
}

err db_verify(struct db *db, struct arena *arena, str *ret_why)
{
    assert(!open_here);
    return db->driver->verify(db, arena, ret_why);
}
