/* platform/db/db_postgres_error.c - what PostgreSQL's errors mean to us.
 *
 * By the five characters of SQLSTATE (manual, appendix A), never by the message, which is in the
 * server's language. */

#include <stdlib.h>
#include <string.h>

#include "platform/db/db_postgres.h"

/* What a class or a code means that is no violated constraint; the first that fits. */
struct meaning {
    const char *state; /* its first characters */
    err e;
    bool breaks; /* the connection is of no use any more */
};

static const struct meaning meanings[] = {
    {"40001", ERR_CONTENDED,   false}, /* serialization_failure */
    {"40P01", ERR_CONTENDED,   false}, /* deadlock_detected */
    {"40003", ERR_UNAVAILABLE, true }, /* statement_completion_unknown */
    {"55P03", ERR_UNAVAILABLE, false}, /* lock_not_available: lock_timeout */
    {"57014", ERR_UNAVAILABLE, false}, /* query_canceled: statement_timeout */
    {"25006", ERR_UNAVAILABLE, true }, /* read_only_sql_transaction: another is the primary now */
    {"25P03", ERR_UNAVAILABLE, true }, /* idle_in_transaction_session_timeout */
    {"26000", ERR_UNAVAILABLE, true }, /* a pooler has dropped our statements */
    {"0A000", ERR_UNAVAILABLE, true }, /* a migration has changed what a statement gives */
    {"08",    ERR_UNAVAILABLE, true }, /* connection_exception */
    {"53",    ERR_UNAVAILABLE, false}, /* insufficient_resources: disk, memory */
    {"57",    ERR_UNAVAILABLE, true }, /* operator_intervention: shutdown, crash, not yet up */
    {"58",    ERR_UNAVAILABLE, false}, /* system_error: I/O */
    {"XX",    ERR_UNAVAILABLE, true }, /* internal_error, data_corrupted */
};

static const char *state_of(const PGresult *result)
{
    const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;

    return state != NULL ? state : "08006"; /* libpq's own: the connection is lost */
}

/* As the log wants a number: 40P01 in base 36. */
static int code_of(const char *state)
{
    return (int)strtol(state, NULL, 36);
}

static bool is_violation(const char *state)
{
    return strncmp(state, "23", 2) == 0;
}

bool postgres_is_violation(const PGresult *result)
{
    return is_violation(state_of(result));
}

/* ERR_INTERNAL: none that is a refusal. */
static err find_conflict(const PGresult *result, const struct sql *sql, const char *state)
{
    const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);

    for (int i = 0; sql != NULL && constraint != NULL && i < SQL_CONFLICTS_MAX; i++)
        if (sql->conflicts[i].constraint != NULL &&
            strcmp(sql->conflicts[i].constraint, constraint) == 0)
            return sql->conflicts[i].e;
    return strcmp(state, "23505") == 0 ? ERR_DUPLICATE : ERR_INTERNAL; /* unique_violation */
}

static const struct meaning *find_meaning(const char *state)
{
    static const struct meaning our_mistake = {"", ERR_INTERNAL, false};

    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
        if (strncmp(state, meanings[i].state, strlen(meanings[i].state)) == 0)
            return &meanings[i];
    return &our_mistake;
}

str postgres_why(struct arena *arena, const PGconn *handle, const PGresult *result)
{
    const char *primary =
        result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    str why = str_of(primary != NULL ? primary : PQerrorMessage(handle));
    str line = STR_ABSENT;

    return str_split(&why, '\n', &line) ? arena_str(arena, str_trim(line)) : STR("no reason given");
}

err postgres_failed(struct postgres_connection *connection, const PGresult *result,
                    const struct sql *sql, const char *what)
{
    CLEANUP(arena_close_at) struct arena *arena = NULL;
    const char *state = state_of(result);
    const struct meaning *meaning;
    err e;

    if (is_violation(state)) {
        e = find_conflict(result, sql, state);
        if (e != ERR_INTERNAL)
            return e;
    } else {
        meaning = find_meaning(state);
        e = meaning->e;
        /* A reader's transaction is read-only because we said so. */
        if (strcmp(state, "25006") == 0 && !connection->writes)
            e = ERR_INTERNAL;
        else if (meaning->breaks)
            connection->broken = true;
    }
    if (PQstatus(connection->handle) != CONNECTION_OK)
        connection->broken = true;
    if (e == ERR_CONTENDED)
        return e; /* is run again */
    arena = arena_open(0);
    db_complain(&connection->pdb->db, e, sql != NULL ? sql->name : what, code_of(state),
                postgres_why(arena, connection->handle, result).ptr);
    return e;
}
