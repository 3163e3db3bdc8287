/* booking/order_json.c - an order as the API shows it.
 *
 * The rows know ids and amounts; names, payment methods and limits come from the event as it is
 * offered now. What is not shown (yet) is decided here alone: the time limit of what is not
 * held, and tickets before the money for them is there. */

#include "services/booking/order.h"

#include "services/booking/catalog.h"
#include "services/booking/price.h"
#include "services/booking/state.h"
#include "services/payment/payment.h"

struct item_view {
    ticket_type_id type;
    str name;
    int64_t quantity;
    struct money unit_price;
    struct money subtotal;
    struct money discount;
    struct money fees;
    struct money tax;
    struct money tax_included;
    struct money total;
};
static const struct json_field item_fields[] = {
    JSON_F_ID("ticket_type_id", struct item_view, type, TICKET_TYPE_PREFIX, JSON_OPTIONAL),
    JSON_F_TEXT("name", struct item_view, name, 0, 0, JSON_NULLABLE),
    JSON_F_I64("quantity", struct item_view, quantity, 0, 0, JSON_OPTIONAL),
    JSON_F_MONEY("unit_price", struct item_view, unit_price, 0, 0, JSON_OPTIONAL),
    JSON_F_MONEY("subtotal", struct item_view, subtotal, 0, 0, JSON_OPTIONAL),
    JSON_F_MONEY("discount", struct item_view, discount, 0, 0, JSON_OPTIONAL),
    JSON_F_MONEY("fees", struct item_view, fees, 0, 0, JSON_OPTIONAL),
    JSON_F_MONEY("tax", struct item_view, tax, 0, 0, JSON_OPTIONAL),
    JSON_F_MONEY("tax_included", struct item_view, tax_included, 0, 0, JSON_OPTIONAL),
    JSON_F_MONEY("total", struct item_view, total, 0, 0, JSON_OPTIONAL),
};
static const struct json_shape item_shape = JSON_SHAPE(item_fields, struct item_view);

struct payment_view {
    str status;
    str method;
    struct money due; /* absent: nothing is to be paid by hand */
};
static const struct json_field payment_fields[] = {
    JSON_F_TEXT("status", struct payment_view, status, 0, 0, JSON_OPTIONAL),
    JSON_F_TEXT("method", struct payment_view, method, 0, 0, JSON_NULLABLE),
    JSON_F_MONEY("due", struct payment_view, due, 0, 0, JSON_OPTIONAL),
};
static const struct json_shape payment_shape = JSON_SHAPE(payment_fields, struct payment_view);

static const struct json_field refund_fields[] = {
    JSON_F_ID("id", struct order_money_back, id, REFUND_PREFIX, JSON_OPTIONAL),
    JSON_F_ENUM("status", struct order_money_back, status, refund_status_names, JSON_OPTIONAL),
    JSON_F_MONEY("amount", struct order_money_back, amount, 0, 0, JSON_OPTIONAL),
};
static const struct json_shape refund_shape = JSON_SHAPE(refund_fields, struct order_money_back);

