/* base/time.c - instants to text and back, by the proleptic Gregorian calendar.
 *
 * Days are counted in years that begin in March: the leap day then is the last of its year and
 * needs no case of its own. Everything is integer arithmetic on int64, without the C library's
 * calendar, which has state and zones. */

#include "base/time.h"

#include <stddef.h>
#include <string.h>

enum {
    YEAR_MAX = 9999,
    DAYS_PER_400_YEARS = 146097,
    DAYS_PER_100_YEARS = 36524,
    DAYS_PER_4_YEARS = 1461,
    DAYS_PER_YEAR = 365,
    MARCH_1_YEAR_0 = 719468, /* days from 0000-03-01 to 1970-01-01 */
    S_PER_DAY = 86400,
    S_PER_HOUR = 3600,
    S_PER_MINUTE = 60,
    MS_PER_S = 1000,
    FRACTION_DIGITS_MAX = 9,
};

/* --- The calendar --- */

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int days_in_month(int year, int month)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

bool civil_is_valid(const struct civil *civil)
{
    return civil->year >= 1 && civil->year <= YEAR_MAX && civil->month >= 1 && civil->month <= 12 &&
           civil->day >= 1 && civil->day <= days_in_month(civil->year, civil->month) &&
           civil->hour >= 0 && civil->hour <= 23 && civil->minute >= 0 && civil->minute <= 59 &&
           civil->second >= 0 && civil->second <= 59 && civil->millisecond >= 0 &&
           civil->millisecond < MS_PER_S;
}

/* Days from 1970-01-01; the year is 1 or later, so that division rounds the right way. */
static int64_t days_of(const struct civil *civil)
{
    const int year = civil->month <= 2 ? civil->year - 1 : civil->year;
    const int month = (civil->month + 9) % 12; /* March is 0 */
    const int day = (153 * month + 2) / 5 + civil->day - 1;

    return (int64_t)year * DAYS_PER_YEAR + year / 4 - year / 100 + year / 400 + day -
           MARCH_1_YEAR_0;
}

int64_t civil_to_ms(const struct civil *civil)
{
    const int64_t s = days_of(civil) * S_PER_DAY + (int64_t)civil->hour * S_PER_HOUR +
                      (int64_t)civil->minute * S_PER_MINUTE + civil->second;

    return s * MS_PER_S + civil->millisecond;
}

static int64_t clamp_ms(int64_t ms)
{
    if (ms < TIME_MS_MIN)
        return TIME_MS_MIN;
    return ms > TIME_MS_MAX ? TIME_MS_MAX : ms;
}

/* Days from 0000-03-01 to year, month and day; never negative within our range. */
static void set_date(struct civil *civil, int days)
{
    const int era = days / DAYS_PER_400_YEARS;
    int rest = days % DAYS_PER_400_YEARS;
    int centuries = rest / DAYS_PER_100_YEARS;

    if (centuries == 4) /* 29 February that ends the 400 years */
        centuries = 3;
    rest -= centuries * DAYS_PER_100_YEARS;
    const int fours = rest / DAYS_PER_4_YEARS;
    rest -= fours * DAYS_PER_4_YEARS;
    int years = rest / DAYS_PER_YEAR;
    if (years == 4) /* 29 February that ends the 4 years */
        years = 3;
    rest -= years * DAYS_PER_YEAR;

    const int month = (5 * rest + 2) / 153; /* March is 0 */
    civil->day = rest - (153 * month + 2) / 5 + 1;
    civil->month = month < 10 ? month + 3 : month - 9;
    civil->year = era * 400 + centuries * 100 + fours * 4 + years + (month >= 10);
}

struct civil civil_from_ms(int64_t ms)
{
    const int64_t since_min = clamp_ms(ms) - TIME_MS_MIN; /* not negative */
    const int days = (int)(since_min / DAY_MS);
    const int in_day = (int)(since_min % DAY_MS);
    const int s = in_day / MS_PER_S;
    struct civil civil = {
        .hour = s / S_PER_HOUR,
        .minute = s / S_PER_MINUTE % 60,
        .second = s % S_PER_MINUTE,
        .millisecond = in_day % MS_PER_S,
    };

    set_date(&civil, days + MARCH_1_YEAR_0 + (int)(TIME_MS_MIN / DAY_MS));
    return civil;
}

int civil_weekday(const struct civil *civil)
{
    const int64_t thursday_based = days_of(civil) % 7; /* 1970-01-01 was a Thursday */

    return (int)((thursday_based + 4 + 7) % 7);
}

/* --- Reading --- */

/* Cuts exactly `count` digits off *rest. */
static bool cut_number(str *rest, size_t count, int *ret)
{
    int n = 0;

    if (rest->size < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        const char c = rest->ptr[i];
        if (c < '0' || c > '9')
            return false;
        n = n * 10 + (c - '0');
    }
    *ret = n;
    *rest = str_slice(*rest, count, rest->size);
    return true;
}

/* Cuts one character off *rest if it is `c` or `other`. */
static bool cut_char(str *rest, char c, char other)
{
    if (rest->size == 0 || (rest->ptr[0] != c && rest->ptr[0] != other))
        return false;
    *rest = str_slice(*rest, 1, rest->size);
    return true;
}

