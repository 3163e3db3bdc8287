/* payment/stripe_money.c - from ISO 4217's minor units to Stripe's.
 *
 * They are the same but for currencies that Stripe counts without decimals whatever ISO says, two that
 * it counts with two decimals although they have none any more, and those of three decimals, whose
 * last digit must be 0. */
#include "services/payment/stripe_money.h"

#include <string.h>

static const struct {
    char code[CURRENCY_CODE_SIZE + 1];
    int decimals; /* of Stripe's amount */
    int64_t step; /* it must be a multiple of this */
} special[] = {
    {"BIF", 0, 1  },
    {"CLP", 0, 1  },
    {"DJF", 0, 1  },
    {"GNF", 0, 1  },
    {"JPY", 0, 1  },
    {"KMF", 0, 1  },
    {"KRW", 0, 1  },
    {"MGA", 0, 1  },
    {"PYG", 0, 1  },
    {"RWF", 0, 1  },
    {"VND", 0, 1  },
    {"VUV", 0, 1  },
    {"XAF", 0, 1  },
    {"XOF", 0, 1  },
    {"XPF", 0, 1  },
    {"ISK", 2, 100},
    {"UGX", 2, 100},
    {"BHD", 3, 10 },
    {"JOD", 3, 10 },
    {"KWD", 3, 10 },
    {"OMR", 3, 10 },
    {"TND", 3, 10 },
};

bool stripe_amount(struct money money, int64_t *ret)
{
    const int ours = currency_exponent(money.currency);
    int theirs = ours == 2 ? 2 : -1;
    int64_t step = 1;
    int64_t amount = money.minor;

    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
        if (strcmp(special[i].code, money.currency.code) == 0) {
            theirs = special[i].decimals;
            step = special[i].step;
        }
    if (theirs < 0)
        return false;
    for (int i = ours; i < theirs; i++)
        if (!minor_multiply(amount, 10, &amount))
            return false;
    for (int i = theirs; i < ours; i++) {
        if (amount % 10 != 0)
            return false;
        amount /= 10;
    }
    if (amount % step != 0)
        return false;
    *ret = amount;
    return true;
}
