/* payment/pay.c - from the buyer's request to an attempt on its way, and from what became of it to
 * the answer.
 *
 * The attempt's row comes first and holds the idempotency key, so that a second request with it
 * finds the first. A request that is refused removes it again: only what had an effect is kept. */
#include "services/payment/pay.h"

#include <string.h>

#include "services/payment/accept.h"
#include "services/payment/desk.h"
#include "services/payment/drive.h"
#include "services/payment/state.h"

struct payment_request {
    order_id order;
    str method;
    struct uuid payment_method; /* one of the event's; zero: whichever it has for this */
    str token;
};
static const struct json_field request_fields[] = {
    JSON_F_ID("order_id", struct payment_request, order, ORDER_PREFIX, JSON_REQUIRED),
    JSON_F_TOKEN("method", struct payment_request, method, 1, 40, JSON_REQUIRED),
    JSON_F_ID("payment_method_id", struct payment_request, payment_method, PAYMENT_METHOD_PREFIX,
              JSON_OPTIONAL),
    JSON_F_TOKEN("token", struct payment_request, token, 1, DESK_TOKEN_SIZE_MAX, JSON_SECRET),
};
static const struct json_shape request_shape = JSON_SHAPE(request_fields, struct payment_request);

struct payment_view {
    attempt_id id;
    str status;
    str method;
    str brand;
    struct money amount;
    str redirect_url;
    str failure;
};
static const struct json_field view_fields[] = {
    JSON_F_ID("id", struct payment_view, id, PAYMENT_PREFIX, JSON_OPTIONAL),
    JSON_F_TOKEN("status", struct payment_view, status, 0, 20, JSON_OPTIONAL),
    JSON_F_TOKEN("method", struct payment_view, method, 0, 40, JSON_OPTIONAL),
    JSON_F_TOKEN("brand", struct payment_view, brand, 0, 40, JSON_OPTIONAL),
    JSON_F_MONEY("amount", struct payment_view, amount, 0, MONEY_MINOR_MAX, JSON_OPTIONAL),
    JSON_F_TOKEN("redirect_url", struct payment_view, redirect_url, 0, 4096, JSON_OPTIONAL),
    JSON_F_TOKEN("failure", struct payment_view, failure, 0, 40, JSON_OPTIONAL),
};
static const struct json_shape view_shape = JSON_SHAPE(view_fields, struct payment_view);

struct payment_answer {
    struct payment_view *payment;
    str order;
    str tickets;
};
static const struct json_field answer_fields[] = {
    JSON_F_OBJECT("payment", struct payment_answer, payment, &view_shape, JSON_OPTIONAL),
    JSON_F_RAW("order", struct payment_answer, order, JSON_OPTIONAL),
    JSON_F_RAW("tickets", struct payment_answer, tickets, JSON_OPTIONAL),
};
static const struct json_shape answer_shape = JSON_SHAPE(answer_fields, struct payment_answer);

static const char *const methods[] = {"card", "cash_on_arrival", "bank_transfer", "free"};

/* What the parked request remembers. An idempotency key is held by the attempt that was made for it;
 * what it answers with is that attempt, or the one under way that it was referred to. */
struct paying {
    attempt_id attempt; /* that it waits for */
    attempt_id holder;
    bool is_replay; /* of a twin that came before it with the same key */
};

enum { KEY_TRIES_MAX = 8 };

/* --- Rules: no I/O --- */

static bool is_card(str method)
{
    return str_eq(method, STR("card"));
}

static err check_request(struct call *call, const struct payment_request *in, str *ret_brand)
{
    const struct provider *provider = provider_of_cards(call);
    bool known = false;

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        known = known || str_eq(in->method, str_of(methods[i]));
    if (!known)
        return call_invalid(call, "/method",
                            "must be one of card, cash_on_arrival, bank_transfer, free");
    if (!is_card(in->method))
        return in->token.ptr == NULL
                   ? ERR_OK
                   : call_invalid(call, "/token", "must be left out: only method card takes one");
    if (in->token.ptr == NULL)
        return provider->has_page ? ERR_OK : call_invalid(call, "/token", "is required for a card");
    return provider->check_token(call, in->token, ret_brand);
}

