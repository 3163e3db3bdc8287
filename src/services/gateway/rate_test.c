/* gateway/rate_test.c - which addresses are one network. */
#include "services/gateway/rate.h"

#include "support/test.h"

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
