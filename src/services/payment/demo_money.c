/* payment/demo_money.c - writes what invented sales have left in the books: ours and the sandbox's, so that they agree. */
#include "services/payment/payment.h"

#include "services/payment/attempt.h"
#include "services/payment/demo_money.sql.h"
#include "services/payment/ledger_seal.h"
#include "services/payment/posting.h"
#include "services/payment/provider.h"
#include "services/payment/sandbox.sql.h"

static err write_charge(struct tx *tx, struct call *call, const struct booking_demo_sale *sale,
                        str key)
{
    const bool declined = sale->paid == DEMO_DECLINED;

    TRY(db_exec(tx, &SQL_DEMO_CHARGE_INSERT,
                ARGS(TEXT(key), I64(sale->amount.minor), TEXT(str_of(sale->amount.currency.code)),
                     TEXT(str_of(sale->brand)), I64(declined ? CHARGE_DECLINED : CHARGE_CAPTURED),
                     declined ? TEXT(STR("card_declined")) : NIL, I64(sale->at_ms),
                     I64(sale->refunded_minor))));
    if (sale->refunded_minor == 0)
        return ERR_OK;
    return db_exec(
        tx, &SQL_SANDBOX_REFUND_INSERT,
        ARGS(TEXT(arena_str(call->arena, str_of(id_format(REFUND_PREFIX, sale->refund.uuid).text))),
             TEXT(key), I64(sale->refunded_minor)));
}

/* In the ledger on the day when it was paid, and given back. */
static err write_ledger(struct tx *tx, struct call *call, const struct booking_demo_sale *sale,
                        bool by_card)
{
    const struct attempt attempt = {
        .id = sale->attempt,
        .event = sale->event.uuid,
        .vendor = sale->vendor,
        .method = str_of(sale->method),
        .provider = by_card ? STR("sandbox") : STR_ABSENT,
        .amount = sale->amount,
    };
    const struct sale lines = {sale->timezone, sale->lines, sale->line_count};
    const struct posting_refund refund = {sale->refund, sale->refunded_minor, sale->refund_lines,
                                          sale->refund_line_count};

    call->now_ms = sale->at_ms;
    TRY(sale_keep(tx, attempt.id, &lines));
    TRY(posting_paid(tx, call, &attempt));
    if (sale->refunded_minor == 0)
        return ERR_OK;
    TRY(posting_refund_owed(tx, call, &attempt, &refund));
    return posting_refund_paid(tx, call, sale->refund, attempt.id);
}

static err write_sale(struct tx *tx, struct call *call, const struct booking_demo_sale *sale)
{
    const bool by_card = str_eq(str_of(sale->method), STR("card"));
    const bool declined = sale->paid == DEMO_DECLINED;
    const enum attempt_state state = declined                     ? ATTEMPT_FAILED
                                     : sale->paid == DEMO_WAITING ? ATTEMPT_WAITING
                                                                  : ATTEMPT_SUCCEEDED;
    const str key = attempt_key(call->arena, sale->attempt);
    const str currency = str_of(sale->amount.currency.code);
    static const char digest[32];

    TRY(db_exec(
        tx, &SQL_DEMO_ATTEMPT_INSERT,
        ARGS(UUID(sale->attempt.uuid), UUID(sale->order.uuid), UUID(sale->user),
             UUID(sale->event.uuid), UUID(sale->vendor), TEXT(str_of(sale->method)),
             by_card ? TEXT(str_of(sale->brand)) : NIL, by_card ? TEXT(STR("sandbox")) : NIL,
             TEXT(key), I64(state), declined ? TEXT(STR("card_declined")) : NIL,
             I64(sale->amount.minor), TEXT(currency), I64(sale->refunded_minor), TEXT(key),
             BLOB(((str){digest, sizeof(digest)})), I64(declined ? 402 : 200), I64(sale->at_ms))));
    if (by_card)
        TRY(write_charge(tx, call, sale, key));
    if (sale->paid == DEMO_PAID)
        TRY(write_ledger(tx, call, sale, by_card));
    if (sale->refunded_minor == 0)
        return ERR_OK;
    return db_exec(tx, &SQL_DEMO_REFUND_INSERT,
                   ARGS(UUID(sale->refund.uuid), UUID(sale->attempt.uuid), UUID(sale->order.uuid),
                        I64(sale->refunded_minor), TEXT(currency), TEXT(STR("Cannot come.")),
                        I64(sale->at_ms)));
}

static err chain(struct call *call)
{
    int64_t count = SEAL_BATCH;

    while (count == SEAL_BATCH) {
        TRY(ledger_seal_some(call, SEAL_BATCH, &count));
        call_next(call);
    }
    return ERR_OK;
}

err payment_demo_write(struct call *call, const struct booking_demo_sale *sales, size_t count)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, call_db(call)));
    for (size_t i = 0; i < count; i++)
        TRY(write_sale(&tx, call, &sales[i]));
    TRY(tx_commit(&tx));
    call_next(call);
    return chain(call);
}