/* --- Answers --- */

static struct payment_view *view_of(struct call *call, const struct attempt *attempt)
{
    struct payment_view *view = arena_new(call->arena, struct payment_view);

    *view = (struct payment_view){
        .id = attempt->id,
        .status = str_of(attempt_status(attempt->state)),
        .method = attempt->method,
        .brand = attempt->brand,
        .amount = attempt->amount,
        .redirect_url =
            attempt->state == ATTEMPT_REQUIRES_ACTION ? attempt->redirect_url : STR_ABSENT,
        .failure = attempt->failure,
    };
    return view;
}

/* The refusal that a failed attempt ended with; ERR_OK if it has not failed. */
static err refusal_of(const struct attempt *attempt)
{
    static const err known[] = {ERR_CARD_DECLINED,       ERR_INSUFFICIENT_FUNDS,
                                ERR_ORDER_EXPIRED,       ERR_PROVIDER_UNAVAILABLE,
                                ERR_METHOD_NOT_ACCEPTED, ERR_INVALID};

    if (strcmp(attempt_status(attempt->state), "failed") != 0)
        return ERR_OK;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (str_eq(attempt->failure, str_of(err_name(known[i]))))
            return known[i];
    return ERR_UNAVAILABLE;
}

static err refuse(struct req *req, const struct attempt *attempt, err e)
{
    struct call *call = &req->call;

    call_member(call, "payment", json_encode(call->arena, &view_shape, view_of(call, attempt)));
    if (e == ERR_CARD_DECLINED || e == ERR_INSUFFICIENT_FUNDS)
        return call_explain(call, e, "the card was refused; nothing was charged");
    if (e == ERR_METHOD_NOT_ACCEPTED)
        return call_explain(call, e, "this event does not take that card; nothing was charged");
    if (e == ERR_INVALID)
        return call_invalid(call, "/token", "is none that the payment provider knows");
    if (e == ERR_ORDER_EXPIRED)
        return call_explain(call, e,
                            "the hold has ended and its tickets are gone; nothing was charged");
    return call_explain(call, e,
                        "the payment provider cannot be reached; nothing was charged and the "
                        "tickets are still held");
}

static err show(struct req *req, const struct attempt *attempt)
{
    struct call *call = &req->call;
    const struct booking_order_find find = {attempt->order};
    struct booking_view view = {0};

    TRY(booking_order_view(call, &find, &view));
    const struct payment_answer body = {view_of(call, attempt), view.order, view.tickets};
    return reply_json(req, 200, &answer_shape, &body);
}

/* The attempt that a key answers with. ERR_NOT_FOUND: that was refused after all, and is gone. */
static err follow(struct call *call, const struct attempt *holder, struct attempt *ret)
{
    *ret = *holder;
    return holder->state == ATTEMPT_REFERRED ? attempt_find(call, holder->answers_with, ret)
                                             : ERR_OK;
}

/* The first answer to a key that had an effect is noted: its status is that of all replays. */
static err note_answer(struct call *call, struct attempt *holder, struct attempt *shown)
{
    const int status = err_status(refusal_of(shown));

    if (holder->answer_status != 0 || (status != 200 && status != 402))
        return ERR_OK;
    TRY(attempt_answered(call, holder, status));
    desk_wake(payment_of(call)->desk, shown->id); /* twins can be answered now */
    /* A twin was faster, and told more than we have seen. */
    return holder->answer_status == status ? ERR_OK : attempt_find(call, shown->id, shown);
}

