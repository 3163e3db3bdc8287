/* platform/db/db_sqlite_care.c - the database seen from outside: has it changed, is it sound? */

#include <assert.h>

#include "platform/db/db_sqlite.h"

/* --- Version --- */

static err watch_version(struct sqlite_db *sdb, int64_t *ret)
{
    const int rc = sqlite3_step(sdb->watch);

    if (rc == SQLITE_ROW)
        *ret = sqlite3_column_int64(sdb->watch, 0);
    (void)sqlite3_reset(sdb->watch);
    return rc == SQLITE_ROW ? ERR_OK
                            : sqlite_failed(sdb, sqlite3_db_handle(sdb->watch), "data_version");
}

/* data_version counts what connections other than the asked one have committed. For a file a
 * connection that never writes is asked. In memory there is only the one that writes: its own
 * commits are added, and both only grow. */
err sqlite_version(struct db *db, int64_t *ret)
{
    struct sqlite_db *sdb = (struct sqlite_db *)db;
    int64_t version = 0;
    err e;

    if (!sdb->in_memory) {
        (void)pthread_mutex_lock(&sdb->watch_mutex);
        e = watch_version(sdb, &version);
        (void)pthread_mutex_unlock(&sdb->watch_mutex);
    } else {
        if (!gate_enter(&sdb->writer_gate, db->writer_wait_ms))
            return ERR_UNAVAILABLE;
        e = watch_version(sdb, &version);
        version += sdb->commits;
        gate_leave(&sdb->writer_gate);
    }
    if (e == ERR_OK)
        *ret = version;
    return e;
}

/* --- Soundness --- */

static err begin_check(struct sqlite_connection *connection, const char *sql, sqlite3_stmt **ret)
{
    if (sqlite3_prepare_v2(connection->handle, sql, -1, ret, NULL) != SQLITE_OK)
        return sqlite_failed(connection->sdb, connection->handle, sql);
    return ERR_OK;
}

static err end_check(struct sqlite_connection *connection, sqlite3_stmt *stmt, int rc,
                     const char *sql)
{
    if (sqlite3_finalize(stmt) != SQLITE_OK && rc != SQLITE_ROW)
        return sqlite_failed(connection->sdb, connection->handle, sql);
    return ERR_OK;
}

/* Pages, indexes, NOT NULL, CHECK. */
static err check_integrity(struct sqlite_connection *connection, struct arena *arena, str *ret_why)
{
    static const char sql[] = "PRAGMA integrity_check(1)";
    sqlite3_stmt *stmt;
    str finding = STR("ok");
    int rc;

    TRY(begin_check(connection, sql, &stmt));
    rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        finding = arena_str(arena, str_of((const char *)sqlite3_column_text(stmt, 0)));
    TRY(end_check(connection, stmt, rc, sql));
    if (str_eq(finding, STR("ok")))
        return ERR_OK;
    *ret_why = arena_printf(arena, "%s: %.*s", connection->sdb->db.name, STR_ARG(finding));
    return ERR_INTERNAL;
}

err sqlite_check_foreign_keys(struct sqlite_connection *connection, struct arena *arena,
                              str *ret_why)
{
    static const char sql[] = "PRAGMA foreign_key_check"; /* table, rowid, parent, number */
    sqlite3_stmt *stmt;
    bool found;
    int rc;

    TRY(begin_check(connection, sql, &stmt));
    rc = sqlite3_step(stmt);
    found = rc == SQLITE_ROW;
    if (found)
        *ret_why = arena_printf(arena, "%s: row %lld of %s refers to a row of %s that is not there",
                                connection->sdb->db.name, (long long)sqlite3_column_int64(stmt, 1),
                                (const char *)sqlite3_column_text(stmt, 0),
                                (const char *)sqlite3_column_text(stmt, 2));
    TRY(end_check(connection, stmt, rc, sql));
    return found ? ERR_INTERNAL : ERR_OK;
}

err sqlite_verify(struct db *db, struct arena *arena, str *ret_why)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_read(&tx, db));
    TRY(check_integrity(tx.connection, arena, ret_why));
    return sqlite_check_foreign_keys(tx.connection, arena, ret_why);
}
