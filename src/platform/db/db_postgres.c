/* platform/db/db_postgres.c - a database on a PostgreSQL server is opened, brought up to date and
 * closed.
 *
 * db_postgres.h says what is in which file of the driver. While a database is opened there is one
 * connection, which holds an advisory lock: of several processes that start at once one migrates,
 * and the others find the work done. */

#include "platform/db/db_postgres.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "platform/db/migration.sql.h"

/* By schema, as several may share a database. Waits as long as the others' migrations take. */
static const char postgres_options[] = "-c statement_timeout=5000 -c lock_timeout=5000"
                                       " -c idle_in_transaction_session_timeout=10000";
static const char lock_sql[] =
    "SET statement_timeout = 0; SET lock_timeout = 0;"
    "SELECT pg_advisory_lock(hashtextextended('boxoffice.migrations.' || current_schema(), 0));"
    "RESET statement_timeout; RESET lock_timeout";
static const char unlock_sql[] =
    "SELECT pg_advisory_unlock(hashtextextended('boxoffice.migrations.' || current_schema(), 0))";

/* --- Opening --- */

/* What is to be known of the URL before anybody connects. ERR_INVALID: libpq does not understand
 * it. */
static err read_url(struct postgres_db *pdb, str *ret_name)
{
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(pdb->url, &message);
    str own = STR("");

    for (const PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++) {
        if (strcmp(o->keyword, "dbname") == 0 && o->val != NULL)
            *ret_name = arena_str(pdb->arena, str_of(o->val));
        if (strcmp(o->keyword, "options") == 0 && o->val != NULL)
            own = arena_str(pdb->arena, str_of(o->val));
    }
    /* The last of two that say the same counts. */
    pdb->options = arena_printf(pdb->arena, "%s %.*s", postgres_options, STR_ARG(own)).ptr;
    PQconninfoFree(options);
    PQfreemem(message); /* it may hold the password */
    return options != NULL ? ERR_OK : ERR_INVALID;
}

static void postgres_close(struct db *db);

static err postgres_open(const struct db_options *options, struct arena *arena, struct db **ret,
                         str *ret_why)
{
    struct postgres_db *pdb = mem_new(struct postgres_db);
    str name = STR("postgresql");
    err e;

    pdb->arena = arena_open(0);
    pdb->url = arena_cstr(pdb->arena, str_of(options->url));
    pdb->connection_count_max =
        options->reader_count_max > 0 ? options->reader_count_max : POSTGRES_CONNECTIONS_DEFAULT;
    pdb->one_writer = options->one_writer;
    e = read_url(pdb, &name);
    db_init(&pdb->db, &postgres_driver, name, options);
    gate_init(&pdb->gate, pdb->connection_count_max);
    gate_init(&pdb->writer_gate, pdb->connection_count_max > 1 ? pdb->connection_count_max - 1 : 1);
    (void)pthread_mutex_init(&pdb->mutex, NULL);
    (void)pthread_mutex_init(&pdb->watch_mutex, NULL);
    if (e != ERR_OK)
        *ret_why = STR("postgresql://...: not a URI that libpq understands");
    else
        e = postgres_connection_open(pdb, 0, arena, &pdb->migrator, ret_why);
    if (e != ERR_OK) {
        postgres_close(&pdb->db);
        return e;
    }
    *ret = &pdb->db;
    return ERR_OK;
}

/* --- Migrations --- */

static err run(struct postgres_db *pdb, const char *sql, struct arena *arena, str *ret_why)
{
    PGresult *result = postgres_run(pdb->migrator, sql);
    const ExecStatusType status = PQresultStatus(result);
    err e = ERR_OK;

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        const bool is_lost = PQstatus(pdb->migrator->handle) != CONNECTION_OK;

        *ret_why = postgres_why(arena, pdb->migrator->handle, result);
        *ret_why = arena_printf(arena, "%s: %.*s", pdb->db.name, STR_ARG(*ret_why));
        e = is_lost ? ERR_UNAVAILABLE : ERR_INVALID;
        pdb->migrator->broken = pdb->migrator->broken || is_lost;
    }
    PQclear(result);
    return e;
}

