/* payment/points_get.c - shows a user's points.
 *
 * The balance is what may be spent at this moment: what has expired is not in it, whether or not
 * the chore has come by. What it is good for follows from the rules alone, or, for one event, from
 * its prices, which booking knows. */
#include "services/payment/points_get.h"

#include <inttypes.h>

#include "services/payment/points.h"
#include "services/payment/points_get.sql.h"
#include "services/payment/points_vendor.h"
#include "services/payment/state.h"

enum {
    PAGE = 20,
    PAGE_MAX = 100,
    EXPIRING_MAX = 20,
    REDEEMABLE_MAX = 500,
};
#define EXPIRING_WITHIN_MS (INT64_C(90) * 24 * 3600 * 1000)

static const char *const kind_names[] = {
    [POINTS_EARNED] = "earned",     [POINTS_TAKEN_BACK] = "taken_back",
    [POINTS_RESERVED] = "redeemed", [POINTS_RELEASED] = "released",
    [POINTS_REDEEMED] = "spent",    [POINTS_RETURNED] = "returned",
    [POINTS_EXPIRED] = "expired",   NULL,
};

/* --- What is shown --- */

static const struct json_field tier_fields[] = {
    JSON_F_TOKEN("name", struct points_tier, name, 0, 0, JSON_OPTIONAL),
    JSON_F_I64("from", struct points_tier, from, 0, 0, JSON_OPTIONAL),
    JSON_F_I64("percent", struct points_tier, percent, 0, 0, JSON_OPTIONAL),
};
static const struct json_shape tier_shape = JSON_SHAPE(tier_fields, struct points_tier);

struct next_tier {
    str name;
    int64_t missing;
};
static const struct json_field next_fields[] = {
    JSON_F_TOKEN("name", struct next_tier, name, 0, 0, JSON_OPTIONAL),
    JSON_F_I64("missing", struct next_tier, missing, 0, 0, JSON_OPTIONAL),
};
static const struct json_shape next_shape = JSON_SHAPE(next_fields, struct next_tier);

struct expiring {
    int64_t points;
    int64_t at_ms;
};
static const struct json_field expiring_fields[] = {
    JSON_F_I64("points", struct expiring, points, 0, 0, JSON_OPTIONAL),
    JSON_F_TIME("at", struct expiring, at_ms, JSON_OPTIONAL),
};
static const struct json_shape expiring_shape = JSON_SHAPE(expiring_fields, struct expiring);

struct entry {
    int kind;
    int64_t points; /* what it adds to the balance */
    int64_t owed;   /* what it adds to the debt; JSON_NULL: nothing */
    order_id order;
    int64_t at_ms;
    int64_t seq;
};
static const struct json_field entry_fields[] = {
    JSON_F_ENUM("kind", struct entry, kind, kind_names, JSON_OPTIONAL),
    JSON_F_I64("points", struct entry, points, 0, 0, JSON_OPTIONAL),
    JSON_F_I64("owed", struct entry, owed, 0, 0, JSON_OPTIONAL),
    JSON_F_ID("order_id", struct entry, order, ORDER_PREFIX, JSON_OPTIONAL),
    JSON_F_TIME("at", struct entry, at_ms, JSON_OPTIONAL),
};
static const struct json_shape entry_shape = JSON_SHAPE(entry_fields, struct entry);

struct redeemable {
    int kind; /* enum payment_redeem */
    int64_t points;
    int64_t minor; /* of a discount without an event: what it pays in any currency */
    struct money discount;
    ticket_type_id type;
    str name;
    bool affordable;
};
static const struct json_field redeemable_fields[] = {
    JSON_F_ENUM("kind", struct redeemable, kind, payment_redeem_names, JSON_OPTIONAL),
    JSON_F_I64("points", struct redeemable, points, 0, 0, JSON_OPTIONAL),
    JSON_F_I64("minor_units", struct redeemable, minor, 0, 0, JSON_OPTIONAL),
    JSON_F_MONEY("discount", struct redeemable, discount, 0, 0, JSON_OPTIONAL),
    JSON_F_ID("ticket_type_id", struct redeemable, type, TICKET_TYPE_PREFIX, JSON_OPTIONAL),
    JSON_F_TEXT("name", struct redeemable, name, 0, 0, JSON_OPTIONAL),
    JSON_F_BOOL("affordable", struct redeemable, affordable, JSON_OPTIONAL),
};
static const struct json_shape redeemable_shape = JSON_SHAPE(redeemable_fields, struct redeemable);

