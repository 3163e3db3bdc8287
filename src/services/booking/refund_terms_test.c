/* booking/refund_terms_test.c - how much of a ticket's money comes back, by the policies that it was
 * sold under. */

#include "services/booking/refund.h"

#include "services/booking/order_refund.h"
#include "support/booking_buy.h"
#include "support/test.h"

#define HOUR_MS INT64_C(3600000)
#define PRICE   INT64_C(2501)
#define FEE     INT64_C(113) /* 0.50 and 2.5 %: 62.525 */
#define START   (100 * HOUR_MS)
#define NONE    JSON_NULL

/* --- Rules --- */

struct policy {
    bool refundable;
    int64_t until_ms;
    int64_t hours;
    int64_t percent;
};

static struct event_policies policies_of(const struct policy *is)
{
    struct event_policies policies = EVENT_POLICIES_STANDARD;

    policies.refundable = is->refundable;
    policies.refund_until_ms = is->until_ms;
    policies.refund_hours = is->hours;
    policies.refund_percent = is->percent;
    return policies;
}

static const struct {
    struct policy sold;
    struct policy now;
    int64_t now_ms;
    bool sells;
    int event_status;
    int64_t percents[REFUND_TERMS_MAX]; /* 0: no such terms */
} sales[] = {
  /* Until it starts. */
    {{true, NONE, NONE, 100},
     {true, NONE, NONE, 100},
     START - 1,
     false,                                                                    EVENT_PUBLISHED,
     {100, 100}                                                                                         },
    {{true, NONE, NONE, 100},      {true, NONE, NONE, 100},  START,     false, EVENT_PUBLISHED, {0, 0}  },
    {{true, NONE, NONE, 100},      {true, NONE, NONE, 100},  START,     true,  EVENT_PUBLISHED, {100, 0}},
 /* A time of its own, also behind the start; hours before; the earlier of both. */
    {{true, 500, NONE, 100},       {false, NONE, NONE, 100}, 499,       false, EVENT_PUBLISHED, {100, 0}},
    {{true, 500, NONE, 100},       {false, NONE, NONE, 100}, 500,       false, EVENT_PUBLISHED, {0, 0}  },
    {{true, START + 9, NONE, 100},
     {false, NONE, NONE, 100},
     START + 8,
     false,                                                                    EVENT_PUBLISHED,
     {100, 0}                                                                                           },
    {{true, NONE, 24, 100},
     {false, NONE, NONE, 100},
     START - 24 * HOUR_MS - 1,
     false,                                                                    EVENT_PUBLISHED,
     {100, 0}                                                                                           },
    {{true, NONE, 24, 100},
     {false, NONE, NONE, 100},
     START - 24 * HOUR_MS,
     false,                                                                    EVENT_PUBLISHED,
     {0, 0}                                                                                             },
    {{true, 500, 24, 100},         {false, NONE, NONE, 100}, 500,       false, EVENT_PUBLISHED, {0, 0}  },
    {{true, START, 24, 100},
     {false, NONE, NONE, 100},
     START - 24 * HOUR_MS,
     false,                                                                    EVENT_PUBLISHED,
     {0, 0}                                                                                             },
 /* What was sold is given back as it was sold, or better. */
    {{true, NONE, NONE, 80},       {true, NONE, NONE, 50},   1,         false, EVENT_PUBLISHED, {80, 50}},
    {{true, NONE, NONE, 80},       {false, NONE, NONE, 50},  1,         false, EVENT_PUBLISHED, {80, 0} },
    {{false, NONE, NONE, 80},      {true, NONE, NONE, 50},   1,         false, EVENT_PUBLISHED, {50, 0} },
    {{false, NONE, NONE, 80},      {false, NONE, NONE, 50},  1,         false, EVENT_PUBLISHED, {0, 0}  },
 /* The vendor gives all of it back, and so does a cancelled event. */
    {{false, NONE, NONE, 10},      {false, NONE, NONE, 10},  START + 1, true,  EVENT_PUBLISHED, {100, 0}},
    {{false, NONE, NONE, 10},      {false, NONE, NONE, 10},  START + 1, false, EVENT_CANCELLED, {100, 0}},
};

TEST(terms_are_those_of_the_sale_or_better_ones)
{
    for (size_t i = 0; i < sizeof(sales) / sizeof(sales[0]); i++) {
        CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
        struct call call = {.arena = arena, .now_ms = sales[i].now_ms};
        const struct event_policies sold = policies_of(&sales[i].sold);
        const struct event event = {.status = sales[i].event_status,
                                    .starts_at_ms = START,
                                    .policies = policies_of(&sales[i].now)};
        struct refund_terms terms;
        const err e = refund_terms_find(&call, &sold, &event, sales[i].sells, &terms);

        CHECK_ERR(sales[i].percents[0] > 0 ? ERR_OK : ERR_NOT_REFUNDABLE, e);
        CHECK((e == ERR_OK) == (call.problem.detail.ptr == NULL));
        for (size_t n = 0; n < REFUND_TERMS_MAX; n++)
            CHECK_I64(sales[i].percents[n], n < terms.count ? terms.items[n].percent : 0);
    }
}

