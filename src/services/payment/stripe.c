/* payment/stripe.c - cards by Stripe: PaymentIntents that are captured by hand, and Checkout's page
 * for buyers who come without a token.
 *
 * What is created here charges nothing yet: an intent waits to be confirmed, a page to be paid on.
 * Only the one whose id is in our row is ever confirmed, or shown to the buyer. So a create whose
 * answer is lost is sent again, and if Stripe has kept an answer of no use (a 500) under its
 * Idempotency-Key, under the next one: a second intent does no harm. Confirm, capture and cancel
 * move an intent along its own states, which it takes once. Refunds are stripe_refund.c. */
#include "services/payment/stripe.h"

#include "services/payment/stripe.sql.h"
#include "services/payment/stripe_api.h"
#include "services/payment/stripe_form.h"
#include "services/payment/stripe_money.h"
#include "services/payment/stripe_object.h"

enum {
    ACTION_LIFE_S = 1800, /* of a buyer on the page, or at his bank */
    LOOK_MS = 3000,
    ROUNDS_AT_ONCE = 2,
};

/* --- Storage --- */

struct row {
    str session;
    str intent;
    int64_t round;
    bool is_void;
};

static err write_row(struct call *call, const struct sql *sql, struct args args, int64_t *ret_count)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_exec_count(&tx, sql, args, ret_count));
    return tx_commit(&tx);
}

static err find_row(struct call *call, str key, struct row *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(tx_read(&tx, call_db(call)));
    TRY(rows_first(&rows, &tx, &SQL_STRIPE_CHARGE_FIND, ARGS(TEXT(key)), call->arena));
    *ret = (struct row){
        .session = row_text(&rows, 0),
        .intent = row_text(&rows, 1),
        .round = row_i64(&rows, 2),
        .is_void = row_i64(&rows, 3) != 0,
    };
    return rows_close(&rows);
}

/* Notes what Stripe knows the key by, unless somebody was faster; the row as it is then. */
static err note(struct call *call, str key, const struct sql *sql, str id, struct row *row)
{
    int64_t count = 0;

    TRY(write_row(call, sql, ARGS(TEXT(key), TEXT(id)), &count));
    return find_row(call, key, row);
}

static err note_intent(struct call *call, str key, const struct stripe_intent *intent,
                       struct row *row)
{
    if (intent == NULL || row->intent.ptr != NULL)
        return ERR_OK;
    return note(call, key, &SQL_STRIPE_CHARGE_INTENT, intent->id, row);
}

/* --- Questions --- */

static err read_object(struct call *call, const struct stripe_answer *answer,
                       const struct json_shape *shape, void *ret)
{
    json_clear(shape, ret);
    if (json_read(call->arena, answer->body, shape, ret) == ERR_OK)
        return ERR_OK;
    return call_explain(call, ERR_UNAVAILABLE, "an answer of Stripe's cannot be read");
}

/* What is only looked at has no effect: whatever goes wrong, nobody knows more than before. */
static err get(struct call *call, str path, const struct json_shape *shape, void *ret)
{
    const struct stripe_question question = {.method = "GET", .path = path};
    struct stripe_answer answer = {0};

    if (stripe_ask(call, &question, &answer) != ERR_OK)
        return ERR_UNAVAILABLE;
    return read_object(call, &answer, shape, ret);
}

static err get_intent(struct call *call, str id, struct stripe_intent *ret)
{
    return get(
        call,
        arena_printf(call->arena, "/v1/payment_intents/%.*s?expand[]=latest_charge", STR_ARG(id)),
        &stripe_intent_shape, ret);
}

static err get_session(struct call *call, str id, struct stripe_session *ret)
{
    return get(call,
               arena_printf(call->arena,
                            "/v1/checkout/sessions/%.*s?expand[]=payment_intent.latest_charge",
                            STR_ARG(id)),
               &stripe_session_shape, ret);
}

/* A kept answer that is of no use: the same key would get it for ever. */
static bool is_spent(err e, const struct stripe_answer *answer)
{
    return (e == ERR_UNAVAILABLE && answer->is_saved) ||
           str_eq(answer->error.type, STR("idempotency_error"));
}

