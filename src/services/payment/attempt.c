/* payment/attempt.c - the row of an attempt and the moves that it may make.
 *
 * Each move is a transaction of its own, written before the step that it stands for is taken: what
 * a crash leaves behind is always a state from which somebody can go on. */
#include "services/payment/attempt.h"

#include <assert.h>

#include "services/payment/attempt.sql.h"
#include "services/payment/posting.h"
#include "services/payment/sale.h"

/* --- Rules: no I/O --- */

#define TO(state) (1u << ATTEMPT_##state)

bool attempt_may_become(enum attempt_state from, enum attempt_state to)
{
    static const unsigned may[ATTEMPT_STATES] = {
        [ATTEMPT_CREATED] = TO(AUTHORISING) | TO(CONFIRMING) | TO(ABORTING) | TO(REFERRED),
        [ATTEMPT_AUTHORISING] = TO(AUTHORISED) | TO(REQUIRES_ACTION) | TO(VOIDING) | TO(ABORTING),
        [ATTEMPT_REQUIRES_ACTION] = TO(AUTHORISED) | TO(VOIDING) | TO(ABORTING),
        [ATTEMPT_AUTHORISED] = TO(CAPTURING) | TO(VOIDING),
        [ATTEMPT_CONFIRMING] = TO(WAITING) | TO(CAPTURED) | TO(ABORTING),
        [ATTEMPT_CAPTURING] = TO(CAPTURED) | TO(ABORTING),
        [ATTEMPT_CAPTURED] = TO(SUCCEEDED) | TO(ABORTING),
        [ATTEMPT_VOIDING] = TO(VOIDED) | TO(CAPTURED),
        [ATTEMPT_ABORTING] = TO(FAILED),
        [ATTEMPT_WAITING] = TO(CAPTURED) | TO(VOIDED),
    };

    return (may[from] & (1u << to)) != 0;
}

bool attempt_is_over(enum attempt_state state)
{
    return state >= ATTEMPT_SUCCEEDED;
}

const char *attempt_status(enum attempt_state state)
{
    switch (state) {
    case ATTEMPT_SUCCEEDED:
        return "succeeded";
    case ATTEMPT_REQUIRES_ACTION:
        return "requires_action";
    case ATTEMPT_ABORTING:
    case ATTEMPT_FAILED:
    case ATTEMPT_VOIDING:
    case ATTEMPT_VOIDED:
    case ATTEMPT_REFERRED:
        return "failed";
    case ATTEMPT_CREATED:
    case ATTEMPT_AUTHORISING:
    case ATTEMPT_AUTHORISED:
    case ATTEMPT_CONFIRMING:
    case ATTEMPT_CAPTURING:
    case ATTEMPT_CAPTURED:
    case ATTEMPT_WAITING:
    case ATTEMPT_STATES:
        break;
    }
    return "pending";
}

str attempt_key(struct arena *arena, attempt_id id)
{
    return arena_printf(arena, "%s:authorise", id_format(PAYMENT_PREFIX, id.uuid).text);
}

/* --- Storage --- */

static void read_row(const struct rows *rows, struct attempt *ret)
{
    *ret = (struct attempt){
        .id = {row_uuid(rows, 0)},
        .order = {row_uuid(rows, 1)},
        .user = row_uuid(rows, 2),
        .event = row_uuid(rows, 3),
        .vendor = row_uuid(rows, 4),
        .method = row_text(rows, 5),
        .brand = row_text(rows, 6),
        .provider = row_text(rows, 7),
        .state = (enum attempt_state)row_i64(rows, 8),
        .failure = row_text(rows, 9),
        .redirect_url = row_text(rows, 10),
        .amount = {.minor = row_i64(rows, 11)},
        .refunded_minor = row_i64(rows, 13),
        .idem_key = row_text(rows, 14),
        .idem_digest = row_blob(rows, 15),
        .answer_status = (int)row_i64(rows, 16),
        .tries = (int)row_i64(rows, 17),
        .created_at_ms = row_i64(rows, 18),
        .answers_with = {row_uuid(rows, 19)},
        .lease_ms = row_i64(rows, 20),
        .hosted = row_i64(rows, 21) != 0,
        .brands = row_text(rows, 22),
    };
    (void)currency_parse(row_text(rows, 12),
                         &ret->amount.currency); /* absent until booking has priced it */
}

