/* chaos/crowd.h - people who book, pay, give back and are admitted, all at once, while the server is killed under them; and what they remember of it.
 *
 * Each sends every request until it is answered, with the key of the first time. So whatever they remember was acknowledged, and nothing else has happened. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "scenario.h"

enum { CROWD = 16, CROWD_ORDERS_MAX = 4096 /* of one of them */ };

enum act {
    ACT_NONE,
    ACT_APPROVE, /* what 3-D Secure asks */
    ACT_REFUND,  /* the order */
    ACT_CANCEL,  /* one of its tickets */
    ACT_ADMIT,   /* one of its tickets */
    ACT_SETTLE,  /* the cash or the transfer has come */
};

struct way; /* what somebody does with an order */

struct bought {
    const struct way *way;
    char order[48];
    char ticket[48]; /* that was cancelled or admitted */
    char payment[48];
    int number; /* of its keys */
    int quantity;
    bool few;    /* of the scarce type */
    bool told;   /* that it is paid */
    bool acted;  /* the act of its way was acknowledged */
    long answer; /* to POST /payment; 0: it was not asked for */
};

struct person {
    struct scenario scenario; /* his client */
    struct crowd *crowd;
    pthread_t thread;
    int number;
    char token[64];
    struct bought *bought; /* what was acknowledged */
    size_t count;
    int next;
};

struct crowd {
    struct person people[CROWD];
    char vendor[64]; /* his token */
    char event[48];
    char types[2][48];    /* many, few */
    _Atomic bool stop;    /* no new orders: what has begun is finished */
    _Atomic int bookings; /* acknowledged ... */
    _Atomic int payments;
    _Atomic int cut_off;     /* requests that a kill has left without an answer */
    _Atomic int unavailable; /* requests that were answered 503 */
    _Atomic int sold_out;    /* refusals */
    _Atomic int surprises;   /* answers that the contract does not have */
};

/* Signs everybody up and makes the event. False: something was refused, and printed. */
bool crowd_open(struct crowd *crowd, const struct scenario *scenario, int many, int few);
void crowd_start(struct crowd *crowd);
void crowd_join(struct crowd *crowd);
void crowd_close(struct crowd *crowd);

/* Once all is quiet: what people remember is what the server says. What they have of each type is added to `sold`; gives how many orders differ. */
int crowd_check(struct crowd *crowd, int64_t sold[2]);
/* After their time: whoever has not paid has nothing. Gives how many orders differ. */
int crowd_check_expired(struct crowd *crowd);