/* --- Over HTTP --- */

static const char *const with_fee[] = {"booking.fee_fixed=EUR:50", "booking.fee_basis_points=250",
                                       NULL};

static void put_policies(struct booking_node *node, const struct known_event *event,
                         const char *policies)
{
    const struct ask ask = {
        .who = "vendor-1",
        .method = "PUT",
        .path = arena_printf(node->arena, "/events/%s", event->id_text).ptr,
        .headers = "If-Match: *\r\n",
        .body = arena_printf(node->arena, "{\"policies\":%s}", policies).ptr,
    };
    const struct answer answer = booking_ask(node, node->arena, &ask);

    check_status(200, &answer);
}

static struct known_event open_with(struct booking_node *node, const char *policies)
{
    const struct given_type type = {.name = "Standard", .price_minor = PRICE, .total = 100};
    const struct given_event given = {.vendor = 1,
                                      .status = EVENT_PUBLISHED,
                                      .currency = "EUR",
                                      .types = &type,
                                      .type_count = 1,
                                      .by_hand = true};
    struct known_event event;

    booking_node_open(node, with_fee);
    event = booking_add_event(node, &given);
    put_policies(node, &event, policies);
    return event;
}

/* What came back; 0 where it was refused. */
static int64_t give_back(struct booking_node *node, const char *who, const char *body)
{
    const struct answer answer = booking_send(node, who, "POST", body, "/tickets/refund");

    if (answer.status != 200) {
        check_problem(node->arena, &answer, 409, "not_refundable");
        return 0;
    }
    return answer_i64(node->arena, &answer, "/refund/amount/amount");
}

static int64_t give_order_back(struct booking_node *node, const char *who, const char *order)
{
    return give_back(node, who, arena_printf(node->arena, "{\"order_id\":\"%s\"}", order).ptr);
}

static int64_t give_ticket_back(struct booking_node *node, const char *who, const char *ticket)
{
    return give_back(node, who, arena_printf(node->arena, "{\"ticket_ids\":[\"%s\"]}", ticket).ptr);
}

TEST(ticket_by_ticket_comes_back_what_comes_back_of_the_whole)
{
    static const struct {
        const char *policies;
        int64_t of_three;
    } cases[] = {
        {"{}",                                            3 * (PRICE + FEE)},
        {"{\"refund_fees\":false}",                       3 * PRICE        },
        {"{\"refund_percent\":50}",                       3 * (1251 + 57)  }, /* 1250.5 and 56.5 */
        {"{\"refund_percent\":33,\"refund_fees\":false}", 3 * 825          }, /* 825.33 */
  /* 19 % on top: 1425.57 of three, 475 or 476 of each. */
        {"{\"refund_percent\":50,\"refund_fees\":false,\"tax\":{\"rate_ppm\":190000,\"on_top\":"
         "true}}",                               3 * (1251 + 238) }, /* 237.5 and 238 */
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(booking_node_close) struct booking_node node;
        const struct known_event event = open_with(&node, cases[i].policies);
        const struct bought whole = booking_buy(&node, "customer-1", &event, 3, "card");
        const struct bought parts = booking_buy(&node, "customer-2", &event, 3, "card");
        int64_t sum = 0;

        CHECK_I64(cases[i].of_three, give_order_back(&node, "customer-1", whole.order));
        for (int n = 2; n >= 0; n--)
            sum += give_ticket_back(&node, "customer-2", parts.tickets[n]);
        CHECK_I64(cases[i].of_three, sum);
        CHECK_STR("refunded",
                  str_of(booking_status(&node, "customer-2", "/orders/%s", parts.order)));
        CHECK_I64(0, booking_i64(&node, "SELECT count(*) FROM order_refund WHERE status <> 1"));
        booking_check_audit(&node);
    }
}

