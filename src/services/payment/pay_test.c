/* payment/pay_test.c - POST /payment over HTTP, with the real booking behind it. */
#include "services/payment/pay.h"

#include "services/payment/pay_fixture.h"
#include "support/test.h"

enum { TWINS = 10 };

static void check_at(struct office *office, const char *want, const struct answer *answer,
                     const char *pointer)
{
    CHECK_STR(want, answer_at(office->arena, answer, pointer));
}

static int64_t charges(struct office *office, int status)
{
    return office_i64(
        office, "payment",
        arena_printf(office->arena, "SELECT count(*) FROM sandbox_charge WHERE status = %d", status)
            .ptr);
}
enum { CAPTURED = 3 };

TEST(a_card_pays_an_order_and_brings_its_tickets)
{
    static const struct {
        const char *token;
        const char *brand;
    } cases[] = {
        {"tok_visa",       "visa"      },
        {"tok_mastercard", "mastercard"},
    };
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const str order = sale_held(&office);
        const struct answer answer = sale_pay_card(&office, cases[i].token, order, cases[i].token);

        check_status(200, &answer);
        check_at(&office, "succeeded", &answer, "/payment/status");
        check_at(&office, "card", &answer, "/payment/method");
        check_at(&office, cases[i].brand, &answer, "/payment/brand");
        check_at(&office, "{\"amount\":10000,\"currency\":\"EGP\"}", &answer, "/payment/amount");
        check_at(&office, NULL, &answer, "/payment/failure");
        check_at(&office, "confirmed", &answer, "/order/status");
        check_at(&office, "valid", &answer, "/tickets/1/status");
        check_at(&office, NULL, &answer, "/tickets/2");
        CHECK_STR(NULL, answer_header(&answer, "Idempotency-Replayed"));
    }
    CHECK_I64(2, charges(&office, CAPTURED));
}

TEST(ten_identical_requests_at_once_charge_once_and_get_equal_answers)
{
    static const char *const tokens[] = {"tok_visa", "tok_declined", "tok_error", "tok_timeout"};
    static const int64_t captured[] = {1, 0, 0, 1};
    CLEANUP(office_close) struct office office;

    for (size_t t = 0; t < sizeof(tokens) / sizeof(tokens[0]); t++) {
        struct ask asks[TWINS];
        struct answer answers[TWINS];
        int replayed = 0;

        sale_open(&office);
        const str order = sale_held(&office);
        const str rest =
            arena_printf(office.arena, "\"method\":\"card\",\"token\":\"%s\"", tokens[t]);
        for (size_t i = 0; i < TWINS; i++)
            asks[i] = sale_paying(&office, "once", order, rest.ptr);
        office_ask_together(&office, asks, TWINS, answers);
        for (size_t i = 0; i < TWINS; i++) {
            CHECK_I64(answers[0].status, answers[i].status);
            if (answers[0].status != 503) /* what had no effect is tried anew by each */
                CHECK_STR(answer_at(office.arena, &answers[0], "/payment/id").ptr,
                          answer_at(office.arena, &answers[i], "/payment/id"));
            if (answers[0].status == 200)
                CHECK_STR(arena_cstr(office.arena, answers[0].body), answers[i].body);
            replayed += answer_header(&answers[i], "Idempotency-Replayed").ptr != NULL;
        }
        CHECK_I64(answers[0].status == 503 ? 0 : TWINS - 1, replayed);
        office_advance(&office, 5000);
        CHECK_I64(captured[t], charges(&office, CAPTURED));
        CHECK(office_i64(&office, "payment", "SELECT count(*) FROM sandbox_charge") <= 1);
        office_close(&office);
    }
}

