/* payment/refund_test.c - refunds: once by id, never more than was paid, and finished whatever
 * fails. */
#include "services/payment/refund.h"

#include <pthread.h>
#include <stdatomic.h>

#include "services/payment/till_fixture.h"
#include "support/crash.h"
#include "support/test.h"
#include "support/test_database.h"

enum { CROWD = 50, STEPS_MAX = 20 };

/* An order of 100.00 that customer 1 has paid. */
static order_id paid(struct office *office, const char *key)
{
    const order_id order = stand_in_sell(office_user(1), 10000, NULL);
    const struct answer answer = till_pay(office, "customer-1", key, order, "tok_visa");

    check_status(200, &answer);
    CHECK_STR("succeeded", answer_at(office->arena, &answer, "/payment/status"));
    return order;
}

static struct payment_refund refund_of(struct office *office, order_id order, int64_t amount_minor)
{
    CLEANUP(call_done) struct call call = {0};

    till_call(office, &call);
    return (struct payment_refund){
        .refund = {call_uuid(&call)},
        .order = order,
        .amount = { amount_minor,         {"EGP"}},
        .reason = STR("cannot come")
    };
}

static err refund(struct office *office, const struct payment_refund *in, int *ret_status)
{
    CLEANUP(call_done) struct call call = {0};
    struct payment_refunded refunded = {.status = -1};

    till_call(office, &call);
    const err e = payment_refund(&call, in, &refunded);
    *ret_status = refunded.status;
    return e;
}

static int64_t given_back(struct office *office)
{
    return till_i64(office, "SELECT coalesce(sum(refunded_minor), 0) FROM sandbox_charge");
}

static int64_t told(struct office *office, const char *kind)
{
    return till_i64(office, "SELECT count(*) FROM outbox WHERE kind = '%s'", kind);
}

static const struct test_trigger broken = {"broken", "BEFORE INSERT", "sandbox_refund", NULL, NULL};
static const struct test_trigger broken_for_one = {"broken", "BEFORE INSERT", "sandbox_refund",
                                                   "NEW.amount_minor = 1", NULL};

/* The sandbox answers nothing any more, and so on. */
static void break_sandbox(struct office *office)
{
    office_add_trigger(office, "payment", &broken);
}

static void mend_sandbox(struct office *office)
{
    office_drop_trigger(office, "payment", &broken);
}

TEST(a_refund_counts_once_however_often_it_is_asked_for)
{
    CLEANUP(office_close) struct office office;
    int status = -1;

    till_open(&office);
    const struct payment_refund in = refund_of(&office, paid(&office, "a"), 2500);
    for (int i = 0; i < 3; i++) {
        CHECK_OK(refund(&office, &in, &status));
        CHECK_I64(REFUND_SUCCEEDED, status);
    }
    CHECK_I64(2500, given_back(&office));
    CHECK_I64(2500, till_i64(&office, "SELECT refunded_minor FROM payment_attempt"));
    CHECK_I64(1, told(&office, "refund.succeeded"));
    till_check_audit(&office);
}

TEST(what_was_not_paid_is_not_refunded)
{
    CLEANUP(office_close) struct office office;
    int status = -1;

    till_open(&office);
    const order_id order = paid(&office, "a");
    const order_id unpaid = stand_in_sell(office_user(1), 10000, NULL);
    const order_id promised = stand_in_sell(office_user(1), 10000, NULL);
    const struct ask cash =
        till_asking(&office, "customer-1", "b", promised, "cash_on_arrival", NULL);
    CHECK_I64(200, office_ask(&office, &cash).status);
    struct payment_refund cases[] = {
        refund_of(&office, unpaid, 1),    refund_of(&office, promised, 1),
        refund_of(&office, order, 10001), refund_of(&office, order, 0),
        refund_of(&office, order, -1),    refund_of(&office, order, 100),
    };
    cases[5].amount.currency = (struct currency){"EUR"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const err e = refund(&office, &cases[i], &status);

        CHECK(e == ERR_NOT_REFUNDABLE || (cases[i].amount.minor < 0 && e != ERR_OK));
    }
    CHECK_I64(0, given_back(&office));
    CHECK_I64(0, till_i64(&office, "SELECT count(*) FROM payment_refund"));
}

