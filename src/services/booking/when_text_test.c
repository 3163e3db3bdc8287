/* booking/when_text_test.c - time spans in words. */

#include "services/booking/when_text.h"

#include <stdio.h>

#include "support/test.h"

#define DASH " \xe2\x80\x93 "

struct span {
    const char *start; /* "2026-12-05 20:00" */
    const char *end;
    const char *start_abbreviation;
    const char *end_abbreviation;
    const char *zone;
    const char *expected;
};

static struct civil civil_of(const char *text)
{
    struct civil civil = {0};

    CHECK_I64(5, sscanf(text, "%d-%d-%d %d:%d", &civil.year, &civil.month, &civil.day, &civil.hour,
                        &civil.minute));
    CHECK(civil_is_valid(&civil));
    return civil;
}

static void check_spans(const struct span *spans, size_t count, bool whole_day)
{
    struct arena *arena = arena_open(0);

    for (size_t i = 0; i < count; i++) {
        const struct when when = {
            .start = civil_of(spans[i].start),
            .end = civil_of(spans[i].end),
            .whole_day = whole_day,
            .zone_name = str_of(spans[i].zone),
            .start_abbreviation = str_of(spans[i].start_abbreviation),
            .end_abbreviation = str_of(spans[i].end_abbreviation),
        };
        CHECK_STR(spans[i].expected, when_text(arena, &when));
    }
    arena_close(arena);
}

#define CHECK_SPANS(spans, whole_day) \
    check_spans((spans), sizeof(spans) / sizeof((spans)[0]), (whole_day))

TEST(an_evening_names_its_date_once)
{
    static const struct span spans[] = {
        {"2026-12-05 20:00", "2026-12-05 23:00", "EET", "EET", "Africa/Cairo",
         "Saturday, 5 December 2026, 20:00" DASH "23:00 (EET, Africa/Cairo)"    },
        {"2026-03-01 09:05", "2026-03-01 09:06", "UTC", "UTC", "UTC",
         "Sunday, 1 March 2026, 09:05" DASH "09:06 (UTC)"                       },
        {"2028-02-29 00:00", "2028-02-29 01:30", "+03", "+03", "Asia/Istanbul",
         "Tuesday, 29 February 2028, 00:00" DASH "01:30 (UTC+03, Asia/Istanbul)"},
        {"2026-12-05 20:00", "2026-12-05 23:00", "EET", "EET", NULL,
         "Saturday, 5 December 2026, 20:00" DASH "23:00 (EET)"                  },
        {"2026-12-05 20:00", "2026-12-05 23:00", NULL,  NULL,  "Africa/Cairo",
         "Saturday, 5 December 2026, 20:00" DASH "23:00 (Africa/Cairo)"         },
        {"2026-12-05 20:00", "2026-12-05 23:00", NULL,  NULL,  NULL,
         "Saturday, 5 December 2026, 20:00" DASH "23:00"                        },
        {"2026-12-05 20:00", "2026-12-05 20:00", "EET", "EET", "Africa/Cairo",
         "Saturday, 5 December 2026, 20:00 (EET, Africa/Cairo)"                 },
    };
    CHECK_SPANS(spans, false);
}

TEST(seconds_are_not_told)
{
    struct arena *arena = arena_open(0);
    struct when when = {.start = civil_of("2026-12-05 20:00"), .end = civil_of("2026-12-05 20:00")};

    when.end.second = 59;
    when.end.millisecond = 999;
    CHECK_STR("Saturday, 5 December 2026, 20:00", when_text(arena, &when));
    arena_close(arena);
}

TEST(only_midnight_belongs_to_the_evening_before)
{
    static const struct span spans[] = {
        {"2026-12-31 20:00", "2027-01-01 00:00", "EET", "EET", "Africa/Cairo",
         "Thursday, 31 December 2026, 20:00" DASH "00:00 (EET, Africa/Cairo)"},
        {"2026-12-31 20:00", "2027-01-01 00:01", "EET", "EET", "Africa/Cairo",
         "Thursday, 31 December 2026, 20:00" DASH
         "Friday, 1 January 2027, 00:01 (EET, Africa/Cairo)"                 },
        {"2026-12-30 20:00", "2027-01-01 00:00", "EET", "EET", "Africa/Cairo",
         "Wednesday, 30 December 2026, 20:00" DASH
         "Friday, 1 January 2027, 00:00 (EET, Africa/Cairo)"                 },
    };
    CHECK_SPANS(spans, false);
}

TEST(where_the_clocks_change_each_time_says_which_it_is)
{
    static const struct span spans[] = {
  /* Real time passes though the wall clock stands still or runs back. */
        {"2026-10-25 02:30", "2026-10-25 02:15", "CEST", "CET",  "Europe/Berlin",
         "Sunday, 25 October 2026, 02:30 CEST" DASH "02:15 CET (Europe/Berlin)"       },
        {"2026-10-25 02:30", "2026-10-25 02:30", "CEST", "CET",  "Europe/Berlin",
         "Sunday, 25 October 2026, 02:30 CEST" DASH "02:30 CET (Europe/Berlin)"       },
        {"2026-03-28 22:00", "2026-03-29 05:00", "CET",  "CEST", NULL,
         "Saturday, 28 March 2026, 22:00 CET" DASH "Sunday, 29 March 2026, 05:00 CEST"},
        {"2026-09-05 22:00", "2026-09-06 05:00", "-04",  "-03",  "America/Santiago",
         "Saturday, 5 September 2026, 22:00 UTC-04" DASH
         "Sunday, 6 September 2026, 05:00 UTC-03 (America/Santiago)"                  },
    };
    CHECK_SPANS(spans, false);
}

TEST(whole_days_have_neither_hours_nor_a_zone)
{
    static const struct span spans[] = {
        {"2026-12-05 00:00", "2026-12-05 00:00", "EET", "EET", "Africa/Cairo",
         "Saturday, 5 December 2026"                                 },
        {"2026-12-05 00:00", "2026-12-07 00:00", "EET", "EET", "Africa/Cairo",
         "Saturday, 5" DASH "Monday, 7 December 2026"                },
        {"2026-11-30 00:00", "2026-12-02 00:00", "EET", "EET", "Africa/Cairo",
         "Monday, 30 November 2026" DASH "Wednesday, 2 December 2026"},
        {"2025-12-05 00:00", "2026-12-05 00:00", "EET", "EET", "Africa/Cairo",
         "Friday, 5 December 2025" DASH "Saturday, 5 December 2026"  },
    };
    CHECK_SPANS(spans, true);
}
