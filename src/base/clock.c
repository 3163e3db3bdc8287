/* base/clock.c - the system's clock, the one that runs ahead of it, and the one that stands still.
 *
 * Waits are on CLOCK_MONOTONIC, deadlines on the clock that was asked. Those two can drift apart
 * (the machine's time is set, a test advances its clock), so a wait is cut into slices and looks
 * at its clock in between: long ones on the system's clock, short ones where time moves by
 * command. */

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

enum {
    SLICE_SYSTEM_MS = 1000,
    SLICE_TEST_MS = 5,
    MS_PER_S = 1000,
};
#define NS_PER_S  INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

static struct timespec read_clock(clockid_t id)
{
    struct timespec now;
    const int failed = clock_gettime(id, &now);

    assert(failed == 0);
    return now;
}

static int64_t system_ms(void)
{
    const struct timespec now = read_clock(CLOCK_REALTIME);

    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

/* False if it was left because of the time, true if somebody signalled (or for no reason). */
static bool wait_slice(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t ms)
{
    struct timespec until = read_clock(CLOCK_MONOTONIC);
    const int64_t ns = until.tv_nsec + ms % MS_PER_S * NS_PER_MS;

    until.tv_sec += ms / MS_PER_S + ns / NS_PER_S;
    until.tv_nsec = ns % NS_PER_S;
    const int rc = pthread_cond_timedwait(cond, mutex, &until);
    assert(rc == 0 || rc == ETIMEDOUT);
    return rc == 0;
}

static void wait_in_slices(struct clock *clock, pthread_cond_t *cond, pthread_mutex_t *mutex,
                           int64_t until_ms, int64_t slice_ms)
{
    if (until_ms == CLOCK_NEVER_MS) {
        const int rc = pthread_cond_wait(cond, mutex);
        assert(rc == 0);
        return;
    }
    for (;;) {
        const int64_t now_ms = clock_now_ms(clock);
        int64_t left_ms;

        if (until_ms <= now_ms)
            return;
        if (__builtin_sub_overflow(until_ms, now_ms, &left_ms) || left_ms > slice_ms)
            left_ms = slice_ms;
        if (wait_slice(cond, mutex, left_ms))
            return;
    }
}

/* --- The machine's --- */

static int64_t system_now_ms([[maybe_unused]] const struct clock *clock)
{
    return system_ms();
}

static void system_wait(struct clock *clock, pthread_cond_t *cond, pthread_mutex_t *mutex,
                        int64_t until_ms)
{
    wait_in_slices(clock, cond, mutex, until_ms, SLICE_SYSTEM_MS);
}

struct clock *clock_system(void)
{
    static struct clock system = {.now_ms = system_now_ms, .wait = system_wait};

    return &system;
}

/* --- Ahead of it --- */

static int64_t test_now_ms(const struct clock *clock)
{
    const struct clock_test *test = (const struct clock_test *)clock;

    return system_ms() + test->ahead_ms;
}

static void test_wait(struct clock *clock, pthread_cond_t *cond, pthread_mutex_t *mutex,
                      int64_t until_ms)
{
    wait_in_slices(clock, cond, mutex, until_ms, SLICE_TEST_MS);
}

void clock_test_init(struct clock_test *test)
{
    test->clock = (struct clock){.now_ms = test_now_ms, .wait = test_wait};
    test->ahead_ms = 0;
}

void clock_test_advance(struct clock_test *test, int64_t by_ms)
{
    assert(by_ms >= 0);
    test->ahead_ms += by_ms;
}

/* --- Still --- */

static int64_t manual_now_ms(const struct clock *clock)
{
    return ((const struct clock_manual *)clock)->now_ms;
}

void clock_manual_init(struct clock_manual *manual, int64_t now_ms)
{
    manual->clock = (struct clock){.now_ms = manual_now_ms, .wait = test_wait};
    manual->now_ms = now_ms;
}

void clock_manual_advance(struct clock_manual *manual, int64_t by_ms)
{
    manual->now_ms += by_ms;
}

/* --- Whichever it is --- */

int64_t clock_now_ms(const struct clock *clock)
{
    return clock->now_ms(clock);
}

void clock_wait(struct clock *clock, pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t until_ms)
{
    clock->wait(clock, cond, mutex, until_ms);
}

void clock_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    int failed = pthread_condattr_init(&attributes);

    failed |= pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    failed |= pthread_cond_init(cond, &attributes);
    failed |= pthread_condattr_destroy(&attributes);
    assert(failed == 0);
}

int64_t clock_stopwatch_ns(void)
{
    const struct timespec now = read_clock(CLOCK_MONOTONIC);

    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t clock_thread_ns(void)
{
    const struct timespec used = read_clock(CLOCK_THREAD_CPUTIME_ID);

    return (int64_t)used.tv_sec * NS_PER_S + used.tv_nsec;
}
