/* platform/http/workers.c - the bounded pool of threads on which handlers may block.
 *
 * One queue, first come, first served. New requests are refused when `waiting_max` wait already:
 * an answer that comes after the client has given up is work for nobody. Resumed requests are
 * always taken: what they stand for has been done, and there are never more of them than
 * connections. */

#include <assert.h>
#include <signal.h>
#include <stdlib.h>

#include "platform/http/internal.h"

struct workers {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct exchange *first;
    struct exchange *last;
    int waiting;
    int waiting_max;
    bool is_stopping;
    struct meter *meter;
    int thread_count;
    pthread_t threads[];
};

static void append(struct workers *workers, struct exchange *exchange)
{
    exchange->behind = NULL;
    if (workers->last != NULL)
        workers->last->behind = exchange;
    else
        workers->first = exchange;
    workers->last = exchange;
    workers->waiting++;
    metric_set(workers->meter->waiting, workers->waiting);
}

static struct exchange *cut_first(struct workers *workers)
{
    struct exchange *exchange = workers->first;

    if (exchange == NULL)
        return NULL;
    workers->first = exchange->behind;
    if (workers->first == NULL)
        workers->last = NULL;
    workers->waiting--;
    metric_set(workers->meter->waiting, workers->waiting);
    return exchange;
}

/* The next request, or NULL when the pool stops. */
static struct exchange *wait_for_one(struct workers *workers)
{
    struct exchange *exchange = NULL;

    pthread_mutex_lock(&workers->mutex);
    while (!workers->is_stopping && (exchange = cut_first(workers)) == NULL)
        pthread_cond_wait(&workers->changed, &workers->mutex);
    pthread_mutex_unlock(&workers->mutex);
    return exchange;
}

static void *run_worker(void *arg)
{
    struct workers *workers = arg;
    struct exchange *exchange;

    while ((exchange = wait_for_one(workers)) != NULL) {
        metric_add(workers->meter->busy, 1);
        meter_place(exchange, PLACE_WORKER);
        dispatch_run(exchange);
        metric_add(workers->meter->busy, -1);
    }
    return NULL;
}

struct workers *workers_open(int thread_count, int waiting_max, struct meter *meter)
{
    struct workers *workers =
        calloc(1, sizeof(*workers) + (size_t)thread_count * sizeof(workers->threads[0]));

    if (workers == NULL)
        abort();
    workers->waiting_max = waiting_max;
    workers->meter = meter;
    pthread_mutex_init(&workers->mutex, NULL);
    pthread_cond_init(&workers->changed, NULL);
    while (workers->thread_count < thread_count &&
           pthread_create(&workers->threads[workers->thread_count], NULL, run_worker, workers) == 0)
        workers->thread_count++;
    if (workers->thread_count == thread_count)
        return workers;
    workers_stop(workers);
    workers_close(workers);
    return NULL;
}

static bool add(struct workers *workers, struct exchange *exchange, int waiting_max)
{
    pthread_mutex_lock(&workers->mutex);
    const bool is_taken = !workers->is_stopping && workers->waiting < waiting_max;
    if (is_taken) {
        append(workers, exchange);
        /* Under the lock: once it is taken, the request may be over and the pool gone behind it. */
        pthread_cond_signal(&workers->changed);
    }
    pthread_mutex_unlock(&workers->mutex);
    return is_taken;
}

bool workers_offer(struct workers *workers, struct exchange *exchange)
{
    if (add(workers, exchange, workers->waiting_max))
        return true;
    metric_add(workers->meter->overloaded, 1);
    return false;
}

bool workers_add(struct workers *workers, struct exchange *exchange)
{
    return add(workers, exchange, INT32_MAX);
}

void workers_halt(struct workers *workers)
{
    pthread_mutex_lock(&workers->mutex);
    workers->is_stopping = true;
    pthread_cond_broadcast(&workers->changed);
    pthread_mutex_unlock(&workers->mutex);
}

void workers_stop(struct workers *workers)
{
    struct exchange *exchange;

    workers_halt(workers);
    for (int i = 0; i < workers->thread_count; i++)
        pthread_join(workers->threads[i], NULL);
    while ((exchange = cut_first(workers)) != NULL) {
        exchange->req.call.may_block = false;
        loop_post(exchange->loop, exchange, MESSAGE_DROP);
    }
}

void workers_close(struct workers *workers)
{
    if (workers == NULL)
        return;
    assert(workers->first == NULL);
    pthread_cond_destroy(&workers->changed);
    pthread_mutex_destroy(&workers->mutex);
    free(workers);
}
