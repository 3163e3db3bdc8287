/* booking/hold_many.c - places many orders with a few statements, where the database has arrays.
 *
 *   look   one query locks the events and the stock rows of all, and finds the keys that have an
 *          order already
 *   decide in memory, in order of arrival, by the rules of hold_place: what an order takes, the
 *          next one does not find
 *   write  a statement for each table; nobody waits for their outcome, so they travel with the
 *          commit
 *
 * So a batch costs two round trips, however many orders are in it. The locks make what was looked
 * at hold until the commit. A key that another process has used between the look and the write
 * fails at its unique index: the desk then runs each write by itself, and finds it. */

#include "services/booking/hold_many.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "services/booking/hold.h"
#include "services/booking/hold.sql.h"
#include "services/booking/price.h"
#include "services/booking/state.h"
#include "services/booking/stock_hint.h"

enum found { FOUND_EVENT, FOUND_STOCK, FOUND_KEY };

/* A row that was locked; of an event the second number is its status. */
struct locked {
    struct uuid id;
    bool is_there;
    int64_t version;
    int64_t number; /* status, or what remains */
    int64_t taken;  /* of stock: by these orders */
    int64_t times;
};

struct locked_list {
    struct locked *items; /* by id */
    size_t count;
};

/* The order that a key had before. */
struct first {
    bool is_there;
    struct uuid order;
    str digest;
};

struct many {
    struct booking *booking;
    struct arena *arena;
    struct hold_try **tries;
    size_t count;
    struct locked_list events;
    struct locked_list stock;
    struct first *firsts; /* by try */
    bool *placed;         /* by try */
    size_t placed_count;
    size_t item_count; /* of the placed */
};

bool hold_many_fits(const struct hold_try *try)
{
    return try->event == NULL ||
           (try->asked.redeem == NULL && try->event->limits.per_user == JSON_NULL &&
            !try->event->limits.one_active_hold);
}

/* --- What is needed --- */

static int compare_locked(const void *a, const void *b)
{
    return memcmp(((const struct locked *)a)->id.bytes, ((const struct locked *)b)->id.bytes,
                  sizeof(struct uuid));
}

static void sort_unique(struct locked_list *list)
{
    size_t kept = 0;

    qsort(list->items, list->count, sizeof(*list->items), compare_locked);
    for (size_t i = 0; i < list->count; i++)
        if (kept == 0 || !uuid_eq(list->items[kept - 1].id, list->items[i].id))
            list->items[kept++] = list->items[i];
    list->count = kept;
}

static struct locked *find(const struct locked_list *list, struct uuid id)
{
    const struct locked key = {.id = id};

    if (list->count == 0)
        return NULL;
    return bsearch(&key, list->items, list->count, sizeof(*list->items), compare_locked);
}

/* An order that is refused whatever the database says locks nothing. */
static void collect(struct many *many)
{
    size_t items = 0;

    for (size_t i = 0; i < many->count; i++)
        items += many->tries[i]->order.item_count;
    many->events.items = arena_new_array(many->arena, struct locked, many->count + 1);
    many->stock.items = arena_new_array(many->arena, struct locked, items + 1);
    for (size_t i = 0; i < many->count; i++) {
        const struct hold_try *try = many->tries[i];

        if (try->refusal != ERR_OK)
            continue;
        many->events.items[many->events.count++].id = try->event->id.uuid;
        for (size_t item = 0; item < try->order.item_count; item++)
            many->stock.items[many->stock.count++].id = try->order.items[item].type.uuid;
    }
    sort_unique(&many->events);
    sort_unique(&many->stock);
}

/* --- Looking --- */

static struct value ids_of(const struct many *many, const struct locked_list *list)
{
    struct uuid *ids = arena_new_array(many->arena, struct uuid, list->count + 1);

    for (size_t i = 0; i < list->count; i++)
        ids[i] = list->items[i].id;
    return UUIDS(ids, list->count);
}

static void note_locked(const struct locked_list *list, const struct rows *rows)
{
    struct locked *locked = find(list, row_uuid(rows, 1));

    assert(locked != NULL);
    locked->is_there = true;
    locked->version = row_i64(rows, 2);
    locked->number = row_i64(rows, 3);
}

