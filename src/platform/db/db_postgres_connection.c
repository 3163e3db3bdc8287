/* platform/db/db_postgres_connection.c - opens a connection with our settings, and prepares every
 * statement on it.
 *
 * The settings are the promise of db.h: what is acknowledged is on disk, and a server that is dead
 * is noticed within seconds. Those that somebody may have a reason to change stand before the URL,
 * whose parameters go over them. Statements are prepared in one pipeline: one round trip, however
 * many there are. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "platform/db/db_postgres.h"

enum { PATIENCE_FIRST_MS = 5000, PATIENCE_EXTRA_MS = 1000 };

/* Any other one that is set for the server stays, as it may be stricter. */
static const char durable_sql[] =
    "SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit') IN ('off', 'local')";
static const char patience_sql[] =
    "SELECT setting FROM pg_settings WHERE name = 'statement_timeout'";

/* A snapshot is the list of the transactions that one does not see. A commit takes at least one off
 * it, so the number that stands for it changes; it also does when a write is rolled back, or in
 * another database of the server. No NOTIFY: commits that notify wait for each other. */
static const char version_sql[] = "SELECT hashtextextended(pg_current_snapshot()::text, 0)";

/* To the end of the transaction. What is read behind it, is read after the other's commit. */
static const char alone_sql[] =
    "SELECT pg_advisory_xact_lock(hashtextextended('boxoffice.writer.' || current_schema(), 0))";

static const char *const controls[][2] = {
    {"tx.begin_write", "BEGIN ISOLATION LEVEL READ COMMITTED"            },
    {"tx.begin_read",  "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"},
    {"tx.commit",      "COMMIT"                                          },
    {"tx.rollback",    "ROLLBACK"                                        },
    {"tx.savepoint",   "SAVEPOINT step"                                  },
    {"tx.keep",        "RELEASE step"                                    },
    {"tx.undo",        "ROLLBACK TO step"                                },
    {"tx.guard",       "SAVEPOINT guard"                                 },
    {"tx.guard_keep",  "RELEASE guard"                                   },
    {"tx.guard_undo",  "ROLLBACK TO guard"                               },
    {"tx.alone",       alone_sql                                         },
    {"tx.version",     version_sql                                       },
};
enum { CONTROLS = sizeof(controls) / sizeof(controls[0]) };

/* --- Connecting --- */

static PGconn *connect_to(const struct postgres_db *pdb)
{
    static const char *const keys[] = {"connect_timeout",
                                       "tcp_user_timeout",
                                       "keepalives_idle",
                                       "keepalives_interval",
                                       "keepalives_count",
                                       "application_name",
                                       "target_session_attrs",
                                       "dbname",
                                       "options",
                                       "client_encoding",
                                       NULL};
    const char *const values[] = {"3",          "5000",   "5",          "2",    "3", "boxoffice",
                                  "read-write", pdb->url, pdb->options, "UTF8", NULL};

    return PQconnectdbParams(keys, values, 1); /* 1: dbname may be a URI */
}

static void ignore_notice([[maybe_unused]] void *arg, [[maybe_unused]] const PGresult *notice)
{
}

PGresult *postgres_run(struct postgres_connection *connection, const char *sql)
{
    PGconn *handle = connection->handle;
    PGresult *result;

    assert(connection->pending_count == 0);
    (void)PQexitPipelineMode(handle);
    (void)PQsetnonblocking(handle, 0);
    result = PQexec(handle, sql);
    (void)PQsetnonblocking(handle, 1);
    if (PQenterPipelineMode(handle) != 1)
        connection->broken = true;
    return result;
}

static err explain(struct postgres_connection *connection, const PGresult *result,
                   struct arena *arena, str *ret_why)
{
    const str why = postgres_why(arena, connection->handle, result);

    *ret_why = arena_printf(arena, "%s: %.*s", connection->pdb->db.name, STR_ARG(why));
    return ERR_UNAVAILABLE;
}

/* --- Setting up --- */

