/* booking/order_news_test.c - every event about an order says the same things of it. */

#include "services/booking/order_news.h"

#include "support/booking_buy.h"
#include "support/test.h"

TEST(the_news_of_an_order_says_whose_it_is_and_what_it_cost)
{
    static const struct {
        struct order_said said;
        const char *expected; /* SQL on the payload p */
    } cases[] = {
        {{.reason = {NULL, 0}},
         "p NOT LIKE '%\"reason\"%' AND p NOT LIKE '%\"refund_id\"%' AND p NOT LIKE "
         "'%\"amount\":{%'"                                                                        },
        {{.reason = {"event_cancelled", 15}},           "p LIKE '%\"reason\":\"event_cancelled\"%'"},
        {{.refund = {{{1}}}, .amount = {500, {"EGP"}}},
         "p LIKE '%\"refund_id\":\"rf_%'"
         " AND p LIKE '%\"amount\":{\"amount\":500,\"currency\":\"EGP\"}%'"                        },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(booking_node_close) struct booking_node node;
        CLEANUP(call_done) struct call call = {0};
        CLEANUP(tx_rollback) struct tx tx = {0};
        const struct order order = {
            .id = {booking_user(3)},
            .user = booking_user(1),
            .event = {     booking_user(2)              },
            .total = { 25000,               {"EGP"}},
            .payment_method = STR("card"),
        };

        booking_node_open(&node, NULL);
        booking_node_call(&node, &call);
        CHECK_OK(tx_begin(&tx, node.booking->db));
        CHECK_OK(order_tell(&tx, &call, "order.something", &order, &cases[i].said));
        CHECK_OK(tx_commit(&tx));
        CHECK_I64(
            1, booking_told(&node, "order.something", id_format(ORDER_PREFIX, order.id.uuid).text));
        CHECK_I64(1, booking_told(&node, "order.something", id_format("usr", order.user).text));
        CHECK_I64(1, booking_told(&node, "order.something",
                                  id_format(EVENT_PREFIX, order.event.uuid).text));
        const str sql = arena_printf(
            node.arena,
            "SELECT count(*) FROM (SELECT payload AS p FROM outbox WHERE kind = 'order.something') "
            "o"
            " WHERE p LIKE '%%\"total\":{\"amount\":25000,%%' AND p LIKE '%%\"method\":\"card\"%%'"
            " AND %s",
            cases[i].expected);
        CHECK_I64(1, booking_i64(&node, sql.ptr));
    }
}
