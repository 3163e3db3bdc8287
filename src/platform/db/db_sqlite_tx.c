/* platform/db/db_sqlite_tx.c - who may use which connection, and how a transaction begins and ends.
 *
 * A file has one writer, behind a gate that lets in one at a time in order of arrival, and a pool
 * of readers behind a gate of their number. A reader's snapshot is taken by its first statement.
 *
 * A database in memory has one connection for everything: with a shared cache SQLite locks tables
 * instead of giving snapshots, so readers queue with the writers, and each transaction is
 * immediate, which keeps a second db on the same memory out in the same way as another process is
 * on a file. */

#include <assert.h>

#include "platform/db/db_sqlite.h"
#include "platform/metrics/metrics.h"

enum { RETRY_MS = 1, NS_PER_MS = 1000000 };
#define S_PER_NS 1e-9

static int control(struct sqlite_connection *connection, enum sqlite_control which)
{
    sqlite3_stmt *stmt = connection->control[which];

    (void)sqlite3_step(stmt);
    return sqlite3_reset(stmt); /* the step's result */
}

/* A failed statement may have taken the whole transaction with it (full disk, I/O error). */
static bool is_in_transaction(const struct sqlite_connection *connection)
{
    return sqlite3_get_autocommit(connection->handle) == 0;
}

static err begin_on(struct sqlite_connection *connection, enum sqlite_control how, bool writes)
{
    struct sqlite_db *sdb = connection->sdb;
    const int64_t until_ns = clock_stopwatch_ns() + (int64_t)sdb->db.writer_wait_ms * NS_PER_MS;
    int rc;

    if (is_in_transaction(connection))
        (void)control(connection, CONTROL_ROLLBACK); /* an earlier one could not be rolled back */
    /* Of a shared cache LOCKED comes at once, whatever the busy timeout is. */
    while (((rc = control(connection, how)) & 0xff) == SQLITE_LOCKED &&
           clock_stopwatch_ns() < until_ns)
        (void)sqlite3_sleep(RETRY_MS);
    connection->savepoint_depth = 0;
    connection->writes = writes;
    return rc == SQLITE_OK ? ERR_OK : sqlite_failed(sdb, connection->handle, "begin");
}

/* --- The writer --- */

static err writer_begin(struct sqlite_db *sdb, bool writes, void **ret_connection)
{
    const int wait_ms = writes ? sdb->db.writer_wait_ms : sdb->db.reader_wait_ms;
    const int64_t since_ns = clock_stopwatch_ns();
    const bool admitted = gate_enter(&sdb->writer_gate, wait_ms);
    err e;

    if (sdb->db.metrics.writer_wait_seconds != NULL)
        metric_observe(sdb->db.metrics.writer_wait_seconds,
                       (double)(clock_stopwatch_ns() - since_ns) * S_PER_NS);
    if (!admitted) {
        db_complain(&sdb->db, ERR_UNAVAILABLE, "begin", 0, "waited too long for the writer");
        return writes ? ERR_UNAVAILABLE : ERR_OVERLOADED;
    }
    e = begin_on(sdb->writer, CONTROL_BEGIN_WRITE, writes);
    if (e != ERR_OK) {
        gate_leave(&sdb->writer_gate);
        return e;
    }
    *ret_connection = sdb->writer;
    return ERR_OK;
}

/* --- Readers --- */

static struct sqlite_connection *pool_take(struct sqlite_db *sdb)
{
    struct sqlite_connection *reader;

    (void)pthread_mutex_lock(&sdb->pool_mutex);
    reader = sdb->pool;
    if (reader != NULL)
        sdb->pool = reader->next;
    (void)pthread_mutex_unlock(&sdb->pool_mutex);
    return reader;
}

static void pool_put(struct sqlite_db *sdb, struct sqlite_connection *reader)
{
    (void)pthread_mutex_lock(&sdb->pool_mutex);
    reader->next = sdb->pool;
    sdb->pool = reader;
    (void)pthread_mutex_unlock(&sdb->pool_mutex);
}

static err reader_open(struct sqlite_db *sdb, struct sqlite_connection **ret)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct sqlite_connection *reader;
    str why = STR_ABSENT;
    err e;

    TRY(sqlite_connection_open(sdb, false, &reader));
    e = sqlite_connection_prepare(reader, 0, sdb->db.statements.count, arena, &why);
    if (e != ERR_OK) {
        sqlite_connection_close(reader);
        return e == ERR_INVALID ? ERR_INTERNAL
                                : e; /* the writer could: the schema has changed under us */
    }
    *ret = reader;
    return ERR_OK;
}

