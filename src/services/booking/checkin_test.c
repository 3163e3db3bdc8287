/* booking/checkin_test.c - at the door: who gets in, who does not and why, and that each gets in
 * once. */

#include "services/booking/checkin.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "support/booking_buy.h"
#include "support/test.h"

#define PRICE   INT64_C(25000)
#define HOUR_MS INT64_C(3600000)

/* --- Rules --- */

/* What is unusual besides the ticket. */
enum {
    CANCELLED = 1,  /* the event */
    ELSEWHERE = 2,  /* the scanner stands at another event */
    OTHER_CODE = 4, /* the code was made for another event */
};

TEST(a_ticket_admits_unless_something_speaks_against_it)
{
    static const struct {
        int status;
        int generation; /* of the row; the code's is 2 */
        int order_status;
        int due_minor;
        int opens_at_ms; /* 0: any time */
        int unusual;
        err expected;
        int fact; /* 0: none */
    } cases[] = {
        {TICKET_VALID,       2, ORDER_CONFIRMED, 0,   0,    0,                      ERR_OK,               0   },
        {TICKET_VALID,       2, ORDER_CONFIRMED, 0,   1000, 0,                      ERR_OK,               0   },
        {TICKET_VALID,       2, ORDER_CONFIRMED, 0,   1001, 0,                      ERR_TOO_EARLY,        1001},
        {TICKET_VALID,       2, ORDER_PENDING,   500, 1001, 0,                      ERR_PAYMENT_DUE,      500 },
        {TICKET_VALID,       2, ORDER_PENDING,   0,   0,    0,                      ERR_OK,               0   },
        {TICKET_USED,        2, ORDER_CONFIRMED, 0,   0,    0,                      ERR_ALREADY_USED,     777 },
        {TICKET_USED,        2, ORDER_CONFIRMED, 0,   1001, 0,                      ERR_TOO_EARLY,        1001},
        {TICKET_CANCELLED,   2, ORDER_CONFIRMED, 0,   1001, 0,                      ERR_TICKET_CANCELLED, 0   },
        {TICKET_REFUNDED,    2, ORDER_REFUNDED,  0,   0,    0,                      ERR_TICKET_CANCELLED, 0   },
        {TICKET_TRANSFERRED, 2, ORDER_CONFIRMED, 0,   0,    0,                      ERR_TICKET_CANCELLED, 0   },
        {TICKET_VALID,       3, ORDER_CONFIRMED, 0,   0,    0,                      ERR_TICKET_CANCELLED, 0   },
        {TICKET_VALID,       1, ORDER_CONFIRMED, 0,   0,    0,                      ERR_INVALID_CODE,     0   },
        {TICKET_VALID,       2, ORDER_CONFIRMED, 0,   0,    CANCELLED,              ERR_TICKET_CANCELLED, 0   },
        {TICKET_CANCELLED,   2, ORDER_CONFIRMED, 0,   0,    ELSEWHERE,              ERR_WRONG_EVENT,      0   },
        {TICKET_VALID,       2, ORDER_CONFIRMED, 0,   0,    ELSEWHERE | OTHER_CODE, ERR_INVALID_CODE,     0   },
    };
    const event_id here = {{{1}}};
    const event_id there = {{{2}}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const int unusual = cases[i].unusual;
        const int opens_at_ms = cases[i].opens_at_ms;
        const struct ticket ticket = {
            .event = here,
            .status = cases[i].status,
            .generation = cases[i].generation,
            .order_status = cases[i].order_status,
            .due_minor = cases[i].due_minor,
            .used_at_ms = 777,
        };
        const struct ticket_code code = {.event = (unusual & OTHER_CODE) != 0 ? there : here,
                                         .generation = 2};
        const struct event event = {
            .status = (unusual & CANCELLED) != 0 ? EVENT_CANCELLED : EVENT_PUBLISHED,
            .checkin_opens_at_ms = opens_at_ms > 0 ? opens_at_ms : JSON_NULL,
        };
        const event_id named = (unusual & ELSEWHERE) != 0 ? there : here;
        const event_id any = {0};
        struct verdict verdict = checkin_judge(&ticket, &code, &event, named, 1000);

        CHECK_ERR(cases[i].expected, verdict.result);
        CHECK_I64(cases[i].fact > 0 ? cases[i].fact : JSON_NULL, verdict.fact);
        verdict = checkin_judge(&ticket, &code, &event, any, 1000);
        CHECK(verdict.result == cases[i].expected || (unusual & ELSEWHERE) != 0);
        CHECK(verdict.result != ERR_WRONG_EVENT);
    }
}

