/* booking/order_news.c - writes "order.*" events.
 *
 * Whoever hears of an order (mails, points, sales figures) must not have to ask back for the
 * usual: who bought, at which event, for how much. So all kinds carry the same members, and a
 * consumer reads them with one shape. */
#include "services/booking/order_news.h"

#include "services/booking/catalog.h"
#include "services/booking/state.h"

struct order_news {
    order_id order;
    struct uuid user;
    event_id event;
    struct money total;
    str method;
    str reason;
    refund_id refund;
    struct money amount;
    struct uuid vendor; /* zero: the event is not there any more */
    int64_t ends_at_ms;
    struct money paid;
    int64_t face_minor;
    int64_t refunded_minor;
    int64_t points_kept;
    bool over;
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
    JSON_F_ID("vendor_id", struct order_news, vendor, "vnd", JSON_OPTIONAL),
    JSON_F_TIME("event_ends_at", struct order_news, ends_at_ms, JSON_OPTIONAL),
    JSON_F_MONEY("paid", struct order_news, paid, 0, MONEY_MINOR_MAX, JSON_OPTIONAL),
    JSON_F_I64("face_minor", struct order_news, face_minor, 0, MONEY_MINOR_MAX, JSON_OPTIONAL),
    JSON_F_I64("refunded_minor", struct order_news, refunded_minor, 0, MONEY_MINOR_MAX,
               JSON_OPTIONAL),
    JSON_F_I64("points_kept", struct order_news, points_kept, 0, MONEY_MINOR_MAX, JSON_OPTIONAL),
    JSON_F_BOOL("over", struct order_news, over, JSON_OPTIONAL),
};
static const struct json_shape shape = JSON_SHAPE(fields, struct order_news);

err order_tell(struct tx *tx, struct call *call, const char *kind, const struct order *order,
               const struct order_said *said)
{
    CLEANUP(event_release_at)
    const struct event *event = catalog_find(booking_of(call)->catalog, order->event);
    const bool settled = said->paid.currency.code[0] != '\0';
    const bool refunds = !uuid_is_zero(said->refund.uuid);
    struct order_news news = {
        .order = order->id,
        .user = order->user,
        .event = order->event,
        .total = order->total,
        .method = order->payment_method,
        .reason = said->reason,
        .refund = said->refund,
        .amount = said->amount,
        .ends_at_ms = JSON_NULL,
        .paid = said->paid,
        .face_minor = settled ? said->face_minor : JSON_NULL,
        .points_kept = order->points > 0 ? said->points_kept : JSON_NULL,
        .refunded_minor = refunds ? said->refunded_minor : JSON_NULL,
        .over = said->over,
    };

    if (event != NULL) {
        news.vendor = event->vendor;
        news.ends_at_ms = event->ends_at_ms;
    }
    return outbox_add(tx, call, kind, json_encode(call->arena, &shape, &news));
}

err order_tell_paid(struct tx *tx, struct call *call, const char *kind, const struct order *order,
                    const struct order_paid *paid)
{
    struct order_said said = {.paid = order->total};

    said.paid.minor = paid->minor;
    for (size_t i = 0; i < paid->line_count; i++)
        said.face_minor += paid->lines[i].face_minor;
    return order_tell(tx, call, kind, order, &said);
}
