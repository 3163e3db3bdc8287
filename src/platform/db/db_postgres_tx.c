/* platform/db/db_postgres_tx.c - which connection a transaction gets, and how it begins and ends.
 *
 * There is no single writer: as many transactions as there are connections run side by side, each
 * READ COMMITTED, and rows are guarded by the locks that the statements take (FOR UPDATE, guarded
 * UPDATEs), in one order for everybody. A reader is REPEATABLE READ, which is a snapshot.
 *
 * BEGIN travels with the first statement and COMMIT with the last ones whose outcome nobody has
 * asked for yet. A rollback, and the end of a reader, wait for no answer: whoever gets the
 * connection next reads it.
 *
 * A connection that has died while it was idle is replaced before anything is sent on it. While a
 * server cannot be reached one thread tries, now and then; the others are told at once. */

#include <assert.h>
#include <string.h>

#include "platform/db/db_postgres.h"
#include "platform/metrics/metrics.h"

enum { NS_PER_MS = 1000000, TRY_APART_MS = 100 };
#define S_PER_NS 1e-9

/* --- The pool --- */

static struct postgres_connection *pool_take(struct postgres_db *pdb)
{
    struct postgres_connection *connection;

    (void)pthread_mutex_lock(&pdb->mutex);
    connection = pdb->pool;
    if (connection != NULL)
        pdb->pool = connection->next;
    (void)pthread_mutex_unlock(&pdb->mutex);
    return connection;
}

static void pool_put(struct postgres_db *pdb, struct postgres_connection *connection)
{
    (void)pthread_mutex_lock(&pdb->mutex);
    connection->next = pdb->pool;
    pdb->pool = connection;
    (void)pthread_mutex_unlock(&pdb->mutex);
}

void postgres_pool_close(struct postgres_db *pdb)
{
    struct postgres_connection *connection;

    while ((connection = pool_take(pdb)) != NULL)
        postgres_connection_close(connection);
}

/* May this thread try to connect? Not while another one finds out whether the server is back. */
static bool may_connect(struct postgres_db *pdb)
{
    bool may;

    (void)pthread_mutex_lock(&pdb->mutex);
    may = !pdb->failing || (!pdb->trying && clock_stopwatch_ns() - pdb->failed_ns >
                                                (int64_t)TRY_APART_MS * NS_PER_MS);
    if (pdb->failing && may)
        pdb->trying = true;
    (void)pthread_mutex_unlock(&pdb->mutex);
    return may;
}

static void note_connected(struct postgres_db *pdb, bool failed)
{
    (void)pthread_mutex_lock(&pdb->mutex);
    pdb->failing = failed;
    pdb->trying = false;
    pdb->failed_ns = clock_stopwatch_ns();
    (void)pthread_mutex_unlock(&pdb->mutex);
}

err postgres_connect(struct postgres_db *pdb, size_t prepare_count,
                     struct postgres_connection **ret)
{
    CLEANUP(arena_close_at) struct arena *arena = NULL;
    str why = STR_ABSENT;
    err e;

    if (!may_connect(pdb))
        return ERR_UNAVAILABLE;
    arena = arena_open(0);
    e = postgres_connection_open(pdb, prepare_count, arena, ret, &why);
    note_connected(pdb, e != ERR_OK);
    if (e == ERR_OK)
        return ERR_OK;
    /* ERR_INVALID: the schema has changed under us. */
    e = e == ERR_INVALID ? ERR_INTERNAL : e;
    db_complain(&pdb->db, e, "connect", 0, why.ptr);
    return e;
}

static err take_connection(struct postgres_db *pdb, struct postgres_connection **ret)
{
    struct postgres_connection *connection;

    while ((connection = pool_take(pdb)) != NULL) {
        if (postgres_is_usable(connection)) {
            *ret = connection;
            return ERR_OK;
        }
        postgres_connection_close(connection);
    }
    return postgres_connect(pdb, pdb->db.statements.count, ret);
}

/* --- Beginning --- */

static bool enter_gates(struct postgres_db *pdb, bool writes)
{
    const int wait_ms = writes ? pdb->db.writer_wait_ms : pdb->db.reader_wait_ms;
    const int64_t since_ns = clock_stopwatch_ns();
    int64_t waited_ms;
    bool admitted;

    if (!writes)
        return gate_enter(&pdb->gate, wait_ms);
    admitted = gate_enter(&pdb->writer_gate, wait_ms);
    waited_ms = (clock_stopwatch_ns() - since_ns) / NS_PER_MS;
    if (admitted && !gate_enter(&pdb->gate, waited_ms < wait_ms ? wait_ms - waited_ms : 0)) {
        gate_leave(&pdb->writer_gate);
        admitted = false;
    }
    if (pdb->db.metrics.writer_wait_seconds != NULL)
        metric_observe(pdb->db.metrics.writer_wait_seconds,
                       (double)(clock_stopwatch_ns() - since_ns) * S_PER_NS);
    if (!admitted)
        db_complain(&pdb->db, ERR_UNAVAILABLE, "begin", 0, "waited too long for a connection");
    return admitted;
}

static void leave_gates(struct postgres_db *pdb, bool writes)
{
    gate_leave(&pdb->gate);
    if (writes)
        gate_leave(&pdb->writer_gate);
}

static void start(struct postgres_connection *connection, bool writes)
{
    assert(connection->open_count == 0 && connection->pending_count == 0);
    connection->writes = writes;
    connection->begun = false;
    connection->doomed = ERR_OK;
    connection->guarded = false;
    connection->savepoint_depth = 0;
}

