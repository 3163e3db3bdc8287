/* platform/db/db_sqlite.c - a database in a SQLite file is opened, brought up to date and closed.
 *
 * A file has these connections: the writer, readers as they are needed, one that watches for
 * commits of others, and the janitor's. db_sqlite.h says what is in which file of the driver. */

#include "platform/db/db_sqlite.h"

#include <assert.h>
#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/db/migration.sql.h"

enum { FILE_MODE = 0600 };

/* --- Opening --- */

/* The count of SQLite's memory costs a global lock on each allocation. */
static void configure_library(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS,
                         0); /* too late if somebody uses SQLite already: no harm */
}

/* "booking" of "data/booking.db". */
static str name_of(str path)
{
    str name = path;

    for (size_t i = 0; i < path.size; i++)
        if (path.ptr[i] == '/')
            name = str_slice(path, i + 1, path.size);
    return str_ends(name, STR(".db")) ? str_slice(name, 0, name.size - 3) : name;
}

static bool is_memory_name(str name)
{
    for (size_t i = 0; i < name.size; i++)
        if (!isalnum((unsigned char)name.ptr[i]) && strchr("._-", name.ptr[i]) == NULL)
            return false;
    return name.size > 0;
}

/* Behind "sqlite:": a file, or ":memory:NAME". */
static err find_path(struct sqlite_db *sdb, str where, str *ret_name, struct arena *arena,
                     str *ret_why)
{
    const str memory = STR(":memory:");

    sdb->in_memory = str_starts(where, memory);
    if (!sdb->in_memory) {
        sdb->path = arena_cstr(sdb->arena, where);
        *ret_name = name_of(where);
        if (ret_name->size > 0)
            return ERR_OK;
    } else {
        *ret_name = str_slice(where, memory.size, where.size);
        sdb->path =
            arena_printf(sdb->arena, "file:%.*s?mode=memory&cache=shared", STR_ARG(*ret_name)).ptr;
        if (is_memory_name(*ret_name))
            return ERR_OK;
    }
    *ret_why = arena_printf(arena, "sqlite:%.*s: expected sqlite:FILE or sqlite::memory:NAME",
                            STR_ARG(where));
    return ERR_INVALID;
}

/* Nobody but us reads the file; its log is made with the same mode. A file that is there is left
 * alone, as closing it here would drop the locks that this process has on it. */
static void create_file(const struct sqlite_db *sdb)
{
    const int fd = open(sdb->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);

    if (fd >= 0)
        (void)close(fd);
}

static err open_writer(struct sqlite_db *sdb)
{
    if (!sdb->in_memory)
        create_file(sdb);
    TRY(sqlite_connection_open(sdb, true, &sdb->writer));
    return sdb->in_memory ? ERR_OK : sqlite_use_wal(sdb, sdb->writer->handle);
}

static void sqlite_close(struct db *db);

static err sqlite_open(const struct db_options *options, struct arena *arena, struct db **ret,
                       str *ret_why)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const str url = str_of(options->url);
    struct sqlite_db *sdb = mem_new(struct sqlite_db);
    str name = STR_ABSENT;
    err e;

    (void)pthread_once(&once, configure_library);
    sdb->arena = arena_open(0);
    e = find_path(sdb, str_slice(url, sizeof("sqlite:") - 1, url.size), &name, arena, ret_why);
    db_init(&sdb->db, &sqlite_driver, name, options);
    sdb->db.file = sdb->in_memory ? NULL : sdb->path;
    gate_init(&sdb->writer_gate, 1);
    gate_init(&sdb->reader_gate,
              options->reader_count_max > 0 ? options->reader_count_max : DB_READERS_DEFAULT);
    (void)pthread_mutex_init(&sdb->pool_mutex, NULL);
    (void)pthread_mutex_init(&sdb->watch_mutex, NULL);
    (void)pthread_mutex_init(&sdb->janitor.mutex, NULL);
    (void)pthread_mutex_init(&sdb->janitor.work, NULL);
    clock_cond_init(&sdb->janitor.cond);
    if (e == ERR_OK) {
        e = open_writer(sdb);
        if (e != ERR_OK)
            *ret_why = arena_printf(arena, "%s: cannot be opened", sdb->path);
    }
    if (e != ERR_OK) {
        sqlite_close(&sdb->db);
        return e;
    }
    *ret = &sdb->db;
    return ERR_OK;
}

/* --- Migrations --- */

static err explain(const struct sqlite_db *sdb, struct arena *arena, str *ret_why)
{
    sqlite3 *handle = sdb->writer->handle;
    const err e = sqlite_err(sqlite3_extended_errcode(handle));

    *ret_why = arena_printf(arena, "%s: %s", sdb->db.name, sqlite3_errmsg(handle));
    return e == ERR_UNAVAILABLE ? e : ERR_INVALID;
}

static err make_migration_table(struct sqlite_db *sdb, struct arena *arena, str *ret_why)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, &sdb->db));
    if (sqlite_run(sdb->writer->handle, SQL_MIGRATION_TABLE.sqlite) != SQLITE_OK)
        return explain(sdb, arena, ret_why);
    return tx_commit(&tx);
}

/* Foreign keys are off meanwhile: a table that others refer to could not be replaced by a new one
 * otherwise. What has become of them is checked at the end of each migration. */
