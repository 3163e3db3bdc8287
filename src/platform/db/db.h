/* platform/db/db.h - one service's database: named statements, transactions, conflicts as errors.
 *
 * SQLite: one writer connection (a fair lock; BEGIN IMMEDIATE) and a pool of readers (WAL snapshots). PostgreSQL comes behind the same
 * calls. Statements come from .sql files by tools/sqlgen, are prepared on every connection when it is opened, and are the only
 * SQL there is. Parameters are numbered $1.. in the files.
 *
 * A transaction belongs to one thread and is never held across a call to another service: tx_begin, tx_read and op_call assert it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "base/str.h"

struct log;
struct metrics;

/* --- What sqlgen writes --- */

enum { SQL_CONFLICTS_MAX = 4, SQL_PARAMS_MAX = 32 };

struct sql_conflict {
    const char
        *constraint; /* PostgreSQL's name of it: "account_email_key"; SQLite: see sqlgen's README */
    err e;
};
struct sql {
    const char *name;
    const char *sqlite;   /* with ?1.. */
    const char *postgres; /* with $1.. */
    int param_count;
    struct sql_conflict
        conflicts[SQL_CONFLICTS_MAX]; /* an unnamed unique violation is ERR_DUPLICATE */
};
struct sql_list { /* the statements of one .sql file */
    const struct sql *const *items;
    size_t count;
};
struct migration {
    int number; /* ascending from 1 within its owner */
    const char *name;
    const char *sqlite;
    const char *postgres;
};
struct migration_list {
    const char *owner; /* "platform", "booking": numbers count within it */
    const struct migration *items;
    size_t count;
};

/* --- A database --- */

struct db;

struct db_options {
    /* "sqlite:DIR/booking.db", "sqlite::memory:NAME" (shared within the process, tests) */
    const char *url;
    const struct sql_list *const *statements;       /* NULL-terminated; outlive the db */
    const struct migration_list *const *migrations; /* NULL-terminated, applied in this order */
    int reader_count_max;                           /* 0: 4 */
    bool only_check; /* applies no migration: ERR_INVALID if one is missing */
    /* Of all processes that share it one at a time writes, as is always so with SQLite: whatever a
     * transaction has read holds until it ends. */
    bool one_writer;
    int *applied; /* grows by one with each migration that is applied; may be NULL */
    const struct clock *clock;
    struct log *log;
    struct metrics *metrics; /* may be NULL */
};

/* Opens, applies missing migrations (each in a transaction, under a lock), prepares every statement. ERR_INVALID: a migration or statement is
 * wrong or the file is newer than the program; *ret_why says it in one line in `arena`. */
err db_open(const struct db_options *options, struct arena *arena, struct db **ret, str *ret_why);
void db_close(struct db *db);

/* --- Transactions --- */

struct tx {
    struct db *db;
    void *connection; /* NULL: not open */
    bool writes;
    int savepoint_depth;
};

/* Waits for the writer, in order of arrival. ERR_UNAVAILABLE after 5 s of waiting. */
err tx_begin(struct tx *tx, struct db *db);
/* A snapshot to read from; does not wait for writers. ERR_OVERLOADED when no reader gets free within 2 s. */
err tx_read(struct tx *tx, struct db *db);
/* Durable when it returns ERR_OK (WAL, synchronous=FULL). ERR_UNAVAILABLE: disk full or failing; nothing was written. */
err tx_commit(struct tx *tx);
void tx_rollback(struct tx *tx); /* also ends a read; for CLEANUP: accepts a closed or zeroed one */

/* Within a write: what is done since tx_savepoint is undone by tx_undo, kept by tx_keep. */
err tx_savepoint(struct tx *tx);
err tx_keep(struct tx *tx);
err tx_undo(struct tx *tx);

/* True while this thread has a transaction open. */
bool tx_is_open_here(void);

/* --- Statements --- */

