/* booking/settle_test.c - the vendor says that cash or a transfer has come. */

#include "services/booking/settle.h"

#include "services/booking/order.h"
#include "support/booking_buy.h"
#include "support/test.h"

#define PRICE INT64_C(25000)

static struct known_event event_by_hand(struct booking_node *node)
{
    const struct given_type type = {.name = "Standard", .price_minor = PRICE, .total = 100};
    const struct given_event given = {
        .vendor = 1, .status = EVENT_PUBLISHED, .types = &type, .type_count = 1, .by_hand = true};

    return booking_add_event(node, &given);
}

static struct answer settle(struct booking_node *node, const char *who, const char *order)
{
    return booking_send(node, who, "POST", NULL, "/orders/%s/settle", order);
}

TEST(money_by_hand_confirms_the_order)
{
    static const struct {
        const char *method;
        int before; /* tickets before the money has come */
        const char *told;
    } cases[] = {
        {"cash_on_arrival", 2, "order.paid"     },
        {"bank_transfer",   0, "order.confirmed"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(booking_node_close) struct booking_node node;
        struct known_event event;
        struct bought bought;
        struct answer answer;

        booking_node_open(&node, NULL);
        event = event_by_hand(&node);
        bought = booking_buy(&node, "customer-1", &event, 2, cases[i].method);
        CHECK_I64(cases[i].before, bought.count);
        CHECK_STR("pending",
                  str_of(booking_status(&node, "customer-1", "/orders/%s", bought.order)));
        CHECK_I64(1, booking_told(&node, "order.pending", bought.order));

        answer = settle(&node, "vendor-1", bought.order);
        CHECK_I64(200, answer.status);
        CHECK_STR("confirmed", answer_at(node.arena, &answer, "/order/status"));
        CHECK_STR("succeeded", answer_at(node.arena, &answer, "/order/payment/status"));
        CHECK(answer_at(node.arena, &answer, "/order/payment/due").ptr == NULL);
        CHECK_STR("valid", answer_at(node.arena, &answer, "/tickets/1/status"));
        CHECK(answer_at(node.arena, &answer, "/tickets/2").ptr == NULL);
        CHECK(answer_at(node.arena, &answer, "/tickets/0/code").ptr == NULL); /* the buyer's */
        CHECK_I64(1, booking_told(&node, cases[i].told, bought.order));

        answer = settle(&node, "vendor-1", bought.order);
        check_problem(node.arena, &answer, 409, "conflict");
        CHECK_STR("98", booking_available(&node, node.arena, &event));

        answer = booking_send(&node, "customer-1", "GET", NULL, "/tickets");
        CHECK(answer_at(node.arena, &answer, "/data/1/code").ptr != NULL);
        /* What was paid by hand is given back by hand. */
        const char *ticket = arena_cstr(node.arena, answer_at(node.arena, &answer, "/data/0/id"));
        answer = booking_send(&node, "customer-1", "DELETE", NULL, "/tickets/%s", ticket);
        CHECK_I64(PRICE, answer_i64(node.arena, &answer, "/refund/amount/amount"));
        CHECK_STR("succeeded", answer_at(node.arena, &answer, "/refund/status"));
        booking_check_audit(&node);
    }
}

TEST(only_who_sells_the_event_settles)
{
    static const struct {
        const char *who;
        int status;
    } cases[] = {
        {"customer-1", 403},
        {"customer-2", 403},
        {"vendor-2",   404},
        {NULL,         401},
        {"vendor-1",   200},
        {"admin-1",    200},
    };
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;

    booking_node_open(&node, NULL);
    event = event_by_hand(&node);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct bought bought = booking_buy(&node, "customer-1", &event, 1, "cash_on_arrival");

        CHECK_I64(cases[i].status, settle(&node, cases[i].who, bought.order).status);
    }
    CHECK_I64(404, settle(&node, "admin-1", "ord_01h455vb4pex5vsknk084sn02q").status);
    CHECK_I64(404, settle(&node, "admin-1", "1").status);
}

TEST(nothing_is_due_for_other_orders)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct bought bought;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = event_by_hand(&node);
    answer = settle(&node, "vendor-1", booking_hold(&node, "customer-1", &event, 1));
    check_problem(node.arena, &answer, 409, "conflict");
    bought = booking_buy(&node, "customer-1", &event, 1, "card");
    answer = settle(&node, "vendor-1", bought.order);
    check_problem(node.arena, &answer, 409, "conflict");
}

TEST(without_payment_nothing_can_be_settled_now)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct bought bought;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = event_by_hand(&node);
    bought = booking_buy(&node, "customer-1", &event, 1, "cash_on_arrival");
    node_find(node.node, "payment")->is_open = false;
    answer = settle(&node, "vendor-1", bought.order);
    check_problem(node.arena, &answer, 503, "unavailable");
    node_find(node.node, "payment")->is_open = true;
    CHECK_STR("pending", str_of(booking_status(&node, "customer-1", "/orders/%s", bought.order)));
    CHECK_I64(200, settle(&node, "vendor-1", bought.order).status);
}

/* What payment is told of a settled order, as often as it asks. */
static struct booking_settled settled_for(struct booking_node *node, struct call *call,
                                          const char *order_text)
{
    struct booking_settled settled = {0};
    struct order order = {0};
    order_id id = {0};

    booking_node_call(node, call);
    CHECK(id_parse(ORDER_PREFIX, str_of(order_text), &id.uuid));
    {
        CLEANUP(tx_rollback) struct tx tx = {0};

        CHECK_OK(tx_read(&tx, call_db(call)));
        CHECK_OK(order_get(&tx, call, id, &order));
    }
    const struct booking_settle in = {id, order.attempt};
    CHECK_OK(booking_settle(call, &in, &settled));
    return settled;
}

TEST(what_is_settled_is_what_was_due_then)
{
    CLEANUP(booking_node_close) struct booking_node node;
    CLEANUP(call_done) struct call call = {0};
    struct known_event event;
    struct bought bought;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = event_by_hand(&node);
    bought = booking_buy(&node, "customer-1", &event, 3, "cash_on_arrival");
    answer = booking_send(&node, "customer-1", "DELETE", NULL, "/tickets/%s", bought.tickets[0]);
    CHECK_I64(0, answer_i64(node.arena, &answer, "/refund/amount/amount"));
    answer = settle(&node, "vendor-1", bought.order);
    CHECK_I64(200, answer.status);
    /* A refund after that changes nothing of it. */
    answer = booking_send(&node, "customer-1", "DELETE", NULL, "/tickets/%s", bought.tickets[1]);
    CHECK_I64(PRICE, answer_i64(node.arena, &answer, "/refund/amount/amount"));

    const struct booking_settled settled = settled_for(&node, &call, bought.order);
    CHECK_I64(2 * PRICE, settled.paid.minor);
    CHECK_I64(1, (int64_t)settled.line_count);
    CHECK_I64(2, settled.lines[0].quantity);
    CHECK_I64(2 * PRICE, settled.lines[0].face_minor);
    CHECK(uuid_eq(event.types[0].uuid, settled.lines[0].ticket_type));
    booking_check_audit(&node);
}
