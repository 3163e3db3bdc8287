/* booking/paying_test.c - the ops of a payment, in every order in which they can come. */

#include "services/booking/paying.h"

#include <stdio.h>
#include <string.h>

#include "services/booking/price.h"
#include "support/booking_buy.h"
#include "support/test.h"

enum { TOTAL = 10, QUANTITY = 2 };
#define PRICE     INT64_C(25000)
#define MINUTE_MS INT64_C(60000)

/* --- Rules --- */

TEST(a_buyer_gets_time_for_another_try_but_not_for_ever)
{
    static const struct {
        int64_t created_s;
        int64_t expires_s;
        int64_t now_s;
        int64_t expected_s;
    } cases[] = {
        {0,    600,  100,  600 }, /* what is left is more */
        {0,    600,  599,  899 },
        {0,    600,  700,  1000}, /* paying took longer than the hold */
        {0,    2300, 2299, 2400}, /* hold + 1800 s at most */
        {0,    2400, 2399, 2400},
        {1000, 1600, 1599, 1899},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct order order = {.created_at_ms = cases[i].created_s * 1000,
                                    .hold_ms = INT64_C(600000),
                                    .expires_at_ms = cases[i].expires_s * 1000};

        CHECK_I64(cases[i].expected_s * 1000, paying_extended_ms(&order, cases[i].now_s * 1000));
    }
}

/* --- Ops --- */

struct desk_of_payment {
    struct booking_node *node;
    struct known_event event;
    order_id order;
    const char *order_text;
    attempt_id attempts[2];
};

/* A letter is an op of the first attempt; b, c, s, a are those of the second. */
static err op(struct desk_of_payment *desk, struct call *call, char letter)
{
    static const char of_second[] = "bcsa";
    const char *found = strchr(of_second, letter);
    const bool second = found != NULL;
    const attempt_id attempt = desk->attempts[second];
    const int what = second ? "BCSA"[found - of_second] : letter;
    struct booking_view view = {0};

    switch (what) {
    case 'B': {
        const struct booking_payment_begin in = {desk->order, attempt};
        struct booking_payment_begun begun = {0};

        const err e = booking_payment_begin(call, &in, &begun);
        CHECK(e != ERR_OK || (begun.line_count == 1 && begun.lines[0].quantity == QUANTITY &&
                              price_paid(&begun.lines[0]) == begun.total.minor));
        return e;
    }
    case 'C':
    case 'H':
    case 'T':
    case 'F': {
        const int as = what == 'C'   ? BOOKING_CARD
                       : what == 'H' ? BOOKING_CASH
                       : what == 'T' ? BOOKING_TRANSFER
                                     : BOOKING_FREE;
        const struct booking_confirm in = {desk->order, attempt, as};

        return booking_confirm(call, &in, &view);
    }
    case 'S': {
        const struct booking_settle in = {desk->order, attempt};
        struct booking_settled settled = {0};

        const err e = booking_settle(call, &in, &settled);
        CHECK(e != ERR_OK ||
              (settled.paid.minor == QUANTITY * PRICE && settled.line_count == 1 &&
               price_paid(&settled.lines[0]) == QUANTITY * PRICE)); /* as often as it is asked */
        return e;
    }
    default: {
        const struct booking_payment_abort in = {desk->order, attempt, STR("card_declined")};

        CHECK_I64('A', what);
        return booking_payment_abort(call, &in, &view);
    }
    }
}

static int64_t column(struct booking_node *node, const char *name)
{
    char sql[128];

    CHECK(snprintf(sql, sizeof(sql), "SELECT %s FROM order_state ORDER BY id LIMIT 1", name) > 0);
    return booking_i64(node, sql);
}

static err step(struct desk_of_payment *desk, char letter)
{
    CLEANUP(call_done) struct call call = {0};

    if (letter == 'X') { /* time goes by until the hold has ended */
        booking_node_advance(desk->node, 60 * MINUTE_MS);
        return ERR_OK;
    }
    if (letter == 'Z') { /* somebody else takes all that is left */
        const str left = booking_available(desk->node, desk->node->arena, &desk->event);
        int64_t count = 0;

        CHECK(str_to_i64(left, &count));
        (void)booking_hold(desk->node, "customer-2", &desk->event, (int)count);
        return ERR_OK;
    }
    booking_node_call(desk->node, &call);
    call.caller = (struct caller){.role = ROLE_CUSTOMER, .user = booking_user(1)};
    return op(desk, &call, letter);
}