static void note_first(struct many *many, const struct rows *rows)
{
    const size_t index = (size_t)row_i64(rows, 2) - 1;

    assert(index < many->count);
    many->firsts[index] =
        (struct first){.is_there = true, .order = row_uuid(rows, 1), .digest = row_blob(rows, 4)};
}

static err look(struct many *many, struct tx *tx)
{
    CLEANUP(rows_done) struct rows rows = {0};
    struct uuid *users = arena_new_array(many->arena, struct uuid, many->count);
    str *keys = arena_new_array(many->arena, str, many->count);

    for (size_t i = 0; i < many->count; i++) {
        users[i] = many->tries[i]->req->call.caller.user;
        keys[i] = many->tries[i]->key;
    }
    TRY(rows_open(&rows, tx, &SQL_HOLD_MANY_LOOK,
                  ARGS(ids_of(many, &many->events), ids_of(many, &many->stock),
                       UUIDS(users, many->count), TEXTS(keys, many->count)),
                  many->arena));
    while (rows_next(&rows)) {
        const int64_t found = row_i64(&rows, 0);

        if (found == FOUND_EVENT)
            note_locked(&many->events, &rows);
        else if (found == FOUND_STOCK)
            note_locked(&many->stock, &rows);
        else
            note_first(many, &rows);
    }
    return rows_close(&rows);
}

/* --- Deciding: as hold_place does --- */

static str digest_of(const struct hold_try *try)
{
    return (str){(const char *)try->digest, sizeof(try->digest)};
}

static bool is_same_key(const struct hold_try *a, const struct hold_try *b)
{
    return uuid_eq(a->req->call.caller.user, b->req->call.caller.user) && str_eq(a->key, b->key);
}

/* The order that the key has from before, or from one of these that came earlier. */
static bool find_first(const struct many *many, size_t index, struct first *ret)
{
    if (many->firsts[index].is_there) {
        *ret = many->firsts[index];
        return true;
    }
    for (size_t i = 0; i < index; i++) {
        const struct hold_try *other = many->tries[i];

        if (many->placed[i] && is_same_key(other, many->tries[index])) {
            *ret = (struct first){true, other->order.id.uuid, digest_of(other)};
            return true;
        }
    }
    return false;
}

static err replay(struct hold_try *try, const struct first *first)
{
    if (!str_eq(first->digest, digest_of(try))) {
        try->req->call.problem = (struct problem){0}; /* what pricing had to say does not matter */
        return ERR_IDEMPOTENCY_MISMATCH;
    }
    try->order.id.uuid = first->order;
    try->replayed = true;
    return ERR_OK;
}

static err check_event(const struct many *many, const struct hold_try *try)
{
    const struct locked *event = find(&many->events, try->event->id.uuid);

    if (!event->is_there || event->version != try->event->version ||
        event->number != EVENT_PUBLISHED)
        return ERR_STALE;
    return ERR_OK;
}

static err check_stock(const struct many *many, struct hold_try *try)
{
    for (size_t i = 0; i < try->order.item_count; i++) {
        const struct order_item *item = &try->order.items[i];
        const struct locked *stock = find(&many->stock, item->type.uuid);

        if (!stock->is_there || stock->number < item->quantity)
            return hold_sold_out(&try->req->call, try->event, item->type);
    }
    return ERR_OK;
}

static void take(struct many *many, size_t index)
{
    struct hold_try *try = many->tries[index];

    if (try->levels == NULL)
        try->levels = arena_new_array(try->req->call.arena, stock_level, try->order.item_count);
    for (size_t i = 0; i < try->order.item_count; i++) {
        struct locked *stock = find(&many->stock, try->order.items[i].type.uuid);

        stock->number -= try->order.items[i].quantity;
        stock->taken += try->order.items[i].quantity;
        stock->version++;
        stock->times++;
        try->levels[i] = stock->version * STOCK_VERSION_STEP + stock->number;
    }
    stock_changed(many->booking->stock, try->event->id);
    many->placed[index] = true;
    many->placed_count++;
    many->item_count += try->order.item_count;
}

