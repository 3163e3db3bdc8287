/* gateway/rate_test.c - buckets empty, fill and do not mind the clock. */
#include "services/gateway/rate.h"

#include "support/test.h"

static const struct rate_limit ten = {.per_s = 10, .burst = 3};

TEST(a_full_bucket_gives_its_burst_and_then_waits)
{
    struct rate_table *table = rate_table_new();
    int wait_s = 0;

    for (int i = 0; i < 3; i++)
        CHECK(rate_take(table, 42, &ten, 1000, &wait_s));
    CHECK(!rate_take(table, 42, &ten, 1000, &wait_s));
    CHECK_I64(1, wait_s);
    CHECK(!rate_take(table, 42, &ten, 1099, &wait_s));
    CHECK(rate_take(table, 42, &ten, 1100, &wait_s));
    CHECK(!rate_take(table, 42, &ten, 1100, &wait_s));
    rate_table_free(table);
}

TEST(what_flows_in_is_bounded_by_the_burst)
{
    struct rate_table *table = rate_table_new();
    int wait_s = 0;
    int taken = 0;

    CHECK(rate_take(table, 7, &ten, 0, &wait_s));
    while (rate_take(table, 7, &ten, INT64_C(1) << 60, &wait_s))
        taken++;
    CHECK_I64(3, taken);
    rate_table_free(table);
}

TEST(a_clock_that_goes_back_neither_fills_nor_empties)
{
    struct rate_table *table = rate_table_new();
    int wait_s = 0;

    CHECK(rate_take(table, 9, &ten, 5000, &wait_s));
    CHECK(rate_take(table, 9, &ten, 4000, &wait_s));
    CHECK(rate_take(table, 9, &ten, 4000, &wait_s));
    CHECK(!rate_take(table, 9, &ten, 4000, &wait_s));
    rate_table_free(table);
}

TEST(accounts_do_not_share_a_bucket)
{
    struct rate_table *table = rate_table_new();
    int wait_s = 0;

    for (int i = 0; i < 3; i++)
        CHECK(rate_take(table, 2, &ten, 0, &wait_s));
    CHECK(!rate_take(table, 2, &ten, 0, &wait_s));
    CHECK(rate_take(table, 4, &ten, 0, &wait_s));
    rate_table_free(table);
}

TEST(a_network_is_an_ipv4_address_or_half_of_an_ipv6_address)
{
    static const struct {
        const char *one;
        const char *other;
        bool same;
    } cases[] = {
        {"192.0.2.1",       "192.0.2.1",          true },
        {"192.0.2.1",       "192.0.2.2",          false},
        {"192.0.2.1",       "::ffff:192.0.2.1",   true },
        {"192.0.2.1",       "::ffff:192.0.2.2",   false},
        {"2001:db8:0:1::1", "2001:db8:0:1::2",    true },
        {"2001:db8:0:1::1", "2001:db8:0:1:f::ff", true },
        {"2001:db8:0:1::1", "2001:db8:0:2::1",    false},
        {"2001:db8:0:1::1", "192.0.2.1",          false},
        {"nonsense",        "nonsense",           true },
        {"nonsense",        "other nonsense",     false},
        {"",                "192.0.2.1",          false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_I64(cases[i].same, rate_network_key(str_of(cases[i].one)) ==
                                     rate_network_key(str_of(cases[i].other)));
}
