/* booking/event_cancel_test.c - a cancelled event: nobody holds, promises or has a ticket any
 * more, and everybody has his money. */

#include "services/booking/event_cancel.h"

#include <pthread.h>
#include <string.h>

#include "services/booking/order.h"
#include "support/booking_buy.h"
#include "support/test.h"
#include "support/test_node.h"

#define PRICE     INT64_C(25000)
#define MINUTE_MS INT64_C(60000)

static struct known_event event_by_hand(struct booking_node *node)
{
    const struct given_type type = {.name = "Standard", .price_minor = PRICE, .total = 500};
    const struct given_event given = {.vendor = 1,
                                      .status = EVENT_PUBLISHED,
                                      .types = &type,
                                      .type_count = 1,
                                      .limits = {.per_user = 400},
                                      .by_hand = true};

    return booking_add_event(node, &given);
}

static void cancel(struct booking_node *node, const struct known_event *event)
{
    const struct answer answer =
        booking_send(node, "vendor-1", "DELETE", NULL, "/events/%s", event->id_text);

    CHECK_I64(202, answer.status);
    CHECK_STR("cancelled", answer_at(node->arena, &answer, "/status"));
    node_run_due(node->node);
}

static const char *order_status(struct booking_node *node, const char *order)
{
    return booking_status(node, "admin-1", "/orders/%s", order);
}

TEST(every_order_of_a_cancelled_event_ends)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct known_event other;
    struct bought card;
    struct bought some;
    struct bought cash;
    struct bought transfer;
    struct bought elsewhere;
    const char *held = NULL;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = event_by_hand(&node);
    other = booking_add_simple(&node, 10, PRICE);
    held = booking_hold(&node, "customer-1", &event, 2);
    card = booking_buy(&node, "customer-1", &event, 3, "card");
    some = booking_buy(&node, "customer-1", &event, 2, "card");
    cash = booking_buy(&node, "customer-2", &event, 2, "cash_on_arrival");
    transfer = booking_buy(&node, "customer-2", &event, 2, "bank_transfer");
    elsewhere = booking_buy(&node, "customer-2", &other, 1, "card");
    CHECK_I64(
        200,
        booking_send(&node, "customer-1", "DELETE", NULL, "/tickets/%s", card.tickets[0]).status);
    booking_exec(&node,
                 "UPDATE ticket SET status = 1, used_at_ms = 1 WHERE id = (SELECT id FROM "
                 "ticket WHERE order_id = (SELECT order_id FROM ticket t JOIN order_state s "
                 "ON s.id = t.order_id WHERE s.status = 2 AND s.event_id = (SELECT event_id FROM "
                 "order_state WHERE status = 6) ORDER BY order_id DESC LIMIT 1) "
                 "ORDER BY id DESC LIMIT 1)");
    cancel(&node, &event);

    CHECK_STR("cancelled", str_of(order_status(&node, held)));
    CHECK_STR("refunded", str_of(order_status(&node, card.order)));
    CHECK_STR("partially_refunded", str_of(order_status(&node, some.order))); /* one was used */
    CHECK_STR("cancelled", str_of(order_status(&node, cash.order)));
    CHECK_STR("cancelled", str_of(order_status(&node, transfer.order)));
    CHECK_STR("confirmed", str_of(order_status(&node, elsewhere.order)));
    answer = booking_send(&node, "customer-1", "GET", NULL, "/orders/%s", card.order);
    CHECK_I64(3 * PRICE, answer_i64(node.arena, &answer, "/refunded/amount"));
    answer = booking_send(&node, "customer-1", "GET", NULL, "/orders/%s", some.order);
    CHECK_I64(PRICE, answer_i64(node.arena, &answer, "/refunded/amount"));
    CHECK_I64(0, booking_i64(&node, "SELECT count(*) FROM order_refund WHERE status <> 1"));
    CHECK_I64(499, booking_i64(&node, "SELECT max(remaining) FROM ticket_type_stock"));
    CHECK_I64(1, booking_i64(&node, "SELECT sum(quantity) FROM event_buyer"));
    const char *const told[] = {held, card.order, some.order, cash.order, transfer.order};
    for (size_t i = 0; i < sizeof(told) / sizeof(told[0]); i++)
        CHECK_I64(1, booking_told(&node, "order.cancelled", told[i]));
    CHECK_I64(5, booking_told(&node, "order.cancelled", "event_cancelled"));
    CHECK_I64(0, booking_i64(&node, "SELECT count(*) FROM job WHERE kind = 'cancel_event_orders'"));
    booking_check_audit(&node);
}

