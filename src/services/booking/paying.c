/* booking/paying.c - what becomes of an order while payment works on it.
 *
 * Each op is one write of the desk: it reads the order, decides by it, and writes tickets, stock and order together. Payment moves the money. */
#include "services/booking/paying.h"

#include "platform/zone/zone.h"
#include "services/booking/buyer.h"
#include "services/booking/catalog.h"
#include "services/booking/desk.h"
#include "services/booking/expiry.h"
#include "services/booking/hold.h"
#include "services/booking/order_news.h"
#include "services/booking/paying.sql.h"
#include "services/booking/price.h"
#include "services/booking/state.h"
#include "services/booking/ticket_end.h"

/* --- Rules: no I/O --- */

int64_t paying_extended_ms(const struct order *order, int64_t now_ms)
{
    const int64_t wanted_ms = now_ms + ABORT_EXTENSION_S * INT64_C(1000);
    const int64_t latest_ms =
        order->created_at_ms + order->hold_ms + EXTENSIONS_MAX_S * INT64_C(1000);
    const int64_t extended_ms = wanted_ms < latest_ms ? wanted_ms : latest_ms;

    return extended_ms > order->expires_at_ms ? extended_ms : order->expires_at_ms;
}

static bool is_of(const struct order *order, attempt_id attempt)
{
    return uuid_eq(order->attempt.uuid, attempt.uuid);
}

/* --- Parts of writes --- */

struct paying {
    order_id id;
    attempt_id attempt;
    int confirm_as; /* enum booking_confirm_as */
    str reason;
    struct order order; /* as it is after the write */
    int64_t paid_minor; /* what it was settled for */
    struct booking_money_line *lines;
    size_t line_count;
    bool woken; /* the expiry has something to do */
};

static err set_attempt(struct tx *tx, struct order *order, attempt_id attempt,
                       enum order_attempt state, int64_t expires_at_ms)
{
    order->attempt = attempt;
    order->attempt_state = state;
    order->expires_at_ms = expires_at_ms;
    return db_exec(tx, &SQL_PAYING_ATTEMPT,
                   ARGS(UUID(order->id.uuid), UUID(attempt.uuid), I64(state), I64(expires_at_ms)));
}

static err become(struct tx *tx, struct order *order, enum order_status to)
{
    if ((enum order_status)order->status == to)
        return ERR_OK;
    TRY(order_become(tx, order->id, (enum order_status)order->status, to));
    order->status = to;
    return ERR_OK;
}

static err write_detail(struct tx *tx, struct order *order, int64_t confirmed_at_ms,
                        const char *method, int64_t due_minor)
{
    if (confirmed_at_ms != JSON_NULL)
        order->confirmed_at_ms = confirmed_at_ms;
    if (method != NULL)
        order->payment_method = str_of(method);
    if (order->due_minor != due_minor)
        TRY(db_exec(tx, &SQL_PAYING_DUE, ARGS(UUID(order->id.uuid), I64(due_minor))));
    order->due_minor = due_minor;
    return db_exec(tx, &SQL_PAYING_DETAIL,
                   ARGS(UUID(order->id.uuid), I64_OR_NIL(confirmed_at_ms), TEXT(str_of(method))));
}

static err tell(struct tx *tx, struct desk_write *write, const char *kind,
                const struct order *order, str reason)
{
    return order_tell(tx, write->call, kind, order, &(struct order_said){.reason = reason});
}

static err hold_items(struct tx *tx, struct desk_write *write, const struct order *order)
{
    for (size_t i = 0; i < order->item_count; i++) {
        const struct stock_change item = {order->items[i].type, order->id,
                                          order->items[i].quantity};
        stock_level level = 0;

        TRY(stock_hold(tx, write->call, &item, &level));
        desk_note(write, item.type, level);
    }
    return ERR_OK;
}

/* Held becomes sold: changes no level. */
static err sell_items(struct tx *tx, struct desk_write *write, const struct order *order)
{
    for (size_t i = 0; i < order->item_count; i++) {
        const struct stock_change item = {order->items[i].type, order->id,
                                          order->items[i].quantity};

        TRY(stock_sell(tx, write->call, &item));
    }
    return ERR_OK;
}

static err get(struct tx *tx, struct desk_write *write, struct paying *paying)
{
    paying->woken = false;
    return order_get(tx, write->call, paying->id, &paying->order);
}

/* --- booking_payment_begin --- */

static err other_attempt(struct call *call, const struct order *order)
{
    const struct id_text id = id_format(PAYMENT_PREFIX, order->attempt.uuid);

    call_member(call, "live_attempt", arena_printf(call->arena, "\"%s\"", id.text));
    return call_explain(call, ERR_CONFLICT, "a payment of this order is under way");
}

