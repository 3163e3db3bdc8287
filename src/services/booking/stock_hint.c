/* booking/stock_hint.c - what remains per ticket type, in memory: hints that may refuse and
 * never admit.
 *
 * Event loops read without a lock: a fixed table of chains that only grow, whose links and
 * levels are atomic. A level carries its row's version, so noting one is taking the greater of
 * two, in whatever order commits, loads and their notes come by.
 *
 * What other processes change comes in by the outbox, which names events: their rows are read, and
 * read once for all the news that the same snapshot covers. */

#include "services/booking/stock_hint.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "services/booking/state.h"
#include "services/booking/stock.sql.h"

enum {
    CHAINS = 8192,       /* 64 KiB; short chains up to some 30,000 ticket types */
    CHANGED_MAX = 65536, /* noted between two seals: far above what a batch can change */
    FOLLOWED = 256,      /* events of which is known what news the last reading covers */
};

struct hint {
    struct uuid type;
    _Atomic stock_level level;
    struct hint *next; /* set before the hint is published, and then constant */
};

/* All news of the event up to there is in its hints. */
struct followed {
    event_id event;
    struct outbox_position to;
};

struct stock {
    struct hint *_Atomic chains[CHAINS];
    _Atomic uint64_t version;
    struct followed followed[FOLLOWED]; /* by hash; only the feed's chore touches it */
    pthread_mutex_t lock;               /* for growing a chain, and for what follows */
    event_id *changed;
    size_t changed_count;
    size_t changed_capacity;
};

struct stock *stock_new(void)
{
    struct stock *stock = mem_new(struct stock);

    if (pthread_mutex_init(&stock->lock, NULL) != 0)
        abort();
    return stock;
}

void stock_free(struct stock *stock)
{
    if (stock == NULL)
        return;
    for (size_t i = 0; i < CHAINS; i++)
        for (struct hint *hint = stock->chains[i]; hint != NULL;) {
            struct hint *next = hint->next;

            mem_free(hint);
            hint = next;
        }
    (void)pthread_mutex_destroy(&stock->lock);
    mem_free(stock->changed);
    mem_free(stock);
}

/* --- Hints --- */

static struct hint *_Atomic *chain_of(struct stock *stock, ticket_type_id type)
{
    return &stock->chains[uuid_hash(type.uuid) % CHAINS];
}

static struct hint *find_hint(struct hint *_Atomic *chain, ticket_type_id type)
{
    for (struct hint *hint = *chain; hint != NULL; hint = hint->next)
        if (uuid_eq(hint->type, type.uuid))
            return hint;
    return NULL;
}

/* The hint of `type`, made with `level` if there is none. */
static struct hint *get_hint(struct stock *stock, ticket_type_id type, stock_level level)
{
    struct hint *_Atomic *chain = chain_of(stock, type);
    struct hint *hint = find_hint(chain, type);

    if (hint != NULL)
        return hint;
    (void)pthread_mutex_lock(&stock->lock);
    hint = find_hint(chain, type);
    if (hint == NULL) {
        hint = mem_new(struct hint);
        hint->type = type.uuid;
        hint->level = level;
        hint->next = *chain;
        *chain = hint;
        stock->version++;
    }
    (void)pthread_mutex_unlock(&stock->lock);
    return hint;
}

void stock_note(struct stock *stock, ticket_type_id type, stock_level level)
{
    struct hint *hint = get_hint(stock, type, level);
    stock_level seen = hint->level;

    assert(level >= 0);

    while (seen < level)
        if (atomic_compare_exchange_weak(&hint->level, &seen, level)) {
            stock->version++;
            return;
        }
}

uint64_t stock_version(struct stock *stock)
{
    return stock->version;
}

bool stock_hint(struct stock *stock, ticket_type_id type, int64_t *ret_remaining)
{
    const struct hint *hint = find_hint(chain_of(stock, type), type);

    if (hint == NULL)
        return false;
    *ret_remaining = stock_remaining(hint->level);
    return true;
}

static err read_levels(struct tx *tx, struct call *call, struct stock *stock, const event_id *event)
{
    CLEANUP(rows_done) struct rows rows = {0};

    if (event == NULL)
        TRY(rows_open(&rows, tx, &SQL_STOCK_LEVELS, NO_ARGS, call->arena));
    else
        TRY(rows_open(&rows, tx, &SQL_STOCK_LEVELS_OF_EVENT, ARGS(UUID(event->uuid)), call->arena));
    while (rows_next(&rows))
        stock_note(stock, (ticket_type_id){row_uuid(&rows, 0)}, row_i64(&rows, 1));
    return rows_close(&rows);
}

