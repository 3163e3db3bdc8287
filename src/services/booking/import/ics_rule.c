/* booking/import/ics_rule.c - walks through a recurrence rule period by period.
 *
 * A period is one year, month, week, day, hour, minute or second, as FREQ says. Its days are filtered by what selects days, and each is
 * crossed with the times of day; BYSETPOS picks from that set by index. Nothing is laid out in memory but the days of one period,
 * and a rule that never fits ends with the work that it may take.
 *
 * Where RFC 5545 leaves room: a start that the rule does not give is not given; days with and without a number in one BYDAY are
 * united; BYWEEKNO without a day takes the start's weekday. */
#include "services/booking/import/ics_rule.h"

#include <assert.h>
#include <string.h>

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, HOUR_MS = 60 * MINUTE_MS };

/* --- The calendar, in days since 1970-01-01 --- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a % b < 0) != (b < 0));
}

static int64_t day_of(int64_t ms)
{
    return floor_div(ms, DAY_MS);
}

static int64_t day_from(int64_t year, int month, int day)
{
    const struct civil civil = {.year = (int)year, .month = month, .day = day};

    return day_of(civil_to_ms(&civil));
}

static struct civil civil_of_day(int64_t day)
{
    return civil_from_ms(day * DAY_MS);
}

static int weekday_of(int64_t day)
{
    return (int)(((day + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_of_year(int64_t year)
{
    return is_leap(year) ? 366 : 365;
}

static int days_of_month(int64_t year, int month)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

/* The first day of week 1: the first week with four days in the year. */
static int64_t first_week(int64_t year, int week_start)
{
    const int64_t fourth = day_from(year, 1, 4);

    return fourth - (weekday_of(fourth) - week_start + 7) % 7;
}

/* --- Which days --- */

static bool has_number(const struct ics_numbers *numbers, int64_t number)
{
    for (int i = 0; i < numbers->count; i++)
        if (numbers->items[i] == number)
            return true;
    return false;
}

/* The nth day of `total`, counted from either end. */
static bool has_place(const struct ics_numbers *numbers, int64_t nth, int64_t total)
{
    return has_number(numbers, nth) || has_number(numbers, nth - total - 1);
}

static bool is_in_week(const struct ics_rule *rule, int64_t day, int64_t year)
{
    int64_t begin = first_week(year, rule->week_start);

    if (day < begin) {
        if (year == 1)
            return false;
        year--;
        begin = first_week(year, rule->week_start);
    }
    int64_t end = year < 9999 ? first_week(year + 1, rule->week_start) : INT64_MAX;
    if (day >= end) {
        begin = end;
        end = year + 1 < 9999 ? first_week(year + 2, rule->week_start) : INT64_MAX;
    }
    const int64_t weeks = end == INT64_MAX ? 52 : (end - begin) / 7;
    return has_place(&rule->weeks, (day - begin) / 7 + 1, weeks);
}

static bool is_weekday(const struct ics_rule *rule, int64_t day, const struct civil *at)
{
    const bool in_year = rule->frequency == ICS_YEARLY && rule->months.count == 0;
    const int64_t first = in_year ? day_from(at->year, 1, 1) : day_from(at->year, at->month, 1);
    const int64_t total = in_year ? days_of_year(at->year) : days_of_month(at->year, at->month);

    for (int i = 0; i < rule->weekday_count; i++) {
        const int nth = rule->weekdays[i].nth;

        if (rule->weekdays[i].weekday != weekday_of(day))
            continue;
        if (nth == 0 || (nth > 0 && (day - first) / 7 + 1 == nth) ||
            (nth < 0 && (first + total - 1 - day) / 7 + 1 == -nth))
            return true;
    }
    return false;
}

static bool is_day(const struct ics_rule *rule, int64_t day)
{
    const struct civil at = civil_of_day(day);

    if (rule->months.count > 0 && !has_number(&rule->months, at.month))
        return false;
    if (rule->month_days.count > 0 &&
        !has_place(&rule->month_days, at.day, days_of_month(at.year, at.month)))
        return false;
    if (rule->year_days.count > 0 &&
        !has_place(&rule->year_days, day - day_from(at.year, 1, 1) + 1, days_of_year(at.year)))
        return false;
    if (rule->weekday_count > 0 && !is_weekday(rule, day, &at))
        return false;
    return rule->weeks.count == 0 || is_in_week(rule, day, at.year);
}

/* --- A period --- */

