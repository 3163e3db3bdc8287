/* payment/refund.c - refunds: reserved against the attempt first, then asked of the provider, again
 * and again until it answers.
 *
 * The attempt's refunded_minor is raised in the transaction that writes the refund, guarded by what
 * was captured: more than that can never be on its way. */
#include "services/payment/refund.h"

#include <assert.h>

#include "services/payment/attempt.sql.h"
#include "services/payment/drive.h"
#include "services/payment/ledger_adopt.h"
#include "services/payment/posting.h"
#include "services/payment/refund.sql.h"

enum { RETRY_MS = 60000, RETRY_MS_MAX = 3600000, DOUBLINGS_MAX = 6, LOOK_AGAIN_MS = 1000 };

struct refund {
    refund_id id;
    attempt_id attempt;
    int64_t amount_minor;
    int status;
    int tries;
};

/* --- Rules: no I/O --- */

int64_t refund_retry_ms(int64_t tries)
{
    const int64_t doublings = tries < 1 ? 0 : tries - 1 < DOUBLINGS_MAX ? tries - 1 : DOUBLINGS_MAX;
    const int64_t ms = (int64_t)RETRY_MS << doublings;

    return ms < RETRY_MS_MAX ? ms : RETRY_MS_MAX;
}

/* --- Storage --- */

static err find(struct call *call, refund_id id, struct refund *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(tx_read(&tx, call_db(call)));
    TRY(rows_first(&rows, &tx, &SQL_REFUND_FIND, ARGS(UUID(id.uuid)), call->arena));
    *ret = (struct refund){
        .id = id,
        .attempt = {row_uuid(&rows, 0)},
        .amount_minor = row_i64(&rows, 1),
        .status = (int)row_i64(&rows, 2),
        .tries = (int)row_i64(&rows, 3),
    };
    return rows_close(&rows);
}

/* Once for each id; *ret_new tells. */
static err insert(struct tx *tx, struct call *call, const struct payment_refund *in,
                  const struct attempt *attempt, bool *ret_new)
{
    int64_t inserted = 0;
    int64_t reserved = 0;

    TRY(db_exec_count(tx, &SQL_REFUND_INSERT,
                      ARGS(UUID(in->refund.uuid), UUID(attempt->id.uuid), UUID(in->order.uuid),
                           I64(in->amount.minor), TEXT(str_of(in->amount.currency.code)),
                           TEXT(in->reason), I64(call->now_ms + REFUND_LEASE_MS),
                           I64(call->now_ms)),
                      &inserted));
    *ret_new = inserted > 0;
    if (inserted == 0)
        return ERR_OK;
    TRY(db_exec_count(tx, &SQL_ATTEMPT_REFUND, ARGS(UUID(attempt->id.uuid), I64(in->amount.minor)),
                      &reserved));
    if (reserved == 0)
        return call_explain(call, ERR_NOT_REFUNDABLE, "more than what is left of the payment");
    const struct posting_refund refund = {in->refund, in->amount.minor, in->lines, in->line_count};
    return posting_refund_owed(tx, call, attempt, &refund);
}

static err reserve(struct call *call, const struct payment_refund *in,
                   const struct attempt *attempt)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    bool is_new = false;

    TRY(tx_begin(&tx, call_db(call)));
    TRY(insert(&tx, call, in, attempt, &is_new));
    if (!is_new)
        return ERR_OK; /* asked before: the caller finds it as it stands */
    TRY(tx_commit(&tx));
    chore_wake(call->self, REFUND_CHORE); /* in case that we do not come to it */
    return ERR_OK;
}

err refund_whole(struct call *call, struct attempt *attempt)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct attempt moved = *attempt;
    bool is_new = false;
    const struct payment_refund in = {
        .refund = {attempt->id.uuid},
        .order = attempt->order,
        .amount = attempt->amount,
        .reason = attempt->failure,
    };

    TRY(tx_begin(&tx, call_db(call)));
    TRY(attempt_move_in(&tx, call, &moved, ATTEMPT_SUCCEEDED));
    TRY(insert(&tx, call, &in, attempt, &is_new));
    TRY(tx_commit(&tx));
    attempt->state = moved.state;
    chore_wake(call->self, REFUND_CHORE);
    return ERR_OK;
}

/* The end of a refund, its effect on the attempt and the news of it, in one. */
static err end(struct call *call, const struct refund *refund, int status)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t ended = 0;

    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_exec_count(&tx, &SQL_REFUND_END, ARGS(UUID(refund->id.uuid), I64(status)), &ended));
    if (ended == 0)
        return ERR_OK;
    if (status == REFUND_FAILED)
        TRY(db_exec(&tx, &SQL_ATTEMPT_REFUND_UNDO,
                    ARGS(UUID(refund->attempt.uuid), I64(refund->amount_minor))));
    TRY((status == REFUND_SUCCEEDED ? posting_refund_paid : posting_refund_released)(
        &tx, call, refund->id, refund->attempt));
    TRY(outbox_add(&tx, call, status == REFUND_SUCCEEDED ? "refund.succeeded" : "refund.failed",
                   arena_printf(call->arena, "{\"refund_id\":\"%s\"}",
                                id_format(REFUND_PREFIX, refund->id.uuid).text)));
    TRY(tx_commit(&tx));
    outbox_wake(call->self);
    return ERR_OK;
}

