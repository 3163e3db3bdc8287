/* payment/points_earn.c - moves what an order has earned to what it should have earned.
 *
 * The target is computed from the whole order each time, never from a difference, so what is
 * rounded away in one step comes back in the next: after a full refund nothing is left, and two
 * tickets of half a point each earn one. */
#include "services/payment/points_earn.h"

#include "services/payment/points_earn.sql.h"
#include "services/payment/points_vendor.h"
#include "services/payment/state.h"

struct earning {
    order_id order;
    struct uuid user;
    bool at_checkin;
    int64_t percent;
    int64_t paid_minor;
    int64_t refunded_minor;
    int64_t counted_minor;
    int64_t points;
    int64_t base;
    int64_t face_minor;
    int64_t admitted_minor;
};

static err get(struct tx *tx, struct call *call, order_id order, struct earning *ret)
{
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(rows_first(&rows, tx, &SQL_POINTS_EARNING_GET, ARGS(UUID(order.uuid)), call->arena));
    *ret = (struct earning){
        .order = order,
        .user = row_uuid(&rows, 0),
        .at_checkin = row_i64(&rows, 1) != 0,
        .percent = row_i64(&rows, 2),
        .paid_minor = row_i64(&rows, 3),
        .refunded_minor = row_i64(&rows, 4),
        .counted_minor = row_i64(&rows, 5),
        .points = row_i64(&rows, 6),
        .base = row_i64(&rows, 7),
        .face_minor = row_i64(&rows, 8),
        .admitted_minor = row_i64(&rows, 9),
    };
    return rows_close(&rows);
}

static int64_t at_most(int64_t number, int64_t most)
{
    return number < most ? number : most;
}

/* minor * part / whole, rounded down; what is free has no parts. */
static int64_t share_of(int64_t minor, int64_t part, int64_t whole)
{
    return whole > 0 ? (int64_t)((__int128)minor * part / whole) : 0;
}

/* Brings the account and the row to what `earning` says now. */
static err move(struct tx *tx, struct call *call, struct points_account *account,
                struct earning *earning, struct uuid source)
{
    const struct points_rules *rules = &payment_of(call)->points;
    const int64_t kept_minor = earning->paid_minor - earning->refunded_minor;
    const int64_t minor = at_most(earning->counted_minor, kept_minor > 0 ? kept_minor : 0);
    const int64_t points = points_for(rules, minor, earning->percent);
    const int64_t base = points_for(rules, minor, 100);
    const int64_t more = points - earning->points;
    const struct points_change change = {
        .source = source,
        .order = earning->order,
        .points = more > 0 ? more : -more,
        .base = more > 0 ? base - earning->base : earning->base - base,
        .expires_at_ms = points_end_ms(rules, call->now_ms),
    };

    if (more > 0)
        TRY(points_earn(tx, call, account, &change));
    if (more < 0)
        TRY(points_take_back(tx, call, account, &change));
    if (more != 0) {
        earning->points = points;
        earning->base = base;
    }
    return db_exec(tx, &SQL_POINTS_EARNING_SET,
                   ARGS(UUID(earning->order.uuid), I64(earning->refunded_minor),
                        I64(earning->counted_minor), I64(earning->points), I64(earning->base),
                        I64(earning->admitted_minor)));
}

/* Of the user's tier and the vendor's boosts, as they are now. */
static err find_percent(struct tx *tx, struct call *call, const struct points_order *order,
                        const struct points_vendor *vendor, int64_t *ret)
{
    const struct points_rules *rules = &payment_of(call)->points;
    int64_t earned = 0;

    TRY(points_earned_since(tx, order->user, call->now_ms - rules->window_ms, &earned));
    const struct points_tier *tier = &rules->tiers[points_tier_at(rules, earned)];
    *ret = tier->percent * points_boost_at(vendor, order->event, order->at_ms) / 100;
    return ERR_OK;
}

err points_earn_paid(struct tx *tx, struct call *call, const struct points_order *order)
{
    const struct points_rules *rules = &payment_of(call)->points;
    struct points_vendor vendor = {0};
    struct points_account account = {0};
    struct earning earning = {0};
    int64_t percent = 0;
    int64_t inserted = 0;

    if (rules->minor_per_point == 0 || order->paid.minor == 0 ||
        !points_takes_currency(rules, order->paid.currency))
        return ERR_OK;
    TRY(points_account_open(tx, call, order->user, &account));
    TRY(points_vendor_get(tx, call, order->vendor, &vendor));
    TRY(find_percent(tx, call, order, &vendor, &percent));
    const bool at_checkin = vendor.earn == POINTS_EARN_CHECKIN;
    TRY(db_exec_count(tx, &SQL_POINTS_EARNING_ADD,
                      ARGS(UUID(order->order.uuid), UUID(order->user), UUID(order->event.uuid),
                           I64(at_checkin), I64(percent), I64(order->paid.minor),
                           I64(at_checkin ? 0 : order->paid.minor), I64(order->until_ms),
                           I64(call->now_ms), I64(order->face_minor)),
                      &inserted));
    if (inserted == 0)
        return ERR_OK;
    TRY(get(tx, call, order->order, &earning));
    return move(tx, call, &account, &earning, order->order.uuid);
}

/* Its row, under the account's lock. ERR_NOT_FOUND: it earns nothing. */
static err open_account(struct tx *tx, struct call *call, order_id order, struct earning *ret,
                        struct points_account *ret_account)
{
    TRY(get(tx, call, order, ret));
    TRY(points_account_open(tx, call, ret->user, ret_account));
    return get(tx, call, order, ret);
}

err points_earn_refunded(struct tx *tx, struct call *call, order_id order, refund_id refund,
                         int64_t refunded_minor)
{
    struct points_account account = {0};
    struct earning earning = {0};
    const err e = open_account(tx, call, order, &earning, &account);

    if (e == ERR_NOT_FOUND)
        return ERR_OK;
    TRY(e);
    if (refunded_minor <= earning.refunded_minor)
        return ERR_OK;
    earning.refunded_minor = refunded_minor;
    return move(tx, call, &account, &earning, refund.uuid);
}

err points_earn_admitted(struct tx *tx, struct call *call, order_id order, ticket_id ticket,
                         int64_t price_minor)
{
    struct points_account account = {0};
    struct earning earning = {0};
    const err e = open_account(tx, call, order, &earning, &account);

    if (e == ERR_NOT_FOUND || (e == ERR_OK && !earning.at_checkin))
        return ERR_OK;
    TRY(e);
    earning.admitted_minor = at_most(earning.admitted_minor + price_minor, earning.face_minor);
    earning.counted_minor =
        share_of(earning.paid_minor, earning.admitted_minor, earning.face_minor);
    return move(tx, call, &account, &earning, ticket.uuid);
}
