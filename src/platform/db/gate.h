/* platform/db/gate.h - lets a number of threads in at a time, in order of arrival. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct gate_waiter;

struct gate {
    pthread_mutex_t mutex;
    int free; /* permits; 0 while anybody waits */
    struct gate_waiter *first;
    struct gate_waiter *last;
};

void gate_init(struct gate *gate, int permits);
void gate_done(struct gate *gate); /* nobody is in it or waits */

/* Waits for a permit behind everybody who came before; false after `timeout_ms` of the machine's
 * clock: this bounds what a thread can lose, it is no rule of the business. */
bool gate_enter(struct gate *gate, int64_t timeout_ms);
bool gate_try(struct gate *gate); /* never waits */
/* The permit goes straight to whoever has waited longest. */
void gate_leave(struct gate *gate);
