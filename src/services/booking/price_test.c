/* booking/price_test.c - the arithmetic of prices, by tables. */

#include "services/booking/price.h"

#include "base/money.h"
#include "base/rng.h"
#include "support/test.h"

static const struct booking_money_line line = {
    .ticket_type = {{1}},
    .quantity = 7,
    .face_minor = 7000,
    .discount_minor = 101,
    .buyer_fee_minor = 13,
    .vendor_fee_minor = 6,
    .tax_minor = 699,
    .tax_included_minor = 2,
};

static void check_line(const struct booking_money_line *expected,
                       const struct booking_money_line *is)
{
    CHECK(uuid_eq(expected->ticket_type, is->ticket_type));
    CHECK_I64(expected->quantity, is->quantity);
    CHECK_I64(expected->face_minor, is->face_minor);
    CHECK_I64(expected->discount_minor, is->discount_minor);
    CHECK_I64(expected->buyer_fee_minor, is->buyer_fee_minor);
    CHECK_I64(expected->vendor_fee_minor, is->vendor_fee_minor);
    CHECK_I64(expected->tax_minor, is->tax_minor);
    CHECK_I64(expected->tax_included_minor, is->tax_included_minor);
}

TEST(the_shares_of_its_tickets_sum_up_to_the_line)
{
    struct booking_money_line sum = {.ticket_type = line.ticket_type};
    int64_t last_minor = INT64_MAX;

    for (int64_t i = 0; i < line.quantity; i++) {
        const struct booking_money_line one = price_one(&line, i);

        CHECK_I64(1, one.quantity);
        CHECK_I64(1000, one.face_minor);
        CHECK(one.tax_minor == 99 || one.tax_minor == 100);
        CHECK(one.tax_minor <= last_minor); /* the remainder goes to the first */
        last_minor = one.tax_minor;
        price_add(&sum, &one);
    }
    check_line(&line, &sum);
    CHECK_I64(7000 - 101 + 13 + 699, price_paid(&line));
}

TEST(lines_of_one_type_become_one)
{
    struct booking_money_line lines[3] = {0};
    struct booking_money_line other = line;
    size_t count = 0;

    other.ticket_type.bytes[0] = 2;
    price_gather(lines, &count, &line);
    price_gather(lines, &count, &other);
    price_gather(lines, &count, &line);
    CHECK_I64(2, (int64_t)count);
    CHECK_I64(14, lines[0].quantity);
    CHECK_I64(2 * price_paid(&line), price_paid(&lines[0]));
    check_line(&other, &lines[1]);
}

TEST(lines_come_back_from_a_column_as_they_went_in)
{
    struct arena *arena = arena_open(0);
    const struct booking_money_line given[2] = {
        line, {.ticket_type = {{2}}, .quantity = 1, .face_minor = MONEY_MINOR_MAX}
    };
    struct booking_money_line *lines = NULL;
    size_t count = 0;

    CHECK_OK(price_lines_read(arena, price_lines_write(arena, given, 2), &lines, &count));
    CHECK_I64(2, (int64_t)count);
    check_line(&given[0], &lines[0]);
    check_line(&given[1], &lines[1]);
    CHECK(price_lines_write(arena, NULL, 0).ptr == NULL);
    CHECK_OK(price_lines_read(arena, STR_ABSENT, &lines, &count));
    CHECK_I64(0, (int64_t)count);
    arena_close(arena);
}

TEST(a_line_of_list_prices_is_plain)
{
    struct booking_money_line plain = {.quantity = 2, .face_minor = 500};

    CHECK(price_is_plain(&plain));
    CHECK(!price_is_plain(&line));
    plain.tax_included_minor = 1;
    CHECK(!price_is_plain(&plain));
}

/* --- What an order costs --- */