static err begin(struct tx *tx, struct desk_write *write)
{
    struct paying *paying = write->arg;
    struct order *order = &paying->order;
    struct call *call = write->call;

    TRY(get(tx, write, paying));
    if (call->caller.role != ROLE_ADMIN && !uuid_eq(call->caller.user, order->user))
        return ERR_NOT_FOUND;
    if (order->status == ORDER_PENDING || order->status == ORDER_CONFIRMED ||
        order->status == ORDER_PARTIALLY_REFUNDED || order->status == ORDER_REFUNDED)
        return ERR_ALREADY_PAID;
    if (order->attempt_state == ATTEMPT_LIVE || order->attempt_state == ATTEMPT_CONFIRMED)
        return is_of(order, paying->attempt) ? ERR_OK : other_attempt(call, order);
    if (order_shown_status(order, call->now_ms) != ORDER_HELD)
        return call_explain(call, ERR_ORDER_EXPIRED,
                            "the hold has ended; its tickets went back on sale");
    return set_attempt(tx, order, paying->attempt, ATTEMPT_LIVE, order->expires_at_ms);
}

static err booking_payment_begin_run(struct call *call, const struct booking_payment_begin *in,
                                     struct booking_payment_begun *ret)
{
    struct paying paying = {.id = in->order, .attempt = in->attempt};
    CLEANUP(event_release_at) const struct event *event = NULL;

    TRY(desk_run(call, begin, &paying));
    event = catalog_find(booking_of(call)->catalog, paying.order.event);
    if (event == NULL)
        return ERR_NOT_FOUND;
    *ret = (struct booking_payment_begun){
        .order = in->order,
        .event = event->id,
        .vendor = event->vendor,
        .user = paying.order.user,
        .total = paying.order.total,
        .expires_at_ms = paying.order.expires_at_ms,
        .accepted =
            arena_new_array(call->arena, struct booking_accepted, event->accepted_count + 1),
        .accepted_count = event->accepted_count,
        .timezone = arena_str(call->arena, event->timezone),
        .lines = order_lines(call->arena, &paying.order),
        .line_count = paying.order.item_count,
    };
    for (size_t i = 0; i < event->accepted_count; i++)
        ret->accepted[i] = (struct booking_accepted){
            .type = arena_str(call->arena, event->accepted[i].type),
            .label = arena_str(call->arena, event->accepted[i].label),
            .payment_method = event->accepted[i].payment_method,
        };
    return ERR_OK;
}

/* --- booking_confirm --- */

/* A payment that comes after the hold has ended takes the tickets again, all or none. */
static err take_again(struct tx *tx, struct desk_write *write, struct order *order)
{
    CLEANUP(event_release_at)
    const struct event *event = catalog_find(booking_of(write->call)->catalog, order->event);
    err e = ERR_OK;

    /* Points went back when the hold ended, and may be spent by now. */
    if (event == NULL || event->status != EVENT_PUBLISHED || order->points > 0)
        return ERR_ORDER_EXPIRED;
    if (event->limits.per_user != JSON_NULL)
        e = buyer_take(tx, order->user, order->event, order_ticket_quantity(order),
                       event->limits.per_user);
    if (e == ERR_OK)
        e = hold_items(tx, write, order);
    if (e == ERR_SOLD_OUT || e == ERR_LIMIT_EXCEEDED)
        return call_explain(write->call, ERR_ORDER_EXPIRED,
                            "the hold has ended and its tickets are gone");
    TRY(e);
    return become(tx, order, ORDER_HELD);
}

static err confirm_later(struct tx *tx, struct desk_write *write, struct order *order, bool cash)
{
    TRY(become(tx, order, ORDER_PENDING));
    TRY(write_detail(tx, order, JSON_NULL, cash ? "cash_on_arrival" : "bank_transfer",
                     order->total.minor));
    return tell(tx, write, "order.pending", order, STR_ABSENT);
}

