/* platform/db/db_postgres_care.c - what is asked about the database as a whole: has it changed, is
 * it sound, are the constraints there that statements speak of. */

#include <string.h>

#include "platform/db/db_postgres.h"

/* --- Has anybody committed? --- */

static err ask_version(struct postgres_connection *connection, int64_t *ret)
{
    PGresult *result = NULL;

    connection->doomed = ERR_OK; /* it is no transaction */
    postgres_send_control(connection, PG_VERSION);
    TRY(postgres_await(connection, &result));
    (void)postgres_decode_i64(
        TYPE_INT8, (str){PQgetvalue(result, 0, 0), (size_t)PQgetlength(result, 0, 0)}, ret);
    PQclear(result);
    return ERR_OK;
}

static err ask_watch(struct postgres_db *pdb, int64_t *ret)
{
    err e = ERR_OK;

    if (pdb->watch != NULL && !postgres_is_usable(pdb->watch)) {
        postgres_connection_close(pdb->watch);
        pdb->watch = NULL;
    }
    if (pdb->watch == NULL)
        e = postgres_connect(pdb, 0, &pdb->watch);
    if (e == ERR_OK)
        e = ask_version(pdb->watch, ret);
    return e;
}

err postgres_version(struct db *db, int64_t *ret)
{
    struct postgres_db *pdb = (struct postgres_db *)db;
    err e;

    (void)pthread_mutex_lock(&pdb->watch_mutex);
    e = ask_watch(pdb, ret);
    (void)pthread_mutex_unlock(&pdb->watch_mutex);
    return e;
}

err postgres_checkpoint([[maybe_unused]] struct db *db)
{
    return ERR_OK; /* the server's own business */
}

/* --- Soundness --- */

/* PostgreSQL keeps its constraints itself, unless somebody has switched one off. */
static const char unsound_sql[] =
    "SELECT 'constraint ' || conname || ' of ' || conrelid::regclass || ' was never checked'"
    " FROM pg_constraint WHERE NOT convalidated"
    " AND connamespace = current_schema()::regnamespace"
    " UNION ALL"
    " SELECT 'index ' || indexrelid::regclass || ' is not valid' FROM pg_index"
    " WHERE NOT (indisvalid AND indisready)"
    " AND indrelid IN (SELECT oid FROM pg_class"
    " WHERE relnamespace = current_schema()::regnamespace)"
    " UNION ALL"
    " SELECT 'triggers of ' || tgrelid::regclass || ' are switched off' FROM pg_trigger"
    " WHERE tgenabled = 'D' AND tgrelid IN (SELECT oid FROM pg_class"
    " WHERE relnamespace = current_schema()::regnamespace)"
    " LIMIT 1";

err postgres_verify(struct db *db, struct arena *arena, str *ret_why)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct postgres_connection *connection;
    PGresult *result;
    err e = ERR_OK;

    TRY(tx_read(&tx, db));
    connection = tx.connection;
    result = postgres_run(connection, unsound_sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        e = postgres_failed(connection, result, NULL, "verify");
    } else if (PQntuples(result) > 0) {
        *ret_why = arena_printf(arena, "%s: %s", db->name, PQgetvalue(result, 0, 0));
        e = ERR_INTERNAL;
    }
    PQclear(result);
    return e;
}

/* --- Constraints --- */

static const char constraints_sql[] =
    "SELECT conname FROM pg_constraint WHERE connamespace = current_schema()::regnamespace"
    " UNION SELECT relname FROM pg_class"
    " WHERE relkind = 'i' AND relnamespace = current_schema()::regnamespace";

static bool is_there(const PGresult *names, const char *name)
{
    for (int i = 0; i < PQntuples(names); i++)
        if (strcmp(PQgetvalue(names, i, 0), name) == 0)
            return true;
    return false;
}

static err check_statement(const struct db *db, const struct sql *sql, const PGresult *names,
                           struct arena *arena, str *ret_why)
{
    for (int i = 0; i < SQL_CONFLICTS_MAX && sql->conflicts[i].constraint != NULL; i++)
        if (!is_there(names, sql->conflicts[i].constraint)) {
            *ret_why = arena_printf(arena, "%s: statement %s: there is no constraint %s", db->name,
                                    sql->name, sql->conflicts[i].constraint);
            return ERR_INVALID;
        }
    return ERR_OK;
}

err postgres_check_conflicts(struct postgres_connection *connection, struct arena *arena,
                             str *ret_why)
{
    const struct db *db = &connection->pdb->db;
    PGresult *names = postgres_run(connection, constraints_sql);
    err e = ERR_OK;

    if (PQresultStatus(names) != PGRES_TUPLES_OK)
        e = postgres_failed(connection, names, NULL, "constraints");
    for (size_t i = 0; i < db->statements.count && e == ERR_OK; i++)
        e = check_statement(db, db->statements.items[i], names, arena, ret_why);
    PQclear(names);
    return e;
}