TEST(a_fraction_is_rounded_as_the_rules_say)
{
    /* Of prices with the tax in them: price x rate / (1 + rate). */
    static const struct {
        int64_t face_minor;
        int64_t rate_ppm;
        bool on_top;
        int64_t half_up;
        int64_t half_even;
        int64_t down;
    } cases[] = {
        {10000,           190000,  false, 1597,            1597,            1596           }, /* EUR 100.00 at 19 %: 15.966 */
        {10000,           70000,   false, 654,             654,             654            }, /* at 7 %: 6.542 */
        {1500,            190000,  true,  285,             285,             285            },
        {1450,            50000,   true,  73,              72,              72             }, /* 72.5 */
        {1470,            50000,   true,  74,              74,              73             }, /* 73.5 */
        {105,             100000,  true,  11,              10,              10             }, /* JPY 105 at 10 %: 10.5 */
        {110,             100000,  false, 10,              10,              10             },
        {999,             100000,  true,  100,             100,             99             }, /* 99.9 */
        {12345,           88750,   true,  1096,            1096,            1095           }, /* 8.875 %, New York: 1095.6 */
        {12500,           50000,   true,  625,             625,             625            }, /* KWD 12.500 at 5 % */
        {12510,           50000,   true,  626,             626,             625            }, /* 625.5: to even is up */
        {12530,           50000,   true,  627,             626,             626            }, /* 626.5: to even is down */
        {1,               1000000, true,  1,               1,               1              },
        {1,               1000000, false, 1,               0,               0              },
        {0,               190000,  false, 0,               0,               0              },
        {MONEY_MINOR_MAX, 1000000, true,  MONEY_MINOR_MAX, MONEY_MINOR_MAX, MONEY_MINOR_MAX},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const int64_t expected[] = {[PRICE_HALF_UP] = cases[i].half_up,
                                    [PRICE_HALF_EVEN] = cases[i].half_even,
                                    [PRICE_DOWN] = cases[i].down};

        for (int rounding = PRICE_HALF_UP; rounding <= PRICE_DOWN; rounding++)
            for (int per = PRICE_PER_ORDER; per <= PRICE_PER_TICKET; per++) {
                const struct price_rules rules = {
                    .tax_on_top = cases[i].on_top, .tax_rounding = rounding, .tax_per = per};
                struct booking_money_line one = {.quantity = 1, .face_minor = cases[i].face_minor};

                price_order(&rules, &cases[i].rate_ppm, &one, 1);
                CHECK_I64(expected[rounding],
                          cases[i].on_top ? one.tax_minor : one.tax_included_minor);
                CHECK_I64(0, cases[i].on_top ? one.tax_included_minor : one.tax_minor);
                CHECK_I64(price_paid(&one),
                          price_all_in(&rules, cases[i].rate_ppm, cases[i].face_minor));
            }
    }
}

TEST(tax_is_rounded_once_for_what_it_is_rounded_of)
{
    /* Two lines: 5 x and 2 x a price, at these rates. */
    static const struct {
        int per;
        int rounding;
        int64_t face_minor; /* of one ticket */
        int64_t rates_ppm[2];
        int64_t tax_minor[2]; /* in the price */
    } cases[] = {
  /* 5 x EUR 100.00 at 19 %: 79.83 together, 79.85 ticket by ticket; 2 x: 31.93 and 31.94. */
        {PRICE_PER_TICKET, PRICE_HALF_UP, 10000, {190000, 190000}, {7985, 3194}},
        {PRICE_PER_LINE,   PRICE_HALF_UP, 10000, {190000, 190000}, {7983, 3193}},
 /* 700.00: 111.76, split by the largest remainder: 79.8319 and 31.9328. */
        {PRICE_PER_ORDER,  PRICE_HALF_UP, 10000, {190000, 190000}, {7983, 3193}},
        {PRICE_PER_ORDER,  PRICE_HALF_UP, 10000, {190000, 70000},  {7983, 1308}},
        {PRICE_PER_TICKET, PRICE_DOWN,    10000, {190000, 70000},  {7980, 1308}},
 /* JPY 5 x 105 and 2 x 105 at 10 %: 47.7 and 19.1, together 66.8. */
        {PRICE_PER_ORDER,  PRICE_DOWN,    105,   {100000, 100000}, {47, 19}    },
        {PRICE_PER_ORDER,  PRICE_HALF_UP, 105,   {100000, 100000}, {48, 19}    },
        {PRICE_PER_TICKET, PRICE_HALF_UP, 105,   {100000, 100000}, {50, 20}    },
        {PRICE_PER_LINE,   PRICE_DOWN,    105,   {100000, 0},      {47, 0}     },
 /* KWD 5 x 0.001. */
        {PRICE_PER_TICKET, PRICE_HALF_UP, 1,     {50000, 50000},   {0, 0}      },
        {PRICE_PER_ORDER,
         PRICE_HALF_UP,                   1,
         {500000, 500000},
         {1, 1}                                                                }, /* 2.33, so 2: 1.43 and 0.57 */
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct price_rules rules = {.tax_rounding = cases[i].rounding,
                                          .tax_per = cases[i].per};
        struct booking_money_line lines[] = {
            {.quantity = 5, .face_minor = 5 * cases[i].face_minor},
            {.quantity = 2, .face_minor = 2 * cases[i].face_minor},
        };

        price_order(&rules, cases[i].rates_ppm, lines, 2);
        CHECK_I64(cases[i].tax_minor[0], lines[0].tax_included_minor);
        CHECK_I64(cases[i].tax_minor[1], lines[1].tax_included_minor);
        CHECK_I64(7 * cases[i].face_minor, price_paid(&lines[0]) + price_paid(&lines[1]));
    }
}

