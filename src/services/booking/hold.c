/* booking/hold.c - what may be booked, and for how much: the rules of a hold, without I/O.
 *
 * They are told about the event as the catalog has it; hold_place.c admits an order only under
 * the very version of the event that it was priced by. How a request gets from here to there is
 * in hold_book.c. */

#include "services/booking/hold.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "platform/mail/mail.h"

/* --- The body --- */

static const struct json_field item_fields[] = {
    JSON_F_ID("ticket_type_id", struct hold_item, type, TICKET_TYPE_PREFIX, JSON_REQUIRED),
    JSON_F_I64("quantity", struct hold_item, quantity, 1, TICKET_TYPE_QUANTITY_MAX, JSON_REQUIRED),
    JSON_F_RAW("seats", struct hold_item, seats, JSON_NULLABLE),
};
static const struct json_shape item_shape = JSON_SHAPE(item_fields, struct hold_item);

static const struct json_field attendee_fields[] = {
    JSON_F_TEXT("name", struct hold_attendee, name, 1, 200, JSON_REQUIRED),
    JSON_F_TEXT("email", struct hold_attendee, email, 3, 254, JSON_NULLABLE),
};
static const struct json_shape attendee_shape = JSON_SHAPE(attendee_fields, struct hold_attendee);

static const struct json_field request_fields[] = {
    JSON_F_ID("event_id", struct hold_request, event, EVENT_PREFIX, JSON_REQUIRED),
    JSON_F_LIST("items", struct hold_request, items, item_count, &item_shape, 1, HOLD_ITEMS_MAX,
                JSON_REQUIRED),
    JSON_F_LIST("attendees", struct hold_request, attendees, attendee_count, &attendee_shape, 0,
                HOLD_ATTENDEES_MAX, JSON_NULLABLE),
    JSON_F_TEXT("code", struct hold_request, code, 1, 64, JSON_NULLABLE),
    JSON_F_OBJECT("redeem", struct hold_request, redeem, &redeem_shape, JSON_NULLABLE),
};
const struct json_shape hold_request_shape = JSON_SHAPE(request_fields, struct hold_request);

/* --- Rules: no I/O --- */

/* Notes a bad field of one element: "/items/3/seats". */
static err bad_element(struct call *call, const char *list, size_t index, const char *member,
                       const char *detail)
{
    const str pointer = arena_printf(call->arena, "/%s/%zu/%s", list, index, member);

    return call_invalid(call, arena_cstr(call->arena, pointer), "%s", detail);
}

static err check_items(struct call *call, const struct hold_request *asked)
{
    err e = ERR_OK;

    for (size_t i = 0; i < asked->item_count; i++) {
        const struct hold_item *item = &asked->items[i];

        if (item->seats.ptr != NULL)
            e = bad_element(call, "items", i, "seats",
                            "must be left out: the event has no numbered seats");
        for (size_t j = 0; j < i; j++)
            if (uuid_eq(asked->items[j].type.uuid, item->type.uuid))
                e = bad_element(call, "items", i, "ticket_type_id",
                                "is asked for already: all of a type go into one item");
    }
    return e;
}

static err check_attendees(struct call *call, const struct hold_request *asked)
{
    int64_t tickets = 0;
    err e = ERR_OK;

    for (size_t i = 0; i < asked->item_count; i++)
        tickets += asked->items[i].quantity;
    if ((int64_t)asked->attendee_count > tickets)
        e = call_invalid(call, "/attendees", "must be no more than there are tickets");
    for (size_t i = 0; i < asked->attendee_count; i++) {
        const str email = asked->attendees[i].email;

        if (email.ptr != NULL && mail_check_address(email) != ERR_OK)
            e = bad_element(call, "attendees", i, "email", "is not an e-mail address");
    }
    return e;
}

err hold_check(struct call *call, const struct hold_request *asked)
{
    err e = check_items(call, asked);
    const err attendees = check_attendees(call, asked);

    if (attendees != ERR_OK)
        e = attendees;
    if (asked->code.ptr != NULL)
        e = call_invalid(call, "/code", "must be left out: the event takes no discount codes");
    if (asked->redeem != NULL) {
        const err redeem = redeem_check(call, asked);

        e = redeem != ERR_OK ? redeem : e;
    }
    return e;
}

static bool sells_for(const struct caller *caller, const struct event *event)
{
    return caller->role == ROLE_ADMIN || uuid_eq(caller->vendor, event->vendor);
}

