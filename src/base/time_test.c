/* base/time_test.c */
#include "support/test.h"

#include <string.h>
#include <time.h>

#include "base/time.h"

#define T0 INT64_C(1795382533000) /* 2026-11-22T21:22:13Z, a Sunday */

TEST(rfc_3339_is_read)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"2026-11-22T21:22:13Z",           T0           },
        {"2026-11-22t21:22:13z",           T0           },
        {"2026-11-22T21:22:13+00:00",      T0           },
        {"2026-11-22T21:22:13-00:00",      T0           },
        {"2026-11-22T23:22:13+02:00",      T0           },
        {"2026-11-22T15:52:13-05:30",      T0           },
        {"2026-11-23T21:21:13+23:59",      T0           },
        {"2026-11-21T21:23:13-23:59",      T0           },
        {"2026-11-22T21:22:13.1Z",         T0 + 100     },
        {"2026-11-22T21:22:13.01Z",        T0 + 10      },
        {"2026-11-22T21:22:13.123Z",       T0 + 123     },
        {"2026-11-22T21:22:13.123999999Z", T0 + 123     },
        {"2026-11-22T21:22:13.0009+00:00", T0           },
        {"1970-01-01T00:00:00Z",           0            },
        {"1969-12-31T23:59:59.999Z",       -1           },
        {"2000-02-29T00:00:00Z",           951782400000 },
        {"2024-02-29T12:00:00Z",           1709208000000},
        {"0001-01-01T00:00:00Z",           TIME_MS_MIN  },
        {"9999-12-31T23:59:59.999Z",       TIME_MS_MAX  },
        {"0001-01-01T23:59:00+23:59",      TIME_MS_MIN  },
        {"9999-12-31T00:00:59.999-23:59",  TIME_MS_MAX  },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t ms = 42;

        CHECK(time_parse(str_of(cases[i].text), &ms));
        CHECK_I64(cases[i].ms, ms);
    }
}

TEST(what_is_no_rfc_3339_or_does_not_exist_is_refused)
{
    static const char *const texts[] = {
        "",
        "2026-11-22",
        "2026-11-22T21:22:13",
        "2026-11-22 21:22:13Z",
        "2026-11-22T21:22Z",
        "2026-11-22T21:22:13.Z",
        "2026-11-22T21:22:13.1234567890Z",
        "2026-11-22T21:22:13,5Z",
        "2026-11-22T21:22:13+0200",
        "2026-11-22T21:22:13+02",
        "2026-11-22T21:22:13+24:00",
        "2026-11-22T21:22:13+02:60",
        "2026-11-22T21:22:13ZZ",
        "2026-11-22T21:22:13Z ",
        " 2026-11-22T21:22:13Z",
        "2026-11-22T21:22:60Z",
        "2016-12-31T23:59:60Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T21:60:00Z",
        "2026-13-22T21:22:13Z",
        "2026-00-22T21:22:13Z",
        "2026-11-00T21:22:13Z",
        "2026-11-31T21:22:13Z",
        "2026-02-29T21:22:13Z",
        "1900-02-29T21:22:13Z",
        "0000-01-01T00:00:00Z",
        "0000-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "12026-11-22T21:22:13Z",
        "-026-11-22T21:22:13Z",
        "2026-1-22T21:22:13Z",
        "2026-11-2 T21:22:13Z",
        "2026-11-22T+1:22:13Z",
        "2026/11/22T21:22:13Z",
        "20261122T212213Z",
        "\xd9\xa2\xd9\xa0-11-22T21:22:13Z",
    };
    int64_t ms = 42;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        CHECK(!time_parse(str_of(texts[i]), &ms));
        CHECK_I64(42, ms);
    }
    CHECK(!time_parse(STR_ABSENT, &ms));
    CHECK(!time_parse(STR("2026-11-22T21:22:13Z\0"), &ms));
}

TEST(times_are_written_as_they_are_read)
{
    CHECK_STR("2026-11-22T21:22:13Z", str_of(time_format(T0).text));
    CHECK_STR("2026-11-22T21:22:13.007Z", str_of(time_format(T0 + 7).text));
    CHECK_STR("2026-11-22T21:22:13.000Z", str_of(time_format_ms(T0).text));
    CHECK_STR("1969-12-31T23:59:59.999Z", str_of(time_format(-1).text));
    CHECK_STR("0001-01-01T00:00:00Z", str_of(time_format(TIME_MS_MIN).text));
    CHECK_STR("9999-12-31T23:59:59.999Z", str_of(time_format(TIME_MS_MAX).text));
}