err stock_load(struct call *call, struct stock *stock, const event_id *event)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    if (!call->may_block)
        return ERR_WOULD_BLOCK;
    TRY(tx_read(&tx, call_db(call)));
    return read_levels(&tx, call, stock, event);
}

/* --- What other processes change --- */

struct inventory_news {
    event_id *events;
    size_t event_count;
};

static struct followed *followed_of(struct stock *stock, event_id event)
{
    return &stock->followed[uuid_hash(event.uuid) % FOLLOWED];
}

static bool is_covered(struct stock *stock, event_id event, struct outbox_position position)
{
    const struct followed *followed = followed_of(stock, event);

    return uuid_eq(followed->event.uuid, event.uuid) && outbox_compare(position, followed->to) <= 0;
}

/* By a snapshot that is taken when the first of them needs it. */
static err follow_one(struct call *call, struct tx *snapshot, event_id event)
{
    struct stock *stock = booking_of(call)->stock;
    struct outbox_position end = {0};

    if (snapshot->db == NULL)
        TRY(tx_read(snapshot, call_db(call)));
    TRY(outbox_last(snapshot, &end));
    TRY(read_levels(snapshot, call, stock, &event));
    *followed_of(stock, event) = (struct followed){event, end};
    return ERR_OK;
}

err stock_follow(struct call *call, [[maybe_unused]] struct tx *tx, const struct feed_event *event)
{
    static const struct json_field id = {.type = JSON_ID, .prefix = EVENT_PREFIX};
    static const struct json_field fields[] = {
        JSON_F_SCALARS("event_ids", struct inventory_news, events, event_count, &id, 0,
                       STOCK_NEWS_EVENTS_MAX, JSON_REQUIRED),
    };
    static const struct json_shape shape = JSON_SHAPE(fields, struct inventory_news);
    CLEANUP(tx_rollback) struct tx snapshot = {0};
    struct inventory_news news = {0};

    TRY(json_read(call->arena, event->payload, &shape, &news));
    for (size_t i = 0; i < news.event_count; i++)
        if (!is_covered(booking_of(call)->stock, news.events[i], event->position))
            TRY(follow_one(call, &snapshot, news.events[i]));
    return ERR_OK;
}

/* --- Changed events --- */

void stock_changed(struct stock *stock, event_id event)
{
    (void)pthread_mutex_lock(&stock->lock);
    const size_t count = stock->changed_count;
    const bool again = count > 0 && uuid_eq(stock->changed[count - 1].uuid, event.uuid);

    if (!again && count < CHANGED_MAX) {
        if (count == stock->changed_capacity) {
            stock->changed_capacity = count == 0 ? 64 : 2 * count;
            stock->changed = mem_resize(stock->changed, stock->changed_capacity * sizeof(event_id));
        }
        stock->changed[stock->changed_count++] = event;
    }
    (void)pthread_mutex_unlock(&stock->lock);
}

bool stock_has_changed(struct stock *stock)
{
    (void)pthread_mutex_lock(&stock->lock);
    const bool any = stock->changed_count > 0;
    (void)pthread_mutex_unlock(&stock->lock);
    return any;
}

static int compare_events(const void *a, const void *b)
{
    return uuid_compare(((const event_id *)a)->uuid, ((const event_id *)b)->uuid);
}

size_t stock_take_changed(struct stock *stock, struct arena *arena, event_id **ret)
{
    event_id *events = NULL;
    size_t count = 0;
    size_t kept = 0;

    (void)pthread_mutex_lock(&stock->lock);
    count = stock->changed_count;
    events = arena_new_array(arena, event_id, count + 1);
    if (count > 0)
        memcpy(events, stock->changed, count * sizeof(*events));
    stock->changed_count = 0;
    (void)pthread_mutex_unlock(&stock->lock);

    qsort(events, count, sizeof(*events), compare_events);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || !uuid_eq(events[kept - 1].uuid, events[i].uuid))
            events[kept++] = events[i];
    *ret = events;
    return kept;
}