static err reader_begin(struct sqlite_db *sdb, void **ret_connection)
{
    struct sqlite_connection *reader;
    err e = ERR_OK;

    if (!gate_enter(&sdb->reader_gate, sdb->db.reader_wait_ms))
        return ERR_OVERLOADED;
    reader = pool_take(sdb);
    if (reader == NULL)
        e = reader_open(sdb, &reader);
    if (e == ERR_OK) {
        e = begin_on(reader, CONTROL_BEGIN_READ, false);
        if (e != ERR_OK)
            pool_put(sdb, reader);
    }
    if (e != ERR_OK) {
        gate_leave(&sdb->reader_gate);
        return e;
    }
    *ret_connection = reader;
    return ERR_OK;
}

static void give_back(struct sqlite_db *sdb, struct sqlite_connection *connection)
{
    if (connection == sdb->writer) {
        gate_leave(&sdb->writer_gate);
    } else {
        pool_put(sdb, connection);
        gate_leave(&sdb->reader_gate);
    }
}

/* --- Transactions --- */

err sqlite_begin(struct db *db, bool writes, void **ret_connection)
{
    struct sqlite_db *sdb = (struct sqlite_db *)db;

    if (writes || sdb->in_memory)
        return writer_begin(sdb, writes, ret_connection);
    return reader_begin(sdb, ret_connection);
}

static err commit_on(struct sqlite_connection *connection)
{
    struct sqlite_db *sdb = connection->sdb;
    err e;

    if (!is_in_transaction(connection))
        return ERR_UNAVAILABLE; /* and logged when that happened */
    if (control(connection, CONTROL_COMMIT) == SQLITE_OK)
        return ERR_OK;
    e = sqlite_failed(sdb, connection->handle, "commit");
    if (is_in_transaction(connection))
        (void)control(connection, CONTROL_ROLLBACK);
    return e;
}

err sqlite_commit(struct db *db, void *connection, bool writes)
{
    struct sqlite_db *sdb = (struct sqlite_db *)db;
    struct sqlite_connection *own = connection;
    const int64_t since_ns = clock_stopwatch_ns();
    err e;

    assert(own->open_count == 0);
    e = commit_on(own);
    if (writes && e == ERR_OK) {
        sdb->commits++;
        if (db->metrics.commit_seconds != NULL)
            metric_observe(db->metrics.commit_seconds,
                           (double)(clock_stopwatch_ns() - since_ns) * S_PER_NS);
    }
    give_back(sdb, own);
    return e;
}

void sqlite_rollback(struct db *db, void *connection, [[maybe_unused]] bool writes)
{
    struct sqlite_db *sdb = (struct sqlite_db *)db;
    struct sqlite_connection *own = connection;

    sqlite_rows_abandon(own);
    if (is_in_transaction(own) && control(own, CONTROL_ROLLBACK) != SQLITE_OK)
        (void)sqlite_failed(sdb, own->handle, "rollback"); /* begin_on tries again */
    give_back(sdb, own);
}

int64_t sqlite_changes(const void *connection)
{
    const struct sqlite_connection *own = connection;

    return sqlite3_total_changes64(own->handle) - own->changes_undone;
}

err sqlite_savepoint(struct db *db, void *connection, enum savepoint_act act)
{
    static const enum sqlite_control first[] = {[SAVEPOINT_SET] = CONTROL_SAVEPOINT,
                                                [SAVEPOINT_KEEP] = CONTROL_KEEP,
                                                [SAVEPOINT_UNDO] = CONTROL_UNDO};
    struct sqlite_connection *own = connection;
    int rc;

    if (!is_in_transaction(own))
        return ERR_UNAVAILABLE;
    assert(act != SAVEPOINT_UNDO || own->open_count == 0);
    rc = control(own, first[act]);
    if (rc == SQLITE_OK && act == SAVEPOINT_UNDO)
        rc = control(own, CONTROL_KEEP); /* undone, but still there */
    if (rc != SQLITE_OK)
        return sqlite_failed((struct sqlite_db *)db, own->handle, "savepoint");
    if (act == SAVEPOINT_SET)
        own->changes_at[own->savepoint_depth++] = sqlite_changes(own);
    else
        own->savepoint_depth--;
    if (act == SAVEPOINT_UNDO)
        own->changes_undone += sqlite_changes(own) - own->changes_at[own->savepoint_depth];
    return ERR_OK;
}
