/* platform/cache/link.c - orders queue up under a lock; a thread connects, serves them (serve.c)
 * and, when that is over, fails what is left and tries again. */
#include "platform/cache/link.h"

#include <assert.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "platform/cache/link_private.h"
#include "platform/log/log.h"
#include "platform/metrics/metrics.h"

enum {
    PATIENCE_FACTOR = 5,    /* for a step of connecting: that many deadlines, ... */
    PATIENCE_MAX_MS = 2000, /* ... and no more than this, for closing waits for it */
    BACKOFF_MS = 200,
    BACKOFF_MAX_MS = 30000,
    STABLE_MS = 10000, /* up for so long: the backoff begins anew */
};

/* --- Queues --- */

void link_append(struct queue *queue, struct pending *pending)
{
    pending->next = NULL;
    if (queue->last != NULL)
        queue->last->next = pending;
    else
        queue->first = pending;
    queue->last = pending;
}

struct pending *link_cut_first(struct queue *queue)
{
    struct pending *pending = queue->first;

    if (pending == NULL)
        return NULL;
    queue->first = pending->next;
    if (queue->first == NULL)
        queue->last = NULL;
    return pending;
}

static bool is_failure(const redisReply *reply)
{
    return reply == NULL || reply->type == REDIS_REPLY_ERROR;
}

/* Ends an order; it is in no queue any more. */
void link_finish(struct link *link, struct pending *pending, const redisReply *reply)
{
    (void)pthread_mutex_lock(&link->lock);
    link->order_count--;
    link->byte_count -= pending->size;
    (void)pthread_mutex_unlock(&link->lock);
    if (pending->seconds != NULL)
        metric_observe(pending->seconds, (double)(clock_stopwatch_ns() - pending->began_ns) / 1e9);
    if (is_failure(reply))
        metric_add(link->options.errors, 1);
    if (pending->done != NULL)
        pending->done(pending->arg, is_failure(reply) ? NULL : reply);
    if (pending->text != NULL)
        redisFreeCommand(pending->text);
    mem_free(pending);
}

/* --- Orders, from any thread --- */

void order_add(struct order *order, str arg)
{
    assert(order->count < LINK_ARGS_MAX);
    order->args[order->count] = arg.ptr;
    order->sizes[order->count++] = arg.size;
}

void order_add_script(struct order *order, struct link *link, enum script script)
{
    order_add(order, STR("EVALSHA"));
    order_add(order, (str){link->shas[script], SCRIPT_SHA_SIZE});
}

void link_wake(struct link *link)
{
    const uint64_t one = 1;

    if (atomic_exchange(&link->is_woken, true))
        return;
    const ssize_t size = write(link->wake_fd, &one, sizeof(one));
    assert(size == sizeof(one));
}

bool link_is_up(const struct link *link)
{
    return atomic_load(&link->is_up);
}

bool link_send(struct link *link, struct order *order)
{
    struct pending *pending = NULL;
    char *text = NULL;

    if (!link_is_up(link))
        return false;
    const int size = redisFormatCommandArgv(&text, order->count, order->args, order->sizes);
    assert(size > 0);
    pending = mem_new(struct pending);
    *pending = (struct pending){
        .text = text,
        .size = (size_t)size,
        .began_ns = clock_stopwatch_ns(),
        .seconds = order->seconds,
        .done = order->done,
        .arg = order->arg,
    };
    (void)pthread_mutex_lock(&link->lock);
    const bool taken = link_is_up(link) && link->order_count < LINK_ORDERS_MAX &&
                       link->byte_count + pending->size <= LINK_BYTES_MAX;
    if (taken) {
        link_append(&link->waiting, pending);
        link->order_count++;
        link->byte_count += pending->size;
    }
    (void)pthread_mutex_unlock(&link->lock);
    if (taken) {
        link_wake(link);
        return true;
    }
    redisFreeCommand(text);
    mem_free(pending);
    metric_add(link->options.errors, 1);
    return false;
}

/* --- Up and down --- */

bool link_stops(struct link *link)
{
    (void)pthread_mutex_lock(&link->lock);
    const bool is_stopping = link->is_stopping;
    (void)pthread_mutex_unlock(&link->lock);
    return is_stopping;
}

static void go_up(struct link *link)
{
    link->up_since_ms = clock_now_ms(link->options.clock);
    if (link->shas[0][0] == '\0') /* later ones are the same, and others read these */
        memcpy(link->shas, link->connection.shas, sizeof(link->shas));
    link->is_told = false;
    link->refused[0] = '\0';
    link->options.goes_up(link->options.arg);
    (void)pthread_mutex_lock(&link->lock);
    atomic_store(&link->is_up, true);
    (void)pthread_mutex_unlock(&link->lock);
    metric_set(link->options.up, 1);
    log_event(link->options.log, LOG_INFO, "cache.up",
              LOG_CSTR("host", link->connection.calls->tcp.host),
              LOG_I64("port", link->connection.calls->tcp.port));
}

