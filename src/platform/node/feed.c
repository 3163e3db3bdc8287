/* platform/node/feed.c - brings the events of one service's outbox to the consumers of another.
 *
 * The durable cursor lies in the consumer's database and moves in the transaction of the effect,
 * which first makes sure that no other process has moved it. Over events that nobody here wants it
 * moves in memory and is saved now and then: to see those again does no harm, to commit for each
 * would.
 *
 * A feed looks when it is woken and every 100 ms, because other processes write to the same
 * outbox; as long as the database's version stands still, a look is all it does. */

#include "platform/node/feed.h"

#include <assert.h>
#include <string.h>

#include "platform/node/feed.sql.h"
#include "platform/node/node.h"
#include "platform/node/outbox.sql.h"

enum {
    FEED_BATCH_MAX = 100, /* events of one read */
    FEED_BATCH_SIZE_MAX = OUTBOX_PAYLOAD_SIZE_MAX,
    FEED_BATCHES_A_RUN = 50, /* then the chore comes up for breath */
    FEED_LOOK_MS = 100,
    FEED_SAVE_MS = 5000,  /* how late the cursor is saved if nothing was wanted */
    FEED_TELL_MS = 60000, /* how late the source hears of it */
    FEED_RETRY_MAX_S = 60,
    FEED_AWAY_MAX_S = 2,   /* if the consumer's database is away */
    FEED_LAG_MAX = 100000, /* more is not counted */
};
#define VERSION_UNKNOWN INT64_MIN

struct batch_read {
    struct feed_event events[FEED_BATCH_MAX];
    size_t count;
};

/* --- Rules --- */

static bool kind_matches(str pattern, str kind)
{
    if (str_eq(pattern, STR("*")))
        return true;
    if (str_ends(pattern, STR(".*")))
        return str_starts(kind, str_slice(pattern, 0, pattern.size - 1));
    return str_eq(pattern, kind);
}

static bool wants(const struct feed *feed, const struct line *line, const struct consumer *consumer,
                  str kind)
{
    str rest = str_of(consumer->kinds);
    str pattern;

    if (consumer->mode != line->mode || strcmp(consumer->source, feed->source_name) != 0)
        return false;
    while (str_split(&rest, ' ', &pattern))
        if (kind_matches(pattern, kind))
            return true;
    return false;
}

static bool is_wanted(const struct feed *feed, const struct line *line, str kind)
{
    for (const struct consumer *c = feed->self->service->consumers; c->source != NULL; c++)
        if (wants(feed, line, c, kind))
            return true;
    return false;
}

static int64_t backoff_ms(int failures, err e)
{
    const int64_t max_s =
        e == ERR_UNAVAILABLE || e == ERR_OVERLOADED ? FEED_AWAY_MAX_S : FEED_RETRY_MAX_S;
    const int64_t doubled_s = failures > 6 ? FEED_RETRY_MAX_S : INT64_C(1) << (failures - 1);

    assert(failures > 0);
    return INT64_C(1000) * (doubled_s < max_s ? doubled_s : max_s);
}

static bool is_power_of_two(int n)
{
    return (n & (n - 1)) == 0;
}

/* --- Storage --- */

static err read_cursor(const struct feed *feed, struct tx *tx, struct outbox_position *ret)
{
    return outbox_read_position(tx, &SQL_FEED_CURSOR_GET, ARGS(TEXT(str_of(feed->source_name))),
                                ret);
}

static err write_cursor(const struct feed *feed, struct tx *tx, struct outbox_position position)
{
    return db_exec(tx, &SQL_FEED_CURSOR_SET,
                   ARGS(TEXT(str_of(feed->source_name)), I64(position.xid), I64(position.seq)));
}

/* The cursor is ours until `tx` ends, unless another process has it at the moment or has moved it:
 * then *ret_ours is false, and we go on from where it is. */
static err claim_cursor(struct feed *feed, struct tx *tx, bool *ret_ours)
{
    struct line *line = &feed->lines[CONSUMER_DURABLE];
    struct outbox_position found = {0};

    const err e = outbox_read_position(tx, &SQL_FEED_CURSOR_CLAIM,
                                       ARGS(TEXT(str_of(feed->source_name))), &found);
    *ret_ours = false;
    line->busy = e == ERR_NOT_FOUND; /* feed_open has written the row */
    if (e != ERR_OK)
        return line->busy ? ERR_OK : e;
    *ret_ours = outbox_compare(found, feed->saved) == 0;
    feed->saved = found;
    if (!*ret_ours) {
        line->cursor = found;
        line->ahead = 0; /* is counted when it is read on from there */
    }
    return ERR_OK;
}

