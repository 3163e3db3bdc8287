/* platform/db/gate_test.c - in order of arrival, and not for ever. */

#include "platform/db/gate.h"

#include <sched.h>
#include <stddef.h>

#include "support/test.h"

enum { THREAD_COUNT = 16, LONG_MS = 30000, SHORT_MS = 10 };

struct visit {
    pthread_t thread;
    struct gate *gate;
    int *next; /* guarded by the gate */
    int place; /* who came in as the how manyth */
    bool admitted;
};

static void *visit_run(void *arg)
{
    struct visit *visit = arg;

    visit->admitted = gate_enter(visit->gate, LONG_MS);
    if (visit->admitted) {
        visit->place = (*visit->next)++;
        gate_leave(visit->gate);
    }
    return NULL;
}

/* Whoever leaves the gate stands in its queue. */
static void wait_until_queued(struct gate *gate, const struct gate_waiter *before)
{
    for (;;) {
        const struct gate_waiter *last;

        (void)pthread_mutex_lock(&gate->mutex);
        last = gate->last;
        (void)pthread_mutex_unlock(&gate->mutex);
        if (last != before)
            return;
        (void)sched_yield();
    }
}

TEST(who_came_first_is_let_in_first)
{
    struct visit visits[THREAD_COUNT] = {0};
    struct gate gate;
    int next = 0;

    gate_init(&gate, 1);
    CHECK(gate_enter(&gate, 0));
    for (int i = 0; i < THREAD_COUNT; i++) {
        const struct gate_waiter *before = gate.last;

        visits[i] = (struct visit){.gate = &gate, .next = &next, .place = -1};
        CHECK(pthread_create(&visits[i].thread, NULL, visit_run, &visits[i]) == 0);
        wait_until_queued(&gate, before);
    }
    CHECK(!gate_try(&gate)); /* nobody overtakes them */
    gate_leave(&gate);
    for (int i = 0; i < THREAD_COUNT; i++) {
        CHECK(pthread_join(visits[i].thread, NULL) == 0);
        CHECK(visits[i].admitted);
        CHECK_I64(i, visits[i].place);
    }
    CHECK(gate_try(&gate));
    gate_leave(&gate);
    gate_done(&gate);
}

TEST(as_many_are_inside_as_there_are_permits)
{
    struct gate gate;

    gate_init(&gate, 3);
    for (int i = 0; i < 3; i++)
        CHECK(gate_try(&gate));
    CHECK(!gate_try(&gate));
    CHECK(!gate_enter(&gate, SHORT_MS));
    gate_leave(&gate);
    CHECK(gate_enter(&gate, SHORT_MS));
    CHECK(!gate_try(&gate));
    for (int i = 0; i < 3; i++)
        gate_leave(&gate);
    gate_done(&gate);
}

TEST(who_gives_up_does_not_hold_up_the_others)
{
    struct visit visit = {0};
    struct gate gate;
    int next = 0;

    gate_init(&gate, 1);
    CHECK(gate_enter(&gate, 0));
    visit = (struct visit){.gate = &gate, .next = &next, .place = -1};
    CHECK(pthread_create(&visit.thread, NULL, visit_run, &visit) == 0);
    wait_until_queued(&gate, NULL);
    CHECK(!gate_enter(&gate, SHORT_MS)); /* queued behind it, and left as the last */
    CHECK(!gate_enter(&gate, 0));
    gate_leave(&gate);
    CHECK(pthread_join(visit.thread, NULL) == 0);
    CHECK(visit.admitted);
    CHECK(gate_try(&gate));
    gate_leave(&gate);
    gate_done(&gate);
}