/* With the key, the step and the round (if that is not the first): what Stripe knows a request by. */
static str idempotency_key(struct call *call, str key, const char *step, int64_t round)
{
    return round == 0
               ? arena_printf(call->arena, "%.*s:%s", STR_ARG(key), step)
               : arena_printf(call->arena, "%.*s:%s:%lld", STR_ARG(key), step, (long long)round);
}

static err begin_next_round(struct call *call, str key, struct row *row)
{
    int64_t count = 0;

    TRY(write_row(call, &SQL_STRIPE_CHARGE_ROUND,
                  ARGS(TEXT(key), I64(row->round), I64(row->round + 1)), &count));
    return find_row(call, key, row);
}

struct step {
    const char *name; /* "confirm" */
    str path;
    str form;
};

static err post(struct call *call, str key, struct row *row, const struct step *step,
                struct stripe_answer *ret)
{
    struct stripe_question question = {.method = "POST", .path = step->path, .form = step->form};

    for (int i = 0; i < ROUNDS_AT_ONCE; i++) {
        question.key = idempotency_key(call, key, step->name, row->round);
        const err e = stripe_ask(call, &question, ret);
        if (!is_spent(e, ret))
            return e;
        TRY(begin_next_round(call, key, row));
    }
    return ERR_UNAVAILABLE;
}

/* --- Authorising --- */

static err decline(struct charge *ret, err why)
{
    *ret = (struct charge){.status = CHARGE_DECLINED, .failure = why};
    return ERR_OK;
}

/* Nothing can have been charged by something that was not made, or that nobody knows of. */
static err not_made(err e, const struct stripe_answer *answer, struct charge *ret)
{
    const str code = answer->error.code;

    if (e == ERR_CONFLICT &&
        (str_eq(code, STR("amount_too_small")) || str_eq(code, STR("amount_too_large")) ||
         str_ends(answer->error.param, STR("currency")) ||
         str_ends(answer->error.param, STR("currency]"))))
        return decline(ret, ERR_METHOD_NOT_ACCEPTED);
    return ERR_PROVIDER_UNAVAILABLE;
}

/* ERR_PROVIDER_UNAVAILABLE, or *ret says that it is refused and row->intent is absent. */
static err make_intent(struct call *call, const struct charge_request *request, int64_t amount,
                       struct row *row, struct charge *ret)
{
    struct stripe_answer answer = {0};
    struct stripe_intent intent = {0};
    const err e = post(call, request->key, row,
                       &(struct step){"create", STR("/v1/payment_intents"),
                                      stripe_intent_form(call, request, amount)},
                       &answer);

    if (e != ERR_OK)
        return not_made(e, &answer, ret);
    TRY(read_object(call, &answer, &stripe_intent_shape, &intent));
    return note_intent(call, request->key, &intent, row);
}

/* Is the card behind the token one that the event takes? */
static err check_brand(struct call *call, const struct charge_request *request, bool *ret_declined,
                       struct charge *ret)
{
    struct stripe_details method = {0};
    struct stripe_answer answer = {0};
    const struct stripe_question question = {
        .method = "GET",
        .path = arena_printf(call->arena, "/v1/payment_methods/%.*s", STR_ARG(request->token)),
    };

    if (request->brands.ptr == NULL)
        return ERR_OK;
    const err e = stripe_ask(call, &question, &answer);
    *ret_declined = e == ERR_CONFLICT;
    if (e == ERR_CONFLICT)
        return decline(ret, ERR_INVALID);
    if (e != ERR_OK)
        return ERR_PROVIDER_UNAVAILABLE; /* nothing but a look has happened */
    TRY(read_object(call, &answer, &stripe_details_shape, &method));
    *ret_declined =
        method.card == NULL || !provider_takes_brand(request->brands, method.card->brand);
    return *ret_declined ? decline(ret, ERR_METHOD_NOT_ACCEPTED) : ERR_OK;
}

static bool is_bad_token(err e, const struct stripe_answer *answer)
{
    return e == ERR_CONFLICT &&
           (answer->status == 404 || str_eq(answer->error.param, STR("payment_method")) ||
            str_eq(answer->error.code, STR("resource_missing")));
}