static err read_batch(const struct feed *feed, struct line *line, struct arena *arena,
                      struct batch_read *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};
    size_t size = 0;

    ret->count = 0;
    TRY(tx_read(&tx, feed->source->db));
    TRY(outbox_last(&tx, &line->end));
    TRY(db_get_i64(&tx, &SQL_OUTBOX_AHEAD,
                   ARGS(I64(line->cursor.xid), I64(line->cursor.seq), I64(FEED_LAG_MAX)),
                   &line->ahead));
    TRY(rows_open(&rows, &tx, &SQL_OUTBOX_AFTER,
                  ARGS(I64(line->cursor.xid), I64(line->cursor.seq), I64(FEED_BATCH_MAX)), arena));
    while (ret->count < FEED_BATCH_MAX && size < FEED_BATCH_SIZE_MAX && rows_next(&rows)) {
        struct feed_event *event = &ret->events[ret->count++];
        *event = (struct feed_event){
            .position = {.xid = row_i64(&rows, 0), .seq = row_i64(&rows, 1)},
            .source = feed->source_name,
            .kind = row_text(&rows, 2),
            .payload = row_text(&rows, 3),
            .at_ms = row_i64(&rows, 4),
        };
        size += event->payload.size;
    }
    return rows_close(&rows);
}

/* --- Delivery --- */

/* To every consumer of the line that wants it. */
static err take(struct feed *feed, const struct line *line, struct tx *tx,
                const struct feed_event *event)
{
    call_next(&feed->take_call);
    (void)err_trail_take();
    for (const struct consumer *c = feed->self->service->consumers; c->source != NULL; c++)
        if (wants(feed, line, c, event->kind))
            TRY(c->take(&feed->take_call, tx, event));
    return ERR_OK;
}

static void note_failure(struct feed *feed, struct line *line, const struct feed_event *event,
                         err e)
{
    struct node *node = feed->self->node;

    line->failures++;
    line->retry_ms = clock_now_ms(node->clock) + backoff_ms(line->failures, e);
    if (is_power_of_two(line->failures)) /* it may take days until somebody mends it */
        log_event(node->log, LOG_ERROR, "feed.blocked",
                  LOG_CSTR("service", feed->self->service->name),
                  LOG_CSTR("source", feed->source_name), LOG_I64("seq", event->position.seq),
                  LOG_TEXT("kind", event->kind), LOG_I64("failures", line->failures),
                  LOG_TEXT("request", feed->take_call.request_id),
                  LOG_TEXT("error", call_failure(&feed->take_call, e)));
}

/* `count` events further, to the last of them. */
static void advance(struct line *line, const struct batch_read *batch, size_t count)
{
    const struct outbox_position position = batch->events[count - 1].position;

    assert(outbox_compare(position, line->cursor) >= 0);
    if (outbox_compare(position, line->cursor) > 0)
        line->failures = 0;
    line->cursor = position;
}

/* In a savepoint of its own: what fails leaves nothing behind. */
static err take_one(struct feed *feed, const struct line *line, struct tx *tx,
                    const struct feed_event *event)
{
    TRY(tx_savepoint(tx));
    const err e = take(feed, line, tx, event);
    if (e == ERR_OK)
        return tx_keep(tx);
    TRY(tx_undo(tx));
    return e;
}

/* Takes the events one by one until one fails: *ret_done are kept. */
static err take_into(struct feed *feed, const struct line *line, struct tx *tx,
                     const struct batch_read *batch, size_t *ret_done)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (is_wanted(feed, line, batch->events[i].kind))
            TRY(take_one(feed, line, tx, &batch->events[i]));
        *ret_done = i + 1;
    }
    return ERR_OK;
}

/* One transaction for all that succeeds, the cursor with it. What fails undoes nothing before
 * it. */
static err deliver_durable(struct feed *feed, struct line *line, const struct batch_read *batch,
                           size_t *ret_done)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    size_t done = 0;
    bool ours = false;

    TRY(tx_begin(&tx, feed->self->db));
    TRY(claim_cursor(feed, &tx, &ours));
    if (!ours)
        return ERR_OK;
    const err e = take_into(feed, line, &tx, batch, &done);
    if (done == 0)
        return e;
    TRY(write_cursor(feed, &tx, batch->events[done - 1].position));
    TRY(tx_commit(&tx));

    *ret_done = done;
    advance(line, batch, done);
    feed->saved = line->cursor;
    feed->saved_ms = clock_now_ms(feed->self->node->clock);
    jobs_wake(feed->self); /* a consumer writes jobs and events of its own, but cannot wake */
    outbox_wake(feed->self);
    return e;
}

