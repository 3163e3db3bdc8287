/* booking/order_news.c - writes "order.*" events.
 *
 * Whoever hears of an order (mails, points, sales figures) must not have to ask back for the
 * usual: who bought, at which event, for how much. So all kinds carry the same members, and a
 * consumer reads them with one shape. */
#include "services/booking/order_news.h"

struct order_news {
    order_id order;
    struct uuid user;
    event_id event;
    struct money total;
    str method;
    str reason;
    refund_id refund;
    struct money amount;
};
static const struct json_field fields[] = {
    JSON_F_ID("order_id", struct order_news, order, ORDER_PREFIX, JSON_REQUIRED),
    JSON_F_ID("user_id", struct order_news, user, "usr", JSON_REQUIRED),
    JSON_F_ID("event_id", struct order_news, event, EVENT_PREFIX, JSON_REQUIRED),
    JSON_F_MONEY("total", struct order_news, total, 0, MONEY_MINOR_MAX, JSON_REQUIRED),
    JSON_F_TOKEN("method", struct order_news, method, 0, 40, JSON_OPTIONAL),
    JSON_F_TOKEN("reason", struct order_news, reason, 0, 80, JSON_OPTIONAL),
    JSON_F_ID("refund_id", struct order_news, refund, REFUND_PREFIX, JSON_OPTIONAL),
    JSON_F_MONEY("amount", struct order_news, amount, 0, MONEY_MINOR_MAX, JSON_OPTIONAL),
};
static const struct json_shape shape = JSON_SHAPE(fields, struct order_news);

err order_tell(struct tx *tx, struct call *call, const char *kind, const struct order *order,
               const struct order_said *said)
{
    const struct order_news news = {
        .order = order->id,
        .user = order->user,
        .event = order->event,
        .total = order->total,
        .method = order->payment_method,
        .reason = said->reason,
        .refund = said->refund,
        .amount = said->amount,
    };

    return outbox_add(tx, call, kind, json_encode(call->arena, &shape, &news));
}
