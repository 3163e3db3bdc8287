/* booking/refund.c - who may give which tickets back, and how the API answers.
 *
 * DELETE leaves tickets cancelled, a refund leaves them refunded; the money is the same. Whether
 * one may is decided in the transaction that ends the tickets, so that neither a scan at the door
 * nor a second request comes between. */
#include "services/booking/refund.h"

#include <stdio.h>

#include "services/booking/catalog.h"
#include "services/booking/event_store.h"
#include "services/booking/order_refund.h"
#include "services/booking/state.h"

#define HOUR_MS INT64_C(3600000)
enum { ANSWER_SIZE_MAX = 4 * 1024 * 1024, REASON_MAX = 500, BODY_SIZE_MAX = 16384 };

/* --- Rules: no I/O --- */

err refund_check(struct call *call, const struct ticket *ticket)
{
    if (ticket->status == TICKET_USED)
        return call_explain(call, ERR_NOT_REFUNDABLE, "the ticket has been used");
    if (ticket->status != TICKET_VALID)
        return call_explain(call, ERR_NOT_REFUNDABLE, "the ticket is %s already",
                            ticket_status_names[ticket->status]);
    return ERR_OK;
}

/* Until when tickets are given back; INT64_MIN: never. */
static int64_t until_ms(const struct event_policies *policies, const struct event *event)
{
    int64_t until = event->starts_at_ms;

    if (!policies->refundable)
        return INT64_MIN;
    if (policies->refund_until_ms != JSON_NULL)
        until = policies->refund_until_ms;
    if (policies->refund_hours != JSON_NULL) {
        const int64_t latest = event->starts_at_ms - policies->refund_hours * HOUR_MS;

        until = policies->refund_until_ms != JSON_NULL && until < latest ? until : latest;
    }
    return until;
}

err refund_terms_find(struct call *call, const struct event_policies *sold,
                      const struct event *event, bool sells, struct refund_terms *ret)
{
    int64_t latest = INT64_MIN;

    *ret = (struct refund_terms){0};
    if (sells || (event != NULL && event->status == EVENT_CANCELLED)) {
        ret->items[ret->count++] = (struct price_terms){.percent = 100, .fees = true};
        return ERR_OK;
    }
    const struct event_policies *const both[REFUND_TERMS_MAX] = {
        sold, event != NULL ? &event->policies : NULL};
    for (size_t i = 0; i < REFUND_TERMS_MAX && event != NULL; i++) {
        const int64_t until = until_ms(both[i], event);

        latest = until > latest ? until : latest;
        if (call->now_ms < until)
            ret->items[ret->count++] =
                (struct price_terms){both[i]->refund_percent, both[i]->refund_fees};
    }
    if (ret->count > 0)
        return ERR_OK;
    if (latest == INT64_MIN)
        return call_explain(call, ERR_NOT_REFUNDABLE, "tickets of this event are not given back");
    return call_explain(call, ERR_NOT_REFUNDABLE, "tickets could be given back until %s",
                        time_format(latest).text);
}

/* --- One request on its way through the desk --- */

struct asked { /* the body of POST /tickets/refund */
    order_id order;
    ticket_id *tickets;
    size_t ticket_count;
    str reason;
};
struct refunding {
    struct asked asked;
    enum ticket_status to;
    str key; /* absent: none */
    uint8_t digest[32];
    refund_id refund; /* the result */
    bool replayed;
};

/* What one transaction looks at. */
struct found {
    struct order order;
    struct ticket *tickets;
    size_t count;
};

static err find_order(struct tx *tx, struct call *call, order_id id, struct order *ret)
{
    TRY(order_get(tx, call, id, ret));
    return order_is_visible_to(call, ret) ? ERR_OK : ERR_NOT_FOUND;
}

/* Every ticket of the order that is still good. */
static err find_whole(struct tx *tx, struct call *call, order_id order, struct found *ret)
{
    struct ticket *all = NULL;
    size_t count = 0;

    TRY(find_order(tx, call, order, &ret->order));
    TRY(ticket_list_of_order(tx, call, order, &all, &count));
    ret->tickets = all;
    for (size_t i = 0; i < count; i++)
        if (all[i].order_status != ORDER_HELD && all[i].status == TICKET_VALID)
            ret->tickets[ret->count++] = all[i];
    if (ret->count == 0)
        return call_explain(call, ERR_NOT_REFUNDABLE,
                            count > 0 ? "no ticket of the order is left to give back"
                                      : "the order has no tickets");
    return ERR_OK;
}

static err find_ticket(struct tx *tx, struct call *call, size_t index, ticket_id id,
                       struct found *ret)
{
    struct ticket *ticket = &ret->tickets[index];
    struct order other;
    char pointer[40];

