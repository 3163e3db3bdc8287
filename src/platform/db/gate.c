/* platform/db/gate.c - lets a number of threads in at a time, in order of arrival.
 *
 * A plain mutex lets a thread that comes back at once overtake those who sleep, so that a busy
 * writer starves the others. Here a permit is handed over: whoever leaves gives it to the head of
 * the queue, and each waiter sleeps on a condition of its own, so that one wake-up wakes one
 * thread. */

#include "platform/db/gate.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <time.h>

#include "base/clock.h"

enum { MS_PER_S = 1000, NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

/* On the stack of the thread that waits. */
struct gate_waiter {
    struct gate_waiter *next;
    pthread_cond_t cond;
    bool admitted;
};

void gate_init(struct gate *gate, int permits)
{
    assert(permits > 0);
    *gate = (struct gate){.free = permits};
    (void)pthread_mutex_init(&gate->mutex, NULL);
}

void gate_done(struct gate *gate)
{
    assert(gate->first == NULL);
    (void)pthread_mutex_destroy(&gate->mutex);
}

static void queue_add(struct gate *gate, struct gate_waiter *waiter)
{
    if (gate->last != NULL)
        gate->last->next = waiter;
    else
        gate->first = waiter;
    gate->last = waiter;
}

static void queue_remove(struct gate *gate, const struct gate_waiter *waiter)
{
    struct gate_waiter *before = NULL;
    struct gate_waiter **at = &gate->first;

    while (*at != waiter) {
        before = *at;
        at = &before->next;
    }
    *at = waiter->next;
    if (gate->last == waiter)
        gate->last = before;
}

static struct timespec deadline_in(int64_t ms)
{
    struct timespec until;
    int64_t ns;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    ns = until.tv_nsec + ms % MS_PER_S * NS_PER_MS;
    until.tv_sec += ms / MS_PER_S + ns / NS_PER_S;
    until.tv_nsec = ns % NS_PER_S;
    return until;
}

bool gate_enter(struct gate *gate, int64_t timeout_ms)
{
    struct gate_waiter self = {0};
    struct timespec until;
    int rc = 0;

    (void)pthread_mutex_lock(&gate->mutex);
    if (gate->free > 0) {
        gate->free--;
        (void)pthread_mutex_unlock(&gate->mutex);
        return true;
    }
    clock_cond_init(&self.cond);
    until = deadline_in(timeout_ms);
    queue_add(gate, &self);
    while (!self.admitted && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&self.cond, &gate->mutex, &until);
    if (!self.admitted)
        queue_remove(gate, &self);
    (void)pthread_mutex_unlock(&gate->mutex);
    (void)pthread_cond_destroy(&self.cond);
    return self.admitted;
}

bool gate_try(struct gate *gate)
{
    bool ok;

    (void)pthread_mutex_lock(&gate->mutex);
    ok = gate->free > 0;
    if (ok)
        gate->free--;
    (void)pthread_mutex_unlock(&gate->mutex);
    return ok;
}

void gate_leave(struct gate *gate)
{
    (void)pthread_mutex_lock(&gate->mutex);
    if (gate->first != NULL) {
        struct gate_waiter *head = gate->first;

        queue_remove(gate, head);
        head->admitted = true;
        (void)pthread_cond_signal(
            &head->cond); /* in the lock: `head` is gone once it sees admitted */
    } else {
        gate->free++;
    }
    (void)pthread_mutex_unlock(&gate->mutex);
}