static err sqlite_migrate_begin(struct db *db, struct arena *arena, str *ret_why)
{
    struct sqlite_db *sdb = (struct sqlite_db *)db;
    const err e = make_migration_table(sdb, arena, ret_why);

    if (e != ERR_OK && ret_why->ptr == NULL)
        *ret_why = arena_printf(arena, "%s: cannot be written to", db->name);
    TRY(e);
    if (sqlite_run(sdb->writer->handle, "PRAGMA foreign_keys = OFF") != SQLITE_OK)
        return explain(sdb, arena, ret_why);
    return sqlite_connection_prepare(sdb->writer, 0, migration_sql.count, arena, ret_why);
}

static err check_script(struct sqlite_connection *connection, struct arena *arena, str *ret_why)
{
    err e;

    if (sqlite3_get_autocommit(connection->handle) != 0) {
        *ret_why = STR("it ends the transaction that it is run in");
        return ERR_INVALID;
    }
    e = sqlite_check_foreign_keys(connection, arena, ret_why);
    return e == ERR_INTERNAL ? ERR_INVALID : e;
}

static err sqlite_script(struct db *db, void *connection, const struct migration *migration,
                         struct arena *arena, str *ret_why)
{
    struct sqlite_db *sdb = (struct sqlite_db *)db;
    struct sqlite_connection *own = connection;
    str why = STR_ABSENT;
    err e;

    if (sqlite_run(own->handle, migration->sqlite) != SQLITE_OK)
        e = explain(sdb, arena, &why);
    else
        e = check_script(own, arena, &why);
    if (e != ERR_OK)
        *ret_why = arena_printf(arena, "migration %04d (%s): %.*s", migration->number,
                                migration->name, STR_ARG(why));
    return e;
}

static err sqlite_migrate_end(struct db *db, struct arena *arena, str *ret_why)
{
    struct sqlite_db *sdb = (struct sqlite_db *)db;

    if (sqlite_run(sdb->writer->handle, "PRAGMA foreign_keys = ON") != SQLITE_OK)
        return explain(sdb, arena, ret_why);
    return ERR_OK;
}

/* --- Getting ready --- */

static err open_watch(struct sqlite_db *sdb)
{
    sqlite3 *handle = sdb->writer->handle;

    if (!sdb->in_memory) {
        TRY(sqlite_handle_open(sdb, false, CACHE_OTHER_KIB, &sdb->watch_handle));
        handle = sdb->watch_handle;
    }
    if (sqlite3_prepare_v3(handle, "PRAGMA data_version", -1, SQLITE_PREPARE_PERSISTENT,
                           &sdb->watch, NULL) != SQLITE_OK)
        return sqlite_failed(sdb, handle, "data_version");
    return ERR_OK;
}

static err open_others(struct sqlite_db *sdb)
{
    int64_t page_size = 0;

    TRY(open_watch(sdb));
    if (sdb->in_memory)
        return ERR_OK;
    if (sqlite_get_i64(sdb->writer->handle, "PRAGMA page_size", &page_size) != SQLITE_OK)
        return sqlite_failed(sdb, sdb->writer->handle, "page_size");
    sdb->page_size = (int)page_size;
    return sqlite_janitor_open(sdb);
}

static err sqlite_ready(struct db *db, struct arena *arena, str *ret_why)
{
    struct sqlite_db *sdb = (struct sqlite_db *)db;
    err e;

    TRY(sqlite_connection_prepare(sdb->writer, migration_sql.count, db->statements.count, arena,
                                  ret_why));
    TRY(sqlite_constraints_read(sdb, arena, ret_why));
    e = open_others(sdb);
    if (e != ERR_OK)
        *ret_why = arena_printf(arena, "%s: cannot be opened a second time", db->name);
    return e;
}

/* --- Closing --- */

static void sqlite_close(struct db *db)
{
    struct sqlite_db *sdb = (struct sqlite_db *)db;

    while (sdb->pool != NULL) {
        struct sqlite_connection *reader = sdb->pool;

        sdb->pool = reader->next;
        sqlite_connection_close(reader);
    }
    (void)sqlite3_finalize(sdb->watch);
    (void)sqlite3_close(sdb->watch_handle);
    sqlite_janitor_close(sdb);
    sqlite_connection_close(sdb->writer);
    gate_done(&sdb->writer_gate);
    gate_done(&sdb->reader_gate);
    (void)pthread_mutex_destroy(&sdb->pool_mutex);
    (void)pthread_mutex_destroy(&sdb->watch_mutex);
    (void)pthread_mutex_destroy(&sdb->janitor.mutex);
    (void)pthread_mutex_destroy(&sdb->janitor.work);
    (void)pthread_cond_destroy(&sdb->janitor.cond);
    db_done(db);
    arena_close(sdb->arena);
    mem_free(sdb);
}

const struct driver sqlite_driver = {
    .scheme = "sqlite",
    .open = sqlite_open,
    .migrate_begin = sqlite_migrate_begin,
    .script = sqlite_script,
    .migrate_end = sqlite_migrate_end,
    .ready = sqlite_ready,
    .close = sqlite_close,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .savepoint = sqlite_savepoint,
    .changes = sqlite_changes,
    .exec = sqlite_exec,
    .rows_open = sqlite_rows_open,
    .rows_next = sqlite_rows_next,
    .rows_close = sqlite_rows_close,
    .is_null = sqlite_is_null,
    .i64 = sqlite_i64,
    .real = sqlite_real,
    .bytes = sqlite_bytes,
    .version = sqlite_version,
    .checkpoint = sqlite_checkpoint,
    .verify = sqlite_verify,
};
