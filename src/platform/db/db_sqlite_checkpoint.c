/* platform/db/db_sqlite_checkpoint.c - moves the write-ahead log into the file, beside the traffic.
 *
 * A checkpoint writes and syncs what commits have appended to the log; the log starts anew once
 * all of it has been moved. SQLite would do that inside of a commit, which then takes many times as
 * long. Here a thread does it:
 *
 *     sleeps --- a commit left 4 MiB ---> waits for a gap --- no commit for 50 ms ---> checkpoint
 *                                               \----------- or 64 MiB whatever ------>/
 *
 * and in two steps: first as much as can be moved while others write, which is nearly all of it;
 * then, with the writer's gate closed, the little that came meanwhile, so that the log is empty
 * for a moment and the next writer starts it anew. */

#include <assert.h>
#include <signal.h>
#include <time.h>

#include "platform/db/db_sqlite.h"
#include "platform/metrics/metrics.h"

enum {
    GAP_MS = 50,
    PAUSE_MS = 500,        /* after a checkpoint that readers kept from finishing */
    READERS_WAIT_MS = 100, /* for readers of the log, once it is too long */
    MS_PER_S = 1000,
    NS_PER_MS = 1000000,
    NS_PER_S = 1000000000,
};
#define S_PER_NS 1e-9

enum gate_manners { MAY_WAIT, MUST_NOT_WAIT };

/* --- A checkpoint --- */

/* Moves what it can; *ret_all if nothing is left. */
static err move(struct sqlite_db *sdb, int mode, bool *ret_all)
{
    int log_pages = -1;
    int moved_pages = -1;
    const int rc =
        sqlite3_wal_checkpoint_v2(sdb->janitor.handle, NULL, mode, &log_pages, &moved_pages);

    *ret_all = rc == SQLITE_OK && log_pages >= 0 && log_pages == moved_pages;
    if (rc == SQLITE_OK || (rc & 0xff) == SQLITE_BUSY)
        return ERR_OK; /* busy: another process is at it, or readers stay */
    return sqlite_failed(sdb, sdb->janitor.handle, "checkpoint");
}

static void set_wal_bytes(struct sqlite_db *sdb, int64_t bytes)
{
    sdb->janitor.wal_bytes = bytes;
    if (sdb->db.metrics.wal_bytes != NULL)
        metric_set(sdb->db.metrics.wal_bytes, bytes);
}

static err move_rest(struct sqlite_db *sdb, bool force, enum gate_manners manners, bool *ret_all)
{
    struct gate *gate = &sdb->writer_gate;
    err e;

    if (!(manners == MAY_WAIT ? gate_enter(gate, sdb->db.writer_wait_ms) : gate_try(gate)))
        return ERR_OK;
    e = move(sdb, force ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE, ret_all);
    gate_leave(gate);
    return e;
}

/* `force` keeps readers from holding the log for ever. */
static err checkpoint(struct sqlite_db *sdb, bool force, enum gate_manners manners, bool *ret_all)
{
    struct sqlite_janitor *janitor = &sdb->janitor;
    const int64_t since_ns = clock_stopwatch_ns();
    int64_t commits;
    err e;

    (void)pthread_mutex_lock(&janitor->mutex);
    commits = janitor->commits;
    (void)pthread_mutex_unlock(&janitor->mutex);

    (void)pthread_mutex_lock(&janitor->work);
    e = move(sdb, SQLITE_CHECKPOINT_PASSIVE, ret_all);
    if (e == ERR_OK && (force || !*ret_all))
        e = move_rest(sdb, force, manners, ret_all);
    (void)pthread_mutex_unlock(&janitor->work);

    (void)pthread_mutex_lock(&janitor->mutex);
    /* After a commit in between its own report is the better one. */
    if (*ret_all && janitor->commits == commits)
        set_wal_bytes(sdb, 0);
    (void)pthread_mutex_unlock(&janitor->mutex);
    if (sdb->db.metrics.checkpoint_seconds != NULL)
        metric_observe(sdb->db.metrics.checkpoint_seconds,
                       (double)(clock_stopwatch_ns() - since_ns) * S_PER_NS);
    return e;
}

err sqlite_checkpoint(struct db *db)
{
    struct sqlite_db *sdb = (struct sqlite_db *)db;
    bool all;

    return sdb->in_memory ? ERR_OK : checkpoint(sdb, false, MUST_NOT_WAIT, &all);
}

/* --- The thread --- */

