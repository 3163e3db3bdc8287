/* platform/db/db_driver.h - what an engine gives db.c, and what db.c has for every engine.
 *
 * Private to this folder. db.c keeps the rules of db.h (one transaction per thread, arguments that
 * fit, rows that are closed); a driver moves bytes and says in terms of err what happened. */
#pragma once

#include "platform/db/db.h"
#include "platform/db/statements.h"

enum {
    DB_WRITER_WAIT_MS = 5000, /* also for writers of other processes */
    DB_READER_WAIT_MS = 2000,
    DB_READERS_DEFAULT = 4,
    DB_READERS_MAX = 64,
    DB_SAVEPOINTS_MAX = 8,
    DB_NAME_SIZE_MAX = 63,
};

struct metric;

enum savepoint_act { SAVEPOINT_SET, SAVEPOINT_KEEP, SAVEPOINT_UNDO };

/* Series are labelled db="NAME"; NULL where nobody measures. */
struct db_metrics {
    struct metric *writer_wait_seconds;
    struct metric *commit_seconds;
    struct metric *checkpoint_seconds;
    struct metric *wal_bytes;
    struct metric *transaction_seconds; /* boxoffice_db_seconds */
};

/* An engine's own struct begins with it. */
struct db {
    const struct driver *driver;
    char name[DB_NAME_SIZE_MAX + 1]; /* for people: "booking" */
    const char *file;                /* the engine's; NULL: none */
    struct statements statements;
    const struct clock *clock;
    struct log *log;
    struct db_metrics metrics;
    int writer_wait_ms; /* DB_WRITER_WAIT_MS, shorter in tests */
    int reader_wait_ms;
    _Atomic int64_t complained_at_ms; /* when db_complain last wrote a line */
};

/* `connection` and `cursor` are the engine's, as `begin` and `rows_open` gave them. */
struct driver {
    const char *scheme; /* of its URLs: "sqlite" */
    const char *alias;  /* another one; NULL: none */
    bool has_arrays;

    /* In this order: open gives a db that can migrate; scripts run in transactions between
     * migrate_begin and migrate_end; ready prepares everything. All say why in `arena`. close
     * accepts a db at any of these stages. */
    err (*open)(const struct db_options *options, struct arena *arena, struct db **ret,
                str *ret_why);
    err (*migrate_begin)(struct db *db, struct arena *arena, str *ret_why);
    err (*script)(struct db *db, void *connection, const struct migration *migration,
                  struct arena *arena, str *ret_why);
    err (*migrate_end)(struct db *db, struct arena *arena, str *ret_why);
    err (*ready)(struct db *db, struct arena *arena, str *ret_why);
    void (*close)(struct db *db);

    err (*begin)(struct db *db, bool writes, void **ret_connection);
    /* Both give the connection back, whatever happens. */
    err (*commit)(struct db *db, void *connection, bool writes);
    void (*rollback)(struct db *db, void *connection, bool writes);
    err (*savepoint)(struct db *db, void *connection, enum savepoint_act act);
    /* Counts rows changed on this connection, less those undone by a savepoint: equal numbers,
     * nothing changed. */
    int64_t (*changes)(const void *connection);

    /* `ret_count` is NULL where nobody asks for the count: the engine may then send the statement
     * without waiting for its outcome. */
    err (*exec)(struct db *db, void *connection, size_t slot, struct args args, int64_t *ret_count);
    err (*rows_open)(struct db *db, void *connection, size_t slot, struct args args,
                     void **ret_cursor);
    /* ERR_NOT_FOUND: there is no further row. */
    err (*rows_next)(struct db *db, void *cursor);
    err (*rows_close)(struct db *db, void *cursor);
    bool (*is_null)(void *cursor, int column);
    int64_t (*i64)(void *cursor, int column);
    double (*real)(void *cursor, int column);
    str (*bytes)(void *cursor, int column); /* until the next row; NULL: absent */

    err (*version)(struct db *db, int64_t *ret);
    err (*checkpoint)(struct db *db);
    err (*verify)(struct db *db, struct arena *arena, str *ret_why);
};

extern const struct driver sqlite_driver;
extern const struct driver postgres_driver;

/* What is common to a db of every engine; `driver` fills in the rest. */
void db_init(struct db *db, const struct driver *driver, str name,
             const struct db_options *options);
void db_done(struct db *db);

/* One line about a failure of the engine. Failures of the machine (`e` is ERR_UNAVAILABLE) come by
 * the thousand, so of those at most one line a second is written. */
void db_complain(struct db *db, err e, const char *statement, int code, const char *message);

/* Applies what is missing; in migrate.c. */
err db_migrate(struct db *db, const struct db_options *options, struct arena *arena, str *ret_why);