TEST(a_hold_whose_time_was_over_expires)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    const char *order = NULL;

    booking_node_open(&node, NULL);
    event = event_by_hand(&node);
    order = booking_hold(&node, "customer-1", &event, 2);
    booking_exec(&node, "UPDATE order_state SET expires_at_ms = 1");
    cancel(&node, &event);
    CHECK_STR("expired", str_of(order_status(&node, order)));
    CHECK_I64(1, booking_told(&node, "order.expired", order));
    CHECK_I64(0, booking_told(&node, "order.cancelled", order));
    booking_check_audit(&node);
}

TEST(many_orders_end_job_by_job)
{
    enum { ORDERS = 2 * EVENT_CANCEL_ORDERS + 7 };
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;

    booking_node_open(&node, NULL);
    event = event_by_hand(&node);
    for (int i = 0; i < ORDERS; i++)
        (void)booking_buy(&node, "customer-1", &event, 1, i % 3 == 0 ? "card" : "cash_on_arrival");
    cancel(&node, &event);
    CHECK_I64(ORDERS,
              booking_i64(&node, "SELECT count(*) FROM order_state WHERE status IN (4, 5)"));
    CHECK_I64(500, booking_i64(&node, "SELECT remaining FROM ticket_type_stock"));
    CHECK_I64(0, booking_i64(&node, "SELECT count(*) FROM order_refund WHERE status <> 1"));
    CHECK_I64(ORDERS, booking_told(&node, "order.cancelled", ""));
    CHECK_I64(0, booking_i64(&node, "SELECT count(*) FROM job"));
    booking_check_audit(&node);
}

TEST(a_crash_between_two_jobs_loses_no_order)
{
    enum { ORDERS = EVENT_CANCEL_ORDERS + 5 };
    CLEANUP(booking_node_close) struct booking_node node;
    CLEANUP(call_done) struct call call = {0};
    struct known_event event;

    booking_node_open(&node, NULL);
    event = event_by_hand(&node);
    for (int i = 0; i < ORDERS; i++)
        (void)booking_hold(&node, "customer-1", &event, 1);
    CHECK_I64(202,
              booking_send(&node, "vendor-1", "DELETE", NULL, "/events/%s", event.id_text).status);
    booking_node_call(&node, &call);
    const str payload = arena_printf(call.arena, "{\"event_id\":\"%s\"}", event.id_text);
    CHECK_OK(event_cancel_orders(&call, payload)); /* done, but its end was not written down */
    CHECK_I64(EVENT_CANCEL_ORDERS,
              booking_i64(&node, "SELECT count(*) FROM order_state WHERE status = 4"));
    booking_node_restart(&node);
    node_run_due(node.node);
    CHECK_I64(ORDERS, booking_i64(&node, "SELECT count(*) FROM order_state WHERE status = 4"));
    CHECK_I64(ORDERS, booking_told(&node, "order.cancelled", ""));
    CHECK_I64(0, booking_i64(&node, "SELECT count(*) FROM job"));
    booking_check_audit(&node);
}

/* The order's payment is between its tickets and its money. */
static void confirm(struct booking_node *node, order_id order, attempt_id attempt)
{
    CLEANUP(call_done) struct call call = {0};
    const struct booking_payment_begin begin = {order, attempt};
    const struct booking_confirm in = {order, attempt, BOOKING_CARD};
    struct booking_payment_begun begun = {0};
    struct booking_view view = {0};

    booking_node_call(node, &call);
    call.caller.role = ROLE_ADMIN;
    CHECK_OK(booking_payment_begin(&call, &begin, &begun));
    CHECK_OK(booking_confirm(&call, &in, &view));
}

