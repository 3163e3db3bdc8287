/* booking/refund_test.c - who may give tickets back, until when, and what the answers say. */

#include "services/booking/refund.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "support/booking_buy.h"
#include "support/test.h"

#define PRICE INT64_C(25000)

/* --- Rules --- */

TEST(only_a_good_ticket_is_given_back)
{
    for (int status = TICKET_VALID; status <= TICKET_TRANSFERRED; status++) {
        CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
        struct call call = {.arena = arena};
        const struct ticket ticket = {.status = status};

        CHECK_ERR(status == TICKET_VALID ? ERR_OK : ERR_NOT_REFUNDABLE,
                  refund_check(&call, &ticket));
        CHECK((status == TICKET_VALID) == (call.problem.detail.ptr == NULL));
    }
}

/* --- Over HTTP --- */

static struct answer refund(struct booking_node *node, const char *who, const char *key,
                            const char *format, ...) __attribute__((format(printf, 4, 5)));

static struct answer refund(struct booking_node *node, const char *who, const char *key,
                            const char *format, ...)
{
    char body[1024];
    va_list args;

    va_start(args, format);
    CHECK(vsnprintf(body, sizeof(body), format, args) < (int)sizeof(body));
    va_end(args);
    const struct ask ask = {
        .who = who, .method = "POST", .path = "/tickets/refund", .key = key, .body = body};

    return booking_ask(node, node->arena, &ask);
}

static struct answer cancel(struct booking_node *node, const char *who, const char *ticket)
{
    return booking_send(node, who, "DELETE", NULL, "/tickets/%s", ticket);
}

static const char *order_status(struct booking_node *node, const char *order)
{
    return booking_status(node, "admin-1", "/orders/%s", order);
}

TEST(deleted_tickets_are_cancelled_and_paid_back_one_by_one)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct bought bought;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 10, PRICE);
    bought = booking_buy(&node, "customer-1", &event, 2, "card");

    answer = cancel(&node, "customer-1", bought.tickets[0]);
    CHECK_I64(200, answer.status);
    CHECK_STR(bought.tickets[0], answer_at(node.arena, &answer, "/ticket/id"));
    CHECK_STR("cancelled", answer_at(node.arena, &answer, "/ticket/status"));
    CHECK(answer_at(node.arena, &answer, "/ticket/code").ptr == NULL);
    CHECK_STR("succeeded", answer_at(node.arena, &answer, "/refund/status"));
    CHECK_I64(PRICE, answer_i64(node.arena, &answer, "/refund/amount/amount"));
    CHECK_STR("EGP", answer_at(node.arena, &answer, "/refund/amount/currency"));
    CHECK(str_starts(answer_at(node.arena, &answer, "/refund/id"), STR("rf_")));
    CHECK_STR("9", booking_available(&node, node.arena, &event));
    CHECK_STR("partially_refunded", str_of(order_status(&node, bought.order)));

    answer = cancel(&node, "customer-1", bought.tickets[0]);
    check_problem(node.arena, &answer, 409, "not_refundable");

    CHECK_I64(200, cancel(&node, "customer-1", bought.tickets[1]).status);
    CHECK_STR("refunded", str_of(order_status(&node, bought.order)));
    CHECK_STR("10", booking_available(&node, node.arena, &event));
    answer = booking_send(&node, "customer-1", "GET", NULL, "/orders/%s", bought.order);
    CHECK_I64(2 * PRICE, answer_i64(node.arena, &answer, "/refunded/amount"));
    CHECK_I64(2, booking_told(&node, "order.refunded", bought.order));
    CHECK_I64(2, booking_told(&node, "ticket.cancelled", bought.order));
    CHECK_I64(0, booking_told(&node, "order.cancelled", bought.order));
    booking_check_audit(&node);
}

