/* booking/transfer.c - how a promised order is paid by bank transfer: to whom, how much, by which reference.
 *
 * The account stands in the vendor's payment method, sealed; payment gives out what may be shown of it.
 * The reference is the order's id: by it the vendor knows whose money has come. */
#include "services/booking/transfer.h"

#include "services/booking/catalog.h"
#include "services/booking/state.h"
#include "services/payment/payment.h"

static const struct json_field line_fields[] = {
    JSON_F_TEXT("label", struct booking_account_line, label, 1, 100, JSON_REQUIRED),
    JSON_F_TEXT("value", struct booking_account_line, value, 1, 1000, JSON_REQUIRED),
};
const struct json_shape booking_account_line_shape =
    JSON_SHAPE(line_fields, struct booking_account_line);

bool transfer_is_due(const struct order *order)
{
    return order->status == ORDER_PENDING && order->due_minor > 0 &&
           str_eq(order->payment_method, STR("bank_transfer"));
}

/* The event's method of this kind. False: it has none that an account belongs to. */
static bool find_method(struct call *call, const struct order *order,
                        struct payment_payee_find *ret)
{
    CLEANUP(event_release_at)
    const struct event *event = catalog_find(booking_of(call)->catalog, order->event);

    for (size_t i = 0; event != NULL && i < event->accepted_count; i++)
        if (str_eq(event->accepted[i].type, STR("bank_transfer")) &&
            !uuid_is_zero(event->accepted[i].payment_method)) {
            *ret = (struct payment_payee_find){event->vendor, event->accepted[i].payment_method};
            return true;
        }
    return false;
}

err transfer_account(struct call *call, const struct order *order,
                     struct booking_account_line **ret_lines, size_t *ret_count)
{
    struct payment_payee_find find = {0};
    struct payment_payee_found found = {0};

    *ret_lines = arena_new(call->arena, struct booking_account_line);
    *ret_count = 0;
    if (!transfer_is_due(order) || !find_method(call, order, &find))
        return ERR_OK;
    const err e = payment_payee_find(call, &find, &found);
    if (e == ERR_NOT_FOUND) /* the vendor has removed it meanwhile */
        return ERR_OK;
    TRY(e);
    if (found.line_count > 0)
        *ret_lines = found.lines;
    *ret_count = found.line_count;
    return ERR_OK;
}

/* --- Handlers --- */

struct transfer {
    struct money amount;
    order_id reference;
    struct booking_account_line *account;
    size_t account_count;
};
static const struct json_field transfer_fields[] = {
    JSON_F_MONEY("amount", struct transfer, amount, 0, 0, JSON_OPTIONAL),
    JSON_F_ID("reference", struct transfer, reference, ORDER_PREFIX, JSON_OPTIONAL),
    JSON_F_LIST("account", struct transfer, account, account_count, &booking_account_line_shape, 0,
                0, JSON_REQUIRED),
};
static const struct json_shape transfer_shape = JSON_SHAPE(transfer_fields, struct transfer);

static err find_order(struct req *req, struct order *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    order_id id = {0};

    TRY(req_param_id(req, "order", ORDER_PREFIX, &id.uuid));
    TRY(tx_read(&tx, call_db(&req->call)));
    TRY(order_get(&tx, &req->call, id, ret));
    return uuid_eq(ret->user, req->call.caller.user) ? ERR_OK : ERR_NOT_FOUND;
}

/* The buyer's alone: others have no money to send. */
static err get_transfer(struct req *req)
{
    struct order order = {0};

    TRY(find_order(req, &order));
    if (!transfer_is_due(&order))
        return call_explain(&req->call, ERR_CONFLICT, "nothing is to be paid by bank transfer");
    struct transfer transfer = {
        .amount = {order.due_minor, order.total.currency},
        .reference = order.id,
    };
    TRY(transfer_account(&req->call, &order, &transfer.account, &transfer.account_count));
    reply_header(req, "cache-control", STR("no-store"));
    return reply_json(req, 200, &transfer_shape, &transfer);
}

static const struct route routes[] = {
    {METHOD_GET, "/orders/{order}/bank-transfer", get_transfer, AUTH_USER, NO_BODY, UNKEYED,
     ON_WORKER},
};
const struct route_table transfer_routes = ROUTE_TABLE(routes);
