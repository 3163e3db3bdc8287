/* payment/drive_test.c - an attempt killed at every step, and everything around it failing: money is
 * charged once and for tickets, or not at all. */
#include "services/payment/drive.h"

#include <pthread.h>
#include <stdatomic.h>

#include "services/payment/till_fixture.h"
#include "support/crash.h"
#include "support/test.h"

enum { STEPS_MAX = 40, CROWD = 24 };

static const struct way {
    const char *method;
    const char *token;
    bool approved;    /* the buyer approves on the 3-D Secure page if he is asked */
    bool can_be_paid; /* the first time */
    int64_t total_minor;
} ways[] = {
    {"card",            "tok_visa",               false, true,  10000},
    {"card",            "tok_mastercard",         false, true,  10000},
    {"card",            "tok_declined",           false, false, 10000},
    {"card",            "tok_insufficient_funds", false, false, 10000},
    {"card",            "tok_3ds",                true,  true,  10000},
    {"card",            "tok_3ds",                false, false, 10000},
    {"card",            "tok_timeout",            false, true,  10000},
    {"card",            "tok_slow",               false, true,  10000},
    {"card",            "tok_error",              false, false, 10000},
    {"cash_on_arrival", NULL,                     false, true,  10000},
    {"bank_transfer",   NULL,                     false, true,  10000},
    {"free",            NULL,                     false, true,  0    },
};
enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

static order_id sell(const struct way *way)
{
    return stand_in_sell(office_user(1), way->total_minor, NULL);
}

/* --- What must hold in the end --- */

static int64_t attempts_in(struct office *office, order_id order, const char *states)
{
    return till_i64(office,
                    "SELECT count(*) FROM payment_attempt WHERE order_id = %s AND state IN (%s)",
                    till_sql_id(office, order.uuid), states);
}

/* Money and tickets, or neither; nothing is half done. Gives whether it is paid. */
static bool check_end(struct office *office, order_id id)
{
    const struct stand_in_order order = stand_in_order(id);
    const int64_t captured = till_charges(office, id, CHARGE_CAPTURED);
    const int64_t succeeded = attempts_in(office, id, "10");
    const int64_t waiting = attempts_in(office, id, "9");

    CHECK_I64(0, attempts_in(office, id, "0, 1, 2, 3, 4, 5, 6, 7, 8"));
    CHECK_I64(0, till_charges(office, id, CHARGE_AUTHORISED));
    CHECK_I64(0, till_charges(office, id, CHARGE_REQUIRES_ACTION));
    CHECK(captured <= 1 && succeeded <= 1 && waiting <= 1);
    CHECK(captured <= succeeded);
    CHECK_I64(succeeded, order.state == STAND_IN_SETTLED);
    CHECK_I64(succeeded, order.settled);
    CHECK_I64(waiting, order.is_pending);
    CHECK(order.tickets == 0 || succeeded == 1 || waiting == 1);
    CHECK(order.state != STAND_IN_LIVE); /* nobody would ever let go of it */
    till_check_audit(office);
    return succeeded == 1 || waiting == 1;
}

/* --- The way of one payment --- */

/* The buyer's answer, if he is asked. */
static void answer_challenge(struct office *office, order_id order, const struct way *way)
{
    CLEANUP(call_done) struct call call = {0};
    struct attempt attempt = {0};

    if (!way->approved || crash_has_happened() || attempts_in(office, order, "2") == 0)
        return;
    till_call(office, &call);
    CHECK_OK(attempt_find(&call, stand_in_order(order).attempt, &attempt));
    const str path = arena_printf(call.arena, "/sandbox/3ds/%s/approve",
                                  id_format(PAYMENT_PREFIX, attempt.id.uuid).text);
    const struct ask ask = {.method = "POST", .path = path.ptr};
    (void)office_ask(office, &ask);
}

static void pay(struct office *office, order_id order, const char *key, const struct way *way)
{
    const struct ask ask = till_asking(office, "customer-1", key, order, way->method, way->token);

    (void)office_ask(office, &ask);
    answer_challenge(office, order, way);
}

static void come_back(struct office *office)
{
    office_shut(office, 0);
    crash_recover();
    office_restart(office);
}

/* Crashed at one commit, started again, settled down; then the buyer sends the same once more. */
static bool crash_once(struct office *office, const struct way *way, int commit,
                       enum crash_point point)
{
    const order_id order = sell(way);
    const str key = arena_printf(office->arena, "%d-%d", commit, (int)point);