/* Every way that payment and time can take: letters of `op`, X and Z. */
static const struct {
    const char *steps;
    err last; /* of the last step; all before are ERR_OK */
    const char *status;
    int attempt_state;
    int64_t shown;         /* tickets that the buyer sees */
    const char *available; /* of 10, after 2 were held */
} ways[] = {
    {"B",     ERR_OK,                  "held",      ATTEMPT_LIVE,      0, "8" },
    {"BB",    ERR_OK,                  "held",      ATTEMPT_LIVE,      0, "8" },
    {"Bb",    ERR_CONFLICT,            "held",      ATTEMPT_LIVE,      0, "8" },
    {"BX",    ERR_OK,                  "held",      ATTEMPT_LIVE,      0, "8" },
    {"XB",    ERR_ORDER_EXPIRED,       "expired",   ATTEMPT_NONE,      0, "10"},
    {"BC",    ERR_OK,                  "held",      ATTEMPT_CONFIRMED, 0, "8" },
    {"BCC",   ERR_OK,                  "held",      ATTEMPT_CONFIRMED, 0, "8" },
    {"BCX",   ERR_OK,                  "held",      ATTEMPT_CONFIRMED, 0, "8" },
    {"BCc",   ERR_ALREADY_PAID,        "held",      ATTEMPT_CONFIRMED, 0, "8" },
    {"BCS",   ERR_OK,                  "confirmed", ATTEMPT_SETTLED,   2, "8" },
    {"BCSS",  ERR_OK,                  "confirmed", ATTEMPT_SETTLED,   2, "8" },
    {"BCSC",  ERR_OK,                  "confirmed", ATTEMPT_SETTLED,   2, "8" },
    {"BCSA",  ERR_ALREADY_PAID,        "confirmed", ATTEMPT_SETTLED,   2, "8" },
    {"BCSb",  ERR_ALREADY_PAID,        "confirmed", ATTEMPT_SETTLED,   2, "8" },
    {"BCSs",  ERR_CONFLICT,            "confirmed", ATTEMPT_SETTLED,   2, "8" },
    {"BCSa",  ERR_OK,                  "confirmed", ATTEMPT_SETTLED,   2, "8" },
    {"BS",    ERR_CONFLICT,            "held",      ATTEMPT_LIVE,      0, "8" },
    {"S",     ERR_CONFLICT,            "held",      ATTEMPT_NONE,      0, "8" },
    {"A",     ERR_OK,                  "held",      ATTEMPT_NONE,      0, "8" },
    {"BA",    ERR_OK,                  "held",      ATTEMPT_ABORTED,   0, "8" },
    {"BAA",   ERR_OK,                  "held",      ATTEMPT_ABORTED,   0, "8" },
    {"BAS",   ERR_CONFLICT,            "held",      ATTEMPT_ABORTED,   0, "8" },
    {"BAbcs", ERR_OK,                  "confirmed", ATTEMPT_SETTLED,   2, "8" },
    {"BAbA",  ERR_OK,                  "held",      ATTEMPT_LIVE,      0, "8" },
    {"BAX",   ERR_OK,                  "expired",   ATTEMPT_ABORTED,   0, "10"},
    {"BCA",   ERR_OK,                  "cancelled", ATTEMPT_ABORTED,   0, "10"},
    {"BCAA",  ERR_OK,                  "cancelled", ATTEMPT_ABORTED,   0, "10"},
    {"BCAS",  ERR_CONFLICT,            "cancelled", ATTEMPT_ABORTED,   0, "10"},
    {"BCAC",  ERR_ORDER_EXPIRED,       "cancelled", ATTEMPT_ABORTED,   0, "10"},
    {"BCAb",  ERR_ORDER_EXPIRED,       "cancelled", ATTEMPT_ABORTED,   0, "10"},
    {"BAXC",  ERR_OK,                  "held",      ATTEMPT_CONFIRMED, 0, "8" },
    {"BAXCS", ERR_OK,                  "confirmed", ATTEMPT_SETTLED,   2, "8" },
    {"BAXCA", ERR_OK,                  "cancelled", ATTEMPT_ABORTED,   0, "10"},
    {"BAXZC", ERR_ORDER_EXPIRED,       "expired",   ATTEMPT_ABORTED,   0, "0" },
    {"BH",    ERR_OK,                  "pending",   ATTEMPT_CONFIRMED, 2, "8" },
    {"BHH",   ERR_OK,                  "pending",   ATTEMPT_CONFIRMED, 2, "8" },
    {"BHX",   ERR_OK,                  "pending",   ATTEMPT_CONFIRMED, 2, "8" },
    {"BHS",   ERR_OK,                  "confirmed", ATTEMPT_SETTLED,   2, "8" },
    {"BHb",   ERR_ALREADY_PAID,        "pending",   ATTEMPT_CONFIRMED, 2, "8" },
    {"BHA",   ERR_OK,                  "cancelled", ATTEMPT_ABORTED,   0, "10"},
    {"BT",    ERR_OK,                  "pending",   ATTEMPT_CONFIRMED, 0, "8" },
    {"BTT",   ERR_OK,                  "pending",   ATTEMPT_CONFIRMED, 0, "8" },
    {"BTS",   ERR_OK,                  "confirmed", ATTEMPT_SETTLED,   2, "8" },
    {"BTSS",  ERR_OK,                  "confirmed", ATTEMPT_SETTLED,   2, "8" },
    {"BTA",   ERR_OK,                  "cancelled", ATTEMPT_ABORTED,   0, "10"},
    {"BAXT",  ERR_OK,                  "pending",   ATTEMPT_CONFIRMED, 0, "8" },
    {"BF",    ERR_METHOD_NOT_ACCEPTED, "held",      ATTEMPT_LIVE,      0, "8" },
};