static err confirm(struct tx *tx, struct desk_write *write)
{
    struct paying *paying = write->arg;
    struct order *order = &paying->order;
    const enum booking_confirm_as as = (enum booking_confirm_as)paying->confirm_as;

    TRY(get(tx, write, paying));
    if (is_of(order, paying->attempt) &&
        (order->attempt_state == ATTEMPT_CONFIRMED || order->attempt_state == ATTEMPT_SETTLED))
        return ERR_OK;
    if (order->attempt_state == ATTEMPT_CONFIRMED || order->attempt_state == ATTEMPT_SETTLED ||
        order->status == ORDER_PENDING)
        return ERR_ALREADY_PAID;
    if (order->status == ORDER_EXPIRED)
        TRY(take_again(tx, write, order));
    if (order->status != ORDER_HELD)
        return call_explain(write->call, ERR_ORDER_EXPIRED, "the order is %s",
                            order_status_names[order->status]);
    if (as == BOOKING_FREE && order->total.minor > 0)
        return call_explain(write->call, ERR_METHOD_NOT_ACCEPTED, "the order is not free");
    TRY(set_attempt(tx, order, paying->attempt, ATTEMPT_CONFIRMED, order->expires_at_ms));
    if (as != BOOKING_TRANSFER) {
        TRY(sell_items(tx, write, order));
        TRY(ticket_make_all(tx, write->call, order));
    }
    if (as == BOOKING_CASH || as == BOOKING_TRANSFER)
        return confirm_later(tx, write, order, as == BOOKING_CASH);
    return write_detail(tx, order, JSON_NULL, as == BOOKING_CARD ? "card" : "free", 0);
}

/* --- booking_settle --- */

static void take_all_lines(struct call *call, struct paying *paying)
{
    paying->lines = order_lines(call->arena, &paying->order);
    paying->line_count = paying->order.item_count;
}

/* What is due for a promised order: for what was not cancelled meanwhile. */
static err take_due_lines(struct tx *tx, struct call *call, struct paying *paying)
{
    struct ticket *tickets = NULL;
    struct booking_money_line *money = NULL;
    int64_t sum_minor = 0;
    size_t count = 0;

    TRY(ticket_list_of_order(tx, call, paying->order.id, &tickets, &count));
    TRY(ticket_money_of(tx, call, paying->order.id, tickets, count, &money));
    paying->lines = arena_new_array(call->arena, struct booking_money_line, count + 1);
    paying->line_count = 0;
    for (size_t i = 0; i < count; i++)
        if (tickets[i].status == TICKET_VALID || tickets[i].status == TICKET_USED) {
            price_gather(paying->lines, &paying->line_count, &money[i]);
            sum_minor += price_paid(&money[i]);
        }
    return sum_minor == paying->order.due_minor ? ERR_OK : ERR_INTERNAL;
}

static err read_paid(struct tx *tx, struct call *call, struct paying *paying)
{
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(rows_first(&rows, tx, &SQL_PAYING_WAS_PAID, ARGS(UUID(paying->order.id.uuid)),
                   call->arena));
    paying->paid_minor = row_i64(&rows, 0);
    const str lines = row_text(&rows, 1);
    TRY(rows_close(&rows));
    if (lines.ptr != NULL)
        return price_lines_read(call->arena, lines, &paying->lines, &paying->line_count);
    take_all_lines(call, paying);
    return ERR_OK;
}

static err write_paid(struct tx *tx, struct call *call, const struct paying *paying)
{
    int64_t quantity = 0;

    for (size_t i = 0; i < paying->line_count; i++)
        quantity += paying->lines[i].quantity;
    const bool all = quantity == order_ticket_quantity(&paying->order);
    return db_exec(
        tx, &SQL_PAYING_PAID,
        ARGS(UUID(paying->order.id.uuid), I64(paying->paid_minor),
             TEXT(all ? STR_ABSENT
                      : price_lines_write(call->arena, paying->lines, paying->line_count))));
}

static err settle(struct tx *tx, struct desk_write *write)
{
    struct paying *paying = write->arg;
    struct order *order = &paying->order;

    TRY(get(tx, write, paying));
    if (!is_of(order, paying->attempt))
        return ERR_CONFLICT;
    if (order->attempt_state == ATTEMPT_SETTLED)
        return read_paid(tx, write->call, paying);
    /* Of a promised order everything may have been cancelled before the money came. */
    if (order->attempt_state != ATTEMPT_CONFIRMED ||
        (order->status != ORDER_HELD && order->status != ORDER_PENDING))
        return ERR_CONFLICT;
    const bool pending = order->status == ORDER_PENDING;
    const bool had_tickets = order->ticket_count > 0;
    take_all_lines(write->call, paying);
    if (pending && had_tickets)
        TRY(take_due_lines(tx, write->call, paying));
    if (!had_tickets) { /* a bank transfer has arrived */
        TRY(sell_items(tx, write, order));
        TRY(ticket_make_all(tx, write->call, order));
    }
    TRY(become(tx, order, ORDER_CONFIRMED));
    TRY(set_attempt(tx, order, paying->attempt, ATTEMPT_SETTLED, order->expires_at_ms));
    paying->paid_minor = pending ? order->due_minor : order->total.minor;
    TRY(write_detail(tx, order, write->call->now_ms, NULL, 0));
    TRY(write_paid(tx, write->call, paying));
    const struct order_paid paid = {paying->paid_minor, paying->lines, paying->line_count};
    return order_tell_paid(tx, write->call,
                           pending && had_tickets ? "order.paid" : "order.confirmed", order, &paid);
}