static err deliver_volatile(struct feed *feed, struct line *line, const struct batch_read *batch,
                            size_t *ret_done)
{
    for (size_t i = 0; i < batch->count; i++) {
        TRY(take(feed, line, NULL, &batch->events[i]));
        assert(!tx_is_open_here());
        *ret_done = i + 1;
        advance(line, batch, *ret_done);
    }
    return ERR_OK;
}

static bool is_any_wanted(const struct feed *feed, const struct line *line,
                          const struct batch_read *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        if (is_wanted(feed, line, batch->events[i].kind))
            return true;
    return false;
}

static void deliver(struct feed *feed, struct line *line, const struct batch_read *batch)
{
    size_t done = 0;
    err e = ERR_OK;

    if (!is_any_wanted(feed, line, batch)) {
        done = batch->count;
        advance(line, batch, done);
    } else if (line->mode == CONSUMER_DURABLE) {
        e = deliver_durable(feed, line, batch, &done);
    } else {
        e = deliver_volatile(feed, line, batch, &done);
    }
    line->ahead -= (int64_t)done;
    if (e != ERR_OK)
        note_failure(feed, line, &batch->events[done < batch->count ? done : 0], e);
}

/* --- The chore --- */

static bool may_go_on(const struct feed *feed, const struct line *line)
{
    return line->failures == 0 || line->retry_ms <= clock_now_ms(feed->self->node->clock);
}

static bool is_behind(const struct line *line)
{
    return line->used && outbox_compare(line->cursor, line->end) < 0;
}

/* The outbox ends before the cursor: it came from a backup that is older than ours. What is written
 * from now on is news. */
static void note_set_back(const struct feed *feed, struct line *line)
{
    if (outbox_compare(line->cursor, line->end) <= 0)
        return;
    log_event(feed->self->node->log, LOG_WARN, "feed.set_back",
              LOG_CSTR("service", feed->self->service->name), LOG_CSTR("source", feed->source_name),
              LOG_I64("from", line->cursor.seq), LOG_I64("to", line->end.seq));
    line->cursor = line->end;
}

/* Reads on until nothing is left, something fails, or it has been at it for long enough. */
static err line_run(struct feed *feed, struct line *line, struct call *call)
{
    struct batch_read *batch;

    for (int i = 0; i < FEED_BATCHES_A_RUN; i++) {
        line->busy = false;
        if (!may_go_on(feed, line) || chores_stopping(feed->self))
            break;
        call_next(call); /* a batch of events lives as long as it is being delivered */
        batch = arena_new(call->arena, struct batch_read);
        TRY(read_batch(feed, line, call->arena, batch));
        if (batch->count == 0) {
            note_set_back(feed, line);
            break;
        }
        deliver(feed, line, batch);
        if (!is_behind(line) || line->busy)
            break;
    }
    return ERR_OK;
}

/* What the durable cursor has passed is written down, for the next start and for the pruning. */
static err save_cursor(struct feed *feed, int64_t now_ms)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    const struct outbox_position cursor = feed->lines[CONSUMER_DURABLE].cursor;
    bool ours = false;

    if (outbox_compare(cursor, feed->saved) == 0 || now_ms < feed->saved_ms + FEED_SAVE_MS)
        return ERR_OK;
    TRY(tx_begin(&tx, feed->self->db));
    TRY(claim_cursor(feed, &tx, &ours));
    if (!ours)
        return ERR_OK;
    TRY(write_cursor(feed, &tx, cursor));
    TRY(tx_commit(&tx));
    feed->saved = cursor;
    feed->saved_ms = now_ms;
    return ERR_OK;
}

static err tell_source(struct feed *feed, int64_t now_ms)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    const str consumer = str_of(feed->self->service->name);
    struct outbox_position known = {0};

    TRY(tx_read(&tx, feed->source->db));
    const err e = outbox_read_position(&tx, &SQL_FEED_READER_GET, ARGS(TEXT(consumer)), &known);
    tx_rollback(&tx);
    if (e != ERR_OK && e != ERR_NOT_FOUND)
        return e;
    if (e == ERR_NOT_FOUND || outbox_compare(known, feed->saved) != 0) {
        TRY(tx_begin(&tx, feed->source->db));
        TRY(db_exec(&tx, &SQL_FEED_READER_SET,
                    ARGS(TEXT(consumer), I64(feed->saved.xid), I64(feed->saved.seq))));
        TRY(tx_commit(&tx));
    }
    feed->told = feed->saved;
    feed->told_ms = now_ms;
    return ERR_OK;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* When there is something to do even if nobody writes: at once, at a retry, or at the next look. */