/* Takes all steps; each changes the status as drawn, and leaves ledgers and rows in agreement. */
static void go(struct desk_of_payment *desk, const char *steps, err last)
{
    int64_t before = ORDER_HELD;

    for (size_t at = 0; steps[at] != '\0'; at++) {
        const err expected = steps[at + 1] == '\0' ? last : ERR_OK;
        const err e = step(desk, steps[at]);
        const int64_t now = column(desk->node, "status");

        if (e != expected)
            print_error("%s at %zu\n", steps, at);
        CHECK_ERR(expected, e);
        if (now != before) /* a late payment passes through `held` in one step */
            CHECK(
                order_may_become((enum order_status)before, (enum order_status)now) ||
                (before == ORDER_EXPIRED && order_may_become(ORDER_HELD, (enum order_status)now)));
        before = now;
        booking_check_audit(desk->node);
    }
}

TEST(every_order_of_ops_ends_well)
{
    static const char *const tickets_shown =
        "SELECT count(*) FROM ticket t JOIN order_state s ON s.id = t.order_id"
        " WHERE s.status <> 0 AND t.status = 0";

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        CLEANUP(booking_node_close) struct booking_node node;
        struct desk_of_payment desk = {.node = &node};

        booking_node_open(&node, NULL);
        desk.event = booking_add_simple(&node, TOTAL, PRICE);
        desk.order_text = booking_hold(&node, "customer-1", &desk.event, QUANTITY);
        CHECK(id_parse(ORDER_PREFIX, str_of(desk.order_text), &desk.order.uuid));
        for (int attempt = 0; attempt < 2; attempt++)
            desk.attempts[attempt].uuid = booking_user(100 + attempt);
        go(&desk, ways[i].steps, ways[i].last);

        const char *status = order_status_names[column(&node, "status")];
        if (strcmp(ways[i].status, status) != 0)
            print_error("%s\n", ways[i].steps);
        CHECK_STR(ways[i].status, str_of(status));
        CHECK_I64(ways[i].attempt_state, column(&node, "attempt_state"));
        CHECK_I64(ways[i].shown, booking_i64(&node, tickets_shown));
        CHECK_STR(ways[i].available, booking_available(&node, node.arena, &desk.event));
    }
}

