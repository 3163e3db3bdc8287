/* payment/desk.c - a bounded pool for calls to providers, apart from the workers that everybody
 * shares: one slow provider cannot eat those.
 *
 * A request that waits is in `waiters` from its park to its one resume; whoever takes it out of
 * there, under the lock, resumes it. */
#include "services/payment/desk.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "services/payment/drive.h"
#include "services/payment/state.h"

enum { STACK_SIZE = 512 * 1024, THREADS = DESK_THREADS + DESK_RECONCILERS };

struct task {
    attempt_id attempt;
    int64_t lease_ms;
    char token[DESK_TOKEN_SIZE_MAX + 1]; /* empty: none */
};

/* A line of tasks with threads of its own: neither buyers nor the reconciler hold the other up. */
struct lane {
    struct desk *desk;
    struct task *tasks; /* a ring */
    size_t size;
    size_t first;
    size_t count;
    size_t running;
    pthread_cond_t work;
    pthread_cond_t done;
};

struct waiter {
    struct req *req;
    err (*then)(struct req *);
    attempt_id attempt;
    int64_t deadline_ms;
    struct waiter *next;
};

struct desk {
    struct instance *self;
    pthread_mutex_t lock; /* of all below */
    struct lane buyers;
    struct lane reconciler;
    struct waiter *waiters;
    bool closing;
    pthread_t threads[THREADS];
    size_t thread_count;
};

/* --- Waiting requests --- */

/* Takes the waiters out that match: of one attempt, or overdue ones if `attempt` is NULL. */
static struct waiter *take_waiters(struct desk *desk, const attempt_id *attempt, int64_t now_ms)
{
    struct waiter *taken = NULL;

    (void)pthread_mutex_lock(&desk->lock);
    for (struct waiter **at = &desk->waiters; *at != NULL;) {
        struct waiter *waiter = *at;

        if (attempt != NULL ? !uuid_eq(waiter->attempt.uuid, attempt->uuid)
                            : waiter->deadline_ms > now_ms) {
            at = &waiter->next;
            continue;
        }
        *at = waiter->next;
        waiter->next = taken;
        taken = waiter;
    }
    (void)pthread_mutex_unlock(&desk->lock);
    return taken;
}

static void resume_all(struct waiter *waiters)
{
    while (waiters != NULL) {
        struct waiter *waiter = waiters;

        waiters = waiter->next;
        req_resume(waiter->req, waiter->then, ON_WORKER);
        mem_free(waiter);
    }
}

void desk_wake(struct desk *desk, attempt_id attempt)
{
    resume_all(take_waiters(desk, &attempt, 0));
}

err desk_await(struct desk *desk, struct req *req, attempt_id attempt, err (*then)(struct req *))
{
    struct waiter *waiter = mem_new(struct waiter);
    struct instance *self = desk->self; /* the request may be answered before this returns */

    *waiter = (struct waiter){
        .req = req, .then = then, .attempt = attempt, .deadline_ms = req->call.now_ms + ANSWER_MS};
    const err parked = req_park(req);
    (void)pthread_mutex_lock(&desk->lock);
    waiter->next = desk->waiters;
    desk->waiters = waiter;
    (void)pthread_mutex_unlock(&desk->lock);
    chore_wake(self, DESK_CHORE);
    return parked;
}

err desk_answer_late(struct call *call, int64_t *ret_next_ms)
{
    struct desk *desk = payment_of(call)->desk;
    int64_t next_ms = CLOCK_NEVER_MS;

    resume_all(take_waiters(desk, NULL, call->now_ms));
    (void)pthread_mutex_lock(&desk->lock);
    for (const struct waiter *waiter = desk->waiters; waiter != NULL; waiter = waiter->next)
        if (next_ms == CLOCK_NEVER_MS || waiter->deadline_ms < next_ms)
            next_ms = waiter->deadline_ms;
    (void)pthread_mutex_unlock(&desk->lock);
    *ret_next_ms = next_ms;
    return ERR_OK;
}

/* --- Threads --- */

static bool take_task(struct lane *lane, struct task *ret)
{
    struct desk *desk = lane->desk;

    (void)pthread_mutex_lock(&desk->lock);
    while (lane->count == 0 && !desk->closing)
        (void)pthread_cond_wait(&lane->work, &desk->lock);
    const bool taken = !desk->closing;
    if (taken) {
        *ret = lane->tasks[lane->first];
        lane->first = (lane->first + 1) % lane->size;
        lane->count--;
        lane->running++;
    }
    (void)pthread_mutex_unlock(&desk->lock);
    return taken;
}

static void end_task(struct lane *lane)
{
    (void)pthread_mutex_lock(&lane->desk->lock);
    lane->running--;
    (void)pthread_cond_broadcast(&lane->done);
    (void)pthread_mutex_unlock(&lane->desk->lock);
}

