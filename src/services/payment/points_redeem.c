/* payment/points_redeem.c - reserves points for orders, and follows what becomes of them.
 *
 * A reservation is known by its order's id, which booking chooses before it asks. What becomes of
 * the order is told by booking's news; whatever is reserved for longer than a hold lasts is held
 * against the order itself, so a crash between reservation and hold keeps nothing for good. All
 * changes are made under the account's lock. */
#include "services/payment/points_redeem.h"

#include <assert.h>
#include <inttypes.h>

#include "services/payment/points_redeem.sql.h"
#include "services/payment/points_vendor.h"
#include "services/payment/state.h"

enum {
    LOOK_AFTER_MS = 60 * 1000, /* behind the end of the hold: by then the news have come */
    LOOK_AGAIN_MS = 60 * 1000,
};

const char *const payment_redeem_names[] = {"discount", "free_ticket", NULL};

struct redemption {
    order_id order;
    struct uuid user;
    int64_t points;
    struct money discount;
    enum points_state state;
    int64_t returned;
};

/* --- Storage --- */

static err get(struct tx *tx, struct call *call, order_id order, struct redemption *ret)
{
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(rows_first(&rows, tx, &SQL_POINTS_REDEMPTION_GET, ARGS(UUID(order.uuid)), call->arena));
    *ret = (struct redemption){
        .order = order,
        .user = row_uuid(&rows, 0),
        .points = row_i64(&rows, 1),
        .discount = {.minor = row_i64(&rows, 2)},
        .state = (enum points_state)row_i64(&rows, 4),
        .returned = row_i64(&rows, 5),
    };
    if (!currency_parse(row_text(&rows, 3), &ret->discount.currency))
        return ERR_INTERNAL;
    return rows_close(&rows);
}

/* The redemption as it stands once its account is locked. ERR_NOT_FOUND. */
static err open_account(struct tx *tx, struct call *call, order_id order, struct redemption *ret,
                        struct points_account *ret_account)
{
    TRY(get(tx, call, order, ret));
    TRY(points_account_open(tx, call, ret->user, ret_account));
    return get(tx, call, order, ret);
}

static err end(struct tx *tx, const struct redemption *redemption, enum points_state state)
{
    int64_t changed = 0;

    TRY(db_exec_count(tx, &SQL_POINTS_REDEMPTION_END,
                      ARGS(UUID(redemption->order.uuid), I64(state)), &changed));
    return changed == 1 ? ERR_OK : ERR_INTERNAL; /* not what was read under the lock */
}

/* --- What becomes of it --- */

static struct points_change all_of(const struct redemption *redemption)
{
    return (struct points_change){
        .source = redemption->order.uuid, .order = redemption->order, .points = redemption->points};
}

err points_redeem_commit(struct tx *tx, struct call *call, order_id order)
{
    struct redemption redemption = {0};
    struct points_account account = {0};
    const err e = open_account(tx, call, order, &redemption, &account);

    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(e);
    if (redemption.state == POINTS_STATE_RELEASED) /* the order's discount was paid by nobody */
        log_event(call->self->node->log, LOG_ERROR, "points.lost",
                  LOG_CSTR("order", id_format(ORDER_PREFIX, order.uuid).text),
                  LOG_I64("points", redemption.points));
    if (redemption.state != POINTS_STATE_RESERVED)
        return ERR_OK;
    const struct points_change change = all_of(&redemption);
    TRY(points_commit(tx, call, &account, &change));
    return end(tx, &redemption, POINTS_STATE_REDEEMED);
}

err points_redeem_release(struct tx *tx, struct call *call, order_id order, int64_t *ret_points)
{
    struct redemption redemption = {0};
    struct points_account account = {0};
    const err e = open_account(tx, call, order, &redemption, &account);

    *ret_points = 0;
    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(e);
    if (redemption.state != POINTS_STATE_RESERVED)
        return ERR_OK;
    const struct points_change change = all_of(&redemption);
    TRY(points_release(tx, call, &account, &change));
    *ret_points = redemption.points;
    return end(tx, &redemption, POINTS_STATE_RELEASED);
}