TEST(another_attempt_on_its_way_does_not_hide_the_paid_one)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};
    int status = -1;

    till_open(&office);
    const order_id order = paid(&office, "a");
    struct attempt second = till_attempt(&office, "b");
    second.order = order;
    second.idem_key = STR("c");
    till_call(&office, &call);
    second.id.uuid = call_uuid(&call);
    CHECK_OK(attempt_insert(&call, &second)); /* a click too many: booking will refuse it */
    const struct payment_refund in = refund_of(&office, order, 10000);
    CHECK_OK(refund(&office, &in, &status));
    CHECK_I64(REFUND_SUCCEEDED, status);
}

TEST(what_is_being_settled_can_be_refunded_a_moment_later)
{
    CLEANUP(office_close) struct office office;
    int status = -1;

    till_open(&office);
    const order_id order = stand_in_sell(office_user(1), 10000, NULL);
    stand_in_fail(&booking_settle_op, FAULT_LOST, 1, 1); /* booking has settled it, and knows */
    (void)till_pay(&office, "customer-1", "a", order, "tok_visa");
    const struct payment_refund in = refund_of(&office, order, 10000);
    CHECK_ERR(ERR_UNAVAILABLE, refund(&office, &in, &status));
    office_advance(&office, 1000);
    CHECK_OK(refund(&office, &in, &status));
    CHECK_I64(REFUND_SUCCEEDED, status);
    till_check_audit(&office);
}

TEST(cash_is_given_back_by_hand_and_so_at_once)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};
    struct payment_settled settled = {0};
    int status = -1;

    till_open(&office);
    const order_id order = stand_in_sell(office_user(1), 10000, NULL);
    const struct ask cash = till_asking(&office, "customer-1", "a", order, "cash_on_arrival", NULL);
    CHECK_I64(200, office_ask(&office, &cash).status);
    till_call(&office, &call);
    CHECK_OK(payment_settle_manual(&call, &(struct payment_settle_manual){order}, &settled));
    const struct payment_refund in = refund_of(&office, order, 10000);
    CHECK_OK(refund(&office, &in, &status));
    CHECK_I64(REFUND_SUCCEEDED, status);
    CHECK_I64(0, given_back(&office));
    till_check_audit(&office);
}

/* --- Many at once --- */

struct asker {
    pthread_t thread;
    pthread_barrier_t *barrier;
    struct office *office;
    struct payment_refund in;
    _Atomic int64_t *sum;
};

static void *ask_refund(void *arg)
{
    struct asker *asker = arg;
    int status = -1;

    (void)pthread_barrier_wait(asker->barrier);
    const err e = refund(asker->office, &asker->in, &status);
    if (e == ERR_OK)
        *asker->sum += asker->in.amount.minor;
    else
        CHECK_ERR(ERR_NOT_REFUNDABLE, e);
    return NULL;
}

/* All of them at once; the sum of what was accepted. */
static int64_t ask_all(struct office *office, const struct payment_refund refunds[CROWD])
{
    struct asker askers[CROWD];
    pthread_barrier_t barrier;
    _Atomic int64_t sum = 0;

    CHECK(pthread_barrier_init(&barrier, NULL, CROWD) == 0);
    for (size_t i = 0; i < CROWD; i++) {
        askers[i] =
            (struct asker){.barrier = &barrier, .office = office, .in = refunds[i], .sum = &sum};
        CHECK(pthread_create(&askers[i].thread, NULL, ask_refund, &askers[i]) == 0);
    }
    for (size_t i = 0; i < CROWD; i++)
        CHECK(pthread_join(askers[i].thread, NULL) == 0);
    (void)pthread_barrier_destroy(&barrier);
    return sum;
}

