/* base/clock.h - the only source of the time. Everything else is handed its `now_ms`.
 *
 * Instants are int64 milliseconds since 1970-01-01T00:00:00Z throughout, named `_ms` or
 * `_at_ms`. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct clock {
    int64_t (*now_ms)(const struct clock *clock);
    /* Waits on `cond` (made by clock_cond_init) until signalled or until `until_ms` of this
     * clock. */
    void (*wait)(struct clock *clock, pthread_cond_t *cond, pthread_mutex_t *mutex,
                 int64_t until_ms);
};

enum { CLOCK_NEVER_MS = 0 }; /* "until" of a wait that only a signal ends */

/* The machine's clock. */
struct clock *clock_system(void);

/* A clock that stands a settable distance ahead of the system's: --test-clock. */
struct clock_test {
    struct clock clock;
    _Atomic int64_t ahead_ms;
};
void clock_test_init(struct clock_test *test);
void clock_test_advance(struct clock_test *test, int64_t by_ms);

/* A clock that stands still until it is set: unit tests and the simulator. */
struct clock_manual {
    struct clock clock;
    _Atomic int64_t now_ms;
};
void clock_manual_init(struct clock_manual *manual, int64_t now_ms);
void clock_manual_advance(struct clock_manual *manual, int64_t by_ms);

int64_t clock_now_ms(const struct clock *clock);
void clock_wait(struct clock *clock, pthread_cond_t *cond, pthread_mutex_t *mutex,
                int64_t until_ms);
void clock_cond_init(pthread_cond_t *cond); /* on CLOCK_MONOTONIC */

/* For measuring durations only (CLOCK_MONOTONIC), never for rules. */
int64_t clock_stopwatch_ns(void);
/* What the calling thread has used of a processor: for benchmarks, which share theirs. */
int64_t clock_thread_ns(void);