    crash_arm(commit, point);
    pay(office, order, key.ptr, way);
    for (int i = 0; i < 4 && !crash_has_happened(); i++) /* the reconciler's steps, too */
        office_advance(office, ATTEMPT_LEASE_MS);
    const bool crashed = crash_has_happened();
    come_back(office);
    office_advance(office, ATTEMPT_LEASE_MS);
    answer_challenge(office, order, way);
    till_settle_down(office);
    const bool paid = check_end(office, order);

    pay(office, order, key.ptr, way);
    till_settle_down(office);
    if (paid)
        CHECK(check_end(office, order));
    else
        CHECK_I64(way->can_be_paid && !stand_in_order(order).is_gone, check_end(office, order));
    return crashed;
}

TEST(whatever_step_it_dies_at_money_and_tickets_come_together)
{
    for (size_t i = 0; i < WAYS; i++) {
        CLEANUP(office_close) struct office office;
        int steps = 0;

        till_open(&office);
        while (steps < STEPS_MAX && crash_once(&office, &ways[i], steps + 1, CRASH_BEFORE))
            CHECK(crash_once(&office, &ways[i], ++steps, CRASH_AFTER));
        CHECK(steps >= 3 && steps < STEPS_MAX);
        print_message("# %s %s: killed at each of %d commits\n", ways[i].method,
                      ways[i].token != NULL ? ways[i].token : "-", steps);
    }
}

TEST(whichever_call_of_booking_fails_money_and_tickets_come_together)
{
    static const enum stand_in_fault faults[] = {FAULT_DOWN, FAULT_LOST};

    for (size_t i = 0; i < WAYS; i++) {
        CLEANUP(office_close) struct office office;

        till_open(&office);
        for (size_t f = 0; f < sizeof(faults) / sizeof(faults[0]); f++) {
            for (int first = 1; first <= 6; first++) {
                const order_id order = sell(&ways[i]);
                const str key = arena_printf(office.arena, "%d-%d", (int)faults[f], first);

                stand_in_fail(NULL, faults[f], first, 1);
                pay(&office, order, key.ptr, &ways[i]);
                till_settle_down(&office);
                answer_challenge(&office, order, &ways[i]);
                till_settle_down(&office);
                (void)check_end(&office, order);
                pay(&office, order, key.ptr, &ways[i]);
                till_settle_down(&office);
                CHECK_I64(ways[i].can_be_paid, check_end(&office, order));
            }
        }
    }
}

/* --- Booking away --- */

TEST(while_booking_is_away_attempts_wait_and_end_when_it_is_back)
{
    CLEANUP(office_close) struct office office;
    const struct way *way = &ways[0];

    till_open(&office);
    const order_id order = sell(way);
    stand_in_fail(&booking_confirm_op, FAULT_DOWN, 1, 1000);
    const struct answer answer = till_pay(&office, "customer-1", "a", order, "tok_visa");
    check_status(200, &answer);
    CHECK_STR("pending", answer_at(office.arena, &answer, "/payment/status"));
    for (int i = 0; i < 20; i++)
        office_advance(&office, ATTEMPT_LEASE_MS);
    CHECK_I64(1, attempts_in(&office, order, "3"));
    CHECK_I64(1, till_charges(&office, order, CHARGE_AUTHORISED));
    CHECK(stand_in_call_count() >= 8);  /* it went on asking ... */
    CHECK(stand_in_call_count() <= 30); /* ... with patience */

    stand_in_fail(NULL, FAULT_NONE, 1, 0);
    office_advance(&office, 60000);
    CHECK(check_end(&office, order));
}

TEST(one_that_keeps_failing_holds_nobody_up)
{
    CLEANUP(office_close) struct office office;
    order_id orders[CROWD];

    till_open(&office);
    stand_in_fail(NULL, FAULT_DOWN, 2, 1000); /* all but the first call: it begins, then nothing */
    const order_id first = sell(&ways[0]);
    (void)till_pay(&office, "customer-1", "first", first, "tok_visa");
    stand_in_fail(&booking_confirm_op, FAULT_NONE, 1, 0);
    stand_in_fail(&booking_settle_op, FAULT_DOWN, 1, 1); /* the one that comes first */
    for (size_t i = 0; i < CROWD; i++) {
        const str key = arena_printf(office.arena, "%zu", i);

        orders[i] = sell(&ways[6]);
        (void)till_pay(&office, "customer-1", key.ptr, orders[i], "tok_timeout");
    }
    office_advance(&office, 2000);
    size_t held_up = 0; /* they are driven side by side: any may be the one that comes first */
    for (size_t i = 0; i < CROWD; i++)
        held_up += attempts_in(&office, orders[i], "10") == 0;
    CHECK(held_up <= 1);
    till_settle_down(&office);
    for (size_t i = 0; i < CROWD; i++)
        CHECK(check_end(&office, orders[i]));
    CHECK(check_end(&office, first));
}