struct order_view {
    order_id id;
    event_id event;
    str event_name;
    int status;
    int64_t created_at_ms;
    int64_t confirmed_at_ms;
    int64_t expires_at_ms;
    struct item_view *items;
    size_t item_count;
    str attendees;
    struct money subtotal;
    struct money discount;
    int64_t points; /* JSON_NULL: none */
    struct money fees;
    struct money tax;
    struct money tax_included;
    struct money total;
    struct money refunded;
    struct order_money_back *refunds;
    size_t refund_count;
    struct booking_accepted *accepted;
    size_t accepted_count;
    struct event_limits *limits;
    struct payment_view *payment;
    ticket_id *tickets;
    size_t ticket_count;
};
static const struct json_field ticket_row = {.type = JSON_ID, .prefix = TICKET_PREFIX};
static const struct json_field order_fields[] = {
    JSON_F_ID("id", struct order_view, id, ORDER_PREFIX, JSON_OPTIONAL),
    JSON_F_ID("event_id", struct order_view, event, EVENT_PREFIX, JSON_OPTIONAL),
    JSON_F_TEXT("event_name", struct order_view, event_name, 0, 0, JSON_OPTIONAL),
    JSON_F_ENUM("status", struct order_view, status, order_status_names, JSON_OPTIONAL),
    JSON_F_TIME("created_at", struct order_view, created_at_ms, JSON_OPTIONAL),
    JSON_F_TIME("confirmed_at", struct order_view, confirmed_at_ms, JSON_OPTIONAL),
    JSON_F_TIME("expires_at", struct order_view, expires_at_ms, JSON_OPTIONAL),
    JSON_F_LIST("items", struct order_view, items, item_count, &item_shape, 0, 0, JSON_OPTIONAL),
    JSON_F_RAW("attendees", struct order_view, attendees, JSON_OPTIONAL),
    JSON_F_MONEY("subtotal", struct order_view, subtotal, 0, 0, JSON_OPTIONAL),
    JSON_F_MONEY("discount", struct order_view, discount, 0, 0, JSON_OPTIONAL),
    JSON_F_I64("points", struct order_view, points, 0, 0, JSON_OPTIONAL),
    JSON_F_MONEY("fees", struct order_view, fees, 0, 0, JSON_OPTIONAL),
    JSON_F_MONEY("tax", struct order_view, tax, 0, 0, JSON_OPTIONAL),
    JSON_F_MONEY("tax_included", struct order_view, tax_included, 0, 0, JSON_OPTIONAL),
    JSON_F_MONEY("total", struct order_view, total, 0, 0, JSON_OPTIONAL),
    JSON_F_MONEY("refunded", struct order_view, refunded, 0, 0, JSON_OPTIONAL),
    JSON_F_LIST("refunds", struct order_view, refunds, refund_count, &refund_shape, 0, 0,
                JSON_OPTIONAL),
    JSON_F_LIST("payment_methods", struct order_view, accepted, accepted_count,
                &event_accepted_shape, 0, 0, JSON_OPTIONAL),
    JSON_F_OBJECT("limits", struct order_view, limits, &event_limits_shape, JSON_OPTIONAL),
    JSON_F_OBJECT("payment", struct order_view, payment, &payment_shape, JSON_NULLABLE),
    JSON_F_SCALARS("tickets", struct order_view, tickets, ticket_count, &ticket_row, 0, 0,
                   JSON_OPTIONAL),
};
static const struct json_shape order_shape = JSON_SHAPE(order_fields, struct order_view);

static struct money amount(const struct order *order, int64_t minor)
{
    return (struct money){.minor = minor, .currency = order->total.currency};
}

static struct item_view view_item(const struct order *order, const struct order_item *item,
                                  str name)
{
    const struct booking_money_line *money = &item->money;

    return (struct item_view){
        .type = item->type,
        .name = name,
        .quantity = item->quantity,
        .unit_price = amount(order, item->unit_price_minor),
        .subtotal = amount(order, money->face_minor),
        .discount = amount(order, money->discount_minor),
        .fees = amount(order, money->buyer_fee_minor),
        .tax = amount(order, money->tax_minor),
        .tax_included = amount(order, money->tax_included_minor),
        .total = amount(order, price_paid(money)),
    };
}

/* In the vendor's order, then what the event does not list (any more). */
static void view_items(struct arena *arena, const struct order *order, const struct event *event,
                       struct order_view *view)
{
    const size_t type_count = event != NULL ? event->ticket_type_count : 0;

    view->items = arena_new_array(arena, struct item_view, order->item_count + 1);
    for (size_t t = 0; t < type_count; t++)
        for (size_t i = 0; i < order->item_count; i++)
            if (uuid_eq(order->items[i].type.uuid, event->ticket_types[t].id.uuid))
                view->items[view->item_count++] =
                    view_item(order, &order->items[i], event->ticket_types[t].name);
    for (size_t i = 0; i < order->item_count && view->item_count < order->item_count; i++)
        if (event == NULL || event_ticket_type(event, order->items[i].type) == NULL)
            view->items[view->item_count++] = view_item(order, &order->items[i], STR_ABSENT);
}