/* --- Giving back --- */

static err note_failure(struct call *call, const struct refund *refund, err why)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_exec(&tx, &SQL_REFUND_FAILURE,
                ARGS(UUID(refund->id.uuid), TEXT(str_of(err_name(why))))));
    return tx_commit(&tx);
}

/* What was refused may be taken later (an account without cover, a provider's fault), so it is final
 * only once it was tried often enough. */
static err end_or_leave(struct call *call, struct refund *refund, err e)
{
    if (e != ERR_OK)
        TRY(note_failure(call, refund, e));
    if (err_status(e) >= 500)
        return e; /* nobody knows: it stays pending */
    if (e != ERR_OK && refund->tries < REFUND_TRIES_MAX)
        return e;
    const int status = e == ERR_OK ? REFUND_SUCCEEDED : REFUND_FAILED;
    TRY(end(call, refund, status));
    refund->status = status;
    return ERR_OK;
}

/* Cash and transfers are given back by the vendor's own hands, so they end at once. */
static err ask_provider(struct call *call, const struct refund *refund, enum refund_status *ret)
{
    struct attempt attempt = {0};

    *ret = REFUND_SUCCEEDED;
    TRY(attempt_find(call, refund->attempt, &attempt));
    if (attempt.provider.ptr == NULL)
        return ERR_OK;
    const struct provider *provider = provider_find(attempt.provider);
    const struct refund_request request = {
        .key = arena_str(call->arena, str_of(id_format(REFUND_PREFIX, refund->id.uuid).text)),
        .charge_key = attempt_key(call->arena, attempt.id),
        .amount = {refund->amount_minor, attempt.amount.currency},
    };
    assert(provider != NULL);
    return provider->refund(call, &request, ret);
}

static err give_back(struct call *call, struct refund *refund)
{
    enum refund_status status = REFUND_SUCCEEDED;
    err e = ask_provider(call, refund, &status);

    if (e == ERR_OK &&
        status == REFUND_PENDING) /* it is under way: looked at again, as it is asked again */
        return ERR_OK;
    if (e == ERR_OK && status == REFUND_FAILED)
        e = call_explain(call, ERR_NOT_REFUNDABLE, "the refund has come to nothing");
    return end_or_leave(call, refund, e);
}

static void give_back_or_leave(struct call *call, struct refund *refund)
{
    const err e = refund->status == REFUND_PENDING ? give_back(call, refund) : ERR_OK;

    if (e != ERR_OK)
        log_event(call->self->node->log, refund->tries < REFUND_TRIES_MAX ? LOG_WARN : LOG_ERROR,
                  "refund.unfinished",
                  LOG_CSTR("refund", id_format(REFUND_PREFIX, refund->id.uuid).text),
                  LOG_TEXT("request", call->request_id), LOG_TEXT("error", call_failure(call, e)),
                  LOG_I64("tries", refund->tries));
}

err refund_begin(struct call *call, const struct payment_refund *in, struct payment_refunded *ret)
{
    struct attempt attempt = {0};
    struct refund refund = {0};

    const err e = attempt_paid_of(call, in->order, &attempt);
    if (e == ERR_NOT_FOUND)
        return call_explain(call, ERR_NOT_REFUNDABLE, "nothing was paid for this order");
    TRY(e);
    if (attempt.state != ATTEMPT_SUCCEEDED) /* booking does not know yet that it is paid */
        return call_explain(call, ERR_UNAVAILABLE, "the payment is still being settled");
    if (in->amount.minor <= 0)
        return call_explain(call, ERR_NOT_REFUNDABLE, "there is nothing to give back");
    if (!currency_eq(in->amount.currency, attempt.amount.currency))
        return call_explain(call, ERR_NOT_REFUNDABLE, "it was paid in another currency");
    TRY(reserve(call, in, &attempt));
    TRY(find(call, in->refund, &refund));
    give_back_or_leave(call, &refund);
    ret->status = refund.status;
    return ERR_OK;
}

/* The failed one is pending again, and its money reserved. */
static err revive(struct call *call, struct refund *refund)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t revived = 0;
    int64_t reserved = 0;

    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_exec_count(&tx, &SQL_REFUND_REVIVE,
                      ARGS(UUID(refund->id.uuid), I64(call->now_ms + REFUND_LEASE_MS)), &revived));
    if (revived == 0)
        return ERR_CONFLICT;
    TRY(db_exec_count(&tx, &SQL_ATTEMPT_REFUND,
                      ARGS(UUID(refund->attempt.uuid), I64(refund->amount_minor)), &reserved));
    if (reserved == 0)
        return call_explain(call, ERR_NOT_REFUNDABLE, "more than what is left of the payment");
    TRY(posting_refund_revived(&tx, call, refund->id, refund->attempt));
    TRY(tx_commit(&tx));
    refund->status = REFUND_PENDING;
    refund->tries = 0;
    chore_wake(call->self, REFUND_CHORE);
    chore_wake(call->self, ADOPT_CHORE);
    return ERR_OK;
}

