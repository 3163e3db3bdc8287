/* support/test_node.c - names for the databases of a node, and their end; SQL past the services. */

#include "support/test_node.h"

#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "support/test.h"
#include "support/test_database.h"

enum { POOL_MAX = 16, PREFIX_SIZE = 40, DIR_SIZE = 256, SQL_SIZE_MAX = 65536 };

/* Names whose databases are there already, empty: making one takes longer than most tests. */
static struct {
    char prefix[PREFIX_SIZE];
    char dir[DIR_SIZE]; /* of whom it is lent to; "": alone */
    bool lent;
    bool dirty; /* a test has changed the schema */
} pool[POOL_MAX];
static size_t pool_count;

static const char names_sql[] =
    "SELECT datname FROM pg_database WHERE starts_with(datname::text, $1)";
/* All rows but those that tell of migrations, and numbers begin anew. */
static const char empty_sql[] =
    "SET session_replication_role = replica;"
    "DO $$ DECLARE r record; BEGIN"
    " FOR r IN SELECT oid::regclass AS name, relkind FROM pg_class"
    "  WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S')"
    "  AND relname <> 'schema_migration' LOOP"
    "  IF r.relkind = 'S' THEN PERFORM setval(r.name, 1, false);"
    "  ELSE EXECUTE 'DELETE FROM ' || r.name; END IF;"
    " END LOOP; END $$";

static void for_each_database(struct arena *arena, const char *prefix,
                              void (*act)(struct arena *arena, const char *name))
{
    const char *const values[] = {prefix};
    PGconn *handle = PQconnectdb(test_database_url(arena, "postgres"));
    PGresult *names = PQexecParams(handle, names_sql, 1, NULL, values, NULL, NULL, 0);

    /* Of a server that is gone there is none left. */
    for (int i = 0; i < PQntuples(names); i++)
        act(arena, PQgetvalue(names, i, 0));
    PQclear(names);
    PQfinish(handle);
}

static void empty_one(struct arena *arena, const char *name)
{
    test_database_exec(test_database_url(arena, name), empty_sql);
}

static void drop_one(struct arena *arena, const char *name)
{
    test_database_exec(test_database_url(arena, "postgres"),
                       arena_printf(arena, "DROP DATABASE \"%s\" WITH (FORCE)", name).ptr);
}

static void give_back(void *arg)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const char *prefix = arg;
    size_t at = 0;

    while (at < pool_count && strcmp(pool[at].prefix, prefix) != 0)
        at++;
    for_each_database(arena, prefix, at == pool_count || pool[at].dirty ? drop_one : empty_one);
    if (at < pool_count) {
        pool[at].dirty = false;
        pool[at].lent = false;
    }
}

/* The number of a name that nobody has at the moment. */
static size_t find_free(struct arena *arena)
{
    size_t at = 0;

    while (at < pool_count && pool[at].lent)
        at++;
    CHECK(at < POOL_MAX);
    if (at == pool_count)
        (void)snprintf(pool[pool_count++].prefix, PREFIX_SIZE, "%s_", test_database_name(arena));
    return at;
}

/* The number of the name that the nodes of this directory have; pool_count: none. */
static size_t find_lent(const char *dir)
{
    size_t at = 0;

    while (at < pool_count && (!pool[at].lent || strcmp(pool[at].dir, dir) != 0))
        at++;
    return at;
}

void test_node_databases(struct config *config, const char *dir, struct arena *arena)
{
    size_t at = pool_count;
    str why = STR_ABSENT;

    if (!test_on_postgres())
        return;
    if (dir != NULL)
        at = find_lent(dir);
    if (at == pool_count) {
        at = find_free(arena);
        pool[at].lent = true;
        (void)snprintf(pool[at].dir, DIR_SIZE, "%s", dir != NULL ? dir : "");
        arena_on_reset(arena, give_back, pool[at].prefix);
    }
    CHECK_OK(config_set(config, STR("database.url"), str_of(test_database_url(arena, "postgres")),
                        &why));
    CHECK_OK(config_set(config, STR("database.prefix"), str_of(pool[at].prefix), &why));
}

/* What changes the schema makes its databases unfit for the next test. */
static void note_change(str prefix, const char *sql)
{
    if (strstr(sql, "DROP") == NULL && strstr(sql, "CREATE") == NULL &&
        strstr(sql, "ALTER") == NULL)
        return;
    for (size_t i = 0; i < pool_count; i++)
        if (str_eq(prefix, str_of(pool[i].prefix)))
            pool[i].dirty = true;
}

/* --- Past the services --- */

static void close_handle(sqlite3 **handle)
{
    (void)sqlite3_close(*handle);
}

