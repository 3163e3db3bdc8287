/* booking/ticket_test.c - tickets as people see them: whose, when, and with what code. */

#include "services/booking/ticket.h"

#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "services/booking/ticket_code.h"
#include "support/booking_buy.h"
#include "support/test.h"

#define PRICE INT64_C(25000)

TEST(a_ticket_is_shown_with_its_code_to_its_holder)
{
    static const struct {
        const char *who;
        int status;
        bool code;
    } cases[] = {
        {"customer-1", 200, true },
        {"admin-1",    200, true },
        {"vendor-1",   200, false},
        {"vendor-2",   404, false},
        {"customer-2", 404, false},
        {NULL,         401, false},
    };
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct bought bought;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 10, PRICE);
    bought = booking_buy(&node, "customer-1", &event, 2, "card");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        answer = booking_send(&node, cases[i].who, "GET", NULL, "/tickets/%s", bought.tickets[0]);
        CHECK_I64(cases[i].status, answer.status);
        if (answer.status != 200)
            continue;
        CHECK_STR(cases[i].code ? bought.codes[0] : NULL, answer_at(node.arena, &answer, "/code"));
        CHECK((answer_at(node.arena, &answer, "/pdf").ptr != NULL) == cases[i].code);
        CHECK_STR("valid", answer_header(&answer, "Ticket-Status"));
        CHECK_STR(bought.order, answer_at(node.arena, &answer, "/order_id"));
        CHECK_STR(event.id_text, answer_at(node.arena, &answer, "/event/id"));
        CHECK_STR("Standard", answer_at(node.arena, &answer, "/ticket_type/name"));
        CHECK_I64(PRICE, answer_i64(node.arena, &answer, "/price/amount"));
        CHECK_STR("null", answer_at(node.arena, &answer, "/used_at"));
    }
    CHECK_I64(404,
              booking_send(&node, "admin-1", "GET", NULL, "/tickets/tkt_01h455vb4pex5vsknk084sn02q")
                  .status);
    CHECK_I64(404, booking_send(&node, "admin-1", "GET", NULL, "/tickets/x").status);
}

TEST(head_says_how_a_ticket_stands)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct bought bought;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 10, PRICE);
    bought = booking_buy(&node, "customer-1", &event, 1, "card");
    for (int status = TICKET_VALID; ticket_status_names[status] != NULL; status++) {
        char sql[64];

        CHECK(snprintf(sql, sizeof(sql), "UPDATE ticket SET status = %d", status) > 0);
        booking_exec(&node, sql);
        answer = booking_send(&node, "vendor-1", "HEAD", NULL, "/tickets/%s", bought.tickets[0]);
        CHECK_I64(200, answer.status);
        CHECK_STR(ticket_status_names[status], answer_header(&answer, "Ticket-Status"));
        CHECK_I64(0, (int64_t)answer.body.size);
        answer = booking_send(&node, "customer-1", "GET", NULL, "/tickets/%s", bought.tickets[0]);
        CHECK((answer_at(node.arena, &answer, "/code").ptr != NULL) ==
              (status == TICKET_VALID || status == TICKET_USED));
    }
}

TEST(a_code_is_good_until_a_day_after_the_event)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct ticket_code code = {0};
    struct known_event event;
    struct bought bought;
    struct uuid ticket = {0};

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 10, PRICE);
    bought = booking_buy(&node, "customer-1", &event, 1, "card");
    CHECK_OK(ticket_code_read(node.node->keyring, node.arena, str_of(bought.codes[0]), &code));
    CHECK(id_parse(TICKET_PREFIX, str_of(bought.tickets[0]), &ticket));
    CHECK(uuid_eq(ticket, code.ticket.uuid));
    CHECK(uuid_eq(event.id.uuid, code.event.uuid));
    CHECK_I64(1, code.generation);
    CHECK_I64(0, code.not_before_s);
    CHECK_I64((BOOKING_NODE_START_MS + 31 * DAY_MS) / 1000 + INT64_C(3) * 3600, code.expires_s);
}