TEST(each_ticket_that_costs_anything_bears_the_fee)
{
    static const struct {
        int64_t fixed_minor;
        int64_t basis_points;
        bool vendor;
        int64_t quantity;
        int64_t face_minor; /* of one */
        int64_t discount_minor;
        int64_t fee_minor;
    } cases[] = {
        {0,  0,     false, 3, 2500, 0,    0   },
        {50, 250,   false, 3, 2500, 0,    339 }, /* 3 x (50 + 62.5) */
        {50, 250,   true,  3, 2500, 0,    339 },
        {50, 250,   false, 3, 0,    0,    0   },
        {80, 0,     false, 4, 1200, 0,    320 }, /* JPY */
        {80, 0,     true,  4, 50,   0,    200 }, /* not more than it costs */
        {80, 0,     false, 4, 50,   0,    320 },
        {0,  1000,  false, 2, 1000, 1,    200 }, /* 1000 and 999 */
        {0,  1000,  false, 2, 1000, 11,   199 }, /* 995 and 994: 99.5 and 99.4 */
        {50, 0,     false, 2, 1000, 1999, 50  }, /* 1 and 0 */
        {50, 0,     false, 2, 1000, 2000, 0   },
        {0,  10000, false, 1, 2500, 0,    2500},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct price_rules rules = {.fee_fixed_minor = cases[i].fixed_minor,
                                          .fee_basis_points = cases[i].basis_points,
                                          .vendor_bears = cases[i].vendor};
        const int64_t rate_ppm = 0;
        struct booking_money_line of = {
            .quantity = cases[i].quantity,
            .face_minor = cases[i].quantity * cases[i].face_minor,
            .discount_minor = cases[i].discount_minor,
        };

        price_order(&rules, &rate_ppm, &of, 1);
        CHECK_I64(cases[i].fee_minor, cases[i].vendor ? of.vendor_fee_minor : of.buyer_fee_minor);
        CHECK_I64(0, cases[i].vendor ? of.buyer_fee_minor : of.vendor_fee_minor);
    }
}

TEST(a_discount_is_split_by_the_largest_remainder)
{
    static const struct {
        int64_t faces[3];
        int64_t discount_minor;
        int64_t shares[3];
    } cases[] = {
        {{1000, 1000, 1000},                                              100,  {34, 33, 33}   },
        {{1000, 2000, 3000},                                              100,  {17, 33, 50}   }, /* 16.7, 33.3, 50 */
        {{1, 1, 1},                                                       2,    {1, 1, 0}      },
        {{0, 5, 0},                                                       5,    {0, 5, 0}      },
        {{0, 0, 0},                                                       0,    {0, 0, 0}      },
        {{700, 200, 100},                                                 1000, {700, 200, 100}},
        {{MONEY_MINOR_MAX / 2, MONEY_MINOR_MAX / 4, MONEY_MINOR_MAX / 4},
         MONEY_MINOR_MAX - 1,
         {MONEY_MINOR_MAX / 2, MONEY_MINOR_MAX / 4, MONEY_MINOR_MAX / 4 - 1}                   },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct booking_money_line lines[3] = {0};

        for (int n = 0; n < 3; n++)
            lines[n].face_minor = cases[i].faces[n];
        price_discount(lines, 3, cases[i].discount_minor);
        int64_t sum = 0;
        for (int n = 0; n < 3; n++) {
            CHECK(lines[n].discount_minor <= lines[n].face_minor);
            sum += lines[n].discount_minor;
        }
        CHECK_I64(cases[i].discount_minor, sum);
        for (int n = 0; n < 3 && i + 1 < sizeof(cases) / sizeof(cases[0]); n++)
            CHECK_I64(cases[i].shares[n], lines[n].discount_minor);
    }
}

TEST(a_fixed_fee_is_of_a_currency)
{
    static const struct {
        const char *setting;
        const char *currency;
        bool is_sound;
        int64_t minor;
    } cases[] = {
        {NULL,                     "EUR", true,  0         },
        {"EUR:50",                 "EUR", true,  50        },
        {" EUR:50  JPY:80 KWD:1 ", "JPY", true,  80        },
        {"EUR:50 JPY:80 KWD:1",    "KWD", true,  1         },
        {"EUR:50",                 "JPY", true,  0         },
        {"EUR:1000000000",         "EUR", true,  1000000000},
        {"EUR:1000000001",         "EUR", false, 0         },
        {"EUR:-1",                 "EUR", false, 0         },
        {"EUR:",                   "EUR", false, 0         },
        {"EUR",                    "EUR", false, 0         },
        {"EUX:5",                  "EUR", false, 0         },
        {"EUR:5,JPY:6",            "EUR", false, 0         },
        {"EUR:0.5",                "EUR", false, 0         },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct currency currency = {0};
        int64_t minor = -1;

        CHECK(currency_parse(str_of(cases[i].currency), &currency));
        CHECK(price_fixed_fee(str_of(cases[i].setting), currency, &minor) == cases[i].is_sound);
        if (cases[i].is_sound)
            CHECK_I64(cases[i].minor, minor);
    }
}