static err decide(struct many *many, size_t index)
{
    struct hold_try *try = many->tries[index];
    struct first first;

    try->replayed = false;
    if (find_first(many, index, &first))
        return replay(try, &first);
    if (try->refusal != ERR_OK)
        return try->refusal;
    assert(try->event != NULL && try->order.item_count > 0 && hold_many_fits(try));
    TRY(check_event(many, try));
    TRY(check_stock(many, try));
    take(many, index);
    return ERR_OK;
}

/* --- Writing --- */

static err write_stock(const struct many *many, struct tx *tx)
{
    struct uuid *ids = arena_new_array(many->arena, struct uuid, many->stock.count);
    int64_t *taken = arena_new_array(many->arena, int64_t, many->stock.count);
    int64_t *times = arena_new_array(many->arena, int64_t, many->stock.count);
    size_t count = 0;

    for (size_t i = 0; i < many->stock.count; i++) {
        if (many->stock.items[i].times == 0)
            continue;
        ids[count] = many->stock.items[i].id;
        taken[count] = many->stock.items[i].taken;
        times[count++] = many->stock.items[i].times;
    }
    return db_exec(tx, &SQL_HOLD_MANY_TAKE,
                   ARGS(UUIDS(ids, count), I64S(taken, count), I64S(times, count)));
}

/* order_state, a column an array. */
struct order_columns {
    struct uuid *ids, *users, *events;
    int64_t *expires_at_ms, *hold_ms, *total_minor, *created_at_ms, *event_version;
    str *currencies, *keys, *digests;
};

static struct order_columns order_columns_new(struct arena *arena, size_t count)
{
    return (struct order_columns){
        .ids = arena_new_array(arena, struct uuid, count),
        .users = arena_new_array(arena, struct uuid, count),
        .events = arena_new_array(arena, struct uuid, count),
        .expires_at_ms = arena_new_array(arena, int64_t, count),
        .hold_ms = arena_new_array(arena, int64_t, count),
        .total_minor = arena_new_array(arena, int64_t, count),
        .created_at_ms = arena_new_array(arena, int64_t, count),
        .event_version = arena_new_array(arena, int64_t, count),
        .currencies = arena_new_array(arena, str, count),
        .keys = arena_new_array(arena, str, count),
        .digests = arena_new_array(arena, str, count),
    };
}

static err write_orders(const struct many *many, struct tx *tx)
{
    const struct order_columns c = order_columns_new(many->arena, many->placed_count);
    const size_t n = many->placed_count;
    size_t row = 0;

    for (size_t i = 0; i < many->count; i++) {
        const struct hold_try *try = many->tries[i];
        const struct order *order = &try->order;

        if (!many->placed[i])
            continue;
        c.ids[row] = order->id.uuid;
        c.users[row] = order->user;
        c.events[row] = order->event.uuid;
        c.expires_at_ms[row] = order->expires_at_ms;
        c.hold_ms[row] = order->hold_ms;
        c.total_minor[row] = order->total.minor;
        c.created_at_ms[row] = order->created_at_ms;
        c.event_version[row] = order->event_version;
        c.currencies[row] = str_of(order->total.currency.code);
        c.keys[row] = try->key;
        c.digests[row++] = digest_of(try);
    }
    return db_exec(tx, &SQL_HOLD_MANY_INSERT,
                   ARGS(UUIDS(c.ids, n), UUIDS(c.users, n), UUIDS(c.events, n),
                        I64S(c.expires_at_ms, n), I64S(c.hold_ms, n), I64S(c.total_minor, n),
                        TEXTS(c.currencies, n), TEXTS(c.keys, n), BLOBS(c.digests, n),
                        I64S(c.created_at_ms, n), I64S(c.event_version, n)));
}