TEST(fifty_refunds_at_once_give_back_no_more_than_was_paid)
{
    CLEANUP(office_close) struct office office;
    struct payment_refund refunds[CROWD];

    till_open(&office);
    const order_id order = paid(&office, "a");
    for (size_t i = 0; i < CROWD; i++)
        refunds[i] = refund_of(&office, order, 150 + 10 * (int64_t)i);
    const int64_t sum = ask_all(&office, refunds);
    CHECK(sum > 10000 - 650 && sum <= 10000); /* as much as fits, give or take the largest */
    CHECK_I64(sum, given_back(&office));
    till_check_audit(&office);
}

TEST(fifty_times_the_same_refund_gives_back_once)
{
    CLEANUP(office_close) struct office office;
    struct payment_refund refunds[CROWD];

    till_open(&office);
    refunds[0] = refund_of(&office, paid(&office, "a"), 10000);
    for (size_t i = 1; i < CROWD; i++)
        refunds[i] = refunds[0];
    CHECK_I64(CROWD * INT64_C(10000), ask_all(&office, refunds));
    CHECK_I64(10000, given_back(&office));
    CHECK_I64(1, told(&office, "refund.succeeded"));
    till_check_audit(&office);
}

/* --- What fails --- */

TEST(a_provider_that_fails_leaves_the_refund_pending_and_is_asked_again)
{
    CLEANUP(office_close) struct office office;
    int status = -1;

    till_open(&office);
    const struct payment_refund in = refund_of(&office, paid(&office, "a"), 10000);
    break_sandbox(&office);
    CHECK_OK(refund(&office, &in, &status));
    CHECK_I64(REFUND_PENDING, status);
    till_check_audit(&office);
    office_advance(&office, INT64_C(600000));
    CHECK_OK(refund(&office, &in, &status));
    CHECK_I64(REFUND_PENDING, status);
    CHECK(office_logged(&office, "refund.unfinished") >= 3);

    /* While it is on its way its money is nobody else's. */
    const struct payment_refund more = refund_of(&office, in.order, 1);
    CHECK_ERR(ERR_NOT_REFUNDABLE, refund(&office, &more, &status));
    office_restart(&office);
    mend_sandbox(&office);
    office_advance(&office, INT64_C(3600000));
    CHECK_I64(10000, given_back(&office));
    CHECK_OK(refund(&office, &in, &status));
    CHECK_I64(REFUND_SUCCEEDED, status);
    till_check_audit(&office);
}

/* As where another process was faster: the lease finds no row any more. */
TEST(who_did_not_get_a_refund_does_not_ask_for_it)
{
    const struct test_trigger faster = {
        "faster", "BEFORE UPDATE", "payment_refund", "NEW.tries > OLD.tries",
        test_on_postgres() ? "RETURN NULL" : "SELECT RAISE(IGNORE)"};
    CLEANUP(office_close) struct office office;
    int status = -1;

    till_open(&office);
    const struct payment_refund in = refund_of(&office, paid(&office, "a"), 10000);
    break_sandbox(&office);
    CHECK_OK(refund(&office, &in, &status));
    CHECK_I64(REFUND_PENDING, status);
    mend_sandbox(&office);
    office_add_trigger(&office, "payment", &faster);
    office_advance(&office, INT64_C(600000));
    CHECK_I64(0, given_back(&office));
    office_drop_trigger(&office, "payment", &faster);
    office_advance(&office, INT64_C(600000));
    CHECK_I64(10000, given_back(&office));
    till_check_audit(&office);
}

