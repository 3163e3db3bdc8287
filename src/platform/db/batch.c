/* platform/db/batch.c - group commit: one thread makes many requests' writes durable with one sync.
 *
 *     batch_submit -> waiting -> take 256 -> begin, apply each, seal, commit -> done for each
 *                  ^                           |  one of them fails (500 and above)
 *                  \-- a deadlock was broken --|--> rollback, then each in a transaction of its own
 *
 * There is no timer: while one batch is synced the next one gathers, so batches are as big as the
 * load makes them, and a lone write does not wait. The thread takes the writer like everybody
 * else, in order of arrival, and lets go of it after each batch. */

#include "platform/db/batch.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>

#include "base/mem.h"
#include "platform/db/db_driver.h"
#include "platform/metrics/metrics.h"

enum { THREAD_NAME_SIZE = 16, LABELS_SIZE = 96, BATCH_NAME_SIZE_MAX = 63, RUNS_MAX = 5 };

struct batch {
    struct db *db;
    batch_seal seal;
    batch_many many; /* NULL: one by one */
    void *owner;
    pthread_t thread;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t cond;
    struct batch_write *first;
    struct batch_write *last;
    int waiting_count;
    bool sleeping; /* the thread waits for cond */
    bool closing;

    struct metric *size; /* NULL: nobody measures */
    struct metric *commits;
    struct metric *restarts;
};

/* --- Applying: on the batch's thread --- */

static bool is_failure(err e)
{
    return err_status(e) >= 500;
}

static err apply_with_savepoint(struct batch_write *write, struct tx *tx)
{
    err e;

    TRY(tx_savepoint(tx));
    e = write->apply(write, tx);
    if (is_failure(e))
        return e; /* all is rolled back */
    TRY(e == ERR_OK ? tx_keep(tx) : tx_undo(tx));
    return e;
}

static err apply_one(struct batch_write *write, struct tx *tx)
{
    const int64_t changes = tx->db->driver->changes(tx->connection);
    err e;

    if (write->savepoint)
        return apply_with_savepoint(write, tx);
    e = write->apply(write, tx);
    /* Others' writes are in this transaction: one that refuses cannot be rolled back alone. */
    assert(e == ERR_OK || is_failure(e) || tx->db->driver->changes(tx->connection) == changes);
    return e;
}

/* Applies `first` and those behind it that go with it; *ret_next is the one behind them. */
static err apply_many(const struct batch *batch, struct batch_write *first, struct tx *tx,
                      struct batch_write **ret_next)
{
    struct batch_write *writes[BATCH_SIZE_MAX];
    struct batch_write *next = first->next;
    size_t count = 1;

    writes[0] = first;
    for (; next != NULL && next->many && count < BATCH_SIZE_MAX; next = next->next)
        writes[count++] = next;
    *ret_next = next;
    TRY(batch->many(batch->owner, writes, count, tx));
    for (size_t i = 0; i < count; i++)
        if (is_failure(writes[i]->result))
            return writes[i]->result;
    return ERR_OK;
}

/* Applies the first, with all that can go with it; gives its failure, and in *ret_next what is left. */
static err apply_some(struct batch *batch, struct batch_write *first, bool one_by_one,
                      struct tx *tx, struct batch_write **ret_next)
{
    if (first->many && batch->many != NULL && !one_by_one)
        return apply_many(batch, first, tx, ret_next);
    *ret_next = first->next;
    first->result = apply_one(first, tx);
    return is_failure(first->result) ? first->result : ERR_OK;
}

/* Applies all of them in `tx`; gives the first failure. */
static err apply_all(struct batch *batch, struct batch_write *first, bool one_by_one, struct tx *tx)
{
    while (first != NULL)
        TRY(apply_some(batch, first, one_by_one, tx, &first));
    return batch->seal != NULL ? batch->seal(batch->owner, tx) : ERR_OK;
}

static void set_results(struct batch_write *first, err e)
{
    for (struct batch_write *write = first; write != NULL; write = write->next)
        write->result = e;
}

