/* booking/settle.c - the vendor says that a promised order has been paid.
 *
 * The money is payment's: it moves the attempt on and calls booking_settle back, which confirms
 * the order and, for a transfer, makes its tickets. So this handler looks, asks, and shows what
 * has become of it. */
#include "services/booking/settle.h"

#include "services/booking/catalog.h"
#include "services/booking/order.h"
#include "services/booking/state.h"
#include "services/booking/ticket.h"
#include "services/payment/payment.h"

enum { ANSWER_SIZE_MAX = 4 * 1024 * 1024 };

/* The order, with its tickets, if the caller sells its event: to everybody else, the buyer too,
 * it is not there to be settled. */
static err find_sold(struct call *call, order_id id, struct order *order, struct ticket **ret,
                     size_t *ret_count)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(event_release_at) const struct event *event = NULL;
    const struct caller *caller = &call->caller;

    TRY(tx_read(&tx, call_db(call)));
    TRY(order_get(&tx, call, id, order));
    event = catalog_find(booking_of(call)->catalog, order->event);
    if (caller->role != ROLE_ADMIN && (event == NULL || !uuid_eq(caller->vendor, event->vendor)))
        return ERR_NOT_FOUND;
    return ticket_list_of_order(&tx, call, id, ret, ret_count);
}

struct settled_view {
    str order;
    str tickets;
};
static const struct json_field settled_fields[] = {
    JSON_F_RAW("order", struct settled_view, order, JSON_OPTIONAL),
    JSON_F_RAW("tickets", struct settled_view, tickets, JSON_OPTIONAL),
};
static const struct json_shape settled_shape = JSON_SHAPE(settled_fields, struct settled_view);

/* As the vendor may see it: the codes are the buyer's. */
static err answer(struct req *req, order_id id)
{
    CLEANUP(event_release_at) const struct event *event = NULL;
    struct call *call = &req->call;
    struct buf list = buf_in(call->arena, ANSWER_SIZE_MAX);
    struct ticket *tickets = NULL;
    struct order order;
    size_t count = 0;

    TRY(find_sold(call, id, &order, &tickets, &count));
    event = catalog_find(booking_of(call)->catalog, order.event);
    buf_add_char(&list, '[');
    for (size_t i = 0; i < count; i++) {
        buf_add_cstr(&list, i > 0 ? "," : "");
        buf_add(&list, ticket_json(call, &tickets[i], event, false));
    }
    buf_add_char(&list, ']');
    if (list.overflow)
        return ERR_INTERNAL;
    const struct settled_view view = {order_json(call, &order), buf_str(&list)};
    return reply_json(req, 200, &settled_shape, &view);
}

static err post_settle(struct req *req)
{
    struct call *call = &req->call;
    struct payment_settle_manual in = {0};
    struct payment_settled settled = {0};
    struct ticket *tickets = NULL;
    struct order order;
    size_t count = 0;

    TRY(req_param_id(req, "order", ORDER_PREFIX, &in.order.uuid));
    TRY(find_sold(call, in.order, &order, &tickets, &count));
    const enum order_status shown = order_shown_status(&order, call->now_ms);
    if (shown != ORDER_PENDING)
        return call_explain(call, ERR_CONFLICT, "nothing is due for this order: it is %s",
                            order_status_names[shown]);
    TRY(payment_settle_manual(call, &in, &settled));
    return answer(req, in.order);
}

static const struct route routes[] = {
    {METHOD_POST, "/orders/{order}/settle", post_settle, AUTH_VENDOR, NO_BODY, UNKEYED, ON_WORKER},
};
const struct route_table settle_routes = ROUTE_TABLE(routes);