static struct payment_view *view_payment(struct arena *arena, const struct order *order)
{
    static const char *const words[] = {
        [ATTEMPT_NONE] = "",
        [ATTEMPT_LIVE] = "pending",
        [ATTEMPT_CONFIRMED] = "pending",
        [ATTEMPT_SETTLED] = "succeeded",
        [ATTEMPT_ABORTED] = "failed",
    };
    struct payment_view *payment = NULL;

    if (order->attempt_state <= ATTEMPT_NONE || order->attempt_state > ATTEMPT_ABORTED)
        return NULL;
    payment = arena_new(arena, struct payment_view);
    payment->status = str_of(words[order->attempt_state]);
    payment->method = order->payment_method;
    if (order->due_minor > 0)
        payment->due = amount(order, order->due_minor);
    return payment;
}

static void view_event(struct arena *arena, const struct event *event, struct order_view *view)
{
    if (event == NULL)
        return;
    view->event_name = event->name;
    view->accepted =
        event->accepted_count > 0 ? event->accepted : arena_new(arena, struct booking_accepted);
    view->accepted_count = event->accepted_count;
    view->limits = arena_new(arena, struct event_limits);
    *view->limits = event->limits;
}

static bool has_time_limit(enum order_status shown)
{
    return shown == ORDER_HELD || shown == ORDER_EXPIRED;
}

static str encode(struct call *call, const struct order *order, enum order_status shown)
{
    CLEANUP(event_release_at)
    const struct event *event = catalog_find(booking_of(call)->catalog, order->event);
    struct booking_money_line sum = {0};

    for (size_t i = 0; i < order->item_count; i++)
        price_add(&sum, &order->items[i].money);
    struct order_view view = {
        .id = order->id,
        .event = order->event,
        .status = (int)shown,
        .created_at_ms = order->created_at_ms,
        .confirmed_at_ms = order->confirmed_at_ms,
        .expires_at_ms = has_time_limit(shown) ? order->expires_at_ms : JSON_NULL,
        .attendees = order->attendees,
        .subtotal = amount(order, sum.face_minor),
        .discount = amount(order, sum.discount_minor),
        .points = order->points > 0 ? order->points : JSON_NULL,
        .fees = amount(order, sum.buyer_fee_minor),
        .tax = amount(order, sum.tax_minor),
        .tax_included = amount(order, sum.tax_included_minor),
        .total = order->total,
        .refunded = amount(order, order->refunded_minor),
        .refunds = order->refund_count > 0 ? order->refunds
                                           : arena_new(call->arena, struct order_money_back),
        .refund_count = order->refund_count,
        .payment = view_payment(call->arena, order),
        .tickets = arena_new(call->arena, ticket_id),
    };

    view_event(call->arena, event, &view);
    view_items(call->arena, order, event, &view);
    if (!has_time_limit(shown) && order->ticket_count > 0) {
        view.tickets = order->tickets;
        view.ticket_count = order->ticket_count;
    }
    return json_encode(call->arena, &order_shape, &view);
}

str order_json(struct call *call, const struct order *order)
{
    return encode(call, order, order_shown_status(order, call->now_ms));
}

str order_json_first(struct call *call, const struct order *order)
{
    const struct order first = {
        .id = order->id,
        .user = order->user,
        .event = order->event,
        .status = ORDER_HELD,
        .expires_at_ms = order->created_at_ms + order->hold_ms,
        .hold_ms = order->hold_ms,
        .total = order->total,
        .points = order->points,
        .created_at_ms = order->created_at_ms,
        .items = order->items,
        .item_count = order->item_count,
        .attendees = order->attendees,
        .confirmed_at_ms = JSON_NULL,
    };

    return encode(call, &first, ORDER_HELD);
}