/* How a transaction of writes ended. */
enum ending {
    ENDED,        /* each write has its result */
    DATABASE_OUT, /* likewise, and it is the same: nothing can be written at present */
    WRITE_FAILED, /* rolled back; the first write has an error, though it may have been another's */
    CONTENDED,    /* rolled back for others' sake; worth another try */
};

static enum ending fail(struct batch_write *first, err e)
{
    if (e == ERR_CONTENDED)
        return CONTENDED;
    if (!is_failure(first->result))
        first->result = is_failure(e) ? e : ERR_INTERNAL;
    return WRITE_FAILED;
}

static enum ending run_once(struct batch *batch, struct batch_write *first, bool one_by_one)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    err e = tx_begin(&tx, batch->db);

    if (e != ERR_OK) {
        set_results(first, e);
        return DATABASE_OUT;
    }
    e = apply_all(batch, first, one_by_one, &tx);
    if (e != ERR_OK)
        return fail(first, e);
    e = tx_commit(&tx);
    if (e == ERR_UNAVAILABLE) {
        set_results(first, e);
        return DATABASE_OUT;
    }
    if (e != ERR_OK)
        return fail(first, e); /* a constraint that is checked at the end */
    if (batch->commits != NULL)
        metric_add(batch->commits, 1);
    return ENDED;
}

static enum ending run_together(struct batch *batch, struct batch_write *first, bool one_by_one)
{
    for (int i = 0; i < RUNS_MAX; i++) {
        const enum ending ending = run_once(batch, first, one_by_one);

        if (ending != CONTENDED)
            return ending;
        if (batch->restarts != NULL)
            metric_add(batch->restarts, 1);
    }
    first->result = ERR_OVERLOADED;
    return WRITE_FAILED;
}

/* A lone write is its own batch, with its own seal. */
static enum ending run_alone(struct batch *batch, struct batch_write *write)
{
    struct batch_write *next = write->next;
    enum ending ending;

    write->next = NULL;
    write->result = ERR_OK;
    ending = run_together(batch, write, true);
    write->next = next;
    return ending;
}

static void run_each(struct batch *batch, struct batch_write *first)
{
    if (batch->restarts != NULL)
        metric_add(batch->restarts, 1);
    for (struct batch_write *write = first; write != NULL; write = write->next) {
        if (run_alone(batch, write) == DATABASE_OUT) {
            /* Each further one would wait for the same, up to 5 s. */
            set_results(write, write->result);
            return;
        }
    }
}

static void run_batch(struct batch *batch, struct batch_write *first)
{
    const bool together = first->next != NULL || (first->many && batch->many != NULL);

    if (!together)
        (void)run_alone(batch, first);
    else if (run_together(batch, first, false) == WRITE_FAILED)
        run_each(batch, first);
}

static void complete(struct batch_write *first)
{
    while (first != NULL) {
        struct batch_write *write = first;

        first = write->next;
        write->done(write); /* and it is no longer ours */
    }
}

/* --- The queue --- */

/* Takes up to BATCH_SIZE_MAX of those that wait; with the mutex. */
static struct batch_write *take(struct batch *batch, int *ret_count)
{
    struct batch_write *first = batch->first;
    struct batch_write *last = first;
    int count = 1;

    while (count < BATCH_SIZE_MAX && last->next != NULL) {
        last = last->next;
        count++;
    }
    batch->first = last->next;
    if (batch->first == NULL)
        batch->last = NULL;
    last->next = NULL;
    batch->waiting_count -= count;
    *ret_count = count;
    return first;
}

static void *batch_thread(void *arg)
{
    struct batch *batch = arg;

    (void)pthread_mutex_lock(&batch->mutex);
    for (;;) {
        struct batch_write *first;
        int count;

        while (batch->first == NULL && !batch->closing) {
            batch->sleeping = true;
            (void)pthread_cond_wait(&batch->cond, &batch->mutex);
            batch->sleeping = false;
        }
        if (batch->first == NULL)
            break;
        first = take(batch, &count);
        (void)pthread_mutex_unlock(&batch->mutex);
        if (batch->size != NULL)
            metric_observe(batch->size, count);
        run_batch(batch, first);
        complete(first);
        (void)pthread_mutex_lock(&batch->mutex);
    }
    (void)pthread_mutex_unlock(&batch->mutex);
    return NULL;
}