/* Answers with the attempt as it stands. */
static err answer(struct req *req, struct attempt *holder, struct attempt *shown, bool is_replay)
{
    if (shown->state == ATTEMPT_CREATED)
        return call_explain(&req->call, ERR_UNAVAILABLE, "the first request is still at work");
    TRY(note_answer(&req->call, holder, shown));
    if (is_replay && holder->answer_status != 0)
        reply_header(req, "idempotency-replayed", STR("true"));
    const err refusal = refusal_of(shown);
    const bool is_shown = refusal == ERR_OK || holder->answer_status == 200;
    return is_shown ? show(req, shown) : refuse(req, shown, refusal);
}

static err post_payment(struct req *req);

static err answer_or_await(struct req *req, struct attempt *holder, bool is_replay);

static err answer_parked(struct req *req)
{
    const struct paying *paying = req->parked;
    struct call *call = &req->call;
    struct attempt holder = {0};
    struct attempt shown = {0};

    err e = attempt_find(call, paying->holder, &holder);
    if (e == ERR_OK)
        e = follow(call, &holder, &shown);
    /* What this one waited for was refused and left no trace: now it is this one's turn. */
    if (e == ERR_NOT_FOUND)
        return post_payment(req);
    TRY(e);
    if (!uuid_eq(shown.id.uuid, paying->attempt.uuid)) /* its twin has been referred to another */
        return answer_or_await(req, &holder, paying->is_replay);
    return answer(req, &holder, &shown, paying->is_replay);
}

static err await(struct req *req, attempt_id attempt, attempt_id holder, bool is_replay)
{
    struct paying *paying = arena_new(req->call.arena, struct paying);

    *paying = (struct paying){attempt, holder, is_replay};
    req->parked = paying;
    return desk_await(payment_of(&req->call)->desk, req, attempt, answer_parked);
}

/* Is there an answer already? Either it was given, or nobody but the buyer or staff can move the
 * attempt on. */
static bool is_answerable(const struct attempt *holder, const struct attempt *shown)
{
    return holder->answer_status != 0 || shown->answer_status != 0 ||
           shown->state == ATTEMPT_WAITING || shown->state == ATTEMPT_REQUIRES_ACTION ||
           attempt_is_over(shown->state);
}

/* Waits for an attempt that somebody else drives. He may have finished before we were in the line,
 * so we look once more. */
static err await_other(struct req *req, attempt_id id, attempt_id holder_id, bool is_replay)
{
    CLEANUP(call_done) struct call call = {0};
    struct instance *self = req->call.self; /* once parked, the request is not ours any more */
    struct attempt holder = {0};
    struct attempt shown = {0};

    const err parked = await(req, id, holder_id, is_replay);
    call_init(&call, self, "pay");
    err e = attempt_find(&call, holder_id, &holder);
    if (e == ERR_OK)
        e = follow(&call, &holder, &shown);
    if (e != ERR_OK || is_answerable(&holder, &shown) || !uuid_eq(shown.id.uuid, id.uuid))
        desk_wake(payment_of(&call)->desk, id);
    return parked;
}

static err answer_or_await(struct req *req, struct attempt *holder, bool is_replay)
{
    struct attempt shown = {0};
    const err e = follow(&req->call, holder, &shown);

    if (e == ERR_NOT_FOUND)
        return call_explain(&req->call, ERR_UNAVAILABLE, "the other payment came to nothing");
    TRY(e);
    if (is_answerable(holder, &shown))
        return answer(req, holder, &shown, is_replay);
    return await_other(req, shown.id, holder->id, is_replay);
}

/* --- Requests --- */

/* The same key again: the same answer, or a wait for the first one's. */
static err replay(struct req *req, struct attempt *holder, const uint8_t digest[32])
{
    if (holder->idem_digest.size != 32 || memcmp(holder->idem_digest.ptr, digest, 32) != 0)
        return ERR_IDEMPOTENCY_MISMATCH;
    return answer_or_await(req, holder, true);
}