TEST(money_that_is_on_its_way_is_waited_for)
{
    static const struct {
        bool settled;
        const char *status;
    } cases[] = {
        {true,  "refunded" },
        {false, "cancelled"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(booking_node_close) struct booking_node node;
        CLEANUP(call_done) struct call call = {0};
        const attempt_id attempt = {booking_user(99)};
        struct booking_view view = {0};
        struct known_event event;
        order_id id = {0};

        booking_node_open(&node, NULL);
        event = event_by_hand(&node);
        const char *order = booking_hold(&node, "customer-1", &event, 2);
        CHECK(id_parse(ORDER_PREFIX, str_of(order), &id.uuid));
        confirm(&node, id, attempt);
        cancel(&node, &event);
        CHECK_STR("held", str_of(order_status(&node, order)));
        booking_node_advance(&node, EVENT_CANCEL_AGAIN_MS);
        CHECK_STR("held", str_of(order_status(&node, order)));
        CHECK_I64(1, booking_i64(&node, "SELECT count(*) FROM job"));

        booking_node_call(&node, &call);
        if (cases[i].settled) {
            const struct booking_settle in = {id, attempt};

            struct booking_settled settled = {0};

            CHECK_OK(booking_settle(&call, &in, &settled));
        } else {
            const struct booking_payment_abort in = {id, attempt, STR("card_declined")};

            CHECK_OK(booking_payment_abort(&call, &in, &view));
        }
        booking_node_advance(&node, EVENT_CANCEL_AGAIN_MS);
        CHECK_STR(cases[i].status, str_of(order_status(&node, order)));
        CHECK_I64(500, booking_i64(&node, "SELECT remaining FROM ticket_type_stock"));
        CHECK_I64(
            0, booking_i64(&node, "SELECT count(*) FROM job WHERE kind = 'cancel_event_orders'"));
        booking_check_audit(&node);
    }
}

TEST(a_payment_that_had_begun_comes_to_nothing)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct answer answer;
    const char *order = NULL;

    booking_node_open(&node, NULL);
    event = event_by_hand(&node);
    order = booking_hold(&node, "customer-1", &event, 2);
    answer = booking_pay(&node, "customer-1", order, "card", "tok_3ds");
    CHECK_STR("requires_action", answer_at(node.arena, &answer, "/payment/status"));
    cancel(&node, &event);
    CHECK_STR("cancelled", str_of(order_status(&node, order)));
    answer = booking_pay(&node, "customer-1", order, "card", "tok_visa");
    CHECK(answer.status == 410 || answer.status == 200); /* the live attempt, or none any more */
    booking_node_advance(&node, 30 * MINUTE_MS);
    CHECK_STR("cancelled", str_of(order_status(&node, order)));
    CHECK_I64(0, booking_i64(&node, "SELECT count(*) FROM ticket"));
    CHECK_I64(500, booking_i64(&node, "SELECT remaining FROM ticket_type_stock"));
    booking_check_audit(&node);
}

/* --- Two instances --- */

static void *run_a_while(void *arg)
{
    for (int i = 0; i < 30; i++)
        booking_node_advance(arg, 1000);
    return NULL;
}

TEST(an_event_that_two_instances_cancel_is_given_back_once)
{
    enum { ORDERS = 40 };
    CLEANUP(booking_node_close) struct booking_node one;
    CLEANUP(booking_node_close) struct booking_node other;
    struct known_event event;
    pthread_t thread;

    booking_node_open(&one, NULL);
    event = event_by_hand(&one);
    for (int i = 0; i < ORDERS; i++)
        (void)booking_buy(&one, "customer-1", &event, 2, "card");
    booking_node_join(&other, &one, NULL);
    CHECK_I64(202,
              booking_send(&one, "vendor-1", "DELETE", NULL, "/events/%s", event.id_text).status);
    CHECK(pthread_create(&thread, NULL, run_a_while, &other) == 0);
    (void)run_a_while(&one);
    CHECK(pthread_join(thread, NULL) == 0);
    booking_node_advance(&one, 10 * MINUTE_MS); /* what the lease of the other one has left */

    CHECK_I64(ORDERS, booking_i64(&one, "SELECT count(*) FROM order_state WHERE status = 5"));
    CHECK_I64(ORDERS, booking_i64(&one, "SELECT count(*) FROM order_refund WHERE status = 1"));
    CHECK_I64(2 * ORDERS * PRICE, booking_i64(&one, "SELECT sum(amount_minor) FROM order_refund"));
    CHECK_I64(500, booking_i64(&one, "SELECT remaining FROM ticket_type_stock"));
    CHECK_I64(ORDERS, booking_told(&one, "order.cancelled", event.id_text));
    booking_check_audit(&one);
}

/* --- How far it is --- */

static struct answer progress(struct booking_node *node, const struct known_event *event)
{
    const struct answer answer =
        booking_send(node, "vendor-1", "GET", NULL, "/events/%s/cancellation", event->id_text);

    check_status(200, &answer);
    return answer;
}