err batch_submit(struct batch *batch, struct batch_write *write)
{
    err e = ERR_OK;

    assert(write->apply != NULL && write->done != NULL);
    write->next = NULL;
    write->result = ERR_OK;
    (void)pthread_mutex_lock(&batch->mutex);
    if (batch->closing) {
        e = ERR_UNAVAILABLE;
    } else if (batch->waiting_count >= BATCH_WAITING_MAX) {
        e = ERR_OVERLOADED;
    } else {
        if (batch->last != NULL)
            batch->last->next = write;
        else
            batch->first = write;
        batch->last = write;
        batch->waiting_count++;
        if (batch->sleeping)
            (void)pthread_cond_signal(&batch->cond);
    }
    (void)pthread_mutex_unlock(&batch->mutex);
    return e;
}

/* --- Submitting and waiting --- */

static void wake(struct batch_write *write)
{
    (void)sem_post(write->waiter);
}

err batch_run(struct batch *batch, struct batch_write *write)
{
    sem_t semaphore;
    err e;

    assert(!tx_is_open_here()); /* it would wait for its own end */
    (void)sem_init(&semaphore, 0, 0);
    write->done = wake;
    write->waiter = &semaphore;
    e = batch_submit(batch, write);
    if (e == ERR_OK) {
        while (sem_wait(&semaphore) != 0)
            assert(errno == EINTR);
        e = write->result;
    }
    (void)sem_destroy(&semaphore);
    return e;
}

/* --- Opening and closing --- */

static void metrics_init(struct batch *batch, const char *name, struct metrics *metrics)
{
    char labels[LABELS_SIZE];

    if (metrics == NULL)
        return;
    (void)snprintf(labels, sizeof(labels), "batch=\"%.*s\"", BATCH_NAME_SIZE_MAX, name);
    batch->size = metrics_histogram(metrics, "boxoffice_db_batch_size", labels,
                                    "Writes taken at once.", METRICS_SIZES, METRICS_SIZES_COUNT);
    batch->commits = metrics_counter(metrics, "boxoffice_db_batch_commits_total", labels,
                                     "Transactions that a batch has committed.");
    batch->restarts = metrics_counter(metrics, "boxoffice_db_batch_restarts_total", labels,
                                      "Batches that were run again: write by write because one "
                                      "failed, or as they were after a deadlock.");
}

static int start_without_signals(struct batch *batch)
{
    sigset_t all;
    sigset_t before;
    int rc;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&batch->thread, NULL, batch_thread, batch);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

static void batch_free(struct batch *batch)
{
    (void)pthread_mutex_destroy(&batch->mutex);
    (void)pthread_cond_destroy(&batch->cond);
    mem_free(batch);
}

err batch_open(struct db *db, const char *name, batch_seal seal, void *owner,
               struct metrics *metrics, struct batch **ret)
{
    struct batch *batch = mem_new(struct batch);
    char thread_name[THREAD_NAME_SIZE];

    batch->db = db;
    batch->seal = seal;
    batch->owner = owner;
    (void)pthread_mutex_init(&batch->mutex, NULL);
    (void)pthread_cond_init(&batch->cond, NULL);
    metrics_init(batch, name, metrics);
    if (start_without_signals(batch) != 0) {
        batch_free(batch);
        return ERR_UNAVAILABLE;
    }
    (void)snprintf(thread_name, sizeof(thread_name), "b-%s", name);
    (void)pthread_setname_np(batch->thread, thread_name);
    *ret = batch;
    return ERR_OK;
}

void batch_set_many(struct batch *batch, batch_many many)
{
    (void)pthread_mutex_lock(&batch->mutex);
    assert(batch->first == NULL && batch->many == NULL);
    batch->many = many;
    (void)pthread_mutex_unlock(&batch->mutex);
}

void batch_close(struct batch *batch)
{
    if (batch == NULL)
        return;
    (void)pthread_mutex_lock(&batch->mutex);
    batch->closing = true;
    (void)pthread_cond_signal(&batch->cond);
    (void)pthread_mutex_unlock(&batch->mutex);
    (void)pthread_join(batch->thread, NULL);
    batch_free(batch);
}
