/* platform/node/outbox.c - the events that a service writes, and how they go away again.
 *
 * An event goes when it is old and every durable consumer has read it. How far those are, they
 * leave in the table feed_reader of this database, so that one which does not run at the moment,
 * or runs in another process, is waited for as well. What they leave there may be late, but
 * never early. */

#include "platform/node/outbox.h"

#include <assert.h>

#include "platform/node/node.h"
#include "platform/node/outbox.sql.h"

enum {
    PRUNE_EVERY_S = 600,
    PRUNE_ROWS_MAX = 500, /* of one transaction: others want to write too */
};

/* --- Writing --- */

err outbox_add(struct tx *tx, struct call *call, const char *kind, str payload)
{
    assert(tx->writes && tx->db == call_db(call));
    if (payload.size > OUTBOX_PAYLOAD_SIZE_MAX)
        return call_explain(call, ERR_INTERNAL, "An event \"%s\" is larger than its limit.", kind);
    return db_exec(tx, &SQL_OUTBOX_INSERT,
                   ARGS(TEXT(str_of(kind)), TEXT(payload), I64(call->now_ms)));
}

err outbox_last(struct tx *tx, int64_t *ret_seq)
{
    return db_get_i64(tx, &SQL_OUTBOX_LAST, NO_ARGS, ret_seq);
}

/* --- Pruning --- */

/* A consumer that runs here and no longer follows us has left its row behind. */
static bool has_left(const struct instance *self, str consumer, struct arena *arena)
{
    const struct instance *other = node_find(self->node, arena_cstr(arena, consumer));

    return other != NULL && !feeds_hold_back(other, self->service->name);
}

static err forget(const struct instance *self, str consumer)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, self->db));
    TRY(db_exec(&tx, &SQL_FEED_READER_FORGET, ARGS(TEXT(consumer))));
    TRY(tx_commit(&tx));
    log_event(self->node->log, LOG_INFO, "feed.reader_forgotten",
              LOG_CSTR("source", self->service->name), LOG_TEXT("consumer", consumer));
    return ERR_OK;
}

/* The last event that every durable consumer has read; of one that has left, *ret_left is the
 * name. */
static err find_read(const struct instance *self, struct arena *arena, int64_t *ret_seq,
                     str *ret_left)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};

    *ret_seq = INT64_MAX;
    *ret_left = STR_ABSENT;
    TRY(tx_read(&tx, self->db));
    TRY(rows_open(&rows, &tx, &SQL_FEED_READERS, NO_ARGS, arena));
    while (rows_next(&rows)) {
        const str consumer = row_text(&rows, 0);
        const int64_t seq = row_i64(&rows, 1);
        if (has_left(self, consumer, arena))
            *ret_left = consumer;
        else if (seq < *ret_seq)
            *ret_seq = seq;
    }
    return rows_close(&rows);
}

/* Deletes a few rows; *ret_any says whether there were any. Idle outboxes are not written to. */
static err prune_some(const struct instance *self, int64_t read_seq, int64_t before_ms,
                      bool *ret_any)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t seq = 0;

    TRY(tx_read(&tx, self->db));
    TRY(db_get_i64(&tx, &SQL_OUTBOX_PRUNABLE,
                   ARGS(I64(read_seq), I64(before_ms), I64(PRUNE_ROWS_MAX)), &seq));
    tx_rollback(&tx);
    *ret_any = seq > 0;
    if (seq == 0)
        return ERR_OK;
    TRY(tx_begin(&tx, self->db));
    TRY(db_exec(&tx, &SQL_OUTBOX_PRUNE, ARGS(I64(seq), I64(before_ms))));
    return tx_commit(&tx);
}

static err run_prune(struct call *call, void *arg, int64_t *ret_next_ms)
{
    const struct instance *self = arg;
    const int64_t before_ms = call->now_ms - INT64_C(1000) * OUTBOX_KEPT_S;
    bool any = true;
    int64_t read_seq = 0;
    str left = STR_ABSENT;

    TRY(find_read(self, call->arena, &read_seq, &left));
    if (left.ptr != NULL)
        TRY(forget(self, left));
    while (any && !chores_stopping(self))
        TRY(prune_some(self, read_seq, before_ms, &any));
    *ret_next_ms = call->now_ms + (left.ptr != NULL ? 0 : INT64_C(1000) * PRUNE_EVERY_S);
    return ERR_OK;
}

void outbox_open(struct instance *self)
{
    if (self->db != NULL)
        chores_add(self, "outbox_prune", run_prune, self);
}