static err confirm(struct call *call, const struct charge_request *request, struct row *row,
                   struct charge *ret)
{
    struct stripe_answer answer = {0};
    struct stripe_intent intent = {0};
    const err e = post(call, request->key, row,
                       &(struct step){"confirm",
                                      arena_printf(call->arena, "/v1/payment_intents/%.*s/confirm",
                                                   STR_ARG(row->intent)),
                                      stripe_confirm_form(call, request)},
                       &answer);
    if (e == ERR_OK && !answer.is_saved)
        TRY(read_object(call, &answer, &stripe_intent_shape, &intent));
    else if (get_intent(call, row->intent, &intent) != ERR_OK)
        return ERR_UNAVAILABLE;
    if (!stripe_is_unconfirmed(&intent)) {
        *ret = stripe_intent_charge(&intent);
        return ERR_OK;
    }
    if (is_bad_token(e, &answer))
        return decline(ret, ERR_INVALID);
    return e == ERR_PROVIDER_UNAVAILABLE ? e : ERR_UNAVAILABLE;
}

static err authorise_token(struct call *call, const struct charge_request *request, int64_t amount,
                           struct row *row, struct charge *ret)
{
    bool declined = false;

    TRY(check_brand(call, request, &declined, ret));
    if (declined)
        return ERR_OK;
    if (row->intent.ptr == NULL)
        TRY(make_intent(call, request, amount, row, ret));
    if (row->intent.ptr == NULL)
        return ERR_OK;
    if (row->is_void)
        return decline(ret, ERR_PROVIDER_UNAVAILABLE);
    return confirm(call, request, row, ret);
}

static err show_session(struct call *call, str key, struct row *row, struct charge *ret)
{
    struct stripe_session session = {0};

    TRY(get_session(call, row->session, &session));
    TRY(note_intent(call, key, session.intent, row));
    *ret = stripe_session_charge(&session);
    return ERR_OK;
}

static err authorise_on_page(struct call *call, const struct charge_request *request,
                             int64_t amount, struct row *row, struct charge *ret)
{
    struct stripe_answer answer = {0};
    struct stripe_session session = {0};

    if (row->session.ptr == NULL) {
        const err e = post(call, request->key, row,
                           &(struct step){"page", STR("/v1/checkout/sessions"),
                                          stripe_page_form(call, request, amount)},
                           &answer);
        if (e == ERR_UNAVAILABLE)
            return e; /* it is sent again */
        if (e != ERR_OK)
            return not_made(e, &answer, ret);
        TRY(read_object(call, &answer, &stripe_session_shape, &session));
        TRY(note(call, request->key, &SQL_STRIPE_CHARGE_SESSION, session.id, row));
    }
    if (row->is_void || row->session.ptr == NULL)
        return decline(ret, ERR_PROVIDER_UNAVAILABLE);
    return show_session(call, request->key, row, ret);
}

static err authorise(struct call *call, const struct charge_request *request, struct charge *ret)
{
    struct row row = {0};
    int64_t amount = 0;
    int64_t count = 0;

    if (!stripe_amount(request->amount, &amount))
        return decline(ret, ERR_METHOD_NOT_ACCEPTED);
    TRY(write_row(call, &SQL_STRIPE_CHARGE_INSERT, ARGS(TEXT(request->key)), &count));
    TRY(find_row(call, request->key, &row));
    if (row.is_void)
        return decline(ret, ERR_PROVIDER_UNAVAILABLE);
    return request->token.ptr != NULL ? authorise_token(call, request, amount, &row, ret)
                                      : authorise_on_page(call, request, amount, &row, ret);
}

/* --- The other verbs --- */

static err check_token(struct call *call, str token, str *ret_brand)
{
    bool plain = str_starts(token, STR("pm_"));

    for (size_t i = 0; i < token.size; i++)
        plain = plain && (token.ptr[i] == '_' || (token.ptr[i] >= '0' && token.ptr[i] <= '9') ||
                          (token.ptr[i] >= 'A' && token.ptr[i] <= 'Z') ||
                          (token.ptr[i] >= 'a' && token.ptr[i] <= 'z'));
    if (!plain)
        return call_invalid(call, "/token", "is not a PaymentMethod of Stripe's, such as pm_...");
    *ret_brand = STR_ABSENT;
    return ERR_OK;
}

