/* support/test_database.c - makes and drops databases on the server of this run. */

#include "support/test_database.h"

#include <libpq-fe.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/test.h"

struct to_drop {
    const char *url; /* of the server */
    const char *sql;
};

/* NULL: none. */
static const char *server_url(void)
{
    return getenv("BOXOFFICE_TEST_DATABASE"); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
}

bool test_on_postgres(void)
{
    return server_url() != NULL;
}

/* --- SQL --- */

static void close_handle(PGconn **handle)
{
    PQfinish(*handle);
}

static PGresult *run(PGconn *handle, const char *sql)
{
    PGresult *result = PQexec(handle, sql);
    const ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        print_error("%s: %s\n", sql, PQerrorMessage(handle));
        CHECK(false);
    }
    return result;
}

void test_database_exec(const char *url, const char *sql)
{
    CLEANUP(close_handle) PGconn *handle = PQconnectdb(url);

    PQclear(run(handle, sql));
}

bool test_database_try(const char *url, const char *sql)
{
    CLEANUP(close_handle) PGconn *handle = PQconnectdb(url);
    PGresult *result = PQexec(handle, sql);
    const bool went = PQresultStatus(result) == PGRES_COMMAND_OK;

    PQclear(result);
    return went;
}

int64_t test_database_i64(const char *url, const char *sql)
{
    CLEANUP(close_handle) PGconn *handle = PQconnectdb(url);
    PGresult *result = run(handle, sql);
    int64_t n = 0;

    CHECK(PQntuples(result) == 1 && str_to_i64(str_of(PQgetvalue(result, 0, 0)), &n));
    PQclear(result);
    return n;
}

/* --- Databases --- */

const char *test_database_name(struct arena *arena)
{
    static _Atomic int count;

    return arena_printf(arena, "t_%d_%d", (int)getpid(), ++count).ptr;
}

/* The server's URL with another database in it: behind the authority, before the parameters. */
const char *test_database_url(struct arena *arena, const char *name)
{
    const char *server = server_url();
    const char *authority;
    const char *path;
    const char *parameters;

    CHECK(server != NULL && strstr(server, "://") != NULL);
    authority = strstr(server, "://") + 3;
    path = authority + strcspn(authority, "/?");
    parameters = path + strcspn(path, "?");
    return arena_printf(arena, "%.*s/%s%s", (int)(path - server), server, name, parameters).ptr;
}

/* Of a database that a test itself has dropped there is nothing left to do; of a server that is
 * gone, too. */
static void drop(void *arg)
{
    const struct to_drop *to_drop = arg;
    CLEANUP(close_handle) PGconn *handle = PQconnectdb(to_drop->url);

    PQclear(PQexec(handle, to_drop->sql));
}

const char *test_database_make(struct arena *arena, const char *name)
{
    struct to_drop *to_drop = arena_new(arena, struct to_drop);

    /* Copying files is the quicker strategy where nothing is synced. */
    test_database_exec(server_url(),
                       arena_printf(arena, "CREATE DATABASE \"%s\" STRATEGY file_copy", name).ptr);
    to_drop->url = server_url();
    to_drop->sql = arena_printf(arena, "DROP DATABASE IF EXISTS \"%s\" WITH (FORCE)", name).ptr;
    arena_on_reset(arena, drop, to_drop);
    return test_database_url(arena, name);
}
