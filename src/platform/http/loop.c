/* platform/http/loop.c - an event loop: one thread with its own listening socket, H2O context and
 * connections.
 *
 *   SERVING --http_close--> STOPPING --all idle, or out of time--> CUTTING
 *   CUTTING --workers joined--> LEAVING --no request left--> over
 *
 * STOPPING accepts nothing new and finishes what is in flight; CUTTING closes what is still open,
 * so that what runs or is parked has lost its client; LEAVING waits for the last requests to come
 * back, and leaves parked ones to their resumers as orphans.
 *
 * Everything of H2O's is made and freed on the loop's own thread, because H2O recycles memory
 * per thread. Three things H2O 2.2.5 never gives back itself: the queue of a context and the
 * recycled memory of a thread, which close_engine frees, and the descriptor of epoll, which
 * nobody outside can reach: each http_open costs one per loop for good. */

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/http/internal.h"

enum {
    ACCEPTS_PER_TURN = 16,
    PAUSE_MS = 100,
    STOPPING_TURNS = 4, /* after them every request that had arrived has been seen */
    LEAVING_WAIT_MS = 1,
    RECYCLED_PIECES = 128, /* more than H2O ever keeps in a thread's pool */
    RECYCLED_PIECE_SIZE = 1000,
};

/* --- Accepting --- */

static void on_accept(h2o_socket_t *listener, const char *error);

static void on_pause_over(h2o_timeout_entry_t *entry)
{
    struct loop *loop = H2O_STRUCT_FROM_MEMBER(struct loop, paused, entry);

    if (loop->listener != NULL)
        h2o_socket_read_start(loop->listener, on_accept);
}

/* The kernel keeps those who knock; trying on at once would only burn the CPU. */
static void pause_accepting(struct loop *loop)
{
    h2o_socket_read_stop(loop->listener);
    if (!h2o_timeout_is_linked(&loop->paused))
        h2o_timeout_link(loop->context.loop, &loop->pause, &loop->paused);
}

/* False: there is nobody, or no room for one. */
static bool accept_one(struct loop *loop)
{
    if (loop->sentry_count >= loop->server->connections_max) {
        pause_accepting(loop);
        return false;
    }
    h2o_socket_t *sock = h2o_evloop_socket_accept(loop->listener);
    if (sock == NULL) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            pause_accepting(loop);
        return false;
    }
    loop->sentry_count++;
    metric_add(loop->server->meter.connections, 1);
    h2o_http1_accept(&loop->accept_context, sock, *h2o_get_timestamp(&loop->context, NULL, NULL));
    sentry_open(loop, sock);
    return true;
}

static void on_accept(h2o_socket_t *listener, const char *error)
{
    if (error != NULL)
        return;
    for (int i = 0; i < ACCEPTS_PER_TURN && accept_one(listener->data); i++)
        ;
}

void loop_connection_closed(struct loop *loop)
{
    loop->sentry_count--;
    metric_add(loop->server->meter.connections, -1);
}

/* --- Requests that come back from other threads --- */

static void take_back(struct exchange *exchange)
{
    const bool is_leaving = atomic_load(&exchange->loop->phase) == PHASE_LEAVING;

    exchange->req.call.may_block = false;
    meter_place(exchange, PLACE_LOOP);
    if (exchange->h2o == NULL && (is_leaving || exchange->message == MESSAGE_DROP)) {
        exchange_give_back(exchange);
        return;
    }
    switch (exchange->message) {
    case MESSAGE_ANSWER:
        exchange_send(exchange);
        return;
    case MESSAGE_RUN:
        dispatch_run(exchange);
        return;
    case MESSAGE_DROP:
        problem_reply(exchange, ERR_UNAVAILABLE);
        exchange_send(exchange);
        return;
    }
}

/* All that came since the last time: one wake-up of the thread, whatever their number. */
static void on_messages(h2o_multithread_receiver_t *receiver, h2o_linklist_t *messages)
{
    struct loop *loop = H2O_STRUCT_FROM_MEMBER(struct loop, receiver, receiver);
    int64_t count = 0;

    while (!h2o_linklist_is_empty(messages)) {
        struct exchange *exchange =
            H2O_STRUCT_FROM_MEMBER(struct exchange, link.link, messages->next);
        h2o_linklist_unlink(&exchange->link.link);
        take_back(exchange);
        count++;
    }
    metric_add(loop->server->meter.handovers, count);
    metric_add(loop->server->meter.wakeups, 1);
}