err points_redeem_keep(struct tx *tx, struct call *call, order_id order, struct uuid source,
                       int64_t points_kept)
{
    struct redemption redemption = {0};
    struct points_account account = {0};
    const err e = open_account(tx, call, order, &redemption, &account);

    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(e);
    const int64_t back = redemption.points - points_kept - redemption.returned;
    if (redemption.state != POINTS_STATE_REDEEMED || back <= 0)
        return ERR_OK;
    const struct points_change change = {
        .source = source,
        .order = order,
        .points = back,
        .expires_at_ms = call->now_ms + payment_of(call)->points.grace_ms,
    };
    TRY(points_return(tx, call, &account, &change));
    return db_exec(tx, &SQL_POINTS_REDEMPTION_RETURN, ARGS(UUID(order.uuid), I64(back)));
}

/* --- payment_points_reserve --- */

/* How many points, and what they pay. */
static err price(struct call *call, const struct payment_points_reserve *in,
                 struct payment_points_reserved *ret)
{
    const struct points_rules *rules = &payment_of(call)->points;
    const enum payment_redeem kind = (enum payment_redeem)in->kind;

    if (rules->value_minor == 0 || !points_takes_currency(rules, in->price.currency))
        return call_explain(call, ERR_NOT_REDEEMABLE, "points are not taken for %s",
                            in->price.currency.code);
    const int64_t cost = points_cost(rules, kind, in->price.minor);
    if (cost == 0)
        return call_explain(call, ERR_NOT_REDEEMABLE, "there is nothing to pay with points");
    *ret = (struct payment_points_reserved){.points = cost, .discount = in->price};
    if (in->points == JSON_NULL || in->points >= cost)
        return ERR_OK;
    ret->discount.minor = points_worth(rules, kind, in->points);
    ret->points = in->points;
    if (ret->discount.minor > in->price.minor)
        ret->discount.minor = in->price.minor;
    return ret->discount.minor > 0
               ? ERR_OK
               : call_explain(call, ERR_NOT_REDEEMABLE, "so few points pay nothing");
}

static err insert(struct tx *tx, struct call *call, const struct payment_points_reserve *in,
                  const struct payment_points_reserved *reserved)
{
    const int64_t look_at_ms = in->expires_at_ms + LOOK_AFTER_MS;

    return db_exec(tx, &SQL_POINTS_REDEMPTION_ADD,
                   ARGS(UUID(in->order.uuid), UUID(in->user), I64(in->kind), I64(reserved->points),
                        I64(reserved->discount.minor),
                        TEXT(str_of(reserved->discount.currency.code)), I64(look_at_ms),
                        I64(call->now_ms)));
}

static err reserve(struct tx *tx, struct call *call, const struct payment_points_reserve *in,
                   struct payment_points_reserved *ret)
{
    struct points_account account = {0};
    struct redemption first = {0};

    TRY(points_account_open(tx, call, in->user, &account));
    const err e = get(tx, call, in->order, &first);
    if (e == ERR_OK) { /* asked before */
        *ret = (struct payment_points_reserved){first.points, first.discount};
        return first.state == POINTS_STATE_RESERVED && uuid_eq(first.user, in->user) ? ERR_OK
                                                                                     : ERR_CONFLICT;
    }
    if (e != ERR_NOT_FOUND)
        return e;
    const struct points_change change = {
        .source = in->order.uuid, .order = in->order, .points = ret->points};
    const err reserved = points_reserve(tx, call, &account, &change);
    if (reserved == ERR_INSUFFICIENT_POINTS)
        return call_explain(call, reserved, "%" PRId64 " points are needed, and you have %" PRId64,
                            ret->points, account.available);
    TRY(reserved);
    return insert(tx, call, in, ret);
}

static err payment_points_reserve_run(struct call *call, const struct payment_points_reserve *in,
                                      struct payment_points_reserved *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct points_vendor vendor = {0};

    TRY(price(call, in, ret));
    TRY(tx_begin(&tx, call_db(call)));
    TRY(points_vendor_get(&tx, call, in->vendor, &vendor));
    if (!vendor.redeem)
        return call_explain(call, ERR_NOT_REDEEMABLE, "the vendor takes no points");
    TRY(reserve(&tx, call, in, ret));
    TRY(tx_commit(&tx));
    chore_wake(call->self, POINTS_FATE_CHORE);
    return ERR_OK;
}

