/* payment/drive_late_test.c - attempts that their request has left behind, and calls that come too late. */
#include "services/payment/drive.h"

#include "services/payment/till_fixture.h"
#include "support/test.h"

TEST(what_its_request_has_left_behind_is_taken_up_without_a_wake)
{
    CLEANUP(office_close) struct office office;

    till_open(&office);
    const struct attempt attempt = till_attempt(&office, "a");
    office_advance(&office, ATTEMPT_LEASE_MS - 1);
    CHECK_I64(ATTEMPT_CREATED, till_state(&office, attempt.id));
    office_advance(&office, 2 * ATTEMPT_LEASE_MS);
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