/* --- Over HTTP --- */

static struct answer scan(struct booking_node *node, const char *who, const char *code,
                          const char *nonce, const char *more)
{
    const str body =
        arena_printf(node->arena, "{\"code\":\"%s\",\"device_id\":\"gate 1\",\"nonce\":\"%s\"%s}",
                     code, nonce, more);

    return booking_send(node, who, "POST", body.ptr, "/checkin");
}

static struct known_event event_of(struct booking_node *node, int vendor, int64_t opens_at_ms)
{
    const struct given_type type = {.name = "Standard", .price_minor = PRICE, .total = 100};
    const struct given_event given = {.vendor = vendor,
                                      .status = EVENT_PUBLISHED,
                                      .types = &type,
                                      .type_count = 1,
                                      .by_hand = true,
                                      .checkin_opens_at_ms = opens_at_ms};

    return booking_add_event(node, &given);
}

TEST(the_first_scan_admits_and_the_next_says_when_that_was)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct bought bought;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = event_of(&node, 1, 0);
    bought = booking_buy(&node, "customer-1", &event, 1, "card");
    answer = scan(&node, "vendor-1", bought.codes[0], "1", "");
    CHECK_I64(200, answer.status);
    CHECK_STR("admitted", answer_at(node.arena, &answer, "/result"));
    CHECK_STR(bought.tickets[0], answer_at(node.arena, &answer, "/ticket/id"));
    CHECK_STR("used", answer_at(node.arena, &answer, "/ticket/status"));
    CHECK_STR("2026-11-23T00:00:00Z", answer_at(node.arena, &answer, "/ticket/used_at"));
    CHECK(answer_at(node.arena, &answer, "/ticket/code").ptr == NULL);
    CHECK_I64(1, booking_told(&node, "ticket.checked_in", bought.tickets[0]));

    clock_manual_advance(&node.clock, HOUR_MS);
    answer = scan(&node, "vendor-1", bought.codes[0], "2", "");
    check_problem(node.arena, &answer, 409, "already_used");
    CHECK_STR("2026-11-23T00:00:00Z", answer_at(node.arena, &answer, "/first_scanned_at"));
    CHECK_STR("used",
              str_of(booking_status(&node, "customer-1", "/tickets/%s", bought.tickets[0])));

    answer = booking_send(&node, "customer-1", "DELETE", NULL, "/tickets/%s", bought.tickets[0]);
    check_problem(node.arena, &answer, 409, "not_refundable");
    CHECK_I64(1, booking_told(&node, "ticket.checked_in", ""));
    booking_check_audit(&node);
}

