/* payment/by_hand_test.c - cash and transfers with the real booking: as much is taken as is due,
 * and what is not due any more is expected of nobody. */
#include "services/payment/attempt.h"

#include "services/payment/pay_fixture.h"
#include "support/test.h"

static const char *const by_hand[] = {"cash_on_arrival", "bank_transfer"};

/* An order of customer 1 over 2 x 50.00 that is promised. */
static str promised(struct office *office, const char *method, str booking)
{
    const str order = sale_book(office, "customer-1", booking);
    const str rest = arena_printf(office->arena, "\"method\":\"%s\"", method);
    const str key = arena_printf(office->arena, "pay-%zu", arena_used(office->arena));
    const struct answer answer = sale_pay(office, key.ptr, order, rest.ptr);

    check_status(200, &answer);
    CHECK_STR("pending", answer_at(office->arena, &answer, "/order/status"));
    return order;
}

static str event_by_hand(struct office *office)
{
    return sale_event(office, 5000,
                      "[{\"type\":\"cash_on_arrival\"},{\"type\":\"bank_transfer\"}]");
}

static struct answer send(struct office *office, const char *who, const char *method,
                          const char *path, str id, const char *rest)
{
    const str full = arena_printf(office->arena, "%s%.*s%s", path, STR_ARG(id), rest);
    const struct ask ask = {.who = who, .method = method, .path = full.ptr};

    return office_ask(office, &ask);
}

static str ticket_of(struct office *office, str order, int index)
{
    const struct answer shown = sale_get(office, "/orders/", order);

    return answer_at(office->arena, &shown, arena_printf(office->arena, "/tickets/%d", index).ptr);
}

static struct answer settle(struct office *office, str order)
{
    return send(office, "vendor-1", "POST", "/orders/", order, "/settle");
}

TEST(what_was_cancelled_before_the_money_came_is_not_taken)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str order = promised(&office, "cash_on_arrival", event_by_hand(&office));
    const str first = ticket_of(&office, order, 0);
    const str second = ticket_of(&office, order, 1);
    CHECK_I64(200, send(&office, "customer-1", "DELETE", "/tickets/", first, "").status);
    const struct answer settled = settle(&office, order);
    check_status(200, &settled);
    CHECK_I64(5000, sale_i64(&office, "SELECT amount_minor FROM payment_attempt"));
    CHECK_I64(ATTEMPT_SUCCEEDED, sale_i64(&office, "SELECT state FROM payment_attempt"));

    /* So no more can be given back. */
    const struct answer back = send(&office, "customer-1", "DELETE", "/tickets/", second, "");
    check_status(200, &back);
    CHECK_I64(5000, answer_i64(office.arena, &back, "/refund/amount/amount"));
    CHECK_STR("succeeded", answer_at(office.arena, &back, "/refund/status"));
    CHECK_I64(5000, sale_i64(&office, "SELECT refunded_minor FROM payment_attempt"));
    sale_check_audit(&office);
}

TEST(money_whose_arrival_was_told_twice_counts_as_it_was_due)
{
    static const struct test_trigger no_success = {
        .name = "no_success",
        .when = "BEFORE UPDATE",
        .table = "payment_attempt",
        .where = "NEW.state = 10",
    };
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str order = promised(&office, "cash_on_arrival", event_by_hand(&office));
    const str first = ticket_of(&office, order, 0);
    CHECK_I64(200, send(&office, "customer-1", "DELETE", "/tickets/", first, "").status);
    /* As a crash leaves it that comes between booking's write and ours. */
    office_add_trigger(&office, "payment", &no_success);
    CHECK(settle(&office, order).status >= 500);
    office_drop_trigger(&office, "payment", &no_success);
    CHECK_I64(ATTEMPT_CAPTURED, sale_i64(&office, "SELECT state FROM payment_attempt"));
    CHECK_I64(10000, sale_i64(&office, "SELECT amount_minor FROM payment_attempt"));
    office_restart(&office);
    office_advance(&office, ATTEMPT_LEASE_MS);
    CHECK_I64(ATTEMPT_SUCCEEDED, sale_i64(&office, "SELECT state FROM payment_attempt"));
    CHECK_I64(5000, sale_i64(&office, "SELECT amount_minor FROM payment_attempt"));
    sale_check_audit(&office);
}