static void check_progress(struct booking_node *node, const struct known_event *event,
                           const char *status, int64_t left, int64_t pending, int64_t succeeded)
{
    const struct answer answer = progress(node, event);

    CHECK_STR(status, answer_at(node->arena, &answer, "/status"));
    CHECK_I64(left, answer_i64(node->arena, &answer, "/orders_left"));
    CHECK_I64(pending, answer_i64(node->arena, &answer, "/refunds_pending"));
    CHECK_I64(succeeded, answer_i64(node->arena, &answer, "/refunds_succeeded"));
    CHECK_I64(0, answer_i64(node->arena, &answer, "/refunds_failed"));
    CHECK_I64((pending + succeeded) * PRICE,
              answer_i64(node->arena, &answer, "/to_give_back/amount"));
    CHECK_I64(succeeded * PRICE, answer_i64(node->arena, &answer, "/given_back/amount"));
}

static int64_t payment_i64(struct booking_node *node, const char *sql)
{
    const struct test_node payment = {node->config, node->dir, "payment", node->arena};

    return test_node_i64(&payment, sql);
}

/* At each point: after the event's row, after some orders, after all, while payment is away. */
TEST(a_crash_at_any_point_pays_everybody_back_once)
{
    enum { ORDERS = EVENT_CANCEL_ORDERS + 3 };
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;

    booking_node_open(&node, NULL);
    event = event_by_hand(&node);
    for (int i = 0; i < ORDERS; i++)
        (void)booking_buy(&node, "customer-1", &event, 1, "card");
    const struct bought own = booking_buy(&node, "customer-1", &event, 1, "card");
    CHECK_I64(
        200,
        booking_send(&node, "customer-1", "DELETE", NULL, "/tickets/%s", own.tickets[0]).status);
    CHECK_I64(404,
              booking_send(&node, "vendor-1", "GET", NULL, "/events/%s/cancellation", event.id_text)
                  .status);
    CHECK_I64(202,
              booking_send(&node, "vendor-1", "DELETE", NULL, "/events/%s", event.id_text).status);
    booking_node_restart(&node);
    check_progress(&node, &event, "running", ORDERS, 0, 0);

    for (int again = 0; again < 2; again++) { /* done, but its end was not written down */
        CLEANUP(call_done) struct call call = {0};

        booking_node_call(&node, &call);
        CHECK_OK(event_cancel_orders(
            &call, arena_printf(call.arena, "{\"event_id\":\"%s\"}", event.id_text)));
        booking_node_restart(&node);
        check_progress(&node, &event, "running", again == 0 ? ORDERS - EVENT_CANCEL_ORDERS : 0,
                       again == 0 ? EVENT_CANCEL_ORDERS : ORDERS, 0);
    }
    node_find(node.node, "payment")->is_open = false;
    node_run_due(node.node);
    check_progress(&node, &event, "running", 0, ORDERS, 0);
    node_find(node.node, "payment")->is_open = true;
    booking_node_restart(&node);
    booking_node_advance(&node, 10 * MINUTE_MS);
    check_progress(&node, &event, "done", 0, 0, ORDERS);
    booking_node_advance(&node, 60 * MINUTE_MS);
    check_progress(&node, &event, "done", 0, 0, ORDERS);

    CHECK_I64(ORDERS + 1, payment_i64(&node, "SELECT count(*) FROM sandbox_refund"));
    CHECK_I64(0, payment_i64(&node, "SELECT count(*) FROM sandbox_charge WHERE refunded_minor <> "
                                    "amount_minor"));
    CHECK_I64(ORDERS + 1, booking_i64(&node, "SELECT count(*) FROM order_refund"));
    CHECK_I64(0, booking_i64(&node, "SELECT count(*) FROM job"));
    booking_check_audit(&node);
}

TEST(how_far_it_is_the_vendor_knows)
{
    static const struct {
        const char *who;
        int status;
    } cases[] = {
        {"vendor-1",   200},
        {"admin-1",    200},
        {"vendor-2",   404},
        {"customer-1", 403},
        {NULL,         401},
    };
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;

    booking_node_open(&node, NULL);
    event = event_by_hand(&node);
    (void)booking_buy(&node, "customer-1", &event, 1, "cash_on_arrival");
    cancel(&node, &event);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_I64(cases[i].status, booking_send(&node, cases[i].who, "GET", NULL,
                                                "/events/%s/cancellation", event.id_text)
                                       .status);
    check_progress(&node, &event, "done", 0, 0, 0); /* nothing was paid */
}
