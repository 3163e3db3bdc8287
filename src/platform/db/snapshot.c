/* platform/db/snapshot.c - stops the writers of all files, looks at each, lets them go on, and copies
 * what was seen.
 *
 * In a write-ahead log a reader keeps seeing what was there when it first looked, so only that look
 * needs the writers to stand still. Nobody who writes to one of the files waits for another of them
 * (db.h: one transaction a thread), so taking their locks in turn cannot deadlock. */
#include "platform/db/snapshot.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

enum { WAIT_MS = 5000 };

struct copy {
    const struct snapshot_file *file;
    sqlite3 *writer; /* holds the lock for a moment */
    sqlite3 *reader; /* sees the moment */
    sqlite3 *made;
    bool is_made; /* `to` is ours: to be removed on failure */
};

static err explain(struct arena *arena, const char *path, sqlite3 *handle, str *ret_why)
{
    *ret_why = arena_printf(arena, "%s: %s", path,
                            handle != NULL ? sqlite3_errmsg(handle) : "out of memory");
    return ERR_UNAVAILABLE;
}

static err open_handle(const char *path, int how, struct arena *arena, sqlite3 **ret, str *ret_why)
{
    if (sqlite3_open_v2(path, ret, how | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL) !=
        SQLITE_OK)
        return explain(arena, path, *ret, ret_why);
    (void)sqlite3_busy_timeout(*ret, WAIT_MS);
    return ERR_OK;
}

static err run(sqlite3 *handle, const char *sql, const char *path, struct arena *arena,
               str *ret_why)
{
    return sqlite3_exec(handle, sql, NULL, NULL, NULL) == SQLITE_OK
               ? ERR_OK
               : explain(arena, path, handle, ret_why);
}

/* --- The moment --- */

static err open_source(struct copy *copy, struct arena *arena, str *ret_why)
{
    const char *path = copy->file->from;

    TRY(open_handle(path, SQLITE_OPEN_READWRITE, arena, &copy->writer, ret_why));
    TRY(open_handle(path, SQLITE_OPEN_READWRITE, arena, &copy->reader, ret_why));
    /* What it takes to read is done before anybody has to wait. */
    return run(copy->reader, "SELECT count(*) FROM sqlite_schema", path, arena, ret_why);
}

static err stop_writers(struct copy *copies, size_t count, struct arena *arena, str *ret_why)
{
    for (size_t i = 0; i < count; i++)
        TRY(run(copies[i].writer, "BEGIN IMMEDIATE", copies[i].file->from, arena, ret_why));
    return ERR_OK;
}

static err look(struct copy *copies, size_t count, struct arena *arena, str *ret_why)
{
    for (size_t i = 0; i < count; i++)
        TRY(run(copies[i].reader, "BEGIN; SELECT count(*) FROM sqlite_schema", copies[i].file->from,
                arena, ret_why));
    return ERR_OK;
}

static void let_writers_go(struct copy *copies, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)sqlite3_close(copies[i].writer); /* which rolls back: nothing was written */
        copies[i].writer = NULL;
    }
}

/* --- The copy --- */

/* With what SQLite may have put beside it. */
static void remove_copy(const char *path, struct arena *arena)
{
    static const char *const ends[] = {"", "-journal", "-wal", "-shm"};

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        (void)unlink(arena_printf(arena, "%s%s", path, ends[i]).ptr);
}

static err sync_dir(const char *path, struct arena *arena, str *ret_why)
{
    const char *slash = strrchr(path, '/');
    const char *dir =
        slash != NULL ? arena_cstr(arena, (str){path, (size_t)(slash - path) + 1}) : ".";
    const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = fd >= 0 && fsync(fd) == 0;

    if (!synced)
        *ret_why = arena_printf(arena, "%s: %m", dir);
    if (fd >= 0)
        (void)close(fd);
    return synced ? ERR_OK : ERR_UNAVAILABLE;
}

static err check(sqlite3 *handle, const char *path, struct arena *arena, str *ret_why)
{
    sqlite3_stmt *stmt = NULL;
    bool good = false;

    if (sqlite3_prepare_v2(handle, "PRAGMA quick_check(1)", -1, &stmt, NULL) != SQLITE_OK)
        return explain(arena, path, handle, ret_why);
    if (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *said = (const char *)sqlite3_column_text(stmt, 0);

        good = said != NULL && strcmp(said, "ok") == 0;
        if (!good)
            *ret_why = arena_printf(arena, "%s: %s", path, said != NULL ? said : "damaged");
    }
    (void)sqlite3_finalize(stmt);
    if (!good && ret_why->ptr == NULL)
        return explain(arena, path, handle, ret_why);
    return good ? ERR_OK : ERR_UNAVAILABLE;
}

static err make_copy(struct copy *copy, struct arena *arena, str *ret_why)
{
    const char *path = copy->file->to;
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0) {
        *ret_why = arena_printf(arena, "%s: %m", path);
        return ERR_UNAVAILABLE;
    }
    (void)close(fd);
    copy->is_made = true;
    TRY(open_handle(path, SQLITE_OPEN_READWRITE, arena, &copy->made, ret_why));
    sqlite3_backup *backup = sqlite3_backup_init(copy->made, "main", copy->reader, "main");
    if (backup == NULL)
        return explain(arena, path, copy->made, ret_why);
    (void)sqlite3_backup_step(backup, -1);
    if (sqlite3_backup_finish(backup) != SQLITE_OK)
        return explain(arena, path, copy->made, ret_why);
    TRY(check(copy->made, path, arena, ret_why));
    /* One file, without a log beside it. */
    TRY(run(copy->made, "PRAGMA journal_mode = DELETE", path, arena, ret_why));
    return sync_dir(path, arena, ret_why);
}

static err take(struct copy *copies, size_t count, struct arena *arena, str *ret_why)
{
    for (size_t i = 0; i < count; i++)
        TRY(open_source(&copies[i], arena, ret_why));
    err e = stop_writers(copies, count, arena, ret_why);
    if (e == ERR_OK)
        e = look(copies, count, arena, ret_why);
    let_writers_go(copies, count);
    for (size_t i = 0; e == ERR_OK && i < count; i++)
        e = make_copy(&copies[i], arena, ret_why);
    return e;
}

err snapshot_take(const struct snapshot_file *files, size_t count, struct arena *arena,
                  str *ret_why)
{
    struct copy copies[SNAPSHOT_FILES_MAX] = {0};

    if (count > SNAPSHOT_FILES_MAX)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < count; i++)
        copies[i].file = &files[i];
    const err e = take(copies, count, arena, ret_why);
    for (size_t i = 0; i < count; i++) {
        (void)sqlite3_close(copies[i].writer); /* NULL is accepted */
        (void)sqlite3_close(copies[i].reader);
        (void)sqlite3_close(copies[i].made);
        if (e != ERR_OK && copies[i].is_made)
            remove_copy(files[i].to, arena);
    }
    return e;
}