static err find_in(struct tx *tx, struct call *call, const struct sql *sql, struct args args,
                   struct attempt *ret)
{
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(rows_first(&rows, tx, sql, args, call->arena));
    read_row(&rows, ret);
    return rows_close(&rows);
}

static err find(struct call *call, const struct sql *sql, struct args args, struct attempt *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_read(&tx, call_db(call)));
    return find_in(&tx, call, sql, args, ret);
}

err attempt_find_in(struct tx *tx, struct call *call, attempt_id id, struct attempt *ret)
{
    return find_in(tx, call, &SQL_ATTEMPT_FIND, ARGS(UUID(id.uuid)), ret);
}

err attempt_find(struct call *call, attempt_id id, struct attempt *ret)
{
    return find(call, &SQL_ATTEMPT_FIND, ARGS(UUID(id.uuid)), ret);
}

err attempt_find_key(struct call *call, struct uuid user, str key, struct attempt *ret)
{
    return find(call, &SQL_ATTEMPT_FIND_KEY, ARGS(UUID(user), TEXT(key)), ret);
}

err attempt_paid_of(struct call *call, order_id order, struct attempt *ret)
{
    return find(call, &SQL_ATTEMPT_PAID_OF, ARGS(UUID(order.uuid)), ret);
}

err attempt_by_hand_of(struct call *call, order_id order, struct attempt *ret)
{
    return find(call, &SQL_ATTEMPT_BY_HAND_OF, ARGS(UUID(order.uuid)), ret);
}

/* One statement in a transaction of its own; how many rows it changed. */
static err change(struct call *call, const struct sql *sql, struct args args, int64_t *ret_count)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_exec_count(&tx, sql, args, ret_count));
    return tx_commit(&tx);
}

err attempt_insert(struct call *call, const struct attempt *attempt)
{
    int64_t count = 0;

    return change(call, &SQL_ATTEMPT_INSERT,
                  ARGS(UUID(attempt->id.uuid), UUID(attempt->order.uuid), UUID(attempt->user),
                       TEXT(attempt->method), TEXT(attempt->provider),
                       TEXT(attempt_key(call->arena, attempt->id)), I64(attempt->state), I64(0),
                       TEXT(STR("")), TEXT(attempt->idem_key), BLOB(attempt->idem_digest),
                       I64(attempt->lease_ms), I64(call->now_ms), I64(attempt->hosted)),
                  &count);
}

err attempt_remove(struct call *call, attempt_id id)
{
    int64_t count = 0;

    return change(call, &SQL_ATTEMPT_REMOVE, ARGS(UUID(id.uuid)), &count);
}

/* What booking has told with the answer that moves it. */
static err keep_sale(struct tx *tx, struct attempt *attempt)
{
    const struct sale sale = {attempt->timezone, attempt->lines, attempt->line_count};

    attempt->lines = NULL;
    attempt->line_count = 0;
    if (sale.lines == NULL)
        return ERR_OK;
    return attempt->state == ATTEMPT_SUCCEEDED ? sale_change(tx, attempt->id, &sale)
                                               : sale_keep(tx, attempt->id, &sale);
}

err attempt_move_in(struct tx *tx, struct call *call, struct attempt *attempt,
                    enum attempt_state to)
{
    int64_t count = 0;

    assert(attempt_may_become(attempt->state, to));
    TRY(db_exec_count(
        tx, &SQL_ATTEMPT_MOVE,
        ARGS(UUID(attempt->id.uuid), I64(attempt->state), I64(to), UUID_OR_NIL(attempt->event),
             UUID_OR_NIL(attempt->vendor), TEXT(attempt->brand), TEXT(attempt->failure),
             TEXT(attempt->redirect_url), I64(attempt->amount.minor),
             TEXT(str_of(attempt->amount.currency.code)), I64(call->now_ms + ATTEMPT_LEASE_MS),
             I64(call->now_ms), TEXT(attempt->brands)),
        &count));
    if (count == 0)
        return ERR_CONFLICT;
    attempt->state = to;
    attempt->lease_ms = call->now_ms + ATTEMPT_LEASE_MS;
    TRY(keep_sale(tx, attempt));
    /* Who pays by hand is taken down when it is known what was taken. */
    if (to == (attempt->provider.ptr != NULL ? ATTEMPT_CAPTURED : ATTEMPT_SUCCEEDED))
        return posting_paid(tx, call, attempt);
    return ERR_OK;
}