TEST(tickets_of_unpaid_orders_do_not_exist)
{
    CLEANUP(booking_node_close) struct booking_node node;
    CLEANUP(call_done) struct call call = {0};
    struct known_event event;
    struct booking_view view = {0};
    struct booking_payment_begun begun = {0};
    struct booking_payment_begin begin = {.attempt = {booking_user(99)}};
    struct ticket *tickets = NULL;
    struct answer answer;
    size_t count = 0;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 10, PRICE);
    CHECK(id_parse(ORDER_PREFIX, str_of(booking_hold(&node, "customer-1", &event, 2)),
                   &begin.order.uuid));
    booking_node_call(&node, &call);
    call.caller.role = ROLE_ADMIN;
    CHECK_OK(booking_payment_begin(&call, &begin, &begun));
    const struct booking_confirm confirm = {begin.order, begin.attempt, BOOKING_CARD};
    CHECK_OK(booking_confirm(&call, &confirm, &view));
    CHECK_STR("[]", view.tickets);
    {
        CLEANUP(tx_rollback) struct tx tx = {0};

        call.self = node.booking;
        CHECK_OK(tx_read(&tx, node.booking->db));
        CHECK_OK(ticket_list_of_order(&tx, &call, begin.order, &tickets, &count));
    }
    CHECK_I64(2, (int64_t)count);
    const struct id_text id = id_format(TICKET_PREFIX, tickets[0].id.uuid);
    static const char *const people[] = {"customer-1", "vendor-1", "admin-1"};
    for (size_t i = 0; i < sizeof(people) / sizeof(people[0]); i++) {
        CHECK_I64(404, booking_send(&node, people[i], "GET", NULL, "/tickets/%s", id.text).status);
        CHECK_I64(
            404, booking_send(&node, people[i], "GET", NULL, "/tickets/%s/qr.png", id.text).status);
        CHECK_I64(404,
                  booking_send(&node, people[i], "DELETE", NULL, "/tickets/%s", id.text).status);
    }
    answer = booking_send(&node, "customer-1", "GET", NULL, "/tickets");
    CHECK_STR("[]", answer_at(node.arena, &answer, "/data"));

    const struct booking_settle settle = {begin.order, begin.attempt};
    struct booking_settled settled = {0};
    CHECK_OK(booking_settle(&call, &settle, &settled));
    CHECK_I64(begun.total.minor, settled.paid.minor);
    CHECK_I64(200, booking_send(&node, "customer-1", "GET", NULL, "/tickets/%s", id.text).status);
}

TEST(attendees_are_named_in_turn)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, 10, PRICE);
    const str body =
        arena_printf(node.arena,
                     "{\"event_id\":\"%s\",\"items\":[{\"ticket_type_id\":\"%s\",\"quantity\":3}],"
                     "\"attendees\":[{\"name\":\"Zo\\u00eb "
                     "\\\"Z\\\"\"},{\"name\":\"Ana\",\"email\":\"a@example.org\"}]}",
                     event.id_text, event.type_texts[0]);
    answer = booking_send(&node, "customer-1", "POST", body.ptr, "/tickets/book");
    const char *order = arena_cstr(node.arena, answer_at(node.arena, &answer, "/order/id"));
    answer = booking_pay(&node, "customer-1", order, "card", "tok_visa");
    CHECK_STR("Zoë \"Z\"", answer_at(node.arena, &answer, "/tickets/0/attendee"));
    CHECK_STR("Ana", answer_at(node.arena, &answer, "/tickets/1/attendee"));
    CHECK_STR("null", answer_at(node.arena, &answer, "/tickets/2/attendee"));
}

static int64_t count_data(struct booking_node *node, const struct answer *answer)
{
    int64_t count = 0;

    while (
        answer_at(node->arena, answer, arena_printf(node->arena, "/data/%d", (int)count).ptr).ptr !=
        NULL)
        count++;
    return count;
}

TEST(tickets_are_listed_newest_first_page_by_page)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event events[2];
    struct bought bought[2];
    struct answer answer;

    booking_node_open(&node, NULL);
    for (int i = 0; i < 2; i++) {
        events[i] = booking_add_simple(&node, 10, PRICE);
        bought[i] = booking_buy(&node, "customer-1", &events[i], 3, "card");
        clock_manual_advance(&node.clock, 1000);
    }
    (void)booking_buy(&node, "customer-2", &events[0], 1, "card");

    answer = booking_send(&node, "customer-1", "GET", NULL, "/tickets?limit=4");
    CHECK_I64(4, count_data(&node, &answer));
    CHECK_STR(bought[1].tickets[2], answer_at(node.arena, &answer, "/data/0/id"));
    CHECK_STR(bought[0].tickets[2], answer_at(node.arena, &answer, "/data/3/id"));
    CHECK_STR(bought[0].codes[2], answer_at(node.arena, &answer, "/data/3/code"));
    const str cursor = answer_at(node.arena, &answer, "/next_cursor");
    answer = booking_send(&node, "customer-1", "GET", NULL, "/tickets?limit=4&cursor=%.*s",
                          STR_ARG(cursor));
    CHECK_I64(2, count_data(&node, &answer));
    CHECK_STR(bought[0].tickets[0], answer_at(node.arena, &answer, "/data/1/id"));
    CHECK_STR("null", answer_at(node.arena, &answer, "/next_cursor"));

    answer =
        booking_send(&node, "customer-1", "GET", NULL, "/tickets?event_id=%s", events[1].id_text);
    CHECK_I64(3, count_data(&node, &answer));
    answer =
        booking_send(&node, "customer-2", "GET", NULL, "/tickets?event_id=%s", events[1].id_text);
    CHECK_I64(0, count_data(&node, &answer));
    CHECK_I64(422, booking_send(&node, "customer-1", "GET", NULL, "/tickets?limit=0").status);
    CHECK_I64(400, booking_send(&node, "customer-1", "GET", NULL, "/tickets?page=2").status);
    CHECK_I64(400, booking_send(&node, "customer-1", "GET", NULL, "/tickets?cursor=AAAA").status);
}