enum value_type { VALUE_NULL, VALUE_I64, VALUE_REAL, VALUE_TEXT, VALUE_BLOB, VALUE_UUID };
struct value {
    enum value_type type;
    int64_t i64;
    double real;
    str bytes;
    struct uuid uuid;
};
#define NIL             ((struct value){.type = VALUE_NULL})
#define I64(n)          ((struct value){.type = VALUE_I64, .i64 = (n)})
#define REAL(x)         ((struct value){.type = VALUE_REAL, .real = (x)})
#define TEXT(s)         value_text(s)                                      /* absent: NULL */
#define BLOB(s)         value_blob(s)                                      /* absent: NULL */
#define UUID(id)        ((struct value){.type = VALUE_UUID, .uuid = (id)}) /* 16 bytes; see UUID_OR_NIL */
#define UUID_OR_NIL(id) value_uuid_or_nil(id)                              /* zero: NULL */
#define I64_OR_NIL(n)   value_i64_or_nil(n) /* INT64_MIN (JSON_NULL): NULL */

struct args {
    const struct value *values;
    size_t count;
};
#define ARGS(...)                                       \
    ((struct args){(const struct value[]){__VA_ARGS__}, \
                   sizeof((const struct value[]){__VA_ARGS__}) / sizeof(struct value)})
#define NO_ARGS ((struct args){NULL, 0})

struct value value_text(str s);
struct value value_blob(str s);
struct value value_uuid_or_nil(struct uuid id);
struct value value_i64_or_nil(int64_t n);

/* Errors of all: the statement's conflicts, ERR_DUPLICATE (other unique violation), ERR_UNAVAILABLE (disk, connection, interrupted),
 * ERR_INTERNAL (anything that is our mistake; logged with the statement's name). */
err db_exec(struct tx *tx, const struct sql *sql, struct args args);
/* The number of rows that it changed. */
err db_exec_count(struct tx *tx, const struct sql *sql, struct args args, int64_t *ret_count);
/* The first column of the one row; ERR_NOT_FOUND if there is none. */
err db_get_i64(struct tx *tx, const struct sql *sql, struct args args, int64_t *ret);

/* for (rows_open; rows_next;) read columns; then rows_close gives the error that ended it, if any.
 *     CLEANUP(rows_done) struct rows rows = {0};
 *     TRY(rows_open(&rows, &tx, &SQL_X, ARGS(...), arena));
 *     while (rows_next(&rows)) ... row_text(&rows, 0) ...
 *     TRY(rows_close(&rows));
 * One rows at a time per statement and transaction. */
struct rows {
    struct tx *tx;
    const struct sql *sql;
    void *cursor;
    struct arena *arena; /* texts and blobs are copied into it */
    err e;
};
err rows_open(struct rows *rows, struct tx *tx, const struct sql *sql, struct args args,
              struct arena *arena);
bool rows_next(struct rows *rows);
err rows_close(struct rows *rows);
void rows_done(struct rows *rows); /* for CLEANUP */

/* Exactly the first row: ERR_NOT_FOUND if there is none. Read the columns, then rows_close. */
err rows_first(struct rows *rows, struct tx *tx, const struct sql *sql, struct args args,
               struct arena *arena);

bool row_is_null(const struct rows *rows, int column);
int64_t row_i64(const struct rows *rows, int column); /* NULL: 0 */
int64_t row_i64_or(const struct rows *rows, int column, int64_t if_null);
double row_real(const struct rows *rows, int column);
str row_text(const struct rows *rows, int column); /* NULL: absent */
str row_blob(const struct rows *rows, int column);
struct uuid row_uuid(const struct rows *rows, int column); /* NULL: zero */

/* --- Maintenance: not within a transaction (asserted) --- */

/* Changes whenever any connection of any process has committed: the feeds poll it. Cheap, no I/O beyond shared memory. */
err db_version(struct db *db, int64_t *ret);
/* Moves the WAL into the file if nobody is in the way; called in idle gaps. */
err db_checkpoint(struct db *db);
/* Rows that break a foreign key or an index; for audit and tests. ERR_INTERNAL with the first finding in *ret_why. */
err db_verify(struct db *db, struct arena *arena, str *ret_why);