TEST(a_change_of_the_policy_does_not_worsen_what_was_sold)
{
    CLEANUP(booking_node_close) struct booking_node node;
    const struct known_event event = open_with(&node, "{\"refund_percent\":80}");
    const struct bought before = booking_buy(&node, "customer-1", &event, 3, "card");

    put_policies(&node, &event, "{\"refundable\":false}");
    const struct bought after = booking_buy(&node, "customer-1", &event, 2, "card");
    CHECK_I64(2001 + 90, give_ticket_back(&node, "customer-1", before.tickets[0]));
    CHECK_I64(0, give_ticket_back(&node, "customer-1", after.tickets[0]));
    /* Who sells it may always, and gives all of it back. */
    CHECK_I64(PRICE + FEE, give_ticket_back(&node, "vendor-1", after.tickets[0]));
    /* A better one is for everybody. */
    put_policies(&node, &event, "{\"refundable\":true,\"refund_percent\":100}");
    CHECK_I64(PRICE + FEE, give_ticket_back(&node, "customer-1", before.tickets[1]));
    CHECK_I64(PRICE + FEE, give_ticket_back(&node, "customer-1", after.tickets[1]));
    /* A restart forgets none of it. */
    put_policies(&node, &event, "{\"refundable\":false}");
    booking_node_restart(&node);
    CHECK_I64(2001 + 90, give_ticket_back(&node, "customer-1", before.tickets[2]));
    booking_check_audit(&node);
}

TEST(hours_before_the_start_are_the_end)
{
    CLEANUP(booking_node_close) struct booking_node node;
    const struct known_event event = open_with(&node, "{\"refund_hours_before\":48}");
    const struct bought bought = booking_buy(&node, "customer-1", &event, 2, "card");

    booking_node_advance(&node, (30 * 24 - 48) * HOUR_MS - 1000); /* it starts in 30 days */
    CHECK_I64(PRICE + FEE, give_ticket_back(&node, "customer-1", bought.tickets[0]));
    booking_node_advance(&node, 1000);
    const struct answer answer =
        booking_send(&node, "customer-1", "DELETE", NULL, "/tickets/%s", bought.tickets[1]);
    check_problem(node.arena, &answer, 409, "not_refundable");
    CHECK_STR("tickets could be given back until 2026-12-21T00:00:00Z",
              answer_at(node.arena, &answer, "/detail"));
}

TEST(of_what_was_never_paid_nothing_is_kept)
{
    CLEANUP(booking_node_close) struct booking_node node;
    const struct known_event event = open_with(&node, "{\"refund_percent\":10}");
    const struct bought bought = booking_buy(&node, "customer-1", &event, 3, "cash_on_arrival");
    struct answer answer;

    CHECK_I64(0, give_ticket_back(&node, "customer-1", bought.tickets[0]));
    answer = booking_send(&node, "customer-1", "GET", NULL, "/orders/%s", bought.order);
    CHECK_I64(2 * (PRICE + FEE), answer_i64(node.arena, &answer, "/payment/due/amount"));
    answer = booking_send(&node, "vendor-1", "POST", NULL, "/orders/%s/settle", bought.order);
    CHECK_I64(200, answer.status);
    CHECK_I64(250 + 11, give_ticket_back(&node, "customer-1", bought.tickets[1]));
    booking_check_audit(&node);
}

TEST(a_cancelled_event_gives_all_of_it_back)
{
    CLEANUP(booking_node_close) struct booking_node node;
    const struct known_event event =
        open_with(&node, "{\"refundable\":false,\"refund_fees\":false}");
    const struct bought bought = booking_buy(&node, "customer-1", &event, 3, "card");
    const struct answer answer =
        booking_send(&node, "vendor-1", "DELETE", NULL, "/events/%s", event.id_text);

    check_status(202, &answer);
    node_run_due(node.node);
    const struct answer order =
        booking_send(&node, "customer-1", "GET", NULL, "/orders/%s", bought.order);
    CHECK_I64(3 * (PRICE + FEE), answer_i64(node.arena, &order, "/refunded/amount"));
    booking_check_audit(&node);
}

TEST(the_lines_of_a_refund_are_what_it_is_for)
{
    CLEANUP(booking_node_close) struct booking_node node;
    const struct known_event event = open_with(&node, "{\"refund_percent\":50}");
    const struct bought bought = booking_buy(&node, "customer-1", &event, 2, "card");
    CLEANUP(call_done) struct call call = {0};
    struct order_refund refund = {0};

    const struct answer answer = booking_send(
        &node, "customer-1", "POST",
        arena_printf(node.arena, "{\"order_id\":\"%s\"}", bought.order).ptr, "/tickets/refund");
    check_status(200, &answer);
    CHECK(id_parse(REFUND_PREFIX, answer_at(node.arena, &answer, "/refund/id"), &refund.id.uuid));
    booking_node_call(&node, &call);
    {
        CLEANUP(tx_rollback) struct tx tx = {0};

        CHECK_OK(tx_read(&tx, call_db(&call)));
        CHECK_OK(order_refund_get(&tx, &call, refund.id, &refund));
    }
    CHECK_I64(1, (int64_t)refund.line_count);
    CHECK_I64(2, refund.lines[0].quantity);
    CHECK_I64(2 * 1251, refund.lines[0].face_minor);
    CHECK_I64(2 * 57, refund.lines[0].buyer_fee_minor);
    CHECK_I64(refund.amount.minor, price_paid(&refund.lines[0]));
}
