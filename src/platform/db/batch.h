/* platform/db/batch.h - group commit: writes of many requests in one durable transaction.
 *
 * One thread takes everything that waits (at most BATCH_SIZE_MAX, no timer: while one batch commits, the next collects), applies each write in
 * order of arrival, commits, then completes each. A write that refuses (any status below 500) must not have written anything yet, unless it
 * asked for a savepoint. A write that fails otherwise makes the batch start again, each write in a transaction of its own; a deadlock makes it
 * start again as it was, a few times.
 *
 * Where a database has arrays (db_has_arrays), writes of a kind can be applied many at a time: see batch_set_many. */
#pragma once

#include "platform/db/db.h"

enum { BATCH_SIZE_MAX = 256, BATCH_WAITING_MAX = 4096 };

struct batch;

struct batch_write {
    /* Applies the write; may run twice (see above), so it resets what it computes. */
    err (*apply)(struct batch_write *write, struct tx *tx);
    /* Called once after the commit, on the batch's thread: hands the result on, does no work. `write` is the caller's again. */
    void (*done)(struct batch_write *write);
    bool savepoint; /* may refuse after writing */
    bool many; /* may be applied by batch_many, if there is one, together with those beside it */
    err result;
    struct batch_write *next; /* the batch's */
    void *waiter;             /* the batch's */
};

/* Called once in each transaction after the last write of it: rows that are one a batch (outbox). May be NULL. */
typedef err (*batch_seal)(void *owner, struct tx *tx);

/* Applies `count` (1 to BATCH_SIZE_MAX) writes that stand side by side and are `many`: gives each the result, and the database the contents,
 * that `apply` of one after the other would have given. What it returns is a failure, or ERR_OK. Whatever then is run again write by write goes
 * through `apply`. */
typedef err (*batch_many)(void *owner, struct batch_write *const *writes, size_t count,
                          struct tx *tx);

err batch_open(struct db *db, const char *name, batch_seal seal, void *owner,
               struct metrics *metrics, struct batch **ret);
/* Before the first write is submitted. */
void batch_set_many(struct batch *batch, batch_many many);
/* Finishes what waits, then stops. */
void batch_close(struct batch *batch);

/* ERR_OVERLOADED if BATCH_WAITING_MAX are waiting already; `done` is then not called. */
err batch_submit(struct batch *batch, struct batch_write *write);
/* Submits and waits: for chores, ops and worker threads. Gives the write's result; `done` is the batch's own. */
err batch_run(struct batch *batch, struct batch_write *write);