static bool cut_date(str *rest, struct civil *civil)
{
    return cut_number(rest, 4, &civil->year) && cut_char(rest, '-', '-') &&
           cut_number(rest, 2, &civil->month) && cut_char(rest, '-', '-') &&
           cut_number(rest, 2, &civil->day);
}

bool date_parse(str text, struct civil *ret)
{
    struct civil civil = {0};

    if (!cut_date(&text, &civil) || text.size > 0 || !civil_is_valid(&civil))
        return false;
    *ret = civil;
    return true;
}

/* ".5" is 500 ms; what is finer than a millisecond is cut off. */
static bool cut_fraction(str *rest, int *ret_ms)
{
    int ms = 0;
    size_t count = 0;

    while (count < rest->size && rest->ptr[count] >= '0' && rest->ptr[count] <= '9') {
        if (count < 3)
            ms = ms * 10 + (rest->ptr[count] - '0');
        count++;
    }
    if (count == 0 || count > FRACTION_DIGITS_MAX)
        return false;
    for (size_t i = count; i < 3; i++)
        ms *= 10;
    *ret_ms = ms;
    *rest = str_slice(*rest, count, rest->size);
    return true;
}

static bool cut_time_of_day(str *rest, struct civil *civil)
{
    if (!cut_number(rest, 2, &civil->hour) || !cut_char(rest, ':', ':') ||
        !cut_number(rest, 2, &civil->minute) || !cut_char(rest, ':', ':') ||
        !cut_number(rest, 2, &civil->second))
        return false;
    return !cut_char(rest, '.', '.') || cut_fraction(rest, &civil->millisecond);
}

/* What must be subtracted to get UTC. */
static bool cut_offset(str *rest, int64_t *ret_ms)
{
    int hour = 0;
    int minute = 0;

    if (cut_char(rest, 'Z', 'z')) {
        *ret_ms = 0;
        return true;
    }
    const bool west = rest->size > 0 && rest->ptr[0] == '-';
    if (!cut_char(rest, '+', '-') || !cut_number(rest, 2, &hour) || !cut_char(rest, ':', ':') ||
        !cut_number(rest, 2, &minute) || hour > 23 || minute > 59)
        return false;
    const int64_t ms = ((int64_t)hour * S_PER_HOUR + (int64_t)minute * S_PER_MINUTE) * MS_PER_S;
    *ret_ms = west ? -ms : ms;
    return true;
}

bool time_parse(str text, int64_t *ret_ms)
{
    struct civil civil = {0};
    int64_t offset_ms;

    if (!cut_date(&text, &civil) || !cut_char(&text, 'T', 't') || !cut_time_of_day(&text, &civil) ||
        !cut_offset(&text, &offset_ms) || text.size > 0 || !civil_is_valid(&civil))
        return false;
    const int64_t ms = civil_to_ms(&civil) - offset_ms;
    if (ms < TIME_MS_MIN || ms > TIME_MS_MAX)
        return false;
    *ret_ms = ms;
    return true;
}

/* --- Writing --- */

/* Without printf: times are in every answer. */
static char *put_number(char *to, int n, size_t digits)
{
    for (size_t i = digits; i > 0; i--) {
        to[i - 1] = (char)('0' + n % 10);
        n /= 10;
    }
    return to + digits;
}

static char *put_text(char *to, const char *text)
{
    return stpcpy(to, text);
}

static char *put_time_of_day(char *to, const struct civil *civil)
{
    to = put_number(to, civil->hour, 2);
    *to++ = ':';
    to = put_number(to, civil->minute, 2);
    *to++ = ':';
    return put_number(to, civil->second, 2);
}

static struct time_text format_rfc3339(int64_t ms, bool with_ms)
{
    const struct civil civil = civil_from_ms(ms);
    struct time_text ret = {0};
    char *to = put_number(ret.text, civil.year, 4);

    *to++ = '-';
    to = put_number(to, civil.month, 2);
    *to++ = '-';
    to = put_number(to, civil.day, 2);
    *to++ = 'T';
    to = put_time_of_day(to, &civil);
    if (with_ms || civil.millisecond != 0) {
        *to++ = '.';
        to = put_number(to, civil.millisecond, 3);
    }
    *to = 'Z';
    return ret;
}

struct time_text time_format(int64_t ms)
{
    return format_rfc3339(ms, false);
}

struct time_text time_format_ms(int64_t ms)
{
    return format_rfc3339(ms, true);
}

static struct time_text format_with_names(int64_t ms, const char *zone)
{
    static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const struct civil civil = civil_from_ms(ms);
    struct time_text ret = {0};
    char *to = put_text(ret.text, days[civil_weekday(&civil)]);

    to = put_text(to, ", ");
    to = put_number(to, civil.day, 2);
    *to++ = ' ';
    to = put_text(to, months[civil.month - 1]);
    *to++ = ' ';
    to = put_number(to, civil.year, 4);
    *to++ = ' ';
    to = put_time_of_day(to, &civil);
    *to++ = ' ';
    put_text(to, zone);
    return ret;
}

struct time_text time_format_http(int64_t ms)
{
    return format_with_names(ms, "GMT");
}

struct time_text time_format_mail(int64_t ms)
{
    return format_with_names(ms, "+0000");
}