static err check_amount(struct call *call, struct money amount)
{
    int64_t stripes = 0;

    if (stripe_amount(amount, &stripes))
        return ERR_OK;
    return call_explain(call, ERR_METHOD_NOT_ACCEPTED, "%s cannot be charged to a card",
                        money_format(amount).text);
}

static err find(struct call *call, str key, struct charge *ret)
{
    struct row row = {0};
    struct stripe_intent intent = {0};

    TRY(find_row(call, key, &row));
    if (row.session.ptr != NULL)
        return show_session(call, key, &row, ret);
    if (row.intent.ptr == NULL)
        return ERR_NOT_FOUND;
    TRY(get_intent(call, row.intent, &intent));
    if (stripe_is_unconfirmed(&intent)) /* and its token is gone */
        return ERR_NOT_FOUND;
    *ret = stripe_intent_charge(&intent);
    return ERR_OK;
}

static str intent_path(struct call *call, str id, const char *verb)
{
    return arena_printf(call->arena, "/v1/payment_intents/%.*s/%s", STR_ARG(id), verb);
}

static err capture(struct call *call, str key, struct charge *ret)
{
    struct row row = {0};
    struct stripe_intent intent = {0};
    struct stripe_answer answer = {0};

    TRY(find_row(call, key, &row));
    if (row.intent.ptr == NULL)
        return ERR_UNAVAILABLE;
    TRY(get_intent(call, row.intent, &intent));
    *ret = stripe_intent_charge(&intent);
    if (ret->status != CHARGE_AUTHORISED)
        return ERR_OK;
    /* Whatever is answered: what counts is the state that the intent is in then. */
    (void)!post(call, key, &row,
                &(struct step){"capture", intent_path(call, row.intent, "capture"), STR("")},
                &answer);
    TRY(get_intent(call, row.intent, &intent));
    *ret = stripe_intent_charge(&intent);
    return ERR_OK;
}

static err expire_page(struct call *call, str key, struct row *row)
{
    struct stripe_session session = {0};
    struct stripe_answer answer = {0};

    TRY(get_session(call, row->session, &session));
    if (str_eq(session.status, STR("open"))) {
        (void)!post(call, key, row,
                    &(struct step){"expire",
                                   arena_printf(call->arena, "/v1/checkout/sessions/%.*s/expire",
                                                STR_ARG(row->session)),
                                   STR("")},
                    &answer);
        TRY(get_session(call, row->session, &session));
        if (str_eq(session.status, STR("open")))
            return ERR_UNAVAILABLE;
    }
    return note_intent(call, key, session.intent, row);
}

static err cancel(struct call *call, str key, struct charge *ret)
{
    struct row row = {0};
    struct stripe_intent intent = {0};
    struct stripe_answer answer = {0};
    int64_t count = 0;

    *ret = (struct charge){.status = CHARGE_VOIDED};
    TRY(write_row(call, &SQL_STRIPE_CHARGE_VOID, ARGS(TEXT(key)), &count));
    TRY(find_row(call, key, &row));
    if (row.session.ptr != NULL)
        TRY(expire_page(call, key, &row));
    if (row.intent.ptr == NULL)
        return ERR_OK;
    TRY(get_intent(call, row.intent, &intent));
    if (stripe_is_cancellable(&intent)) {
        (void)!post(call, key, &row,
                    &(struct step){"cancel", intent_path(call, row.intent, "cancel"), STR("")},
                    &answer);
        TRY(get_intent(call, row.intent, &intent));
    }
    *ret = stripe_intent_charge(&intent);
    if (stripe_is_cancellable(&intent))
        ret->status = CHARGE_PROCESSING; /* at a bank: it cannot be cancelled just now */
    return ERR_OK;
}

const struct provider stripe_provider = {
    .name = "stripe",
    .has_page = true,
    .action_life_s = ACTION_LIFE_S,
    .look_ms = LOOK_MS,
    .check_token = check_token,
    .check_amount = check_amount,
    .authorise = authorise,
    .find = find,
    .capture = capture,
    .cancel = cancel,
    .refund = stripe_give_back,
};
