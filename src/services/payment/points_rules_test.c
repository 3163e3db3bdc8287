/* payment/points_rules_test.c - settings are read whole or refused, and nobody gains by rounding. */
#include "services/payment/points_rules.h"

#include "services/payment/payment.h"
#include "support/test.h"

static void close_config(struct config **config)
{
    config_close(*config);
}

/* With one setting changed; NULL: none. */
static err read_with(struct config **ret_config, const char *name, const char *value,
                     struct points_rules *ret, const char **ret_why)
{
    const struct settings *const tables[] = {payment_service.settings, NULL};
    str why = STR_ABSENT;

    *ret_config = config_open(tables);
    if (name != NULL)
        CHECK_OK(config_set(*ret_config, str_of(name), str_of(value), &why));
    return points_rules_read(*ret_config, ret, ret_why);
}

TEST(points_have_rules_without_any_setting)
{
    CLEANUP(close_config) struct config *config = NULL;
    struct points_rules rules = {0};
    const char *why = NULL;

    CHECK_OK(read_with(&config, NULL, NULL, &rules, &why));
    CHECK_I64(1, points_for(&rules, 100, 100));
    CHECK_I64(3, (int64_t)rules.tier_count);
    CHECK_I64(5, (int64_t)rules.discount_count);
    CHECK(points_takes_currency(&rules, (struct currency){"JPY"}));
}

TEST(settings_that_make_no_sense_are_refused)
{
    static const struct {
        const char *name;
        const char *value;
        bool good;
    } cases[] = {
        {"points.tiers",      "only 0 100",                  true },
        {"points.tiers",      "a 0 100, b 10 110,c 20 120",  true },
        {"points.tiers",      "",                            false},
        {"points.tiers",      "a 1 100",                     false},
        {"points.tiers",      "a 0 100, b 0 110",            false},
        {"points.tiers",      "a 0 100, b 20 110, c 10 120", false},
        {"points.tiers",      "a 0",                         false},
        {"points.tiers",      "a 0 100 7",                   false},
        {"points.tiers",      "a 0 0",                       false},
        {"points.tiers",      "a 0 1001",                    false},
        {"points.tiers",      "A 0 100",                     false},
        {"points.tiers",      "a -1 100",                    false},
        {"points.tiers",      "a 0 99999999999999999999",    false},
        {"points.discounts",  "1 2 3",                       true },
        {"points.discounts",  "",                            true },
        {"points.discounts",  "3 2",                         false},
        {"points.discounts",  "0",                           false},
        {"points.discounts",  "ten",                         false},
        {"points.currencies", "EGP EUR",                     true },
        {"points.currencies", "EGP, XXY",                    false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(close_config) struct config *config = NULL;
        struct points_rules rules = {0};
        const char *why = NULL;

        CHECK_ERR(cases[i].good ? ERR_OK : ERR_INVALID,
                  read_with(&config, cases[i].name, cases[i].value, &rules, &why));
        CHECK((why == NULL) == cases[i].good);
    }
}

TEST(only_the_named_currencies_count)
{
    CLEANUP(close_config) struct config *config = NULL;
    struct points_rules rules = {0};
    const char *why = NULL;

    CHECK_OK(read_with(&config, "points.currencies", "EGP EUR", &rules, &why));
    CHECK(points_takes_currency(&rules, (struct currency){"EUR"}));
    CHECK(!points_takes_currency(&rules, (struct currency){"JPY"}));
}

TEST(earnings_are_rounded_down_and_costs_up)
{
    const struct points_rules rules = {
        .minor_per_point = 100, .value_minor = 3, .free_ticket_percent = 90};
    static const struct {
        int64_t minor, percent, points;
    } earned[] = {
        {0,               100,   0            },
        {99,              100,   0            },
        {100,             100,   1            },
        {199,             150,   2            },
        {MONEY_MINOR_MAX, 10000, 1000000000000},
    };
    static const struct {
        enum payment_redeem kind;
        int64_t minor, points;
    } costs[] = {
        {REDEEM_DISCOUNT,    3,               1           },
        {REDEEM_DISCOUNT,    4,               2           },
        {REDEEM_FREE_TICKET, 100,             30          },
        {REDEEM_FREE_TICKET, 101,             31          },
        {REDEEM_DISCOUNT,    0,               0           },
        {REDEEM_DISCOUNT,    MONEY_MINOR_MAX, 333333333334},
    };

    for (size_t i = 0; i < sizeof(earned) / sizeof(earned[0]); i++)
        CHECK_I64(earned[i].points, points_for(&rules, earned[i].minor, earned[i].percent));
    for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++) {
        CHECK_I64(costs[i].points, points_cost(&rules, costs[i].kind, costs[i].minor));
        /* What it costs pays it, one point less does not. */
        CHECK(points_worth(&rules, costs[i].kind, costs[i].points) >= costs[i].minor);
        if (costs[i].points > 0)
            CHECK(points_worth(&rules, costs[i].kind, costs[i].points - 1) < costs[i].minor);
    }
    CHECK_I64(MONEY_MINOR_MAX, points_worth(&rules, REDEEM_DISCOUNT, INT64_MAX));
}

TEST(a_tier_begins_at_its_first_point)
{
    const struct points_rules rules = {
        .tiers = {{STR("a"), 0, 100}, {STR("b"), 10, 110}, {STR("c"), 20, 120}},
        .tier_count = 3,
    };
    static const struct {
        int64_t earned;
        size_t tier;
    } cases[] = {
        {-5,      0},
        {0,       0},
        {9,       0},
        {10,      1},
        {19,      1},
        {20,      2},
        {1000000, 2},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_I64((int64_t)cases[i].tier, (int64_t)points_tier_at(&rules, cases[i].earned));
}

TEST(points_may_last_for_ever)
{
    const struct points_rules ending = {.life_ms = 1000};
    const struct points_rules lasting = {.life_ms = 0};

    CHECK_I64(1500, points_end_ms(&ending, 500));
    CHECK(points_end_ms(&lasting, 500) == POINTS_NEVER_MS);
}
