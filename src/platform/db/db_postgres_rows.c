/* platform/db/db_postgres_rows.c - sends statements, and reads what they give.
 *
 * Which wait (docs/adr): a query, and a write whose outcome somebody asks for, be it the count of
 * its rows or one of the conflicts that its file declares. Any other write is only queued: if it
 * fails, the next that waits says so, at the latest the commit, and the transaction is lost.
 *
 * In PostgreSQL a statement that fails takes its transaction with it. One that declares conflicts
 * is expected to fail, so it stands behind a savepoint of its own, the guard, which travels with
 * it; the next statement takes it away again. */

#include <assert.h>

#include "platform/db/db_postgres.h"

/* --- Arguments --- */

struct sent_args {
    const char *values[SQL_PARAMS_MAX];
    int sizes[SQL_PARAMS_MAX];
    int formats[SQL_PARAMS_MAX];
};

static err encode(struct postgres_statement *statement, struct args args, struct sent_args *ret)
{
    struct postgres_connection *connection = statement->connection;

    for (size_t i = 0; i < args.count; i++) {
        str bytes = STR_ABSENT;

        if (!postgres_encode(&args.values[i], statement->param_types[i], connection->scratch,
                             &bytes)) {
            db_complain(&connection->pdb->db, ERR_INTERNAL, statement->sql->name, (int)i + 1,
                        "an argument that does not fit the type of this parameter");
            return ERR_INTERNAL;
        }
        ret->values[i] = bytes.ptr;
        ret->sizes[i] = (int)bytes.size;
        ret->formats[i] = 1;
    }
    return ERR_OK;
}

/* --- Sending --- */

void postgres_enter(struct postgres_connection *connection)
{
    if (!connection->begun)
        postgres_send_control(connection, connection->writes ? PG_BEGIN_WRITE : PG_BEGIN_READ);
    if (!connection->begun && connection->writes && connection->pdb->one_writer)
        postgres_send_control(connection, PG_ALONE);
    connection->begun = true;
    if (connection->guarded)
        postgres_send_control(connection, PG_GUARD_KEEP);
    connection->guarded = false;
}

static struct postgres_statement *statement_at(void *connection, size_t slot)
{
    return &((struct postgres_connection *)connection)->statements[slot];
}

static bool has_conflicts(const struct postgres_statement *statement)
{
    return statement->sql->conflicts[0].constraint != NULL;
}

/* Queues it, behind a guard if it may be refused. */
static err send(struct postgres_statement *statement, size_t slot, struct args args)
{
    struct postgres_connection *connection = statement->connection;
    struct sent_args sent;
    err e;

    assert(statement->sql != NULL);                   /* else it is of another engine */
    assert(connection->writes || !statement->writes); /* not in tx_read */
    assert(statement->result == NULL);
    postgres_make_room(connection);
    if (connection->doomed != ERR_OK)
        return connection->doomed;
    e = encode(statement, args, &sent);
    if (e == ERR_OK) {
        postgres_enter(connection);
        if (connection->writes && has_conflicts(statement))
            postgres_send_control(connection, PG_GUARD);
        if (connection->broken ||
            PQsendQueryPrepared(connection->handle, statement->sql->name, (int)args.count,
                                sent.values, sent.sizes, sent.formats, 1) != 1)
            connection->broken = true;
        else
            connection->pending[connection->pending_count++] =
                (struct postgres_pending){.what = (int)slot, .depth = connection->savepoint_depth};
    }
    arena_reset(connection->scratch);
    return e;
}

/* Sends it and waits for what it gives. */
static err run(struct postgres_statement *statement, size_t slot, struct args args, PGresult **ret)
{
    struct postgres_connection *connection = statement->connection;
    const bool guards = connection->writes && has_conflicts(statement);
    err e;

    TRY(send(statement, slot, args));
    e = postgres_await(connection, ret);
    if (e == ERR_OK) {
        connection->guarded = guards;
    } else if (guards && connection->doomed == ERR_OK) {
        postgres_send_control(connection, PG_GUARD_UNDO);
        postgres_send_control(connection, PG_GUARD_KEEP);
    }
    return e;
}

