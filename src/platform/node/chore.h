/* platform/node/chore.h - background work of a service, each chore on a thread of its own.
 *
 * A chore never runs twice at once, not even when node_run_due works it off beside its thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct instance;
struct call;
struct chores;
struct node;

struct chore {
    const char *name; /* "expire_holds" */
    /* Does what is due at call->now_ms and sets *ret_next_ms: when to look again (CLOCK_NEVER_MS:
     * only when woken). An error is logged and the chore runs again after 1 s, 2 s, 4 s ... 60 s,
     * not earlier, even if it is woken. ERR_UNAVAILABLE and ERR_OVERLOADED say that a database is
     * away: then each 2 s, so that all goes on as soon as it is back, and the 1st, 2nd, 4th, 8th ...
     * failure is logged. */
    err (*run)(struct call *call, int64_t *ret_next_ms);
};

/* Runs it as soon as possible; cheap, from any thread. Before node_open has started the chores and
 * after node_close has stopped them it does nothing: each runs once at the start anyway. */
void chore_wake(struct instance *self, const char *name);

/* --- The node's own --- */

/* Makes the chores of the service (NULL: none); nothing runs yet. */
void chores_open(struct instance *self, const struct chore *own);
/* One more, before chores_start. `name` lives as long as the node; `arg` is handed to `run`. */
void chores_add(struct instance *self, const char *name,
                err (*run)(struct call *call, void *arg, int64_t *ret_next_ms), void *arg);
/* One thread each. ERR_UNAVAILABLE: the system has no more threads to give. */
err chores_start(struct instance *self);
/* Asks them to stop; a long run may look at chores_stopping and come back early. */
void chores_stop(struct instance *self);
bool chores_stopping(const struct instance *self);
void chores_join(struct instance *self);
/* Frees them. They were stopped and joined, and nobody wakes them any more. */
void chores_close(struct instance *self);

/* Runs what is due on this thread, after waiting for what runs already; gives the number of
 * both. */
int chores_run_due(struct instance *self);
/* Counts the wakes and the ends of runs: unchanged means that nothing happened meanwhile. */
uint64_t chores_activity(const struct instance *self);