/* What the rule leaves open, the start says. */
static void complete(struct ics_rule *rule, const struct civil *start)
{
    const bool names_days =
        rule->month_days.count > 0 || rule->year_days.count > 0 || rule->weekday_count > 0;

    if (rule->frequency == ICS_YEARLY && !names_days && rule->weeks.count == 0) {
        if (rule->months.count == 0)
            (void)ics_numbers_add(&rule->months, start->month);
        (void)ics_numbers_add(&rule->month_days, start->day);
    }
    if (rule->frequency == ICS_MONTHLY && !names_days)
        (void)ics_numbers_add(&rule->month_days, start->day);
    if ((rule->frequency == ICS_WEEKLY && rule->weekday_count == 0) ||
        (rule->frequency == ICS_YEARLY && rule->weeks.count > 0 && !names_days))
        rule->weekdays[rule->weekday_count++] = (struct ics_weekday){civil_weekday(start), 0};
    if (rule->hours.count == 0 && rule->frequency > ICS_HOURLY)
        (void)ics_numbers_add(&rule->hours, start->hour);
    if (rule->minutes.count == 0 && rule->frequency > ICS_MINUTELY)
        (void)ics_numbers_add(&rule->minutes, start->minute);
    if (rule->seconds.count == 0 && rule->frequency > ICS_SECONDLY)
        (void)ics_numbers_add(&rule->seconds, start->second);
    if (has_number(&rule->seconds,
                   60)) { /* a leap second: RFC 5545 3.3.12 lets it be read as the 59th */
        rule->seconds.count--;
        (void)ics_numbers_add(&rule->seconds, 59);
    }
}

/* The first and last day of a period of a day or more; false: beyond the calendar. */
static bool period_days(const struct ics_walk *walk, int64_t *ret_first, int64_t *ret_count)
{
    const struct civil start = civil_from_ms(walk->start_ms);
    const int64_t step = walk->period * walk->rule.interval;
    const int64_t today = day_of(walk->start_ms);
    const int64_t last = day_of(TIME_MS_MAX);
    int64_t month = 0;

    switch (walk->rule.frequency) {
    case ICS_YEARLY:
        if (start.year + step > 9999)
            return false;
        *ret_first = day_from(start.year + step, 1, 1);
        *ret_count = days_of_year(start.year + step);
        return true;
    case ICS_MONTHLY:
        month = start.year * 12 + start.month - 1 + step;
        if (month / 12 > 9999)
            return false;
        *ret_first = day_from(month / 12, (int)(month % 12) + 1, 1);
        *ret_count = days_of_month(month / 12, (int)(month % 12) + 1);
        return true;
    case ICS_WEEKLY:
        *ret_first = today - (weekday_of(today) - walk->rule.week_start + 7) % 7 + 7 * step;
        *ret_count = 7;
        return *ret_first + 6 <= last && *ret_first >= day_of(TIME_MS_MIN);
    case ICS_DAILY:
    case ICS_HOURLY:
    case ICS_MINUTELY:
    case ICS_SECONDLY:
        *ret_first = today + step;
        *ret_count = 1;
        return *ret_first <= last;
    }
    return false;
}

static int64_t unit_ms(enum ics_frequency frequency)
{
    return frequency == ICS_HOURLY ? HOUR_MS : frequency == ICS_MINUTELY ? MINUTE_MS : SECOND_MS;
}

/* A moment that is none of the rule's: how long the unit is that all of is none. 0: it fits. */
static int64_t wrong_for(const struct ics_rule *rule, int64_t ms)
{
    const struct civil at = civil_from_ms(ms);

    if (!is_day(rule, day_of(ms)))
        return DAY_MS;
    if (rule->hours.count > 0 && !has_number(&rule->hours, at.hour))
        return HOUR_MS;
    if (rule->frequency < ICS_HOURLY && rule->minutes.count > 0 &&
        !has_number(&rule->minutes, at.minute))
        return MINUTE_MS;
    if (rule->frequency == ICS_SECONDLY && rule->seconds.count > 0 &&
        !has_number(&rule->seconds, at.second))
        return SECOND_MS;
    return 0;
}