err attempt_move(struct call *call, struct attempt *attempt, enum attempt_state to)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct attempt moved = *attempt;

    TRY(tx_begin(&tx, call_db(call)));
    TRY(attempt_move_in(&tx, call, &moved, to));
    TRY(tx_commit(&tx));
    *attempt = moved;
    return ERR_OK;
}

err attempt_refer(struct call *call, struct attempt *attempt, attempt_id other)
{
    int64_t count = 0;

    assert(attempt_may_become(attempt->state, ATTEMPT_REFERRED));
    TRY(change(call, &SQL_ATTEMPT_REFER,
               ARGS(UUID(attempt->id.uuid), I64(attempt->state), I64(ATTEMPT_REFERRED),
                    UUID(other.uuid), I64(call->now_ms)),
               &count));
    if (count == 0)
        return ERR_CONFLICT;
    attempt->state = ATTEMPT_REFERRED;
    attempt->answers_with = other;
    return ERR_OK;
}

err attempt_look_again(struct call *call, const struct attempt *attempt, int64_t at_ms)
{
    int64_t count = 0;

    TRY(change(call, &SQL_ATTEMPT_LOOK_AGAIN,
               ARGS(UUID(attempt->id.uuid), I64(attempt->lease_ms), I64(at_ms)), &count));
    chore_wake(call->self, ATTEMPT_CHORE);
    return ERR_OK;
}

err attempt_look_now(struct call *call, attempt_id id)
{
    int64_t count = 0;

    TRY(change(call, &SQL_ATTEMPT_LOOK_NOW, ARGS(UUID(id.uuid), I64(call->now_ms)), &count));
    if (count > 0)
        chore_wake(call->self, ATTEMPT_CHORE);
    return ERR_OK;
}

err attempt_answered(struct call *call, struct attempt *attempt, int status)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t noted = 0;

    TRY(tx_begin(&tx, call_db(call)));
    TRY(db_get_i64(&tx, &SQL_ATTEMPT_ANSWERED, ARGS(UUID(attempt->id.uuid), I64(status)), &noted));
    TRY(tx_commit(&tx));
    attempt->answer_status = (int)noted;
    return ERR_OK;
}

err attempt_forget_key(struct call *call, attempt_id id)
{
    int64_t count = 0;

    return change(call, &SQL_ATTEMPT_FORGET_KEY, ARGS(UUID(id.uuid)), &count);
}

/* Which is due, and until when it is somebody's already. */
static err next_due(struct call *call, attempt_id *ret, int64_t *ret_next_ms)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(tx_read(&tx, call_db(call)));
    TRY(rows_first(&rows, &tx, &SQL_ATTEMPT_DUE, NO_ARGS, call->arena));
    ret->uuid = row_uuid(&rows, 0);
    *ret_next_ms = row_i64(&rows, 1);
    return rows_close(&rows);
}

err attempt_take_due(struct call *call, struct attempt *ret, int64_t *ret_next_ms)
{
    attempt_id id = {0};
    int64_t next_ms = CLOCK_NEVER_MS;
    int64_t count = 0;

    *ret_next_ms = CLOCK_NEVER_MS;
    while (count == 0) { /* until it is ours: who was faster has moved it out of the way */
        TRY(next_due(call, &id, &next_ms));
        if (next_ms > call->now_ms) {
            *ret_next_ms = next_ms;
            return ERR_NOT_FOUND;
        }
        TRY(change(call, &SQL_ATTEMPT_LEASE,
                   ARGS(UUID(id.uuid), I64(next_ms), I64(call->now_ms + ATTEMPT_LEASE_MS)),
                   &count));
    }
    return attempt_find(call, id, ret);
}

err attempt_forgo(struct tx *tx, struct call *call, order_id order)
{
    assert(attempt_may_become(ATTEMPT_WAITING, ATTEMPT_VOIDED) &&
           attempt_may_become(ATTEMPT_CONFIRMING, ATTEMPT_ABORTING));
    return db_exec(
        tx, &SQL_ATTEMPT_FORGO,
        ARGS(UUID(order.uuid), TEXT(str_of(err_name(ERR_TICKET_CANCELLED))), I64(call->now_ms)));
}

err attempt_all_due(struct call *call)
{
    int64_t count = 0;

    return change(call, &SQL_ATTEMPT_ALL_DUE, NO_ARGS, &count);
}
