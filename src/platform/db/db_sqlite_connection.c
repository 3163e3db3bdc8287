/* platform/db/db_sqlite_connection.c - opens a connection to a SQLite file with our settings, and
 * prepares statements on it.
 *
 * The settings are the promise of db.h: what is acknowledged has been synced (WAL,
 * synchronous=FULL), and nothing but the janitor moves the log into the file, so that no commit
 * pays for it. */

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "platform/db/db_sqlite.h"

enum { PRAGMAS_SIZE_MAX = 512, RETRY_MS = 5, NS_PER_MS = 1000000 };

static const char *const controls[CONTROL_COUNT] = {
    [CONTROL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [CONTROL_BEGIN_READ] = "BEGIN",
    [CONTROL_COMMIT] = "COMMIT",
    [CONTROL_ROLLBACK] = "ROLLBACK",
    [CONTROL_SAVEPOINT] = "SAVEPOINT step",
    [CONTROL_KEEP] = "RELEASE step",
    [CONTROL_UNDO] = "ROLLBACK TO step",
};

/* --- Results --- */

err sqlite_err(int code)
{
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return ERR_OK;
    case SQLITE_BUSY:
    case SQLITE_CANTOPEN:
    case SQLITE_CORRUPT:
    case SQLITE_FULL:
    case SQLITE_INTERRUPT:
    case SQLITE_IOERR:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
    case SQLITE_NOTADB:
    case SQLITE_PERM:
    case SQLITE_PROTOCOL:
    case SQLITE_READONLY:
        return ERR_UNAVAILABLE;
    default:
        return ERR_INTERNAL;
    }
}

err sqlite_failed(struct sqlite_db *sdb, sqlite3 *handle, const char *statement)
{
    const int code = sqlite3_extended_errcode(handle);
    err e = sqlite_err(code);

    if (e == ERR_OK)
        e = ERR_INTERNAL; /* the caller knows that it failed, whatever the handle remembers */
    db_complain(&sdb->db, e, statement, code, sqlite3_errmsg(handle));
    return e;
}

/* --- Handles --- */

int sqlite_run(sqlite3 *handle, const char *sql)
{
    return sqlite3_exec(handle, sql, NULL, NULL, NULL);
}

int sqlite_get_i64(sqlite3 *handle, const char *sql, int64_t *ret)
{
    sqlite3_stmt *stmt;
    int rc = sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL);

    if (rc != SQLITE_OK)
        return rc;
    if (sqlite3_step(stmt) == SQLITE_ROW)
        *ret = sqlite3_column_int64(stmt, 0);
    return sqlite3_finalize(stmt);
}

static int run_settings(sqlite3 *handle, bool writes, int cache_kib)
{
    char pragmas[PRAGMAS_SIZE_MAX];

    (void)snprintf(pragmas, sizeof(pragmas),
                   "PRAGMA synchronous = FULL;"
                   "PRAGMA foreign_keys = ON;"
                   "PRAGMA temp_store = MEMORY;"
                   "PRAGMA mmap_size = 0;"
                   "PRAGMA cache_size = -%d;"
                   "PRAGMA wal_autocheckpoint = 0;"
                   "PRAGMA journal_size_limit = %d;"
                   "PRAGMA query_only = %s;",
                   cache_kib, WAL_BYTES_MAX, writes ? "OFF" : "ON");
    return sqlite_run(handle, pragmas);
}

err sqlite_handle_open(struct sqlite_db *sdb, bool writes, int cache_kib, sqlite3 **ret)
{
    const int how = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (writes ? SQLITE_OPEN_CREATE : 0) | (sdb->in_memory ? SQLITE_OPEN_URI : 0);
    sqlite3 *handle = NULL;
    int rc = sqlite3_open_v2(sdb->path, &handle, how, NULL);

    if (rc == SQLITE_OK) {
        (void)sqlite3_busy_timeout(handle, sdb->db.writer_wait_ms);
        /* "A name in double quotes" that is none must be an error, not a text. */
        (void)sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
        (void)sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
        (void)sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        (void)sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        rc = run_settings(handle, writes, cache_kib);
    }
    if (rc != SQLITE_OK) {
        const err e = sqlite_failed(sdb, handle, "open");

        (void)sqlite3_close(handle);
        return e;
    }
    *ret = handle;
    return ERR_OK;
}

static int try_wal(sqlite3 *handle, bool *ret_is_wal)
{
    sqlite3_stmt *stmt;
    int rc = sqlite3_prepare_v2(handle, "PRAGMA journal_mode = WAL", -1, &stmt, NULL);

    if (rc != SQLITE_OK)
        return rc;
    *ret_is_wal = sqlite3_step(stmt) == SQLITE_ROW &&
                  strcmp((const char *)sqlite3_column_text(stmt, 0), "wal") == 0;
    return sqlite3_finalize(stmt);
}

