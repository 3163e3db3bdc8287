/* booking/order_lines.c - tells payment what an order was for, where it has not been told when the
 * order was paid: payments that are older than their ledger. */
#include "services/booking/booking.h"

#include "platform/zone/zone.h"
#include "services/booking/catalog.h"
#include "services/booking/order.h"
#include "services/booking/paying.h"
#include "services/booking/state.h"

static err read_order(struct call *call, order_id id, struct order *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_read(&tx, call_db(call)));
    return order_get(&tx, call, id, ret);
}

static str timezone_of(struct call *call, event_id id)
{
    CLEANUP(event_release_at)
    const struct event *event = catalog_find(booking_of(call)->catalog, id);

    return event != NULL ? arena_str(call->arena, event->timezone) : STR("UTC");
}

static err booking_order_lines_run(struct call *call, const struct booking_order_find *in,
                                   struct booking_order_lines_found *ret)
{
    struct order order = {0};

    TRY(read_order(call, in->order, &order));
    *ret = (struct booking_order_lines_found){
        .timezone = timezone_of(call, order.event),
        .lines = order_lines(call->arena, &order),
        .line_count = order.item_count,
    };
    return ERR_OK;
}

/* --- The wire form --- */

static const struct json_field found_fields[] = {
    JSON_F_TEXT("timezone", struct booking_order_lines_found, timezone, 1, ZONE_NAME_MAX,
                JSON_REQUIRED),
    JSON_F_LIST("lines", struct booking_order_lines_found, lines, line_count,
                &booking_money_line_shape, 0, BOOKING_LINES_MAX, JSON_REQUIRED),
};
static const struct json_shape found_shape =
    JSON_SHAPE(found_fields, struct booking_order_lines_found);

OP_DEFINE("booking", booking_order_lines, struct booking_order_find,
          struct booking_order_lines_found, &booking_order_find_shape, &found_shape);
