/* payment/stripe_money_test.c - amounts by table. */
#include "services/payment/stripe_money.h"

#include "support/test.h"

TEST(amounts_are_counted_as_stripe_does)
{
    static const struct {
        const char *code;
        int64_t minor;
        int64_t amount; /* -1: cannot be charged */
    } cases[] = {
        {"EUR", 1050,            1050           },
        {"EGP", 25000,           25000          },
        {"JPY", 1200,            1200           }, /* no decimals, here and there */
        {"KRW", 1,               1              },
        {"MGA", 50000,           500            }, /* two decimals in ISO 4217, none at Stripe */
        {"MGA", 50050,           -1             },
        {"ISK", 1200,            120000         }, /* none in ISO 4217, two at Stripe */
        {"UGX", 5000,            500000         },
        {"KWD", 12340,           12340          }, /* three, the last one 0 */
        {"KWD", 12345,           -1             },
        {"BHD", 10,              10             },
        {"IQD", 1000,            -1             }, /* three, and unknown to Stripe */
        {"CLF", 10000,           -1             },
        {"HUF", 100000,          100000         },
        {"UGX", MONEY_MINOR_MAX, 100000000000000},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct money money = {.minor = cases[i].minor};
        int64_t amount = -1;

        CHECK(currency_parse(str_of(cases[i].code), &money.currency));
        CHECK_I64(cases[i].amount >= 0, stripe_amount(money, &amount));
        CHECK_I64(cases[i].amount, amount);
        int64_t minor = -1;
        if (cases[i].amount >= 0)
            CHECK(stripe_minor(amount, money.currency, &minor) && minor == cases[i].minor);
    }
}