/* --- Too late --- */

TEST(a_confirmation_that_comes_too_late_gives_the_card_its_money_back)
{
    CLEANUP(office_close) struct office office;

    till_open(&office);
    const order_id order = sell(&ways[0]);
    const struct answer answer = till_pay(&office, "customer-1", "a", order, "tok_slow");
    CHECK_STR("pending", answer_at(office.arena, &answer, "/payment/status"));
    stand_in_take_away(order);
    office_advance(&office, 5000);
    CHECK(!check_end(&office, order));
    CHECK_I64(1, attempts_in(&office, order, "12"));
    CHECK_I64(1, till_charges(&office, order, CHARGE_VOIDED));
    const struct answer again = till_pay(&office, "customer-1", "a", order, "tok_slow");
    check_status(200, &again); /* the status that was answered first */
    CHECK_STR("failed", answer_at(office.arena, &again, "/payment/status"));
    CHECK_STR("order_expired", answer_at(office.arena, &again, "/payment/failure"));
}

TEST(a_capture_that_is_refused_for_good_takes_the_tickets_back)
{
    CLEANUP(office_close) struct office office;

    till_open(&office);
    const order_id order = sell(&ways[0]);
    (void)till_pay(&office, "customer-1", "a", order, "tok_slow");
    office_add_trigger(&office, "payment",
                       &(struct test_trigger){"gone", "AFTER UPDATE", "payment_attempt",
                                              "NEW.state = 5",
                                              "UPDATE sandbox_charge SET status = 4"});
    office_advance(&office, 5000);
    CHECK(!check_end(&office, order));
    CHECK_I64(1, attempts_in(&office, order, "11"));
    CHECK_I64(0, stand_in_order(order).tickets);
}

TEST(an_order_that_is_gone_after_the_capture_is_refunded_whole)
{
    CLEANUP(office_close) struct office office;

    till_open(&office);
    const order_id order = sell(&ways[0]);
    stand_in_fail(&booking_settle_op, FAULT_DOWN, 1, 3);
    (void)till_pay(&office, "customer-1", "a", order, "tok_visa");
    CHECK_I64(1, till_charges(&office, order, CHARGE_CAPTURED));
    stand_in_take_away(order);
    till_settle_down(&office);
    CHECK_I64(1, attempts_in(&office, order, "10"));
    CHECK_I64(10000, till_i64(&office, "SELECT refunded_minor FROM sandbox_charge"));
    CHECK_I64(1, till_i64(&office, "SELECT status FROM payment_refund"));
    till_check_audit(&office);
}

TEST(a_charge_that_somebody_captured_at_the_provider_is_refunded_too)
{
    CLEANUP(office_close) struct office office;

    till_open(&office);
    const order_id order = sell(&ways[0]);
    (void)till_pay(&office, "customer-1", "a", order, "tok_slow");
    stand_in_take_away(order);
    office_add_trigger(&office, "payment",
                       &(struct test_trigger){"early", "AFTER UPDATE", "payment_attempt",
                                              "NEW.state = 7",
                                              "UPDATE sandbox_charge SET status = 3"});
    till_settle_down(&office);
    CHECK_I64(10000, till_i64(&office, "SELECT refunded_minor FROM sandbox_charge"));
    till_check_audit(&office);
}

TEST(a_buyer_who_never_answers_is_not_waited_for)
{
    CLEANUP(office_close) struct office office;

    till_open(&office);
    const order_id order = sell(&ways[5]);
    const struct answer answer = till_pay(&office, "customer-1", "a", order, "tok_3ds");
    CHECK_STR("requires_action", answer_at(office.arena, &answer, "/payment/status"));
    office_advance(&office, sandbox_provider.action_life_s * 1000 - 1);
    CHECK_I64(1, attempts_in(&office, order, "2"));
    office_advance(&office, 1);
    CHECK(!check_end(&office, order));
    CHECK_I64(1, till_charges(&office, order, CHARGE_VOIDED));
}

/* --- Left behind --- */

/* The reconciler gives up an attempt whose first call to the provider is still on its way. */
/* --- By hand --- */

