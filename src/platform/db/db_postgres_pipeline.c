/* platform/db/db_postgres_pipeline.c - messages go out without waiting, answers are read at once.
 *
 * libpq's pipeline mode: what is queued travels with the next Sync, and a failure makes the server
 * skip everything up to it. So one wait settles all that was sent before it, in order, and the
 * first failure among it is the one that counts: whatever came behind has not happened.
 *
 * The socket never blocks: while we write, answers are read, else two full buffers could wait for
 * each other; and a server that says nothing for longer than its own statement_timeout and a second
 * is taken for dead. */

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "platform/db/db_postgres.h"

enum {
    NS_PER_MS = 1000000,
    LOOKS_MAX = 8,
    PENDING_FOR_ONE = 12, /* of one call of the driver: begin, guard, statement, end, syncs */
};

static const char *const control_names[PG_CONTROL_COUNT] = {
    [PG_BEGIN_WRITE] = "tx.begin_write",
    [PG_BEGIN_READ] = "tx.begin_read",
    [PG_COMMIT] = "tx.commit",
    [PG_ROLLBACK] = "tx.rollback",
    [PG_SAVEPOINT] = "tx.savepoint",
    [PG_KEEP] = "tx.keep",
    [PG_UNDO] = "tx.undo",
    [PG_GUARD] = "tx.guard",
    [PG_GUARD_KEEP] = "tx.guard_keep",
    [PG_GUARD_UNDO] = "tx.guard_undo",
    [PG_ALONE] = "tx.alone",
    [PG_VERSION] = "tx.version",
};

err postgres_doom(struct postgres_connection *connection, err e, int depth)
{
    assert(e != ERR_OK);
    if (connection->doomed == ERR_OK) {
        connection->doomed = e;
        connection->doomed_depth = depth;
    }
    return e;
}

/* --- Sending --- */

static void queue(struct postgres_connection *connection, int what)
{
    assert(connection->pending_count < POSTGRES_PENDING_MAX);
    connection->pending[connection->pending_count++] =
        (struct postgres_pending){.what = what, .depth = connection->savepoint_depth};
}

void postgres_send_control(struct postgres_connection *connection, enum postgres_control control)
{
    if (connection->broken)
        return;
    if (PQsendQueryPrepared(connection->handle, control_names[control], 0, NULL, NULL, NULL, 1) !=
        1)
        connection->broken = true;
    else
        queue(connection, ~(int)control);
}

void postgres_send_sync(struct postgres_connection *connection)
{
    if (connection->broken)
        return;
    if (PQpipelineSync(connection->handle) != 1)
        connection->broken = true;
    else
        queue(connection, PENDING_SYNC);
}

/* --- Waiting --- */

/* When the server should have answered; 0: never. */
static int64_t deadline_ns(const struct postgres_connection *connection)
{
    return connection->patience_ms > 0 ? clock_stopwatch_ns() + connection->patience_ms * NS_PER_MS
                                       : 0;
}