err refund_try_again(struct call *call, refund_id id, int *ret_status)
{
    struct refund refund = {0};

    TRY(find(call, id, &refund));
    if (refund.status == REFUND_SUCCEEDED)
        return call_explain(call, ERR_CONFLICT, "the money was given back already");
    if (refund.status == REFUND_FAILED)
        TRY(revive(call, &refund));
    give_back_or_leave(call, &refund);
    *ret_status = refund.status;
    return ERR_OK;
}

err refund_returned(struct call *call, refund_id id)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct refund refund = {0};
    int64_t returned = 0;

    TRY(find(call, id, &refund));
    if (refund.status == REFUND_FAILED)
        return ERR_OK;
    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_exec_count(&tx, &SQL_REFUND_RETURN,
                      ARGS(UUID(id.uuid), TEXT(str_of(err_name(ERR_NOT_REFUNDABLE)))), &returned));
    if (returned == 0)
        return call_explain(call, ERR_CONFLICT, "the money was not given back yet");
    TRY(db_exec(&tx, &SQL_ATTEMPT_REFUND_UNDO,
                ARGS(UUID(refund.attempt.uuid), I64(refund.amount_minor))));
    TRY(posting_refund_returned(&tx, call, id, refund.attempt));
    TRY(posting_refund_released(&tx, call, id, refund.attempt));
    TRY(outbox_add(&tx, call, "refund.failed",
                   arena_printf(call->arena, "{\"refund_id\":\"%s\"}",
                                id_format(REFUND_PREFIX, id.uuid).text)));
    TRY(tx_commit(&tx));
    outbox_wake(call->self);
    return ERR_OK;
}

/* Its money is on its way back again: nothing is said of it until that has come to an end. */
static err reopen(struct call *call, const struct refund *refund)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t reopened = 0;

    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_exec_count(&tx, &SQL_REFUND_REOPEN,
                      ARGS(UUID(refund->id.uuid), I64(REFUND_RETURN_TRIES), I64(call->now_ms),
                           TEXT(str_of(err_name(ERR_NOT_REFUNDABLE)))),
                      &reopened));
    if (reopened == 0)
        return ERR_OK;
    TRY(posting_refund_returned(&tx, call, refund->id, refund->attempt));
    TRY(tx_commit(&tx));
    log_event(call->self->node->log, LOG_WARN, "refund.failed_after_success",
              LOG_CSTR("refund", id_format(REFUND_PREFIX, refund->id.uuid).text),
              LOG_TEXT("request", call->request_id));
    chore_wake(call->self, REFUND_CHORE);
    return ERR_OK;
}

err refund_look(struct call *call, refund_id id)
{
    struct refund refund = {0};
    enum refund_status status = REFUND_SUCCEEDED;

    TRY(find(call, id, &refund));
    if (refund.status == REFUND_PENDING)
        give_back_or_leave(call, &refund);
    if (refund.status != REFUND_SUCCEEDED)
        return ERR_OK;
    const err e = ask_provider(call, &refund, &status);
    if (err_status(e) >= 500)
        return e;
    if (e == ERR_OK && status != REFUND_FAILED)
        return ERR_OK;
    return refund.tries + REFUND_RETURN_TRIES < REFUND_TRIES_MAX ? reopen(call, &refund)
                                                                 : refund_returned(call, id);
}

/* --- Chore --- */

/* ERR_NOT_FOUND: none is due yet, or another process has taken it just now. */
static err take_due(struct call *call, refund_id *ret, int64_t *ret_next_ms)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};
    int64_t taken = 0;

    TRY(tx_begin(&tx, call_db(call)));
    TRY(rows_first(&rows, &tx, &SQL_REFUND_DUE, NO_ARGS, call->arena));
    ret->uuid = row_uuid(&rows, 0);
    *ret_next_ms = row_i64(&rows, 1);
    const int64_t tries = row_i64(&rows, 2) + 1;
    TRY(rows_close(&rows));
    if (*ret_next_ms > call->now_ms)
        return ERR_NOT_FOUND;
    TRY(db_exec_count(
        &tx, &SQL_REFUND_LEASE,
        ARGS(UUID(ret->uuid), I64(*ret_next_ms), I64(call->now_ms + refund_retry_ms(tries))),
        &taken));
    TRY(tx_commit(&tx));
    if (taken > 0)
        return ERR_OK;
    *ret_next_ms = call->now_ms + LOOK_AGAIN_MS;
    return ERR_NOT_FOUND;
}

err refund_retry(struct call *call, int64_t *ret_next_ms)
{
    refund_id id = {0};
    struct refund refund = {0};
    err e = ERR_OK;

    *ret_next_ms = CLOCK_NEVER_MS;
    while (!chores_stopping(call->self) && (e = take_due(call, &id, ret_next_ms)) == ERR_OK) {
        TRY(find(call, id, &refund));
        give_back_or_leave(call, &refund);
        call_next(call);
        *ret_next_ms = CLOCK_NEVER_MS;
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}
