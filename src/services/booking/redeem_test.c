/* booking/redeem_test.c - what payment hears of orders and events where it is about points. */
#include "services/booking/redeem.h"

#include "services/payment/payment.h"

#include "support/booking_node.h"
#include "support/test.h"

TEST(an_orders_fate_follows_from_its_status)
{
    static const struct {
        enum order_status status;
        enum booking_fate fate;
    } cases[] = {
        {ORDER_HELD,               BOOKING_FATE_HELD },
        {ORDER_PENDING,            BOOKING_FATE_TAKEN},
        {ORDER_CONFIRMED,          BOOKING_FATE_TAKEN},
        {ORDER_PARTIALLY_REFUNDED, BOOKING_FATE_TAKEN},
        {ORDER_REFUNDED,           BOOKING_FATE_TAKEN},
        {ORDER_EXPIRED,            BOOKING_FATE_OVER },
        {ORDER_CANCELLED,          BOOKING_FATE_OVER },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_I64(cases[i].fate, redeem_fate(cases[i].status));
}

static int fate_of(struct booking_node *node, order_id order)
{
    CLEANUP(call_done) struct call call = {0};
    const struct booking_order_find in = {order};
    struct booking_fated fated = {0};

    booking_node_call(node, &call);
    CHECK_OK(booking_order_fate(&call, &in, &fated));
    return fated.fate;
}

TEST(an_order_that_was_never_held_has_a_fate_too)
{
    CLEANUP(booking_node_close) struct booking_node node;
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    order_id order = {{{1}}};

    booking_node_open(&node, NULL);
    const struct known_event event = booking_add_simple(&node, 10, 100);
    CHECK_I64(BOOKING_FATE_NONE, fate_of(&node, order));
    const struct answer held = booking_book(&node, arena, "customer-1", "a", &event, 2);
    CHECK(id_parse(ORDER_PREFIX, answer_at(arena, &held, "/order/id"), &order.uuid));
    CHECK_I64(BOOKING_FATE_HELD, fate_of(&node, order));
    booking_node_advance(&node, 601 * 1000);
    CHECK_I64(BOOKING_FATE_OVER, fate_of(&node, order));
}

TEST(what_is_kept_of_points_follows_the_tickets_that_are_kept)
{
    static const struct {
        int64_t points, discount_minor, kept_minor, keeps;
    } cases[] = {
        {301,             301,             301,             301            },
        {301,             301,             151,             151            },
        {301,             301,             0,               0              },
        {10,              3,               2,               7              },
        {10,              3,               1,               4              },
        {10,              0,               0,               10             },
        {MONEY_MINOR_MAX, MONEY_MINOR_MAX, MONEY_MINOR_MAX, MONEY_MINOR_MAX},
        {MONEY_MINOR_MAX, MONEY_MINOR_MAX, 1,               1              },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_I64(cases[i].keeps,
                  redeem_keeps(cases[i].points, cases[i].discount_minor, cases[i].kept_minor));
}

TEST(a_discount_is_split_and_a_free_ticket_is_one)
{
    const ticket_type_id types[] = {{{{1}}}, {{{2}}}};
    const struct redeem half = {.kind = REDEEM_DISCOUNT, .points = 500};
    const struct redeem free_one = {.kind = REDEEM_FREE_TICKET, .type = types[1]};

    for (int i = 0; i < 2; i++) {
        struct order_item items[2] = {
            {.type = types[0],
             .quantity = 3,
             .unit_price_minor = 100,
             .money = {.quantity = 3, .face_minor = 300}},
            {.type = types[1],
             .quantity = 2,
             .unit_price_minor = 350,
             .money = {.quantity = 2, .face_minor = 700}},
        };
        struct order order = {.items = items, .item_count = 2};
        const struct redeem *redeem = i == 0 ? &half : &free_one;

        CHECK_I64(i == 0 ? 1000 : 350, redeem_price(&order, redeem));
        redeem_discount(&order, redeem, i == 0 ? 500 : 350);
        CHECK_I64(i == 0 ? 150 : 0, items[0].money.discount_minor);
        CHECK_I64(350, items[1].money.discount_minor);
    }
}