/* --- booking_payment_abort --- */

static err drop_tickets(struct tx *tx, struct desk_write *write, struct paying *paying)
{
    struct order *order = &paying->order;
    struct ticket *tickets = NULL;
    size_t count = 0;
    size_t ended = 0;

    /* Of a promised order some may have been cancelled before: only what is left goes back. */
    TRY(ticket_list_of_order(tx, write->call, order->id, &tickets, &count));
    const struct tickets_end end = {order, tickets, count, TICKET_CANCELLED, paying->reason};
    TRY(tickets_end(tx, write, &end, &ended));
    if (count == 0)
        TRY(hold_release(tx, write, order));
    TRY(become(tx, order, ORDER_CANCELLED));
    TRY(set_attempt(tx, order, paying->attempt, ATTEMPT_ABORTED, order->expires_at_ms));
    return tell(tx, write, "order.cancelled", order, paying->reason);
}

static err abort_payment(struct tx *tx, struct desk_write *write)
{
    struct paying *paying = write->arg;
    struct order *order = &paying->order;

    TRY(get(tx, write, paying));
    /* Not this attempt's (it never began here, or its order has moved on), or done before: nothing to let go of. */
    if (!is_of(order, paying->attempt) || order->attempt_state == ATTEMPT_ABORTED)
        return ERR_OK;
    if (order->attempt_state == ATTEMPT_SETTLED)
        return ERR_ALREADY_PAID;
    if (order->attempt_state == ATTEMPT_CONFIRMED)
        return drop_tickets(tx, write, paying);
    paying->woken = true;
    return set_attempt(tx, order, paying->attempt, ATTEMPT_ABORTED,
                       order->status == ORDER_HELD ? paying_extended_ms(order, write->call->now_ms)
                                                   : order->expires_at_ms);
}

/* --- Ops --- */

static err view(struct call *call, order_id id, struct booking_view *ret)
{
    struct order order;

    {
        CLEANUP(tx_rollback) struct tx tx = {0};

        TRY(tx_read(&tx, call_db(call)));
        TRY(order_get(&tx, call, id, &order));
    }
    ret->order = order_json(call, &order);
    return ticket_list_json(call, id, &ret->tickets);
}

static err booking_confirm_run(struct call *call, const struct booking_confirm *in,
                               struct booking_view *ret)
{
    struct paying paying = {.id = in->order, .attempt = in->attempt, .confirm_as = in->confirm_as};

    TRY(desk_run(call, confirm, &paying));
    return view(call, in->order, ret);
}

static err booking_settle_run(struct call *call, const struct booking_settle *in,
                              struct booking_settled *ret)
{
    struct paying paying = {.id = in->order, .attempt = in->attempt};

    TRY(desk_run(call, settle, &paying));
    *ret = (struct booking_settled){
        .paid = {paying.paid_minor, paying.order.total.currency},
        .lines = paying.lines,
        .line_count = paying.line_count,
    };
    return ERR_OK;
}

static err booking_payment_abort_run(struct call *call, const struct booking_payment_abort *in,
                                     struct booking_view *ret)
{
    struct paying paying = {.id = in->order, .attempt = in->attempt, .reason = in->reason};

    TRY(desk_run(call, abort_payment, &paying));
    if (paying.woken)
        chore_wake(call->self, EXPIRY_CHORE);
    return view(call, in->order, ret);
}

static err booking_order_view_run(struct call *call, const struct booking_order_find *in,
                                  struct booking_view *ret)
{
    return view(call, in->order, ret);
}

/* --- Their wire forms --- */

static const char *const confirm_as_names[] = {"card", "cash", "transfer", "free", NULL};

