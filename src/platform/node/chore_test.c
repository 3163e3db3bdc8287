/* platform/node/chore_test.c - when chores run: by hand, on their threads, on both at once. */

#include <stdatomic.h>

#include "base/mem.h"
#include "base/time.h"
#include "platform/node/node_fixture.h"
#include "support/test.h"

/* The state of the service "clockwork": what its chore shall do, and what it has seen. */
struct clockwork {
    atomic_int runs;
    atomic_int inside;
    atomic_int overlaps;
    atomic_int fail;  /* so many runs ... */
    err fail_with;    /* ... with this */
    int64_t every_ms; /* CLOCK_NEVER_MS: only when woken */
    int64_t ran_ms;
    int wake_self; /* so many runs */
    int woken_runs;
};

static err open_clockwork(struct instance *self, [[maybe_unused]] struct call *call)
{
    struct clockwork *state = mem_new(struct clockwork);

    state->every_ms = 10000;
    state->fail_with = ERR_INTERNAL;
    self->state = state;
    return ERR_OK;
}

static void close_clockwork(struct instance *self)
{
    mem_free(self->state);
}

static err run_tick(struct call *call, int64_t *ret_next_ms)
{
    struct clockwork *state = call->self->state;

    if (state->inside++ > 0)
        state->overlaps++;
    state->runs++;
    state->ran_ms = call->now_ms;
    if (state->wake_self > 0) {
        state->wake_self--;
        chore_wake(call->self, "tick");
    }
    *ret_next_ms =
        state->every_ms == CLOCK_NEVER_MS ? CLOCK_NEVER_MS : call->now_ms + state->every_ms;
    state->inside--;
    if (state->fail > 0) {
        state->fail--;
        return call_explain(call, state->fail_with, "The spring is broken.");
    }
    return ERR_OK;
}

/* Wakes the other one, which stands before it: a second round has to see to it. */
static err run_waker(struct call *call, int64_t *ret_next_ms)
{
    struct clockwork *state = call->self->state;

    if (state->woken_runs++ == 0)
        chore_wake(call->self, "tick");
    *ret_next_ms = CLOCK_NEVER_MS;
    return ERR_OK;
}

static const struct chore chores[] = {
    {"tick",  run_tick },
    {"waker", run_waker},
    {NULL,    NULL     }
};
static const struct service clockwork = {
    .name = "clockwork",
    .chores = chores,
    .open = open_clockwork,
    .close = close_clockwork,
};
static const struct service *const services[] = {&clockwork, NULL};

static struct clockwork *open_fixture(struct fixture *fixture)
{
    fixture_init(fixture);
    fixture_open(fixture, services, false);
    return fixture_find(fixture, "clockwork")->state;
}

TEST(a_chore_runs_once_at_the_start_and_then_when_it_said)
{
    CLEANUP(fixture_done) struct fixture fixture;
    struct clockwork *work = open_fixture(&fixture);

    CHECK_I64(0, work->runs);
    node_run_due(fixture.node);
    CHECK_I64(2, work->runs); /* at the start, and woken by the other one */
    fixture_advance(&fixture, 9999);
    CHECK_I64(2, work->runs);
    fixture_advance(&fixture, 1);
    CHECK_I64(3, work->runs);
    CHECK_I64(FIXTURE_START_MS + 10000, work->ran_ms);

    fixture_advance(&fixture, 3600000); /* a jump is one occasion, not 360 */
    CHECK_I64(4, work->runs);
}

TEST(a_chore_without_a_next_time_runs_only_when_woken)
{
    CLEANUP(fixture_done) struct fixture fixture;
    struct clockwork *work = open_fixture(&fixture);

    work->every_ms = CLOCK_NEVER_MS;
    node_run_due(fixture.node);
    CHECK_I64(2, work->runs);
    fixture_advance(&fixture, 1000 * DAY_MS);
    CHECK_I64(2, work->runs);
    chore_wake(fixture_find(&fixture, "clockwork"), "tick");
    chore_wake(fixture_find(&fixture, "clockwork"), "tick");
    node_run_due(fixture.node);
    CHECK_I64(3, work->runs);
}

