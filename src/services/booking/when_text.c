/* booking/when_text.c - puts an event's time span into words for tickets and mails.
 *
 * It is handed wall-clock values: which zone an event is in, and what its clocks show, is decided
 * by who knows the zone's rules. English with day before month and a 24-hour clock, so that no
 * reader has to guess which number is the month, nor which half of the day is meant. */

#include "services/booking/when_text.h"

#include <assert.h>

#include "base/buf.h"

enum { WHEN_TEXT_SIZE_MAX = 512 };

#define EN_DASH " \xe2\x80\x93 "

static const char *const weekday_names[] = {
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
};
static const char *const month_names[] = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December",
};

/* --- Rules: no I/O --- */

static bool same_month(const struct civil *a, const struct civil *b)
{
    return a->year == b->year && a->month == b->month;
}

static bool same_day(const struct civil *a, const struct civil *b)
{
    return same_month(a, b) && a->day == b->day;
}

/* An event until midnight belongs to one evening, though its end bears the next day's date. */
static bool ends_at_midnight_of(const struct civil *day, const struct civil *end)
{
    const struct civil first = {.year = day->year, .month = day->month, .day = day->day};
    const struct civil last = {.year = end->year, .month = end->month, .day = end->day};

    return end->hour == 0 && end->minute == 0 && civil_to_ms(&last) - civil_to_ms(&first) == DAY_MS;
}

/* Seconds are not shown, so two times within a minute look the same. */
static bool same_minute(const struct civil *a, const struct civil *b)
{
    return same_day(a, b) && a->hour == b->hour && a->minute == b->minute;
}

static void add_day(struct buf *buf, const struct civil *day)
{
    buf_printf(buf, "%s, %d", weekday_names[civil_weekday(day)], day->day);
}

static void add_date(struct buf *buf, const struct civil *day)
{
    add_day(buf, day);
    buf_printf(buf, " %s %d", month_names[day->month - 1], day->year);
}

static void add_time(struct buf *buf, const struct civil *time)
{
    buf_printf(buf, "%02d:%02d", time->hour, time->minute);
}

/* tzdata has no letters for many zones, only "+03": unreadable without saying from where. */
static void add_abbreviation(struct buf *buf, str abbreviation)
{
    if (str_starts(abbreviation, STR("+")) || str_starts(abbreviation, STR("-")))
        buf_add_cstr(buf, "UTC");
    buf_add(buf, abbreviation);
}

static void add_days(struct buf *buf, const struct when *when)
{
    if (same_day(&when->start, &when->end)) {
        add_date(buf, &when->start);
        return;
    }
    if (same_month(&when->start, &when->end))
        add_day(buf, &when->start);
    else
        add_date(buf, &when->start);
    buf_add_cstr(buf, EN_DASH);
    add_date(buf, &when->end);
}

static void add_times(struct buf *buf, const struct when *when, bool clocks_change)
{
    const bool one_day =
        same_day(&when->start, &when->end) || ends_at_midnight_of(&when->start, &when->end);

    add_date(buf, &when->start);
    buf_add_cstr(buf, ", ");
    add_time(buf, &when->start);
    if (clocks_change) {
        buf_add_char(buf, ' ');
        add_abbreviation(buf, when->start_abbreviation);
    } else if (same_minute(&when->start, &when->end)) {
        return;
    }
    buf_add_cstr(buf, EN_DASH);
    if (!one_day) {
        add_date(buf, &when->end);
        buf_add_cstr(buf, ", ");
    }
    add_time(buf, &when->end);
    if (clocks_change) {
        buf_add_char(buf, ' ');
        add_abbreviation(buf, when->end_abbreviation);
    }
}

static void add_zone(struct buf *buf, const struct when *when, bool clocks_change)
{
    const bool has_name = when->zone_name.size > 0;
    const bool has_abbreviation = when->start_abbreviation.size > 0 && !clocks_change &&
                                  !str_eq(when->start_abbreviation, when->zone_name);

    if (!has_name && !has_abbreviation)
        return;
    buf_add_cstr(buf, " (");
    if (has_abbreviation)
        add_abbreviation(buf, when->start_abbreviation);
    if (has_abbreviation && has_name)
        buf_add_cstr(buf, ", ");
    if (has_name)
        buf_add(buf, when->zone_name);
    buf_add_char(buf, ')');
}

str when_text(struct arena *arena, const struct when *when)
{
    const bool clocks_change = when->start_abbreviation.size > 0 &&
                               when->end_abbreviation.size > 0 &&
                               !str_eq(when->start_abbreviation, when->end_abbreviation);
    struct buf buf = buf_in(arena, WHEN_TEXT_SIZE_MAX);

    assert(civil_is_valid(&when->start) && civil_is_valid(&when->end));

    if (when->whole_day) {
        add_days(&buf, when);
    } else {
        add_times(&buf, when, clocks_change);
        add_zone(&buf, when, clocks_change);
    }
    return buf_str(&buf);
}
