/* platform/zone/tzrule.c - the rule for all years to come: "CET-1CEST,M3.5.0,M10.5.0/3".
 *
 * TZ strings count offsets westwards, we eastwards. Times of day run from -167 to 167 hours
 * (RFC 9636 3.3.1), so the change of a year may fall into its neighbour: a span is sought among the
 * changes of five years. */

#include "platform/zone/tzif.h"

#include <assert.h>
#include <string.h>

enum {
    NAME_SIZE_MIN = 3,
    HOURS_MAX_OFFSET = 24,
    HOURS_MAX_TIME = 167,
    DEFAULT_CHANGE_S = 2 * ZONE_S_PER_HOUR,
    DAYS_PER_400_YEARS = 146097,
    YEARS_AROUND = 2,
    CHANGES = 2 * (2 * YEARS_AROUND + 1),
};

/* --- Reading --- */

static bool cut_char(str *rest, char c)
{
    if (rest->size == 0 || rest->ptr[0] != c)
        return false;
    *rest = str_slice(*rest, 1, rest->size);
    return true;
}

/* Cuts a decimal number of at most three digits. */
static bool cut_number(str *rest, int min, int max, int *ret)
{
    int n = 0;
    size_t digits = 0;

    while (digits < rest->size && digits < 3 && rest->ptr[digits] >= '0' &&
           rest->ptr[digits] <= '9')
        n = n * 10 + (rest->ptr[digits++] - '0');
    if (digits == 0 || n < min || n > max)
        return false;
    *rest = str_slice(*rest, digits, rest->size);
    *ret = n;
    return true;
}