TEST(a_wake_during_the_run_is_a_run_of_its_own)
{
    CLEANUP(fixture_done) struct fixture fixture;
    struct clockwork *work = open_fixture(&fixture);

    node_run_due(fixture.node);
    work->wake_self = 5;
    chore_wake(fixture_find(&fixture, "clockwork"), "tick");
    node_run_due(fixture.node);
    CHECK_I64(2 + 6, work->runs);
}

TEST(a_failing_chore_is_logged_and_backs_off_even_if_it_is_woken)
{
    static const int64_t delays_s[] = {1, 2, 4, 8, 16, 32, 60, 60};
    CLEANUP(fixture_done) struct fixture fixture;
    struct clockwork *work = open_fixture(&fixture);

    work->every_ms = CLOCK_NEVER_MS;
    node_run_due(fixture.node);
    work->fail = 8;
    chore_wake(fixture_find(&fixture, "clockwork"), "tick");
    node_run_due(fixture.node);
    for (int i = 0; i < 8; i++) {
        CHECK_I64(3 + i, work->runs);
        CHECK_I64(1 + i, fixture_logged(&fixture, "chore.failed"));
        fixture_advance(&fixture, delays_s[i] * 1000 - 1);
        chore_wake(fixture_find(&fixture, "clockwork"), "tick");
        node_run_due(fixture.node);
        CHECK_I64(3 + i, work->runs);
        fixture_advance(&fixture, 1);
    }
    CHECK_I64(3 + 8, work->runs); /* the last one went well */
    CHECK_I64(8, fixture_logged(&fixture, "The spring is broken."));

    work->fail = 1; /* what is over counts no more */
    chore_wake(fixture_find(&fixture, "clockwork"), "tick");
    node_run_due(fixture.node);
    CHECK_I64(12, work->runs);
    fixture_advance(&fixture, 1000);
    CHECK_I64(13, work->runs);
}

/* An outage of an hour costs no minute more. */
TEST(what_was_away_is_looked_for_every_two_seconds_and_told_of_less_and_less)
{
    CLEANUP(fixture_done) struct fixture fixture;
    struct clockwork *work = open_fixture(&fixture);
    int runs = 0;

    work->every_ms = CLOCK_NEVER_MS;
    work->fail_with = ERR_UNAVAILABLE;
    work->fail = 1801;
    fixture_advance(&fixture, 0);
    for (int i = 0; i < 1800; i++)
        fixture_advance(&fixture, 2000);
    CHECK_I64(0, work->fail);
    CHECK_I64(11, fixture_logged(&fixture, "chore.failed")); /* 1, 2, 4 ... 1024 */
    runs = work->runs;
    fixture_advance(&fixture, 2000);
    CHECK_I64(runs + 1, work->runs); /* which went well */
    fixture_advance(&fixture, 3600000);
    CHECK_I64(runs + 1, work->runs);
}

TEST(a_clock_that_is_set_back_makes_every_chore_look_again)
{
    CLEANUP(fixture_done) struct fixture fixture;
    struct clockwork *work = open_fixture(&fixture);

    node_run_due(fixture.node);
    fixture_advance(&fixture, -DAY_MS);
    CHECK_I64(3, work->runs);
    fixture_advance(&fixture, 10000);
    CHECK_I64(4, work->runs);
}

TEST(what_is_due_is_counted)
{
    CLEANUP(fixture_done) struct fixture fixture;
    struct clockwork *work = open_fixture(&fixture);
    struct instance *self = fixture_find(&fixture, "clockwork");

    CHECK_I64(2, chores_run_due(self)); /* both, for the start */
    CHECK_I64(1, chores_run_due(self)); /* the first, woken by the second */
    CHECK_I64(0, chores_run_due(self));
    CHECK_I64(2, work->runs);
}

/* The threads wait on a clock that stands still, so what is seen here was signalled or worked
 * off. */
TEST(threads_and_node_run_due_never_run_a_chore_twice_at_once)
{
    CLEANUP(fixture_done) struct fixture fixture;

    fixture_init(&fixture);
    fixture_open(&fixture, services, true);
    struct instance *self = fixture_find(&fixture, "clockwork");
    struct clockwork *work = self->state;
    for (int i = 0; i < 200; i++) {
        const int before = work->runs;
        chore_wake(self, "tick");
        clock_manual_advance(&fixture.clock, 10000);
        node_run_due(fixture.node);
        CHECK(work->runs > before); /* whoever ran it: it has ended */
    }
    CHECK_I64(0, work->overlaps);
}
