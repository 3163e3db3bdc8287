/* booking/desk.h - one write through the desk, for whoever may wait: worker threads, ops, chores and jobs.
 *
 * The write is undone as a whole if it refuses, also after it has written; its stock levels are noted once it is committed. */
#pragma once

#include "platform/db/batch.h"
#include "services/booking/stock.h"

enum { DESK_NOTES_MAX = 1024 };

struct desk_write;

/* Does the write; runs again from the start if the batch has to. */
typedef err (*desk_apply)(struct tx *tx, struct desk_write *write);

struct desk_write {
    struct batch_write write;
    struct call *call;
    desk_apply apply;
    void *arg;
    struct {
        ticket_type_id type;
        stock_level level;
    } notes[DESK_NOTES_MAX]; /* beyond them a hint is late, not wrong for long */
    size_t note_count;
};

/* What stock_hold, stock_release or stock_cancel gave, to be noted after the commit. */
void desk_note(struct desk_write *write, ticket_type_id type, stock_level level);
/* Runs apply(tx, write) with write->arg = arg in a batch; wakes the outbox's consumers. What apply gives, or why the batch failed. */
err desk_run(struct call *call, desk_apply apply, void *arg);
