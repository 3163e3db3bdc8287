/* platform/db/db.h - one service's database: named statements, transactions, conflicts as errors.
 *
 * SQLite: one writer connection (a fair lock; BEGIN IMMEDIATE) and a pool of readers (WAL snapshots). PostgreSQL: a pool of connections,
 * writers side by side (READ COMMITTED, so what is read holds only if its row is locked), readers with snapshots. Statements come from .sql
 * files by tools/sqlgen, are prepared on every connection when it is opened, and are the only SQL there is. Parameters are numbered
 * $1.. in the files. README.md says what differs.
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
    const char *sqlite;   /* with ?1..; NULL: PostgreSQL has it alone */
    const char *postgres; /* with $1..; NULL: SQLite has it alone */
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
    /* "sqlite:DIR/booking.db", "sqlite::memory:NAME" (shared within the process, tests), "postgresql://..." (a URI of libpq; the database
     * exists) */
    const char *url;
    const char *name; /* for people, logs and metrics: "booking"; NULL: as the URL has it */
    const struct sql_list *const *statements;       /* NULL-terminated; outlive the db */
    const struct migration_list *const *migrations; /* NULL-terminated, applied in this order */
    int reader_count_max; /* 0: 4; PostgreSQL: of all connections, of which writers leave one to readers */
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
/* The path of the file that it is in, as long as the db; NULL: it is in memory or on a server. */
const char *db_file(const struct db *db);
/* Can statements have arrays as arguments? True of PostgreSQL. */
bool db_has_arrays(const struct db *db);

/* --- Transactions --- */

struct tx {
    struct db *db;
    void *connection; /* NULL: not open */
    bool writes;
    int savepoint_depth;
    int64_t began_ns; /* of the stopwatch */
};

/* Waits for the writer, in order of arrival. ERR_UNAVAILABLE after 5 s of waiting, or if the server cannot be reached. */
err tx_begin(struct tx *tx, struct db *db);
/* A snapshot to read from; does not wait for writers. ERR_OVERLOADED when no reader gets free within 2 s. */
err tx_read(struct tx *tx, struct db *db);
/* Durable when it returns ERR_OK (WAL, synchronous=FULL; PostgreSQL: synchronous_commit=on). ERR_UNAVAILABLE: disk full or failing, nothing
 * was written; on PostgreSQL also: the connection was lost while it was at it, and whether it was written nobody knows. Any error of a
 * statement that was only sent (see db_exec) may come here; then nothing was written. */
err tx_commit(struct tx *tx);
void tx_rollback(struct tx *tx); /* also ends a read; for CLEANUP: accepts a closed or zeroed one */

/* Runs `work` in a transaction and commits it. Where the database has had to end it for others' sake (ERR_CONTENDED: a deadlock), nothing
 * of it has happened and it runs again, a few times, so it resets what it computes; then ERR_OVERLOADED. */
err tx_run(struct db *db, err (*work)(struct tx *tx, void *arg), void *arg);

/* Within a write: what is done since tx_savepoint is undone by tx_undo, kept by tx_keep. A tx_keep that gives an error has undone it:
 * something in it was only sent (see db_exec) and has failed. */
err tx_savepoint(struct tx *tx);
err tx_keep(struct tx *tx);
err tx_undo(struct tx *tx);

/* True while this thread has a transaction open. */
bool tx_is_open_here(void);

/* --- Statements --- */

enum value_type {
    VALUE_NULL,
    VALUE_I64,
    VALUE_REAL,
    VALUE_TEXT,
    VALUE_BLOB,
    VALUE_UUID,
    VALUE_I64S, /* arrays: PostgreSQL only */
    VALUE_UUIDS,
    VALUE_TEXTS,
    VALUE_BLOBS,
};
struct value {
    enum value_type type;
    int64_t i64;
    double real;
    str bytes;
    struct uuid uuid;
    const void *items; /* of an array */
    size_t count;
};
#define NIL             ((struct value){.type = VALUE_NULL})
#define I64(n)          ((struct value){.type = VALUE_I64, .i64 = (n)})
#define REAL(x)         ((struct value){.type = VALUE_REAL, .real = (x)})
#define TEXT(s)         value_text(s)                                      /* absent: NULL */
#define BLOB(s)         value_blob(s)                                      /* absent: NULL */
#define UUID(id)        ((struct value){.type = VALUE_UUID, .uuid = (id)}) /* 16 bytes; see UUID_OR_NIL */
#define UUID_OR_NIL(id) value_uuid_or_nil(id)                              /* zero: NULL */
#define I64_OR_NIL(n)   value_i64_or_nil(n) /* INT64_MIN (JSON_NULL): NULL */
/* Arrays, for statements that PostgreSQL has alone: const int64_t *, const struct uuid *, const str * (absent: NULL). */
#define I64S(array, n)  ((struct value){.type = VALUE_I64S, .items = (array), .count = (n)})
#define UUIDS(array, n) ((struct value){.type = VALUE_UUIDS, .items = (array), .count = (n)})
#define TEXTS(array, n) ((struct value){.type = VALUE_TEXTS, .items = (array), .count = (n)})
#define BLOBS(array, n) ((struct value){.type = VALUE_BLOBS, .items = (array), .count = (n)})

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

/* Errors of all: the statement's conflicts, after which the transaction goes on as if it had not been run; and these, after which the
 * transaction can only be rolled back, or undone to a savepoint: ERR_DUPLICATE (other unique violation), ERR_UNAVAILABLE (disk, connection,
 * interrupted), ERR_CONTENDED (a deadlock was broken: see tx_run), ERR_INTERNAL (anything that is our mistake; logged with the statement's
 * name).
 *
 * On PostgreSQL db_exec of a statement without declared conflicts is only sent: its error comes out of the next call that needs an answer,
 * at the latest tx_keep or tx_commit. Whoever must know at once declares the conflict in the .sql file, or asks for the count. */
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

/* Changes whenever any connection of any process has committed, on PostgreSQL now and then also without: the feeds poll it. Cheap: no I/O
 * beyond shared memory, or one small question to the server. */
err db_version(struct db *db, int64_t *ret);
/* Moves the WAL into the file if nobody is in the way; called in idle gaps. PostgreSQL sees to that itself. */
err db_checkpoint(struct db *db);
/* Rows that break a foreign key or an index (PostgreSQL: constraints and indexes that are not in force); for audit and tests. ERR_INTERNAL
 * with the first finding in *ret_why. */
err db_verify(struct db *db, struct arena *arena, str *ret_why);
