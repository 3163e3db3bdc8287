/* booking/order.c - orders: the states they go through, their rows, and reading them.
 *
 *   hold_place        expire_holds
 *   ─────────▶ held ◀─────────────▶ expired         back: booking_confirm, paid too late
 *               │ │
 *               │ └── booking_confirm ──▶ pending   cash on arrival, bank transfer
 *        booking_settle                      │
 *               ▼          booking_settle    │
 *           confirmed ◀──────────────────────┘
 *               │ └── order_refund_make ──▶ partially_refunded
 *               │                                 │ order_refund_make
 *               └── order_refund_make ──▶ refunded ◀┘
 *
 *   held, pending, confirmed, partially_refunded ──▶ cancelled
 *       event_cancel_orders, booking_payment_abort, order_refund_make for a ticket's DELETE
 *
 * While a payment is under way the order stays held: attempt_state says so. */

#include "services/booking/order.h"

#include <assert.h>
#include <string.h>

#include "services/booking/catalog.h"
#include "services/booking/cursor.h"
#include "services/booking/order.sql.h"
#include "services/booking/redeem.h"
#include "services/booking/state.h"

const char *const order_status_names[] = {
    [ORDER_HELD] = "held",
    [ORDER_PENDING] = "pending",
    [ORDER_CONFIRMED] = "confirmed",
    [ORDER_EXPIRED] = "expired",
    [ORDER_CANCELLED] = "cancelled",
    [ORDER_REFUNDED] = "refunded",
    [ORDER_PARTIALLY_REFUNDED] = "partially_refunded",
    NULL,
};

/* --- Rules --- */

static const struct {
    enum order_status from;
    enum order_status to;
} transitions[] = {
    {ORDER_HELD,               ORDER_PENDING           },
    {ORDER_HELD,               ORDER_CONFIRMED         },
    {ORDER_HELD,               ORDER_EXPIRED           },
    {ORDER_HELD,               ORDER_CANCELLED         },
    {ORDER_PENDING,            ORDER_CONFIRMED         },
    {ORDER_PENDING,            ORDER_CANCELLED         },
    {ORDER_CONFIRMED,          ORDER_PARTIALLY_REFUNDED},
    {ORDER_CONFIRMED,          ORDER_REFUNDED          },
    {ORDER_CONFIRMED,          ORDER_CANCELLED         },
    {ORDER_EXPIRED,            ORDER_HELD              },
    {ORDER_PARTIALLY_REFUNDED, ORDER_REFUNDED          },
    {ORDER_PARTIALLY_REFUNDED, ORDER_CANCELLED         },
};

bool order_may_become(enum order_status from, enum order_status to)
{
    for (size_t i = 0; i < sizeof(transitions) / sizeof(transitions[0]); i++)
        if (transitions[i].from == from && transitions[i].to == to)
            return true;
    return false;
}

enum order_status order_shown_status(const struct order *order, int64_t now_ms)
{
    const bool paying =
        order->attempt_state == ATTEMPT_LIVE || order->attempt_state == ATTEMPT_CONFIRMED;

    if (order->status == ORDER_HELD && !paying && order->expires_at_ms <= now_ms)
        return ORDER_EXPIRED;
    return (enum order_status)order->status;
}

int64_t order_ticket_quantity(const struct order *order)
{
    int64_t sum = 0;

    for (size_t i = 0; i < order->item_count; i++)
        sum += order->items[i].quantity;
    return sum;
}

struct booking_money_line *order_lines(struct arena *arena, const struct order *order)
{
    struct booking_money_line *lines =
        arena_new_array(arena, struct booking_money_line, order->item_count + 1);

    for (size_t i = 0; i < order->item_count; i++)
        lines[i] = order->items[i].money;
    return lines;
}

bool order_is_visible_to(const struct call *call, const struct order *order)
{
    const struct caller *caller = &call->caller;
    CLEANUP(event_release_at) const struct event *event = NULL;

    if (caller->role == ROLE_ADMIN)
        return true;
    if (caller->role == ROLE_ANONYMOUS)
        return false;
    if (uuid_eq(caller->user, order->user))
        return true;
    if (uuid_is_zero(caller->vendor))
        return false;
    event = catalog_find(booking_of(call)->catalog, order->event);
    return event != NULL && uuid_eq(event->vendor, caller->vendor);
}

/* --- Storage --- */

