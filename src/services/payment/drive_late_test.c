/* payment/drive_late_test.c - attempts that their request has left behind, and calls that come too
 * late. */
#include "services/payment/drive.h"

#include <pthread.h>

#include "services/payment/till_fixture.h"
#include "support/test.h"

TEST(what_its_request_has_left_behind_is_taken_up_without_a_wake)
{
    CLEANUP(office_close) struct office office;

    till_open(&office);
    const struct attempt attempt = till_attempt(&office, "a");
    office_advance(&office, ATTEMPT_LEASE_MS - 1);
    CHECK_I64(ATTEMPT_CREATED, till_state(&office, attempt.id));
    office_advance(&office, INT64_C(2) * ATTEMPT_LEASE_MS);
    CHECK_I64(ATTEMPT_FAILED, till_state(&office, attempt.id));
}

TEST(a_call_that_comes_after_the_attempt_was_given_up_charges_nothing)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};

    till_open(&office);
    struct attempt attempt = till_attempt(&office, "a");
    till_call(&office, &call);
    CHECK_OK(attempt_move(&call, &attempt, ATTEMPT_AUTHORISING));
    till_settle_down(&office);
    CHECK_I64(ATTEMPT_VOIDED, till_state(&office, attempt.id));
    CHECK_OK(attempt_drive(&call, &attempt, STR("tok_visa"))); /* as it saw it before */
    CHECK_I64(ATTEMPT_VOIDED, attempt.state);
    CHECK_I64(0, till_charges(&office, attempt.order, CHARGE_AUTHORISED));
    CHECK_I64(1, till_charges(&office, attempt.order, CHARGE_VOIDED));
}

/* One attempt has paid the order, and no other has had an effect. */
static void check_paid(struct office *office, order_id order)
{
    CHECK_I64(STAND_IN_SETTLED, stand_in_order(order).state);
    CHECK_I64(1, stand_in_order(order).settled);
    CHECK_I64(1, till_charges(office, order, CHARGE_CAPTURED));
    CHECK_I64(0, till_charges(office, order, CHARGE_AUTHORISED));
    till_check_audit(office);
}

/* Booking has begun with an attempt that it must not go on with, and cannot be told so at once. */
TEST(a_method_that_is_refused_lets_go_of_the_order_sooner_or_later)
{
    CLEANUP(office_close) struct office office;

    till_open(&office);
    const order_id order = stand_in_sell(office_user(1), 10000, "mastercard");
    stand_in_fail(&booking_payment_abort_op, FAULT_DOWN, 1, 1);
    const struct answer refused = till_pay(&office, "customer-1", "a", order, "tok_visa");
    check_problem(office.arena, &refused, 503, "unavailable");
    CHECK_I64(STAND_IN_LIVE, stand_in_order(order).state);
    office_run_due(&office);
    CHECK_I64(STAND_IN_ABORTED, stand_in_order(order).state);
    const struct answer again = till_pay(&office, "customer-1", "a", order, "tok_visa");
    check_problem(office.arena, &again, 422, "method_not_accepted");
    const struct answer paid = till_pay(&office, "customer-1", "a", order, "tok_mastercard");
    check_status(200, &paid);
    check_paid(&office, order);
}

struct buyer {
    pthread_t thread;
    struct office *office;
    struct arena *arena;
    struct ask ask;
    struct answer answer;
};

static void *buy(void *arg)
{
    struct buyer *buyer = arg;

    buyer->answer = http_ask(buyer->office->server, buyer->arena, &buyer->ask);
    return NULL;
}

/* Booking answers so late that the reconciler has given the attempt up, and told booking so before
 * booking began with it. */
TEST(a_beginning_that_comes_too_late_is_let_go_of)
{
    CLEANUP(office_close) struct office office;
    struct buyer buyer = {.office = &office, .arena = arena_open(0)};

    till_open(&office);
    const order_id order = stand_in_sell(office_user(1), 10000, NULL);
    buyer.ask = till_asking(&office, "customer-1", "a", order, "card", "tok_visa");
    stand_in_hold(&booking_payment_begin_op);
    CHECK(pthread_create(&buyer.thread, NULL, buy, &buyer) == 0);
    stand_in_await_held(1);
    till_settle_down(&office);
    CHECK_I64(ATTEMPT_FAILED, till_i64(&office, "SELECT state FROM payment_attempt"));
    stand_in_let_go();
    CHECK(pthread_join(buyer.thread, NULL) == 0);
    check_problem(office.arena, &buyer.answer, 503, "unavailable");
    arena_close(buyer.arena);
    CHECK_I64(STAND_IN_ABORTED, stand_in_order(order).state);
    const struct answer paid = till_pay(&office, "customer-1", "a", order, "tok_visa");
    check_status(200, &paid);
    check_paid(&office, order);
}
