/* booking/hold_book.c - POST /tickets/book, from the request to its answer.
 *
 *   post_book ── a rule refuses, and the key is certainly new ──▶ the refusal
 *       │ batch_submit, park
 *       ▼
 *   hold_place (the desk's thread) ── placed or refused ────▶ answer_placed  on the loop
 *       │                          ── the key has an order ─▶ answer_first   on a worker: reads it
 *       └── the event has changed ─▶ reprice      on a worker: reads the event
 *                                       └── batch_submit, park ...
 *
 * The first answer of an Idempotency-Key goes before everything else, so what can be refused
 * without the database (off sale, limits, sold out by the hint) is refused at once only where
 * `seen` knows of no such order. Where other processes place orders too nobody can know that from
 * memory: the desk then looks for the key, and for nothing else.
 *
 * Who pays with points goes over a worker, which has them set aside first (redeem.h); whatever is
 * not placed then lets them go. */

#include "services/booking/hold.h"

#include "services/booking/catalog.h"
#include "services/booking/hold_many.h"
#include "services/booking/seen.h"
#include "services/booking/state.h"

/* --- The desk --- */

static err apply(struct batch_write *write, struct tx *tx)
{
    struct hold_try *try = hold_try_of(write);

    return hold_place(tx, &try->req->call, try);
}

static err answer_placed(struct req *req);
static err answer_first(struct req *req);
static err let_go(struct req *req);
static err reprice(struct req *req);

/* After the commit: the hints first, so that whoever has the answer finds them. The last thing
 * touched is the request. */
static void done(struct batch_write *write)
{
    struct hold_try *try = hold_try_of(write);
    struct req *req = try->req;

    if (write->result == ERR_STALE) {
        req_resume(req, reprice, ON_WORKER);
        return;
    }
    if (!uuid_is_zero(try->reserved.uuid) && (write->result != ERR_OK || try->replayed)) {
        req_resume(req, let_go, ON_WORKER);
        return;
    }
    if (write->result == ERR_OK && try->replayed) {
        req_resume(req, answer_first, ON_WORKER);
        return;
    }
    if (write->result == ERR_OK)
        for (size_t i = 0; i < try->order.item_count; i++)
            stock_note(booking_of(&req->call)->stock, try->order.items[i].type, try->levels[i]);
    req_resume(req, answer_placed, ON_LOOP);
}

/* --- Handlers --- */

/* Does memory know already that there is not enough? */
static err check_hints(struct call *call, const struct hold_try *try)
{
    for (size_t i = 0; i < try->order.item_count; i++) {
        const struct order_item *item = &try->order.items[i];
        int64_t remaining = 0;

        if (stock_hint(booking_of(call)->stock, item->type, &remaining) &&
            remaining < item->quantity)
            return hold_sold_out(call, try->event, item->type);
    }
    return ERR_OK;
}

static void release_event(void *event)
{
    event_release_at(event);
}

/* Prices the order by the event as the catalog has it now. */
static void price(struct hold_try *try)
{
    struct call *call = &try->req->call;
    const struct booking *booking = booking_of(call);
    const struct event **event = arena_new(call->arena, const struct event *);

    *event = catalog_find(booking->catalog, try->asked.event);
    arena_on_reset(call->arena, release_event, event);
    call->problem = (struct problem){0};
    try->event = *event;
    try->order = (struct order){
        .id.uuid = call_uuid(call),
        .user = call->caller.user,
        .status = ORDER_HELD,
        .expires_at_ms = call->now_ms + booking->hold_ttl_ms,
        .hold_ms = booking->hold_ttl_ms,
        .created_at_ms = call->now_ms,
        .confirmed_at_ms = JSON_NULL,
        .attendees = hold_attendees_json(call, &try->asked),
    };
    try->refusal = hold_price(call, &try->asked, *event, &try->order);
}

/* What is paid with points is asked of payment first: on a worker, for that takes a while. */
static void reserve(struct hold_try *try)
{
    if (try->asked.redeem == NULL || try->refusal != ERR_OK)
        return;
    try->reserved = try->order.id; /* also where it is not known whether they are */
    try->refusal = redeem_reserve(&try->req->call, try->event, try->asked.redeem, &try->order);
}

