/* payment/sandbox.c - a provider without money: its tokens play out what real ones do, its charges
 * are durable.
 *
 * It keeps books of its own (sandbox_charge, sandbox_refund) and shares no transaction with the
 * rest of payment: what it did and what we know of it can differ after a crash, as with any
 * provider. */
#include "services/payment/sandbox.h"

#include "platform/db/db.h"
#include "services/payment/sandbox.sql.h"

enum { SLOW_MS = 5000, ACTION_LIFE_S = 900 };

enum quirk {
    AT_ONCE,
    SLOW, /* the outcome is known SLOW_MS later */
    LOST, /* charged, but the answer does not come back */
    DOWN, /* the provider cannot be reached */
};

static const struct token {
    const char *name;
    const char *brand;
    enum charge_status status;
    err failure;
    enum quirk quirk;
} tokens[] = {
    {"tok_visa",               "visa",       CHARGE_AUTHORISED,      ERR_OK,                 AT_ONCE},
    {"tok_mastercard",         "mastercard", CHARGE_AUTHORISED,      ERR_OK,                 AT_ONCE},
    {"tok_declined",           "visa",       CHARGE_DECLINED,        ERR_CARD_DECLINED,      AT_ONCE},
    {"tok_insufficient_funds", "visa",       CHARGE_DECLINED,        ERR_INSUFFICIENT_FUNDS, AT_ONCE},
    {"tok_3ds",                "visa",       CHARGE_REQUIRES_ACTION, ERR_OK,                 AT_ONCE},
    {"tok_timeout",            "visa",       CHARGE_AUTHORISED,      ERR_OK,                 LOST   },
    {"tok_slow",               "visa",       CHARGE_AUTHORISED,      ERR_OK,                 SLOW   },
    {"tok_error",              "visa",       CHARGE_DECLINED,        ERR_OK,                 DOWN   },
};

static const struct token *find_token(str name)
{
    for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
        if (str_eq(name, str_of(tokens[i].name)))
            return &tokens[i];
    return NULL;
}

static err check_token(struct call *call, str name, str *ret_brand)
{
    const struct token *token = find_token(name);

    if (token == NULL)
        return call_invalid(call, "/token", "is not a token of the sandbox, such as tok_visa");
    *ret_brand = str_of(token->brand);
    return ERR_OK;
}

static err check_amount([[maybe_unused]] struct call *call, [[maybe_unused]] struct money amount)
{
    return ERR_OK;
}

static err failure_of(str name)
{
    return str_eq(name, STR("insufficient_funds")) ? ERR_INSUFFICIENT_FUNDS : ERR_CARD_DECLINED;
}

/* "pay_...:authorise" -> the attempt's own page. */
static str page_of(struct arena *arena, str key)
{
    str payment = STR_ABSENT;

    (void)str_split(&key, ':', &payment);
    return arena_printf(arena, "/sandbox/3ds/%.*s", STR_ARG(payment));
}

static err find(struct call *call, str key, struct charge *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(tx_read(&tx, call_db(call)));
    TRY(rows_first(&rows, &tx, &SQL_SANDBOX_CHARGE_FIND, ARGS(TEXT(key)), call->arena));
    struct charge charge = {.status = (enum charge_status)row_i64(&rows, 0),
                            .brand = row_text(&rows, 2)};
    const int64_t ready_at_ms = row_i64(&rows, 3);
    if (charge.status == CHARGE_DECLINED)
        charge.failure = failure_of(row_text(&rows, 1));
    if (ready_at_ms > call->now_ms && charge.status != CHARGE_VOIDED) {
        charge.status = CHARGE_PROCESSING;
        charge.look_again_ms = ready_at_ms;
    }
    charge.redirect_url = page_of(call->arena, key);
    TRY(rows_close(&rows));
    *ret = charge;
    return ERR_OK;
}

static err insert(struct call *call, const struct charge_request *request,
                  const struct token *token)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_exec(&tx, &SQL_SANDBOX_CHARGE_INSERT,
                ARGS(TEXT(request->key), I64(request->amount.minor),
                     TEXT(str_of(request->amount.currency.code)), TEXT(str_of(token->brand)),
                     I64(token->status),
                     TEXT(token->failure == ERR_OK ? STR_ABSENT : str_of(err_name(token->failure))),
                     I64(call->now_ms + (token->quirk == SLOW ? SLOW_MS : 0)))));
    return tx_commit(&tx);
}

static err authorise(struct call *call, const struct charge_request *request, struct charge *ret)
{
    const struct token *token = find_token(request->token);

    if (token == NULL || token->quirk == DOWN)
        return ERR_PROVIDER_UNAVAILABLE;
    TRY(insert(call, request, token));
    if (token->quirk == LOST)
        return ERR_UNAVAILABLE;
    return find(call, request->key, ret);
}

/* Moves a charge from one status to another; where it stands already, that is fine too. */
static err move(struct call *call, str key, enum charge_status from, enum charge_status to,
                struct charge *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_exec(&tx, &SQL_SANDBOX_CHARGE_MOVE, ARGS(TEXT(key), I64(from), I64(to))));
    TRY(tx_commit(&tx));
    return find(call, key, ret);
}

static err capture(struct call *call, str key, struct charge *ret)
{
    return move(call, key, CHARGE_AUTHORISED, CHARGE_CAPTURED, ret);
}

/* A key that never came is taken here, so that it cannot be charged any more if it still comes. */
static err cancel(struct call *call, str key, struct charge *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_exec(&tx, &SQL_SANDBOX_CHARGE_INSERT,
                ARGS(TEXT(key), I64(0), TEXT(STR("")), TEXT(STR("")), I64(CHARGE_VOIDED), NIL,
                     I64(call->now_ms))));
    TRY(db_exec(&tx, &SQL_SANDBOX_CHARGE_MOVE,
                ARGS(TEXT(key), I64(CHARGE_REQUIRES_ACTION), I64(CHARGE_VOIDED))));
    TRY(db_exec(&tx, &SQL_SANDBOX_CHARGE_MOVE,
                ARGS(TEXT(key), I64(CHARGE_AUTHORISED), I64(CHARGE_VOIDED))));
    TRY(tx_commit(&tx));
    return find(call, key, ret);
}

static err refund(struct call *call, const struct refund_request *request,
                  enum refund_status *ret_status)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t inserted = 0;
    int64_t charged = 0;

    *ret_status = REFUND_SUCCEEDED;
    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_exec_count(
        &tx, &SQL_SANDBOX_REFUND_INSERT,
        ARGS(TEXT(request->key), TEXT(request->charge_key), I64(request->amount.minor)),
        &inserted));
    if (inserted == 0)
        return ERR_OK; /* this key had its effect before */
    TRY(db_exec_count(&tx, &SQL_SANDBOX_CHARGE_REFUND,
                      ARGS(TEXT(request->charge_key), I64(request->amount.minor)), &charged));
    if (charged == 0)
        return ERR_NOT_REFUNDABLE;
    return tx_commit(&tx);
}

err sandbox_answer_challenge(struct call *call, str key, bool approved)
{
    struct charge charge = {0};

    TRY(find(call, key, &charge));
    return move(call, key, CHARGE_REQUIRES_ACTION, approved ? CHARGE_AUTHORISED : CHARGE_DECLINED,
                &charge);
}

const struct provider sandbox_provider = {
    .name = "sandbox",
    .action_life_s = ACTION_LIFE_S,
    .check_token = check_token,
    .check_amount = check_amount,
    .authorise = authorise,
    .find = find,
    .capture = capture,
    .cancel = cancel,
    .refund = refund,
};