static const struct json_field reserve_fields[] = {
    JSON_F_ID("order", struct payment_points_reserve, order, ORDER_PREFIX, JSON_REQUIRED),
    JSON_F_ID("user", struct payment_points_reserve, user, "usr", JSON_REQUIRED),
    JSON_F_ID("vendor", struct payment_points_reserve, vendor, "vnd", JSON_OPTIONAL),
    JSON_F_ENUM("kind", struct payment_points_reserve, kind, payment_redeem_names, JSON_REQUIRED),
    JSON_F_I64("points", struct payment_points_reserve, points, 1, POINTS_MAX, JSON_NULLABLE),
    JSON_F_MONEY("price", struct payment_points_reserve, price, 0, MONEY_MINOR_MAX, JSON_REQUIRED),
    JSON_F_TIME("expires_at", struct payment_points_reserve, expires_at_ms, JSON_REQUIRED),
};
static const struct json_shape reserve_shape =
    JSON_SHAPE(reserve_fields, struct payment_points_reserve);
static const struct json_field reserved_fields[] = {
    JSON_F_I64("points", struct payment_points_reserved, points, 0, INT64_MAX, JSON_REQUIRED),
    JSON_F_MONEY("discount", struct payment_points_reserved, discount, 0, MONEY_MINOR_MAX,
                 JSON_REQUIRED),
};
static const struct json_shape reserved_shape =
    JSON_SHAPE(reserved_fields, struct payment_points_reserved);
OP_DEFINE("payment", payment_points_reserve, struct payment_points_reserve,
          struct payment_points_reserved, &reserve_shape, &reserved_shape);

/* --- payment_points_release --- */

static err payment_points_release_run(struct call *call, const struct payment_points_release *in,
                                      struct payment_points_released *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, call_db(call)));
    TRY(points_redeem_release(&tx, call, in->order, &ret->points));
    return tx_commit(&tx);
}

static const struct json_field release_fields[] = {
    JSON_F_ID("order", struct payment_points_release, order, ORDER_PREFIX, JSON_REQUIRED),
};
static const struct json_shape release_shape =
    JSON_SHAPE(release_fields, struct payment_points_release);
static const struct json_field released_fields[] = {
    JSON_F_I64("points", struct payment_points_released, points, 0, INT64_MAX, JSON_REQUIRED),
};
static const struct json_shape released_shape =
    JSON_SHAPE(released_fields, struct payment_points_released);
OP_DEFINE("payment", payment_points_release, struct payment_points_release,
          struct payment_points_released, &release_shape, &released_shape);

/* --- Chore --- */

/* ERR_NOT_FOUND: none is due; *ret_next_ms then says when. */
static err find_due(struct call *call, order_id *ret, int64_t *ret_next_ms)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};

    *ret_next_ms = CLOCK_NEVER_MS;
    TRY(tx_read(&tx, call_db(call)));
    TRY(rows_first(&rows, &tx, &SQL_POINTS_REDEMPTION_DUE, NO_ARGS, call->arena));
    ret->uuid = row_uuid(&rows, 0);
    *ret_next_ms = row_i64(&rows, 1);
    TRY(rows_close(&rows));
    return *ret_next_ms <= call->now_ms ? ERR_OK : ERR_NOT_FOUND;
}

static err settle(struct call *call, order_id order, enum booking_fate fate)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t points = 0;

    TRY(tx_begin(&tx, call_db(call)));
    if (fate == BOOKING_FATE_HELD)
        TRY(db_exec(&tx, &SQL_POINTS_REDEMPTION_LOOK,
                    ARGS(UUID(order.uuid), I64(call->now_ms + LOOK_AGAIN_MS))));
    else if (fate == BOOKING_FATE_TAKEN)
        TRY(points_redeem_commit(&tx, call, order));
    else
        TRY(points_redeem_release(&tx, call, order, &points));
    return tx_commit(&tx);
}

err points_redeem_settle(struct call *call, int64_t *ret_next_ms)
{
    order_id order = {0};
    err e = ERR_OK;

    while (!chores_stopping(call->self) && (e = find_due(call, &order, ret_next_ms)) == ERR_OK) {
        const struct booking_order_find in = {order};
        struct booking_fated fated = {0};

        TRY(booking_order_fate(call, &in, &fated));
        TRY(settle(call, order, (enum booking_fate)fated.fate));
        call_next(call);
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}