err postgres_begin(struct db *db, bool writes, void **ret_connection)
{
    struct postgres_db *pdb = (struct postgres_db *)db;
    struct postgres_connection *connection = pdb->migrator;
    err e;

    if (connection != NULL && !postgres_is_usable(connection))
        return ERR_UNAVAILABLE;
    if (connection == NULL) {
        if (!enter_gates(pdb, writes))
            return writes ? ERR_UNAVAILABLE : ERR_OVERLOADED;
        e = take_connection(pdb, &connection);
        if (e != ERR_OK) {
            leave_gates(pdb, writes);
            return e;
        }
    }
    start(connection, writes);
    *ret_connection = connection;
    return ERR_OK;
}

static void give_back(struct postgres_db *pdb, struct postgres_connection *connection, bool writes)
{
    if (connection == pdb->migrator)
        return;
    if (connection->broken)
        postgres_connection_close(connection);
    else
        pool_put(pdb, connection);
    leave_gates(pdb, writes);
}

/* --- Ending --- */

/* Nobody waits for the answer. What was sent before and has failed makes the server skip all up to
 * the sync, so that comes first. */
static void send_end(struct postgres_connection *connection, enum postgres_control how)
{
    if (!connection->begun)
        return;
    if (connection->pending_count > 0)
        postgres_send_sync(connection);
    postgres_send_control(connection, how);
    postgres_send_sync(connection);
    postgres_flush(connection);
}

static err commit_on(struct postgres_connection *connection)
{
    PGresult *result = NULL;
    bool committed;

    if (connection->doomed != ERR_OK)
        return connection->doomed; /* and logged when that happened */
    if (!connection->begun)
        return ERR_OK;
    postgres_send_control(connection, PG_COMMIT);
    TRY(postgres_await(connection, &result));
    /* The server answers COMMIT with ROLLBACK, and no error, if it thinks that the transaction has
     * failed. */
    committed = strcmp(PQcmdStatus(result), "COMMIT") == 0;
    PQclear(result);
    return committed ? ERR_OK : ERR_INTERNAL;
}

err postgres_commit(struct db *db, void *connection, bool writes)
{
    struct postgres_db *pdb = (struct postgres_db *)db;
    struct postgres_connection *own = connection;
    const int64_t since_ns = clock_stopwatch_ns();
    err e = own->doomed;

    assert(own->open_count == 0);
    if (writes) {
        e = commit_on(own);
        if (e == ERR_OK && db->metrics.commit_seconds != NULL)
            metric_observe(db->metrics.commit_seconds,
                           (double)(clock_stopwatch_ns() - since_ns) * S_PER_NS);
    }
    if (!writes || e != ERR_OK)
        send_end(own, PG_ROLLBACK);
    give_back(pdb, own, writes);
    return e;
}

void postgres_rollback(struct db *db, void *connection, bool writes)
{
    struct postgres_connection *own = connection;

    postgres_rows_abandon(own);
    send_end(own, PG_ROLLBACK);
    give_back((struct postgres_db *)db, own, writes);
}

/* --- Savepoints --- */

static void set_savepoint(struct postgres_connection *connection)
{
    postgres_enter(connection);
    connection->changes_at[connection->savepoint_depth++] = connection->changes;
    postgres_send_control(connection, PG_SAVEPOINT);
}

/* A savepoint that was set before the transaction failed undoes the failure. */
static err undo_savepoint(struct postgres_connection *connection)
{
    const int depth = connection->savepoint_depth;

    err e = ERR_OK;

    if (connection->pending_count > 0)
        e = postgres_await(connection, NULL);
    connection->savepoint_depth--;
    if (e == ERR_OK)
        e = connection->doomed;
    if (e != ERR_OK && (connection->broken || connection->doomed_depth < depth))
        return e;
    connection->doomed = ERR_OK;
    connection->guarded = false;
    connection->changes = connection->changes_at[connection->savepoint_depth];
    postgres_send_control(connection, PG_UNDO);
    postgres_send_control(connection, PG_KEEP); /* undone, but still there */
    return ERR_OK;
}

static bool is_pending_within(const struct postgres_connection *connection, int depth)
{
    for (int i = 0; i < connection->pending_count; i++)
        if (connection->pending[i].what >= 0 && connection->pending[i].depth >= depth)
            return true;
    return false;
}

/* What was sent within it must be known to have succeeded: what has not is undone here. */
static err keep_savepoint(struct postgres_connection *connection)
{
    err e = ERR_OK;

    if (is_pending_within(connection, connection->savepoint_depth))
        e = postgres_await(connection, NULL);
    if (e == ERR_OK)
        e = connection->doomed;
    if (e != ERR_OK) {
        const err undone = undo_savepoint(connection);

        return undone != ERR_OK ? undone : e;
    }
    postgres_enter(connection);
    connection->savepoint_depth--;
    postgres_send_control(connection, PG_KEEP);
    return ERR_OK;
}

err postgres_savepoint([[maybe_unused]] struct db *db, void *connection, enum savepoint_act act)
{
    struct postgres_connection *own = connection;

    postgres_make_room(own);
    if (act == SAVEPOINT_UNDO) {
        assert(own->open_count == 0);
        return undo_savepoint(own);
    }
    if (act == SAVEPOINT_KEEP)
        return keep_savepoint(own);
    if (own->doomed != ERR_OK)
        return own->doomed;
    set_savepoint(own);
    return ERR_OK;
}

int64_t postgres_changes(const void *connection)
{
    return ((const struct postgres_connection *)connection)->changes;
}