/* [+-]hh[:mm[:ss]] */
static bool cut_time(str *rest, int hours_max, int32_t *ret_s)
{
    int hours;
    int minutes = 0;
    int seconds = 0;
    const bool negative = cut_char(rest, '-');

    if (!negative)
        (void)cut_char(rest, '+');
    if (!cut_number(rest, 0, hours_max, &hours))
        return false;
    if (cut_char(rest, ':')) {
        if (!cut_number(rest, 0, 59, &minutes))
            return false;
        if (cut_char(rest, ':') && !cut_number(rest, 0, 59, &seconds))
            return false;
    }
    const int32_t s = hours * ZONE_S_PER_HOUR + minutes * 60 + seconds;
    *ret_s = negative ? -s : s;
    return true;
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* "CET", or "<+03>" where it is not only letters. */
static bool cut_name(str *rest, char ret[ZONE_ABBREVIATION_MAX + 1])
{
    const bool quoted = cut_char(rest, '<');
    size_t size = 0;

    while (size < rest->size && (quoted ? rest->ptr[size] != '>' : is_letter(rest->ptr[size])))
        size++;
    if (size < NAME_SIZE_MIN || size > ZONE_ABBREVIATION_MAX)
        return false;
    memset(ret, 0, ZONE_ABBREVIATION_MAX + 1);
    memcpy(ret, rest->ptr, size);
    *rest = str_slice(*rest, size, rest->size);
    return !quoted || cut_char(rest, '>');
}

static bool cut_day(str *rest, struct tz_date *date)
{
    if (cut_char(rest, 'J')) {
        date->kind = TZ_JULIAN;
        return cut_number(rest, 1, 365, &date->day);
    }
    if (!cut_char(rest, 'M')) {
        date->kind = TZ_DAY;
        return cut_number(rest, 0, 365, &date->day);
    }
    date->kind = TZ_WEEKDAY;
    return cut_number(rest, 1, 12, &date->month) && cut_char(rest, '.') &&
           cut_number(rest, 1, 5, &date->week) && cut_char(rest, '.') &&
           cut_number(rest, 0, 6, &date->day);
}

static bool cut_date(str *rest, struct tz_date *date)
{
    date->time_s = DEFAULT_CHANGE_S;
    if (!cut_char(rest, ',') || !cut_day(rest, date))
        return false;
    return !cut_char(rest, '/') || cut_time(rest, HOURS_MAX_TIME, &date->time_s);
}

bool tz_rule_parse(str text, struct tz_rule *ret)
{
    struct tz_rule rule = {0};
    int32_t west_s;

    if (!cut_name(&text, rule.standard.abbreviation) || !cut_time(&text, HOURS_MAX_OFFSET, &west_s))
        return false;
    rule.standard.offset_s = -west_s;
    if (text.size > 0) {
        rule.has_dst = true;
        rule.dst.is_dst = true;
        rule.dst.offset_s = rule.standard.offset_s + ZONE_S_PER_HOUR;
        if (!cut_name(&text, rule.dst.abbreviation))
            return false;
        if (text.size > 0 && text.ptr[0] != ',') {
            if (!cut_time(&text, HOURS_MAX_OFFSET, &west_s))
                return false;
            rule.dst.offset_s = -west_s;
        }
        if (!cut_date(&text, &rule.start) || !cut_date(&text, &rule.end) || text.size > 0)
            return false;
    }
    *ret = rule;
    return true;
}

/* --- Reckoning --- */

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from 1970-01-01 to 1 January; counted from 400 years earlier, so that division rounds the
 * right way. */
static int64_t days_to_year(int year)
{
    const int64_t before = (int64_t)year - 1 + 400;

    return before * 365 + before / 4 - before / 100 + before / 400 - 719162 - DAYS_PER_400_YEARS;
}

static int days_to_month(int year, int month)
{
    static const int16_t days[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

    assert(month >= 1 && month <= 12);
    return days[month - 1] + (month > 2 && is_leap(year));
}

/* 1970-01-01 was a Thursday; Sunday is 0. */
static int weekday_of(int64_t days)
{
    return (int)(((days + 4) % 7 + 7) % 7);
}

/* Days from 1970-01-01. */
static int64_t day_of(const struct tz_date *date, int year)
{
    const int64_t new_year = days_to_year(year);

    if (date->kind == TZ_JULIAN)
        return new_year + date->day - 1 + (date->day >= 60 && is_leap(year));
    if (date->kind == TZ_DAY)
        return new_year + date->day;

    const int64_t first = new_year + days_to_month(year, date->month);
    const int length =
        date->month == 12 ? 31
                          : days_to_month(year, date->month + 1) - days_to_month(year, date->month);
    int day = (date->day - weekday_of(first) + 7) % 7 + 7 * (date->week - 1);
    if (day >= length)
        day -= 7;
    return first + day;
}

struct change {
    int64_t at_s;
    const struct zone_type *type; /* from then on */
};

/* Stable: daylight saving all the year ends at the very moment when the next one begins. */
static void insert(struct change *changes, size_t count, struct change change)
{
    while (count > 0 && changes[count - 1].at_s > change.at_s) {
        changes[count] = changes[count - 1];
        count--;
    }
    changes[count] = change;
}

struct zone_span tz_rule_span(const struct tz_rule *rule, int64_t at_s)
{
    struct zone_span span = {INT64_MIN, INT64_MAX, &rule->standard};
    struct change changes[CHANGES];
    size_t count = 0;

    if (!rule->has_dst)
        return span;
    const int this_year = civil_from_ms(at_s * 1000).year;
    for (int year = this_year - YEARS_AROUND; year <= this_year + YEARS_AROUND; year++) {
        const int64_t start_s = day_of(&rule->start, year) * ZONE_S_PER_DAY + rule->start.time_s -
                                rule->standard.offset_s;
        const int64_t end_s =
            day_of(&rule->end, year) * ZONE_S_PER_DAY + rule->end.time_s - rule->dst.offset_s;
        insert(changes, count++, (struct change){start_s, &rule->dst});
        insert(changes, count++, (struct change){end_s, &rule->standard});
    }
    for (size_t i = 0; i < count; i++) {
        if (changes[i].at_s > at_s) {
            span.until_s = changes[i].at_s;
            break;
        }
        span.from_s = changes[i].at_s;
        span.type = changes[i].type;
    }
    return span;
}
