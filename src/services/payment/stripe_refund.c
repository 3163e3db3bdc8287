/* payment/stripe_refund.c - refunds at Stripe.
 *
 * Unlike a charge, a refund has no object that takes it once: two requests under two Idempotency-Keys
 * are two refunds. So each carries its key and round in its metadata, and before anything is sent
 * again, after whatever went wrong or however long ago, the refunds of the charge are looked through
 * for it. One that comes to nothing begins the next round, with a new Idempotency-Key. */
#include "services/payment/stripe.h"

#include "services/payment/stripe.sql.h"
#include "services/payment/stripe_api.h"
#include "services/payment/stripe_money.h"
#include "services/payment/stripe_object.h"

struct row {
    str refund;
    int64_t round;
    str intent; /* of the charge */
};

static err write_row(struct call *call, const struct sql *sql, struct args args, int64_t *ret_count)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_exec_count(&tx, sql, args, ret_count));
    return tx_commit(&tx);
}

static err find_row(struct call *call, const struct refund_request *request, struct row *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows refunds = {0};
    CLEANUP(rows_done) struct rows charges = {0};

    TRY(tx_read(&tx, call_db(call)));
    TRY(rows_first(&refunds, &tx, &SQL_STRIPE_REFUND_FIND, ARGS(TEXT(request->key)), call->arena));
    ret->refund = row_text(&refunds, 0);
    ret->round = row_i64(&refunds, 1);
    TRY(rows_close(&refunds));
    TRY(rows_first(&charges, &tx, &SQL_STRIPE_CHARGE_FIND, ARGS(TEXT(request->charge_key)),
                   call->arena));
    ret->intent = row_text(&charges, 1);
    return rows_close(&charges);
}

static str name_of(struct call *call, const struct refund_request *request, const struct row *row)
{
    return row->round == 0 ? request->key
                           : arena_printf(call->arena, "%.*s:%lld", STR_ARG(request->key),
                                          (long long)row->round);
}

static err begin_next_round(struct call *call, const struct refund_request *request,
                            const struct row *row)
{
    int64_t count = 0;

    return write_row(call, &SQL_STRIPE_REFUND_ROUND,
                     ARGS(TEXT(request->key), I64(row->round), I64(row->round + 1)), &count);
}

/* What has become of the refund; if it came to nothing, the next call makes another. */
static err take(struct call *call, const struct refund_request *request, const struct row *row,
                const struct stripe_refund *refund, enum refund_status *ret_status)
{
    int64_t count = 0;

    *ret_status = stripe_refund_status(refund);
    if (*ret_status == REFUND_FAILED)
        return begin_next_round(call, request, row);
    if (row->refund.ptr != NULL)
        return ERR_OK;
    return write_row(call, &SQL_STRIPE_REFUND_MADE,
                     ARGS(TEXT(request->key), I64(row->round), TEXT(refund->id)), &count);
}

static err look(struct call *call, str path, const struct json_shape *shape, void *ret)
{
    const struct stripe_question question = {.method = "GET", .path = path};
    struct stripe_answer answer = {0};

    if (stripe_ask(call, &question, &answer) != ERR_OK)
        return ERR_UNAVAILABLE;
    json_clear(shape, ret);
    return json_read(call->arena, answer.body, shape, ret) == ERR_OK ? ERR_OK : ERR_UNAVAILABLE;
}

/* Looks for this round's among the refunds of the charge. ERR_NOT_FOUND. */
static err search(struct call *call, const struct refund_request *request, const struct row *row,
                  struct stripe_refund *ret)
{
    const str name = name_of(call, request, row);
    struct stripe_refunds page = {.has_more = true};
    str after = STR("");

    while (page.has_more) {
        TRY(look(call,
                 arena_printf(call->arena, "/v1/refunds?payment_intent=%.*s&limit=100%.*s",
                              STR_ARG(row->intent), STR_ARG(after)),
                 &stripe_refunds_shape, &page));
        for (size_t i = 0; i < page.count; i++)
            if (page.items[i].metadata != NULL && str_eq(page.items[i].metadata->refund, name)) {
                *ret = page.items[i];
                return ERR_OK;
            }
        if (page.count == 0)
            break;
        after = arena_printf(call->arena, "&starting_after=%.*s",
                             STR_ARG(page.items[page.count - 1].id));
    }
    return ERR_NOT_FOUND;
}