static void release(struct hold_try *try)
{
    if (!uuid_is_zero(try->reserved.uuid))
        redeem_release(&try->req->call, try->reserved);
    try->reserved = (order_id){0};
}

static err submit(struct hold_try *try)
{
    const struct booking *booking = booking_of(&try->req->call);

    try->tries++;
    try->write = (struct batch_write){.apply = apply, .done = done, .many = hold_many_fits(try)};
    const err e = batch_submit(booking->desk, &try->write);
    if (e != ERR_OK)
        release(try);
    TRY(e);
    return req_park(try->req); /* `try` may be answered and gone by now */
}

/* What can be refused without the database: by a rule, or because nothing is left. */
static err refuse(struct call *call, const struct hold_try *try)
{
    return try->refusal != ERR_OK ? try->refusal : check_hints(call, try);
}

/* Has the key certainly no order? */
static bool is_new(const struct booking *booking, const struct hold_try *try)
{
    return booking->seen != NULL &&
           !seen_maybe(booking->seen, try->req->call.caller.user, try->key);
}

static err post_book(struct req *req)
{
    struct hold_try *try = arena_new(req->call.arena, struct hold_try);
    const struct booking *booking = booking_of(&req->call);

    TRY(req_body(req, &hold_request_shape, &try->asked));
    TRY(req_key(req, &try->key, try->digest));
    TRY(hold_check(&req->call, &try->asked));
    if (try->asked.redeem != NULL && !req->call.may_block)
        return ERR_WOULD_BLOCK;
    try->req = req;
    req->parked = try;
    price(try);
    /* In this order: who took the last ticket was added to `seen` before the hint said so. */
    try->refusal = refuse(&req->call, try);
    if (try->refusal != ERR_OK && is_new(booking, try))
        return try->refusal;
    if (booking->seen != NULL)
        seen_add(booking->seen, req->call.caller.user, try->key, req->call.now_ms);
    reserve(try);
    return submit(try);
}

/* The event has changed since the catalog read it. */
static err reprice(struct req *req)
{
    struct hold_try *try = req->parked;

    if (try->tries == HOLD_TRIES_MAX)
        return call_explain(&req->call, ERR_CONFLICT, "The event is being changed; try again.");
    release(try);
    TRY(catalog_refresh(&req->call, try->asked.event));
    price(try);
    reserve(try);
    return submit(try);
}

static err answer(struct req *req, const struct order *order)
{
    struct call *call = &req->call;
    const struct id_text id = id_format(ORDER_PREFIX, order->id.uuid);
    const str json = order_json_first(call, order);
    struct buf body = buf_in(call->arena, json.size + 32);

    buf_add_cstr(&body, "{\"order\":");
    buf_add(&body, json);
    buf_add_char(&body, '}');
    reply_header(req, "location", arena_printf(call->arena, "/orders/%s", id.text));
    return reply_text(req, 201, STR("application/json"), buf_str(&body));
}

static err answer_placed(struct req *req)
{
    const struct hold_try *try = req->parked;

    TRY(try->write.result);
    return answer(req, &try->order);
}

static err answer_first(struct req *req)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    const struct hold_try *try = req->parked;
    struct order order;

    TRY(tx_read(&tx, call_db(&req->call)));
    TRY(order_get(&tx, &req->call, try->order.id, &order));
    tx_rollback(&tx);
    reply_header(req, "idempotency-replayed", STR("true"));
    return answer(req, &order);
}

/* The points of an order that was not held, or of a key that has one already. */
static err let_go(struct req *req)
{
    struct hold_try *try = req->parked;
    const struct problem problem = req->call.problem;

    release(try);
    req->call.problem = problem;
    return try->write.result == ERR_OK ? answer_first(req) : try->write.result;
}

static const struct route routes[] = {
    {METHOD_POST, "/tickets/book", post_book, AUTH_USER, BODY(HOLD_BODY_SIZE_MAX), KEYED, ON_LOOP},
};
const struct route_table hold_routes = ROUTE_TABLE(routes);