static const struct json_field begin_fields[] = {
    JSON_F_ID("order", struct booking_payment_begin, order, ORDER_PREFIX, JSON_REQUIRED),
    JSON_F_ID("attempt", struct booking_payment_begin, attempt, PAYMENT_PREFIX, JSON_REQUIRED),
};
static const struct json_shape begin_shape = JSON_SHAPE(begin_fields, struct booking_payment_begin);
static const struct json_field begun_fields[] = {
    JSON_F_ID("order", struct booking_payment_begun, order, ORDER_PREFIX, JSON_REQUIRED),
    JSON_F_ID("event", struct booking_payment_begun, event, EVENT_PREFIX, JSON_REQUIRED),
    JSON_F_ID("vendor", struct booking_payment_begun, vendor, "vnd", JSON_OPTIONAL),
    JSON_F_ID("user", struct booking_payment_begun, user, "usr", JSON_REQUIRED),
    JSON_F_MONEY("total", struct booking_payment_begun, total, 0, MONEY_MINOR_MAX, JSON_REQUIRED),
    JSON_F_TIME("expires_at", struct booking_payment_begun, expires_at_ms, JSON_REQUIRED),
    JSON_F_LIST("accepted", struct booking_payment_begun, accepted, accepted_count,
                &event_accepted_shape, 0, EVENT_METHODS_MAX, JSON_OPTIONAL),
    JSON_F_TEXT("timezone", struct booking_payment_begun, timezone, 0, ZONE_NAME_MAX,
                JSON_OPTIONAL),
    JSON_F_LIST("lines", struct booking_payment_begun, lines, line_count, &booking_money_line_shape,
                1, BOOKING_LINES_MAX, JSON_REQUIRED),
};
static const struct json_shape begun_shape = JSON_SHAPE(begun_fields, struct booking_payment_begun);
static const struct json_field confirm_fields[] = {
    JSON_F_ID("order", struct booking_confirm, order, ORDER_PREFIX, JSON_REQUIRED),
    JSON_F_ID("attempt", struct booking_confirm, attempt, PAYMENT_PREFIX, JSON_REQUIRED),
    JSON_F_ENUM("confirm_as", struct booking_confirm, confirm_as, confirm_as_names, JSON_REQUIRED),
};
static const struct json_shape confirm_shape = JSON_SHAPE(confirm_fields, struct booking_confirm);
static const struct json_field settle_fields[] = {
    JSON_F_ID("order", struct booking_settle, order, ORDER_PREFIX, JSON_REQUIRED),
    JSON_F_ID("attempt", struct booking_settle, attempt, PAYMENT_PREFIX, JSON_REQUIRED),
};
static const struct json_shape settle_shape = JSON_SHAPE(settle_fields, struct booking_settle);
static const struct json_field settled_fields[] = {
    JSON_F_MONEY("paid", struct booking_settled, paid, 0, MONEY_MINOR_MAX, JSON_REQUIRED),
    JSON_F_LIST("lines", struct booking_settled, lines, line_count, &booking_money_line_shape, 0,
                BOOKING_LINES_MAX, JSON_REQUIRED),
};
static const struct json_shape settled_shape = JSON_SHAPE(settled_fields, struct booking_settled);
static const struct json_field abort_fields[] = {
    JSON_F_ID("order", struct booking_payment_abort, order, ORDER_PREFIX, JSON_REQUIRED),
    JSON_F_ID("attempt", struct booking_payment_abort, attempt, PAYMENT_PREFIX, JSON_REQUIRED),
    JSON_F_TOKEN("reason", struct booking_payment_abort, reason, 0, 80, JSON_OPTIONAL),
};
static const struct json_shape abort_shape = JSON_SHAPE(abort_fields, struct booking_payment_abort);
static const struct json_field view_fields[] = {
    JSON_F_RAW("order", struct booking_view, order, JSON_OPTIONAL),
    JSON_F_RAW("tickets", struct booking_view, tickets, JSON_OPTIONAL),
};
static const struct json_shape view_shape = JSON_SHAPE(view_fields, struct booking_view);
static const struct json_field find_fields[] = {
    JSON_F_ID("order", struct booking_order_find, order, ORDER_PREFIX, JSON_REQUIRED),
};
const struct json_shape booking_order_find_shape =
    JSON_SHAPE(find_fields, struct booking_order_find);

OP_DEFINE("booking", booking_payment_begin, struct booking_payment_begin,
          struct booking_payment_begun, &begin_shape, &begun_shape);
OP_DEFINE("booking", booking_confirm, struct booking_confirm, struct booking_view, &confirm_shape,
          &view_shape);
OP_DEFINE("booking", booking_settle, struct booking_settle, struct booking_settled, &settle_shape,
          &settled_shape);
OP_DEFINE("booking", booking_payment_abort, struct booking_payment_abort, struct booking_view,
          &abort_shape, &view_shape);
OP_DEFINE("booking", booking_order_view, struct booking_order_find, struct booking_view,
          &booking_order_find_shape, &view_shape);
