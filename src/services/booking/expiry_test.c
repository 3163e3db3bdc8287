/* booking/expiry_test.c - a hold ends with its time: its tickets are back, once, whatever else
 * goes on. */

#include "services/booking/expiry.h"

#include "services/booking/order.h"
#include "support/booking_node.h"
#include "support/test.h"

#define PRICE     INT64_C(25000)
#define MINUTE_MS INT64_C(60000)

static void book(struct booking_node *node, const char *who, const char *key,
                 const struct known_event *event, int64_t quantity)
{
    CHECK_I64(201, booking_book(node, node->arena, who, key, event, quantity).status);
}

TEST(an_expired_hold_gives_its_tickets_back)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 3, PRICE);
    book(&node, "customer-1", "a", &event, 3);
    booking_node_advance(&node, 10 * MINUTE_MS - 1);
    CHECK_STR("0", booking_available(&node, node.arena, &event));
    booking_node_advance(&node, 1);
    CHECK_STR("3", booking_available(&node, node.arena, &event));
    CHECK_I64(1, booking_i64(&node, "SELECT count(*) FROM order_state WHERE status = 3"));
    CHECK_I64(1, booking_i64(&node, "SELECT count(*) FROM outbox WHERE kind = 'order.expired'"));
    CHECK_I64(2,
              booking_i64(&node, "SELECT count(*) FROM outbox WHERE kind = 'inventory.changed'"));
    CHECK_I64(3, booking_i64(&node, "SELECT sum(quantity) FROM stock_ledger"));
    book(&node, "customer-2", "b", &event, 3);
    CHECK_STR("0", booking_available(&node, node.arena, &event));
}

TEST(an_expired_hold_is_released_once)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 3, PRICE);
    book(&node, "customer-1", "a", &event, 2);
    booking_node_advance(&node, 11 * MINUTE_MS);
    booking_node_advance(&node, 11 * MINUTE_MS);
    booking_node_restart(&node);
    booking_node_advance(&node, 11 * MINUTE_MS);
    CHECK_STR("3", booking_available(&node, node.arena, &event));
    CHECK_I64(1, booking_i64(&node, "SELECT count(*) FROM stock_ledger WHERE kind = 2"));
}

TEST(a_hold_that_is_being_paid_for_stays)
{
    static const struct {
        enum order_attempt state;
        const char *available;
    } cases[] = {
        {ATTEMPT_LIVE,      "0"},
        {ATTEMPT_CONFIRMED, "0"},
        {ATTEMPT_ABORTED,   "2"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(booking_node_close) struct booking_node node;
        struct known_event event;

        booking_node_open(&node, NULL);
        event = booking_add_simple(&node, 2, PRICE);
        book(&node, "customer-1", "a", &event, 2);
        booking_exec(
            &node, arena_cstr(node.arena,
                              arena_printf(node.arena, "UPDATE order_state SET attempt_state = %d",
                                           (int)cases[i].state)));
        booking_node_advance(&node, 20 * MINUTE_MS);
        CHECK_STR(cases[i].available, booking_available(&node, node.arena, &event));
    }
}

TEST(what_expires_counts_no_longer_against_the_limit)
{
    static const struct given_type type = {.name = "Standard", .price_minor = PRICE, .total = 100};
    const struct given_event given = {.vendor = 1,
                                      .status = EVENT_PUBLISHED,
                                      .limits = {.per_user = 4},
                                      .types = &type,
                                      .type_count = 1};
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;

    booking_node_open(&node, NULL);
    event = booking_add_event(&node, &given);
    book(&node, "customer-1", "a", &event, 3);
    booking_node_advance(&node, 5 * MINUTE_MS);
    book(&node, "customer-1", "b", &event, 1);
    CHECK_I64(409, booking_book(&node, node.arena, "customer-1", "c", &event, 1).status);
    booking_node_advance(&node, 5 * MINUTE_MS);
    CHECK_I64(409, booking_book(&node, node.arena, "customer-1", "d", &event, 4).status);
    book(&node, "customer-1", "e", &event, 3);
    CHECK_I64(4, booking_i64(&node, "SELECT quantity FROM event_buyer"));
}

TEST(many_holds_expire_in_bounded_writes)
{
    enum { HOLDS = 150 };
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, HOLDS, PRICE);
    for (int i = 0; i < HOLDS; i++) {
        const str who = arena_printf(node.arena, "customer-%d", i);

        book(&node, arena_cstr(node.arena, who), "a", &event, 1);
    }
    CHECK_STR("0", booking_available(&node, node.arena, &event));
    booking_node_advance(&node, 10 * MINUTE_MS);
    CHECK_STR("150", booking_available(&node, node.arena, &event));
    CHECK_I64(HOLDS,
              booking_i64(&node, "SELECT count(*) FROM outbox WHERE kind = 'order.expired'"));
    CHECK_I64(0, booking_i64(&node, "SELECT count(*) FROM order_state WHERE status = 0"));
}

TEST(the_time_of_a_hold_is_a_setting)
{
    static const char *const settings[] = {"booking.hold_ttl_s=30", NULL};
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;

    booking_node_open(&node, settings);
    event = booking_add_simple(&node, 1, PRICE);
    book(&node, "customer-1", "a", &event, 1);
    booking_node_advance(&node, INT64_C(30000));
    CHECK_STR("1", booking_available(&node, node.arena, &event));
}
