/* payment/points_rules.c - the rules of loyalty points, without I/O: settings and sums.
 *
 * Whatever is rounded is rounded so that nobody gains by splitting: earnings down, costs up. */
#include "services/payment/points_rules.h"

#include <string.h>

/* --- Reading --- */

/* Takes the next word off *rest; empty: there is none. */
static str next_word(str *rest, const char *separators)
{
    size_t begin = 0;
    size_t end = 0;

    while (begin < rest->size && strchr(separators, rest->ptr[begin]) != NULL)
        begin++;
    for (end = begin; end < rest->size && strchr(separators, rest->ptr[end]) == NULL; end++)
        ;
    const str word = {rest->ptr + begin, end - begin};
    *rest = (str){rest->ptr + end, rest->size - end};
    return word;
}

static bool read_number(str word, int64_t max, int64_t *ret)
{
    int64_t number = 0;

    if (word.size == 0 || word.size > 15)
        return false;
    for (size_t i = 0; i < word.size; i++) {
        if (word.ptr[i] < '0' || word.ptr[i] > '9')
            return false;
        number = number * 10 + (word.ptr[i] - '0');
    }
    *ret = number;
    return number <= max;
}

static bool is_name(str word)
{
    for (size_t i = 0; i < word.size; i++) {
        const char c = word.ptr[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
            return false;
    }
    return word.size > 0 && word.size <= POINTS_TIER_NAME_MAX;
}

static bool read_tier(str text, struct points_tier *ret)
{
    ret->name = next_word(&text, " ");
    return is_name(ret->name) && read_number(next_word(&text, " "), POINTS_MAX, &ret->from) &&
           read_number(next_word(&text, " "), POINTS_PERCENT_MAX, &ret->percent) &&
           ret->percent > 0 && next_word(&text, " ").size == 0;
}

static bool read_tiers(str text, struct points_rules *rules)
{
    str one = next_word(&text, ",");

    for (; one.size > 0; one = next_word(&text, ",")) {
        struct points_tier tier = {0};

        if (rules->tier_count == POINTS_TIERS_MAX || !read_tier(one, &tier))
            return false;
        if (rules->tier_count == 0 ? tier.from != 0
                                   : tier.from <= rules->tiers[rules->tier_count - 1].from)
            return false;
        rules->tiers[rules->tier_count++] = tier;
    }
    return rules->tier_count > 0;
}

static bool read_discounts(str text, struct points_rules *rules)
{
    str one = next_word(&text, " ,");

    for (; one.size > 0; one = next_word(&text, " ,")) {
        int64_t points = 0;

        if (rules->discount_count == POINTS_DISCOUNTS_MAX ||
            !read_number(one, POINTS_MAX, &points) || points == 0)
            return false;
        if (rules->discount_count > 0 && points <= rules->discounts[rules->discount_count - 1])
            return false;
        rules->discounts[rules->discount_count++] = points;
    }
    return true;
}

static bool check_currencies(str text)
{
    str one = next_word(&text, " ,");

    for (; one.size > 0; one = next_word(&text, " ,")) {
        struct currency currency;

        if (!currency_parse(one, &currency))
            return false;
    }
    return true;
}

static int64_t seconds_ms(const struct config *config, const char *name)
{
    return config_i64(config, name) * 1000;
}

err points_rules_read(const struct config *config, struct points_rules *ret, const char **ret_why)
{
    struct points_rules rules = {
        .minor_per_point = config_i64(config, "points.minor_per_point"),
        .value_minor = config_i64(config, "points.value_minor"),
        .free_ticket_percent = config_i64(config, "points.free_ticket_percent"),
        .life_ms = seconds_ms(config, "points.life_s"),
        .grace_ms = seconds_ms(config, "points.grace_s"),
        .window_ms = seconds_ms(config, "points.tier_window_s"),
        .currencies = config_text(config, "points.currencies"),
    };

    *ret_why = NULL;
    if (!read_tiers(config_text(config, "points.tiers"), &rules))
        *ret_why = "points.tiers must be \"name from percent, ...\", the first from 0, ascending";
    else if (!read_discounts(config_text(config, "points.discounts"), &rules))
        *ret_why = "points.discounts must be ascending whole numbers";
    else if (!check_currencies(rules.currencies))
        *ret_why = "points.currencies must be ISO 4217 codes";
    if (*ret_why != NULL)
        return ERR_INVALID;
    *ret = rules;
    return ERR_OK;
}

/* --- Sums --- */

bool points_takes_currency(const struct points_rules *rules, struct currency currency)
{
    str rest = rules->currencies;

    if (rest.size == 0)
        return true;
    for (str one = next_word(&rest, " ,"); one.size > 0; one = next_word(&rest, " ,"))
        if (str_eq(one, str_of(currency.code)))
            return true;
    return false;
}

int64_t points_for(const struct points_rules *rules, int64_t minor, int64_t percent)
{
    if (rules->minor_per_point == 0 || minor <= 0)
        return 0;
    return minor * percent / (100 * rules->minor_per_point);
}

size_t points_tier_at(const struct points_rules *rules, int64_t earned)
{
    size_t tier = 0;

    while (tier + 1 < rules->tier_count && rules->tiers[tier + 1].from <= earned)
        tier++;
    return tier;
}

static int64_t percent_of(const struct points_rules *rules, enum payment_redeem kind)
{
    return kind == REDEEM_FREE_TICKET ? rules->free_ticket_percent : 100;
}

int64_t points_worth(const struct points_rules *rules, enum payment_redeem kind, int64_t points)
{
    int64_t hundredths = 0;

    if (!minor_multiply(points, 100 * rules->value_minor, &hundredths))
        return MONEY_MINOR_MAX;
    const int64_t minor = hundredths / percent_of(rules, kind);
    return minor < MONEY_MINOR_MAX ? minor : MONEY_MINOR_MAX;
}

int64_t points_cost(const struct points_rules *rules, enum payment_redeem kind, int64_t minor)
{
    const int64_t divisor = 100 * rules->value_minor;

    return (minor * percent_of(rules, kind) + divisor - 1) / divisor;
}

int64_t points_end_ms(const struct points_rules *rules, int64_t now_ms)
{
    return rules->life_ms == 0 ? POINTS_NEVER_MS : now_ms + rules->life_ms;
}
