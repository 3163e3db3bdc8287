/* payment/pay.c - from the buyer's request to an attempt on its way, and from what became of it to
 * the answer.
 *
 * The attempt's row comes first and holds the idempotency key, so that a second request with it
 * finds the first. A request that is refused removes it again: only what had an effect is kept. */
#include "services/payment/pay.h"

#include <string.h>

#include "services/payment/desk.h"
#include "services/payment/drive.h"
#include "services/payment/state.h"

struct payment_request {
    order_id order;
    str method;
    str payment_method; /* TypeID of one of the event's methods */
    str token;
};
static const struct json_field request_fields[] = {
    JSON_F_ID("order_id", struct payment_request, order, ORDER_PREFIX, JSON_REQUIRED),
    JSON_F_TOKEN("method", struct payment_request, method, 1, 40, JSON_REQUIRED),
    JSON_F_TOKEN("payment_method_id", struct payment_request, payment_method, 1, ID_TEXT_SIZE_MAX,
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
    JSON_F_TOKEN("redirect_url", struct payment_view, redirect_url, 0, 500, JSON_OPTIONAL),
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

/* Whose answer a request waits for. */
enum asker {
    FIRST,  /* its own: it has begun the attempt */
    REPLAY, /* its twin's, which came before it with the same key */
    OTHER,  /* another request's for the same order, which is under way already */
};

/* What the parked request remembers. */
struct paying {
    attempt_id attempt;
    enum asker asker;
};

enum { KEY_TRIES_MAX = 8 };

/* --- Rules: no I/O --- */

static bool is_card(str method)
{
    return str_eq(method, STR("card"));
}

/* A card is taken as "card" of any brand, or by its brand. Nothing to pay needs no method of the
 * event. */
static bool is_accepted(const struct booking_payment_begun *begun, str method, str brand)
{
    if (str_eq(method, STR("free")))
        return begun->total.minor == 0;
    if (begun->total.minor == 0)
        return false;
    for (size_t i = 0; i < begun->accepted_count; i++) {
        const str type = begun->accepted[i].type;

        if (str_eq(type, method) || (is_card(method) && str_eq(type, brand)))
            return true;
    }
    return false;
}

static err check_request(struct call *call, const struct payment_request *in, str *ret_brand)
{
    const struct provider *provider = provider_find(STR("sandbox"));
    bool known = false;

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        known = known || str_eq(in->method, str_of(methods[i]));
    if (!known)
        return call_invalid(call, "/method",
                            "must be one of card, cash_on_arrival, bank_transfer, free");
    if (in->payment_method.ptr != NULL)
        return call_invalid(call, "/payment_method_id", "names no payment method of this event");
    if (!is_card(in->method))
        return in->token.ptr == NULL
                   ? ERR_OK
                   : call_invalid(call, "/token", "must be left out: only method card takes one");
    if (in->token.ptr == NULL)
        return call_invalid(call, "/token", "is required for a card");
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
    static const err known[] = {ERR_CARD_DECLINED, ERR_INSUFFICIENT_FUNDS, ERR_ORDER_EXPIRED,
                                ERR_PROVIDER_UNAVAILABLE};

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

/* The first answer to a key that had an effect is noted: its status is that of all replays. */
static err note_answer(struct call *call, struct attempt *attempt)
{
    const err refusal = refusal_of(attempt);
    const int status = err_status(refusal);

    if (attempt->answer_status != 0 || (status != 200 && status != 402))
        return ERR_OK;
    TRY(attempt_answered(call, attempt, status));
    desk_wake(payment_of(call)->desk, attempt->id); /* twins of it can be answered now */
    /* A twin was faster, and told more than we have seen. */
    return attempt->answer_status == status ? ERR_OK : attempt_find(call, attempt->id, attempt);
}

/* Answers with the attempt as it stands. */
static err answer(struct req *req, struct attempt *attempt, enum asker asker)
{
    if (attempt->state == ATTEMPT_CREATED)
        return call_explain(&req->call, ERR_UNAVAILABLE, "the first request is still at work");
    if (asker != OTHER)
        TRY(note_answer(&req->call, attempt));
    if (asker == REPLAY && attempt->answer_status != 0)
        reply_header(req, "idempotency-replayed", STR("true"));
    const err refusal = refusal_of(attempt);
    const bool shown = refusal == ERR_OK || (asker != OTHER && attempt->answer_status == 200);
    return shown ? show(req, attempt) : refuse(req, attempt, refusal);
}

static err post_payment(struct req *req);

static err answer_parked(struct req *req)
{
    const struct paying *paying = req->parked;
    struct attempt attempt = {0};
    const err e = attempt_find(&req->call, paying->attempt, &attempt);

    /* What this one waited for was refused and left no trace: now it is this one's turn. */
    if (e == ERR_NOT_FOUND)
        return post_payment(req);
    TRY(e);
    return answer(req, &attempt, paying->asker);
}

static err await(struct req *req, attempt_id attempt, enum asker asker)
{
    struct paying *paying = arena_new(req->call.arena, struct paying);

    *paying = (struct paying){attempt, asker};
    req->parked = paying;
    return desk_await(payment_of(&req->call)->desk, req, attempt, answer_parked);
}

/* Is there an answer already? Either it was given, or nobody but the buyer or staff can move the
 * attempt on. */
static bool is_answerable(const struct attempt *attempt)
{
    return attempt->answer_status != 0 || attempt->state == ATTEMPT_WAITING ||
           attempt->state == ATTEMPT_REQUIRES_ACTION || attempt_is_over(attempt->state);
}

/* Waits for an attempt that somebody else drives. He may have finished before we were in the line,
 * so we look once more. */
static err await_other(struct req *req, attempt_id id, enum asker asker)
{
    CLEANUP(call_done) struct call call = {0};
    struct instance *self = req->call.self; /* once parked, the request is not ours any more */
    struct attempt attempt = {0};

    const err parked = await(req, id, asker);
    call_init(&call, self, "pay");
    const err e = attempt_find(&call, id, &attempt);
    if (e != ERR_OK || is_answerable(&attempt))
        desk_wake(payment_of(&call)->desk, id);
    return parked;
}

/* --- Requests --- */

/* The same key again: the same answer, or a wait for the first one's. */
static err replay(struct req *req, struct attempt *attempt, const uint8_t digest[32])
{
    if (attempt->idem_digest.size != 32 || memcmp(attempt->idem_digest.ptr, digest, 32) != 0)
        return ERR_IDEMPOTENCY_MISMATCH;
    if (is_answerable(attempt))
        return answer(req, attempt, REPLAY);
    return await_other(req, attempt->id, REPLAY);
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

/* Booking has refused. If that is because another request pays this order already, that one's
 * attempt is the answer. */
static err answer_live(struct req *req, err refusal)
{
    struct attempt live = {0};

    if (refusal != ERR_CONFLICT ||
        attempt_find(&req->call, live_attempt(&req->call), &live) != ERR_OK)
        return refusal;
    req->call.problem = (struct problem){0};
    if (is_answerable(&live))
        return answer(req, &live, OTHER);
    return await_other(req, live.id, OTHER);
}

/* A refusal leaves no trace. */
static err withdraw(struct call *call, const struct attempt *attempt, err refusal)
{
    TRY(attempt_remove(call, attempt->id));
    desk_wake(payment_of(call)->desk, attempt->id);
    return refusal;
}

/* Booking has perhaps begun with the attempt: the reconciler tells it that nothing comes of it. */
static err give_up(struct call *call, struct attempt *attempt, err failure)
{
    attempt->failure = str_of(err_name(failure));
    const err e = attempt_move(call, attempt, ATTEMPT_ABORTING);
    if (e != ERR_OK && e != ERR_CONFLICT) /* a conflict: the reconciler has come to it already */
        return e;
    TRY(attempt_look_again(call, attempt->id, call->now_ms));
    desk_wake(payment_of(call)->desk, attempt->id);
    return failure;
}

static err abort_at_booking(struct call *call, const struct attempt *attempt, err why)
{
    const struct booking_payment_abort in = {attempt->order, attempt->id, str_of(err_name(why))};
    struct booking_view view = {0};

    return booking_payment_abort(call, &in, &view);
}

/* Asks booking what is to be paid, and whether this may pay it. */
static err begin(struct call *call, const struct payment_request *in, struct attempt *attempt)
{
    const struct booking_payment_begin begin_in = {in->order, attempt->id};
    struct booking_payment_begun begun = {0};

    const err asked = booking_payment_begin(call, &begin_in, &begun);
    if (err_status(asked) >= 500)
        return give_up(call, attempt, asked);
    if (asked != ERR_OK)
        return withdraw(call, attempt, asked);
    if (!is_accepted(&begun, in->method, attempt->brand)) {
        if (abort_at_booking(call, attempt, ERR_METHOD_NOT_ACCEPTED) != ERR_OK)
            return give_up(call, attempt, ERR_UNAVAILABLE);
        return withdraw(
            call, attempt,
            call_explain(call, ERR_METHOD_NOT_ACCEPTED,
                         "this event does not take that payment method for this order"));
    }
    attempt->event = begun.event.uuid;
    attempt->vendor = begun.vendor;
    attempt->amount = begun.total;
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
    const attempt_id id = attempt->id;

    const err e = begin(&req->call, in, attempt);
    if (e != ERR_OK)
        return answer_live(req, e);
    if (in->token.size > 0)
        memcpy(token, in->token.ptr, in->token.size);
    const err parked = await(req, id, FIRST); /* the request is not ours any more */
    if (desk_submit(desk, id, str_of(token)) != ERR_OK) {
        CLEANUP(call_done) struct call call = {0};

        /* Without its token nothing can be charged: the reconciler makes it void. */
        call_init(&call, self, "pay");
        (void)!attempt_look_again(&call, id, call.now_ms);
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
        .provider = is_card(in->method) ? STR("sandbox") : STR_ABSENT,
        .state = ATTEMPT_CREATED,
        .created_at_ms = call->now_ms,
    };
}

/* Did it end without an effect, and without an answer that could have told? Then its key is
 * free. */
static bool is_void(const struct attempt *attempt)
{
    const err refusal = refusal_of(attempt);

    return attempt_is_over(attempt->state) && attempt->answer_status == 0 && refusal != ERR_OK &&
           err_status(refusal) != 402;
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

        err e = attempt_find_key(call, call->caller.user, key, &attempt);
        if (e == ERR_OK && !is_void(&attempt))
            return replay(req, &attempt, digest);
        if (e == ERR_OK)
            TRY(attempt_forget_key(call, attempt.id));
        else if (e != ERR_NOT_FOUND)
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
