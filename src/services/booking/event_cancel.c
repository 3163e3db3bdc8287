/* booking/event_cancel.c - ends the orders of a cancelled event.
 *
 *   held ──its time was over──▶ expired          pending ──▶ cancelled
 *     └──▶ cancelled                             confirmed ──▶ refunded, or partially_refunded
 *                                                              where some tickets were used
 *
 * A job does a bounded number of orders in one write and leaves the next job in the same
 * transaction, so a crash loses nothing and buyers of other events are never kept waiting long.
 * An order whose money is on its way (tickets made, not yet settled) is left alone until that is
 * over: the last job then makes another round. */
#include "services/booking/event_cancel.h"

#include "services/booking/catalog.h"
#include "services/booking/event_cancel.sql.h"
#include "services/booking/hold.h"
#include "services/booking/order_news.h"
#include "services/booking/order_refund.h"
#include "services/booking/paying.sql.h"
#include "services/booking/state.h"

struct cancelling {
    event_id event;
    order_id after; /* zero: from the first on */
    int64_t round;
};
static const struct json_field fields[] = {
    JSON_F_ID("event_id", struct cancelling, event, EVENT_PREFIX, JSON_REQUIRED),
    JSON_F_ID("after", struct cancelling, after, ORDER_PREFIX, JSON_OPTIONAL),
    JSON_F_I64("round", struct cancelling, round, 0, INT64_MAX, JSON_OPTIONAL),
};
static const struct json_shape shape = JSON_SHAPE(fields, struct cancelling);

/* --- One order --- */

/* Held, or promised without tickets: nothing was paid. */
static err drop(struct tx *tx, struct desk_write *write, const struct order *order)
{
    struct call *call = write->call;
    const bool is_over = order_shown_status(order, call->now_ms) == ORDER_EXPIRED;
    const struct order_said said = {.reason = STR("event_cancelled")};

    TRY(hold_release(tx, write, order));
    TRY(order_become(tx, order->id, (enum order_status)order->status,
                     is_over ? ORDER_EXPIRED : ORDER_CANCELLED));
    /* A payment that comes now finds the order gone, and goes back. */
    if (!uuid_is_zero(order->attempt.uuid))
        TRY(db_exec(tx, &SQL_PAYING_ATTEMPT,
                    ARGS(UUID(order->id.uuid), UUID(order->attempt.uuid), I64(ATTEMPT_ABORTED),
                         I64(order->expires_at_ms))));
    return order_tell(tx, call, is_over ? "order.expired" : "order.cancelled", order, &said);
}

static err refund(struct tx *tx, struct desk_write *write, const struct order *order)
{
    struct ticket *tickets = NULL;
    size_t count = 0;
    size_t valid = 0;
    refund_id id = {0};

    TRY(ticket_list_of_order(tx, write->call, order->id, &tickets, &count));
    for (size_t i = 0; i < count; i++)
        if (tickets[i].status == TICKET_VALID)
            tickets[valid++] = tickets[i];
    if (valid == 0)
        return count == 0 ? drop(tx, write, order) : ERR_OK;
    const struct order_refund_make make = {
        .order = order,
        .tickets = tickets,
        .ticket_count = valid,
        .to = TICKET_REFUNDED,
        .event_cancelled = true,
        .reason = STR("The event was cancelled."),
        .give_back_at_ms = write->call->now_ms,
    };
    return order_refund_make(tx, write, &make, &id);
}

/* *ret_later: its money is on its way, so it is left for another round. */
static err end_order(struct tx *tx, struct desk_write *write, order_id id, bool *ret_later)
{
    struct order order;

    *ret_later = false;
    TRY(order_get(tx, write->call, id, &order));
    if (order.status != ORDER_HELD)
        return refund(tx, write, &order);
    *ret_later = order.attempt_state == ATTEMPT_CONFIRMED;
    return *ret_later ? ERR_OK : drop(tx, write, &order);
}

/* --- One job --- */

static err find_orders(struct tx *tx, struct call *call, const struct cancelling *cancelling,
                       order_id *ids, size_t *ret_count)
{
    CLEANUP(rows_done) struct rows rows = {0};
    size_t count = 0;

    TRY(rows_open(
        &rows, tx, &SQL_EVENT_CANCEL_ORDERS,
        ARGS(UUID(cancelling->event.uuid), UUID(cancelling->after.uuid), I64(EVENT_CANCEL_ORDERS)),
        call->arena));
    while (count < EVENT_CANCEL_ORDERS && rows_next(&rows))
        ids[count++].uuid = row_uuid(&rows, 0);
    *ret_count = count;
    return rows_close(&rows);
}

/* The key says where in which round: a job that runs twice leaves one job behind it. */
static err add_next(struct tx *tx, struct call *call, const struct cancelling *next, int64_t due_ms)
{
    const struct id_text event = id_format(EVENT_PREFIX, next->event.uuid);
    const struct id_text after = id_format(ORDER_PREFIX, next->after.uuid);

    return job_add(
        tx, call, EVENT_CANCEL_JOB,
        arena_printf(call->arena, "%s/%lld/%s", event.text, (long long)next->round, after.text),
        due_ms, json_encode(call->arena, &shape, next));
}

