/* platform/db/testdata/works.h - a shop with a batch, and writes that do as they are told. */
#pragma once

#include <semaphore.h>

#include "platform/db/batch.h"
#include "platform/db/testdata/shop.h"

struct works {
    struct shop shop;
    struct batch *batch;
    int seal_count;  /* how often works_seal was called */
    err seal_result; /* what it gives, having written a note */
};

/* `seal` is NULL or works_seal. */
void works_start(struct works *works, bool in_memory, batch_seal seal);
void works_done(struct works *works); /* for CLEANUP */
err works_seal(void *owner, struct tx *tx);
/* Ends the batch, whose writes have all been completed then. */
void works_finish(struct works *works);
int64_t works_metric(struct works *works, const char *name);

/* A write of one note. */
struct note {
    struct batch_write write; /* first */
    int64_t number;
    err before; /* refuses or fails with this, having written nothing */
    err after;  /* ... having written */
    int apply_count;
    int done_count;
    int *order; /* counts up with each note that is applied; may be NULL */
    int place;
};

struct note note_of(int64_t number);
/* Runs all of them as one batch, and ends it behind them. */
void run_as_one(struct works *works, struct note *notes, size_t count);

/* A write that keeps the thread busy until it is let go: what comes meanwhile is one batch. */
struct blocker {
    struct batch_write write; /* first */
    sem_t entered;
    sem_t leave;
};

void blocker_submit(struct blocker *blocker, struct batch *batch);
void blocker_await(struct blocker *blocker); /* until it is at it */
void blocker_release(struct blocker *blocker);