static int64_t next_look_ms(const struct feed *feed, int64_t now_ms)
{
    int64_t next_ms = now_ms + FEED_LOOK_MS;

    for (size_t i = 0; i < LINE_COUNT; i++)
        if (is_behind(&feed->lines[i]) && !feed->lines[i].busy)
            next_ms =
                earlier(next_ms, feed->lines[i].failures > 0 ? feed->lines[i].retry_ms : now_ms);
    return next_ms;
}

static void show_lag(struct feed *feed)
{
    int64_t lag = 0;
    bool held = false;

    for (size_t i = 0; i < LINE_COUNT; i++) {
        const struct line *line = &feed->lines[i];

        if (line->ahead > lag)
            lag = line->ahead;
        held |= line->ahead > 0 && line->failures == 0 && !line->busy && !is_behind(line);
    }
    feed->held = held;
    metric_set(feed->lag, lag);
}

err feed_run(struct call *call, void *arg, int64_t *ret_next_ms)
{
    struct feed *feed = arg;
    int64_t version = 0;

    TRY(db_version(feed->source->db, &version));
    const bool changed = version != feed->version;
    feed->version = VERSION_UNKNOWN; /* until all has gone well */
    for (size_t i = 0; i < LINE_COUNT; i++)
        if (feed->lines[i].used && (changed || is_behind(&feed->lines[i])))
            TRY(line_run(feed, &feed->lines[i], call));
    feed->version = version;
    show_lag(feed);

    const int64_t now_ms = clock_now_ms(feed->self->node->clock);
    if (feed->lines[CONSUMER_DURABLE].used) {
        TRY(save_cursor(feed, now_ms));
        if (outbox_compare(feed->told, feed->saved) != 0 && now_ms >= feed->told_ms + FEED_TELL_MS)
            TRY(tell_source(feed, now_ms));
    }
    *ret_next_ms = next_look_ms(feed, now_ms);
    return ERR_OK;
}

/* --- The life of a feed --- */

struct feed *feed_new(struct instance *self, const char *source)
{
    struct arena *arena = self->node->arena;
    struct feed *feed = arena_new(arena, struct feed);

    *feed = (struct feed){
        .self = self,
        .source_name = source,
        .chore = arena_printf(arena, "feed:%s", source).ptr,
        .lines = {{.mode = CONSUMER_DURABLE}, {.mode = CONSUMER_VOLATILE}},
        .version = VERSION_UNKNOWN,
    };
    return feed;
}

static err place_durable(struct feed *feed, int64_t now_ms)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_read(&tx, feed->self->db));
    const err e = read_cursor(feed, &tx, &feed->saved);
    tx_rollback(&tx);
    if (e == ERR_NOT_FOUND) { /* has never heard anything yet */
        TRY(tx_begin(&tx, feed->self->db));
        TRY(db_exec(&tx, &SQL_FEED_CURSOR_INIT, ARGS(TEXT(str_of(feed->source_name)))));
        TRY(tx_commit(&tx));
    } else if (e != ERR_OK) {
        return e;
    }
    feed->lines[CONSUMER_DURABLE].cursor = feed->saved;
    feed->saved_ms = now_ms;
    return tell_source(feed, now_ms); /* from now on nothing that we have not read is pruned */
}

static err place_volatile(const struct feed *feed, struct line *line)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_read(&tx, feed->source->db));
    return outbox_last(&tx, &line->cursor);
}

err feed_open(struct feed *feed)
{
    struct node *node = feed->self->node;
    struct line *tail = &feed->lines[CONSUMER_VOLATILE];

    assert(feed->source != NULL && feed->source->db != NULL);
    if (feed->lines[CONSUMER_DURABLE].used)
        TRY(place_durable(feed, clock_now_ms(node->clock)));
    if (tail->used && !tail->placed)
        TRY(place_volatile(feed, tail));

    call_init(&feed->take_call, feed->self, feed->chore);
    const str labels = arena_printf(node->arena, "source=\"%s\",consumer=\"%s\"", feed->source_name,
                                    feed->self->service->name);
    feed->lag = metrics_gauge(node->metrics, "boxoffice_feed_lag", labels.ptr,
                              "Events that the consumer has not read yet.");
    return ERR_OK;
}

void feed_close(struct feed *feed)
{
    call_done(&feed->take_call);
}
