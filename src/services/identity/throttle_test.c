/* identity/throttle_test.c - who guesses waits, ever longer; who is right goes in. */
#include "services/identity/throttle.h"

#include "services/identity/identity_fixture.h"
#include "support/test.h"

TEST(the_wait_doubles_up_to_five_minutes)
{
    static const struct {
        int64_t failures;
        int64_t delay_s;
    } cases[] = {
        {0,         0  },
        {1,         0  },
        {4,         0  },
        {5,         1  },
        {6,         2  },
        {7,         4  },
        {12,        128},
        {13,        256},
        {14,        300},
        {15,        300},
        {64,        300},
        {INT64_MAX, 300},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_I64(cases[i].delay_s, throttle_delay_s(cases[i].failures));
}

static void check_waits(struct office *office, const char *email, const char *wait_s)
{
    const struct answer answer = identity_login(office, email, "12345678");

    check_problem(office->arena, &answer, 429, "rate_limited");
    CHECK_STR(wait_s, answer_header(&answer, "Retry-After"));
}

static void guess(struct office *office, const char *email, int times)
{
    for (int i = 0; i < times; i++)
        CHECK_I64(401, identity_login(office, email, "wrong").status);
}

/* The same for an address that somebody has, and for one that nobody has. */
TEST(after_five_failures_the_address_waits_whether_anybody_has_it_or_not)
{
    static const char *const emails[] = {"ana@b.org", "nobody@b.org"};
    CLEANUP(office_close) struct office office;

    identity_fixture_open(&office);
    CHECK_I64(201, identity_register(&office, "ana@b.org", "12345678").status);
    for (size_t i = 0; i < sizeof(emails) / sizeof(emails[0]); i++) {
        guess(&office, emails[i], THROTTLE_FREE);
        check_waits(&office, emails[i], "1"); /* also with the right password */
        office_advance(&office, 999);
        check_waits(&office, emails[i], "1");
        office_advance(&office, 1);
        guess(&office, emails[i], 1);
        check_waits(&office, emails[i], "2");
        office_advance(&office, 2000);
        guess(&office, emails[i], 1);
        check_waits(&office, emails[i], "4");
        office_restart(&office); /* it survives one */
        check_waits(&office, emails[i], "4");
        office_advance(&office, 4000);
    }
    CHECK_I64(200, identity_login(&office, "ANA@b.org", "12345678").status);
    guess(&office, "ana@b.org", THROTTLE_FREE); /* who was right begins anew */
    check_waits(&office, "ana@b.org", "1");
}

TEST(one_address_does_not_slow_down_another)
{
    CLEANUP(office_close) struct office office;

    identity_fixture_open(&office);
    CHECK_I64(201, identity_register(&office, "ana@b.org", "12345678").status);
    CHECK_I64(201, identity_register(&office, "eva@b.org", "12345678").status);
    guess(&office, "ana@b.org", THROTTLE_FREE);
    check_waits(&office, "ana@b.org", "1");
    CHECK_I64(200, identity_login(&office, "eva@b.org", "12345678").status);
}

TEST(case_does_not_make_another_address)
{
    static const char *const emails[] = {"ana@b.org", "Ana@b.org", "ANA@b.org", "ana@B.org",
                                         "ana@b.ORG"};
    CLEANUP(office_close) struct office office;

    identity_fixture_open(&office);
    for (size_t i = 0; i < sizeof(emails) / sizeof(emails[0]); i++)
        guess(&office, emails[i], 1);
    check_waits(&office, "ana@b.org", "1");
}

TEST(failures_of_more_than_an_hour_ago_count_no_more)
{
    CLEANUP(office_close) struct office office;

    identity_fixture_open(&office);
    guess(&office, "ana@b.org", THROTTLE_FREE - 1);
    clock_manual_advance(&office.clock, THROTTLE_MEMORY_S * INT64_C(1000));
    guess(&office, "ana@b.org", 1); /* the fifth within the hour */
    check_waits(&office, "ana@b.org", "1");
    clock_manual_advance(&office.clock, THROTTLE_MEMORY_S * INT64_C(1000) + 1);
    guess(&office, "ana@b.org", THROTTLE_FREE - 1);
    CHECK_I64(401, identity_login(&office, "ana@b.org", "wrong").status);
    check_waits(&office, "ana@b.org", "1");
}
