/* booking/availability_test.c - what can be bought, as GET and HEAD say it. */

#include "services/booking/availability.h"

#include "support/booking_node.h"
#include "support/test.h"

#define HOUR_MS INT64_C(3600000)

static struct answer ask(struct booking_node *node, const char *who, const char *method,
                         const char *event)
{
    const str path = arena_printf(node->arena, "/events/%s/tickets", event);
    const struct ask asked = {.who = who, .method = method, .path = arena_cstr(node->arena, path)};

    return booking_ask(node, node->arena, &asked);
}

TEST(availability_follows_the_sale)
{
    static const struct {
        enum event_status status;
        int64_t starts_in_ms;
        int64_t sales_start_in_ms;
        int64_t sales_end_in_ms;
        int64_t total;
        const char *expected;
        const char *available;
    } cases[] = {
        {EVENT_PUBLISHED, HOUR_MS,      0, 0,  5, "on_sale",     "5"},
        {EVENT_PUBLISHED, HOUR_MS,      0, 0,  0, "sold_out",    "0"},
        {EVENT_PUBLISHED, HOUR_MS,      1, 0,  5, "not_on_sale", "0"},
        {EVENT_PUBLISHED, HOUR_MS,      0, -1, 5, "not_on_sale", "0"},
        {EVENT_PUBLISHED, -HOUR_MS,     0, 0,  5, "on_sale",     "5"}, /* under way */
        {EVENT_PUBLISHED, -3 * HOUR_MS, 0, 0,  5, "ended",       "0"},
        {EVENT_CANCELLED, HOUR_MS,      0, 0,  5, "not_on_sale", "0"},
    };
    CLEANUP(booking_node_close) struct booking_node node;

    booking_node_open(&node, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct given_type type = {
            .name = "Standard",
            .price_minor = 100,
            .total = cases[i].total,
            .sales_start_ms = cases[i].sales_start_in_ms != 0
                                  ? BOOKING_NODE_START_MS + cases[i].sales_start_in_ms
                                  : 0,
            .sales_end_ms = cases[i].sales_end_in_ms != 0
                                ? BOOKING_NODE_START_MS + cases[i].sales_end_in_ms
                                : 0,
        };
        const struct given_event given = {
            .vendor = 1,
            .status = (int)cases[i].status,
            .starts_at_ms = BOOKING_NODE_START_MS + cases[i].starts_in_ms,
            .types = &type,
            .type_count = 1,
        };
        const struct known_event event = booking_add_event(&node, &given);
        const struct answer head = ask(&node, NULL, "HEAD", event.id_text);
        const struct answer got = ask(&node, NULL, "GET", event.id_text);

        CHECK_I64(200, head.status);
        CHECK_STR(cases[i].expected, answer_header(&head, "Tickets-Status"));
        CHECK_STR(cases[i].available, answer_header(&head, "Tickets-Available"));
        CHECK_I64(0, (int64_t)head.body.size);
        CHECK_I64(200, got.status);
        CHECK_STR(cases[i].expected, answer_header(&got, "Tickets-Status"));
        CHECK_STR(cases[i].expected, answer_at(node.arena, &got, "/ticket_types/0/status"));
        CHECK_I64(cases[i].total, answer_i64(node.arena, &got, "/ticket_types/0/available"));
    }
}

TEST(types_on_sale_are_summed_and_each_is_shown)
{
    static const struct given_type types[] = {
        {.name = "Early",
         .price_minor = 100,
         .total = 5,
         .sales_end_ms = BOOKING_NODE_START_MS - 1                              },
        {.name = "Standard", .price_minor = 200, .total = 7, .max_per_order = 4 },
        {.name = "VIP",      .price_minor = 900, .total = 2, .max_per_order = 20},
    };
    const struct given_event given = {
        .vendor = 1, .status = EVENT_PUBLISHED, .types = types, .type_count = 3};
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct answer got;

    booking_node_open(&node, NULL);
    event = booking_add_event(&node, &given);
    CHECK_STR("9", booking_available(&node, node.arena, &event));
    got = ask(&node, NULL, "GET", event.id_text);
    CHECK_STR(event.id_text, answer_at(node.arena, &got, "/event_id"));
    CHECK_STR(event.type_texts[1], answer_at(node.arena, &got, "/ticket_types/1/id"));
    CHECK_STR("Standard", answer_at(node.arena, &got, "/ticket_types/1/name"));
    CHECK_I64(200, answer_i64(node.arena, &got, "/ticket_types/1/price/amount"));
    CHECK_I64(7, answer_i64(node.arena, &got, "/ticket_types/1/total"));
    CHECK_I64(4, answer_i64(node.arena, &got, "/ticket_types/1/max_per_order"));
    CHECK_I64(10, answer_i64(node.arena, &got, "/ticket_types/2/max_per_order"));
    CHECK_STR("null", answer_at(node.arena, &got, "/ticket_types/1/sales_start"));
    CHECK_STR("2026-11-22T23:59:59.999Z", answer_at(node.arena, &got, "/ticket_types/0/sales_end"));
}

TEST(a_hold_is_in_the_next_answer_and_in_a_restarted_one)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 10, 100);
    for (int i = 1; i <= 10; i++) {
        const str key = arena_printf(node.arena, "key-%d", i);
        const str left = arena_printf(node.arena, "%d", 10 - i);
        const struct answer answer =
            booking_book(&node, node.arena, "customer-1", arena_cstr(node.arena, key), &event, 1);

        CHECK_I64(201, answer.status);
        CHECK_STR(arena_cstr(node.arena, left), booking_available(&node, node.arena, &event));
    }
    booking_node_restart(&node);
    CHECK_STR("0", booking_available(&node, node.arena, &event));
}

TEST(a_draft_is_for_its_vendor)
{
    static const struct {
        const char *who;
        int status;
    } cases[] = {
        {NULL,         404},
        {"customer-1", 404},
        {"vendor-2",   404},
        {"vendor-1",   200},
        {"admin-1",    200},
    };
    static const struct given_type type = {.name = "Standard", .price_minor = 100, .total = 5};
    const struct given_event given = {
        .vendor = 1, .status = EVENT_DRAFT, .types = &type, .type_count = 1};
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;

    booking_node_open(&node, NULL);
    event = booking_add_event(&node, &given);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_I64(cases[i].status, ask(&node, cases[i].who, "HEAD", event.id_text).status);
    CHECK_I64(404, ask(&node, NULL, "GET", "evt_01h455vb4pex5vsknk084sn02q").status);
    CHECK_I64(404, ask(&node, NULL, "HEAD", "nonsense").status);
}