/* Rows that a write has changed. */
static int64_t count_of(const struct postgres_statement *statement, PGresult *result)
{
    int64_t count = 0;

    if (statement->writes && !str_to_i64(str_of(PQcmdTuples(result)), &count))
        count = 0;
    return count;
}

/* --- Statements --- */

err postgres_exec([[maybe_unused]] struct db *db, void *connection, size_t slot, struct args args,
                  int64_t *ret_count)
{
    struct postgres_statement *statement = statement_at(connection, slot);
    PGresult *result = NULL;
    int64_t count;

    if (ret_count == NULL && statement->writes && !has_conflicts(statement)) {
        TRY(send(statement, slot, args));
        statement->connection->changes++; /* as far as one knows */
        return ERR_OK;
    }
    TRY(run(statement, slot, args, &result));
    count = count_of(statement, result);
    PQclear(result);
    statement->connection->changes += count;
    if (ret_count != NULL)
        *ret_count = count;
    return ERR_OK;
}

err postgres_rows_open([[maybe_unused]] struct db *db, void *connection, size_t slot,
                       struct args args, void **ret_cursor)
{
    struct postgres_statement *statement = statement_at(connection, slot);
    PGresult *result = NULL;

    TRY(run(statement, slot, args, &result));
    statement->connection->changes += count_of(statement, result);
    statement->connection->open_count++;
    statement->result = result;
    statement->row = -1;
    *ret_cursor = statement;
    return ERR_OK;
}

err postgres_rows_next([[maybe_unused]] struct db *db, void *cursor)
{
    struct postgres_statement *statement = cursor;

    assert(statement->result != NULL);
    if (statement->row + 1 >= PQntuples(statement->result))
        return ERR_NOT_FOUND;
    statement->row++;
    return ERR_OK;
}

err postgres_rows_close([[maybe_unused]] struct db *db, void *cursor)
{
    struct postgres_statement *statement = cursor;

    assert(statement->result != NULL);
    PQclear(statement->result);
    statement->result = NULL;
    statement->connection->open_count--;
    return ERR_OK;
}

void postgres_rows_abandon(struct postgres_connection *connection)
{
    for (size_t slot = 0; connection->open_count > 0; slot++)
        if (connection->statements[slot].result != NULL)
            (void)!postgres_rows_close(&connection->pdb->db, &connection->statements[slot]);
}

/* --- Columns --- */

static struct postgres_statement *row_of(void *cursor, int column)
{
    struct postgres_statement *statement = cursor;

    assert(statement->result != NULL && statement->row >= 0);
    assert(column >= 0 && column < PQnfields(statement->result));
    return statement;
}

bool postgres_is_null(void *cursor, int column)
{
    const struct postgres_statement *statement = row_of(cursor, column);

    return PQgetisnull(statement->result, statement->row, column) != 0;
}

/* Absent: NULL. */
static str value_at(const struct postgres_statement *statement, int column)
{
    if (PQgetisnull(statement->result, statement->row, column) != 0)
        return STR_ABSENT;
    return (str){PQgetvalue(statement->result, statement->row, column),
                 (size_t)PQgetlength(statement->result, statement->row, column)};
}

int64_t postgres_i64(void *cursor, int column)
{
    const struct postgres_statement *statement = row_of(cursor, column);
    const str bytes = value_at(statement, column);
    int64_t n = 0;
    bool is_number = true;

    if (bytes.ptr != NULL)
        is_number = postgres_decode_i64(PQftype(statement->result, column), bytes, &n);
    assert(is_number);
    return n;
}

double postgres_real(void *cursor, int column)
{
    const struct postgres_statement *statement = row_of(cursor, column);
    const str bytes = value_at(statement, column);
    double real = 0;
    bool is_number = true;

    if (bytes.ptr != NULL)
        is_number = postgres_decode_real(PQftype(statement->result, column), bytes, &real);
    assert(is_number);
    return real;
}

str postgres_bytes(void *cursor, int column)
{
    const struct postgres_statement *statement = row_of(cursor, column);

    assert(postgres_is_bytes(PQftype(statement->result, column)));
    return value_at(statement, column);
}