/* Which attempt is under way, as booking's refusal says; zero: it does not. */
static attempt_id live_attempt(struct call *call)
{
    struct live {
        attempt_id id;
    } live = {0};
    static const struct json_field fields[] = {
        JSON_F_ID("live_attempt", struct live, id, PAYMENT_PREFIX, JSON_OPTIONAL),
    };
    static const struct json_shape shape = JSON_SHAPE(fields, struct live);
    const str members = buf_str(&call->problem.members); /* ,"live_attempt":"pay_..." */
    const str text =
        arena_printf(call->arena, "{%.*s}", STR_ARG(str_slice(members, 1, members.size)));

    return json_read(call->arena, text, &shape, &live) == ERR_OK ? live.id : (attempt_id){0};
}

/* A refusal leaves no trace. */
static err withdraw(struct call *call, const struct attempt *attempt, err refusal)
{
    TRY(attempt_remove(call, attempt->id));
    desk_wake(payment_of(call)->desk, attempt->id);
    return refusal;
}

/* Booking has refused. If that is because another request pays this order already, that one's
 * attempt is the answer, now and whenever this key comes again. */
static err refer_or_withdraw(struct call *call, struct attempt *attempt, err refusal)
{
    struct attempt live = {0};

    if (refusal != ERR_CONFLICT || attempt_find(call, live_attempt(call), &live) != ERR_OK)
        return withdraw(call, attempt, refusal);
    call->problem = (struct problem){0};
    if (attempt_refer(call, attempt, live.id) != ERR_OK)
        return call_explain(call, ERR_UNAVAILABLE, "booking took too long; nothing was charged");
    desk_wake(payment_of(call)->desk, attempt->id);
    return ERR_OK;
}

/* Booking has perhaps begun with the attempt: the reconciler tells it that nothing comes of it. */
static err give_up(struct call *call, struct attempt *attempt, err failure)
{
    attempt->failure = str_of(err_name(failure));
    const err e = attempt_move(call, attempt, ATTEMPT_ABORTING);
    if (e != ERR_OK && e != ERR_CONFLICT) /* a conflict: the reconciler has come to it already */
        return e;
    TRY(attempt_look_again(call, attempt, call->now_ms));
    desk_wake(payment_of(call)->desk, attempt->id);
    return failure;
}

static err abort_at_booking(struct call *call, const struct attempt *attempt, err why)
{
    const struct booking_payment_abort in = {attempt->order, attempt->id, str_of(err_name(why))};
    struct booking_view view = {0};

    return booking_payment_abort(call, &in, &view);
}

/* Asks booking what is to be paid, and whether this may pay it. ERR_OK, too: another attempt is under
 * way, and this one REFERRED to it. */
static err begin(struct call *call, const struct payment_request *in, struct attempt *attempt)
{
    const struct booking_payment_begin begin_in = {in->order, attempt->id};
    struct booking_payment_begun begun = {0};

    const err asked = booking_payment_begin(call, &begin_in, &begun);
    if (err_status(asked) >= 500)
        return give_up(call, attempt, asked);
    if (asked != ERR_OK)
        return refer_or_withdraw(call, attempt, asked);
    const err accepted = accept_payment(call, &begun, in->payment_method, attempt);
    if (accepted != ERR_OK) {
        if (abort_at_booking(call, attempt, ERR_METHOD_NOT_ACCEPTED) != ERR_OK)
            return give_up(call, attempt, ERR_UNAVAILABLE);
        return withdraw(call, attempt, accepted);
    }
    attempt->event = begun.event.uuid;
    attempt->vendor = begun.vendor;
    attempt->amount = begun.total;
    attempt->timezone = begun.timezone;
    attempt->lines = begun.lines;
    attempt->line_count = begun.line_count;
    const err e =
        attempt_move(call, attempt, is_card(in->method) ? ATTEMPT_AUTHORISING : ATTEMPT_CONFIRMING);
    if (e != ERR_CONFLICT)
        return e;
    /* Booking took so long that the reconciler gave the attempt up, perhaps before it had begun. */
    TRY(abort_at_booking(call, attempt, ERR_UNAVAILABLE));
    return call_explain(call, ERR_UNAVAILABLE, "booking took too long; nothing was charged");
}