err sqlite_use_wal(struct sqlite_db *sdb, sqlite3 *handle)
{
    const int64_t until_ns = clock_stopwatch_ns() + (int64_t)sdb->db.writer_wait_ms * NS_PER_MS;
    bool is_wal = false;
    int rc;

    /* Of two processes that make the file at once one may hear BUSY without having waited. */
    while (((rc = try_wal(handle, &is_wal)) & 0xff) == SQLITE_BUSY &&
           clock_stopwatch_ns() < until_ns)
        (void)sqlite3_sleep(RETRY_MS);
    if (rc != SQLITE_OK)
        return sqlite_failed(sdb, handle, "journal_mode");
    if (!is_wal) {
        db_complain(&sdb->db, ERR_UNAVAILABLE, "journal_mode", 0,
                    "the file system knows no write-ahead log");
        return ERR_UNAVAILABLE;
    }
    return ERR_OK;
}

/* --- Connections --- */

err sqlite_connection_open(struct sqlite_db *sdb, bool writes, struct sqlite_connection **ret)
{
    struct sqlite_connection *connection;
    sqlite3 *handle = NULL;

    TRY(sqlite_handle_open(sdb, writes, writes ? CACHE_WRITER_KIB : CACHE_READER_KIB, &handle));
    connection = mem_new(struct sqlite_connection);
    connection->sdb = sdb;
    connection->handle = handle;
    connection->statements =
        mem_alloc((sdb->db.statements.count + 1) * sizeof(*connection->statements));
    for (int i = 0; i < CONTROL_COUNT; i++) {
        if (sqlite3_prepare_v3(handle, controls[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &connection->control[i], NULL) != SQLITE_OK) {
            const err e = sqlite_failed(sdb, handle, controls[i]);

            sqlite_connection_close(connection);
            return e;
        }
    }
    *ret = connection;
    return ERR_OK;
}

/* Nothing but one statement, with the parameters that sqlgen counted. */
static const char *find_fault(const struct sqlite_statement *statement, const char *rest)
{
    while (isspace((unsigned char)*rest))
        rest++;
    if (statement->stmt == NULL || *rest != '\0')
        return "is not one statement";
    if (sqlite3_bind_parameter_count(statement->stmt) != statement->sql->param_count)
        return "has another number of parameters than it says";
    return NULL;
}

static err prepare(struct sqlite_connection *connection, size_t slot, struct arena *arena,
                   str *ret_why)
{
    struct sqlite_db *sdb = connection->sdb;
    struct sqlite_statement *statement = &connection->statements[slot];
    const char *rest = NULL;
    const char *fault;
    int rc;

    statement->connection = connection;
    statement->sql = sdb->db.statements.items[slot];
    if (statement->sql->sqlite == NULL)
        return ERR_OK; /* PostgreSQL has it alone */
    rc = sqlite3_prepare_v3(connection->handle, statement->sql->sqlite, -1,
                            SQLITE_PREPARE_PERSISTENT, &statement->stmt, &rest);
    if (rc != SQLITE_OK) {
        *ret_why = arena_printf(arena, "%s: statement %s: %s", sdb->db.name, statement->sql->name,
                                sqlite3_errmsg(connection->handle));
        return sqlite_err(rc) == ERR_UNAVAILABLE ? ERR_UNAVAILABLE : ERR_INVALID;
    }
    fault = find_fault(statement, rest);
    if (fault != NULL) {
        *ret_why =
            arena_printf(arena, "%s: statement %s %s", sdb->db.name, statement->sql->name, fault);
        return ERR_INVALID;
    }
    statement->writes = sqlite3_stmt_readonly(statement->stmt) == 0;
    return ERR_OK;
}

err sqlite_connection_prepare(struct sqlite_connection *connection, size_t from, size_t to,
                              struct arena *arena, str *ret_why)
{
    const bool is_writer = connection->sdb->writer == NULL || connection->sdb->writer == connection;

    for (size_t slot = from; slot < to; slot++) {
        if (!is_writer && connection->sdb->writer->statements[slot].writes)
            continue; /* a reader has no use for it */
        TRY(prepare(connection, slot, arena, ret_why));
    }
    return ERR_OK;
}

void sqlite_connection_close(struct sqlite_connection *connection)
{
    if (connection == NULL)
        return;
    assert(connection->open_count == 0);
    for (size_t slot = 0; slot < connection->sdb->db.statements.count; slot++)
        (void)sqlite3_finalize(connection->statements[slot].stmt);
    for (int i = 0; i < CONTROL_COUNT; i++)
        (void)sqlite3_finalize(connection->control[i]);
    const int rc = sqlite3_close(connection->handle);
    assert(rc == SQLITE_OK);
    mem_free(connection->statements);
    mem_free(connection);
}
