/* payment/sandbox_page_test.c - the sandbox's 3-D Secure page. */
#include "services/payment/sandbox_page.h"

#include <string.h>

#include "services/payment/till_fixture.h"
#include "support/test.h"

static struct answer ask_page(struct office *office, const char *method, str path)
{
    const struct ask ask = {.method = method, .path = arena_cstr(office->arena, path)};

    return office_ask(office, &ask);
}

/* Where the buyer is sent. */
static str challenged(struct office *office, order_id order, const char *key)
{
    const struct answer answer = till_pay(office, "customer-1", key, order, "tok_3ds");

    check_status(200, &answer);
    CHECK_STR("requires_action", answer_at(office->arena, &answer, "/payment/status"));
    return answer_at(office->arena, &answer, "/payment/redirect_url");
}

static str below(struct office *office, str page, const char *what)
{
    return arena_printf(office->arena, "%.*s/%s", STR_ARG(page), what);
}

TEST(the_page_asks_for_the_amount_and_runs_no_script)
{
    CLEANUP(office_close) struct office office;

    till_open(&office);
    const str page = challenged(&office, stand_in_sell(office_user(1), 12345, NULL), "a");
    const struct answer answer = ask_page(&office, "GET", page);
    const char *html = arena_cstr(office.arena, answer.body);
    check_status(200, &answer);
    CHECK_STR("text/html; charset=utf-8", answer_header(&answer, "Content-Type"));
    CHECK_STR("default-src 'none'; form-action 'self'; frame-ancestors 'none'",
              answer_header(&answer, "Content-Security-Policy"));
    CHECK(strstr(html, "EGP 123.45") != NULL);
    CHECK(strstr(html, below(&office, page, "approve").ptr) != NULL);
    CHECK(strstr(html, below(&office, page, "decline").ptr) != NULL);
    CHECK(strstr(html, "<script") == NULL);
}

TEST(approved_pays_and_sends_the_buyer_back)
{
    CLEANUP(office_close) struct office office;

    till_open(&office);
    const order_id order = stand_in_sell(office_user(1), 10000, NULL);
    const str page = challenged(&office, order, "a");
    const struct answer answer = ask_page(&office, "POST", below(&office, page, "approve"));
    check_status(303, &answer);
    CHECK_STR(
        arena_printf(office.arena, "/?order=%s", id_format(ORDER_PREFIX, order.uuid).text).ptr,
        answer_header(&answer, "Location"));
    CHECK_I64(STAND_IN_SETTLED, stand_in_order(order).state);
    CHECK_I64(1, till_charges(&office, order, CHARGE_CAPTURED));

    const struct answer again = ask_page(&office, "POST", below(&office, page, "decline"));
    check_problem(office.arena, &again, 409, "conflict");
    CHECK_I64(1, till_charges(&office, order, CHARGE_CAPTURED));
}

TEST(declined_charges_nothing_and_the_order_can_be_paid_again)
{
    CLEANUP(office_close) struct office office;

    till_open(&office);
    const order_id order = stand_in_sell(office_user(1), 10000, NULL);
    const str page = challenged(&office, order, "a");
    const struct answer answer = ask_page(&office, "POST", below(&office, page, "decline"));
    check_status(303, &answer);
    CHECK_I64(STAND_IN_ABORTED, stand_in_order(order).state);
    const struct answer replay = till_pay(&office, "customer-1", "a", order, "tok_3ds");
    check_status(200, &replay); /* as it was answered first, with what has become of it */
    CHECK_STR("failed", answer_at(office.arena, &replay, "/payment/status"));
    CHECK_STR("card_declined", answer_at(office.arena, &replay, "/payment/failure"));
    CHECK_STR(NULL, answer_at(office.arena, &replay, "/payment/redirect_url"));
    const struct answer next = till_pay(&office, "customer-1", "b", order, "tok_visa");
    CHECK_STR("succeeded", answer_at(office.arena, &next, "/payment/status"));
}

TEST(an_approval_with_booking_away_is_finished_later)
{
    CLEANUP(office_close) struct office office;

    till_open(&office);
    const order_id order = stand_in_sell(office_user(1), 10000, NULL);
    const str page = challenged(&office, order, "a");
    stand_in_fail(NULL, FAULT_DOWN, 1, 1);
    const struct answer answer = ask_page(&office, "POST", below(&office, page, "approve"));
    check_status(303, &answer);
    CHECK_I64(STAND_IN_LIVE, stand_in_order(order).state);
    office_advance(&office, 2000);
    CHECK_I64(STAND_IN_SETTLED, stand_in_order(order).state);
}

TEST(there_is_a_page_only_for_what_waits_for_one)
{
    static const char *const pages[] = {"/sandbox/3ds/pay_01h455vb4pex5vsknk084sn02q",
                                        "/sandbox/3ds/ord_01h455vb4pex5vsknk084sn02q",
                                        "/sandbox/3ds/1"};
    CLEANUP(office_close) struct office office;

    till_open(&office);
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        const struct answer shown = ask_page(&office, "GET", str_of(pages[i]));
        const struct answer approved =
            ask_page(&office, "POST", below(&office, str_of(pages[i]), "approve"));

        check_problem(office.arena, &shown, 404, "not_found");
        check_problem(office.arena, &approved, 404, "not_found");
    }
}