static err postgres_migrate_begin(struct db *db, struct arena *arena, str *ret_why)
{
    struct postgres_db *pdb = (struct postgres_db *)db;

    TRY(run(pdb, lock_sql, arena, ret_why));
    TRY(run(pdb, SQL_MIGRATION_TABLE.postgres, arena, ret_why));
    return postgres_connection_prepare(pdb->migrator, 0, migration_sql.count, arena, ret_why);
}

/* Within the transaction of migrate.c, whose BEGIN has been sent by its query. */
static err postgres_script(struct db *db, void *connection, const struct migration *migration,
                           struct arena *arena, str *ret_why)
{
    struct postgres_db *pdb = (struct postgres_db *)db;
    struct postgres_connection *own = connection;
    str why = STR_ABSENT;
    err e;

    assert(own == pdb->migrator);
    postgres_enter(own);
    TRY(postgres_await(own, NULL));
    /* Migrations of large tables take as long as they take. */
    e = run(pdb, "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0", arena, &why);
    if (e == ERR_OK)
        e = run(pdb, migration->postgres, arena, &why);
    if (e == ERR_OK && PQtransactionStatus(own->handle) != PQTRANS_INTRANS) {
        why = STR("it ends the transaction that it is run in");
        e = ERR_INVALID;
    }
    if (e != ERR_OK)
        *ret_why = arena_printf(arena, "migration %04d (%s): %.*s", migration->number,
                                migration->name, STR_ARG(why));
    return e;
}

static err postgres_migrate_end(struct db *db, struct arena *arena, str *ret_why)
{
    struct postgres_db *pdb = (struct postgres_db *)db;

    postgres_drain(pdb->migrator);
    return run(pdb, unlock_sql, arena, ret_why);
}

/* --- Getting ready --- */

static err postgres_ready(struct db *db, struct arena *arena, str *ret_why)
{
    struct postgres_db *pdb = (struct postgres_db *)db;

    TRY(postgres_connection_prepare(pdb->migrator, migration_sql.count, db->statements.count, arena,
                                    ret_why));
    TRY(postgres_check_conflicts(pdb->migrator, arena, ret_why));
    pdb->pool = pdb->migrator; /* the first of many */
    pdb->migrator = NULL;
    return ERR_OK;
}

/* --- Closing --- */

static void postgres_close(struct db *db)
{
    struct postgres_db *pdb = (struct postgres_db *)db;

    postgres_pool_close(pdb);
    postgres_connection_close(pdb->migrator);
    postgres_connection_close(pdb->watch);
    gate_done(&pdb->gate);
    gate_done(&pdb->writer_gate);
    (void)pthread_mutex_destroy(&pdb->mutex);
    (void)pthread_mutex_destroy(&pdb->watch_mutex);
    db_done(db);
    arena_close(pdb->arena);
    mem_free(pdb);
}

const struct driver postgres_driver = {
    .scheme = "postgresql",
    .alias = "postgres",
    .has_arrays = true,
    .open = postgres_open,
    .migrate_begin = postgres_migrate_begin,
    .script = postgres_script,
    .migrate_end = postgres_migrate_end,
    .ready = postgres_ready,
    .close = postgres_close,
    .begin = postgres_begin,
    .commit = postgres_commit,
    .rollback = postgres_rollback,
    .savepoint = postgres_savepoint,
    .changes = postgres_changes,
    .exec = postgres_exec,
    .rows_open = postgres_rows_open,
    .rows_next = postgres_rows_next,
    .rows_close = postgres_rows_close,
    .is_null = postgres_is_null,
    .i64 = postgres_i64,
    .real = postgres_real,
    .bytes = postgres_bytes,
    .version = postgres_version,
    .checkpoint = postgres_checkpoint,
    .verify = postgres_verify,
};
