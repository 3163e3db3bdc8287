/* payment/unresolved_test.c - refunds that are refused: tried again, then somebody is told, and can
 * have them tried once more. Nothing is silent. */
#include "services/payment/unresolved.h"

#include <string.h>

#include "services/payment/refund.h"
#include "services/payment/till_fixture.h"
#include "support/test.h"

#define DAY_MS INT64_C(86400000)

static struct answer send(struct office *office, const char *who, const char *method,
                          const char *path)
{
    const struct ask ask = {.who = who, .method = method, .path = path};

    return office_ask(office, &ask);
}

/* Customer 1 has paid 100.00, and somebody gave them back at the provider, past us: the sandbox
 * refuses to give back more. */
static order_id given_back_by_hand(struct office *office)
{
    const order_id order = stand_in_sell(office_user(1), 10000, NULL);

    CHECK_I64(200, till_pay(office, "customer-1", "a", order, "tok_visa").status);
    office_exec(office, "payment",
                "UPDATE sandbox_charge SET refunded_minor = 10000; INSERT INTO sandbox_refund "
                "SELECT 'by hand', provider_key, 10000 FROM sandbox_charge");
    return order;
}

/* ... and now they are there again. */
static void undo_by_hand(struct office *office)
{
    office_exec(office, "payment",
                "UPDATE sandbox_charge SET refunded_minor = 0; DELETE FROM sandbox_refund");
}

static struct payment_refund ask_refund(struct office *office, order_id order, int *ret_status)
{
    CLEANUP(call_done) struct call call = {0};
    struct payment_refunded refunded = {.status = -1};

    till_call(office, &call);
    const struct payment_refund in = {
        .refund = {call_uuid(&call)},
          .order = order, .amount = { 10000,         {"EGP"}}
    };
    CHECK_OK(payment_refund(&call, &in, &refunded));
    *ret_status = refunded.status;
    return in;
}

static int64_t told(struct office *office, const char *kind)
{
    return till_i64(office, "SELECT count(*) FROM outbox WHERE kind = '%s'", kind);
}

static str audit_report(struct office *office)
{
    CLEANUP(call_done) struct call call = {0};
    str report = STR_ABSENT;

    till_call(office, &call);
    CHECK_OK(payment_unresolved(&call, &report));
    return arena_str(office->arena, report);
}

/* Until it is tried as often as it may be. */
static void give_up(struct office *office)
{
    for (int i = 0; i < REFUND_TRIES_MAX; i++)
        office_advance(office, refund_retry_ms(REFUND_TRIES_MAX));
}

TEST(a_refund_that_is_refused_is_tried_again_before_it_fails)
{
    CLEANUP(office_close) struct office office;
    int status = -1;

    till_open(&office);
    const order_id order = given_back_by_hand(&office);
    const struct payment_refund in = ask_refund(&office, order, &status);
    CHECK_I64(REFUND_PENDING, status);
    CHECK_STR("", audit_report(&office));
    office_advance(&office, DAY_MS / 24);
    undo_by_hand(&office);
    office_advance(&office, DAY_MS / 24);
    CHECK_I64(REFUND_SUCCEEDED, till_i64(&office, "SELECT status FROM payment_refund"));
    CHECK_I64(1, told(&office, "refund.succeeded"));
    CHECK_I64(0, told(&office, "refund.failed"));
    CHECK_I64(10000, in.amount.minor);
    till_check_audit(&office);
}

TEST(a_refund_that_is_refused_for_good_is_shown_to_admins_and_the_audit)
{
    CLEANUP(office_close) struct office office;
    int status = -1;

    till_open(&office);
    const order_id order = given_back_by_hand(&office);
    const struct payment_refund in = ask_refund(&office, order, &status);
    const struct id_text id = id_format(REFUND_PREFIX, in.refund.uuid);
    give_up(&office);
    CHECK_I64(REFUND_FAILED, till_i64(&office, "SELECT status FROM payment_refund"));
    CHECK_I64(0, till_i64(&office, "SELECT refunded_minor FROM payment_attempt")); /* free again */
    CHECK_I64(1, told(&office, "refund.failed"));

    const struct answer listed = send(&office, "admin-1", "GET", "/admin/unresolved-money");
    check_status(200, &listed);
    CHECK_STR("refund", answer_at(office.arena, &listed, "/data/0/kind"));
    CHECK_STR(id.text, answer_at(office.arena, &listed, "/data/0/id"));
    CHECK_STR(id_format(ORDER_PREFIX, order.uuid).text,
              answer_at(office.arena, &listed, "/data/0/order_id"));
    CHECK_STR("failed", answer_at(office.arena, &listed, "/data/0/status"));
    CHECK_STR("not_refundable", answer_at(office.arena, &listed, "/data/0/failure"));
    CHECK_I64(REFUND_TRIES_MAX, answer_i64(office.arena, &listed, "/data/0/tries"));
    CHECK_I64(10000, answer_i64(office.arena, &listed, "/data/0/amount/amount"));
    CHECK(answer_at(office.arena, &listed, "/data/1").ptr == NULL);
    const char *report = arena_cstr(office.arena, audit_report(&office));
    CHECK(strstr(report, id.text) != NULL);
    CHECK(strstr(report, "EGP 100.00") != NULL);
}