TEST(the_same_again_replays_and_anything_else_is_a_mismatch)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str order = sale_held(&office);
    const struct answer first = sale_pay_card(&office, "a", order, "tok_visa");
    check_status(200, &first);
    for (int i = 0; i < 2; i++) {
        /* Bodies are compared as JSON, not as text. */
        const struct answer again =
            sale_pay(&office, "a", order, "\n \"token\" : \"tok_visa\", \"method\":\"c\\u0061rd\"");
        check_status(200, &again);
        CHECK_STR("true", answer_header(&again, "Idempotency-Replayed"));
        CHECK_STR(arena_cstr(office.arena, first.body), again.body);
        office_restart(&office);
    }
    const struct answer other = sale_pay_card(&office, "a", order, "tok_mastercard");
    check_problem(office.arena, &other, 422, "idempotency_mismatch");
    const struct answer paid = sale_pay_card(&office, "b", order, "tok_visa");
    check_problem(office.arena, &paid, 409, "already_paid");
    const struct answer none = sale_pay_card(&office, NULL, order, "tok_visa");
    check_problem(office.arena, &none, 400, "idempotency_key_required");
    CHECK_I64(1, charges(&office, CAPTURED));
}

TEST(keys_belong_to_the_account)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str booking = sale_event(&office, 5000, "[{\"type\":\"card\"}]");
    const str mine = sale_book(&office, "customer-1", booking);
    const str yours = sale_book(&office, "customer-2", booking);
    struct ask ask = sale_paying(&office, "a", yours, "\"method\":\"card\",\"token\":\"tok_visa\"");
    ask.who = "customer-2";
    const struct answer first = sale_pay_card(&office, "a", mine, "tok_visa");
    const struct answer second = office_ask(&office, &ask);
    check_status(200, &first);
    check_status(200, &second);
    CHECK_STR(NULL, answer_header(&second, "Idempotency-Replayed"));
    CHECK_I64(2, charges(&office, CAPTURED));
}

TEST(a_request_that_says_nonsense_is_refused_and_leaves_no_trace)
{
    static const struct {
        const char *rest;
        int status;
        const char *code;
        const char *pointer; /* NULL: none */
    } cases[] = {
        {"\"method\":\"card\"",                                                       422, "invalid_field",       "/token"            },
        {"\"method\":\"card\",\"token\":\"tok_nobody\"",                              422, "invalid_field",       "/token"            },
        {"\"method\":\"card\",\"token\":\"\"",                                        422, "invalid_field",       "/token"            },
        {"\"method\":\"magic\"",                                                      422, "invalid_field",       "/method"           },
        {"\"method\":\"visa\",\"token\":\"tok_visa\"",                                422, "invalid_field",       "/method"           },
        {"\"method\":\"cash_on_arrival\",\"token\":\"tok_visa\"",                     422, "invalid_field",       "/token"            },
        {"\"method\":\"card\",\"token\":\"tok_visa\",\"payment_method_id\":\"pm_1\"", 422,
         "invalid_field",                                                                                         "/payment_method_id"},
        {"\"token\":\"tok_visa\"",                                                    422, "invalid_field",       "/method"           },
        {"\"method\":\"card\",\"token\":\"tok_visa\",\"tip\":1",                      400, "unknown_field",       "/tip"              },
        {"\"method\":\"card\",",                                                      400, "malformed",           NULL                },
        {"\"method\":\"cash_on_arrival\"",                                            422, "method_not_accepted", NULL                },
        {"\"method\":\"bank_transfer\"",                                              422, "method_not_accepted", NULL                },
        {"\"method\":\"free\"",                                                       422, "method_not_accepted", NULL                },
    };
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str order = sale_held(&office);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct answer answer = sale_pay(&office, "a", order, cases[i].rest);

        check_problem(office.arena, &answer, cases[i].status, cases[i].code);
        check_at(&office, cases[i].pointer, &answer, "/errors/0/pointer");
        CHECK_I64(0, office_i64(&office, "payment", "SELECT count(*) FROM payment_attempt"));
    }
    const struct answer paid = sale_pay_card(&office, "a", order, "tok_visa"); /* the key is free */
    check_status(200, &paid);
}

