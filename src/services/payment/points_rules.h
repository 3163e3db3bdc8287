/* payment/points_rules.h - what points are earned for and what they are worth: the settings
 * "points.*", read once, and sums without I/O.
 *
 * A point is earned for each `minor_per_point` minor units of an order's currency and pays
 * `value_minor` of them. */
#pragma once

#include "base/money.h"
#include "platform/config/config.h"
#include "services/payment/payment.h"

#define POINTS_NEVER_MS INT64_MAX

enum {
    POINTS_TIERS_MAX = 10,
    POINTS_DISCOUNTS_MAX = 20,
    POINTS_TIER_NAME_MAX = 20,
    POINTS_PERCENT_MAX = 1000, /* of a tier or a boost */
};
#define POINTS_MAX INT64_C(1000000000000) /* of one sum; see MONEY_MINOR_MAX */

struct points_tier {
    str name;
    int64_t from; /* points earned within the window, before multipliers */
    int64_t percent;
};

struct points_rules {
    int64_t minor_per_point; /* 0: none are earned */
    int64_t value_minor;     /* 0: none are taken */
    int64_t free_ticket_percent;
    int64_t life_ms; /* of what is earned; 0: for ever */
    int64_t grace_ms;
    int64_t window_ms;                          /* of the tiers */
    str currencies;                             /* absent: all */
    struct points_tier tiers[POINTS_TIERS_MAX]; /* the first from 0, ascending */
    size_t tier_count;
    int64_t discounts[POINTS_DISCOUNTS_MAX]; /* points, ascending */
    size_t discount_count;
};

/* Their settings, for payment.c's table. */
#define POINTS_DAY_S INT64_C(86400)
#define POINTS_SETTING_ROWS                                                                        \
    SETTING_NUMBER("points.minor_per_point", SETTING_COUNT, RANGE(0, 1000000), 100,                \
                   "Minor units that earn one loyalty point; 0: none are earned."),                \
        SETTING_NUMBER("points.value_minor", SETTING_COUNT, RANGE(0, 1000000), 1,                  \
                       "Minor units that one loyalty point pays; 0: none are taken."),             \
        SETTING_STRING("points.currencies", "",                                                    \
                       "Currencies in which points are earned and taken (\"EGP EUR\"), one point " \
                       "worth as many minor units in each; empty: all."),                          \
        SETTING_STRING(                                                                            \
            "points.tiers", "member 0 100, silver 1000 125, gold 5000 150",                        \
            "Tiers: name, from how many points earned within the window, percent of the "          \
            "points that they earn."),                                                             \
        SETTING_NUMBER("points.tier_window_s", SETTING_SECONDS,                                    \
                       RANGE(POINTS_DAY_S, 3660 * POINTS_DAY_S), 365 * POINTS_DAY_S,               \
                       "How far back earned points count for a tier."),                            \
        SETTING_NUMBER("points.life_s", SETTING_SECONDS, RANGE(0, 3660 * POINTS_DAY_S),            \
                       730 * POINTS_DAY_S, "How long earned points last; 0: for ever."),           \
        SETTING_NUMBER("points.grace_s", SETTING_SECONDS, RANGE(0, 366 * POINTS_DAY_S),            \
                       30 * POINTS_DAY_S,                                                          \
                       "How long points that a refund gives back last at least."),                 \
        SETTING_STRING("points.discounts", "100 500 1000 2500 5000",                               \
                       "Discounts, in points, that GET /loyalty-points offers."),                  \
        SETTING_NUMBER("points.free_ticket_percent", SETTING_COUNT, RANGE(1, POINTS_PERCENT_MAX),  \
                       100, "What a free ticket costs, in percent of its price in points.")

/* Texts in *ret are the config's. ERR_INVALID with the setting and what is wrong with it. */
err points_rules_read(const struct config *config, struct points_rules *ret, const char **ret_why);

bool points_takes_currency(const struct points_rules *rules, struct currency currency);
/* Points for an amount: rounded down. `percent` 100: without multiplier. */
int64_t points_for(const struct points_rules *rules, int64_t minor, int64_t percent);
/* The tier of who has earned so many, by index. */
size_t points_tier_at(const struct points_rules *rules, int64_t earned);
/* What `points` pay: rounded down, MONEY_MINOR_MAX at most. */
int64_t points_worth(const struct points_rules *rules, enum payment_redeem kind, int64_t points);
/* What an amount costs in points: rounded up. Only where points are taken (value_minor > 0). */
int64_t points_cost(const struct points_rules *rules, enum payment_redeem kind, int64_t minor);
/* When what is earned now ends. */
int64_t points_end_ms(const struct points_rules *rules, int64_t now_ms);
