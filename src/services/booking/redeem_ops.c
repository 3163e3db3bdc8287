/* booking/redeem_ops.c - what payment asks about orders and events where it is about points. */
#include "services/booking/redeem.h"

#include "services/booking/catalog.h"
#include "services/booking/order.h"
#include "services/booking/paying.h"
#include "services/booking/redeem.sql.h"
#include "services/booking/state.h"

/* --- booking_order_fate --- */

enum booking_fate redeem_fate(enum order_status status)
{
    switch (status) {
    case ORDER_HELD:
        return BOOKING_FATE_HELD;
    case ORDER_EXPIRED:
    case ORDER_CANCELLED:
        return BOOKING_FATE_OVER;
    case ORDER_PENDING:
    case ORDER_CONFIRMED:
    case ORDER_REFUNDED:
    case ORDER_PARTIALLY_REFUNDED:
        return BOOKING_FATE_TAKEN;
    }
    return BOOKING_FATE_HELD; /* whatever it is: it is there, and somebody has to look */
}

static err booking_order_fate_run(struct call *call, const struct booking_order_find *in,
                                  struct booking_fated *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t status = 0;

    TRY(tx_read(&tx, call_db(call)));
    const err e = db_get_i64(&tx, &SQL_REDEEM_ORDER_STATUS, ARGS(UUID(in->order.uuid)), &status);
    if (e != ERR_OK && e != ERR_NOT_FOUND)
        return e;
    ret->fate = BOOKING_FATE_NONE;
    if (e == ERR_OK)
        ret->fate = (int)redeem_fate((enum order_status)status);
    return ERR_OK;
}

static const char *const fate_names[] = {"none", "held", "taken", "over", NULL};
static const struct json_field fated_fields[] = {
    JSON_F_ENUM("fate", struct booking_fated, fate, fate_names, JSON_REQUIRED),
};
static const struct json_shape fated_shape = JSON_SHAPE(fated_fields, struct booking_fated);
OP_DEFINE("booking", booking_order_fate, struct booking_order_find, struct booking_fated,
          &booking_order_find_shape, &fated_shape);

/* --- booking_redeemable --- */

static void list_types(struct call *call, const struct event *event,
                       struct booking_redeemables *ret)
{
    ret->types =
        arena_new_array(call->arena, struct booking_redeemable_type, event->ticket_type_count + 1);
    ret->type_count = event->ticket_type_count;
    for (size_t i = 0; i < event->ticket_type_count; i++) {
        const struct ticket_type *type = &event->ticket_types[i];

        ret->types[i] = (struct booking_redeemable_type){
            .ticket_type = type->id,
            .name = arena_str(call->arena, type->name),
            .price_minor = type->price.minor,
            .on_sale =
                event->status == EVENT_PUBLISHED && ticket_type_on_sale(event, type, call->now_ms),
        };
    }
}

static err booking_redeemable_run(struct call *call, const struct booking_redeemable *in,
                                  struct booking_redeemables *ret)
{
    CLEANUP(event_release_at)
    const struct event *event = catalog_find(booking_of(call)->catalog, in->event);

    if (event == NULL || event->status == EVENT_DRAFT)
        return ERR_NOT_FOUND;
    *ret = (struct booking_redeemables){
        .vendor = event->vendor, .zero = {.minor = 0, .currency = event->currency}
    };
    list_types(call, event, ret);
    return ERR_OK;
}

static const struct json_field in_fields[] = {
    JSON_F_ID("event", struct booking_redeemable, event, EVENT_PREFIX, JSON_REQUIRED),
};
static const struct json_shape in_shape = JSON_SHAPE(in_fields, struct booking_redeemable);
static const struct json_field type_fields[] = {
    JSON_F_ID("ticket_type", struct booking_redeemable_type, ticket_type, TICKET_TYPE_PREFIX,
              JSON_REQUIRED),
    JSON_F_TEXT("name", struct booking_redeemable_type, name, 0, 200, JSON_REQUIRED),
    JSON_F_I64("price_minor", struct booking_redeemable_type, price_minor, 0, MONEY_MINOR_MAX,
               JSON_REQUIRED),
    JSON_F_BOOL("on_sale", struct booking_redeemable_type, on_sale, JSON_REQUIRED),
};
static const struct json_shape type_shape = JSON_SHAPE(type_fields, struct booking_redeemable_type);
static const struct json_field ret_fields[] = {
    JSON_F_ID("vendor", struct booking_redeemables, vendor, "vnd", JSON_OPTIONAL),
    JSON_F_MONEY("zero", struct booking_redeemables, zero, 0, 0, JSON_REQUIRED),
    JSON_F_LIST("types", struct booking_redeemables, types, type_count, &type_shape, 0,
                EVENT_TICKET_TYPES_MAX, JSON_REQUIRED),
};
static const struct json_shape ret_shape = JSON_SHAPE(ret_fields, struct booking_redeemables);
OP_DEFINE("booking", booking_redeemable, struct booking_redeemable, struct booking_redeemables,
          &in_shape, &ret_shape);