    TRY(ticket_get(tx, call, id, ticket));
    if (index == 0)
        return find_order(tx, call, ticket->order, &ret->order);
    if (uuid_eq(ticket->order.uuid, ret->order.id.uuid))
        return ERR_OK;
    TRY(find_order(tx, call, ticket->order, &other)); /* somebody else's is not even known */
    (void)snprintf(pointer, sizeof(pointer), "/ticket_ids/%zu", index);
    return call_invalid(call, pointer,
                        "is of another order: the tickets of one refund belong to one");
}

static err find(struct tx *tx, struct call *call, const struct asked *asked, struct found *ret)
{
    *ret = (struct found){0};
    if (asked->ticket_count == 0)
        return find_whole(tx, call, asked->order, ret);
    ret->tickets = arena_new_array(call->arena, struct ticket, asked->ticket_count);
    for (size_t i = 0; i < asked->ticket_count; i++)
        TRY(find_ticket(tx, call, i, asked->tickets[i], ret));
    ret->count = asked->ticket_count;
    return ERR_OK;
}

static err check_all(struct tx *tx, struct call *call, const struct found *found,
                     struct refund_terms *ret)
{
    CLEANUP(event_release_at)
    const struct event *event = catalog_find(booking_of(call)->catalog, found->order.event);
    const struct caller *caller = &call->caller;
    struct event_policies sold = EVENT_POLICIES_STANDARD;
    const bool sells =
        caller->role == ROLE_ADMIN ||
        (event != NULL && caller->role == ROLE_VENDOR && uuid_eq(caller->vendor, event->vendor));

    for (size_t i = 0; i < found->count; i++)
        TRY(refund_check(call, &found->tickets[i]));
    TRY(event_policies_at(tx, call, found->order.event, found->order.event_version, &sold));
    return refund_terms_find(call, &sold, event, sells, ret);
}

static err apply(struct tx *tx, struct desk_write *write)
{
    struct refunding *refunding = write->arg;
    struct call *call = write->call;
    struct refund_terms terms;
    struct found found;

    call->problem = (struct problem){0};
    refunding->replayed = false;
    if (refunding->key.ptr != NULL) {
        const err e = order_refund_of_key(tx, call, call->caller.user, refunding->key,
                                          refunding->digest, &refunding->refund);

        refunding->replayed = e == ERR_OK;
        if (e != ERR_NOT_FOUND)
            return e;
    }
    TRY(find(tx, call, &refunding->asked, &found));
    TRY(check_all(tx, call, &found, &terms));
    const struct order_refund_make make = {
        .order = &found.order,
        .tickets = found.tickets,
        .ticket_count = found.count,
        .to = refunding->to,
        .terms = terms.items,
        .term_count = terms.count,
        .user = call->caller.user,
        .key = refunding->key,
        .digest = refunding->key.ptr != NULL ? refunding->digest : NULL,
        .reason = refunding->asked.reason,
        .give_back_at_ms = call->now_ms + GIVE_BACK_PATIENCE_MS,
    };
    return order_refund_make(tx, write, &make, &refunding->refund);
}

static err run(struct call *call, struct refunding *refunding)
{
    TRY(desk_run(call, apply, refunding));
    if (refunding->replayed)
        return ERR_OK;
    const err e = order_refund_pay(call, refunding->refund);
    if (e != ERR_OK)
        log_event(call->self->node->log, LOG_WARN, "refund.unfinished",
                  LOG_TEXT("request", call->request_id),
                  LOG_CSTR("refund", id_format(REFUND_PREFIX, refunding->refund.uuid).text),
                  LOG_TEXT("why", call_failure(call, e)));
    return ERR_OK; /* the job goes on with it */
}

/* --- Answers --- */

struct refund_view {
    refund_id id;
    int status;
    struct money amount;
};
static const struct json_field view_fields[] = {
    JSON_F_ID("id", struct refund_view, id, REFUND_PREFIX, JSON_OPTIONAL),
    JSON_F_ENUM("status", struct refund_view, status, refund_status_names, JSON_OPTIONAL),
    JSON_F_MONEY("amount", struct refund_view, amount, 0, MONEY_MINOR_MAX, JSON_OPTIONAL),
};
static const struct json_shape view_shape = JSON_SHAPE(view_fields, struct refund_view);

struct refund_answer { /* one of ticket and tickets */
    str ticket;
    const struct refund_view *refund;
    str tickets;
};
static const struct json_field answer_fields[] = {
    JSON_F_RAW("ticket", struct refund_answer, ticket, JSON_OPTIONAL),
    JSON_F_OBJECT("refund", struct refund_answer, refund, &view_shape, JSON_OPTIONAL),
    JSON_F_RAW("tickets", struct refund_answer, tickets, JSON_OPTIONAL),
};
static const struct json_shape answer_shape = JSON_SHAPE(answer_fields, struct refund_answer);