TEST(an_event_that_takes_one_brand_takes_no_other)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str order =
        sale_book(&office, "customer-1", sale_event(&office, 5000, "[{\"type\":\"mastercard\"}]"));
    const struct answer visa = sale_pay_card(&office, "a", order, "tok_visa");
    check_problem(office.arena, &visa, 422, "method_not_accepted");
    const struct answer mastercard = sale_pay_card(&office, "a", order, "tok_mastercard");
    check_status(200, &mastercard);
}

TEST(an_order_is_paid_by_whom_it_belongs_to)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str order = sale_held(&office);
    struct ask ask = sale_paying(&office, "a", order, "\"method\":\"card\",\"token\":\"tok_visa\"");
    ask.who = "customer-2";
    const struct answer foreign = office_ask(&office, &ask);
    check_problem(office.arena, &foreign, 404, "not_found");
    ask.who = NULL;
    const struct answer nobody = office_ask(&office, &ask);
    check_problem(office.arena, &nobody, 401, "unauthenticated");
    const struct answer unknown =
        sale_pay_card(&office, "a", STR("ord_01h455vb4pex5vsknk084sn02q"), "tok_visa");
    check_problem(office.arena, &unknown, 404, "not_found");
    const struct answer wrong =
        sale_pay_card(&office, "a", STR("evt_01h455vb4pex5vsknk084sn02q"), "tok_visa");
    check_problem(office.arena, &wrong, 422, "invalid_field");
    CHECK_I64(0, office_i64(&office, "payment", "SELECT count(*) FROM payment_attempt"));
}

TEST(a_refused_card_leaves_the_tickets_held_for_another_try)
{
    static const struct {
        const char *token;
        const char *code;
    } cases[] = {
        {"tok_declined",           "card_declined"     },
        {"tok_insufficient_funds", "insufficient_funds"},
    };
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str order = sale_held(&office);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct answer first = sale_pay_card(&office, cases[i].token, order, cases[i].token);
        const struct answer again = sale_pay_card(&office, cases[i].token, order, cases[i].token);

        check_problem(office.arena, &first, 402, cases[i].code);
        check_at(&office, "failed", &first, "/payment/status");
        CHECK_STR(NULL, answer_header(&first, "Idempotency-Replayed"));
        check_problem(office.arena, &again, 402, cases[i].code);
        CHECK_STR("true", answer_header(&again, "Idempotency-Replayed"));
        CHECK_STR(answer_at(office.arena, &first, "/payment/id").ptr,
                  answer_at(office.arena, &again, "/payment/id"));
        const struct answer shown = sale_get(&office, "/orders/", order);
        check_at(&office, "held", &shown, "/status");
    }
    const struct answer paid = sale_pay_card(&office, "c", order, "tok_visa");
    check_status(200, &paid);
    CHECK_I64(1, charges(&office, CAPTURED));
}

TEST(a_provider_that_is_down_keeps_neither_money_nor_key)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str order = sale_held(&office);
    for (int i = 0; i < 2; i++) {
        const struct answer down = sale_pay_card(&office, "a", order, "tok_error");
        check_problem(office.arena, &down, 503, "provider_unavailable");
        CHECK(answer_header(&down, "Retry-After").size > 0);
        CHECK_STR(NULL, answer_header(&down, "Idempotency-Replayed"));
    }
    const struct answer shown = sale_get(&office, "/orders/", order);
    check_at(&office, "held", &shown, "/status");
    const struct answer paid = sale_pay_card(&office, "a", order, "tok_visa");
    check_status(200, &paid);
}