TEST(what_nobody_answers_is_shown_too_and_goes_on)
{
    static const struct test_trigger broken = {"broken", "BEFORE INSERT", "sandbox_refund", NULL,
                                               NULL};
    CLEANUP(office_close) struct office office;
    int status = -1;

    till_open(&office);
    const order_id order = stand_in_sell(office_user(1), 10000, NULL);
    CHECK_I64(200, till_pay(&office, "customer-1", "a", order, "tok_visa").status);
    office_add_trigger(&office, "payment", &broken);
    (void)ask_refund(&office, order, &status);
    give_up(&office);
    const struct answer listed = send(&office, "admin-1", "GET", "/admin/unresolved-money");
    CHECK_STR("pending", answer_at(office.arena, &listed, "/data/0/status"));
    CHECK(audit_report(&office).size > 0);
    office_drop_trigger(&office, "payment", &broken);
    office_advance(&office, refund_retry_ms(REFUND_TRIES_MAX));
    const struct answer after = send(&office, "admin-1", "GET", "/admin/unresolved-money");
    CHECK_STR("[]", answer_at(office.arena, &after, "/data"));
    CHECK_STR("", audit_report(&office));
    till_check_audit(&office);
}

TEST(a_payment_that_cannot_be_finished_is_shown)
{
    CLEANUP(office_close) struct office office;

    till_open(&office);
    const order_id order = stand_in_sell(office_user(1), 10000, NULL);
    stand_in_fail(&booking_settle_op, FAULT_DOWN, 1, 1000);
    (void)till_pay(&office, "customer-1", "a", order, "tok_visa");
    for (int i = 0; i <= REFUND_TRIES_MAX; i++)
        office_advance(&office, DAY_MS / 24);
    const struct answer listed = send(&office, "admin-1", "GET", "/admin/unresolved-money");
    CHECK_STR("payment", answer_at(office.arena, &listed, "/data/0/kind"));
    stand_in_fail(NULL, FAULT_NONE, 1, 0);
    office_advance(&office, DAY_MS / 24);
    const struct answer after = send(&office, "admin-1", "GET", "/admin/unresolved-money");
    CHECK_STR("[]", answer_at(office.arena, &after, "/data"));
}

TEST(an_admin_has_a_failed_refund_tried_again)
{
    CLEANUP(office_close) struct office office;
    int status = -1;

    till_open(&office);
    const struct payment_refund in = ask_refund(&office, given_back_by_hand(&office), &status);
    const str path = arena_printf(office.arena, "/admin/refunds/%s/retry",
                                  id_format(REFUND_PREFIX, in.refund.uuid).text);
    give_up(&office);
    const struct answer still = send(&office, "admin-1", "POST", path.ptr);
    check_status(200, &still);
    CHECK_STR("pending", answer_at(office.arena, &still, "/status"));
    undo_by_hand(&office);
    const struct answer mended = send(&office, "admin-1", "POST", path.ptr);
    CHECK_STR("succeeded", answer_at(office.arena, &mended, "/status"));
    CHECK_I64(10000, till_i64(&office, "SELECT refunded_minor FROM payment_attempt"));
    CHECK_I64(1, told(&office, "refund.succeeded"));
    till_check_audit(&office);
    const struct answer done = send(&office, "admin-1", "POST", path.ptr);
    check_problem(office.arena, &done, 409, "conflict");
}

TEST(only_admins_see_unresolved_money_and_page_by_page)
{
    static const struct {
        const char *who;
        const char *path;
        int status;
    } cases[] = {
        {NULL,         "/admin/unresolved-money",          401},
        {"customer-1", "/admin/unresolved-money",          403},
        {"vendor-1",   "/admin/unresolved-money",          403},
        {"admin-1",    "/admin/unresolved-money?cursor=x", 400},
        {"admin-1",    "/admin/unresolved-money?limit=0",  422},
        {"admin-1",    "/admin/unresolved-money?page=2",   400},
    };
    CLEANUP(office_close) struct office office;

    till_open(&office);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_I64(cases[i].status, send(&office, cases[i].who, "GET", cases[i].path).status);
    CHECK_I64(404,
              send(&office, "admin-1", "POST", "/admin/refunds/rf_01h455vb4pex5vsknk084sn02q/retry")
                  .status);

    for (int i = 0; i < 3; i++)
        (void)till_attempt(&office, NULL);
    office_exec(&office, "payment", "UPDATE payment_attempt SET tries = 100");
    const char *path = "/admin/unresolved-money?limit=2";
    struct answer page = send(&office, "admin-1", "GET", path);
    CHECK(answer_at(office.arena, &page, "/data/1").ptr != NULL);
    CHECK(answer_at(office.arena, &page, "/data/2").ptr == NULL);
    path = arena_printf(office.arena, "%s&cursor=%.*s", path,
                        STR_ARG(answer_at(office.arena, &page, "/next_cursor")))
               .ptr;
    page = send(&office, "admin-1", "GET", path);
    CHECK(answer_at(office.arena, &page, "/data/0").ptr != NULL);
    CHECK(answer_at(office.arena, &page, "/data/1").ptr == NULL);
}
