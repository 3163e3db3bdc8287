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

enum { STACK_SIZE = 512 * 1024 };

struct task {
    attempt_id attempt;
    char token[DESK_TOKEN_SIZE_MAX + 1]; /* empty: none */
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
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct task tasks[DESK_WAITING_MAX]; /* a ring */
    size_t first;
    size_t count;
    struct waiter *waiters;
    bool closing;
    pthread_t threads[DESK_THREADS];
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

static bool take_task(struct desk *desk, struct task *ret)
{
    (void)pthread_mutex_lock(&desk->lock);
    while (desk->count == 0 && !desk->closing)
        (void)pthread_cond_wait(&desk->work, &desk->lock);
    const bool taken = !desk->closing;
    if (taken) {
        *ret = desk->tasks[desk->first];
        desk->first = (desk->first + 1) % DESK_WAITING_MAX;
        desk->count--;
    }
    (void)pthread_mutex_unlock(&desk->lock);
    return taken;
}

static void run_task(struct desk *desk, const struct task *task)
{
    CLEANUP(call_done) struct call call = {0};
    struct attempt attempt = {0};

    call_init(&call, desk->self, "pay");
    const err e = attempt_find(&call, task->attempt, &attempt);
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
    struct desk *desk = arg;
    struct task task;

    while (take_task(desk, &task))
        run_task(desk, &task);
    return NULL;
}

err desk_submit(struct desk *desk, attempt_id attempt, str token)
{
    struct task task = {.attempt = attempt};

    assert(token.size <= DESK_TOKEN_SIZE_MAX);
    if (token.size > 0)
        memcpy(task.token, token.ptr, token.size);
    (void)pthread_mutex_lock(&desk->lock);
    const bool full = desk->count == DESK_WAITING_MAX;
    if (!full) {
        desk->tasks[(desk->first + desk->count) % DESK_WAITING_MAX] = task;
        desk->count++;
        (void)pthread_cond_signal(&desk->work);
    }
    (void)pthread_mutex_unlock(&desk->lock);
    return full ? ERR_OVERLOADED : ERR_OK;
}

static void stop_threads(struct desk *desk)
{
    (void)pthread_mutex_lock(&desk->lock);
    desk->closing = true;
    (void)pthread_cond_broadcast(&desk->work);
    (void)pthread_mutex_unlock(&desk->lock);
    for (size_t i = 0; i < desk->thread_count; i++)
        (void)pthread_join(desk->threads[i], NULL);
}

struct desk *desk_open(struct instance *self)
{
    struct desk *desk = mem_new(struct desk);
    pthread_attr_t attributes;

    desk->self = self;
    (void)pthread_mutex_init(&desk->lock, NULL);
    (void)pthread_cond_init(&desk->work, NULL);
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK_SIZE);
    while (desk->thread_count < DESK_THREADS &&
           pthread_create(&desk->threads[desk->thread_count], &attributes, run_thread, desk) == 0)
        desk->thread_count++;
    (void)pthread_attr_destroy(&attributes);
    if (desk->thread_count == DESK_THREADS)
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
    (void)pthread_cond_destroy(&desk->work);
    (void)pthread_mutex_destroy(&desk->lock);
    mem_free(desk);
}