static err get_state(struct tx *tx, struct arena *arena, struct order *order)
{
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(rows_first(&rows, tx, &SQL_ORDER_FIND, ARGS(UUID(order->id.uuid)), arena));
    order->user = row_uuid(&rows, 0);
    order->event.uuid = row_uuid(&rows, 1);
    order->status = (int)row_i64(&rows, 2);
    order->attempt.uuid = row_uuid(&rows, 3);
    order->attempt_state = (int)row_i64(&rows, 4);
    order->expires_at_ms = row_i64(&rows, 5);
    order->hold_ms = row_i64(&rows, 6);
    order->total.minor = row_i64(&rows, 7);
    const str currency = row_text(&rows, 8);
    order->created_at_ms = row_i64(&rows, 9);
    order->attendees = row_text(&rows, 10);
    order->confirmed_at_ms = row_i64_or(&rows, 11, JSON_NULL);
    order->payment_method = row_text(&rows, 12);
    order->due_minor = row_i64(&rows, 13);
    order->refunded_minor = row_i64(&rows, 14);
    order->event_version = row_i64(&rows, 15);
    TRY(rows_close(&rows));
    if (currency.size != CURRENCY_CODE_SIZE || order->status < ORDER_HELD ||
        order->status > ORDER_PARTIALLY_REFUNDED)
        return ERR_INTERNAL;
    memcpy(order->total.currency.code, currency.ptr, CURRENCY_CODE_SIZE);
    return ERR_OK;
}

static err get_items(struct tx *tx, struct arena *arena, struct order *order)
{
    CLEANUP(rows_done) struct rows rows = {0};

    order->items = arena_new_array(arena, struct order_item, EVENT_TICKET_TYPES_MAX);
    TRY(rows_open(&rows, tx, &SQL_ORDER_ITEMS, ARGS(UUID(order->id.uuid)), arena));
    while (order->item_count < EVENT_TICKET_TYPES_MAX && rows_next(&rows)) {
        struct order_item *item = &order->items[order->item_count++];

        item->type.uuid = row_uuid(&rows, 0);
        item->quantity = row_i64(&rows, 1);
        item->unit_price_minor = row_i64(&rows, 2);
        item->money = (struct booking_money_line){
            .ticket_type = item->type.uuid,
            .quantity = item->quantity,
            .face_minor = item->unit_price_minor * item->quantity, /* checked when it was placed */
            .discount_minor = row_i64(&rows, 3),
            .buyer_fee_minor = row_i64(&rows, 4),
            .vendor_fee_minor = row_i64(&rows, 5),
            .tax_minor = row_i64(&rows, 6),
            .tax_included_minor = row_i64(&rows, 7),
        };
    }
    return rows_close(&rows);
}

static err get_tickets(struct tx *tx, struct arena *arena, struct order *order)
{
    CLEANUP(rows_done) struct rows rows = {0};
    size_t capacity = (size_t)order_ticket_quantity(order);

    TRY(rows_open(&rows, tx, &SQL_ORDER_TICKETS, ARGS(UUID(order->id.uuid)), arena));
    order->tickets = arena_new_array(arena, ticket_id, capacity + 1);
    while (rows_next(&rows)) {
        if (order->ticket_count == capacity) { /* transfers add some */
            ticket_id *more = arena_new_array(arena, ticket_id, 2 * capacity + 1);

            memcpy(more, order->tickets, capacity * sizeof(*more));
            order->tickets = more;
            capacity *= 2;
        }
        order->tickets[order->ticket_count++].uuid = row_uuid(&rows, 0);
    }
    return rows_close(&rows);
}

static err get_refunds(struct tx *tx, struct arena *arena, struct order *order)
{
    CLEANUP(rows_done) struct rows rows = {0};

    order->refunds = arena_new_array(arena, struct order_money_back, ORDER_REFUNDS_MAX);
    TRY(rows_open(&rows, tx, &SQL_ORDER_REFUNDS, ARGS(UUID(order->id.uuid), I64(ORDER_REFUNDS_MAX)),
                  arena));
    while (order->refund_count < ORDER_REFUNDS_MAX && rows_next(&rows)) {
        struct order_money_back *refund = &order->refunds[order->refund_count++];

        refund->id.uuid = row_uuid(&rows, 0);
        refund->status = (int)row_i64(&rows, 1);
        refund->amount.minor = row_i64(&rows, 2);
        if (!currency_parse(row_text(&rows, 3), &refund->amount.currency))
            return ERR_INTERNAL;
    }
    return rows_close(&rows);
}

err order_get(struct tx *tx, struct call *call, order_id id, struct order *ret)
{
    struct order order = {.id = id};

    TRY(get_state(tx, call->arena, &order));
    TRY(get_items(tx, call->arena, &order));
    TRY(get_tickets(tx, call->arena, &order));
    TRY(redeem_get(tx, &order));
    if (order.refunded_minor > 0) /* only then are there any */
        TRY(get_refunds(tx, call->arena, &order));
    *ret = order;
    return ERR_OK;
}

err order_become(struct tx *tx, order_id id, enum order_status from, enum order_status to)
{
    int64_t changed = 0;

    assert(order_may_become(from, to) && tx->writes);

    TRY(db_exec_count(tx, &SQL_ORDER_BECOME, ARGS(UUID(id.uuid), I64(from), I64(to)), &changed));
    return changed == 1 ? ERR_OK : ERR_CONFLICT;
}

/* --- Handlers --- */

