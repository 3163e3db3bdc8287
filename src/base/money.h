/* base/money.h - amounts in minor units of an ISO 4217 currency. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { CURRENCY_CODE_SIZE = 3 };
#define MONEY_MINOR_MAX INT64_C(1000000000000) /* 10^12 */

struct currency {
    char code[CURRENCY_CODE_SIZE + 1]; /* upper case, NUL-terminated */
};

struct money {
    int64_t minor;
    struct currency currency;
};

/* False if `code` is no active ISO 4217 code in upper case. */
bool currency_parse(str code, struct currency *ret);
bool currency_eq(struct currency a, struct currency b);
/* Digits behind the decimal point: 0 (JPY), 2 (EUR), 3 (KWD), 4 (CLF). */
int currency_exponent(struct currency currency);
/* False on overflow; *ret is then untouched. */
bool minor_add(int64_t a, int64_t b, int64_t *ret);
bool minor_multiply(int64_t a, int64_t b, int64_t *ret);

enum { MONEY_TEXT_SIZE_MAX = 40 };
struct money_text {
    char text[MONEY_TEXT_SIZE_MAX];
};
/* For people: "EGP 250.00", "JPY 1200", "KWD -1.250". */
struct money_text money_format(struct money money);