TEST(what_the_provider_answers_late_ends_in_the_background)
{
    static const char *const tokens[] = {"tok_timeout", "tok_slow"};
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
        const str order = sale_held(&office);
        const struct answer pending = sale_pay_card(&office, tokens[i], order, tokens[i]);

        check_status(200, &pending);
        check_at(&office, "pending", &pending, "/payment/status");
        check_at(&office, "held", &pending, "/order/status");
        check_at(&office, "[]", &pending, "/tickets");
        const str key = arena_printf(office.arena, "other-%zu", i);
        const struct answer other = sale_pay_card(&office, key.ptr, order, "tok_visa");
        check_status(200, &other); /* the attempt that is under way is the answer */
        CHECK_STR(answer_at(office.arena, &pending, "/payment/id").ptr,
                  answer_at(office.arena, &other, "/payment/id"));
        office_advance(&office, 5000);
        const struct answer again = sale_pay_card(&office, tokens[i], order, tokens[i]);
        check_status(200, &again);
        CHECK_STR("true", answer_header(&again, "Idempotency-Replayed"));
        check_at(&office, "succeeded", &again, "/payment/status");
        check_at(&office, "confirmed", &again, "/order/status");
        check_at(&office, "valid", &again, "/tickets/0/status");
    }
    CHECK_I64(2, charges(&office, CAPTURED));
}

TEST(a_hold_that_has_ended_cannot_be_paid)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str order = sale_held(&office);
    office_advance(&office, INT64_C(600000));
    for (int i = 0; i < 2; i++) {
        const struct answer answer = sale_pay_card(&office, "a", order, "tok_visa");
        check_problem(office.arena, &answer, 410, "order_expired");
        CHECK_STR(NULL, answer_header(&answer, "Idempotency-Replayed"));
    }
    CHECK_I64(0, office_i64(&office, "payment", "SELECT count(*) FROM payment_attempt"));
}

TEST(three_d_secure_approved_brings_the_tickets)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str order = sale_held(&office);
    const struct answer asked = sale_pay_card(&office, "a", order, "tok_3ds");
    check_status(200, &asked);
    check_at(&office, "requires_action", &asked, "/payment/status");
    const str page = answer_at(office.arena, &asked, "/payment/redirect_url");
    const str approve = arena_printf(office.arena, "%.*s/approve", STR_ARG(page));
    const struct ask approved = {.method = "POST", .path = approve.ptr};
    CHECK_I64(303, office_ask(&office, &approved).status);
    const struct answer paid = sale_pay_card(&office, "a", order, "tok_3ds");
    check_at(&office, "succeeded", &paid, "/payment/status");
    check_at(&office, "confirmed", &paid, "/order/status");
    CHECK_I64(1, charges(&office, CAPTURED));
}

TEST(what_costs_nothing_is_free_and_what_is_not_free_is_paid)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str order =
        sale_book(&office, "customer-1", sale_event(&office, 0, "[{\"type\":\"card\"}]"));
    const struct answer card = sale_pay_card(&office, "a", order, "tok_visa");
    check_problem(office.arena, &card, 422, "method_not_accepted");
    const struct answer free = sale_pay(&office, "b", order, "\"method\":\"free\"");
    check_status(200, &free);
    check_at(&office, "succeeded", &free, "/payment/status");
    check_at(&office, "confirmed", &free, "/order/status");
    check_at(&office, "valid", &free, "/tickets/0/status");
    CHECK_I64(0, office_i64(&office, "payment", "SELECT count(*) FROM sandbox_charge"));
}

TEST(cash_brings_tickets_at_once_and_a_transfer_when_it_has_come)
{
    static const struct {
        const char *method;
        bool has_tickets;
    } cases[] = {
        {"cash_on_arrival", true },
        {"bank_transfer",   false},
    };
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const str methods = arena_printf(office.arena, "[{\"type\":\"%s\"}]", cases[i].method);
        const str order = sale_book(&office, "customer-1", sale_event(&office, 5000, methods.ptr));
        const str rest = arena_printf(office.arena, "\"method\":\"%s\"", cases[i].method);
        const struct answer answer = sale_pay(&office, cases[i].method, order, rest.ptr);

        check_status(200, &answer);
        check_at(&office, "pending", &answer, "/payment/status");
        check_at(&office, "pending", &answer, "/order/status");
        CHECK_I64(cases[i].has_tickets,
                  answer_at(office.arena, &answer, "/tickets/0/id").ptr != NULL);
        const struct answer again = sale_pay(&office, cases[i].method, order, rest.ptr);
        CHECK_STR("true", answer_header(&again, "Idempotency-Replayed"));
        check_at(&office, "pending", &again, "/payment/status");
        const struct answer other = sale_pay(&office, "other", order, rest.ptr);
        check_problem(office.arena, &other, 409, "already_paid");
    }
    CHECK_I64(0, office_i64(&office, "payment", "SELECT count(*) FROM sandbox_charge"));
}