static sqlite3 *open_handle(const struct test_node *node)
{
    const str path = arena_printf(node->arena, "%s/%s.db", node->dir, node->service);
    sqlite3 *handle = NULL;

    CHECK(sqlite3_open_v2(path.ptr, &handle, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK);
    CHECK(sqlite3_busy_timeout(handle, 5000) == SQLITE_OK);
    return handle;
}

static const char *server_url(const struct test_node *node)
{
    const str prefix = config_text(node->config, "database.prefix");

    return test_database_url(
        node->arena, arena_printf(node->arena, "%.*s%s", STR_ARG(prefix), node->service).ptr);
}

/* x'0aff', X'...': the digits; absent: it is none. */
static str read_hex(const char *at)
{
    if ((at[0] != 'x' && at[0] != 'X') || at[1] != '\'')
        return STR_ABSENT;
    return (str){at + 2, strspn(at + 2, "0123456789abcdefABCDEF")};
}

/* 'text': its size with the quotes; 0: none begins here. */
static size_t quoted_size(const char *at)
{
    const char *end = at[0] == '\'' ? strchr(at + 1, '\'') : NULL;

    return end != NULL ? (size_t)(end - at) + 1 : 0;
}

/* PostgreSQL's words for SQLite's. */
static const char *translate(const struct test_node *node, const char *sql)
{
    static const char random[] = "randomblob(16)";
    struct buf out = buf_in(node->arena, SQL_SIZE_MAX);

    while (*sql != '\0') {
        const str hex = read_hex(sql);
        size_t size = quoted_size(sql);

        if (strncmp(sql, random, sizeof(random) - 1) == 0) {
            buf_add_cstr(&out, "gen_random_uuid()");
            size = sizeof(random) - 1;
        } else if (hex.ptr != NULL) {
            buf_printf(&out, hex.size == 32 ? "'%.*s'::uuid" : "'\\x%.*s'::bytea", STR_ARG(hex));
            size = hex.size + 3;
        } else {
            size = size > 0 ? size : 1;
            buf_add(&out, (str){sql, size});
        }
        sql += size;
    }
    return buf_str(&out).ptr;
}

bool test_node_try(const struct test_node *node, const char *sql)
{
    CLEANUP(close_handle) sqlite3 *handle = NULL;

    if (test_on_postgres())
        return test_database_try(server_url(node), translate(node, sql));
    handle = open_handle(node);
    if (sqlite3_exec(handle, "SAVEPOINT try", NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_exec(handle, sql, NULL, NULL, NULL) == SQLITE_OK)
        return sqlite3_exec(handle, "RELEASE try", NULL, NULL, NULL) == SQLITE_OK;
    (void)sqlite3_exec(handle, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

void test_node_exec(const struct test_node *node, const char *sql)
{
    CLEANUP(close_handle) sqlite3 *handle = NULL;

    if (test_on_postgres()) {
        note_change(config_text(node->config, "database.prefix"), sql);
        test_database_exec(server_url(node), translate(node, sql));
        return;
    }
    handle = open_handle(node);
    if (sqlite3_exec(handle, sql, NULL, NULL, NULL) != SQLITE_OK) {
        print_error("%s: %s\n", sql, sqlite3_errmsg(handle));
        CHECK(false);
    }
}

int64_t test_node_i64(const struct test_node *node, const char *sql)
{
    CLEANUP(close_handle) sqlite3 *handle = NULL;
    sqlite3_stmt *stmt = NULL;
    int64_t n = 0;

    if (test_on_postgres())
        return test_database_i64(server_url(node), translate(node, sql));
    handle = open_handle(node);
    if (sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL) != SQLITE_OK) {
        print_error("%s: %s\n", sql, sqlite3_errmsg(handle));
        CHECK(false);
    }
    CHECK(sqlite3_step(stmt) == SQLITE_ROW);
    n = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return n;
}

/* --- Triggers --- */

void test_node_add_trigger(const struct test_node *node, const struct test_trigger *trigger)
{
    const char *where = trigger->where != NULL ? trigger->where : "true";
    str sql;

    if (test_on_postgres())
        sql = arena_printf(
            node->arena,
            "CREATE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN %s; RETURN NEW; END "
            "$$;"
            "CREATE TRIGGER %s %s ON %s FOR EACH ROW WHEN (%s) EXECUTE FUNCTION %s()",
            trigger->name, trigger->act != NULL ? trigger->act : "RAISE EXCEPTION 'broken'",
            trigger->name, trigger->when, trigger->table, where, trigger->name);
    else
        sql = arena_printf(node->arena, "CREATE TRIGGER %s %s ON %s WHEN %s BEGIN %s; END",
                           trigger->name, trigger->when, trigger->table, where,
                           trigger->act != NULL ? trigger->act : "SELECT RAISE(ABORT, 'broken')");
    test_node_exec(node, sql.ptr);
}

void test_node_drop_trigger(const struct test_node *node, const struct test_trigger *trigger)
{
    const str sql = test_on_postgres()
                        ? arena_printf(node->arena, "DROP FUNCTION %s() CASCADE", trigger->name)
                        : arena_printf(node->arena, "DROP TRIGGER %s", trigger->name);

    test_node_exec(node, sql.ptr);
}
