/* base/money_test.c */
#include "support/test.h"

#include "base/money.h"

TEST(active_codes_are_known_with_their_decimals)
{
    static const struct {
        const char *code;
        int exponent;
    } cases[] = {
        {"AED", 2},
        {"BHD", 3},
        {"BIF", 0},
        {"CLF", 4},
        {"CLP", 0},
        {"DJF", 0},
        {"EGP", 2},
        {"EUR", 2},
        {"GBP", 2},
        {"GNF", 0},
        {"IQD", 3},
        {"ISK", 0},
        {"JOD", 3},
        {"JPY", 0},
        {"KMF", 0},
        {"KRW", 0},
        {"KWD", 3},
        {"LYD", 3},
        {"MGA", 2},
        {"MRU", 2},
        {"OMR", 3},
        {"PYG", 0},
        {"RWF", 0},
        {"SAR", 2},
        {"SLE", 2},
        {"TND", 3},
        {"TRY", 2},
        {"UGX", 0},
        {"USD", 2},
        {"UYI", 0},
        {"UYW", 4},
        {"VES", 2},
        {"VND", 0},
        {"VUV", 0},
        {"XAF", 0},
        {"XCG", 2},
        {"XOF", 0},
        {"XPF", 0},
        {"ZWG", 2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct currency currency;

        CHECK(currency_parse(str_of(cases[i].code), &currency));
        CHECK_STR(cases[i].code, str_of(currency.code));
        CHECK_I64(cases[i].exponent, currency_exponent(currency));
    }
}

TEST(there_are_165_currencies_that_something_can_cost)
{
    struct currency currency;
    char code[] = "AAA";
    int count = 0;

    for (code[0] = 'A'; code[0] <= 'Z'; code[0]++)
        for (code[1] = 'A'; code[1] <= 'Z'; code[1]++)
            for (code[2] = 'A'; code[2] <= 'Z'; code[2]++)
                count += currency_parse((str){code, 3}, &currency);
    CHECK_I64(165, count);
}

TEST(what_is_no_active_code_in_capitals_is_refused)
{
    static const char *const codes[] = {
        "",    "E",   "EU",  "EURO", "eur", "Eur", "EU ", " EU", "ABC", "DEM",       "ANG",
        "ZWL", "HRK", "BGN", "XAU",  "XXX", "XTS", "XDR", "AAA", "ZZZ", "E\xc3\x9c",
    };
    struct currency currency = {"USD"};

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        CHECK(!currency_parse(str_of(codes[i]), &currency));
    CHECK(!currency_parse(STR_ABSENT, &currency));
    CHECK_STR("USD", str_of(currency.code));
}

TEST(currencies_are_equal_by_code)
{
    CHECK(currency_eq((struct currency){"EUR"}, (struct currency){"EUR"}));
    CHECK(!currency_eq((struct currency){"EUR"}, (struct currency){"USD"}));
}

TEST(arithmetic_says_when_it_overflows)
{
    int64_t ret = 42;

    CHECK(minor_add(2, 3, &ret));
    CHECK_I64(5, ret);
    CHECK(minor_multiply(-4, 3, &ret));
    CHECK_I64(-12, ret);
    CHECK(!minor_add(INT64_MAX, 1, &ret));
    CHECK(!minor_add(INT64_MIN, -1, &ret));
    CHECK(!minor_multiply(INT64_MAX, 2, &ret));
    CHECK(!minor_multiply(INT64_MIN, -1, &ret));
    CHECK_I64(-12, ret);
    CHECK(minor_multiply(MONEY_MINOR_MAX, 1000000, &ret));
}

TEST(money_reads_as_people_write_it)
{
    static const struct {
        struct money money;
        const char *text;
    } cases[] = {
        {{25000, {"EGP"}},     "EGP 250.00"               },
        {{1200, {"JPY"}},      "JPY 1200"                 },
        {{-1250, {"KWD"}},     "KWD -1.250"               },
        {{0, {"EUR"}},         "EUR 0.00"                 },
        {{5, {"EUR"}},         "EUR 0.05"                 },
        {{-5, {"EUR"}},        "EUR -0.05"                },
        {{99, {"EUR"}},        "EUR 0.99"                 },
        {{100, {"EUR"}},       "EUR 1.00"                 },
        {{0, {"JPY"}},         "JPY 0"                    },
        {{-7, {"JPY"}},        "JPY -7"                   },
        {{12345, {"CLF"}},     "CLF 1.2345"               },
        {{INT64_MAX, {"EUR"}}, "EUR 92233720368547758.07" },
        {{INT64_MIN, {"EUR"}}, "EUR -92233720368547758.08"},
        {{INT64_MIN, {"CLF"}}, "CLF -922337203685477.5808"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_STR(cases[i].text, str_of(money_format(cases[i].money).text));
}