TEST(a_key_that_was_answered_with_another_keys_payment_keeps_that_answer)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str order = sale_held(&office);
    const struct answer first = sale_pay_card(&office, "a", order, "tok_slow");
    const struct answer second = sale_pay_card(&office, "b", order, "tok_visa");
    check_status(200, &second);
    CHECK_STR(NULL, answer_header(&second, "Idempotency-Replayed"));
    CHECK_STR(answer_at(office.arena, &first, "/payment/id").ptr,
              answer_at(office.arena, &second, "/payment/id"));
    const struct answer mismatch = sale_pay_card(&office, "b", order, "tok_mastercard");
    check_problem(office.arena, &mismatch, 422, "idempotency_mismatch");

    static const char *const statuses[] = {"pending", "succeeded", "succeeded"};
    for (size_t i = 0; i < 3; i++) { /* at once, when it is paid, and after a restart */
        const struct answer again = sale_pay_card(&office, "b", order, "tok_visa");

        check_status(200, &again);
        CHECK_STR("true", answer_header(&again, "Idempotency-Replayed"));
        check_at(&office, statuses[i], &again, "/payment/status");
        CHECK_STR(answer_at(office.arena, &first, "/payment/id").ptr,
                  answer_at(office.arena, &again, "/payment/id"));
        office_advance(&office, 5000);
        if (i == 1)
            office_restart(&office);
    }
    CHECK_I64(1, charges(&office, CAPTURED));
    sale_check_audit(&office);
}

TEST(such_a_key_keeps_its_status_and_a_new_one_pays)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str order = sale_held(&office);
    const struct answer asked = sale_pay_card(&office, "a", order, "tok_3ds");
    const struct answer other = sale_pay_card(&office, "b", order, "tok_visa");
    check_at(&office, "requires_action", &other, "/payment/status");
    const str decline =
        arena_printf(office.arena, "%.*s/decline",
                     STR_ARG(answer_at(office.arena, &asked, "/payment/redirect_url")));
    const struct ask declined = {.method = "POST", .path = decline.ptr};
    CHECK_I64(303, office_ask(&office, &declined).status);
    office_run_due(&office);
    const struct answer again = sale_pay_card(&office, "b", order, "tok_visa");
    check_status(200, &again);
    check_at(&office, "failed", &again, "/payment/status");
    const struct answer paid = sale_pay_card(&office, "c", order, "tok_visa");
    check_at(&office, "succeeded", &paid, "/payment/status");
    CHECK_I64(1, charges(&office, CAPTURED));
}

TEST(ten_twins_of_such_a_key_get_equal_answers)
{
    CLEANUP(office_close) struct office office;
    struct ask asks[TWINS];
    struct answer answers[TWINS];
    int replayed = 0;

    sale_open(&office);
    const str order = sale_held(&office);
    const struct answer first = sale_pay_card(&office, "a", order, "tok_timeout");
    check_at(&office, "pending", &first, "/payment/status");
    for (size_t i = 0; i < TWINS; i++)
        asks[i] = sale_paying(&office, "b", order, "\"method\":\"card\",\"token\":\"tok_visa\"");
    office_ask_together(&office, asks, TWINS, answers);
    for (size_t i = 0; i < TWINS; i++) {
        check_status(200, &answers[i]);
        CHECK_STR(arena_cstr(office.arena, first.body), answers[i].body);
        replayed += answer_header(&answers[i], "Idempotency-Replayed").ptr != NULL;
    }
    CHECK_I64(TWINS - 1, replayed);
    office_advance(&office, 5000);
    CHECK_I64(1, charges(&office, CAPTURED));
}