static void run_task(struct desk *desk, const struct task *task)
{
    CLEANUP(call_done) struct call call = {0};
    struct attempt attempt = {0};

    call_init(&call, desk->self, "pay");
    const err e = attempt_find(&call, task->attempt, &attempt);
    if (e == ERR_OK && attempt.lease_ms != task->lease_ms) { /* it has waited so long: another's */
        desk_wake(desk, task->attempt);
        return;
    }
    if (e == ERR_OK) {
        attempt_drive_or_leave(&call, &attempt,
                               task->token[0] != '\0' ? str_of(task->token) : STR_ABSENT);
        return;
    }
    /* The lease of the attempt ends by itself. */
    log_event(desk->self->node->log, LOG_WARN, "payment.unread",
              LOG_CSTR("payment", id_format(PAYMENT_PREFIX, task->attempt.uuid).text),
              LOG_TEXT("request", call.request_id), LOG_TEXT("error", call_failure(&call, e)));
    desk_wake(desk, task->attempt);
}

static void *run_thread(void *arg)
{
    struct lane *lane = arg;
    struct task task;

    while (take_task(lane, &task)) {
        run_task(lane->desk, &task);
        end_task(lane);
    }
    return NULL;
}

/* Under the lock; there is room. */
static void add_task(struct lane *lane, const struct task *task)
{
    assert(lane->count < lane->size);
    lane->tasks[(lane->first + lane->count) % lane->size] = *task;
    lane->count++;
    (void)pthread_cond_signal(&lane->work);
}

err desk_submit(struct desk *desk, const struct attempt *attempt, str token)
{
    struct task task = {.attempt = attempt->id, .lease_ms = attempt->lease_ms};

    assert(token.size <= DESK_TOKEN_SIZE_MAX);
    if (token.size > 0)
        memcpy(task.token, token.ptr, token.size);
    (void)pthread_mutex_lock(&desk->lock);
    const bool full = desk->buyers.count == desk->buyers.size;
    if (!full)
        add_task(&desk->buyers, &task);
    (void)pthread_mutex_unlock(&desk->lock);
    return full ? ERR_OVERLOADED : ERR_OK;
}

void desk_reconcile(struct desk *desk, const struct attempt *attempt)
{
    const struct task task = {.attempt = attempt->id, .lease_ms = attempt->lease_ms};
    struct lane *lane = &desk->reconciler;

    (void)pthread_mutex_lock(&desk->lock);
    while (lane->count + lane->running == DESK_RECONCILERS)
        (void)pthread_cond_wait(&lane->done, &desk->lock);
    add_task(lane, &task);
    (void)pthread_mutex_unlock(&desk->lock);
}

void desk_reconciled(struct desk *desk)
{
    struct lane *lane = &desk->reconciler;

    (void)pthread_mutex_lock(&desk->lock);
    while (lane->count + lane->running > 0)
        (void)pthread_cond_wait(&lane->done, &desk->lock);
    (void)pthread_mutex_unlock(&desk->lock);
}

/* --- Up and down --- */

static void lane_open(struct desk *desk, struct lane *lane, size_t size)
{
    *lane =
        (struct lane){.desk = desk, .tasks = mem_alloc(size * sizeof(struct task)), .size = size};
    (void)pthread_cond_init(&lane->work, NULL);
    (void)pthread_cond_init(&lane->done, NULL);
}

static void lane_close(struct lane *lane)
{
    (void)pthread_cond_destroy(&lane->done);
    (void)pthread_cond_destroy(&lane->work);
    mem_free(lane->tasks);
}

static void start_threads(struct desk *desk, struct lane *lane, size_t count)
{
    pthread_attr_t attributes;

    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
    for (size_t i = 0; i < count; i++)
        if (pthread_create(&desk->threads[desk->thread_count], &attributes, run_thread, lane) == 0)
            desk->thread_count++;
    (void)pthread_attr_destroy(&attributes);
}

static void stop_threads(struct desk *desk)
{
    (void)pthread_mutex_lock(&desk->lock);
    desk->closing = true;
    (void)pthread_cond_broadcast(&desk->buyers.work);
    (void)pthread_cond_broadcast(&desk->reconciler.work);
    (void)pthread_mutex_unlock(&desk->lock);
    for (size_t i = 0; i < desk->thread_count; i++)
        (void)pthread_join(desk->threads[i], NULL);
}

struct desk *desk_open(struct instance *self)
{
    struct desk *desk = mem_new(struct desk);

    desk->self = self;
    (void)pthread_mutex_init(&desk->lock, NULL);
    lane_open(desk, &desk->buyers, DESK_WAITING_MAX);
    lane_open(desk, &desk->reconciler, DESK_RECONCILERS);
    start_threads(desk, &desk->buyers, DESK_THREADS);
    start_threads(desk, &desk->reconciler, DESK_RECONCILERS);
    if (desk->thread_count == THREADS)
        return desk;
    desk_close(desk);
    return NULL;
}

void desk_close(struct desk *desk)
{
    if (desk == NULL)
        return;
    stop_threads(desk);
    resume_all(take_waiters(desk, NULL, INT64_MAX));
    lane_close(&desk->reconciler);
    lane_close(&desk->buyers);
    (void)pthread_mutex_destroy(&desk->lock);
    mem_free(desk);
}
