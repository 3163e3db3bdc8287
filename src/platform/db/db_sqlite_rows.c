/* platform/db/db_sqlite_rows.c - binds arguments, steps through results, reads columns. */

#include <assert.h>

#include "platform/db/db_sqlite.h"

/* --- Arguments --- */

static int bind_bytes(sqlite3_stmt *stmt, int at, const struct value *value,
                      sqlite3_destructor_type life)
{
    assert(value->bytes.ptr != NULL);
    if (value->type == VALUE_TEXT)
        return sqlite3_bind_text64(stmt, at, value->bytes.ptr, value->bytes.size, life,
                                   SQLITE_UTF8);
    return sqlite3_bind_blob64(stmt, at, value->bytes.ptr, value->bytes.size, life);
}

static int bind(sqlite3_stmt *stmt, int at, const struct value *value, sqlite3_destructor_type life)
{
    switch (value->type) {
    case VALUE_NULL:
        return sqlite3_bind_null(stmt, at);
    case VALUE_I64:
        return sqlite3_bind_int64(stmt, at, value->i64);
    case VALUE_REAL:
        return sqlite3_bind_double(stmt, at, value->real);
    case VALUE_UUID:
        return sqlite3_bind_blob64(stmt, at, value->uuid.bytes, sizeof(value->uuid.bytes), life);
    case VALUE_TEXT:
    case VALUE_BLOB:
        return bind_bytes(stmt, at, value, life);
    case VALUE_I64S:
    case VALUE_UUIDS:
    case VALUE_TEXTS:
    case VALUE_BLOBS:
        break; /* SQLite has no arrays */
    }
    assert(false);
    return SQLITE_MISUSE;
}

static void reset(struct sqlite_statement *statement)
{
    (void)sqlite3_reset(statement->stmt); /* repeats the step's result, which is known */
    (void)sqlite3_clear_bindings(statement->stmt);
    if (statement->state != STATE_IDLE)
        statement->connection->open_count--;
    statement->state = STATE_IDLE;
}

static err failed(struct sqlite_statement *statement)
{
    struct sqlite_connection *connection = statement->connection;

    if ((sqlite3_extended_errcode(connection->handle) & 0xff) != SQLITE_CONSTRAINT)
        return sqlite_failed(connection->sdb, connection->handle, statement->sql->name);
    return sqlite_conflict(connection->sdb, connection->handle, statement->sql);
}

/* Binds the arguments; `life` says whether their bytes outlive the use of the statement. */
static err start(struct sqlite_statement *statement, struct args args, sqlite3_destructor_type life)
{
    struct sqlite_connection *connection = statement->connection;

    assert(statement->stmt != NULL); /* else a write on a reader, or another engine's */
    assert(connection->writes || !statement->writes); /* not in tx_read */
    assert(statement->state == STATE_IDLE);
    /* A statement behind a lost transaction would be one by itself, and be committed. */
    if (sqlite3_get_autocommit(connection->handle) != 0)
        return ERR_UNAVAILABLE;
    for (size_t i = 0; i < args.count; i++) {
        if (bind(statement->stmt, (int)i + 1, &args.values[i], life) != SQLITE_OK) {
            const err e = sqlite_failed(connection->sdb, connection->handle, statement->sql->name);

            reset(statement);
            return e;
        }
    }
    return ERR_OK;
}

static struct sqlite_statement *statement_at(void *connection, size_t slot)
{
    return &((struct sqlite_connection *)connection)->statements[slot];
}

/* --- Statements --- */

err sqlite_exec([[maybe_unused]] struct db *db, void *connection, size_t slot, struct args args,
                int64_t *ret_count)
{
    struct sqlite_statement *statement = statement_at(connection, slot);
    int rc;
    err e = ERR_OK;

    TRY(start(statement, args, SQLITE_STATIC));
    do
        rc = sqlite3_step(statement->stmt);
    while (rc == SQLITE_ROW);
    if (rc != SQLITE_DONE)
        e = failed(statement);
    else if (ret_count != NULL)
        *ret_count = statement->writes ? sqlite3_changes64(statement->connection->handle) : 0;
    reset(statement);
    return e;
}

err sqlite_rows_open([[maybe_unused]] struct db *db, void *connection, size_t slot,
                     struct args args, void **ret_cursor)
{
    struct sqlite_statement *statement = statement_at(connection, slot);

    TRY(start(statement, args, SQLITE_TRANSIENT));
    statement->state = STATE_OPEN;
    statement->connection->open_count++;
    *ret_cursor = statement;
    return ERR_OK;
}

err sqlite_rows_next([[maybe_unused]] struct db *db, void *cursor)
{
    struct sqlite_statement *statement = cursor;
    int rc;

    assert(statement->state == STATE_OPEN);
    rc = sqlite3_step(statement->stmt);
    if (rc == SQLITE_ROW)
        return ERR_OK;
    statement->state = STATE_ENDED;
    return rc == SQLITE_DONE ? ERR_NOT_FOUND : failed(statement);
}

err sqlite_rows_close([[maybe_unused]] struct db *db, void *cursor)
{
    struct sqlite_statement *statement = cursor;
    err e = ERR_OK;

    assert(statement->state != STATE_IDLE);
    /* INSERT ... RETURNING checks its foreign keys behind its last row. */
    while (statement->writes && statement->state == STATE_OPEN && e == ERR_OK)
        e = sqlite_rows_next(db, cursor);
    reset(statement);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

void sqlite_rows_abandon(struct sqlite_connection *connection)
{
    for (size_t slot = 0; connection->open_count > 0; slot++)
        if (connection->statements[slot].state != STATE_IDLE)
            reset(&connection->statements[slot]);
}

/* --- Columns --- */

static sqlite3_stmt *row_of(void *cursor, int column)
{
    struct sqlite_statement *statement = cursor;

    assert(statement->state == STATE_OPEN);
    assert(column >= 0 && column < sqlite3_data_count(statement->stmt));
    return statement->stmt;
}

bool sqlite_is_null(void *cursor, int column)
{
    return sqlite3_column_type(row_of(cursor, column), column) == SQLITE_NULL;
}

int64_t sqlite_i64(void *cursor, int column)
{
    return sqlite3_column_int64(row_of(cursor, column), column);
}

double sqlite_real(void *cursor, int column)
{
    return sqlite3_column_double(row_of(cursor, column), column);
}

str sqlite_bytes(void *cursor, int column)
{
    sqlite3_stmt *stmt = row_of(cursor, column);
    const int type = sqlite3_column_type(stmt, column);
    const char *bytes;

    if (type == SQLITE_NULL)
        return STR_ABSENT;
    if (type == SQLITE_BLOB)
        bytes = sqlite3_column_blob(stmt, column);
    else
        bytes = (const char *)sqlite3_column_text(stmt, column);
    /* An empty blob has no address. */
    return (str){bytes != NULL ? bytes : "", (size_t)sqlite3_column_bytes(stmt, column)};
}
