/* booking/demo_event_test.c - invented events are events that the API would take. */
#include "services/booking/demo_event.h"

#include "services/booking/state.h"
#include "support/booking_node.h"
#include "support/test.h"

enum { EVENTS = 200, NAME_POINTS_MAX = 200 };

static void check_types(const struct event *event)
{
    CHECK(event->ticket_type_count > 0 && event->ticket_type_count <= EVENT_TICKET_TYPES_MAX);
    for (size_t i = 0; i < event->ticket_type_count; i++) {
        const struct ticket_type *type = &event->ticket_types[i];

        CHECK(type->price.minor >= 0 && type->price.minor <= MONEY_MINOR_MAX);
        CHECK(type->total > 0 && type->total <= TICKET_TYPE_QUANTITY_MAX);
        for (size_t j = 0; j < i; j++)
            CHECK(!str_eq(type->name, event->ticket_types[j].name));
    }
}

TEST(invented_events_are_such_as_the_api_takes)
{
    CLEANUP(booking_node_close) struct booking_node node;
    CLEANUP(call_done) struct call call = {0};
    const struct uuid vendor = booking_vendor(1);
    const struct zone *zone = NULL;
    struct currency currency;

    booking_node_open(&node, NULL);
    booking_node_call(&node, &call);
    const struct booking_demo in = {.vendors = &vendor, .vendor_count = 1, .now_ms = call.now_ms};

    for (size_t i = 0; i < EVENTS; i++) {
        const struct event *event = demo_event(&call, node.arena, &in, i);

        CHECK(str_is_utf8(event->name) && str_code_points(event->name) <= NAME_POINTS_MAX);
        CHECK(str_is_utf8(event->artists[0].name));
        CHECK_OK(zone_find(booking_of(&call)->zones, event->timezone, &zone));
        CHECK(currency_parse(str_of(event->currency.code), &currency));
        CHECK(event->starts_at_ms < event->ends_at_ms);
        CHECK(event->online == (event->venue == NULL));
        check_types(event);
    }
}