TEST(the_same_scan_is_answered_the_same)
{
    static const struct {
        const char *more; /* of the body */
        const char *code;
    } cases[] = {
        {"",                                                 "admitted"   },
        {",\"event_id\":\"evt_01h455vb4pex5vsknk084sn02q\"", "wrong_event"},
    };
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct bought bought;
    struct answer answer;
    struct answer again;

    booking_node_open(&node, NULL);
    event = event_of(&node, 1, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *nonce = arena_printf(node.arena, "n%zu", i).ptr;

        bought = booking_buy(&node, "customer-1", &event, 2, "card");
        answer = scan(&node, "vendor-1", bought.codes[0], nonce, cases[i].more);
        CHECK_STR(cases[i].code,
                  answer_at(node.arena, &answer, answer.status == 200 ? "/result" : "/code"));
        clock_manual_advance(&node.clock, HOUR_MS);
        again = scan(&node, "vendor-1", bought.codes[0], nonce, cases[i].more);
        CHECK_I64(answer.status, again.status);
        if (answer.status == 200)
            CHECK(str_eq(answer.body, again.body));
        else
            CHECK_STR(cases[i].code, answer_at(node.arena, &again, "/code"));
        again = scan(&node, "vendor-1", bought.codes[1], nonce, "");
        check_problem(node.arena, &again, 422, "idempotency_mismatch");
        /* Another vendor's device of the same name has nonces of its own. */
        again = scan(&node, "admin-1", bought.codes[1], nonce, "");
        CHECK_I64(200, again.status);
    }
    CHECK_I64(3, booking_told(&node, "ticket.checked_in", ""));
}

TEST(a_refusal_stays_the_answer_of_its_scan)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct bought bought;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = event_of(&node, 1, BOOKING_NODE_START_MS + HOUR_MS);
    bought = booking_buy(&node, "customer-1", &event, 1, "card");
    for (int i = 0; i < 2; i++) {
        answer = scan(&node, "vendor-1", bought.codes[0], "early", "");
        check_problem(node.arena, &answer, 409, "too_early");
        CHECK_STR("2026-11-23T01:00:00Z", answer_at(node.arena, &answer, "/checkin_opens_at"));
        clock_manual_advance(&node.clock, HOUR_MS);
    }
    CHECK_I64(200, scan(&node, "vendor-1", bought.codes[0], "late", "").status);
}

TEST(a_scan_that_is_told_of_later_counts_from_when_it_was)
{
    static const struct {
        const char *scanned_at;
        int status;
        const char *used_at;
    } cases[] = {
        {"2026-11-23T00:30:00Z", 409, NULL                  }, /* before check-in opened */
        {"2026-11-23T01:00:00Z", 200, "2026-11-23T01:00:00Z"},
        {"2026-11-23T09:00:00Z", 200, "2026-11-23T02:00:00Z"}, /* a clock that is ahead */
    };
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;

    booking_node_open(&node, NULL);
    event = event_of(&node, 1, BOOKING_NODE_START_MS + HOUR_MS);
    clock_manual_advance(&node.clock, 2 * HOUR_MS);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct bought bought = booking_buy(&node, "customer-1", &event, 1, "card");
        const str more = arena_printf(node.arena, ",\"scanned_at\":\"%s\"", cases[i].scanned_at);
        const struct answer answer =
            scan(&node, "vendor-1", bought.codes[0], bought.tickets[0], more.ptr);

        CHECK_I64(cases[i].status, answer.status);
        if (cases[i].used_at != NULL)
            CHECK_STR(cases[i].used_at, answer_at(node.arena, &answer, "/ticket/used_at"));
    }
}

TEST(promised_money_is_asked_for_at_the_door)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct bought bought;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = event_of(&node, 1, 0);
    bought = booking_buy(&node, "customer-1", &event, 2, "cash_on_arrival");
    answer = scan(&node, "vendor-1", bought.codes[0], "1", "");
    check_problem(node.arena, &answer, 409, "payment_due");
    CHECK_I64(2 * PRICE, answer_i64(node.arena, &answer, "/amount_due/amount"));
    CHECK_STR("EGP", answer_at(node.arena, &answer, "/amount_due/currency"));
    CHECK_I64(
        200,
        booking_send(&node, "vendor-1", "POST", NULL, "/orders/%s/settle", bought.order).status);
    CHECK_I64(200, scan(&node, "vendor-1", bought.codes[0], "2", "").status);
    answer = scan(&node, "vendor-1", bought.codes[0], "1", "");
    check_problem(node.arena, &answer, 409, "payment_due"); /* the same scan, the same answer */
}