static err apply(struct tx *tx, struct desk_write *write)
{
    const struct cancelling *cancelling = write->arg;
    struct call *call = write->call;
    order_id ids[EVENT_CANCEL_ORDERS];
    size_t count = 0;
    bool any_later = false;

    TRY(find_orders(tx, call, cancelling, ids, &count));
    for (size_t i = 0; i < count; i++) {
        bool later = false;

        TRY(end_order(tx, write, ids[i], &later));
        any_later |= later;
    }
    if (any_later) {
        const struct cancelling again = {cancelling->event, {{{0}}}, cancelling->round + 1};

        TRY(add_next(tx, call, &again, call->now_ms + EVENT_CANCEL_AGAIN_MS));
    }
    if (count < EVENT_CANCEL_ORDERS)
        return ERR_OK;
    const struct cancelling rest = {cancelling->event, ids[count - 1], cancelling->round};
    return add_next(tx, call, &rest, call->now_ms);
}

err event_cancel_orders(struct call *call, str payload)
{
    struct cancelling cancelling = {0};

    TRY(json_read(call->arena, payload, &shape, &cancelling));
    TRY(desk_run(call, apply, &cancelling));
    jobs_wake(call->self);
    return ERR_OK;
}

/* --- How far it is --- */

enum progress { PROGRESS_RUNNING, PROGRESS_DONE };
static const char *const progress_names[] = {"running", "done", NULL};

struct cancellation {
    event_id event;
    int status; /* enum progress */
    int64_t orders_left;
    int64_t counts[REFUND_FAILED + 1];
    struct money to_give_back; /* by all refunds so far */
    struct money given_back;
};
static const struct json_field cancellation_fields[] = {
    JSON_F_ID("event_id", struct cancellation, event, EVENT_PREFIX, JSON_OPTIONAL),
    JSON_F_ENUM("status", struct cancellation, status, progress_names, JSON_OPTIONAL),
    JSON_F_I64("orders_left", struct cancellation, orders_left, 0, 0, JSON_OPTIONAL),
    JSON_F_I64("refunds_pending", struct cancellation, counts[REFUND_PENDING], 0, 0, JSON_OPTIONAL),
    JSON_F_I64("refunds_succeeded", struct cancellation, counts[REFUND_SUCCEEDED], 0, 0,
               JSON_OPTIONAL),
    JSON_F_I64("refunds_failed", struct cancellation, counts[REFUND_FAILED], 0, 0, JSON_OPTIONAL),
    JSON_F_MONEY("to_give_back", struct cancellation, to_give_back, 0, 0, JSON_OPTIONAL),
    JSON_F_MONEY("given_back", struct cancellation, given_back, 0, 0, JSON_OPTIONAL),
};
static const struct json_shape cancellation_shape =
    JSON_SHAPE(cancellation_fields, struct cancellation);

static err count_refunds(struct tx *tx, struct call *call, struct cancellation *ret)
{
    CLEANUP(rows_done) struct rows rows = {0};
    const struct uuid nobody = {{0}};

    TRY(rows_open(&rows, tx, &SQL_EVENT_CANCEL_REFUNDS, ARGS(UUID(ret->event.uuid), UUID(nobody)),
                  call->arena));
    while (rows_next(&rows)) {
        const int64_t status = row_i64(&rows, 0);

        if (status < REFUND_PENDING || status > REFUND_FAILED)
            return ERR_INTERNAL;
        ret->counts[status] = row_i64(&rows, 1);
        ret->to_give_back.minor += row_i64(&rows, 2);
        if (status == REFUND_SUCCEEDED)
            ret->given_back.minor = row_i64(&rows, 2);
    }
    return rows_close(&rows);
}

static err get_cancellation(struct req *req)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(event_release_at) const struct event *event = NULL;
    struct call *call = &req->call;
    struct cancellation cancellation = {0};

    TRY(req_param_id(req, "event", EVENT_PREFIX, &cancellation.event.uuid));
    event = catalog_find(booking_of(call)->catalog, cancellation.event);
    if (event == NULL ||
        (call->caller.role != ROLE_ADMIN && !uuid_eq(call->caller.vendor, event->vendor)))
        return ERR_NOT_FOUND;
    if (event->status != EVENT_CANCELLED)
        return call_explain(call, ERR_NOT_FOUND, "The event is not cancelled.");
    cancellation.to_give_back.currency = cancellation.given_back.currency = event->currency;
    TRY(tx_read(&tx, call_db(call)));
    TRY(db_get_i64(&tx, &SQL_EVENT_CANCEL_LEFT, ARGS(UUID(event->id.uuid)),
                   &cancellation.orders_left));
    TRY(count_refunds(&tx, call, &cancellation));
    tx_rollback(&tx);
    cancellation.status = cancellation.orders_left > 0 || cancellation.counts[REFUND_PENDING] > 0
                              ? PROGRESS_RUNNING
                              : PROGRESS_DONE;
    return reply_json(req, 200, &cancellation_shape, &cancellation);
}

static const struct route routes[] = {
    {METHOD_GET, "/events/{event}/cancellation", get_cancellation, AUTH_VENDOR, NO_BODY, UNKEYED,
     ON_WORKER},
};
const struct route_table event_cancel_routes = ROUTE_TABLE(routes);