TEST(a_refund_is_tried_again_at_growing_distances)
{
    static const struct {
        int64_t tries;
        int64_t minutes;
    } cases[] = {
        {0,    1 },
        {1,    1 },
        {2,    2 },
        {3,    4 },
        {6,    32},
        {7,    60},
        {8,    60},
        {1000, 60},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_I64(cases[i].minutes * 60000, refund_retry_ms(cases[i].tries));
}

TEST(one_refund_that_keeps_failing_holds_no_other_up)
{
    CLEANUP(office_close) struct office office;
    int status = -1;

    till_open(&office);
    const struct payment_refund bad = refund_of(&office, paid(&office, "a"), 1);
    const struct payment_refund good = refund_of(&office, paid(&office, "b"), 2);
    break_sandbox(&office);
    CHECK_OK(refund(&office, &bad, &status));
    CHECK_OK(refund(&office, &good, &status));
    mend_sandbox(&office);
    office_add_trigger(&office, "payment", &broken_for_one);
    office_advance(&office, REFUND_LEASE_MS);
    CHECK_I64(2, given_back(&office));
    mend_sandbox(&office);
    office_advance(&office, INT64_C(60000));
    CHECK_I64(3, given_back(&office));
}

TEST(whatever_step_a_refund_dies_at_it_ends_once)
{
    CLEANUP(office_close) struct office office;
    bool crashed = true;
    int steps = 0;

    till_open(&office);
    while (crashed && steps < STEPS_MAX) {
        steps++;
        for (int point = CRASH_BEFORE; point <= CRASH_AFTER; point++) {
            const str key = arena_printf(office.arena, "%d-%d", steps, point);
            const struct payment_refund in = refund_of(&office, paid(&office, key.ptr), 10000);
            int status = -1;

            const int64_t before = given_back(&office);
            crash_arm(steps, (enum crash_point)point);
            (void)!refund(&office, &in, &status);
            crashed = crash_has_happened();
            office_shut(&office, 0);
            crash_recover();
            office_restart(&office);
            office_advance(&office, INT64_C(120000));
            CHECK_OK(refund(&office, &in, &status)); /* booking asks again, too */
            CHECK_I64(REFUND_SUCCEEDED, status);
            CHECK_I64(before + 10000, given_back(&office));
            till_check_audit(&office);
        }
    }
    CHECK_I64(4, steps); /* reserved, given, ended; the fourth never comes */
}

/* --- The audit --- */

TEST(the_audit_names_what_does_not_agree)
{
    static const struct {
        const char *spoil;
        const char *found; /* what the finding begins with */
    } cases[] = {
        {"UPDATE sandbox_charge SET status = 2",                                     "charge pay_" },
        {"UPDATE sandbox_charge SET status = 4",                                     "payment pay_"},
        {"UPDATE sandbox_charge SET amount_minor = amount_minor + 1",                "charge pay_" },
        {"UPDATE sandbox_charge SET currency = 'EUR'",                               "charge pay_" },
        {"UPDATE sandbox_charge SET refunded_minor = refunded_minor + 1",            "charge pay_" },
        {"UPDATE sandbox_refund SET amount_minor = amount_minor + 1",                "charge pay_" },
        {"DELETE FROM sandbox_charge",                                               "payment pay_"},
        {"DELETE FROM payment_attempt",                                              "charge pay_" },
        {"UPDATE payment_attempt SET state = 11",                                    "charge pay_" },
        {"UPDATE payment_attempt SET refunded_minor = refunded_minor + 1",           "payment pay_"},
        {"UPDATE payment_refund SET amount_minor = amount_minor + 1",                "payment pay_"},
        {"DELETE FROM payment_refund",                                               "payment pay_"},
        {"UPDATE sandbox_charge SET refunded_minor = 0; DELETE FROM sandbox_refund",
         "payment pay_"                                                                            },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(office_close) struct office office;
        CLEANUP(call_done) struct call call = {0};
        str found = STR_ABSENT;
        int status = -1;

        till_open(&office);
        const struct payment_refund in = refund_of(&office, paid(&office, "a"), 2500);
        CHECK_OK(refund(&office, &in, &status));
        till_check_audit(&office);
        office_exec(&office, "payment", cases[i].spoil);
        till_call(&office, &call);
        const err e = payment_audit(&call, &found);
        if (e != ERR_CONFLICT || !str_starts(found, str_of(cases[i].found)))
            print_error("%s: %s, %.*s\n", cases[i].spoil, err_name(e), STR_ARG(found));
        CHECK_ERR(ERR_CONFLICT, e);
        CHECK(str_starts(found, str_of(cases[i].found)));
    }
}