struct points_view {
    int64_t balance;
    int64_t reserved;
    int64_t owed;
    int64_t pending;
    str tier;
    int64_t earned;
    const struct next_tier *next_tier; /* NULL: there is none above */
    const struct points_tier *tiers;
    size_t tier_count;
    struct expiring *expiring;
    size_t expiring_count;
    struct entry *history;
    size_t history_count;
    str next_cursor;
    struct redeemable *redeemable;
    size_t redeemable_count;
};
static const struct json_field view_fields[] = {
    JSON_F_I64("balance", struct points_view, balance, 0, 0, JSON_OPTIONAL),
    JSON_F_I64("reserved", struct points_view, reserved, 0, 0, JSON_OPTIONAL),
    JSON_F_I64("owed", struct points_view, owed, 0, 0, JSON_OPTIONAL),
    JSON_F_I64("pending", struct points_view, pending, 0, 0, JSON_OPTIONAL),
    JSON_F_TOKEN("tier", struct points_view, tier, 0, 0, JSON_OPTIONAL),
    JSON_F_I64("earned", struct points_view, earned, 0, 0, JSON_OPTIONAL),
    JSON_F_OBJECT("next_tier", struct points_view, next_tier, &next_shape, JSON_NULLABLE),
    JSON_F_LIST("tiers", struct points_view, tiers, tier_count, &tier_shape, 0, 0, JSON_OPTIONAL),
    JSON_F_LIST("expiring", struct points_view, expiring, expiring_count, &expiring_shape, 0, 0,
                JSON_OPTIONAL),
    JSON_F_LIST("history", struct points_view, history, history_count, &entry_shape, 0, 0,
                JSON_OPTIONAL),
    JSON_F_TOKEN("next_cursor", struct points_view, next_cursor, 0, 0, JSON_NULLABLE),
    JSON_F_LIST("redeemable", struct points_view, redeemable, redeemable_count, &redeemable_shape,
                0, 0, JSON_OPTIONAL),
};
static const struct json_shape view_shape = JSON_SHAPE(view_fields, struct points_view);

/* --- Reading --- */

struct points_query {
    event_id event;
    int64_t limit;
    str cursor; /* the entry that was shown last */
};
static const struct json_field query_fields[] = {
    JSON_F_ID("event_id", struct points_query, event, EVENT_PREFIX, JSON_OPTIONAL),
    JSON_F_I64("limit", struct points_query, limit, 1, PAGE_MAX, JSON_OPTIONAL),
    JSON_F_TOKEN("cursor", struct points_query, cursor, 1, 20, JSON_OPTIONAL),
};
static const struct json_shape query_shape = JSON_SHAPE(query_fields, struct points_query);

static err read_cursor(struct call *call, str cursor, int64_t *ret)
{
    int64_t seq = 0;

    for (size_t i = 0; i < cursor.size; i++) {
        if (cursor.ptr[i] < '0' || cursor.ptr[i] > '9' || cursor.size > 18)
            return call_explain(call, ERR_MALFORMED, "The cursor was not given out by this list.");
        seq = seq * 10 + (cursor.ptr[i] - '0');
    }
    *ret = cursor.size > 0 ? seq : INT64_MAX;
    return ERR_OK;
}

