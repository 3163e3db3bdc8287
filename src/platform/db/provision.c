/* platform/db/provision.c - makes roles and databases on a PostgreSQL server.
 *
 * Statements with names in them are made by the server itself (format, %I), and each is run only
 * where its effect is missing: whoever lacks the right to create finds nothing to do on a server
 * that somebody else has prepared. */

#include "platform/db/provision.h"

#include <libpq-fe.h>
#include <string.h>

/* "boxoffice": only one at a time makes roles, which CREATE ROLE itself does not see to. */
#define LOCK_KEY          "7165066821047513445"
#define CONNECT_TIMEOUT_S "5"

struct server {
    PGconn *connection;
    struct arena *arena;
    str *ret_why;
};

static void server_done(struct server *server)
{
    PQfinish(server->connection);
}

static void result_done(PGresult **result)
{
    PQclear(*result);
}

static str first_line(struct arena *arena, const char *message)
{
    const str label = STR("ERROR:  ");
    str text = str_of(message);
    str line;

    (void)str_split(&text, '\n', &line);
    if (str_starts(line, label))
        line = str_slice(line, label.size, line.size);
    return arena_str(arena, str_trim(line));
}

/* Gives the first column of the first row (absent: no row) of a statement with at most one
 * parameter. */
static err ask(struct server *server, const char *sql, const char *name, str *ret)
{
    const char *const values[] = {name};
    CLEANUP(result_done)
    PGresult *result =
        PQexecParams(server->connection, sql, name != NULL ? 1 : 0, NULL, values, NULL, NULL, 0);

    *ret = STR_ABSENT;
    if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK) {
        const str why = first_line(server->arena, PQerrorMessage(server->connection));

        *server->ret_why =
            name != NULL ? arena_printf(server->arena, "%s: %.*s", name, STR_ARG(why)) : why;
        return PQstatus(server->connection) == CONNECTION_BAD ? ERR_UNAVAILABLE : ERR_INVALID;
    }
    if (PQntuples(result) > 0 && PQnfields(result) > 0)
        *ret = arena_str(server->arena, str_of(PQgetvalue(result, 0, 0)));
    return ERR_OK;
}

/* `question` gives a row where `command` is not needed; `command` gives the text to run. */
static err make(struct server *server, const char *question, const char *command, const char *name,
                int *count)
{
    str found;
    str text;

    TRY(ask(server, question, name, &found));
    if (found.ptr != NULL)
        return ERR_OK;
    TRY(ask(server, command, name, &text));
    const err e = ask(server, text.ptr, NULL, &found);
    if (e != ERR_OK) {
        *server->ret_why =
            arena_printf(server->arena, "%.*s (%s)", STR_ARG(*server->ret_why), text.ptr);
        return e;
    }
    if (count != NULL)
        (*count)++;
    return ERR_OK;
}

static err provision_one(struct server *server, const char *name, struct provisioned *made)
{
    TRY(make(server, "SELECT 1 FROM pg_roles WHERE rolname = $1",
             "SELECT format('CREATE ROLE %I NOLOGIN', $1::text)", name, &made->role_count));
    /* Since version 16 a member need not be allowed to act as the role. */
    TRY(make(server,
             PQserverVersion(server->connection) < 160000
                 ? "SELECT 1 WHERE pg_has_role($1::text::name, 'MEMBER')"
                 : "SELECT 1 WHERE pg_has_role($1::text::name, 'SET')",
             "SELECT format('GRANT %I TO %I', $1::text, session_user)", name, NULL));
    /* Texts compare by their bytes, as they do on SQLite. */
    TRY(make(server, "SELECT 1 FROM pg_database WHERE datname = $1",
             "SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0 ENCODING ''UTF8''"
             " LC_COLLATE ''C'' LC_CTYPE ''C''', $1::text, $1::text)",
             name, &made->database_count));
    return make(server, "SELECT 1 WHERE NOT has_database_privilege('public', $1::text, 'CONNECT')",
                "SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', $1::text)", name, NULL);
}

/* Does the URL say which database? */
static bool names_database(const char *url, bool *ret_is_url)
{
    PQconninfoOption *options = PQconninfoParse(url, NULL);
    bool found = false;

    *ret_is_url = options != NULL;
    for (const PQconninfoOption *option = options; option != NULL && option->keyword != NULL;
         option++)
        if (strcmp(option->keyword, "dbname") == 0)
            found = option->val != NULL;
    PQconninfoFree(options);
    return found;
}

static err server_open(struct server *server, const char *url)
{
    bool is_url = false;
    const bool named = names_database(url, &is_url);
    const char *const keys[] = {"dbname", "connect_timeout", "application_name", "dbname", NULL};
    const char *const values[] = {url, CONNECT_TIMEOUT_S, "boxoffice migrate",
                                  named ? NULL : "postgres", NULL};

    if (!is_url) {
        *server->ret_why = STR("this is no URL of a PostgreSQL server");
        return ERR_INVALID;
    }
    server->connection = PQconnectdbParams(keys, values, true);
    if (PQstatus(server->connection) == CONNECTION_OK)
        return ERR_OK;
    *server->ret_why = first_line(server->arena, PQerrorMessage(server->connection));
    return ERR_UNAVAILABLE;
}

err provision(const char *url, const char *const *names, size_t count, struct arena *arena,
              struct provisioned *ret, str *ret_why)
{
    CLEANUP(server_done) struct server server = {.arena = arena, .ret_why = ret_why};
    struct provisioned made = {0};
    str unused;

    TRY(server_open(&server, url));
    TRY(ask(&server, "SELECT pg_advisory_lock(" LOCK_KEY ")", NULL, &unused));
    for (size_t i = 0; i < count; i++)
        TRY(provision_one(&server, names[i], &made));
    *ret = made;
    return ERR_OK;
}

err provision_find(const char *url, const char *name, struct arena *arena, bool *ret)
{
    str why = STR_ABSENT;
    CLEANUP(server_done) struct server server = {.arena = arena, .ret_why = &why};
    str found;

    TRY(server_open(&server, url));
    TRY(ask(&server,
            "SELECT 1 FROM pg_database d, pg_roles r WHERE d.datname = $1 AND r.rolname = $1", name,
            &found));
    *ret = found.ptr != NULL;
    return ERR_OK;
}