/* The settings and the statements that begin and end transactions, in one round trip. */
static bool send_set_up(PGconn *handle)
{
    bool sent = PQsendQueryParams(handle, durable_sql, 0, NULL, NULL, NULL, NULL, 0) == 1 &&
                PQsendQueryParams(handle, patience_sql, 0, NULL, NULL, NULL, NULL, 0) == 1;

    for (size_t i = 0; i < CONTROLS && sent; i++)
        sent = PQsendPrepare(handle, controls[i][0], controls[i][1], 0, NULL) == 1;
    return sent && PQpipelineSync(handle) == 1;
}

static err set_up(struct postgres_connection *connection, struct arena *arena, str *ret_why)
{
    enum { ANSWERS = 2 + CONTROLS };
    err e = ERR_OK;

    if (!send_set_up(connection->handle))
        return explain(connection, NULL, arena, ret_why);
    postgres_flush(connection);
    for (int i = 0; i < ANSWERS; i++) {
        PGresult *result = NULL;
        const bool answered = postgres_read_answer(connection, &result);
        const ExecStatusType status = PQresultStatus(result);

        if (e == ERR_OK && status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
            e = explain(connection, result, arena, ret_why);
        else if (i == 1 && PQntuples(result) == 1)
            connection->patience_ms = strtol(PQgetvalue(result, 0, 0), NULL, 10);
        PQclear(result);
        if (!answered)
            return e != ERR_OK ? e : explain(connection, NULL, arena, ret_why);
    }
    if (connection->patience_ms > 0)
        connection->patience_ms += PATIENCE_EXTRA_MS;
    if (!postgres_read_sync(connection))
        return explain(connection, NULL, arena, ret_why);
    return e;
}

/* --- Preparing --- */

/* SELECT is none; of WITH one cannot tell, so it is one if a word in it says so. */
static bool is_write(const char *text)
{
    static const char *const words[] = {"INSERT ", "UPDATE ", "DELETE "};

    if (strncasecmp(text, "SELECT", 6) == 0 || strncasecmp(text, "VALUES", 6) == 0)
        return false;
    if (strncasecmp(text, "WITH", 4) != 0)
        return true;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcasestr(text, words[i]) != NULL)
            return true;
    return false;
}

static bool is_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

static err wrong(struct postgres_connection *connection, const struct sql *sql, const char *fault,
                 struct arena *arena, str *ret_why)
{
    *ret_why =
        arena_printf(arena, "%s: statement %s%s", connection->pdb->db.name, sql->name, fault);
    return ERR_INVALID;
}

/* Makes of its two answers what is known of a statement. */
static err read_prepared(struct postgres_connection *connection, size_t slot,
                         const PGresult *prepared, const PGresult *described, struct arena *arena,
                         str *ret_why)
{
    struct postgres_statement *statement = &connection->statements[slot];
    const struct sql *sql = connection->pdb->db.statements.items[slot];

    if (PQresultStatus(prepared) == PGRES_FATAL_ERROR) {
        const str why = postgres_why(arena, connection->handle, prepared);

        if (PQresultErrorField(prepared, PG_DIAG_SQLSTATE) == NULL)
            return explain(connection, prepared, arena, ret_why); /* the connection's */
        return wrong(connection, sql, arena_printf(arena, ": %.*s", STR_ARG(why)).ptr, arena,
                     ret_why);
    }
    if (PQresultStatus(described) != PGRES_COMMAND_OK)
        return ERR_OK; /* skipped behind one that is wrong, which is told */
    if (PQnparams(described) != sql->param_count)
        return wrong(connection, sql, " has another number of parameters than it says", arena,
                     ret_why);
    *statement = (struct postgres_statement){
        .connection = connection, .sql = sql, .writes = is_write(sql->postgres)};
    for (int i = 0; i < sql->param_count; i++)
        statement->param_types[i] = PQparamtype(described, i);
    return ERR_OK;
}

