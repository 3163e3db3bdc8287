/* booking/redeem.c - pays with points: asks payment for them before the order is held, and says what
 * the order keeps of them later.
 *
 * Points are asked for before the desk, never in it: a batch waits for nobody. So an order that the
 * desk refuses has points reserved, and whoever hears the refusal releases them. */
#include "services/booking/redeem.h"

#include "services/booking/hold.h"
#include "services/booking/price.h"
#include "services/booking/redeem.sql.h"
#include "services/booking/ticket.h"
#include "services/payment/payment.h"

static const char *const kind_names[] = {"discount", "free_ticket", NULL};
static const struct json_field fields[] = {
    JSON_F_ENUM("kind", struct redeem, kind, kind_names, JSON_REQUIRED),
    JSON_F_I64("points", struct redeem, points, 1, MONEY_MINOR_MAX, JSON_OPTIONAL),
    JSON_F_ID("ticket_type_id", struct redeem, type, TICKET_TYPE_PREFIX, JSON_OPTIONAL),
};
const struct json_shape redeem_shape = JSON_SHAPE(fields, struct redeem);

/* --- Rules: no I/O --- */

static bool is_asked_for(const struct hold_request *asked, ticket_type_id type)
{
    for (size_t i = 0; i < asked->item_count; i++)
        if (uuid_eq(asked->items[i].type.uuid, type.uuid))
            return true;
    return false;
}

err redeem_check(struct call *call, const struct hold_request *asked)
{
    const struct redeem *redeem = asked->redeem;
    const bool has_points = redeem->points != JSON_NULL;
    const bool has_type = !uuid_is_zero(redeem->type.uuid);
    err e = ERR_OK;

    if (redeem->kind == REDEEM_DISCOUNT && !has_points)
        e = call_invalid(call, "/redeem/points", "is required: how many points are to be spent");
    if (redeem->kind == REDEEM_DISCOUNT && has_type)
        e = call_invalid(call, "/redeem/ticket_type_id", "must be left out of a discount");
    if (redeem->kind == REDEEM_FREE_TICKET && has_points)
        e = call_invalid(call, "/redeem/points",
                         "must be left out: a free ticket costs what GET /loyalty-points says");
    if (redeem->kind == REDEEM_FREE_TICKET && !is_asked_for(asked, redeem->type))
        e = call_invalid(call, "/redeem/ticket_type_id", "must be of one of the items");
    return e;
}

int64_t redeem_price(const struct order *order, const struct redeem *redeem)
{
    int64_t sum = 0;

    for (size_t i = 0; i < order->item_count; i++) {
        if (redeem->kind == REDEEM_FREE_TICKET &&
            uuid_eq(order->items[i].type.uuid, redeem->type.uuid))
            return order->items[i].unit_price_minor;
        sum += order->items[i].money.face_minor - order->items[i].money.discount_minor;
    }
    return redeem->kind == REDEEM_FREE_TICKET ? 0 : sum;
}

void redeem_discount(struct order *order, const struct redeem *redeem, int64_t minor)
{
    struct booking_money_line lines[HOLD_ITEMS_MAX];

    for (size_t i = 0; i < order->item_count; i++) {
        lines[i] = order->items[i].money;
        if (redeem->kind == REDEEM_FREE_TICKET &&
            uuid_eq(order->items[i].type.uuid, redeem->type.uuid))
            lines[i].discount_minor += minor;
    }
    if (redeem->kind == REDEEM_DISCOUNT)
        price_discount(lines, order->item_count, minor);
    for (size_t i = 0; i < order->item_count; i++)
        order->items[i].money = lines[i];
}

int64_t redeem_keeps(int64_t points, int64_t discount_minor, int64_t kept_minor)
{
    const int64_t ended_minor = discount_minor - kept_minor;

    if (discount_minor <= 0)
        return points;
    return points - (int64_t)((__int128)points * ended_minor / discount_minor);
}

/* --- Payment's points --- */

err redeem_reserve(struct call *call, const struct event *event, const struct redeem *redeem,
                   struct order *order)
{
    struct payment_points_reserved reserved = {0};
    const struct payment_points_reserve in = {
        .order = order->id,
        .user = order->user,
        .vendor = event->vendor,
        .kind = redeem->kind,
        .points = redeem->kind == REDEEM_DISCOUNT ? redeem->points : JSON_NULL,
        .price = {redeem_price(order, redeem), order->total.currency},
        .expires_at_ms = order->expires_at_ms,
    };

    TRY(payment_points_reserve(call, &in, &reserved));
    redeem_discount(order, redeem, reserved.discount.minor);
    order->points = reserved.points;
    return hold_price_all(call, event, order);
}

void redeem_release(struct call *call, order_id order)
{
    const struct payment_points_release in = {order};
    struct payment_points_released released = {0};
    const err e = payment_points_release(call, &in, &released);

    if (e != ERR_OK) /* payment finds out by itself, later */
        log_event(call->self->node->log, LOG_WARN, "points.kept",
                  LOG_CSTR("order", id_format(ORDER_PREFIX, order.uuid).text),
                  LOG_CSTR("why", err_name(e)));
}

/* --- Storage --- */

err redeem_insert(struct tx *tx, const struct order *order)
{
    if (order->points == 0)
        return ERR_OK;
    return db_exec(tx, &SQL_REDEEM_INSERT, ARGS(UUID(order->id.uuid), I64(order->points)));
}

static int64_t discount_of(const struct order *order)
{
    int64_t sum = 0;

    for (size_t i = 0; i < order->item_count; i++)
        sum += order->items[i].money.discount_minor;
    return sum;
}

err redeem_get(struct tx *tx, struct order *order)
{
    if (discount_of(order) == 0)
        return ERR_OK;
    const err e = db_get_i64(tx, &SQL_REDEEM_POINTS, ARGS(UUID(order->id.uuid)), &order->points);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

err redeem_kept(struct tx *tx, struct call *call, const struct order *order, int64_t *ret_points)
{
    struct ticket *tickets = NULL;
    struct booking_money_line *money = NULL;
    int64_t kept_minor = 0;
    size_t count = 0;

    *ret_points = 0;
    if (order->points == 0)
        return ERR_OK;
    TRY(ticket_list_of_order(tx, call, order->id, &tickets, &count));
    TRY(ticket_money_of(tx, call, order->id, tickets, count, &money));
    for (size_t i = 0; i < count; i++)
        if (tickets[i].status == TICKET_VALID || tickets[i].status == TICKET_USED)
            kept_minor += money[i].discount_minor;
    *ret_points = redeem_keeps(order->points, discount_of(order), kept_minor);
    return ERR_OK;
}