TEST(what_comes_back_is_rounded_half_up_and_never_more_than_it_cost)
{
    static const struct {
        int64_t amounts[4]; /* face, discount, fee, tax */
        int64_t percent;
        bool fees;
        int64_t back;
    } cases[] = {
        {{2501, 0, 113, 0},  100, true,  2614},
        {{2501, 0, 113, 0},  100, false, 2501},
        {{2501, 0, 113, 0},  50,  true,  1308}, /* 1250.5 and 56.5 */
        {{2501, 0, 113, 0},  1,   true,  26  }, /* 25.01 and 1.13 */
        {{101, 51, 0, 0},    50,  true,  25  }, /* 50.5 less 25.5 */
        {{49, 49, 0, 0},     99,  true,  0   },
        {{60, 50, 3, 2},     99,  true,  14  }, /* 59 - 50 + 3 + 2 */
        {{1, 0, 0, 0},       50,  true,  1   }, /* JPY 1 */
        {{1, 0, 0, 0},       49,  true,  0   },
        {{12505, 0, 463, 0}, 75,  true,  9726}, /* KWD: 9378.75 and 347.25 */
        {{12505, 0, 463, 0}, 0,   true,  0   },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct booking_money_line cost = {
            .quantity = 1,
            .face_minor = cases[i].amounts[0],
            .discount_minor = cases[i].amounts[1],
            .buyer_fee_minor = cases[i].amounts[2],
            .tax_minor = cases[i].amounts[3],
        };
        const struct price_terms terms = {cases[i].percent, cases[i].fees};
        const struct booking_money_line back = price_back(&cost, &terms);

        CHECK_I64(cases[i].back, price_paid(&back));
        CHECK(price_paid(&back) <= price_paid(&cost));
    }
}

static int64_t below(struct rng *rng, int64_t bound)
{
    return (int64_t)rng_below(rng, (uint64_t)bound);
}

/* Whatever the rules are: parts sum up to the whole, and nothing is negative. */
TEST(random_orders_add_up)
{
    struct rng_seeded rng;

    rng_seeded_init(&rng, 1);
    for (int round = 0; round < 20000; round++) {
        struct booking_money_line lines[4];
        int64_t rates_ppm[4];
        int64_t faces = 0;
        const struct price_rules rules = {
            .fee_fixed_minor = below(&rng.rng, 100),
            .fee_basis_points = below(&rng.rng, 3000),
            .vendor_bears = below(&rng.rng, 2) == 0,
            .tax_on_top = below(&rng.rng, 2) == 0,
            .tax_rounding = (int)below(&rng.rng, 3),
            .tax_per = (int)below(&rng.rng, 3),
        };

        for (int i = 0; i < 4; i++) {
            const int64_t quantity = 1 + below(&rng.rng, 9);

            lines[i] = (struct booking_money_line){.quantity = quantity,
                                                   .face_minor = quantity * below(&rng.rng, 5000)};
            rates_ppm[i] = below(&rng.rng, 3) * 70000 + below(&rng.rng, 2) * 3;
            faces += lines[i].face_minor;
        }
        const int64_t discount_minor = below(&rng.rng, faces + 1);
        price_discount(lines, 4, discount_minor);
        price_order(&rules, rates_ppm, lines, 4);

        int64_t discounts = 0;
        for (int i = 0; i < 4; i++) {
            struct booking_money_line sum = {0};

            discounts += lines[i].discount_minor;
            CHECK(lines[i].discount_minor >= 0 && lines[i].discount_minor <= lines[i].face_minor);
            CHECK(lines[i].vendor_fee_minor <= lines[i].face_minor - lines[i].discount_minor);
            CHECK(lines[i].buyer_fee_minor >= 0 && lines[i].tax_minor >= 0);
            for (int64_t n = 0; n < lines[i].quantity; n++) {
                const struct booking_money_line one = price_one(&lines[i], n);

                const struct price_terms terms = {1 + below(&rng.rng, 100),
                                                  below(&rng.rng, 2) == 0};
                const struct booking_money_line back = price_back(&one, &terms);

                CHECK(price_paid(&back) >= 0 && price_paid(&back) <= price_paid(&one));
                price_add(&sum, &one);
            }
            sum.ticket_type = lines[i].ticket_type;
            check_line(&lines[i], &sum);
        }
        CHECK_I64(discount_minor, discounts);
    }
}