static err send_prepare(struct postgres_connection *connection, const struct sql *sql,
                        struct arena *arena, str *ret_why)
{
    if (sql->postgres == NULL)
        return ERR_OK; /* of another engine */
    if (is_blank(sql->postgres))
        return wrong(connection, sql, " is not one statement", arena, ret_why);
    if (PQsendPrepare(connection->handle, sql->name, sql->postgres, 0, NULL) != 1 ||
        PQsendDescribePrepared(connection->handle, sql->name) != 1)
        return explain(connection, NULL, arena, ret_why);
    return ERR_OK;
}

/* The first that is wrong is told; the answers to all are read. */
static err read_all_prepared(struct postgres_connection *connection, size_t from, size_t to,
                             struct arena *arena, str *ret_why)
{
    err e = ERR_OK;

    for (size_t slot = from; slot < to; slot++) {
        PGresult *prepared = NULL;
        PGresult *described = NULL;
        bool answered = true;

        if (connection->pdb->db.statements.items[slot]->postgres == NULL)
            continue;
        answered = postgres_read_answer(connection, &prepared) &&
                   postgres_read_answer(connection, &described);
        if (e == ERR_OK && !answered)
            e = explain(connection, prepared, arena, ret_why);
        if (e == ERR_OK)
            e = read_prepared(connection, slot, prepared, described, arena, ret_why);
        PQclear(prepared);
        PQclear(described);
        if (!answered)
            return e;
    }
    if (!postgres_read_sync(connection) && e == ERR_OK)
        e = explain(connection, NULL, arena, ret_why);
    return e;
}

static err prepare(struct postgres_connection *connection, size_t from, size_t to,
                   struct arena *arena, str *ret_why)
{
    for (size_t slot = from; slot < to; slot++)
        TRY(send_prepare(connection, connection->pdb->db.statements.items[slot], arena, ret_why));
    if (PQpipelineSync(connection->handle) != 1)
        return explain(connection, NULL, arena, ret_why);
    postgres_flush(connection);
    return read_all_prepared(connection, from, to, arena, ret_why);
}

err postgres_connection_prepare(struct postgres_connection *connection, size_t from, size_t to,
                                struct arena *arena, str *ret_why)
{
    const err e = prepare(connection, from, to, arena, ret_why);

    assert(connection->pending_count == 0);
    if (e != ERR_OK)
        connection->broken = true; /* is not worth keeping */
    return e;
}

/* --- Opening and closing --- */

static err make_ready(struct postgres_connection *connection, size_t prepare_count,
                      struct arena *arena, str *ret_why)
{
    PGconn *handle = connection->handle;

    if (PQstatus(handle) != CONNECTION_OK)
        return explain(connection, NULL, arena, ret_why);
    (void)PQsetNoticeReceiver(handle, ignore_notice, NULL);
    if (PQenterPipelineMode(handle) != 1)
        return explain(connection, NULL, arena, ret_why);
    (void)PQsetnonblocking(handle, 1);
    TRY(set_up(connection, arena, ret_why));
    return postgres_connection_prepare(connection, 0, prepare_count, arena, ret_why);
}

err postgres_connection_open(struct postgres_db *pdb, size_t prepare_count, struct arena *arena,
                             struct postgres_connection **ret, str *ret_why)
{
    struct postgres_connection *connection = mem_new(struct postgres_connection);
    err e;

    connection->pdb = pdb;
    connection->patience_ms = PATIENCE_FIRST_MS;
    connection->scratch = arena_open(0);
    connection->statements =
        mem_alloc((pdb->db.statements.count + 1) * sizeof(*connection->statements));
    connection->handle = connect_to(pdb);
    e = make_ready(connection, prepare_count, arena, ret_why);
    if (e != ERR_OK) {
        postgres_connection_close(connection);
        return e;
    }
    *ret = connection;
    return ERR_OK;
}

void postgres_connection_close(struct postgres_connection *connection)
{
    if (connection == NULL)
        return;
    assert(connection->open_count == 0);
    PQfinish(connection->handle);
    arena_close(connection->scratch);
    mem_free(connection->statements);
    mem_free(connection);
}
