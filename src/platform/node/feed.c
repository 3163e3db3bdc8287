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

static int64_t backoff_ms(int failures)
{
    assert(failures > 0);
    return INT64_C(1000) * (failures > 6 ? FEED_RETRY_MAX_S : INT64_C(1) << (failures - 1));
}

static bool is_power_of_two(int n)
{
    return (n & (n - 1)) == 0;
}

/* --- Storage --- */

static err read_cursor(const struct feed *feed, struct tx *tx, int64_t *ret_seq)
{
    const err e =
        db_get_i64(tx, &SQL_FEED_CURSOR_GET, ARGS(TEXT(str_of(feed->source_name))), ret_seq);

    if (e == ERR_NOT_FOUND) { /* has never heard anything yet */
        *ret_seq = 0;
        return ERR_OK;
    }
    return e;
}

static err write_cursor(const struct feed *feed, struct tx *tx, int64_t seq)
{
    return db_exec(tx, &SQL_FEED_CURSOR_SET, ARGS(TEXT(str_of(feed->source_name)), I64(seq)));
}

/* The cursor is ours unless another process has moved it: then *ret_ours is false, and we go on
 * from there. */
static err claim_cursor(struct feed *feed, struct tx *tx, bool *ret_ours)
{
    int64_t seq = 0;

    TRY(read_cursor(feed, tx, &seq));
    *ret_ours = seq == feed->saved;
    feed->saved = seq;
    if (!*ret_ours)
        feed->lines[CONSUMER_DURABLE].cursor = seq;
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
    TRY(rows_open(&rows, &tx, &SQL_OUTBOX_AFTER, ARGS(I64(line->cursor), I64(FEED_BATCH_MAX)),
                  arena));
    while (ret->count < FEED_BATCH_MAX && size < FEED_BATCH_SIZE_MAX && rows_next(&rows)) {
        struct feed_event *event = &ret->events[ret->count++];
        *event = (struct feed_event){
            .seq = row_i64(&rows, 0),
            .source = feed->source_name,
            .kind = row_text(&rows, 1),
            .payload = row_text(&rows, 2),
            .at_ms = row_i64(&rows, 3),
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
    line->retry_ms = clock_now_ms(node->clock) + backoff_ms(line->failures);
    if (is_power_of_two(line->failures)) /* it may take days until somebody mends it */
        log_event(node->log, LOG_ERROR, "feed.blocked",
                  LOG_CSTR("service", feed->self->service->name),
                  LOG_CSTR("source", feed->source_name), LOG_I64("seq", event->seq),
                  LOG_TEXT("kind", event->kind), LOG_I64("failures", line->failures),
                  LOG_TEXT("request", feed->take_call.request_id),
                  LOG_TEXT("error", call_failure(&feed->take_call, e)));
}

static void advance(struct line *line, int64_t seq)
{
    assert(seq >= line->cursor);
    if (seq > line->cursor)
        line->failures = 0;
    line->cursor = seq;
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
    const int64_t seq = batch->events[done - 1].seq;
    TRY(write_cursor(feed, &tx, seq));
    TRY(tx_commit(&tx));

    *ret_done = done;
    feed->saved = seq;
    feed->saved_ms = clock_now_ms(feed->self->node->clock);
    advance(line, seq);
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
        advance(line, batch->events[i].seq);
        *ret_done = i + 1;
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

    if (!is_any_wanted(feed, line, batch))
        advance(line, batch->events[batch->count - 1].seq);
    else if (line->mode == CONSUMER_DURABLE)
        e = deliver_durable(feed, line, batch, &done);
    else
        e = deliver_volatile(feed, line, batch, &done);
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
    return line->used && line->cursor < line->end;
}

/* The outbox ends before the cursor: it came from a backup. What is written from now on is news. */
static void note_set_back(const struct feed *feed, struct line *line)
{
    if (line->cursor <= line->end)
        return;
    log_event(feed->self->node->log, LOG_WARN, "feed.set_back",
              LOG_CSTR("service", feed->self->service->name), LOG_CSTR("source", feed->source_name),
              LOG_I64("from", line->cursor), LOG_I64("to", line->end));
    line->cursor = line->end;
}

/* Reads on until nothing is left, something fails, or it has been at it for long enough. */
static err line_run(struct feed *feed, struct line *line, struct call *call)
{
    struct batch_read *batch;

    for (int i = 0; i < FEED_BATCHES_A_RUN; i++) {
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
        if (!is_behind(line))
            break;
    }
    return ERR_OK;
}

/* What the durable cursor has passed is written down, for the next start and for the pruning. */
static err save_cursor(struct feed *feed, int64_t now_ms)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    const int64_t cursor = feed->lines[CONSUMER_DURABLE].cursor;
    bool ours = false;

    if (cursor == feed->saved || now_ms < feed->saved_ms + FEED_SAVE_MS)
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

/* What the source has been told before; no consumer's cursor is below 0. */
static err ask_source(const struct feed *feed, int64_t *ret_seq)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    *ret_seq = -1;
    TRY(tx_read(&tx, feed->source->db));
    const err e = db_get_i64(&tx, &SQL_FEED_READER_GET,
                             ARGS(TEXT(str_of(feed->self->service->name))), ret_seq);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static err tell_source(struct feed *feed, int64_t now_ms)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t known = -1;

    TRY(ask_source(feed, &known));
    if (known != feed->saved) {
        TRY(tx_begin(&tx, feed->source->db));
        TRY(db_exec(&tx, &SQL_FEED_READER_SET,
                    ARGS(TEXT(str_of(feed->self->service->name)), I64(feed->saved))));
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
        if (is_behind(&feed->lines[i]))
            next_ms =
                earlier(next_ms, feed->lines[i].failures > 0 ? feed->lines[i].retry_ms : now_ms);
    return next_ms;
}

static void show_lag(const struct feed *feed)
{
    int64_t lag = 0;

    for (size_t i = 0; i < LINE_COUNT; i++)
        if (is_behind(&feed->lines[i]) && feed->lines[i].end - feed->lines[i].cursor > lag)
            lag = feed->lines[i].end - feed->lines[i].cursor;
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
        if (feed->told != feed->saved && now_ms >= feed->told_ms + FEED_TELL_MS)
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
    TRY(read_cursor(feed, &tx, &feed->saved));
    tx_rollback(&tx);
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