/* The refund and its tickets as they are now. */
static err read_back(struct call *call, refund_id id, struct order_refund *ret_refund,
                     struct ticket **ret_tickets)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_read(&tx, call_db(call)));
    TRY(order_refund_get(&tx, call, id, ret_refund));
    *ret_tickets = arena_new_array(call->arena, struct ticket, ret_refund->ticket_count + 1);
    for (size_t i = 0; i < ret_refund->ticket_count; i++)
        TRY(ticket_get(&tx, call, ret_refund->tickets[i], &(*ret_tickets)[i]));
    return ERR_OK;
}

static err answer(struct req *req, const struct refunding *refunding, bool one)
{
    struct call *call = &req->call;
    struct buf list = buf_in(call->arena, ANSWER_SIZE_MAX);
    struct order_refund refund = {0};
    struct ticket *tickets = NULL;

    TRY(read_back(call, refunding->refund, &refund, &tickets));
    if (refund.ticket_count == 0)
        return ERR_INTERNAL;
    CLEANUP(event_release_at)
    const struct event *event = catalog_find(booking_of(call)->catalog, tickets[0].event);
    for (size_t i = 0; i < refund.ticket_count; i++) {
        buf_add_char(&list, i == 0 ? '[' : ',');
        buf_add(&list, ticket_json(call, &tickets[i], event, false));
    }
    buf_add_char(&list, ']');
    if (list.overflow)
        return ERR_INTERNAL;
    const struct refund_view view = {refund.id, refund.status, refund.amount};
    const struct refund_answer body = {
        .ticket = one ? ticket_json(call, &tickets[0], event, false) : STR_ABSENT,
        .refund = &view,
        .tickets = one ? STR_ABSENT : buf_str(&list),
    };
    if (refunding->replayed)
        reply_header(req, "idempotency-replayed", STR("true"));
    return reply_json(req, 200, &answer_shape, &body);
}

/* --- Handlers --- */

static const struct json_field ticket_row = {.type = JSON_ID, .prefix = TICKET_PREFIX};
static const struct json_field asked_fields[] = {
    JSON_F_ID("order_id", struct asked, order, ORDER_PREFIX, JSON_OPTIONAL),
    JSON_F_SCALARS("ticket_ids", struct asked, tickets, ticket_count, &ticket_row, 1,
                   REFUND_TICKETS_MAX, JSON_OPTIONAL),
    JSON_F_TEXT("reason", struct asked, reason, 1, REASON_MAX, JSON_NULLABLE),
};
static const struct json_shape asked_shape = JSON_SHAPE(asked_fields, struct asked);

static err check_asked(struct call *call, const struct asked *asked)
{
    char pointer[40];
    err e = ERR_OK;

    if ((asked->ticket_count > 0) == !uuid_is_zero(asked->order.uuid))
        e = call_invalid(call, "/ticket_ids", "must be given, or order_id, but not both");
    for (size_t i = 0; i < asked->ticket_count; i++)
        for (size_t j = 0; j < i; j++)
            if (uuid_eq(asked->tickets[i].uuid, asked->tickets[j].uuid)) {
                (void)snprintf(pointer, sizeof(pointer), "/ticket_ids/%zu", i);
                e = call_invalid(call, pointer, "is named twice");
            }
    return e;
}

static err post_refund(struct req *req)
{
    struct refunding refunding = {.to = TICKET_REFUNDED};

    TRY(req_body(req, &asked_shape, &refunding.asked));
    TRY(req_key(req, &refunding.key, refunding.digest));
    TRY(check_asked(&req->call, &refunding.asked));
    TRY(run(&req->call, &refunding));
    return answer(req, &refunding, false);
}

static err delete_ticket(struct req *req)
{
    ticket_id id = {0};
    struct refunding refunding = {
        .asked = {.tickets = &id, .ticket_count = 1},
        .to = TICKET_CANCELLED,
    };

    TRY(req_param_id(req, "ticket", TICKET_PREFIX, &id.uuid));
    TRY(run(&req->call, &refunding));
    return answer(req, &refunding, true);
}

static const struct route routes[] = {
    {METHOD_DELETE, "/tickets/{ticket}", delete_ticket, AUTH_USER, NO_BODY,             UNKEYED, ON_WORKER},
    {METHOD_POST,   "/tickets/refund",   post_refund,   AUTH_USER, BODY(BODY_SIZE_MAX), KEYED,   ON_WORKER},
};
const struct route_table refund_routes = ROUTE_TABLE(routes);