/* Waits for the socket; false: in vain. */
static bool await_socket(struct postgres_connection *connection, short events, int64_t until_ns)
{
    struct pollfd poll_fd = {.fd = PQsocket(connection->handle), .events = events};
    int ready;

    do {
        const int64_t left_ms =
            until_ns > 0 ? (until_ns - clock_stopwatch_ns()) / NS_PER_MS + 1 : -1;

        if (until_ns > 0 && left_ms <= 0)
            return false;
        ready = poll(&poll_fd, 1, (int)left_ms);
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

/* False: the connection is lost. */
static bool flush(struct postgres_connection *connection, int64_t until_ns)
{
    int left;

    while ((left = PQflush(connection->handle)) == 1)
        if (!await_socket(connection, POLLIN | POLLOUT, until_ns) ||
            PQconsumeInput(connection->handle) != 1)
            return false;
    return left == 0;
}

void postgres_flush(struct postgres_connection *connection)
{
    if (!connection->broken && !flush(connection, deadline_ns(connection)))
        connection->broken = true;
}

/* The next result, or NULL where libpq separates them. False: the connection is lost. */
static bool next_result(struct postgres_connection *connection, int64_t until_ns, PGresult **ret)
{
    while (PQisBusy(connection->handle) == 1)
        if (!await_socket(connection, POLLIN, until_ns) || PQconsumeInput(connection->handle) != 1)
            return false;
    *ret = PQgetResult(connection->handle);
    return true;
}

bool postgres_read_sync(struct postgres_connection *connection)
{
    const int64_t until_ns = deadline_ns(connection);
    PGresult *result = NULL;
    bool is_sync;

    if (!next_result(connection, until_ns, &result))
        return false;
    is_sync = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
    PQclear(result);
    return is_sync;
}

bool postgres_read_answer(struct postgres_connection *connection, PGresult **ret)
{
    const int64_t until_ns = deadline_ns(connection);
    PGresult *end = NULL;

    if (!next_result(connection, until_ns, ret) || *ret == NULL)
        return false;
    if (PQstatus(connection->handle) == CONNECTION_BAD)
        return true; /* it is the news of that */
    if (!next_result(connection, until_ns, &end))
        return false;
    PQclear(end);
    return end == NULL;
}

static bool is_good(const PGresult *result)
{
    const ExecStatusType status = PQresultStatus(result);

    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

static const struct sql *sql_of(const struct postgres_connection *connection,
                                const struct postgres_pending *pending)
{
    return pending->what >= 0 ? connection->statements[pending->what].sql : NULL;
}

static const char *name_of(const struct postgres_pending *pending)
{
    return pending->what < 0 ? control_names[~pending->what] : NULL;
}

/* A statement behind the guard can be undone; everything else has spoiled the transaction. */
static err fail(struct postgres_connection *connection, const PGresult *result, int index)
{
    const struct postgres_pending *pending = &connection->pending[index];
    const err e =
        postgres_failed(connection, result, sql_of(connection, pending), name_of(pending));
    const bool is_guarded = index > 0 && connection->pending[index - 1].what == ~(int)PG_GUARD;

    if (is_guarded && !connection->broken && postgres_is_violation(result))
        return e;
    return postgres_doom(connection, e, pending->depth);
}

static err lose(struct postgres_connection *connection)
{
    connection->broken = true;
    db_complain(&connection->pdb->db, ERR_UNAVAILABLE, "await", 0,
                PQstatus(connection->handle) == CONNECTION_BAD ? "the connection is lost"
                                                               : "no answer in time");
    return postgres_doom(connection, ERR_UNAVAILABLE, 0);
}

/* Reads what is pending. The last good result goes to *ret. */
static err read_all(struct postgres_connection *connection, PGresult **ret)
{
    err e = ERR_OK;

    for (int i = 0; i < connection->pending_count && !connection->broken; i++) {
        PGresult *result = NULL;

        if (connection->pending[i].what == PENDING_SYNC) {
            if (!postgres_read_sync(connection))
                return lose(connection);
            continue;
        }
        if (!postgres_read_answer(connection, &result)) {
            PQclear(result);
            return lose(connection);
        }
        if (is_good(result)) {
            PQclear(*ret);
            *ret = result;
            continue;
        }
        if (e == ERR_OK && PQresultStatus(result) != PGRES_PIPELINE_ABORTED)
            e = fail(connection, result, i);
        PQclear(result);
    }
    return e;
}

err postgres_await(struct postgres_connection *connection, PGresult **ret)
{
    PGresult *last = NULL;
    err e;

    postgres_send_sync(connection);
    postgres_flush(connection);
    if (connection->broken) {
        connection->pending_count = 0;
        return lose(connection);
    }
    e = read_all(connection, &last);
    connection->pending_count = 0;
    if (e == ERR_OK && ret != NULL)
        *ret = last;
    else
        PQclear(last);
    return e;
}

void postgres_make_room(struct postgres_connection *connection)
{
    if (connection->pending_count + PENDING_FOR_ONE > POSTGRES_PENDING_MAX &&
        postgres_await(connection, NULL) != ERR_OK)
        return; /* the transaction knows */
}

void postgres_drain(struct postgres_connection *connection)
{
    PGresult *last = NULL;

    if (!connection->broken && read_all(connection, &last) != ERR_OK)
        connection->doomed = ERR_OK; /* its transaction has ended */
    PQclear(last);
    connection->pending_count = 0;
}

/* Has the server said goodbye meanwhile? */
static bool is_open(struct postgres_connection *connection)
{
    struct pollfd poll_fd = {.fd = PQsocket(connection->handle), .events = POLLIN};

    for (int i = 0; i < LOOKS_MAX && poll(&poll_fd, 1, 0) != 0; i++) {
        if (PQconsumeInput(connection->handle) != 1)
            return false;
        (void)PQisBusy(connection->handle); /* takes notices out of the buffer */
    }
    return PQstatus(connection->handle) == CONNECTION_OK;
}

bool postgres_is_usable(struct postgres_connection *connection)
{
    if (connection->pending_count > 0)
        postgres_drain(connection);
    return !connection->broken && is_open(connection) &&
           PQtransactionStatus(connection->handle) == PQTRANS_IDLE;
}