TEST(a_refund_takes_some_tickets_or_the_whole_order)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct bought bought;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 10, PRICE);
    bought = booking_buy(&node, "customer-1", &event, 4, "card");
    answer = refund(&node, "customer-1", "a", "{\"ticket_ids\":[\"%s\",\"%s\"],\"reason\":\"ill\"}",
                    bought.tickets[2], bought.tickets[0]);
    CHECK_I64(200, answer.status);
    CHECK_I64(2 * PRICE, answer_i64(node.arena, &answer, "/refund/amount/amount"));
    CHECK_STR(bought.tickets[2], answer_at(node.arena, &answer, "/tickets/0/id"));
    CHECK_STR("refunded", answer_at(node.arena, &answer, "/tickets/0/status"));
    CHECK_STR("refunded", answer_at(node.arena, &answer, "/tickets/1/status"));
    CHECK(answer_at(node.arena, &answer, "/tickets/2").ptr == NULL);
    CHECK_STR("partially_refunded", str_of(order_status(&node, bought.order)));
    CHECK_I64(1, booking_i64(&node, "SELECT count(*) FROM order_refund WHERE reason = 'ill'"));

    /* All or none. */
    answer = refund(&node, "customer-1", "b", "{\"ticket_ids\":[\"%s\",\"%s\"]}", bought.tickets[1],
                    bought.tickets[0]);
    check_problem(node.arena, &answer, 409, "not_refundable");
    CHECK_STR("valid",
              str_of(booking_status(&node, "customer-1", "/tickets/%s", bought.tickets[1])));

    answer = refund(&node, "customer-1", "c", "{\"order_id\":\"%s\"}", bought.order);
    CHECK_I64(200, answer.status);
    CHECK_I64(2 * PRICE, answer_i64(node.arena, &answer, "/refund/amount/amount"));
    CHECK_STR("refunded", str_of(order_status(&node, bought.order)));
    CHECK_STR("10", booking_available(&node, node.arena, &event));
    answer = refund(&node, "customer-1", "d", "{\"order_id\":\"%s\"}", bought.order);
    check_problem(node.arena, &answer, 409, "not_refundable");
    booking_check_audit(&node);
}

TEST(the_same_key_is_answered_the_same_and_pays_once)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct bought bought;
    struct answer first;
    struct answer again;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 10, PRICE);
    bought = booking_buy(&node, "customer-1", &event, 2, "card");
    first = refund(&node, "customer-1", "a", "{\"ticket_ids\":[\"%s\"]}", bought.tickets[0]);
    CHECK_I64(200, first.status);
    CHECK(answer_header(&first, "Idempotency-Replayed").ptr == NULL);
    again = refund(&node, "customer-1", "a", " { \"ticket_ids\" : [\"%s\"]}", bought.tickets[0]);
    CHECK_I64(200, again.status);
    CHECK_STR("true", answer_header(&again, "Idempotency-Replayed"));
    CHECK(str_eq(first.body, again.body));
    CHECK_I64(1, booking_i64(&node, "SELECT count(*) FROM order_refund"));

    again = refund(&node, "customer-1", "a", "{\"ticket_ids\":[\"%s\"]}", bought.tickets[1]);
    check_problem(node.arena, &again, 422, "idempotency_mismatch");
    /* Keys belong to the account, and a refusal keeps none. */
    again = refund(&node, "vendor-1", "a", "{\"ticket_ids\":[\"%s\"]}", bought.tickets[0]);
    check_problem(node.arena, &again, 409, "not_refundable");
    again = refund(&node, "vendor-1", "a", "{\"ticket_ids\":[\"%s\"]}", bought.tickets[1]);
    CHECK_I64(200, again.status);
    CHECK(answer_header(&again, "Idempotency-Replayed").ptr == NULL);
}

