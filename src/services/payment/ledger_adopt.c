/* payment/ledger_adopt.c - takes payments from before the ledger into it, with what booking knows of
 * them.
 *
 * Fees and tax did not exist then, and which tickets a refund was of is not known here: one that was
 * not of everything is posted without ticket types. */
#include "services/payment/ledger_adopt.h"

#include "platform/node/node.h"
#include "services/payment/ledger_adopt.sql.h"
#include "services/payment/posting.h"

enum { ADOPT_BATCH = 100 };

struct adoptee {
    enum ledger_source source;
    struct uuid id;
    struct attempt attempt;
    struct booking_order_lines_found lines; /* of a payment */
};

err ledger_adopt_later(struct tx *tx, enum ledger_source source, struct uuid id)
{
    return db_exec(tx, &SQL_LEDGER_ADOPTION_INSERT, ARGS(I64(source), UUID(id)));
}

static err list(struct call *call, struct adoptee *adoptees, size_t *ret_count)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};

    *ret_count = 0;
    TRY(tx_read(&tx, call_db(call)));
    TRY(rows_open(&rows, &tx, &SQL_LEDGER_ADOPTION_LIST, ARGS(I64(ADOPT_BATCH)), call->arena));
    while (rows_next(&rows) && *ret_count < ADOPT_BATCH)
        adoptees[(*ret_count)++] = (struct adoptee){.source = (enum ledger_source)row_i64(&rows, 0),
                                                    .id = row_uuid(&rows, 1)};
    return rows_close(&rows);
}

/* What is not known any more is posted without lines. */
static err ask(struct call *call, struct adoptee *adoptee)
{
    if (adoptee->source != LEDGER_ATTEMPT)
        return ERR_OK;
    TRY(attempt_find(call, (attempt_id){adoptee->id}, &adoptee->attempt));
    const struct booking_order_find in = {adoptee->attempt.order};
    const err e = booking_order_lines(call, &in, &adoptee->lines);
    return err_status(e) >= 500 ? e : ERR_OK;
}

/* --- Posting, at the time when it happened --- */

static err adopt_payment(struct tx *tx, struct call *call, const struct adoptee *adoptee)
{
    const struct sale sale = {adoptee->lines.timezone, adoptee->lines.lines,
                              adoptee->lines.line_count};
    int64_t total_minor = 0;

    TRY(db_get_i64(tx, &SQL_LEDGER_ADOPT_PAID_AT, ARGS(UUID(adoptee->id)), &call->now_ms));
    const bool explains = posting_lines_total(sale.lines, sale.line_count, &total_minor) &&
                          total_minor == adoptee->attempt.amount.minor;
    const struct sale unexplained = {.timezone = sale.timezone};
    TRY(sale_keep(tx, adoptee->attempt.id, explains ? &sale : &unexplained));
    return posting_paid(tx, call, &adoptee->attempt);
}

static err adopt_refund(struct tx *tx, struct call *call, const struct adoptee *adoptee)
{
    CLEANUP(rows_done) struct rows rows = {0};
    const refund_id id = {adoptee->id};
    struct attempt attempt = {0};

    TRY(rows_first(&rows, tx, &SQL_LEDGER_ADOPT_REFUND, ARGS(UUID(id.uuid)), call->arena));
    const attempt_id of = {row_uuid(&rows, 0)};
    const struct posting_refund refund = {.id = id, .amount_minor = row_i64(&rows, 1)};
    const int64_t status = row_i64(&rows, 2);
    call->now_ms = row_i64(&rows, 3);
    TRY(rows_close(&rows));
    if (status == REFUND_FAILED)
        return ERR_OK;
    TRY(attempt_find_in(tx, call, of, &attempt));
    TRY(posting_refund_owed(tx, call, &attempt, &refund));
    return status == REFUND_SUCCEEDED ? posting_refund_paid(tx, call, id, of) : ERR_OK;
}

static err adopt(struct tx *tx, struct call *call, const struct adoptee *adoptee)
{
    const int64_t now_ms = call->now_ms;
    int64_t struck = 0;

    TRY(db_exec_count(tx, &SQL_LEDGER_ADOPTION_DELETE,
                      ARGS(I64(adoptee->source), UUID(adoptee->id)), &struck));
    if (struck == 0) /* another process was faster */
        return ERR_OK;
    const err e = adoptee->source == LEDGER_ATTEMPT ? adopt_payment(tx, call, adoptee)
                                                    : adopt_refund(tx, call, adoptee);
    call->now_ms = now_ms;
    return e;
}

static err adopt_some(struct call *call, size_t *ret_count)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct adoptee *adoptees = arena_new_array(call->arena, struct adoptee, ADOPT_BATCH);

    TRY(list(call, adoptees, ret_count));
    for (size_t i = 0; i < *ret_count; i++)
        TRY(ask(call, &adoptees[i]));
    TRY(tx_begin(&tx, call_db(call)));
    for (size_t i = 0; i < *ret_count; i++)
        TRY(adopt(&tx, call, &adoptees[i]));
    return tx_commit(&tx);
}

err ledger_adopt(struct call *call, int64_t *ret_next_ms)
{
    size_t count = ADOPT_BATCH;

    while (count == ADOPT_BATCH && !chores_stopping(call->self)) {
        TRY(adopt_some(call, &count));
        call_next(call);
    }
    *ret_next_ms = CLOCK_NEVER_MS; /* nothing old comes any more; a revived refund wakes it */
    return ERR_OK;
}