static err read_account(struct tx *tx, struct call *call, struct points_view *view)
{
    CLEANUP(rows_done) struct rows rows = {0};
    const struct value user = UUID(call->caller.user);
    int64_t over = 0;
    const err e = rows_first(&rows, tx, &SQL_POINTS_SHOW_ACCOUNT, ARGS(user), call->arena);

    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(e);
    view->balance = row_i64(&rows, 0);
    view->reserved = row_i64(&rows, 1);
    view->owed = row_i64(&rows, 2);
    TRY(rows_close(&rows));
    TRY(db_get_i64(tx, &SQL_POINTS_SHOW_OVER, ARGS(user, I64(call->now_ms)), &over));
    view->balance -= over;
    return ERR_OK;
}

static err read_tier(struct tx *tx, struct call *call, struct points_view *view)
{
    const struct points_rules *rules = &payment_of(call)->points;
    struct next_tier *next = arena_new(call->arena, struct next_tier);

    TRY(points_earned_since(tx, call->caller.user, call->now_ms - rules->window_ms, &view->earned));
    const size_t tier = points_tier_at(rules, view->earned);
    view->tier = rules->tiers[tier].name;
    view->tiers = rules->tiers;
    view->tier_count = rules->tier_count;
    if (tier + 1 == rules->tier_count)
        return ERR_OK;
    next->name = rules->tiers[tier + 1].name;
    next->missing = rules->tiers[tier + 1].from - view->earned;
    view->next_tier = next;
    return ERR_OK;
}

static err read_expiring(struct tx *tx, struct call *call, struct points_view *view)
{
    CLEANUP(rows_done) struct rows rows = {0};

    view->expiring = arena_new_array(call->arena, struct expiring, EXPIRING_MAX);
    TRY(rows_open(&rows, tx, &SQL_POINTS_SHOW_EXPIRING,
                  ARGS(UUID(call->caller.user), I64(call->now_ms),
                       I64(call->now_ms + EXPIRING_WITHIN_MS), I64(EXPIRING_MAX)),
                  call->arena));
    while (view->expiring_count < EXPIRING_MAX && rows_next(&rows))
        view->expiring[view->expiring_count++] =
            (struct expiring){.at_ms = row_i64(&rows, 0), .points = row_i64(&rows, 1)};
    return rows_close(&rows);
}

static err read_pending(struct tx *tx, struct call *call, struct points_view *view)
{
    CLEANUP(rows_done) struct rows rows = {0};
    const struct points_rules *rules = &payment_of(call)->points;

    TRY(rows_open(&rows, tx, &SQL_POINTS_SHOW_PENDING,
                  ARGS(UUID(call->caller.user), I64(call->now_ms)), call->arena));
    while (rows_next(&rows))
        view->pending +=
            points_for(rules, row_i64(&rows, 1), row_i64(&rows, 0)) - row_i64(&rows, 2);
    return rows_close(&rows);
}

static err read_history(struct tx *tx, struct call *call, int64_t before, int64_t limit,
                        struct points_view *view)
{
    CLEANUP(rows_done) struct rows rows = {0};
    struct entry *entries = arena_new_array(call->arena, struct entry, PAGE_MAX + 1);
    size_t count = 0;

    TRY(rows_open(&rows, tx, &SQL_POINTS_SHOW_HISTORY,
                  ARGS(UUID(call->caller.user), I64(before), I64(limit + 1)), call->arena));
    while (count <= (size_t)limit && rows_next(&rows)) {
        const int64_t debt = row_i64(&rows, 3);

        entries[count++] = (struct entry){
            .seq = row_i64(&rows, 0),
            .kind = (int)row_i64(&rows, 1),
            .points = row_i64(&rows, 2),
            .owed = debt != 0 ? debt : JSON_NULL,
            .order = {row_uuid(&rows, 4)},
            .at_ms = row_i64(&rows, 5),
        };
    }
    if (count > (size_t)limit) {
        count = (size_t)limit;
        view->next_cursor = arena_printf(call->arena, "%" PRId64, entries[count - 1].seq);
    }
    view->history = entries;
    view->history_count = count;
    return rows_close(&rows);
}

