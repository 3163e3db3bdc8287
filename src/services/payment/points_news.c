/* payment/points_news.c - hears what becomes of orders, and has points follow.
 *
 * News say how an order stands, not what has changed: given back in all, points kept in all. So
 * hearing one twice, or late, does no harm. */
#include "services/payment/points_news.h"

#include "services/payment/points_earn.h"
#include "services/payment/points_redeem.h"

struct news {
    order_id order;
    struct uuid user;
    event_id event;
    struct uuid vendor;
    int64_t until_ms;
    struct money total;
    struct money paid; /* no currency: all of it */
    int64_t face_minor;
    refund_id refund;
    int64_t refunded_minor; /* in all; JSON_NULL: unchanged */
    int64_t points_kept;    /* JSON_NULL: unchanged */
};
static const struct json_field fields[] = {
    JSON_F_ID("order_id", struct news, order, ORDER_PREFIX, JSON_REQUIRED),
    JSON_F_ID("user_id", struct news, user, "usr", JSON_REQUIRED),
    JSON_F_ID("event_id", struct news, event, EVENT_PREFIX, JSON_REQUIRED),
    JSON_F_ID("vendor_id", struct news, vendor, "vnd", JSON_OPTIONAL),
    JSON_F_TIME("event_ends_at", struct news, until_ms, JSON_OPTIONAL),
    JSON_F_MONEY("total", struct news, total, 0, MONEY_MINOR_MAX, JSON_REQUIRED),
    JSON_F_MONEY("paid", struct news, paid, 0, MONEY_MINOR_MAX, JSON_OPTIONAL),
    JSON_F_I64("face_minor", struct news, face_minor, 0, MONEY_MINOR_MAX, JSON_OPTIONAL),
    JSON_F_ID("refund_id", struct news, refund, REFUND_PREFIX, JSON_OPTIONAL),
    JSON_F_I64("refunded_minor", struct news, refunded_minor, 0, MONEY_MINOR_MAX, JSON_NULLABLE),
    JSON_F_I64("points_kept", struct news, points_kept, 0, POINTS_MAX, JSON_NULLABLE),
};
static const struct json_shape shape = JSON_SHAPE(fields, struct news);

static err paid(struct call *call, struct tx *tx, const struct feed_event *event,
                const struct news *news)
{
    const struct points_order order = {
        .order = news->order,
        .user = news->user,
        .vendor = news->vendor,
        .event = news->event,
        .paid = news->paid.currency.code[0] != '\0' ? news->paid : news->total,
        .face_minor = news->face_minor,
        .at_ms = event->at_ms,
        .until_ms = news->until_ms,
    };

    TRY(points_redeem_commit(tx, call, news->order));
    return points_earn_paid(tx, call, &order);
}

/* Whatever was reserved or redeemed and is not kept comes back. */
static err over(struct call *call, struct tx *tx, const struct news *news)
{
    const bool of_refund = !uuid_is_zero(news->refund.uuid);
    int64_t points = 0;

    TRY(points_redeem_release(tx, call, news->order, &points));
    if (news->points_kept == JSON_NULL)
        return ERR_OK;
    return points_redeem_keep(tx, call, news->order,
                              of_refund ? news->refund.uuid : news->order.uuid, news->points_kept);
}

static err refunded(struct call *call, struct tx *tx, const struct news *news)
{
    if (news->refunded_minor != JSON_NULL)
        TRY(points_earn_refunded(tx, call, news->order, news->refund, news->refunded_minor));
    if (news->points_kept == JSON_NULL)
        return ERR_OK;
    return points_redeem_keep(tx, call, news->order, news->refund.uuid, news->points_kept);
}

err points_follow_orders(struct call *call, struct tx *tx, const struct feed_event *event)
{
    struct news news = {
        .until_ms = POINTS_NEVER_MS, .refunded_minor = JSON_NULL, .points_kept = JSON_NULL};

    TRY(json_read(call->arena, event->payload, &shape, &news));
    if (str_eq(event->kind, STR("order.confirmed")) || str_eq(event->kind, STR("order.paid")))
        return paid(call, tx, event, &news);
    if (str_eq(event->kind, STR("order.pending")))
        return points_redeem_commit(tx, call, news.order);
    return str_eq(event->kind, STR("order.refunded")) ? refunded(call, tx, &news)
                                                      : over(call, tx, &news);
}

/* --- Tickets --- */

struct admitted {
    ticket_id ticket;
    order_id order;
    int64_t price_minor;
};
static const struct json_field admitted_fields[] = {
    JSON_F_ID("ticket_id", struct admitted, ticket, TICKET_PREFIX, JSON_REQUIRED),
    JSON_F_ID("order_id", struct admitted, order, ORDER_PREFIX, JSON_REQUIRED),
    JSON_F_I64("price_minor", struct admitted, price_minor, 0, MONEY_MINOR_MAX, JSON_OPTIONAL),
};
static const struct json_shape admitted_shape = JSON_SHAPE(admitted_fields, struct admitted);

err points_follow_tickets(struct call *call, struct tx *tx, const struct feed_event *event)
{
    struct admitted admitted = {0};

    TRY(json_read(call->arena, event->payload, &admitted_shape, &admitted));
    return points_earn_admitted(tx, call, admitted.order, admitted.ticket, admitted.price_minor);
}