/* H2O writes to its pipe after it has released its lock; `senders` keeps the loop alive until
 * then. */
static void send_message_to(struct loop *loop, h2o_multithread_receiver_t *receiver,
                            h2o_multithread_message_t *message)
{
    atomic_fetch_add(&loop->senders, 1);
    h2o_multithread_send_message(receiver, message);
    atomic_fetch_sub(&loop->senders, 1);
}

void loop_post(struct loop *loop, struct exchange *exchange, enum message message)
{
    exchange->message = message;
    send_message_to(loop, &loop->receiver, &exchange->link);
}

void loop_enter_phase(struct loop *loop, enum phase phase)
{
    atomic_fetch_add(&loop->senders, 1); /* before the phase is seen */
    atomic_store(&loop->phase, phase);
    h2o_multithread_send_message(&loop->receiver, NULL);
    atomic_fetch_sub(&loop->senders, 1);
}

/* The connection's mutex is held and it is open, so the loop is there. */
void loop_post_ws(struct loop *loop, h2o_multithread_message_t *link)
{
    atomic_fetch_add(&loop->ws_posted, 1);
    send_message_to(loop, &loop->ws_receiver, link);
}

static void on_ws_messages(h2o_multithread_receiver_t *receiver, h2o_linklist_t *messages)
{
    struct loop *loop = H2O_STRUCT_FROM_MEMBER(struct loop, ws_receiver, receiver);

    while (!h2o_linklist_is_empty(messages)) {
        h2o_multithread_message_t *message =
            H2O_STRUCT_FROM_MEMBER(h2o_multithread_message_t, link, messages->next);
        h2o_linklist_unlink(&message->link);
        ws_take_message(message);
        atomic_fetch_sub(&loop->ws_posted, 1);
    }
    metric_add(loop->server->meter.wakeups, 1);
}

/* --- Ending --- */

static void stop_listening(struct loop *loop)
{
    if (loop->listener == NULL)
        return;
    /* Who is in the kernel's queue already is let in: its request may have come too. */
    while (accept_one(loop))
        ;
    h2o_timeout_unlink(&loop->paused);
    h2o_socket_close(loop->listener);
    loop->listener = NULL;
}

static void report_drained(struct loop *loop)
{
    struct http_server *server = loop->server;

    if (loop->is_drained || loop->sentry_count > 0 || loop->live != NULL)
        return;
    loop->is_drained = true;
    pthread_mutex_lock(&server->mutex);
    server->drained_count++;
    pthread_cond_signal(&server->changed);
    pthread_mutex_unlock(&server->mutex);
}

static void orphan_parked(struct loop *loop)
{
    struct exchange *next;

    for (struct exchange *exchange = loop->live; exchange != NULL; exchange = next) {
        next = exchange->older;
        (void)exchange_orphan(exchange);
    }
}

/* What the phase asks for, after every turn of the loop. True: the loop is over. */
static bool wind_down(struct loop *loop)
{
    const enum phase phase = (enum phase)atomic_load(&loop->phase);

    if (phase == PHASE_SERVING)
        return false;
    stop_listening(loop);
    /* Not h2o_context_request_shutdown: it sets HTTP/2's timer, which would outlive the context. */
    loop->context.shutdown_requested = 1;
    if (phase == PHASE_STOPPING) {
        if (loop->stopping_turns < STOPPING_TURNS)
            loop->stopping_turns++;
        if (loop->stopping_turns == STOPPING_TURNS)
            sentries_close_idle(loop);
        ws_stop_all(loop);
        report_drained(loop);
        return false;
    }
    sentries_close_all(loop);
    ws_cut_all(loop);
    if (phase == PHASE_CUTTING)
        return false;
    orphan_parked(loop);
    return loop->live == NULL && atomic_load(&loop->ws_posted) == 0 &&
           atomic_load(&loop->senders) == 0;
}

static int32_t wait_ms(const struct loop *loop)
{
    switch ((enum phase)atomic_load(&loop->phase)) {
    case PHASE_STOPPING:
        return loop->stopping_turns < STOPPING_TURNS ? 0 : INT32_MAX;
    case PHASE_LEAVING:
        return LEAVING_WAIT_MS;
    case PHASE_SERVING:
    case PHASE_CUTTING:
        break;
    }
    return INT32_MAX;
}

/* --- The thread --- */