static err start(struct req *req, const struct payment_request *in, struct attempt *attempt)
{
    struct desk *desk = payment_of(&req->call)->desk;
    struct instance *self = req->call.self;
    char token[DESK_TOKEN_SIZE_MAX + 1] = {0};

    TRY(begin(&req->call, in, attempt));
    if (attempt->state == ATTEMPT_REFERRED)
        return answer_or_await(req, attempt, false);
    if (in->token.size > 0)
        memcpy(token, in->token.ptr, in->token.size);
    const struct attempt begun = {.id = attempt->id, .lease_ms = attempt->lease_ms};
    const err parked = await(req, begun.id, begun.id, false); /* the request is not ours any more */
    if (desk_submit(desk, &begun, str_of(token)) != ERR_OK) {
        CLEANUP(call_done) struct call call = {0};

        /* Without its token nothing can be charged: the reconciler makes it void. */
        call_init(&call, self, "pay");
        (void)!attempt_look_again(&call, &begun, call.now_ms);
    }
    return parked;
}

static struct attempt new_attempt(const struct call *call, const struct payment_request *in,
                                  str brand)
{
    return (struct attempt){
        .id = {call_uuid(call)},
        .order = in->order,
        .user = call->caller.user,
        .method = in->method,
        .brand = brand,
        .provider = is_card(in->method) ? str_of(provider_of_cards(call)->name) : STR_ABSENT,
        .hosted = is_card(in->method) && in->token.ptr == NULL,
        .state = ATTEMPT_CREATED,
        .created_at_ms = call->now_ms,
        .lease_ms = call->now_ms + ATTEMPT_LEASE_MS,
    };
}

/* Did it end without an effect, and without an answer that could have told? Then its key is
 * free. */
static bool is_void(const struct attempt *holder, const struct attempt *shown)
{
    const err refusal = refusal_of(shown);

    return attempt_is_over(shown->state) && holder->answer_status == 0 && refusal != ERR_OK &&
           err_status(refusal) != 402;
}

/* Who holds the key. ERR_NOT_FOUND: nobody, or nobody any more. */
static err find_holder(struct call *call, str key, struct attempt *ret)
{
    struct attempt shown = {0};

    TRY(attempt_find_key(call, call->caller.user, key, ret));
    const err e = follow(call, ret, &shown);
    if (e == ERR_OK && !is_void(ret, &shown))
        return ERR_OK;
    if (e != ERR_OK && e != ERR_NOT_FOUND)
        return e;
    TRY(attempt_forget_key(call, ret->id));
    return ERR_NOT_FOUND;
}

static err post_payment(struct req *req)
{
    struct call *call = &req->call;
    struct payment_request in = {0};
    uint8_t digest[32];
    str key = STR_ABSENT;
    str brand = STR_ABSENT;

    TRY(req_body(req, &request_shape, &in));
    TRY(req_key(req, &key, digest));
    /* Again if a twin comes or goes between the look and the insert. */
    for (int i = 0; i < KEY_TRIES_MAX; i++) {
        struct attempt attempt = {0};

        err e = find_holder(call, key, &attempt);
        if (e == ERR_OK)
            return replay(req, &attempt, digest);
        if (e != ERR_NOT_FOUND)
            return e;
        TRY(check_request(call, &in, &brand));
        attempt = new_attempt(call, &in, brand);
        attempt.idem_key = key;
        attempt.idem_digest = (str){(const char *)digest, sizeof(digest)};
        e = attempt_insert(call, &attempt);
        if (e == ERR_OK)
            return start(req, &in, &attempt);
        if (e != ERR_DUPLICATE)
            return e;
    }
    return ERR_OVERLOADED;
}

static const struct route routes[] = {
    {METHOD_POST, "/payment", post_payment, AUTH_USER, BODY(8192), KEYED, ON_WORKER},
};
const struct route_table pay_routes = ROUTE_TABLE(routes);