static err settle_by_hand(struct office *office, order_id order, attempt_id *ret)
{
    CLEANUP(call_done) struct call call = {0};
    const struct payment_settle_manual in = {order};
    struct payment_settled settled = {0};

    till_call(office, &call);
    const err e = payment_settle_manual(&call, &in, &settled);
    *ret = settled.attempt;
    return e;
}

TEST(cash_is_settled_once_however_often_staff_say_so)
{
    CLEANUP(office_close) struct office office;
    attempt_id first = {0};
    attempt_id second = {0};

    till_open(&office);
    const order_id order = sell(&ways[9]);
    CHECK_ERR(ERR_CONFLICT, settle_by_hand(&office, order, &first));
    pay(&office, order, "a", &ways[9]);
    CHECK(stand_in_order(order).is_pending);
    CHECK_OK(settle_by_hand(&office, order, &first));
    CHECK_OK(settle_by_hand(&office, order, &second));
    CHECK(uuid_eq(first.uuid, second.uuid));
    CHECK(check_end(&office, order));
    CHECK_I64(1, stand_in_order(order).settled);
}

TEST(settling_by_hand_fails_and_is_finished_later)
{
    CLEANUP(office_close) struct office office;
    attempt_id attempt = {0};

    till_open(&office);
    const order_id order = sell(&ways[10]);
    pay(&office, order, "a", &ways[10]);
    stand_in_fail(&booking_settle_op, FAULT_LOST, 1, 1);
    CHECK_ERR(ERR_UNAVAILABLE, settle_by_hand(&office, order, &attempt));
    till_settle_down(&office);
    CHECK(check_end(&office, order));
    CHECK_OK(settle_by_hand(&office, order, &attempt));
}

TEST(cash_for_an_order_that_is_gone_is_not_taken)
{
    CLEANUP(office_close) struct office office;
    attempt_id attempt = {0};

    till_open(&office);
    const order_id order = sell(&ways[9]);
    pay(&office, order, "a", &ways[9]);
    stand_in_take_away(order);
    CHECK_ERR(ERR_CONFLICT, settle_by_hand(&office, order, &attempt));
    CHECK_ERR(ERR_CONFLICT, settle_by_hand(&office, order, &attempt));
    CHECK_I64(1, attempts_in(&office, order, "11"));
}

TEST(a_card_is_nothing_that_staff_can_settle)
{
    CLEANUP(office_close) struct office office;
    attempt_id attempt = {0};

    till_open(&office);
    const order_id order = sell(&ways[4]);
    (void)till_pay(&office, "customer-1", "a", order, "tok_3ds");
    CHECK_ERR(ERR_CONFLICT, settle_by_hand(&office, order, &attempt));
    CHECK_I64(1, attempts_in(&office, order, "2")); /* and it has not been touched */
    answer_challenge(&office, order, &ways[4]);
    CHECK(check_end(&office, order));
    CHECK_ERR(ERR_CONFLICT, settle_by_hand(&office, order, &attempt));
}

/* --- Two drivers --- */

struct buyer {
    pthread_t thread;
    struct office *office;
    struct ask ask;
    struct arena *arena;
    _Atomic int *left;
};

static void *buy(void *arg)
{
    struct buyer *buyer = arg;

    (void)http_ask(buyer->office->server, buyer->arena, &buyer->ask);
    (*buyer->left)--;
    return NULL;
}

/* The clock runs so fast that every lease is over at once: the reconciler drives whatever the desk
 * drives. */
TEST(two_drivers_of_one_attempt_charge_once)
{
    CLEANUP(office_close) struct office office;
    struct buyer buyers[CROWD];
    order_id orders[CROWD];
    _Atomic int left = CROWD;

    till_open(&office);
    for (size_t i = 0; i < CROWD; i++) {
        const struct way *way = &ways[i % WAYS];
        const str key = arena_printf(office.arena, "%zu", i);

        orders[i] = sell(way);
        buyers[i] = (struct buyer){
            .office = &office,
            .ask = till_asking(&office, "customer-1", key.ptr, orders[i], way->method, way->token),
            .arena = arena_open(0),
            .left = &left,
        };
        CHECK(pthread_create(&buyers[i].thread, NULL, buy, &buyers[i]) == 0);
    }
    while (left > 0)
        office_advance(&office, ATTEMPT_LEASE_MS);
    for (size_t i = 0; i < CROWD; i++) {
        CHECK(pthread_join(buyers[i].thread, NULL) == 0);
        arena_close(buyers[i].arena);
    }
    till_settle_down(&office);
    for (size_t i = 0; i < CROWD; i++)
        (void)check_end(&office, orders[i]);
}
