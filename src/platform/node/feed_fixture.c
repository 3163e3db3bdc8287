/* platform/node/feed_fixture.c - the shop, its ledger and its cache. */

#include "platform/node/feed_fixture.h"

#include "base/mem.h"
#include "platform/node/feed.sql.h"
#include "platform/node/outbox.sql.h"
#include "support/test.h"

/* --- The services --- */

const char *shop_says;
const struct outbox_position *cache_snapshot;

err shop_say(struct call *call, const char *kind, str payload)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, call_db(call)));
    TRY(outbox_add(&tx, call, kind, payload));
    TRY(tx_commit(&tx));
    outbox_wake(call->self);
    return ERR_OK;
}

static err open_shop([[maybe_unused]] struct instance *self, struct call *call)
{
    return shop_says != NULL ? shop_say(call, "order.early", str_of(shop_says)) : ERR_OK;
}

static void open_ear(struct instance *self)
{
    struct ear *ear = mem_new(struct ear);

    ear->heard = buf_on_heap(NOTES_SIZE_MAX);
    self->state = ear;
}

static err open_ledger(struct instance *self, [[maybe_unused]] struct call *call)
{
    open_ear(self);
    return ERR_OK;
}

static err open_cache(struct instance *self, [[maybe_unused]] struct call *call)
{
    open_ear(self);
    if (cache_snapshot != NULL)
        outbox_follow_from(self, "shop", *cache_snapshot);
    return ERR_OK;
}

static void close_ear(struct instance *self)
{
    struct ear *ear = self->state;

    buf_done(&ear->heard);
    mem_free(ear);
}

static err hear(struct call *call, const struct feed_event *event)
{
    struct ear *ear = call->self->state;

    CHECK_STR("shop", str_of(event->source));
    if (ear->heard.size > 0)
        buf_add_char(&ear->heard, ' ');
    buf_add(&ear->heard, event->payload);
    if (ear->poison.ptr != NULL && str_eq(ear->poison, event->payload))
        return call_explain(call, ERR_INTERNAL, "I cannot stomach that.");
    return ERR_OK;
}

/* The note goes before the refusal: it has to be undone. A second one of the same text is a
 * conflict. */
static err take_order(struct call *call, struct tx *tx, const struct feed_event *event)
{
    const struct ear *ear = call->self->state;

    TRY(note_add(tx, event->at_ms, event->payload));
    TRY(hear(call, event));
    if (ear->add_job)
        TRY(job_add(tx, call, "follow_up", STR_ABSENT, call->now_ms,
                    arena_printf(call->arena, "job-%.*s", STR_ARG(event->payload))));
    return ERR_OK;
}

static err take_refund(struct call *call, struct tx *tx, const struct feed_event *event)
{
    TRY(hear(call, event));
    return note_add(tx, event->at_ms, arena_printf(call->arena, "-%.*s", STR_ARG(event->payload)));
}

static err hear_anything(struct call *call, struct tx *tx, const struct feed_event *event)
{
    CHECK(tx == NULL && !tx_is_open_here());
    return hear(call, event);
}

static err run_follow_up(struct call *call, str payload)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, call_db(call)));
    TRY(note_add(&tx, call->now_ms, payload));
    return tx_commit(&tx);
}

static const struct job_kind ledger_jobs[] = {
    {"follow_up", run_follow_up, 3, 1},
    {NULL,        NULL,          0, 0}
};
static const struct consumer ledger_consumers[] = {
    {"shop", "order.placed order.paid.*", CONSUMER_DURABLE, take_order },
    {"shop", "refund.made",               CONSUMER_DURABLE, take_refund},
    {NULL,   NULL,                        CONSUMER_DURABLE, NULL       },
};
static const struct consumer cache_consumers[] = {
    {"shop",      "*", CONSUMER_VOLATILE, hear_anything},
    {"elsewhere", "*", CONSUMER_VOLATILE, hear_anything},
    {NULL,        "",  CONSUMER_VOLATILE, NULL         },
};
static const struct service shop = {
    .name = "shop",
    .statements = note_statements,
    .migrations = &note_migrations,
    .open = open_shop,
};
static const struct service ledger = {
    .name = "ledger",
    .statements = note_statements,
    .migrations = &note_migrations,
    .consumers = ledger_consumers,
    .jobs = ledger_jobs,
    .open = open_ledger,
    .close = close_ear,
};
static const struct service cache = {
    .name = "cache",
    .consumers = cache_consumers,
    .open = open_cache,
    .close = close_ear,
};
const struct service *const shop_services[] = {&shop, &ledger, &cache, NULL};
const struct service *const shop_alone[] = {&shop, NULL};

/* --- Helpers --- */

void feed_fixture_open(struct fixture *fixture, bool in_dir)
{
    shop_says = NULL;
    cache_snapshot = NULL;
    fixture_init(fixture);
    if (in_dir)
        fixture_dir(fixture);
    fixture_open(fixture, shop_services, false);
}

void shop_tell(struct fixture *fixture, const char *kind, const char *payload)
{
    CLEANUP(call_done) struct call call;

    call_init(&call, fixture_find(fixture, "shop"), "test");
    CHECK_OK(shop_say(&call, kind, str_of(payload)));
}

void shop_tell_many(struct fixture *fixture, int from, int to)
{
    for (int i = from; i <= to; i++)
        shop_tell(fixture, "order.placed", arena_printf(fixture->arena, "%d", i).ptr);
}

str numbers(struct fixture *fixture, int from, int to)
{
    struct buf all = buf_in(fixture->arena, NOTES_SIZE_MAX);

    for (int i = from; i <= to; i++)
        buf_printf(&all, "%s%d", i == from ? "" : " ", i);
    return buf_str(&all);
}

str ledger_notes(struct fixture *fixture)
{
    return note_list(fixture_find(fixture, "ledger"), fixture->arena);
}

struct ear *ear_of(struct fixture *fixture, const char *service)
{
    return fixture_find(fixture, service)->state;
}

str heard(struct fixture *fixture, const char *service)
{
    const struct ear *ear = ear_of(fixture, service);

    return ear->heard.size > 0 ? buf_str(&ear->heard) : STR("");
}

int64_t ledger_cursor(struct fixture *fixture)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct outbox_position cursor = {0};

    CHECK_OK(tx_read(&tx, fixture_find(fixture, "ledger")->db));
    const err e = outbox_read_position(&tx, &SQL_FEED_CURSOR_GET, ARGS(TEXT(STR("shop"))), &cursor);
    CHECK(e == ERR_OK || e == ERR_NOT_FOUND);
    return cursor.seq;
}

int64_t shop_outbox_count(struct fixture *fixture)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};
    int64_t count = 0;

    CHECK_OK(tx_read(&tx, fixture_find(fixture, "shop")->db));
    CHECK_OK(rows_open(&rows, &tx, &SQL_OUTBOX_AFTER, ARGS(I64(0), I64(0), I64(100000)),
                       fixture->arena));
    while (rows_next(&rows))
        count++;
    CHECK_OK(rows_close(&rows));
    return count;
}

struct outbox_position shop_outbox_end(struct fixture *fixture)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct outbox_position end = {0};

    CHECK_OK(tx_read(&tx, fixture_find(fixture, "shop")->db));
    CHECK_OK(outbox_last(&tx, &end));
    return end;
}

int64_t feed_lag(struct fixture *fixture, const char *consumer)
{
    return fixture_gauge(
        fixture, "boxoffice_feed_lag",
        arena_printf(fixture->arena, "source=\"shop\",consumer=\"%s\"", consumer).ptr);
}