static err get_order(struct req *req)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct order order;
    order_id id;

    TRY(req_param_id(req, "order", ORDER_PREFIX, &id.uuid));
    TRY(tx_read(&tx, call_db(&req->call)));
    TRY(order_get(&tx, &req->call, id, &order));
    tx_rollback(&tx);
    if (!order_is_visible_to(&req->call, &order))
        return ERR_NOT_FOUND;
    return reply_text(req, 200, STR("application/json"), order_json(&req->call, &order));
}

struct order_query {
    event_id event;
    int64_t limit;
    str cursor;
};
static const struct json_field order_query_fields[] = {
    JSON_F_ID("event_id", struct order_query, event, EVENT_PREFIX, JSON_OPTIONAL),
    JSON_F_I64("limit", struct order_query, limit, 1, 100, JSON_OPTIONAL),
    JSON_F_TOKEN("cursor", struct order_query, cursor, 1, 1024, JSON_OPTIONAL),
};
static const struct json_shape order_query_shape =
    JSON_SHAPE(order_query_fields, struct order_query);

/* Which orders: one's own, one's own at an event, or all of an event that is one's own to sell. */
struct order_list {
    struct order_query query;
    bool of_event;
    struct uuid before;
};

static err check_query(struct req *req, struct order_list *list)
{
    const struct caller *caller = &req->call.caller;
    CLEANUP(event_release_at) const struct event *event = NULL;
    str position = STR_ABSENT;

    list->query.limit = 20;
    TRY(req_query(req, &order_query_shape, &list->query));
    if (!uuid_is_zero(list->query.event.uuid)) {
        event = catalog_find(booking_of(&req->call)->catalog, list->query.event);
        list->of_event =
            caller->role == ROLE_ADMIN || (event != NULL && caller->role == ROLE_VENDOR &&
                                           uuid_eq(event->vendor, caller->vendor));
    }
    memset(&list->before, 0xFF, sizeof(list->before));
    if (list->query.cursor.ptr == NULL)
        return ERR_OK;
    TRY(cursor_read(&req->call, "orders", list->query.cursor, &position));
    if (position.size != sizeof(list->before.bytes))
        return ERR_MALFORMED;
    memcpy(list->before.bytes, position.ptr, position.size);
    return ERR_OK;
}

static err open_list(struct rows *rows, struct tx *tx, const struct req *req,
                     const struct order_list *list)
{
    const struct value user = UUID(req->call.caller.user);
    const struct value event = UUID(list->query.event.uuid);
    const struct value before = UUID(list->before);
    const struct value limit = I64(list->query.limit + 1); /* one more: is there another page? */
    struct arena *arena = req->call.arena;

    if (list->of_event)
        return rows_open(rows, tx, &SQL_ORDER_LIST_OF_EVENT, ARGS(event, before, limit), arena);
    if (!uuid_is_zero(list->query.event.uuid))
        return rows_open(rows, tx, &SQL_ORDER_LIST_OF_USER_AT_EVENT,
                         ARGS(user, before, limit, event), arena);
    return rows_open(rows, tx, &SQL_ORDER_LIST_OF_USER, ARGS(user, before, limit), arena);
}

static err find_ids(struct tx *tx, const struct req *req, const struct order_list *list,
                    order_id *ids, size_t *ret_count)
{
    CLEANUP(rows_done) struct rows rows = {0};
    size_t count = 0;

    TRY(open_list(&rows, tx, req, list));
    while (rows_next(&rows))
        ids[count++].uuid = row_uuid(&rows, 0);
    *ret_count = count;
    return rows_close(&rows);
}

enum { LIST_SIZE_MAX = 8 * 1024 * 1024 };

static err get_orders(struct req *req)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct order_list list = {0};
    struct buf body = buf_in(req->call.arena, LIST_SIZE_MAX);
    str next = STR_ABSENT;
    order_id ids[101];
    size_t count = 0;

    TRY(check_query(req, &list));
    TRY(tx_read(&tx, call_db(&req->call)));
    TRY(find_ids(&tx, req, &list, ids, &count));
    if (count > (size_t)list.query.limit) {
        count = (size_t)list.query.limit;
        next = cursor_make(&req->call, "orders",
                           (str){(const char *)ids[count - 1].uuid.bytes, sizeof(struct uuid)});
    }
    buf_add_cstr(&body, "{\"data\":[");
    for (size_t i = 0; i < count; i++) {
        struct order order;

        TRY(order_get(&tx, &req->call, ids[i], &order));
        buf_add_cstr(&body, i == 0 ? "" : ",");
        buf_add(&body, order_json(&req->call, &order));
    }
    buf_add_cstr(&body, "],\"next_cursor\":");
    json_write_text(&body, next);
    buf_add_char(&body, '}');
    if (body.overflow)
        return ERR_INTERNAL;
    return reply_text(req, 200, STR("application/json"), buf_str(&body));
}

static const struct route routes[] = {
    {METHOD_GET, "/orders",         get_orders, AUTH_USER, NO_BODY, UNKEYED, ON_WORKER},
    {METHOD_GET, "/orders/{order}", get_order,  AUTH_USER, NO_BODY, UNKEYED, ON_WORKER},
};
const struct route_table order_routes = ROUTE_TABLE(routes);
