/* booking/order_refund_test.c - what a refund does to its order, and that its money is given
 * back whatever happens. */

#include "services/booking/order_refund.h"

#include "support/booking_buy.h"
#include "support/test.h"

#define PRICE     INT64_C(25000)
#define SECOND_MS INT64_C(1000)

/* --- Rules --- */

TEST(an_order_without_tickets_is_refunded_or_cancelled)
{
    static const struct {
        enum order_status from;
        int64_t left;
        int64_t refunded_minor;
        enum order_status to;
    } cases[] = {
        {ORDER_PENDING,            1, 0,     ORDER_PENDING           },
        {ORDER_PENDING,            0, 0,     ORDER_CANCELLED         },
        {ORDER_CONFIRMED,          2, PRICE, ORDER_PARTIALLY_REFUNDED},
        {ORDER_CONFIRMED,          2, 0,     ORDER_CONFIRMED         }, /* they were free */
        {ORDER_CONFIRMED,          0, PRICE, ORDER_REFUNDED          },
        {ORDER_CONFIRMED,          0, 0,     ORDER_CANCELLED         },
        {ORDER_PARTIALLY_REFUNDED, 1, PRICE, ORDER_PARTIALLY_REFUNDED},
        {ORDER_PARTIALLY_REFUNDED, 0, PRICE, ORDER_REFUNDED          },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const enum order_status to =
            order_refund_leaves(cases[i].from, cases[i].left, cases[i].refunded_minor);

        CHECK_I64(cases[i].to, to);
        CHECK(to == cases[i].from || order_may_become(cases[i].from, to));
    }
}

/* --- Its money --- */

static void payment_is_down(struct booking_node *node, bool down)
{
    node_find(node->node, "payment")->is_open = !down;
}

static int64_t refund_status(struct booking_node *node)
{
    return booking_i64(node, "SELECT status FROM order_refund");
}

TEST(a_refund_waits_for_payment_to_come_back)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct bought bought;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 10, PRICE);
    bought = booking_buy(&node, "customer-1", &event, 2, "card");
    payment_is_down(&node, true);
    answer = booking_send(&node, "customer-1", "DELETE", NULL, "/tickets/%s", bought.tickets[0]);
    CHECK_I64(200, answer.status);
    CHECK_STR("pending", answer_at(node.arena, &answer, "/refund/status"));
    CHECK_I64(PRICE, answer_i64(node.arena, &answer, "/refund/amount/amount"));
    CHECK_STR("9", booking_available(&node, node.arena, &event)); /* before the answer */

    booking_node_advance(&node, GIVE_BACK_PATIENCE_MS);
    CHECK_I64(REFUND_PENDING, refund_status(&node));
    payment_is_down(&node, false);
    booking_node_advance(&node, SECOND_MS * GIVE_BACK_BACKOFF_S * 2);
    CHECK_I64(REFUND_SUCCEEDED, refund_status(&node));
    booking_check_audit(&node);
}

TEST(a_crash_before_payment_was_asked_loses_no_refund)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct bought bought;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 10, PRICE);
    bought = booking_buy(&node, "customer-1", &event, 1, "card");
    payment_is_down(&node, true);
    CHECK_I64(
        200,
        booking_send(&node, "customer-1", "DELETE", NULL, "/tickets/%s", bought.tickets[0]).status);
    payment_is_down(&node, false);
    booking_node_restart(&node);
    CHECK_I64(REFUND_PENDING, refund_status(&node));
    booking_node_advance(&node, GIVE_BACK_PATIENCE_MS);
    CHECK_I64(REFUND_SUCCEEDED, refund_status(&node));
    CHECK_STR("10", booking_available(&node, node.arena, &event));
}

/* Payment's outbox says how a refund ended. */
static void tell(struct booking_node *node, const char *kind, const char *refund)
{
    CLEANUP(call_done) struct call call = {0};
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct instance *payment = node_find(node->node, "payment");

    call_init(&call, payment, "test");
    CHECK_OK(tx_begin(&tx, payment->db));
    CHECK_OK(
        outbox_add(&tx, &call, kind, arena_printf(call.arena, "{\"refund_id\":\"%s\"}", refund)));
    CHECK_OK(tx_commit(&tx));
    outbox_wake(payment);
    node_run_due(node->node);
}

TEST(a_refund_ends_once_as_payment_says)
{
    static const struct {
        const char *first;
        const char *second;
        enum refund_status between;
        enum refund_status expected;
    } cases[] = {
        {"refund.succeeded", "refund.failed",    REFUND_SUCCEEDED, REFUND_SUCCEEDED},
        {"refund.failed",    "refund.succeeded", REFUND_FAILED,    REFUND_SUCCEEDED},
        {"refund.failed",    "refund.failed",    REFUND_FAILED,    REFUND_FAILED   },
        {"refund.succeeded", "refund.succeeded", REFUND_SUCCEEDED, REFUND_SUCCEEDED},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(booking_node_close) struct booking_node node;
        struct known_event event;
        struct bought bought;
        struct answer answer;
        const char *refund = NULL;

        booking_node_open(&node, NULL);
        event = booking_add_simple(&node, 10, PRICE);
        bought = booking_buy(&node, "customer-1", &event, 1, "card");
        payment_is_down(&node, true);
        answer =
            booking_send(&node, "customer-1", "DELETE", NULL, "/tickets/%s", bought.tickets[0]);
        refund = arena_cstr(node.arena, answer_at(node.arena, &answer, "/refund/id"));
        tell(&node, "refund.succeeded", "rf_01h455vb4pex5vsknk084sn02q"); /* not ours */
        CHECK_I64(REFUND_PENDING, refund_status(&node));
        tell(&node, cases[i].first, refund);
        CHECK_I64(cases[i].between, refund_status(&node));
        tell(&node, cases[i].second, refund);
        CHECK_I64(cases[i].expected, refund_status(&node));
        answer = booking_send(&node, "customer-1", "GET", NULL, "/orders/%s", bought.order);
        CHECK_STR(refund_status_names[cases[i].expected],
                  answer_at(node.arena, &answer, "/refunds/0/status"));
        CHECK_STR(refund, answer_at(node.arena, &answer, "/refunds/0/id"));
        CHECK_I64(PRICE, answer_i64(node.arena, &answer, "/refunds/0/amount/amount"));
        payment_is_down(&node, false);
    }
}
