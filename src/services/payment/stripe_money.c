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

/* Stripe's number of decimals, and what amounts must be multiples of. */
struct counting {
    int decimals; /* -1: unknown to Stripe */
    int64_t step;
};

static struct counting counting_of(struct currency currency)
{
    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
        if (strcmp(special[i].code, currency.code) == 0)
            return (struct counting){special[i].decimals, special[i].step};
    return (struct counting){currency_exponent(currency) == 2 ? 2 : -1, 1};
}

/* The same amount with another number of decimals. False: it has too many digits, or is cut. */
static bool rescale(int64_t amount, int from, int to, int64_t *ret)
{
    for (int i = from; i < to; i++)
        if (!minor_multiply(amount, 10, &amount))
            return false;
    for (int i = to; i < from; i++) {
        if (amount % 10 != 0)
            return false;
        amount /= 10;
    }
    *ret = amount;
    return true;
}

bool stripe_amount(struct money money, int64_t *ret)
{
    const struct counting counting = counting_of(money.currency);
    int64_t amount = 0;

    if (counting.decimals < 0 ||
        !rescale(money.minor, currency_exponent(money.currency), counting.decimals, &amount) ||
        amount % counting.step != 0)
        return false;
    *ret = amount;
    return true;
}

bool stripe_minor(int64_t amount, struct currency currency, int64_t *ret)
{
    const struct counting counting = counting_of(currency);

    return counting.decimals >= 0 &&
           rescale(amount, counting.decimals, currency_exponent(currency), ret);
}