static void go_down(struct link *link)
{
    struct queue rest;

    link->options.goes_down(link->options.arg); /* first: who sees it down goes on alone */
    (void)pthread_mutex_lock(&link->lock);
    atomic_store(&link->is_up, false);
    rest = link->waiting;
    link->waiting = (struct queue){0};
    (void)pthread_mutex_unlock(&link->lock);
    metric_set(link->options.up, 0);
    while (link->sent.first != NULL)
        link_finish(link, link_cut_first(&link->sent), NULL);
    while (rest.first != NULL)
        link_finish(link, link_cut_first(&rest), NULL);
    connection_close(&link->connection);
    if (clock_now_ms(link->options.clock) - link->up_since_ms >= STABLE_MS)
        link->backoff_ms = 0;
}

/* Once that it is away, and once each reason for which it wants nothing of us. */
static void tell(struct link *link, const char *why, bool is_refusal)
{
    if (is_refusal && strcmp(link->refused, why) != 0) {
        log_event(link->options.log, LOG_ERROR, "cache.refused", LOG_CSTR("why", why));
        (void)snprintf(link->refused, sizeof(link->refused), "%s", why);
    } else if (!is_refusal && !link->is_told) {
        log_event(link->options.log, LOG_WARN, "cache.down", LOG_CSTR("why", why));
    }
    link->is_told = true;
}

static void wait_to_retry(struct link *link)
{
    struct clock *clock = link->options.clock;

    link->backoff_ms = link->backoff_ms == 0 ? BACKOFF_MS : 2 * link->backoff_ms;
    if (link->backoff_ms > BACKOFF_MAX_MS)
        link->backoff_ms = BACKOFF_MAX_MS;
    /* Between half of it and all, so that instances do not come back in step. */
    const int64_t half_ms = link->backoff_ms / 2;
    const int64_t until_ms = clock_now_ms(clock) + half_ms +
                             (int64_t)rng_below(link->options.rng, (uint64_t)half_ms + 1);
    (void)pthread_mutex_lock(&link->lock);
    while (!link->is_stopping && clock_now_ms(clock) < until_ms)
        clock_wait(clock, &link->changed, &link->lock, until_ms);
    (void)pthread_mutex_unlock(&link->lock);
}

static void block_sigpipe(void)
{
    sigset_t pipe;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    (void)pthread_sigmask(SIG_BLOCK, &pipe, NULL);
}

static void *run_link(void *arg)
{
    struct link *link = arg;
    const int deadline_ms = (int)link->options.deadline_ms;
    const int patience_ms = PATIENCE_FACTOR * deadline_ms < PATIENCE_MAX_MS
                                ? PATIENCE_FACTOR * deadline_ms
                                : PATIENCE_MAX_MS;
    struct connect_failure failure;

    block_sigpipe(); /* hiredis writes without MSG_NOSIGNAL */
    while (!link_stops(link)) {
        if (connection_open(&link->url, patience_ms, deadline_ms, &link->connection, &failure)) {
            go_up(link);
            if (!link_serve(link))
                tell(link, link->why, false);
            go_down(link);
        } else {
            tell(link, failure.why, failure.is_refusal);
        }
        wait_to_retry(link);
    }
    return NULL;
}

/* --- Opening and closing --- */

void link_open(const struct link_options *options, struct link **ret)
{
    struct link *link = mem_new(struct link);

    link->options = *options;
    link->url = *options->url;
    link->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert(link->wake_fd >= 0);
    (void)pthread_mutex_init(&link->lock, NULL);
    clock_cond_init(&link->changed);
    metric_set(options->up, 0);
    *ret = link;
    const int failed = pthread_create(&link->thread, NULL, run_link, link);
    assert(!failed);
}

void link_close(struct link *link)
{
    if (link == NULL)
        return;
    (void)pthread_mutex_lock(&link->lock);
    link->is_stopping = true;
    (void)pthread_cond_signal(&link->changed);
    (void)pthread_mutex_unlock(&link->lock);
    link_wake(link);
    (void)pthread_join(link->thread, NULL);
    (void)pthread_cond_destroy(&link->changed);
    (void)pthread_mutex_destroy(&link->lock);
    (void)close(link->wake_fd);
    mem_free(link);
}
