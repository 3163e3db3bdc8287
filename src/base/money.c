/* base/money.c - which currencies there are, and arithmetic that never wraps.
 *
 * The table is ISO 4217 list one (active codes) without those that have no minor unit: metals, the
 * SDR and other units of account, and the codes for testing and for none. Nothing can cost those.
 * Most currencies have two decimals, so only the others carry an exponent of their own. */

#include "base/money.h"

#include <assert.h>
#include <string.h>

enum { EXPONENT_STANDARD = 2, DIGITS_MAX = 20 };

struct exponent_row {
    char code[CURRENCY_CODE_SIZE + 1];
    int exponent;
};

/* Both ascending, for the binary search. */
static const char codes[][CURRENCY_CODE_SIZE + 1] = {
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BHD",
    "BIF", "BMD", "BND", "BOB", "BOV", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF",
    "CHE", "CHF", "CHW", "CLF", "CLP", "CNY", "COP", "COU", "CRC", "CUP", "CVE", "CZK", "DJF",
    "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP",
    "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IQD", "IRR",
    "ISK", "JMD", "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT",
    "LAK", "LBP", "LKR", "LRD", "LSL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP",
    "MRU", "MUR", "MVR", "MWK", "MXN", "MXV", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR",
    "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB",
    "RWF", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN",
    "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH",
    "UGX", "USD", "USN", "UYI", "UYU", "UYW", "UZS", "VED", "VES", "VND", "VUV", "WST", "XAD",
    "XAF", "XCD", "XCG", "XOF", "XPF", "YER", "ZAR", "ZMW", "ZWG",
};

static const struct exponent_row exponents[] = {
    {"BHD", 3},
    {"BIF", 0},
    {"CLF", 4},
    {"CLP", 0},
    {"DJF", 0},
    {"GNF", 0},
    {"IQD", 3},
    {"ISK", 0},
    {"JOD", 3},
    {"JPY", 0},
    {"KMF", 0},
    {"KRW", 0},
    {"KWD", 3},
    {"LYD", 3},
    {"OMR", 3},
    {"PYG", 0},
    {"RWF", 0},
    {"TND", 3},
    {"UGX", 0},
    {"UYI", 0},
    {"UYW", 4},
    {"VND", 0},
    {"VUV", 0},
    {"XAF", 0},
    {"XOF", 0},
    {"XPF", 0},
};

/* The row of `code` in an ascending table of rows that begin with their code; NULL: none. */
static const void *find_code(const char *code, const void *rows, size_t count, size_t size)
{
    size_t from = 0;

    while (from < count) {
        const size_t middle = from + (count - from) / 2;
        const char *row = (const char *)rows + middle * size;
        const int order = memcmp(code, row, CURRENCY_CODE_SIZE);

        if (order == 0)
            return row;
        if (order < 0)
            count = middle;
        else
            from = middle + 1;
    }
    return NULL;
}

bool currency_parse(str code, struct currency *ret)
{
    if (code.size != CURRENCY_CODE_SIZE ||
        find_code(code.ptr, codes, sizeof(codes) / sizeof(codes[0]), sizeof(codes[0])) == NULL)
        return false;
    *ret = (struct currency){0};
    memcpy(ret->code, code.ptr, CURRENCY_CODE_SIZE);
    return true;
}

bool currency_eq(struct currency a, struct currency b)
{
    return memcmp(a.code, b.code, CURRENCY_CODE_SIZE) == 0;
}

int currency_exponent(struct currency currency)
{
    const struct exponent_row *row = find_code(
        currency.code, exponents, sizeof(exponents) / sizeof(exponents[0]), sizeof(exponents[0]));

    return row != NULL ? row->exponent : EXPONENT_STANDARD;
}

bool minor_add(int64_t a, int64_t b, int64_t *ret)
{
    int64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *ret = sum;
    return true;
}

bool minor_multiply(int64_t a, int64_t b, int64_t *ret)
{
    int64_t product;

    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *ret = product;
    return true;
}

struct money_text money_format(struct money money)
{
    const int exponent = currency_exponent(money.currency);
    struct money_text ret = {0};
    char reversed[DIGITS_MAX + 2];
    size_t size = 0;
    /* Negated in unsigned, where INT64_MIN has a counterpart. */
    uint64_t rest = money.minor < 0 ? -(uint64_t)money.minor : (uint64_t)money.minor;

    for (int place = 0; rest > 0 || place <= exponent; place++) {
        if (place == exponent && exponent > 0)
            reversed[size++] = '.';
        reversed[size++] = (char)('0' + rest % 10);
        rest /= 10;
    }
    if (money.minor < 0)
        reversed[size++] = '-';
    assert(size <= sizeof(reversed));

    memcpy(ret.text, money.currency.code, CURRENCY_CODE_SIZE);
    ret.text[CURRENCY_CODE_SIZE] = ' ';
    char *to = ret.text + CURRENCY_CODE_SIZE + 1;
    while (size > 0)
        *to++ = reversed[--size];
    return ret;
}
