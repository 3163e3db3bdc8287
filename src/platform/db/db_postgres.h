/* platform/db/db_postgres.h - the PostgreSQL driver's parts, for each other. */
#pragma once

#include <libpq-fe.h>
#include <pthread.h>

#include "platform/db/db_driver.h"
#include "platform/db/gate.h"

enum {
    POSTGRES_CONNECTIONS_DEFAULT = 4, /* of one process to one database */
    POSTGRES_PENDING_MAX = 256,       /* sent, and not asked about yet */
    POSTGRES_STATE_SIZE = 5,          /* of an SQLSTATE */
};

/* Object ids of types: fixed in PostgreSQL's catalog (src/include/catalog/pg_type.dat). */
enum postgres_type {
    TYPE_BOOL = 16,
    TYPE_BYTEA = 17,
    TYPE_NAME = 19,
    TYPE_INT8 = 20,
    TYPE_INT2 = 21,
    TYPE_INT4 = 23,
    TYPE_TEXT = 25,
    TYPE_FLOAT4 = 700,
    TYPE_FLOAT8 = 701,
    TYPE_BYTEAS = 1001,
    TYPE_INT4S = 1007,
    TYPE_TEXTS = 1009,
    TYPE_INT8S = 1016,
    TYPE_VARCHAR = 1043,
    TYPE_NUMERIC = 1700,
    TYPE_UUID = 2950,
    TYPE_UUIDS = 2951,
    TYPE_XID8 = 5069,
};

struct postgres_connection;

/* A prepared statement of one connection; it is a cursor while it has a result. */
struct postgres_statement {
    struct postgres_connection *connection;
    const struct sql *sql; /* NULL: not prepared */
    Oid param_types[SQL_PARAMS_MAX];
    bool writes;
    PGresult *result; /* NULL: idle */
    int row;          /* -1: before the first */
};

/* What begins and ends transactions. */
enum postgres_control {
    PG_BEGIN_WRITE,
    PG_BEGIN_READ,
    PG_COMMIT,
    PG_ROLLBACK,
    PG_SAVEPOINT,
    PG_KEEP,
    PG_UNDO,
    PG_GUARD, /* the driver's own savepoint around one statement */
    PG_GUARD_KEEP,
    PG_GUARD_UNDO,
    PG_ALONE,   /* waits until no other writer is there: one_writer */
    PG_VERSION, /* has anybody committed? */
    PG_CONTROL_COUNT,
};

/* One message that an answer will come for. */
struct postgres_pending {
    int what;  /* a slot; below 0: ~control; PENDING_SYNC: the end of a pipeline */
    int depth; /* of savepoints, when it was sent */
};
enum { PENDING_SYNC = INT32_MIN };

/* Belongs to one thread at a time; the gates and the pool hand it on. */
struct postgres_connection {
    struct postgres_db *pdb;
    PGconn *handle;
    struct postgres_statement *statements; /* by slot */
    struct arena *scratch;                 /* of arguments while they are sent */
    int64_t patience_ms;                   /* for an answer; 0: for ever */
    struct postgres_pending pending[POSTGRES_PENDING_MAX];
    int pending_count;
    bool broken; /* to be closed, not to be used */

    /* Of the transaction: */
    bool writes;
    bool begun; /* on the server: with the first statement */
    err doomed; /* not ERR_OK: it can only be rolled back, or undone to doomed_depth - 1 */
    int doomed_depth;
    bool guarded; /* the guard is set and its statement has succeeded */
    int open_count;
    int savepoint_depth;
    int64_t changes;
    int64_t changes_at[DB_SAVEPOINTS_MAX]; /* when the savepoint was set */

    struct postgres_connection *next; /* in the pool */
};

struct postgres_db {
    struct db db;            /* first */
    const char *url;         /* may hold a password: never shown */
    const char *options;     /* for the server: ours, then the URL's */
    bool one_writer;         /* see db_options */
    struct gate gate;        /* as many as there may be connections */
    struct gate writer_gate; /* one less: readers never wait for writers alone */
    int connection_count_max;
    pthread_mutex_t mutex;            /* guards what follows */
    struct postgres_connection *pool; /* idle, the warmest first */
    bool failing;                     /* the last attempt to connect has failed */
    bool trying;                      /* ... and somebody tries again */
    int64_t failed_ns;                /* of the stopwatch */

    struct postgres_connection *migrator; /* while the db is opened: the only one */
    pthread_mutex_t watch_mutex;          /* guards the one below */
    struct postgres_connection *watch;    /* asks for versions */
    struct arena *arena;                  /* of what lives as long as the db */
};

/* --- What an error means: db_postgres_error.c --- */

/* Logs it unless it is a refusal, and marks a connection that is of no use any more. `sql` is NULL
 * for what is no statement of a service, which `what` then names. */