/* The items, and their rows of the ledger. */
static err write_items(const struct many *many, struct tx *tx)
{
    const size_t n = many->item_count;
    struct uuid *orders = arena_new_array(many->arena, struct uuid, n);
    struct uuid *types = arena_new_array(many->arena, struct uuid, n);
    int64_t *quantities = arena_new_array(many->arena, int64_t, n);
    int64_t *prices = arena_new_array(many->arena, int64_t, n);
    int64_t *at_ms = arena_new_array(many->arena, int64_t, n);
    size_t row = 0;

    for (size_t i = 0; i < many->count; i++) {
        const struct order *order = &many->tries[i]->order;

        for (size_t item = 0; many->placed[i] && item < order->item_count; item++) {
            orders[row] = order->id.uuid;
            types[row] = order->items[item].type.uuid;
            quantities[row] = order->items[item].quantity;
            prices[row] = order->items[item].unit_price_minor;
            at_ms[row++] = many->tries[i]->req->call.now_ms;
        }
    }
    TRY(db_exec(tx, &SQL_HOLD_MANY_LEDGER,
                ARGS(UUIDS(orders, n), UUIDS(types, n), I64S(quantities, n), I64S(at_ms, n))));
    return db_exec(tx, &SQL_HOLD_MANY_INSERT_ITEMS,
                   ARGS(UUIDS(orders, n), UUIDS(types, n), I64S(quantities, n), I64S(prices, n)));
}

/* What their money has beside the list price: of most nothing. */
static err write_money(const struct many *many, struct tx *tx)
{
    enum { COLUMNS = 5 };
    const size_t n = many->item_count;
    struct uuid *orders = arena_new_array(many->arena, struct uuid, n);
    struct uuid *types = arena_new_array(many->arena, struct uuid, n);
    int64_t *amounts[COLUMNS];
    size_t row = 0;

    for (size_t column = 0; column < COLUMNS; column++)
        amounts[column] = arena_new_array(many->arena, int64_t, n);
    for (size_t i = 0; i < many->count; i++) {
        const struct order *order = &many->tries[i]->order;

        for (size_t item = 0; many->placed[i] && item < order->item_count; item++) {
            const struct booking_money_line *money = &order->items[item].money;

            if (price_is_plain(money))
                continue;
            orders[row] = order->id.uuid;
            types[row] = order->items[item].type.uuid;
            amounts[0][row] = money->discount_minor;
            amounts[1][row] = money->buyer_fee_minor;
            amounts[2][row] = money->vendor_fee_minor;
            amounts[3][row] = money->tax_minor;
            amounts[4][row++] = money->tax_included_minor;
        }
    }
    if (row == 0)
        return ERR_OK;
    return db_exec(tx, &SQL_HOLD_MANY_INSERT_MONEY,
                   ARGS(UUIDS(orders, row), UUIDS(types, row), I64S(amounts[0], row),
                        I64S(amounts[1], row), I64S(amounts[2], row), I64S(amounts[3], row),
                        I64S(amounts[4], row)));
}

static err write_attendees(const struct many *many, struct tx *tx)
{
    struct uuid *orders = arena_new_array(many->arena, struct uuid, many->placed_count);
    str *attendees = arena_new_array(many->arena, str, many->placed_count);
    size_t n = 0;

    for (size_t i = 0; i < many->count; i++) {
        if (!many->placed[i] || many->tries[i]->order.attendees.ptr == NULL)
            continue;
        orders[n] = many->tries[i]->order.id.uuid;
        attendees[n++] = many->tries[i]->order.attendees;
    }
    return n == 0
               ? ERR_OK
               : db_exec(tx, &SQL_HOLD_MANY_ATTENDEES, ARGS(UUIDS(orders, n), TEXTS(attendees, n)));
}

err hold_many(void *owner, struct batch_write *const *writes, size_t count, struct tx *tx)
{
    CLEANUP(call_done) struct call call = {0};
    struct many many = {.count = count};

    call_init(&call, owner, "hold.many");
    many.booking = booking_of(&call);
    many.arena = call.arena;
    many.tries = arena_new_array(call.arena, struct hold_try *, count);
    many.firsts = arena_new_array(call.arena, struct first, count);
    many.placed = arena_new_array(call.arena, bool, count);
    for (size_t i = 0; i < count; i++)
        many.tries[i] = hold_try_of(writes[i]);
    collect(&many);
    TRY(look(&many, tx));
    for (size_t i = 0; i < count; i++)
        writes[i]->result = decide(&many, i);
    if (many.placed_count == 0)
        return ERR_OK;
    TRY(write_stock(&many, tx));
    TRY(write_orders(&many, tx));
    TRY(write_items(&many, tx));
    TRY(write_money(&many, tx));
    return write_attendees(&many, tx);
}