TEST(a_dead_code_does_not_admit)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct bought bought;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = event_of(&node, 1, 0);
    bought = booking_buy(&node, "customer-1", &event, 2, "card");
    CHECK_I64(
        200,
        booking_send(&node, "customer-1", "DELETE", NULL, "/tickets/%s", bought.tickets[0]).status);
    answer = scan(&node, "vendor-1", bought.codes[0], "1", "");
    check_problem(node.arena, &answer, 409, "cancelled");
    /* A new code for the same ticket kills the old one. */
    booking_exec(&node, "UPDATE ticket SET generation = generation + 1 WHERE status = 0");
    answer = scan(&node, "vendor-1", bought.codes[1], "2", "");
    check_problem(node.arena, &answer, 409, "cancelled");
    answer = booking_send(&node, "customer-1", "GET", NULL, "/tickets/%s", bought.tickets[1]);
    const char *code = arena_cstr(node.arena, answer_at(node.arena, &answer, "/code"));
    CHECK(strcmp(code, bought.codes[1]) != 0);
    CHECK_I64(200, scan(&node, "vendor-1", code, "3", "").status);
}

TEST(who_may_scan_what)
{
    static const struct {
        const char *who;
        int status;
        const char *code; /* NULL: admitted */
    } cases[] = {
        {"vendor-2",   422, "invalid_code"   },
        {"customer-1", 403, "forbidden"      },
        {NULL,         401, "unauthenticated"},
        {"vendor-1",   200, NULL             },
        {"admin-1",    200, NULL             },
    };
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;
    struct answer answer;

    booking_node_open(&node, NULL);
    event = event_of(&node, 1, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct bought bought = booking_buy(&node, "customer-1", &event, 1, "card");

        answer = scan(&node, cases[i].who, bought.codes[0], bought.tickets[0], "");
        CHECK_I64(cases[i].status, answer.status);
        if (cases[i].code != NULL)
            check_problem(node.arena, &answer, cases[i].status, cases[i].code);
    }
    CHECK_I64(2, booking_i64(&node, "SELECT count(*) FROM scan"));
}

TEST(a_bad_scan_is_refused)
{
    static const struct {
        const char *body;
        err expected;
    } cases[] = {
        {"{\"code\":\"x\",\"device_id\":\"d\",\"nonce\":\"n\"}",                      ERR_INVALID_CODE },
        {"{\"code\":\"T1:\",\"device_id\":\"d\",\"nonce\":\"n\"}",                    ERR_INVALID_CODE },
        {"{\"code\":\"\\u062a\",\"device_id\":\"d\",\"nonce\":\"n\"}",                ERR_INVALID_CODE },
        {"{\"code\":\"x\",\"device_id\":\"d\"}",                                      ERR_INVALID      },
        {"{\"code\":\"x\",\"nonce\":\"n\"}",                                          ERR_INVALID      },
        {"{\"device_id\":\"d\",\"nonce\":\"n\"}",                                     ERR_INVALID      },
        {"{\"code\":\"x\",\"device_id\":\"\",\"nonce\":\"n\"}",                       ERR_INVALID      },
        {"{\"code\":\"x\",\"device_id\":\"d\",\"nonce\":\"n\",\"list_id\":\"l\"}",    ERR_INVALID      },
        {"{\"code\":\"x\",\"device_id\":\"d\",\"nonce\":\"n\",\"scanned_at\":\"1\"}", ERR_INVALID      },
        {"{\"code\":\"x\",\"device_id\":\"d\",\"nonce\":\"n\",\"x\":1}",              ERR_UNKNOWN_FIELD},
    };
    CLEANUP(booking_node_close) struct booking_node node;

    booking_node_open(&node, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct answer answer =
            booking_send(&node, "vendor-1", "POST", cases[i].body, "/checkin");

        check_problem(node.arena, &answer, err_status(cases[i].expected),
                      err_name(cases[i].expected));
    }
}