err postgres_failed(struct postgres_connection *connection, const PGresult *result,
                    const struct sql *sql, const char *what);
/* A violated constraint: what a guard can undo. */
bool postgres_is_violation(const PGresult *result);
/* The message's first line, without "ERROR: ". */
str postgres_why(struct arena *arena, const PGconn *handle, const PGresult *result);

/* --- Connections: db_postgres_connection.c --- */

/* Prepares the first `prepare_count` statements. ERR_UNAVAILABLE, ERR_INVALID (a statement is
 * wrong); *ret_why says why. */
err postgres_connection_open(struct postgres_db *pdb, size_t prepare_count, struct arena *arena,
                             struct postgres_connection **ret, str *ret_why);
/* Prepares the slots from `from` to before `to`. */
err postgres_connection_prepare(struct postgres_connection *connection, size_t from, size_t to,
                                struct arena *arena, str *ret_why);
void postgres_connection_close(struct postgres_connection *connection); /* NULL is accepted */
/* Runs SQL that is no prepared statement and gives what its last command gave; outside of the
 * pipeline, so nothing may be pending. The result is the caller's; never NULL. */
PGresult *postgres_run(struct postgres_connection *connection, const char *sql);

/* --- The pipeline: db_postgres_pipeline.c --- */

/* Each queues one message without waiting for anything. What cannot be sent breaks the connection,
 * which the next wait reports. */
void postgres_send_control(struct postgres_connection *connection, enum postgres_control control);
void postgres_send_sync(struct postgres_connection *connection);
/* Puts what is queued on the wire. */
void postgres_flush(struct postgres_connection *connection);
/* The answer to one message, or to a sync, of those that nobody queued as pending. False: the
 * connection is lost. */
bool postgres_read_answer(struct postgres_connection *connection, PGresult **ret);
bool postgres_read_sync(struct postgres_connection *connection);
/* Syncs and reads all answers. The first error, which dooms the transaction, or the result of the
 * last statement, which is the caller's if `ret` is not NULL. */
err postgres_await(struct postgres_connection *connection, PGresult **ret);
/* Waits if so much is pending that one more call of the driver would not fit. */
void postgres_make_room(struct postgres_connection *connection);
/* Reads answers that nobody needs any more. */
void postgres_drain(struct postgres_connection *connection);
/* Is it fit for another transaction? Of an idle one. */
bool postgres_is_usable(struct postgres_connection *connection);
/* Remembers that the transaction can only be rolled back, unless it is so already. */
err postgres_doom(struct postgres_connection *connection, err e, int depth);

/* --- Transactions: db_postgres_tx.c --- */

/* A new connection; fails at once while others find out that the server cannot be reached. */
err postgres_connect(struct postgres_db *pdb, size_t prepare_count,
                     struct postgres_connection **ret);
err postgres_begin(struct db *db, bool writes, void **ret_connection);
err postgres_commit(struct db *db, void *connection, bool writes);
void postgres_rollback(struct db *db, void *connection, bool writes);
err postgres_savepoint(struct db *db, void *connection, enum savepoint_act act);
int64_t postgres_changes(const void *connection);
void postgres_pool_close(struct postgres_db *pdb);

/* --- Statements: db_postgres_rows.c --- */

/* Makes sure that the transaction has begun on the server. */
void postgres_enter(struct postgres_connection *connection);
err postgres_exec(struct db *db, void *connection, size_t slot, struct args args,
                  int64_t *ret_count);
err postgres_rows_open(struct db *db, void *connection, size_t slot, struct args args,
                       void **ret_cursor);
err postgres_rows_next(struct db *db, void *cursor);
err postgres_rows_close(struct db *db, void *cursor);
void postgres_rows_abandon(struct postgres_connection *connection);
bool postgres_is_null(void *cursor, int column);
int64_t postgres_i64(void *cursor, int column);
double postgres_real(void *cursor, int column);
str postgres_bytes(void *cursor, int column);

/* --- Values: db_postgres_value.c --- */

/* The binary form of `value` as a parameter of this type, in `arena`; absent: NULL. False: there is
 * none, as the types or the range do not fit. */
bool postgres_encode(const struct value *value, Oid type, struct arena *arena, str *ret);
/* What a column holds. False: the type is no number, or the number no int64. */
bool postgres_decode_i64(Oid type, str bytes, int64_t *ret);
bool postgres_decode_real(Oid type, str bytes, double *ret);
bool postgres_is_bytes(Oid type); /* text, bytea, uuid and their kin */

/* --- Care: db_postgres_care.c --- */

err postgres_version(struct db *db, int64_t *ret);
err postgres_checkpoint(struct db *db);
err postgres_verify(struct db *db, struct arena *arena, str *ret_why);
/* Every conflict of every statement names a constraint that is there. */
err postgres_check_conflicts(struct postgres_connection *connection, struct arena *arena,
                             str *ret_why);