TEST(nobody_waits_for_the_money_of_an_order_that_its_buyer_cancelled)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str order = promised(&office, "cash_on_arrival", event_by_hand(&office));
    const str tickets[] = {ticket_of(&office, order, 0), ticket_of(&office, order, 1)};
    for (size_t i = 0; i < 2; i++) {
        CHECK_I64(ATTEMPT_WAITING, sale_i64(&office, "SELECT state FROM payment_attempt"));
        CHECK_I64(200, send(&office, "customer-1", "DELETE", "/tickets/", tickets[i], "").status);
        office_run_due(&office);
    }
    CHECK_I64(ATTEMPT_VOIDED, sale_i64(&office, "SELECT state FROM payment_attempt"));
    const struct answer late = settle(&office, order);
    check_problem(office.arena, &late, 409, "conflict");
    sale_check_audit(&office);
}

TEST(a_cancelled_event_ends_what_was_promised_for_it)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    for (size_t i = 0; i < sizeof(by_hand) / sizeof(by_hand[0]); i++) {
        const str booking = event_by_hand(&office);
        const str order = promised(&office, by_hand[i], booking);
        const struct answer shown = sale_get(&office, "/orders/", order);
        const str event = answer_at(office.arena, &shown, "/event_id");

        CHECK_I64(202, send(&office, "vendor-1", "DELETE", "/events/", event, "").status);
        office_run_due(&office);
        CHECK_I64((int64_t)i + 1,
                  sale_i64(&office, "SELECT count(*) FROM payment_attempt WHERE state = %d",
                           (int)ATTEMPT_VOIDED));
        CHECK_I64(0,
                  sale_i64(&office, "SELECT count(*) FROM payment_attempt WHERE failure IS NULL"));
    }
    sale_check_audit(&office);
}

/* The driver was asleep between booking's answer and his own write. */
TEST(an_order_that_is_cancelled_before_its_attempt_waits_ends_it_too)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str order = promised(&office, "cash_on_arrival", event_by_hand(&office));
    const str tickets[] = {ticket_of(&office, order, 0), ticket_of(&office, order, 1)};
    office_exec(&office, "payment", "UPDATE payment_attempt SET state = 4");
    for (size_t i = 0; i < 2; i++)
        CHECK_I64(200, send(&office, "customer-1", "DELETE", "/tickets/", tickets[i], "").status);
    office_run_due(&office);
    CHECK_I64(ATTEMPT_ABORTING, sale_i64(&office, "SELECT state FROM payment_attempt"));
    office_advance(&office, ATTEMPT_LEASE_MS);
    CHECK_I64(ATTEMPT_FAILED, sale_i64(&office, "SELECT state FROM payment_attempt"));
    sale_check_audit(&office);
}

/* The money is quicker than he, or he has died there. */
TEST(money_that_comes_before_its_attempt_waits_is_taken)
{
    for (size_t i = 0; i < sizeof(by_hand) / sizeof(by_hand[0]); i++) {
        CLEANUP(office_close) struct office office;

        sale_open(&office);
        const str order = promised(&office, by_hand[i], event_by_hand(&office));
        office_exec(&office, "payment", "UPDATE payment_attempt SET state = 4");
        const struct answer settled = settle(&office, order);
        check_status(200, &settled);
        CHECK_STR("confirmed", answer_at(office.arena, &settled, "/order/status"));
        CHECK_I64(ATTEMPT_SUCCEEDED, sale_i64(&office, "SELECT state FROM payment_attempt"));
        CHECK_I64(10000, sale_i64(&office, "SELECT amount_minor FROM payment_attempt"));
        sale_check_audit(&office);
    }
}

TEST(a_promise_that_came_to_nothing_is_shown_as_such)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str order = sale_book(&office, "customer-1", event_by_hand(&office));
    CHECK_I64(200, sale_pay(&office, "a", order, "\"method\":\"cash_on_arrival\"").status);
    const str tickets[] = {ticket_of(&office, order, 0), ticket_of(&office, order, 1)};
    for (size_t i = 0; i < 2; i++)
        CHECK_I64(200, send(&office, "customer-1", "DELETE", "/tickets/", tickets[i], "").status);
    office_run_due(&office);
    const struct answer again = sale_pay(&office, "a", order, "\"method\":\"cash_on_arrival\"");
    check_status(200, &again); /* a replay keeps its status */
    CHECK_STR("true", answer_header(&again, "Idempotency-Replayed"));
    CHECK_STR("failed", answer_at(office.arena, &again, "/payment/status"));
    CHECK_STR("cancelled", answer_at(office.arena, &again, "/payment/failure"));
    CHECK_STR("cancelled", answer_at(office.arena, &again, "/order/status"));
}
