/* platform/db/db_sqlite.h - the SQLite driver's parts, for each other. */
#pragma once

#include <pthread.h>
#include <sqlite3.h>

#include "platform/db/db_driver.h"
#include "platform/db/gate.h"

enum {
    WAL_IDLE_BYTES = 4 << 20, /* a checkpoint is due as soon as nobody writes */
    WAL_BYTES_MAX = 64 << 20, /* ... whoever writes */
    CACHE_WRITER_KIB = 16384,
    CACHE_READER_KIB = 2048,
    CACHE_OTHER_KIB = 64, /* connections without statements */
};

struct sqlite_connection;

enum sqlite_state {
    STATE_IDLE,
    STATE_OPEN,
    STATE_ENDED
}; /* ended: the last row was read, or a step failed */

/* A prepared statement of one connection; it is a cursor unless it is idle. */
struct sqlite_statement {
    struct sqlite_connection *connection;
    const struct sql *sql;
    sqlite3_stmt *stmt; /* NULL: a write, on a reader */
    bool writes;
    enum sqlite_state state;
};

/* What begins and ends transactions. */
enum sqlite_control {
    CONTROL_BEGIN_WRITE,
    CONTROL_BEGIN_READ,
    CONTROL_COMMIT,
    CONTROL_ROLLBACK,
    CONTROL_SAVEPOINT,
    CONTROL_KEEP,
    CONTROL_UNDO,
    CONTROL_COUNT,
};

/* Belongs to one thread at a time; the gates and the pool hand it on. */
struct sqlite_connection {
    struct sqlite_db *sdb;
    sqlite3 *handle;
    sqlite3_stmt *control[CONTROL_COUNT];
    struct sqlite_statement *statements; /* by slot */
    bool writes;                         /* the transaction does */
    int open_count;                      /* statements that are open as cursors */
    int savepoint_depth;
    int64_t changes_at[DB_SAVEPOINTS_MAX]; /* when the savepoint was set */
    int64_t changes_undone;
    struct sqlite_connection *next; /* in the pool */
};

/* A unique constraint, as SQLite's message has it and as PostgreSQL would call it. */
struct sqlite_constraint {
    const char
        *columns; /* "account.email", "seat.event, seat.number" or "index 'account_name_lower'" */
    const char *name; /* "account_email_key" */
};

/* Sees to checkpoints beside the traffic; db_sqlite_checkpoint.c. */
struct sqlite_janitor {
    pthread_t thread;
    bool running;
    bool closing;
    pthread_mutex_t mutex; /* guards what is above and below */
    pthread_cond_t cond;
    int64_t wal_bytes; /* what no checkpoint has moved yet */
    int64_t commits;
    pthread_mutex_t work; /* one checkpoint at a time; guards the connection */
    sqlite3 *handle;
};

struct sqlite_db {
    struct db db;     /* first */
    const char *path; /* of the file, or a URI of SQLite's if in memory */
    bool in_memory;
    int page_size;

    struct gate writer_gate; /* in memory: for readers too */
    struct sqlite_connection *writer;

    struct gate reader_gate;
    pthread_mutex_t pool_mutex;
    struct sqlite_connection *pool; /* idle readers, the warmest first */

    struct sqlite_constraint *constraints;
    size_t constraint_count;
    struct arena *arena; /* of what lives as long as the db */

    pthread_mutex_t watch_mutex; /* guards the two below */
    sqlite3 *watch_handle;       /* sees what other connections commit */
    sqlite3_stmt *watch;
    _Atomic int64_t commits; /* ours; counted in memory, where nobody watches */

    struct sqlite_janitor janitor;
};

/* --- Connections: db_sqlite_connection.c --- */

/* What a result code of SQLite means, without regard to constraints. */
err sqlite_err(int code);
/* Logs the handle's last error and gives it as err. */
err sqlite_failed(struct sqlite_db *sdb, sqlite3 *handle, const char *statement);

/* A handle with the settings of this driver. */
err sqlite_handle_open(struct sqlite_db *sdb, bool writes, int cache_kib, sqlite3 **ret);
/* Makes the file use a write-ahead log, which it then remembers. */
err sqlite_use_wal(struct sqlite_db *sdb, sqlite3 *handle);
/* Runs SQL without results. */
int sqlite_run(sqlite3 *handle, const char *sql);
/* The one number that a query without parameters gives. */
int sqlite_get_i64(sqlite3 *handle, const char *sql, int64_t *ret);

err sqlite_connection_open(struct sqlite_db *sdb, bool writes, struct sqlite_connection **ret);
/* Prepares the slots from `from` to before `to`. ERR_INVALID: one is wrong, *ret_why says which
 * and why. */
err sqlite_connection_prepare(struct sqlite_connection *connection, size_t from, size_t to,
                              struct arena *arena, str *ret_why);
void sqlite_connection_close(struct sqlite_connection *connection); /* NULL is accepted */

/* --- Transactions: db_sqlite_tx.c --- */

err sqlite_begin(struct db *db, bool writes, void **ret_connection);
err sqlite_commit(struct db *db, void *connection, bool writes);
void sqlite_rollback(struct db *db, void *connection, bool writes);
err sqlite_savepoint(struct db *db, void *connection, enum savepoint_act act);
int64_t sqlite_changes(const void *connection);

/* --- Statements: db_sqlite_rows.c --- */

err sqlite_exec(struct db *db, void *connection, size_t slot, struct args args, int64_t *ret_count);
err sqlite_rows_open(struct db *db, void *connection, size_t slot, struct args args,
                     void **ret_cursor);
err sqlite_rows_next(struct db *db, void *cursor);
err sqlite_rows_close(struct db *db, void *cursor);
/* Closes what is open, without a word. */
void sqlite_rows_abandon(struct sqlite_connection *connection);
bool sqlite_is_null(void *cursor, int column);
int64_t sqlite_i64(void *cursor, int column);
double sqlite_real(void *cursor, int column);
str sqlite_bytes(void *cursor, int column);

/* --- Constraints: db_sqlite_constraint.c --- */

/* Reads the schema and checks that every conflict of every statement names something in it. */
err sqlite_constraints_read(struct sqlite_db *sdb, struct arena *arena, str *ret_why);
/* What the statement says of the constraint that it has just violated; ERR_DUPLICATE for another
 * unique one, ERR_INTERNAL for another of any kind. */
err sqlite_conflict(struct sqlite_db *sdb, sqlite3 *handle, const struct sql *sql);

/* --- Checkpoints and other care: db_sqlite_checkpoint.c, db_sqlite_care.c --- */

err sqlite_janitor_open(struct sqlite_db *sdb);
void sqlite_janitor_close(struct sqlite_db *sdb);
/* Called by SQLite after each commit of the writer. */
int sqlite_wal_hook(void *owner, sqlite3 *handle, const char *database, int pages);
err sqlite_checkpoint(struct db *db);

err sqlite_version(struct db *db, int64_t *ret);
/* ERR_INTERNAL with the first row that refers to nothing. */
err sqlite_check_foreign_keys(struct sqlite_connection *connection, struct arena *arena,
                              str *ret_why);
err sqlite_verify(struct db *db, struct arena *arena, str *ret_why);