int sqlite_wal_hook(void *owner, [[maybe_unused]] sqlite3 *handle,
                    [[maybe_unused]] const char *database, int pages)
{
    struct sqlite_db *sdb = owner;
    struct sqlite_janitor *janitor = &sdb->janitor;
    int64_t before;

    (void)pthread_mutex_lock(&janitor->mutex);
    before = janitor->wal_bytes;
    set_wal_bytes(sdb, (int64_t)pages * sdb->page_size);
    janitor->commits++;
    if ((before < WAL_IDLE_BYTES) != (janitor->wal_bytes < WAL_IDLE_BYTES) ||
        (before < WAL_BYTES_MAX) != (janitor->wal_bytes < WAL_BYTES_MAX))
        (void)pthread_cond_signal(&janitor->cond);
    (void)pthread_mutex_unlock(&janitor->mutex);
    return SQLITE_OK;
}

/* With the mutex: until a signal, or for that long. */
static void nap(struct sqlite_janitor *janitor, int64_t ms)
{
    struct timespec until;
    int64_t ns;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    ns = until.tv_nsec + ms % MS_PER_S * NS_PER_MS;
    until.tv_sec += ms / MS_PER_S + ns / NS_PER_S;
    until.tv_nsec = ns % NS_PER_S;
    (void)pthread_cond_timedwait(&janitor->cond, &janitor->mutex, &until);
}

/* With the mutex, which it lets go of meanwhile. */
static void tidy(struct sqlite_db *sdb)
{
    struct sqlite_janitor *janitor = &sdb->janitor;
    const bool force = janitor->wal_bytes >= WAL_BYTES_MAX;
    bool all = false;
    err e;

    (void)pthread_mutex_unlock(&janitor->mutex);
    e = checkpoint(sdb, force, MAY_WAIT, &all);
    (void)pthread_mutex_lock(&janitor->mutex);
    if ((e != ERR_OK || !all) && !janitor->closing)
        nap(janitor, PAUSE_MS);
}

static void *janitor_run(void *arg)
{
    struct sqlite_db *sdb = arg;
    struct sqlite_janitor *janitor = &sdb->janitor;
    int64_t commits_seen = -1;

    (void)pthread_mutex_lock(&janitor->mutex);
    while (!janitor->closing) {
        if (janitor->wal_bytes < WAL_IDLE_BYTES) {
            (void)pthread_cond_wait(&janitor->cond, &janitor->mutex);
        } else if (janitor->wal_bytes < WAL_BYTES_MAX && janitor->commits != commits_seen) {
            commits_seen = janitor->commits;
            nap(janitor, GAP_MS);
        } else {
            tidy(sdb);
        }
    }
    (void)pthread_mutex_unlock(&janitor->mutex);
    return NULL;
}

/* Signals are for the threads that know what to do with them. */
static int start_without_signals(struct sqlite_db *sdb)
{
    sigset_t all;
    sigset_t before;
    int rc;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = pthread_create(&sdb->janitor.thread, NULL, janitor_run, sdb);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

err sqlite_janitor_open(struct sqlite_db *sdb)
{
    struct sqlite_janitor *janitor = &sdb->janitor;

    TRY(sqlite_handle_open(sdb, true, CACHE_OTHER_KIB, &janitor->handle));
    (void)sqlite3_busy_timeout(janitor->handle, READERS_WAIT_MS);
    if (start_without_signals(sdb) != 0)
        return ERR_UNAVAILABLE;
    (void)pthread_setname_np(janitor->thread, "db-checkpoint");
    janitor->running = true;
    (void)sqlite3_wal_hook(sdb->writer->handle, sqlite_wal_hook, sdb);
    return ERR_OK;
}

void sqlite_janitor_close(struct sqlite_db *sdb)
{
    struct sqlite_janitor *janitor = &sdb->janitor;

    if (janitor->running) {
        (void)pthread_mutex_lock(&janitor->mutex);
        janitor->closing = true;
        (void)pthread_cond_signal(&janitor->cond);
        (void)pthread_mutex_unlock(&janitor->mutex);
        (void)pthread_join(janitor->thread, NULL);
        (void)sqlite3_wal_hook(sdb->writer->handle, NULL, NULL);
    }
    /* Leaves a short log behind; if readers of other processes are in the way, they will do it. */
    if (janitor->handle != NULL)
        (void)sqlite3_wal_checkpoint_v2(janitor->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
                                        NULL);
    (void)sqlite3_close(janitor->handle);
}
