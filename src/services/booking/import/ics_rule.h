/* booking/import/ics_rule.h - recurrence rules (RFC 5545 3.3.10) as walls of time: what a rule gives, in order.
 *
 * All times are wall times, in milliseconds as civil_to_ms reads them: a rule repeats what the clock on the wall shows, and whoever
 * asks turns that into instants afterwards, so 20:00 stays 20:00 when daylight saving begins. Pure; every search is bounded. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "base/time.h"

enum {
    ICS_RULE_LIST_MAX = 366, /* numbers in one BYxxx */
};

enum ics_frequency {
    ICS_SECONDLY,
    ICS_MINUTELY,
    ICS_HOURLY,
    ICS_DAILY,
    ICS_WEEKLY,
    ICS_MONTHLY,
    ICS_YEARLY,
};

struct ics_numbers {
    int count;
    int16_t items[ICS_RULE_LIST_MAX];
};

/* Keeps them ascending and without doubles; false: there are ICS_RULE_LIST_MAX already. */
bool ics_numbers_add(struct ics_numbers *numbers, int64_t number);

struct ics_weekday {
    int weekday; /* 0 is Sunday */
    int nth;     /* of the month or year; -1: the last; 0: every */
};

enum ics_until { ICS_NO_UNTIL, ICS_UNTIL_DAY, ICS_UNTIL_WALL, ICS_UNTIL_UTC };

struct ics_rule {
    enum ics_frequency frequency;
    int64_t interval; /* > 0 */
    int64_t count;    /* 0: none */
    enum ics_until until;
    int64_t
        until_ms;   /* of a day: its last millisecond, on the wall; of ICS_UNTIL_UTC: the instant */
    int week_start; /* 0 is Sunday */
    struct ics_numbers seconds;
    struct ics_numbers minutes;
    struct ics_numbers hours;
    struct ics_numbers month_days;
    struct ics_numbers year_days;
    struct ics_numbers weeks;
    struct ics_numbers months;
    struct ics_numbers positions;
    int weekday_count;
    struct ics_weekday weekdays[ICS_RULE_LIST_MAX];
};

/* The value of an RRULE. False with *ret_why (a sentence's end: "has no FREQ") if it is none; *ret is then undefined. */
bool ics_rule_parse(str text, struct ics_rule *ret, const char **ret_why);

/* "19970714", "19970714T133000" or "19970714T133000Z" (RFC 5545 3.3.4, 3.3.5). */
enum ics_when_kind { ICS_DAY, ICS_WALL, ICS_UTC };
struct ics_when {
    enum ics_when_kind kind;
    int64_t ms; /* of a day: its midnight; of a wall time: as civil_to_ms reads it */
};
bool ics_when_parse(str text, struct ics_when *ret);

/* Walks through what a rule gives from `start_ms` on. COUNT and UNTIL end it, but for ICS_UNTIL_UTC, which the caller compares. */
struct ics_walk {
    struct ics_rule rule; /* completed by what the start says */
    int64_t start_ms;
    int64_t period;    /* number of periods since that of the start, in steps of the interval */
    int64_t work;      /* days and periods that may still be looked at; below 0: that ended it */
    int64_t given;     /* of COUNT */
    int64_t days[366]; /* of the period, as days since 1970 */
    int day_count;
    int64_t base_ms; /* of a period below a day: where it begins */
    int64_t next;    /* index into the set of the period */
    int64_t total;   /* of that set; with positions: of those */
    int64_t picked[ICS_RULE_LIST_MAX];
};
/* `work` bounds the search: a rule such as 30 February would be looked for until the year 9999. */
void ics_walk_open(struct ics_walk *walk, const struct ics_rule *rule, int64_t start_ms,
                   int64_t work);
/* The next one, later than all before; false: there is none, or no work is left. */
bool ics_walk_next(struct ics_walk *walk, int64_t *ret_wall_ms);