/* --- Races --- */

enum { GATES = 8, SCANS = 25, SCANS_IN_ALL = GATES * SCANS };

struct gate {
    struct booking_node *node;
    const char *code;
    const char *ticket; /* cancels it instead of scanning; NULL: scans */
    int number;
    struct arena *arena;
    int admitted;
    int refused;
};

static void *stand_at_gate(void *arg)
{
    struct gate *gate = arg;

    for (int i = 0; i < SCANS; i++) {
        const str body = arena_printf(
            gate->arena, "{\"code\":\"%s\",\"device_id\":\"gate-%d\",\"nonce\":\"%d\"}", gate->code,
            gate->number, i);
        const struct ask ask = {
            .who = "vendor-1", .method = "POST", .path = "/checkin", .body = body.ptr};
        const struct answer answer = booking_ask(gate->node, gate->arena, &ask);

        gate->admitted += answer.status == 200;
        gate->refused += answer.status == 409;
    }
    return NULL;
}

static void *cancel_ticket(void *arg)
{
    struct gate *gate = arg;
    const struct ask ask = {.who = "customer-1",
                            .method = "DELETE",
                            .path = arena_printf(gate->arena, "/tickets/%s", gate->ticket).ptr};
    const struct answer answer = booking_ask(gate->node, gate->arena, &ask);

    gate->admitted += answer.status == 200;
    gate->refused += answer.status == 409;
    return NULL;
}

static void run_gates(struct gate *gates, int count)
{
    pthread_t threads[GATES];

    for (int i = 0; i < count; i++) {
        gates[i].arena = arena_open(0);
        CHECK(pthread_create(&threads[i], NULL,
                             gates[i].ticket != NULL ? cancel_ticket : stand_at_gate,
                             &gates[i]) == 0);
    }
    for (int i = 0; i < count; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        arena_close(gates[i].arena);
    }
}

TEST(of_two_hundred_scans_at_once_one_admits)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct gate gates[GATES];
    struct known_event event;
    struct bought bought;
    int admitted = 0;
    int refused = 0;

    booking_node_open(&node, NULL);
    event = event_of(&node, 1, 0);
    bought = booking_buy(&node, "customer-1", &event, 1, "card");
    for (int i = 0; i < GATES; i++)
        gates[i] = (struct gate){.node = &node, .code = bought.codes[0], .number = i};
    run_gates(gates, GATES);
    for (int i = 0; i < GATES; i++) {
        admitted += gates[i].admitted;
        refused += gates[i].refused;
    }
    CHECK_I64(1, admitted);
    CHECK_I64(SCANS_IN_ALL - 1, refused);
    CHECK_I64(1, booking_told(&node, "ticket.checked_in", ""));
    CHECK_I64(SCANS_IN_ALL, booking_i64(&node, "SELECT count(*) FROM scan"));
}

TEST(a_ticket_is_used_or_given_back_never_both)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event event;

    booking_node_open(&node, NULL);
    event = event_of(&node, 1, 0);
    for (int round = 0; round < 10; round++) {
        const struct bought bought = booking_buy(&node, "customer-1", &event, 1, "card");
        struct gate gates[2] = {
            {.node = &node, .code = bought.codes[0], .number = round            },
            {.node = &node, .code = bought.codes[0], .ticket = bought.tickets[0]},
        };
        const bool given_back_first = round % 2 == 0;

        if (given_back_first) {
            const struct gate gate = gates[0];

            gates[0] = gates[1];
            gates[1] = gate;
        }
        run_gates(gates, 2);
        CHECK_I64(1, gates[0].admitted + gates[1].admitted);
        CHECK_I64(SCANS, gates[0].refused + gates[1].refused);
    }
    booking_check_audit(&node);
}