static err look_and_take(struct call *call, const struct refund_request *request,
                         const struct row *row, enum refund_status *ret_status)
{
    struct stripe_refund refund = {0};

    TRY(search(call, request, row, &refund));
    return take(call, request, row, &refund, ret_status);
}

/* Under this round's key Stripe would give the same useless answer for ever. */
static err leave_round(struct call *call, const struct refund_request *request,
                       const struct row *row, enum refund_status *ret_status)
{
    const err e = look_and_take(call, request, row, ret_status);

    if (e != ERR_NOT_FOUND)
        return e;
    TRY(begin_next_round(call, request, row));
    return ERR_UNAVAILABLE;
}

static err ask_for_it(struct call *call, const struct refund_request *request,
                      const struct row *row, enum refund_status *ret_status)
{
    struct buf form = buf_in(call->arena, STRIPE_FORM_SIZE_MAX);
    struct stripe_answer answer = {0};
    struct stripe_refund refund = {0};
    int64_t amount = 0;
    const str name = name_of(call, request, row);

    if (!stripe_amount(request->amount, &amount))
        return call_explain(call, ERR_NOT_REFUNDABLE, "%s is nothing that Stripe can give back",
                            money_format(request->amount).text);
    fetch_add_form(&form, STR("payment_intent"), row->intent);
    fetch_add_form(&form, STR("amount"), arena_printf(call->arena, "%lld", (long long)amount));
    fetch_add_form(&form, STR("metadata[refund]"), name);
    const struct stripe_question question = {
        .method = "POST",
        .path = STR("/v1/refunds"),
        .form = buf_str(&form),
        .key = arena_printf(call->arena, "%.*s:refund", STR_ARG(name)),
    };
    const err e = stripe_ask(call, &question, &answer);
    const bool is_other = str_eq(answer.error.type, STR("idempotency_error"));
    if (e == ERR_CONFLICT && !is_other)
        return call_explain(call, ERR_NOT_REFUNDABLE, "Stripe: %.*s", STR_ARG(answer.error.code));
    if (answer.is_saved || is_other)
        return e == ERR_OK ? look_and_take(call, request, row, ret_status)
                           : leave_round(call, request, row, ret_status);
    if (e != ERR_OK)
        return ERR_UNAVAILABLE;
    json_clear(&stripe_refund_shape, &refund);
    if (json_read(call->arena, answer.body, &stripe_refund_shape, &refund) != ERR_OK)
        return ERR_UNAVAILABLE;
    return take(call, request, row, &refund, ret_status);
}

err stripe_give_back(struct call *call, const struct refund_request *request,
                     enum refund_status *ret_status)
{
    struct row row = {0};
    struct stripe_refund refund = {0};
    int64_t inserted = 0;

    TRY(write_row(call, &SQL_STRIPE_REFUND_INSERT, ARGS(TEXT(request->key)), &inserted));
    const err known = find_row(call, request, &row);
    if (known == ERR_NOT_FOUND || (known == ERR_OK && row.intent.ptr == NULL))
        return call_explain(call, ERR_NOT_REFUNDABLE, "Stripe has not charged this payment");
    TRY(known);
    if (row.refund.ptr != NULL) {
        TRY(look(call, arena_printf(call->arena, "/v1/refunds/%.*s", STR_ARG(row.refund)),
                 &stripe_refund_shape, &refund));
        return take(call, request, &row, &refund, ret_status);
    }
    if (inserted == 0) { /* somebody has asked before, and may have been heard */
        const err e = look_and_take(call, request, &row, ret_status);
        if (e != ERR_NOT_FOUND)
            return e;
    }
    return ask_for_it(call, request, &row, ret_status);
}
