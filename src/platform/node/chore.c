/* platform/node/chore.c - background work: who runs when, and on which thread.
 *
 * A chore is idle or runs, and whoever makes it run (its thread, or node_run_due) has first seen
 * it idle under its mutex; the mutex itself is free while it runs, so a wake never waits for a
 * run:
 *
 *     idle --run_locked--> running --run_locked--> idle    (woken again meanwhile: due at once)
 *
 * Everybody who waits, waits on one condition and looks again at whatever has changed. */

#include "platform/node/chore.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "platform/node/node.h"

enum {
    CHORE_STACK_SIZE = 512 * 1024,
    CHORE_BACKOFF_MAX_S = 60,
    CHORE_AWAY_MAX_S = 2,  /* if what it needs is away: mostly a database, which says so at once */
    THREAD_NAME_SIZE = 16, /* the kernel's limit, with the NUL */
};

struct slot {
    struct chores *chores;
    const char *name;
    const struct chore *own; /* of the service; NULL: the node's, with run and arg */
    err (*run)(struct call *call, void *arg, int64_t *ret_next_ms);
    void *arg;
    struct call call; /* of whoever runs it */
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    /* Under the mutex: */
    bool running;
    bool woken;
    int failures;    /* since it last succeeded */
    int64_t ran_ms;  /* when it last began */
    int64_t next_ms; /* CLOCK_NEVER_MS: only when woken */
    struct slot *next;
};

struct chores {
    struct instance *self;
    struct slot *slots;
    _Atomic uint64_t activity;
    _Atomic bool stopping;
};

/* --- Rules --- */

static bool is_due(const struct slot *slot, int64_t now_ms)
{
    if (now_ms < slot->ran_ms) /* the clock was set back: what was decided by it is void */
        return true;
    if (slot->woken && slot->failures == 0)
        return true;
    return slot->next_ms != CLOCK_NEVER_MS && slot->next_ms <= now_ms;
}

static bool is_away(err e)
{
    return e == ERR_UNAVAILABLE || e == ERR_OVERLOADED;
}

static int64_t backoff_s(int failures, err e)
{
    const int64_t max_s = is_away(e) ? CHORE_AWAY_MAX_S : CHORE_BACKOFF_MAX_S;
    const int64_t doubled_s = failures > 6 ? CHORE_BACKOFF_MAX_S : INT64_C(1) << (failures - 1);

    assert(failures > 0);
    return doubled_s < max_s ? doubled_s : max_s;
}

/* What is away for long is told of less and less often. */
static bool is_told(int failures, err e)
{
    return !is_away(e) || (failures & (failures - 1)) == 0;
}

/* --- One run --- */

static int64_t now_of(const struct slot *slot)
{
    return clock_now_ms(slot->chores->self->node->clock);
}

static void log_failure(struct slot *slot, err e, int64_t retry_s)
{
    struct instance *self = slot->chores->self;

    log_event(self->node->log, LOG_WARN, "chore.failed", LOG_CSTR("service", self->service->name),
              LOG_CSTR("chore", slot->name), LOG_TEXT("request", slot->call.request_id),
              LOG_TEXT("error", call_failure(&slot->call, e)), LOG_I64("failures", slot->failures),
              LOG_I64("retry_s", retry_s));
}

/* The mutex is held, the slot idle; both hold again afterwards. */
static void run_locked(struct slot *slot)
{
    int64_t next_ms = CLOCK_NEVER_MS;

    assert(!slot->running);
    slot->running = true;
    slot->woken = false;
    pthread_mutex_unlock(&slot->mutex);

    (void)err_trail_take(); /* what earlier runs had coped with */
    call_next(&slot->call);
    const int64_t ran_ms = slot->call.now_ms;
    const err e = slot->own != NULL ? slot->own->run(&slot->call, &next_ms)
                                    : slot->run(&slot->call, slot->arg, &next_ms);
    assert(!tx_is_open_here());

    pthread_mutex_lock(&slot->mutex);
    slot->failures = e == ERR_OK ? 0 : slot->failures + 1;
    if (e != ERR_OK) {
        const int64_t retry_s = backoff_s(slot->failures, e);
        if (is_told(slot->failures, e))
            log_failure(slot, e, retry_s);
        next_ms = now_of(slot) + retry_s * 1000;
    }
    slot->ran_ms = ran_ms;
    slot->next_ms = next_ms;
    slot->running = false;
    slot->chores->activity++;
    pthread_cond_broadcast(&slot->changed);
}

static void *chore_thread(void *arg)
{
    struct slot *slot = arg;
    struct clock *clock = slot->chores->self->node->clock;

    pthread_mutex_lock(&slot->mutex);
    while (!slot->chores->stopping)
        if (slot->running)
            clock_wait(clock, &slot->changed, &slot->mutex, CLOCK_NEVER_MS);
        else if (is_due(slot, clock_now_ms(clock)))
            run_locked(slot);
        else
            clock_wait(clock, &slot->changed, &slot->mutex, slot->next_ms);
    pthread_mutex_unlock(&slot->mutex);
    return NULL;
}

