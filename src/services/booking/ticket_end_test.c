/* booking/ticket_end_test.c - what comes back when tickets end. */

#include "services/booking/ticket_end.h"

#include <string.h>

#include "support/booking_buy.h"
#include "support/test.h"

#define PRICE INT64_C(25000)

/* One write of the desk that ends all tickets of an order. */
struct ending {
    order_id order;
    enum ticket_status to;
    bool stale; /* what is ended was read before somebody used it */
    size_t ended;
};

static err apply(struct tx *tx, struct desk_write *write)
{
    struct ending *ending = write->arg;
    struct ticket *tickets = NULL;
    struct order order;
    size_t count = 0;

    TRY(order_get(tx, write->call, ending->order, &order));
    TRY(ticket_list_of_order(tx, write->call, ending->order, &tickets, &count));
    for (size_t i = 0; ending->stale && i < count; i++)
        tickets[i].status = TICKET_VALID;
    const struct tickets_end end = {&order, tickets, count, ending->to, STR("a_reason")};
    return tickets_end(tx, write, &end, &ending->ended);
}

static err end_all(struct booking_node *node, struct ending *ending)
{
    CLEANUP(call_done) struct call call = {0};

    booking_node_call(node, &call);
    return desk_run(&call, apply, ending);
}

static struct known_event two_types(struct booking_node *node)
{
    static const struct given_type types[] = {
        {.name = "Standard", .price_minor = PRICE, .total = 10},
        {.name = "Balcony",  .price_minor = 40000, .total = 10},
    };
    const struct given_event given = {.vendor = 1,
                                      .status = EVENT_PUBLISHED,
                                      .types = types,
                                      .type_count = 2,
                                      .limits = {.per_user = 9}};

    return booking_add_event(node, &given);
}

static const char *buy_both(struct booking_node *node, const struct known_event *event)
{
    const str body =
        arena_printf(node->arena,
                     "{\"event_id\":\"%s\",\"items\":[{\"ticket_type_id\":\"%s\",\"quantity\":2},"
                     "{\"ticket_type_id\":\"%s\",\"quantity\":1}]}",
                     event->id_text, event->type_texts[0], event->type_texts[1]);
    const struct answer answer =
        booking_send(node, "customer-1", "POST", body.ptr, "/tickets/book");

    CHECK_I64(201, answer.status);
    const char *order = arena_cstr(node->arena, answer_at(node->arena, &answer, "/order/id"));
    CHECK_I64(200, booking_pay(node, "customer-1", order, "card", "tok_visa").status);
    return order;
}

TEST(ended_tickets_give_back_stock_and_count_and_kill_their_codes)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct ending ending = {.to = TICKET_REFUNDED};
    struct known_event event;
    const char *order = NULL;

    booking_node_open(&node, NULL);
    event = two_types(&node);
    order = buy_both(&node, &event);
    CHECK_STR("17", booking_available(&node, node.arena, &event));
    CHECK_I64(3, booking_i64(&node, "SELECT quantity FROM event_buyer"));
    CHECK(id_parse(ORDER_PREFIX, str_of(order), &ending.order.uuid));
    booking_exec(&node, "UPDATE ticket SET status = 1 WHERE id = (SELECT id FROM ticket WHERE "
                        "price_minor = 25000 ORDER BY id DESC LIMIT 1)");

    CHECK_OK(end_all(&node, &ending));
    CHECK_I64(2, (int64_t)ending.ended);
    CHECK_STR("19", booking_available(&node, node.arena, &event));
    CHECK_I64(1, booking_i64(&node, "SELECT quantity FROM event_buyer"));
    CHECK_I64(
        2, booking_i64(&node, "SELECT count(*) FROM ticket WHERE status = 3 AND generation = 2"));
    CHECK_I64(
        1, booking_i64(&node, "SELECT count(*) FROM ticket WHERE status = 1 AND generation = 1"));
    CHECK_I64(2, booking_told(&node, "ticket.cancelled", order));
    CHECK_I64(2, booking_told(&node, "ticket.cancelled", "\"reason\":\"a_reason\""));
    CHECK_I64(2, booking_told(&node, "ticket.cancelled", "\"status\":\"refunded\""));

    CHECK_OK(end_all(&node, &ending)); /* again: nothing is left to end */
    CHECK_I64(0, (int64_t)ending.ended);
    CHECK_STR("19", booking_available(&node, node.arena, &event));
}

TEST(a_ticket_that_was_used_meanwhile_leaves_all_as_it_was)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct ending ending = {.to = TICKET_CANCELLED, .stale = true};
    struct known_event event;

    booking_node_open(&node, NULL);
    event = two_types(&node);
    CHECK(id_parse(ORDER_PREFIX, str_of(buy_both(&node, &event)), &ending.order.uuid));
    booking_exec(&node, "UPDATE ticket SET status = 1 WHERE id = (SELECT id FROM ticket "
                        "ORDER BY id DESC LIMIT 1)");
    CHECK_ERR(ERR_CONFLICT, end_all(&node, &ending));
    CHECK_STR("17", booking_available(&node, node.arena, &event));
    CHECK_I64(
        2, booking_i64(&node, "SELECT count(*) FROM ticket WHERE status = 0 AND generation = 1"));
    CHECK_I64(3, booking_i64(&node, "SELECT quantity FROM event_buyer"));
    CHECK_I64(0, booking_told(&node, "ticket.cancelled", ""));
    booking_check_audit(&node);
}
