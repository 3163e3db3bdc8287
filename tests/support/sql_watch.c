/* support/sql_watch.c - notes the text of each statement as it begins, and asks SQLite's authorizer afterwards what it touches.
 *
 * Statements are prepared once and for all when a connection is opened, so what the authorizer hears then says nothing of what is run. */
#include "support/sql_watch.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "support/test.h"

enum { STATEMENTS_MAX = 256, TABLES_MAX = 64, NAME_SIZE_MAX = 64 };

struct statement {
    char *sql;
    char *file;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static struct statement statements[STATEMENTS_MAX];
static size_t statement_count;

struct tables {
    char names[TABLES_MAX][NAME_SIZE_MAX];
    size_t count;
};

/* --- Noting --- */

static bool is_known(const char *sql, const char *file)
{
    for (size_t i = 0; i < statement_count; i++)
        if (strcmp(statements[i].sql, sql) == 0 && strcmp(statements[i].file, file) == 0)
            return true;
    return false;
}

static int note(unsigned what, [[maybe_unused]] void *context, void *statement, void *text)
{
    sqlite3 *connection = sqlite3_db_handle(statement);
    const char *file = sqlite3_db_filename(connection, "main");
    const char *sql = sqlite3_sql(statement);

    /* "--" begins what a trigger runs; the statement that sets it off is noted itself. */
    if (what != SQLITE_TRACE_STMT || strncmp(text, "--", 2) == 0 || sql == NULL || file == NULL)
        return 0;
    (void)pthread_mutex_lock(&mutex);
    if (!is_known(sql, file) && statement_count < STATEMENTS_MAX)
        statements[statement_count++] =
            (struct statement){.sql = strdup(sql), .file = strdup(file)};
    (void)pthread_mutex_unlock(&mutex);
    return 0;
}

static int watch(sqlite3 *connection, [[maybe_unused]] char **ret_why,
                 [[maybe_unused]] const void *api)
{
    return sqlite3_trace_v2(connection, SQLITE_TRACE_STMT, note, NULL);
}

void sql_watch_open(void)
{
    CHECK_I64(SQLITE_OK, sqlite3_auto_extension((void (*)(void))watch));
}

void sql_watch_begin(void)
{
    (void)pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < statement_count; i++) {
        free(statements[i].sql);
        free(statements[i].file);
    }
    statement_count = 0;
    (void)pthread_mutex_unlock(&mutex);
}

/* --- Telling --- */

static int hear(void *arg, int act, const char *table, [[maybe_unused]] const char *column,
                [[maybe_unused]] const char *database, [[maybe_unused]] const char *trigger)
{
    struct tables *tables = arg;

    if (act != SQLITE_READ && act != SQLITE_INSERT && act != SQLITE_UPDATE && act != SQLITE_DELETE)
        return SQLITE_OK;
    for (size_t i = 0; i < tables->count; i++)
        if (strcmp(tables->names[i], table) == 0)
            return SQLITE_OK;
    CHECK(tables->count < TABLES_MAX && strlen(table) < NAME_SIZE_MAX);
    memcpy(tables->names[tables->count++], table, strlen(table) + 1);
    return SQLITE_OK;
}

static void ask(const struct statement *statement, struct tables *tables)
{
    sqlite3 *connection = NULL;
    sqlite3_stmt *prepared = NULL;

    CHECK_I64(SQLITE_OK,
              sqlite3_open_v2(statement->file, &connection, SQLITE_OPEN_READWRITE, NULL));
    CHECK_I64(SQLITE_OK, sqlite3_set_authorizer(connection, hear, tables));
    CHECK_I64(SQLITE_OK, sqlite3_prepare_v2(connection, statement->sql, -1, &prepared, NULL));
    (void)sqlite3_finalize(prepared);
    (void)sqlite3_close(connection);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

str sql_watch_tables(struct arena *arena, const char *file)
{
    struct tables tables = {.count = 0};
    struct statement seen[STATEMENTS_MAX];
    size_t count = 0;
    struct buf buf = buf_in(arena, TABLES_MAX * NAME_SIZE_MAX);

    /* What is asked here is noted as well, so the list is taken first; its texts stay until sql_watch_begin. */
    (void)pthread_mutex_lock(&mutex);
    count = statement_count;
    memcpy(seen, statements, count * sizeof(seen[0]));
    (void)pthread_mutex_unlock(&mutex);
    CHECK(count < STATEMENTS_MAX);
    for (size_t i = 0; i < count; i++) {
        const size_t size = strlen(seen[i].file);

        if (size >= strlen(file) && strcmp(seen[i].file + size - strlen(file), file) == 0)
            ask(&seen[i], &tables);
    }
    qsort(tables.names, tables.count, sizeof(tables.names[0]), by_name);
    for (size_t i = 0; i < tables.count; i++)
        buf_printf(&buf, "%s%s", i == 0 ? "" : " ", tables.names[i]);
    return buf_str(&buf);
}