TEST(a_bad_request_is_refused_field_by_field)
{
    static const struct {
        const char *body;
        int status;
        const char *code;
    } cases[] = {
        {"{}",                                                        422, "invalid_field"},
        {"{\"ticket_ids\":[]}",                                       422, "invalid_field"},
        {"{\"ticket_ids\":[\"x\"]}",                                  422, "invalid_field"},
        {"{\"ticket_ids\":[\"tkt_01h455vb4pex5vsknk084sn02q\","
         "\"tkt_01h455vb4pex5vsknk084sn02q\"]}",             422, "invalid_field"},
        {"{\"ticket_ids\":[\"tkt_01h455vb4pex5vsknk084sn02q\"],"
         "\"order_id\":\"ord_01h455vb4pex5vsknk084sn02q\"}", 422, "invalid_field"},
        {"{\"ticket_ids\":[\"tkt_01h455vb4pex5vsknk084sn02q\"]}",     404, "not_found"    },
        {"{\"order_id\":\"ord_01h455vb4pex5vsknk084sn02q\"}",         404, "not_found"    },
        {"{\"order\":\"ord_01h455vb4pex5vsknk084sn02q\"}",            400, "unknown_field"},
        {"[",                                                         400, "malformed"    },
    };
    CLEANUP(booking_node_close) struct booking_node node;
    struct answer answer;

    booking_node_open(&node, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        answer = refund(&node, "customer-1", "a", "%s", cases[i].body);
        check_problem(node.arena, &answer, cases[i].status, cases[i].code);
    }
    answer = refund(&node, "customer-1", NULL, "{}");
    check_problem(node.arena, &answer, 400, "idempotency_key_required");
}

TEST(tickets_of_two_orders_are_two_refunds)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct bought mine[2];
    struct bought other;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 10, PRICE);
    mine[0] = booking_buy(&node, "customer-1", &event, 1, "card");
    mine[1] = booking_buy(&node, "customer-1", &event, 1, "card");
    other = booking_buy(&node, "customer-2", &event, 1, "card");
    answer = refund(&node, "customer-1", "a", "{\"ticket_ids\":[\"%s\",\"%s\"]}",
                    mine[0].tickets[0], mine[1].tickets[0]);
    check_problem(node.arena, &answer, 422, "invalid_field");
    CHECK_STR("/ticket_ids/1", answer_at(node.arena, &answer, "/errors/0/pointer"));
    answer = refund(&node, "customer-1", "b", "{\"ticket_ids\":[\"%s\",\"%s\"]}",
                    mine[0].tickets[0], other.tickets[0]);
    check_problem(node.arena, &answer, 404, "not_found");
    CHECK_STR("7", booking_available(&node, node.arena, &event));
}

TEST(what_belongs_to_others_is_not_there)
{
    static const struct {
        const char *who;
        int status;
    } cases[] = {
        {"customer-2", 404},
        {"vendor-2",   404},
        {NULL,         401},
        {"customer-1", 200},
        {"vendor-1",   200},
        {"admin-1",    200},
    };
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 100, PRICE);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct bought bought = booking_buy(&node, "customer-1", &event, 3, "card");

        CHECK_I64(cases[i].status, cancel(&node, cases[i].who, bought.tickets[0]).status);
        CHECK_I64(cases[i].status, refund(&node, cases[i].who, bought.order,
                                          "{\"ticket_ids\":[\"%s\"]}", bought.tickets[1])
                                       .status);
        CHECK_I64(
            cases[i].status,
            refund(&node, cases[i].who, "order", "{\"order_id\":\"%s\"}", bought.order).status);
    }
    CHECK_I64(404, cancel(&node, "admin-1", "tkt_01h455vb4pex5vsknk084sn02q").status);
    CHECK_I64(404, cancel(&node, "admin-1", event.id_text).status);
    booking_check_audit(&node);
}