static void open_engine(struct loop *loop)
{
    const struct tuning *tuning = &loop->server->tuning;

    h2o_context_init(&loop->context, h2o_evloop_create(), &loop->server->config);
    h2o_loop_t *engine = loop->context.loop;
    rng_seeded_init(&loop->ids, rng_u64(loop->server->node->rng));
    h2o_timeout_init(engine, &loop->idle, (uint64_t)tuning->idle_ms);
    h2o_timeout_init(engine, &loop->receive, (uint64_t)tuning->receive_ms);
    h2o_timeout_init(engine, &loop->send, (uint64_t)tuning->send_ms);
    h2o_timeout_init(engine, &loop->linger, (uint64_t)tuning->linger_ms);
    h2o_timeout_init(engine, &loop->pause, PAUSE_MS);
    h2o_timeout_init(engine, &loop->tick, (uint64_t)tuning->tick_ms);
    loop->ticking = (h2o_timeout_entry_t){.cb = ws_on_tick};
    loop->arena = arena_open(0);
    loop->paused = (h2o_timeout_entry_t){.cb = on_pause_over};
    h2o_multithread_register_receiver(loop->context.queue, &loop->receiver, on_messages);
    h2o_multithread_register_receiver(loop->context.queue, &loop->ws_receiver, on_ws_messages);
    loop->accept_context =
        (h2o_accept_ctx_t){.ctx = &loop->context, .hosts = loop->server->config.hosts};
    loop->listener = h2o_evloop_socket_create(engine, loop->listen_fd, H2O_SOCKET_FLAG_DONT_READ);
    loop->listener->data = loop;
    h2o_socket_read_start(loop->listener, on_accept);
}

/* H2O keeps what it has freed for its thread in two thread-local lists and has no call to empty
 * them. That of the socket buffers is public. That of the pools is not: so they are asked for
 * all of it, and what they then have is freed behind their back. In this version a pool is a
 * list of malloc's pieces, each beginning with the next one's address. */
static void free_recycled(void)
{
    h2o_mem_recycle_t *buffers = &h2o_socket_buffer_prototype.allocator;
    h2o_mem_pool_t pool;

    while (buffers->cnt > 0)
        free(h2o_mem_alloc_recycle(buffers, 0));
    h2o_mem_init_pool(&pool);
    for (int i = 0; i < RECYCLED_PIECES; i++)
        (void)h2o_mem_alloc_pool(&pool, RECYCLED_PIECE_SIZE);
    void *piece = pool.chunks;
    while (piece != NULL) {
        void *next;
        memcpy(&next, piece, sizeof(next));
        free(piece);
        piece = next;
    }
}

static void close_engine(struct loop *loop)
{
    h2o_loop_t *engine = loop->context.loop;
    h2o_multithread_queue_t *queue = loop->context.queue;

    h2o_timeout_dispose(engine, &loop->idle);
    h2o_timeout_dispose(engine, &loop->receive);
    h2o_timeout_dispose(engine, &loop->send);
    h2o_timeout_dispose(engine, &loop->linger);
    h2o_timeout_dispose(engine, &loop->pause);
    h2o_timeout_unlink(&loop->ticking);
    h2o_timeout_dispose(engine, &loop->tick);
    arena_close(loop->arena);
    h2o_multithread_unregister_receiver(queue, &loop->receiver);
    h2o_multithread_unregister_receiver(queue, &loop->ws_receiver);
    h2o_context_dispose(&loop->context);
    free(queue); /* h2o_multithread_destroy_queue empties it only */
    h2o_evloop_destroy(engine);
    while (loop->free != NULL) {
        struct exchange *exchange = loop->free;
        loop->free = exchange->behind;
        exchange_free(exchange);
    }
    free_recycled();
}

static void *run_loop(void *arg)
{
    struct loop *loop = arg;
    struct http_server *server = loop->server;

    loop->runs_on = pthread_self();
    open_engine(loop);
    pthread_mutex_lock(&server->mutex);
    server->ready_count++;
    pthread_cond_signal(&server->changed);
    pthread_mutex_unlock(&server->mutex);

    do /* -1 is a signal or one socket that epoll would not take, whose timer then ends it */
        (void)h2o_evloop_run(loop->context.loop, wait_ms(loop));
    while (!wind_down(loop));
    close_engine(loop);
    return NULL;
}

bool loop_start(struct loop *loop)
{
    return pthread_create(&loop->thread, NULL, run_loop, loop) == 0;
}

void loop_join(struct loop *loop)
{
    pthread_join(loop->thread, NULL);
}
