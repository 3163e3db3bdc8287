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

/* --- Positions --- */

int outbox_compare(struct outbox_position a, struct outbox_position b)
{
    if (a.xid != b.xid)
        return a.xid < b.xid ? -1 : 1;
    return a.seq == b.seq ? 0 : a.seq < b.seq ? -1 : 1;
}

err outbox_read_position(struct tx *tx, const struct sql *sql, struct args args,
                         struct outbox_position *ret)
{
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(rows_first(&rows, tx, sql, args, NULL));
    const struct outbox_position position = {.xid = row_i64(&rows, 0), .seq = row_i64(&rows, 1)};
    TRY(rows_close(&rows));
    *ret = position;
    return ERR_OK;
}

err outbox_last(struct tx *tx, struct outbox_position *ret)
{
    const err e = outbox_read_position(tx, &SQL_OUTBOX_LAST, NO_ARGS, ret);

    if (e != ERR_NOT_FOUND)
        return e;
    *ret = (struct outbox_position){0};
    return ERR_OK;
}

err outbox_adopt(struct instance *self)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t found = 0;

    TRY(tx_read(&tx, self->db));
    const err e = db_get_i64(&tx, &SQL_OUTBOX_FOREIGN, NO_ARGS, &found);
    tx_rollback(&tx);
    if (e != ERR_OK)
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    TRY(tx_begin(&tx, self->db));
    TRY(db_exec(&tx, &SQL_OUTBOX_ADOPT, NO_ARGS));
    TRY(tx_commit(&tx));
    log_event(self->node->log, LOG_WARN, "outbox.adopted",
              LOG_CSTR("service", self->service->name));
    return ERR_OK;
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
static err find_read(const struct instance *self, struct arena *arena, struct outbox_position *ret,
                     str *ret_left)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};

    *ret = (struct outbox_position){INT64_MAX, INT64_MAX};
    *ret_left = STR_ABSENT;
    TRY(tx_read(&tx, self->db));
    TRY(rows_open(&rows, &tx, &SQL_FEED_READERS, NO_ARGS, arena));
    while (rows_next(&rows)) {
        const str consumer = row_text(&rows, 0);
        const struct outbox_position read = {.xid = row_i64(&rows, 1), .seq = row_i64(&rows, 2)};
        if (has_left(self, consumer, arena))
            *ret_left = consumer;
        else if (outbox_compare(read, *ret) < 0)
            *ret = read;
    }
    return rows_close(&rows);
}

/* Deletes a few rows; *ret_any says whether there were any. Idle outboxes are not written to. */
static err prune_some(const struct instance *self, struct outbox_position read, int64_t before_ms,
                      bool *ret_any)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct outbox_position end = {0};

    *ret_any = false;
    TRY(tx_read(&tx, self->db));
    const err e = outbox_read_position(
        &tx, &SQL_OUTBOX_PRUNABLE,
        ARGS(I64(read.xid), I64(read.seq), I64(before_ms), I64(PRUNE_ROWS_MAX)), &end);
    tx_rollback(&tx);
    if (e != ERR_OK)
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    *ret_any = true;
    TRY(tx_begin(&tx, self->db));
    TRY(db_exec(&tx, &SQL_OUTBOX_PRUNE, ARGS(I64(end.xid), I64(end.seq), I64(before_ms))));
    return tx_commit(&tx);
}

static err run_prune(struct call *call, void *arg, int64_t *ret_next_ms)
{
    const struct instance *self = arg;
    const int64_t before_ms = call->now_ms - INT64_C(1000) * OUTBOX_KEPT_S;
    bool any = true;
    struct outbox_position read = {0};
    str left = STR_ABSENT;

    TRY(find_read(self, call->arena, &read, &left));
    if (left.ptr != NULL)
        TRY(forget(self, left));
    while (any && !chores_stopping(self))
        TRY(prune_some(self, read, before_ms, &any));
    *ret_next_ms = call->now_ms + (left.ptr != NULL ? 0 : INT64_C(1000) * PRUNE_EVERY_S);
    return ERR_OK;
}

void outbox_open(struct instance *self)
{
    if (self->db != NULL)
        chores_add(self, "outbox_prune", run_prune, self);
}