TEST(unpaid_tickets_go_back_without_money)
{
    CLEANUP(booking_node_close) struct booking_node node;
    const struct given_type type = {.name = "Standard", .price_minor = PRICE, .total = 10};
    const struct given_event given = {
        .vendor = 1, .status = EVENT_PUBLISHED, .types = &type, .type_count = 1, .by_hand = true};
    struct known_event event;
    struct bought bought;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = booking_add_event(&node, &given);
    bought = booking_buy(&node, "customer-1", &event, 2, "cash_on_arrival");
    CHECK_I64(2, bought.count);
    answer = cancel(&node, "customer-1", bought.tickets[0]);
    CHECK_I64(200, answer.status);
    CHECK_STR("succeeded", answer_at(node.arena, &answer, "/refund/status"));
    CHECK_I64(0, answer_i64(node.arena, &answer, "/refund/amount/amount"));
    answer = booking_send(&node, "customer-1", "GET", NULL, "/orders/%s", bought.order);
    CHECK_STR("pending", answer_at(node.arena, &answer, "/status"));
    CHECK_I64(PRICE, answer_i64(node.arena, &answer, "/payment/due/amount"));
    CHECK_I64(0, answer_i64(node.arena, &answer, "/refunded/amount"));

    CHECK_I64(200, cancel(&node, "customer-1", bought.tickets[1]).status);
    CHECK_STR("cancelled", str_of(order_status(&node, bought.order)));
    CHECK_I64(1, booking_told(&node, "order.cancelled", bought.order));
    CHECK_I64(0, booking_told(&node, "order.refunded", bought.order));
    answer = booking_send(&node, "vendor-1", "POST", NULL, "/orders/%s/settle", bought.order);
    check_problem(node.arena, &answer, 409, "conflict");

    /* A transfer that has not come has no tickets to give back. */
    bought = booking_buy(&node, "customer-1", &event, 2, "bank_transfer");
    CHECK_I64(0, bought.count);
    answer = refund(&node, "customer-1", "a", "{\"order_id\":\"%s\"}", bought.order);
    check_problem(node.arena, &answer, 409, "not_refundable");
    booking_check_audit(&node);
}

TEST(free_tickets_go_back_too)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct bought bought;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 10, 0);
    bought = booking_buy(&node, "customer-1", &event, 2, "free");
    CHECK_I64(200, cancel(&node, "customer-1", bought.tickets[0]).status);
    CHECK_STR("confirmed", str_of(order_status(&node, bought.order)));
    answer = refund(&node, "customer-1", "a", "{\"order_id\":\"%s\"}", bought.order);
    CHECK_I64(200, answer.status);
    CHECK_STR("succeeded", answer_at(node.arena, &answer, "/refund/status"));
    CHECK_STR("cancelled", str_of(order_status(&node, bought.order)));
    CHECK_STR("10", booking_available(&node, node.arena, &event));
    booking_check_audit(&node);
}

TEST(an_order_that_is_not_paid_has_nothing_to_give_back)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct answer answer;
    const char *order = NULL;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 10, PRICE);
    order = booking_hold(&node, "customer-1", &event, 2);
    answer = refund(&node, "customer-1", "a", "{\"order_id\":\"%s\"}", order);
    check_problem(node.arena, &answer, 409, "not_refundable");
    CHECK_STR("8", booking_available(&node, node.arena, &event));
}

/* --- Races --- */

enum { CANCELLERS = 8 };

struct canceller {
    struct booking_node *node;
    const char *ticket;
    struct arena *arena;
    int status;
};

static void *cancel_at_once(void *arg)
{
    struct canceller *canceller = arg;
    const str path = arena_printf(canceller->arena, "/tickets/%s", canceller->ticket);
    const struct ask ask = {.who = "customer-1", .method = "DELETE", .path = path.ptr};

    canceller->status = booking_ask(canceller->node, canceller->arena, &ask).status;
    return NULL;
}

TEST(of_many_who_cancel_a_ticket_one_does)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct canceller cancellers[CANCELLERS];
    pthread_t threads[CANCELLERS];
    struct known_event event;
    struct bought bought;
    int done = 0;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 10, PRICE);
    bought = booking_buy(&node, "customer-1", &event, 1, "card");
    for (int i = 0; i < CANCELLERS; i++) {
        cancellers[i] = (struct canceller){&node, bought.tickets[0], arena_open(0), 0};
        CHECK(pthread_create(&threads[i], NULL, cancel_at_once, &cancellers[i]) == 0);
    }
    for (int i = 0; i < CANCELLERS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(cancellers[i].status == 200 || cancellers[i].status == 409);
        done += cancellers[i].status == 200;
        arena_close(cancellers[i].arena);
    }
    CHECK_I64(1, done);
    CHECK_STR("10", booking_available(&node, node.arena, &event));
    CHECK_I64(1, booking_i64(&node, "SELECT count(*) FROM order_refund"));
    booking_check_audit(&node);
}