TEST(a_time_outside_the_calendar_is_written_as_its_nearest_end)
{
    CHECK_STR("0001-01-01T00:00:00Z", str_of(time_format(INT64_MIN).text));
    CHECK_STR("9999-12-31T23:59:59.999Z", str_of(time_format(INT64_MAX).text));
}

TEST(the_forms_of_http_and_mail_are_written)
{
    CHECK_STR("Sun, 22 Nov 2026 21:22:13 GMT", str_of(time_format_http(T0).text));
    CHECK_STR("Sun, 22 Nov 2026 21:22:13 +0000", str_of(time_format_mail(T0 + 999).text));
    CHECK_STR("Thu, 01 Jan 1970 00:00:00 GMT", str_of(time_format_http(0).text));
    CHECK_STR("Sun, 06 Nov 1994 08:49:37 GMT", str_of(time_format_http(784111777000).text));
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

/* All 3,652,059 of them, counted one by one. */
TEST(every_day_of_the_calendar_converts_to_and_from_its_number)
{
    struct civil day = {.year = 1, .month = 1, .day = 1};
    int weekday = 1; /* a Monday, proleptically */

    for (int64_t ms = TIME_MS_MIN; ms <= TIME_MS_MAX; ms += DAY_MS) {
        const struct civil back = civil_from_ms(ms);

        CHECK(memcmp(&day, &back, sizeof(day)) == 0);
        CHECK(civil_to_ms(&day) == ms);
        CHECK(civil_weekday(&day) == weekday);
        weekday = (weekday + 1) % 7;
        if (++day.day > month_days(day.year, day.month)) {
            day.day = 1;
            day.month = day.month % 12 + 1;
            day.year += day.month == 1;
        }
    }
    CHECK_I64(10000, day.year);
}

TEST(the_c_library_agrees_about_the_time_of_day)
{
    for (int64_t s = -100000; s < INT64_C(4000000000); s += 7654321) {
        const struct civil civil = civil_from_ms(s * 1000 + 5);
        const time_t time_s = s;
        struct tm tm;

        CHECK(gmtime_r(&time_s, &tm) != NULL);
        CHECK(civil.year == tm.tm_year + 1900 && civil.month == tm.tm_mon + 1 &&
              civil.day == tm.tm_mday && civil.hour == tm.tm_hour && civil.minute == tm.tm_min &&
              civil.second == tm.tm_sec && civil.millisecond == 5);
        CHECK_I64(tm.tm_wday, civil_weekday(&civil));
        CHECK_I64(s * 1000 + 5, civil_to_ms(&civil));
    }
}

TEST(dates_are_read_alone)
{
    struct civil civil = {0};

    CHECK(date_parse(STR("2026-11-22"), &civil));
    CHECK(civil.year == 2026 && civil.month == 11 && civil.day == 22 && civil.hour == 0);
    CHECK(!date_parse(STR("2026-02-30"), &civil));
    CHECK(!date_parse(STR("2026-11-22T"), &civil));
    CHECK(!date_parse(STR("2026-11"), &civil));
    CHECK(!date_parse(STR("0000-11-22"), &civil));
    CHECK_I64(2026, civil.year);
}

TEST(a_civil_time_is_valid_or_not)
{
    static const struct {
        struct civil civil;
        bool valid;
    } cases[] = {
        {{2026, 11, 22, 23, 59, 59, 999}, true },
        {{0, 1, 1, 0, 0, 0, 0},           false},
        {{10000, 1, 1, 0, 0, 0, 0},       false},
        {{2026, 0, 1, 0, 0, 0, 0},        false},
        {{2026, 13, 1, 0, 0, 0, 0},       false},
        {{2026, 4, 31, 0, 0, 0, 0},       false},
        {{2100, 2, 29, 0, 0, 0, 0},       false},
        {{2000, 2, 29, 0, 0, 0, 0},       true },
        {{2026, 1, 1, 24, 0, 0, 0},       false},
        {{2026, 1, 1, -1, 0, 0, 0},       false},
        {{2026, 1, 1, 0, 60, 0, 0},       false},
        {{2026, 1, 1, 0, 0, 60, 0},       false},
        {{2026, 1, 1, 0, 0, 0, 1000},     false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK(civil_is_valid(&cases[i].civil) == cases[i].valid);
}
