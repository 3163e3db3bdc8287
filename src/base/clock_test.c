/* base/clock_test.c */
#include "support/test.h"

#include <time.h>

#include "base/clock.h"

enum { NOW_MS = 1000000 };

/* One thread waits, the test moves time or signals. */
struct waiter {
    struct clock *clock;
    pthread_cond_t cond;
    pthread_mutex_t mutex;
    int64_t until_ms;
    bool waits;
    bool told;
    int64_t back_ms;
    int64_t worked_ns; /* by the waiting thread: a wait must not spin */
};

static int64_t thread_ns(void)
{
    struct timespec spent;

    CHECK_I64(0, clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent));
    return (int64_t)spent.tv_sec * 1000000000 + spent.tv_nsec;
}

static void *wait_for_it(void *arg)
{
    struct waiter *waiter = arg;

    pthread_mutex_lock(&waiter->mutex);
    waiter->waits = true;
    while (!waiter->told &&
           (waiter->until_ms == CLOCK_NEVER_MS || clock_now_ms(waiter->clock) < waiter->until_ms))
        clock_wait(waiter->clock, &waiter->cond, &waiter->mutex, waiter->until_ms);
    waiter->back_ms = clock_now_ms(waiter->clock);
    waiter->worked_ns = thread_ns();
    pthread_mutex_unlock(&waiter->mutex);
    return NULL;
}

static void begin(struct waiter *waiter, pthread_t *thread)
{
    bool waits = false;

    clock_cond_init(&waiter->cond);
    CHECK_I64(0, pthread_mutex_init(&waiter->mutex, NULL));
    CHECK_I64(0, pthread_create(thread, NULL, wait_for_it, waiter));
    while (!waits) { /* once it waits, it has given the mutex back */
        pthread_mutex_lock(&waiter->mutex);
        waits = waiter->waits;
        pthread_mutex_unlock(&waiter->mutex);
    }
}

static void end(struct waiter *waiter, pthread_t thread)
{
    CHECK_I64(0, pthread_join(thread, NULL));
    pthread_mutex_destroy(&waiter->mutex);
    pthread_cond_destroy(&waiter->cond);
}

TEST(a_manual_clock_stands_still_until_it_is_moved)
{
    struct clock_manual manual;

    clock_manual_init(&manual, NOW_MS);
    CHECK_I64(NOW_MS, clock_now_ms(&manual.clock));
    clock_manual_advance(&manual, 5);
    CHECK_I64(NOW_MS + 5, clock_now_ms(&manual.clock));
    clock_manual_advance(&manual, -10);
    CHECK_I64(NOW_MS - 5, clock_now_ms(&manual.clock));
}

TEST(moving_a_manual_clock_ends_a_wait)
{
    struct clock_manual manual;
    clock_manual_init(&manual, NOW_MS);
    struct waiter waiter = {.clock = &manual.clock, .until_ms = NOW_MS + 3600000};
    pthread_t thread;

    begin(&waiter, &thread);
    clock_manual_advance(&manual, 3600000);
    end(&waiter, thread);
    CHECK_I64(NOW_MS + 3600000, waiter.back_ms);
}

TEST(a_signal_ends_a_wait_without_moving_time)
{
    struct clock_manual manual;
    clock_manual_init(&manual, NOW_MS);
    static const int64_t untils[] = {CLOCK_NEVER_MS, NOW_MS + 3600000};

    for (size_t i = 0; i < 2; i++) {
        struct waiter waiter = {.clock = &manual.clock, .until_ms = untils[i]};
        pthread_t thread;

        begin(&waiter, &thread);
        pthread_mutex_lock(&waiter.mutex);
        waiter.told = true;
        pthread_cond_signal(&waiter.cond);
        pthread_mutex_unlock(&waiter.mutex);
        end(&waiter, thread);
        CHECK_I64(NOW_MS, waiter.back_ms);
    }
}

TEST(a_test_clock_runs_ahead_of_the_system)
{
    struct clock_test test;

    clock_test_init(&test);
    clock_test_advance(&test, 600000);
    clock_test_advance(&test, 1);
    const int64_t ahead_ms = clock_now_ms(&test.clock) - clock_now_ms(clock_system());
    CHECK(ahead_ms > 590000 && ahead_ms <= 600001);
}

TEST(advancing_a_test_clock_ends_a_wait)
{
    struct clock_test test;
    clock_test_init(&test);
    struct waiter waiter = {.clock = &test.clock, .until_ms = clock_now_ms(&test.clock) + 3600000};
    pthread_t thread;

    begin(&waiter, &thread);
    clock_test_advance(&test, 3600000);
    end(&waiter, thread);
    CHECK(waiter.back_ms >= waiter.until_ms);
}

TEST(a_wait_on_the_system_ends_at_its_time_and_not_before)
{
    const int64_t from_ns = clock_stopwatch_ns();
    struct waiter waiter = {.clock = clock_system(), .until_ms = clock_now_ms(clock_system()) + 60};
    pthread_t thread;

    begin(&waiter, &thread);
    end(&waiter, thread);
    CHECK(waiter.back_ms >= waiter.until_ms);
    CHECK(clock_stopwatch_ns() - from_ns >= INT64_C(50000000));
    CHECK(waiter.worked_ns < INT64_C(30000000));
}

TEST(a_wait_for_what_has_passed_does_not_wait)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    struct clock_manual manual;
    pthread_cond_t cond;

    clock_manual_init(&manual, NOW_MS);
    clock_cond_init(&cond);
    pthread_mutex_lock(&mutex);
    clock_wait(&manual.clock, &cond, &mutex, NOW_MS);
    clock_wait(&manual.clock, &cond, &mutex, INT64_MIN);
    clock_wait(clock_system(), &cond, &mutex, 1);
    pthread_mutex_unlock(&mutex);
    pthread_cond_destroy(&cond);
}

TEST(the_system_clock_is_the_time_of_day)
{
    const int64_t before_s = time(NULL);
    const int64_t now_ms = clock_now_ms(clock_system());

    CHECK(now_ms / 1000 >= before_s - 1 && now_ms / 1000 <= time(NULL) + 1);
}
