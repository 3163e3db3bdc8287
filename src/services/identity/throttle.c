/* identity/throttle.c - counts failed sign-ins per address, in rows that survive a restart.
 *
 * An address that nobody has is counted like any other, so that the answers do not tell them apart.
 */
#include "services/identity/throttle.h"

#include "services/identity/throttle.sql.h"

/* --- Rules: no I/O --- */

int64_t throttle_delay_s(int64_t failures)
{
    const int64_t over = failures - THROTTLE_FREE;

    if (over < 0)
        return 0;
    return over >= 9 ? THROTTLE_DELAY_S_MAX : (INT64_C(1) << over);
}

/* --- Storage --- */

static struct value index_value(const uint8_t index[EMAIL_INDEX_SIZE])
{
    return BLOB(((str){(const char *)index, EMAIL_INDEX_SIZE}));
}

err throttle_check(struct call *call, const uint8_t index[EMAIL_INDEX_SIZE])
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t until_ms = 0;

    TRY(tx_read(&tx, call_db(call)));
    const err e = db_get_i64(&tx, &SQL_THROTTLE_FIND, ARGS(index_value(index)), &until_ms);
    if (e != ERR_OK && e != ERR_NOT_FOUND)
        return e;
    if (e == ERR_NOT_FOUND || until_ms <= call->now_ms)
        return ERR_OK;
    call->problem.retry_after_s = (int)((until_ms - call->now_ms + 999) / 1000);
    return call_explain(call, ERR_RATE_LIMITED,
                        "too many failed sign-ins for this address; try again in %d s",
                        call->problem.retry_after_s);
}

err throttle_fail(struct call *call, const uint8_t index[EMAIL_INDEX_SIZE])
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t failures = 0;

    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_get_i64(&tx, &SQL_THROTTLE_FAIL, ARGS(index_value(index), I64(call->now_ms)),
                   &failures));
    const int64_t delay_s = throttle_delay_s(failures);
    if (delay_s > 0)
        TRY(db_exec(&tx, &SQL_THROTTLE_BLOCK,
                    ARGS(index_value(index), I64(call->now_ms + delay_s * 1000))));
    return tx_commit(&tx);
}

err throttle_clear(struct call *call, const uint8_t index[EMAIL_INDEX_SIZE])
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_exec(&tx, &SQL_THROTTLE_CLEAR, ARGS(index_value(index))));
    return tx_commit(&tx);
}

err throttle_forget(struct call *call, int64_t *ret_count)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_exec_count(
        &tx, &SQL_THROTTLE_FORGET,
        ARGS(I64(call->now_ms - THROTTLE_MEMORY_S * INT64_C(1000)), I64(FORGET_AT_ONCE)),
        ret_count));
    return tx_commit(&tx);
}