static err check_event(struct call *call, const struct event *event)
{
    if (event == NULL || (event->status == EVENT_DRAFT && !sells_for(&call->caller, event)))
        return call_explain(call, ERR_NOT_FOUND, "There is no such event.");
    if (event->status == EVENT_DRAFT)
        return call_explain(call, ERR_NOT_ON_SALE, "The event is not published.");
    if (event->status == EVENT_CANCELLED)
        return call_explain(call, ERR_NOT_ON_SALE, "The event is cancelled.");
    if (call->now_ms >= event->ends_at_ms)
        return call_explain(call, ERR_NOT_ON_SALE, "The event is over.");
    return ERR_OK;
}

static err too_much(struct call *call)
{
    return call_invalid(call, "/items", "must cost no more than 10^12 minor units");
}

static err price_item(struct call *call, const struct event *event,
                      const struct hold_request *asked, size_t index, struct order *order)
{
    const struct hold_item *item = &asked->items[index];
    const struct ticket_type *type = event_ticket_type(event, item->type);
    int64_t total = 0;

    if (type == NULL)
        return bad_element(call, "items", index, "ticket_type_id",
                           "is no ticket type of the event");
    if (!ticket_type_on_sale(event, type, call->now_ms))
        return call_explain(call, ERR_NOT_ON_SALE, "\"%.*s\" is not on sale.", STR_ARG(type->name));
    if (type->max_per_order != JSON_NULL && item->quantity > type->max_per_order)
        return call_explain(call, ERR_LIMIT_EXCEEDED,
                            "An order takes at most %" PRId64 " of \"%.*s\" (max_per_order).",
                            type->max_per_order, STR_ARG(type->name));
    if (!minor_multiply(type->price.minor, item->quantity, &total) ||
        !minor_add(order->total.minor, total, &order->total.minor) ||
        order->total.minor > MONEY_MINOR_MAX)
        return too_much(call);
    order->items[index] = (struct order_item){
        .type = item->type,
        .quantity = item->quantity,
        .unit_price_minor = type->price.minor,
        .money = {.ticket_type = item->type.uuid, .quantity = item->quantity, .face_minor = total},
    };
    return ERR_OK;
}

static int compare_items(const void *a, const void *b)
{
    return uuid_compare(((const struct order_item *)a)->type.uuid,
                        ((const struct order_item *)b)->type.uuid);
}

/* Fees and tax, and with them what it costs in all. */
err hold_price_all(struct call *call, const struct event *event, struct order *order)
{
    struct booking_money_line *lines = order_lines(call->arena, order);
    int64_t *rates_ppm = arena_new_array(call->arena, int64_t, order->item_count);

    for (size_t i = 0; i < order->item_count; i++)
        rates_ppm[i] = event_tax_rate(event, event_ticket_type(event, order->items[i].type));
    price_order(&event->rules, rates_ppm, lines, order->item_count);
    order->total.minor = 0;
    for (size_t i = 0; i < order->item_count; i++) {
        order->items[i].money = lines[i];
        order->total.minor += price_paid(&lines[i]);
    }
    return order->total.minor <= MONEY_MINOR_MAX ? ERR_OK : too_much(call);
}

err hold_price(struct call *call, const struct hold_request *asked, const struct event *event,
               struct order *order)
{
    TRY(check_event(call, event));
    order->event = event->id;
    order->event_version = event->version;
    order->total = (struct money){.minor = 0, .currency = event->currency};
    order->items = arena_new_array(call->arena, struct order_item, asked->item_count);
    order->item_count = asked->item_count;
    for (size_t i = 0; i < asked->item_count; i++)
        TRY(price_item(call, event, asked, i, order));

    if (order_ticket_quantity(order) > event->limits.per_order)
        return call_explain(call, ERR_LIMIT_EXCEEDED,
                            "An order takes at most %" PRId64 " tickets (limits.per_order).",
                            event->limits.per_order);
    /* One order for all: transactions that take several types then queue instead of deadlocking. */
    qsort(order->items, order->item_count, sizeof(*order->items), compare_items);
    return hold_price_all(call, event, order);
}

err hold_sold_out(struct call *call, const struct event *event, ticket_type_id id)
{
    const struct ticket_type *type = event_ticket_type(event, id);
    const str name = type != NULL ? type->name : STR("");

    return call_explain(call, ERR_SOLD_OUT, "There are not enough tickets \"%.*s\" left.",
                        STR_ARG(name));
}

str hold_attendees_json(struct call *call, const struct hold_request *asked)
{
    struct buf json = buf_in(call->arena, (size_t)4 * HOLD_BODY_SIZE_MAX);

    if (asked->attendee_count == 0)
        return STR_ABSENT;
    for (size_t i = 0; i < asked->attendee_count; i++) {
        buf_add_char(&json, i == 0 ? '[' : ',');
        json_write(&json, &attendee_shape, &asked->attendees[i]);
    }
    buf_add_char(&json, ']');
    return json.overflow ? STR_ABSENT : buf_str(&json);
}