/* True if it was running or due. */
static bool run_if_due(struct slot *slot)
{
    struct clock *clock = slot->chores->self->node->clock;

    pthread_mutex_lock(&slot->mutex);
    bool any = slot->running;
    while (slot->running)
        clock_wait(clock, &slot->changed, &slot->mutex, CLOCK_NEVER_MS);
    if (is_due(slot, clock_now_ms(clock))) {
        any = true;
        run_locked(slot);
    }
    pthread_mutex_unlock(&slot->mutex);
    return any;
}

/* --- The life of an instance's chores --- */

static struct slot *add(struct instance *self, const char *name)
{
    struct slot *slot = mem_new(struct slot);
    struct slot **end = &self->chores->slots;

    for (; *end != NULL; end = &(*end)->next)
        assert(strcmp((*end)->name, name) != 0);
    *end = slot;

    slot->chores = self->chores;
    slot->name = name;
    slot->woken = true; /* everything is looked at once when the node starts */
    call_init(&slot->call, self, name);
    pthread_mutex_init(&slot->mutex, NULL);
    clock_cond_init(&slot->changed);
    return slot;
}

void chores_open(struct instance *self, const struct chore *own)
{
    assert(self->chores == NULL);
    self->chores = mem_new(struct chores);
    self->chores->self = self;
    for (; own != NULL && own->name != NULL; own++)
        add(self, own->name)->own = own;
}

void chores_add(struct instance *self, const char *name,
                err (*run)(struct call *call, void *arg, int64_t *ret_next_ms), void *arg)
{
    struct slot *slot = add(self, name);

    slot->run = run;
    slot->arg = arg;
}

static err start_thread(struct slot *slot, const pthread_attr_t *attr)
{
    char name[THREAD_NAME_SIZE] = {0};

    if (pthread_create(&slot->thread, attr, chore_thread, slot) != 0)
        return ERR_UNAVAILABLE;
    slot->has_thread = true;
    for (size_t i = 0; i < sizeof(name) - 1 && slot->name[i] != '\0'; i++)
        name[i] = slot->name[i];
    pthread_setname_np(slot->thread, name); /* for ps and gdb; nothing depends on it */
    return ERR_OK;
}

err chores_start(struct instance *self)
{
    pthread_attr_t attr;
    sigset_t all;
    sigset_t before;
    err e = ERR_OK;

    /* Signals are for the main thread; a new thread inherits what is blocked. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, CHORE_STACK_SIZE);
    for (struct slot *slot = self->chores->slots; slot != NULL && e == ERR_OK; slot = slot->next)
        e = start_thread(slot, &attr);
    pthread_attr_destroy(&attr);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return e;
}

void chores_stop(struct instance *self)
{
    if (self->chores == NULL)
        return;
    self->chores->stopping = true;
    for (struct slot *slot = self->chores->slots; slot != NULL; slot = slot->next) {
        pthread_mutex_lock(&slot->mutex); /* so that none is between its look and its wait */
        pthread_cond_broadcast(&slot->changed);
        pthread_mutex_unlock(&slot->mutex);
    }
}

bool chores_stopping(const struct instance *self)
{
    return self->chores->stopping;
}

void chores_join(struct instance *self)
{
    if (self->chores == NULL)
        return;
    assert(self->chores->stopping);
    for (struct slot *slot = self->chores->slots; slot != NULL; slot = slot->next) {
        if (slot->has_thread)
            pthread_join(slot->thread, NULL);
        slot->has_thread = false;
    }
}

void chores_close(struct instance *self)
{
    struct chores *chores = self->chores;

    if (chores == NULL)
        return;
    self->chores = NULL;
    for (struct slot *slot = chores->slots; slot != NULL;) {
        struct slot *done = slot;
        slot = slot->next;
        assert(!done->has_thread && !done->running);
        call_done(&done->call);
        pthread_mutex_destroy(&done->mutex);
        pthread_cond_destroy(&done->changed);
        mem_free(done);
    }
    mem_free(chores);
}

/* --- From outside --- */

void chore_wake(struct instance *self, const char *name)
{
    if (self->chores == NULL)
        return;
    struct slot *slot = self->chores->slots;
    while (slot != NULL && strcmp(slot->name, name) != 0)
        slot = slot->next;
    assert(slot != NULL);

    pthread_mutex_lock(&slot->mutex);
    slot->woken = true;
    slot->chores->activity++;
    pthread_cond_broadcast(&slot->changed);
    pthread_mutex_unlock(&slot->mutex);
}

int chores_run_due(struct instance *self)
{
    int count = 0;

    for (struct slot *slot = self->chores->slots; slot != NULL; slot = slot->next)
        count += run_if_due(slot);
    return count;
}

uint64_t chores_activity(const struct instance *self)
{
    return self->chores->activity;
}