/* A period below a day. Units that are none of the rule's are leapt over. */
static bool fill_short(struct ics_walk *walk)
{
    const struct ics_rule *rule = &walk->rule;
    const int64_t unit = unit_ms(rule->frequency);
    const int64_t step_ms = rule->interval * unit;
    const int64_t begin = floor_div(walk->start_ms, unit) * unit;

    walk->total = 0;
    walk->base_ms = begin + walk->period * step_ms;
    if (walk->base_ms > TIME_MS_MAX)
        return false;
    const int64_t wrong_ms = wrong_for(rule, walk->base_ms);
    if (wrong_ms > 0) {
        const int64_t behind_ms = (floor_div(walk->base_ms, wrong_ms) + 1) * wrong_ms;

        walk->period = floor_div(behind_ms - begin + step_ms - 1, step_ms) - 1;
        return true;
    }
    walk->total = (int64_t)(rule->frequency == ICS_HOURLY ? rule->minutes.count : 1) *
                  (rule->frequency > ICS_SECONDLY ? rule->seconds.count : 1);
    return true;
}

static bool fill_long(struct ics_walk *walk)
{
    int64_t first = 0;
    int64_t count = 0;

    walk->day_count = 0;
    walk->total = 0;
    if (!period_days(walk, &first, &count))
        return false;
    walk->work -= count;
    for (int64_t day = first; day < first + count; day++)
        if (is_day(&walk->rule, day))
            walk->days[walk->day_count++] = day;
    walk->total = (int64_t)walk->day_count * walk->rule.hours.count * walk->rule.minutes.count *
                  walk->rule.seconds.count;
    return true;
}

/* BYSETPOS: which of the set, ascending. */
static void pick(struct ics_walk *walk)
{
    const struct ics_numbers *positions = &walk->rule.positions;
    const int64_t total = walk->total;
    int64_t count = 0;

    for (int i = 0; i < positions->count; i++) {
        const int64_t index =
            positions->items[i] > 0 ? positions->items[i] - 1 : total + positions->items[i];
        int64_t at = 0;

        if (index < 0 || index >= total)
            continue;
        while (at < count && walk->picked[at] < index)
            at++;
        if (at < count && walk->picked[at] == index)
            continue;
        memmove(&walk->picked[at + 1], &walk->picked[at],
                (size_t)(count - at) * sizeof(walk->picked[0]));
        walk->picked[at] = index;
        count++;
    }
    walk->total = count;
}

static int64_t element(const struct ics_walk *walk, int64_t index)
{
    const struct ics_rule *rule = &walk->rule;
    int64_t ms = walk->base_ms;

    if (rule->frequency > ICS_SECONDLY) {
        ms += rule->seconds.items[index % rule->seconds.count] * (int64_t)SECOND_MS;
        index /= rule->seconds.count;
    }
    if (rule->frequency > ICS_MINUTELY) {
        ms += rule->minutes.items[index % rule->minutes.count] * (int64_t)MINUTE_MS;
        index /= rule->minutes.count;
    }
    if (rule->frequency > ICS_HOURLY) {
        ms += rule->hours.items[index % rule->hours.count] * (int64_t)HOUR_MS;
        index /= rule->hours.count;
        ms += walk->days[index] * DAY_MS;
    }
    return ms;
}

/* --- The walk --- */

void ics_walk_open(struct ics_walk *walk, const struct ics_rule *rule, int64_t start_ms,
                   int64_t work)
{
    const struct civil start = civil_from_ms(start_ms);

    assert(start_ms >= TIME_MS_MIN && start_ms <= TIME_MS_MAX);
    memset(walk, 0, sizeof(*walk));
    walk->rule = *rule;
    walk->start_ms = start_ms;
    walk->period = -1;
    walk->work = work;
    complete(&walk->rule, &start);
}

/* Moves to the next period that has anything. */
static bool next_period(struct ics_walk *walk)
{
    walk->next = 0;
    do {
        walk->period++;
        if (--walk->work < 0)
            return false;
        if (!(walk->rule.frequency < ICS_DAILY ? fill_short(walk) : fill_long(walk)))
            return false;
        if (walk->rule.positions.count > 0)
            pick(walk);
    } while (walk->total == 0);
    return true;
}

bool ics_walk_next(struct ics_walk *walk, int64_t *ret_wall_ms)
{
    const struct ics_rule *rule = &walk->rule;

    if (rule->count > 0 && walk->given >= rule->count)
        return false;
    for (;;) {
        if (walk->next >= walk->total && !next_period(walk))
            return false;
        const int64_t index = walk->next++;
        const int64_t ms = element(walk, rule->positions.count > 0 ? walk->picked[index] : index);

        if (ms < walk->start_ms)
            continue;
        if ((rule->until == ICS_UNTIL_DAY || rule->until == ICS_UNTIL_WALL) && ms > rule->until_ms)
            return false;
        walk->given++;
        *ret_wall_ms = ms;
        return true;
    }
}
