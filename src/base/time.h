/* base/time.h - RFC 3339 and the proleptic Gregorian calendar; no zones, no I/O. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { TIME_TEXT_SIZE_MAX = 32 };
#define TIME_MS_MIN INT64_C(-62135596800000) /* 0001-01-01T00:00:00Z */
#define TIME_MS_MAX INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */
#define DAY_MS      INT64_C(86400000)

struct civil {
    int year;  /* 1 to 9999 */
    int month; /* 1 to 12 */
    int day;   /* 1 to 31 */
    int hour;
    int minute;
    int second; /* 0 to 59; a leap second is refused */
    int millisecond;
};

struct time_text {
    char text[TIME_TEXT_SIZE_MAX];
};

/* RFC 3339 date-time with an offset or Z; false for dates that do not exist. */
bool time_parse(str text, int64_t *ret_ms);
/* "2026-11-22T21:22:13Z", with ".123" only where the milliseconds are not 0. */
struct time_text time_format(int64_t ms);
/* The same with the milliseconds always: for logs, whose columns should line up. */
struct time_text time_format_ms(int64_t ms);
/* "2026-11-22"; false if there is no such day. */
bool date_parse(str text, struct civil *ret);
bool civil_is_valid(const struct civil *civil);
int64_t civil_to_ms(const struct civil *civil); /* read as UTC */
struct civil civil_from_ms(int64_t ms);
int civil_weekday(const struct civil *civil); /* 0 is Sunday */
/* "Sun, 22 Nov 2026 21:22:13 GMT" (RFC 9110 5.6.7) and the same with +0000 (RFC 5322). */
struct time_text time_format_http(int64_t ms);
struct time_text time_format_mail(int64_t ms);