TEST(each_op_is_for_its_own_order)
{
    CLEANUP(booking_node_close) struct booking_node node;
    CLEANUP(call_done) struct call call = {0};
    struct desk_of_payment desk = {.node = &node, .attempts = {{booking_user(100)}}};

    booking_node_open(&node, NULL);
    desk.event = booking_add_simple(&node, TOTAL, PRICE);
    desk.order_text = booking_hold(&node, "customer-1", &desk.event, QUANTITY);
    booking_node_call(&node, &call);
    desk.order.uuid = booking_user(7); /* there is no such order */
    CHECK_ERR(ERR_NOT_FOUND, op(&desk, &call, 'B'));
    CHECK_ERR(ERR_NOT_FOUND, op(&desk, &call, 'C'));
    CHECK_ERR(ERR_NOT_FOUND, op(&desk, &call, 'S'));
    CHECK_ERR(ERR_NOT_FOUND, op(&desk, &call, 'A'));
    CHECK(id_parse(ORDER_PREFIX, str_of(desk.order_text), &desk.order.uuid));
    call.caller = (struct caller){.role = ROLE_CUSTOMER, .user = booking_user(2)};
    CHECK_ERR(ERR_NOT_FOUND, op(&desk, &call, 'B'));
    call.caller = (struct caller){.role = ROLE_ADMIN, .user = booking_user(2)};
    CHECK_OK(op(&desk, &call, 'B'));
}

TEST(what_was_cancelled_of_a_promised_order_is_not_given_back_twice)
{
    CLEANUP(booking_node_close) struct booking_node node;
    const struct given_type type = {.name = "Standard", .price_minor = PRICE, .total = TOTAL};
    const struct given_event given = {.vendor = 1,
                                      .status = EVENT_PUBLISHED,
                                      .types = &type,
                                      .type_count = 1,
                                      .limits = {.per_user = 3},
                                      .by_hand = true};
    CLEANUP(call_done) struct call call = {0};
    struct desk_of_payment desk = {.node = &node};
    struct bought bought;

    booking_node_open(&node, NULL);
    desk.event = booking_add_event(&node, &given);
    bought = booking_buy(&node, "customer-1", &desk.event, 3, "cash_on_arrival");
    CHECK_I64(
        200,
        booking_send(&node, "customer-1", "DELETE", NULL, "/tickets/%s", bought.tickets[1]).status);
    CHECK(id_parse(ORDER_PREFIX, str_of(bought.order), &desk.order.uuid));
    booking_node_call(&node, &call);
    {
        CLEANUP(tx_rollback) struct tx tx = {0};
        struct order order;

        CHECK_OK(tx_read(&tx, node.booking->db));
        CHECK_OK(order_get(&tx, &call, desk.order, &order));
        desk.attempts[0] = order.attempt;
    }
    CHECK_OK(op(&desk, &call, 'A'));
    CHECK_STR("10", booking_available(&node, node.arena, &desk.event));
    CHECK_I64(0, booking_i64(&node, "SELECT quantity FROM event_buyer"));
    booking_check_audit(&node);
}

/* --- With payment --- */

TEST(a_card_that_is_refused_leaves_the_tickets_held)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct answer answer;
    const char *order = NULL;

    booking_node_open(&node, NULL);
    event = booking_add_simple(&node, TOTAL, PRICE);
    order = booking_hold(&node, "customer-1", &event, QUANTITY);
    answer = booking_pay(&node, "customer-1", order, "card", "tok_declined");
    check_problem(node.arena, &answer, 402, "card_declined");
    CHECK_STR("held", str_of(booking_status(&node, "customer-1", "/orders/%s", order)));
    answer = booking_pay(&node, "customer-1", order, "card", "tok_visa");
    CHECK_I64(200, answer.status);
    CHECK_STR("confirmed", answer_at(node.arena, &answer, "/order/status"));
    CHECK(answer_at(node.arena, &answer, "/tickets/1/code").ptr != NULL);
    CHECK(answer_at(node.arena, &answer, "/tickets/2").ptr == NULL);
    CHECK_I64(1, booking_told(&node, "order.confirmed", order));
    booking_check_audit(&node);
}