/* --- What they are good for --- */

static void add(struct points_view *view, struct redeemable redeemable)
{
    if (view->redeemable_count == REDEEMABLE_MAX)
        return;
    redeemable.affordable = redeemable.points <= view->balance;
    view->redeemable[view->redeemable_count++] = redeemable;
}

/* `zero`: in the currency of the event; without one, none. */
static void add_discounts(const struct points_rules *rules, struct money zero,
                          struct points_view *view)
{
    for (size_t i = 0; i < rules->discount_count; i++) {
        const int64_t points = rules->discounts[i];
        const int64_t minor = points_worth(rules, REDEEM_DISCOUNT, points);
        const bool of_event = zero.currency.code[0] != '\0';
        struct redeemable discount = {
            .kind = REDEEM_DISCOUNT, .points = points, .minor = of_event ? JSON_NULL : minor};

        if (of_event)
            discount.discount = (struct money){minor, zero.currency};
        add(view, discount);
    }
}

static void add_free_ticket(const struct points_rules *rules, const struct booking_redeemables *of,
                            const struct booking_redeemable_type *type, struct points_view *view)
{
    if (!type->on_sale || type->price_minor == 0)
        return;
    add(view, (struct redeemable){
                  .kind = REDEEM_FREE_TICKET,
                  .points = points_cost(rules, REDEEM_FREE_TICKET, type->price_minor),
                  .minor = JSON_NULL,
                  .discount = {.minor = type->price_minor, .currency = of->zero.currency},
                  .type = type->ticket_type,
                  .name = type->name,
    });
}

static bool vendor_takes(struct call *call, struct uuid vendor, err *ret_e)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct points_vendor own = {0};

    *ret_e = tx_read(&tx, call_db(call));
    if (*ret_e == ERR_OK)
        *ret_e = points_vendor_get(&tx, call, vendor, &own);
    return *ret_e == ERR_OK && own.redeem;
}

static err add_of_event(struct call *call, event_id event, struct points_view *view)
{
    const struct points_rules *rules = &payment_of(call)->points;
    const struct booking_redeemable in = {event};
    struct booking_redeemables of = {0};
    err e = ERR_OK;

    TRY(booking_redeemable(call, &in, &of));
    if (!vendor_takes(call, of.vendor, &e) || !points_takes_currency(rules, of.zero.currency))
        return e;
    add_discounts(rules, of.zero, view);
    for (size_t i = 0; i < of.type_count; i++)
        add_free_ticket(rules, &of, &of.types[i], view);
    return ERR_OK;
}

/* --- Handler --- */

static err read_all(struct call *call, const struct points_query *query, struct points_view *view)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t before = 0;

    TRY(read_cursor(call, query->cursor, &before));
    TRY(tx_read(&tx, call_db(call)));
    TRY(read_account(&tx, call, view));
    TRY(read_tier(&tx, call, view));
    TRY(read_expiring(&tx, call, view));
    TRY(read_pending(&tx, call, view));
    return read_history(&tx, call, before, query->limit, view);
}

static err get_points(struct req *req)
{
    struct call *call = &req->call;
    const struct points_rules *rules = &payment_of(call)->points;
    struct points_query query = {.limit = PAGE};
    struct points_view view = {
        .redeemable = arena_new_array(call->arena, struct redeemable, REDEEMABLE_MAX),
    };

    TRY(req_query(req, &query_shape, &query));
    TRY(read_all(call, &query, &view));
    if (rules->value_minor > 0 && !uuid_is_zero(query.event.uuid))
        TRY(add_of_event(call, query.event, &view));
    else if (rules->value_minor > 0)
        add_discounts(rules, (struct money){.minor = 0}, &view);
    return reply_json(req, 200, &view_shape, &view);
}

static const struct route routes[] = {
    {METHOD_GET, "/loyalty-points", get_points, AUTH_USER, NO_BODY, UNKEYED, ON_WORKER},
};
const struct route_table points_routes = ROUTE_TABLE(routes);
