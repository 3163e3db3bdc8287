/* booking/import/ics_rule_read.c - reads recurrence rules and times as RFC 5545 3.3.4, 3.3.5 and 3.3.10 write them. */
#include "services/booking/import/ics_rule.h"

#include <string.h>

/* "19970714", "19970714T133000": the digits. */
static bool parse_digits(str text, int digits[14])
{
    size_t at = 0;

    for (size_t i = 0; i < text.size; i++) {
        const char c = text.ptr[i];

        if (i == 8 ? c != 'T' && c != 't' : c < '0' || c > '9')
            return false;
        if (i != 8)
            digits[at++] = c - '0';
    }
    return true;
}

bool ics_when_parse(str text, struct ics_when *ret)
{
    const bool is_utc = text.size == 16 && (text.ptr[15] == 'Z' || text.ptr[15] == 'z');
    int digits[14] = {0};

    *ret = (struct ics_when){0};
    if (is_utc)
        text.size--;
    if ((text.size != 8 && text.size != 15) || !parse_digits(text, digits))
        return false;
    struct civil civil = {
        .year = digits[0] * 1000 + digits[1] * 100 + digits[2] * 10 + digits[3],
        .month = digits[4] * 10 + digits[5],
        .day = digits[6] * 10 + digits[7],
        .hour = digits[8] * 10 + digits[9],
        .minute = digits[10] * 10 + digits[11],
        .second = digits[12] * 10 + digits[13],
    };
    if (civil.second == 60) /* a leap second: RFC 5545 3.3.12 lets it be read as the 59th */
        civil.second = 59;
    if (!civil_is_valid(&civil))
        return false;
    ret->kind = is_utc ? ICS_UTC : text.size == 8 ? ICS_DAY : ICS_WALL;
    ret->ms = civil_to_ms(&civil);
    return true;
}

static bool parse_number(str text, int64_t *ret)
{
    if (str_starts(text, STR("+")))
        text = str_slice(text, 1, text.size);
    return text.size > 0 && text.ptr[0] != '+' && str_to_i64(text, ret);
}

/* Ascending and without doubles. */
bool ics_numbers_add(struct ics_numbers *numbers, int64_t number)
{
    int at = 0;

    while (at < numbers->count && numbers->items[at] < number)
        at++;
    if (at < numbers->count && numbers->items[at] == number)
        return true;
    if (numbers->count == ICS_RULE_LIST_MAX)
        return false;
    memmove(&numbers->items[at + 1], &numbers->items[at],
            (size_t)(numbers->count - at) * sizeof(numbers->items[0]));
    numbers->items[at] = (int16_t)number;
    numbers->count++;
    return true;
}

/* Numbers from `least` to `most`; signed lists go from -most to most without 0. */
static bool parse_numbers(str text, int64_t least, int64_t most, struct ics_numbers *ret)
{
    str part;
    int64_t number = 0;

    while (str_split(&text, ',', &part)) {
        if (!parse_number(part, &number) || number < least || number > most ||
            (least < 0 && number == 0) || !ics_numbers_add(ret, number))
            return false;
    }
    return ret->count > 0;
}

static bool parse_weekday(str text, int *ret)
{
    static const char *const names[] = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};

    for (int i = 0; i < 7; i++)
        if (str_eq_nocase(text, str_of(names[i]))) {
            *ret = i;
            return true;
        }
    return false;
}

static bool parse_weekdays(str text, struct ics_rule *rule)
{
    str part;

    while (str_split(&text, ',', &part)) {
        int64_t nth = 0;
        int weekday = 0;

        if (part.size < 2 || rule->weekday_count == ICS_RULE_LIST_MAX ||
            !parse_weekday(str_slice(part, part.size - 2, part.size), &weekday))
            return false;
        if (part.size > 2 && (!parse_number(str_slice(part, 0, part.size - 2), &nth) || nth < -53 ||
                              nth > 53 || nth == 0))
            return false;
        rule->weekdays[rule->weekday_count++] = (struct ics_weekday){weekday, (int)nth};
    }
    return rule->weekday_count > 0;
}

static bool parse_frequency(str text, struct ics_rule *rule)
{
    static const char *const names[] = {"SECONDLY", "MINUTELY", "HOURLY", "DAILY",
                                        "WEEKLY",   "MONTHLY",  "YEARLY"};

    for (int i = ICS_SECONDLY; i <= ICS_YEARLY; i++)
        if (str_eq_nocase(text, str_of(names[i]))) {
            rule->frequency = (enum ics_frequency)i;
            return true;
        }
    return false;
}

static bool parse_until(str text, struct ics_rule *rule)
{
    struct ics_when when;

    if (!ics_when_parse(text, &when))
        return false;
    rule->until = when.kind == ICS_DAY    ? ICS_UNTIL_DAY
                  : when.kind == ICS_WALL ? ICS_UNTIL_WALL
                                          : ICS_UNTIL_UTC;
    rule->until_ms = when.kind == ICS_DAY ? when.ms + DAY_MS - 1 : when.ms;
    return true;
}

static bool parse_part(str name, str value, struct ics_rule *rule)
{
    const struct {
        str name;
        struct ics_numbers *numbers;
        int least;
        int most;
    } lists[] = {
        {STR("BYSECOND"),   &rule->seconds,    0,    60 },
        {STR("BYMINUTE"),   &rule->minutes,    0,    59 },
        {STR("BYHOUR"),     &rule->hours,      0,    23 },
        {STR("BYMONTHDAY"), &rule->month_days, -31,  31 },
        {STR("BYYEARDAY"),  &rule->year_days,  -366, 366},
        {STR("BYWEEKNO"),   &rule->weeks,      -53,  53 },
        {STR("BYMONTH"),    &rule->months,     1,    12 },
        {STR("BYSETPOS"),   &rule->positions,  -366, 366},
    };

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        if (str_eq_nocase(name, lists[i].name))
            return lists[i].numbers->count == 0 &&
                   parse_numbers(value, lists[i].least, lists[i].most, lists[i].numbers);
    if (str_eq_nocase(name, STR("INTERVAL")))
        return parse_number(value, &rule->interval) && rule->interval > 0 &&
               rule->interval <= INT32_MAX;
    if (str_eq_nocase(name, STR("COUNT")))
        return parse_number(value, &rule->count) && rule->count > 0;
    if (str_eq_nocase(name, STR("UNTIL")))
        return parse_until(value, rule);
    if (str_eq_nocase(name, STR("BYDAY")))
        return rule->weekday_count == 0 && parse_weekdays(value, rule);
    if (str_eq_nocase(name, STR("WKST")))
        return parse_weekday(value, &rule->week_start);
    return str_starts(name,
                      STR("X-")); /* RSCALE, SKIP and what nobody knows would give other days */
}

/* What RFC 5545 3.3.10 forbids together. */
static const char *check_rule(const struct ics_rule *rule)
{
    for (int i = 0; i < rule->weekday_count; i++)
        if (rule->weekdays[i].nth != 0 &&
            (rule->frequency < ICS_MONTHLY ||
             (rule->frequency == ICS_YEARLY && rule->weeks.count > 0)))
            return "has a numbered BYDAY that its FREQ does not know";
    if (rule->weeks.count > 0 && rule->frequency != ICS_YEARLY)
        return "has BYWEEKNO without FREQ=YEARLY";
    if (rule->month_days.count > 0 && rule->frequency == ICS_WEEKLY)
        return "has BYMONTHDAY with FREQ=WEEKLY";
    if (rule->year_days.count > 0 && rule->frequency >= ICS_DAILY && rule->frequency <= ICS_MONTHLY)
        return "has BYYEARDAY with a FREQ that does not know it";
    if (rule->count > 0 && rule->until != ICS_NO_UNTIL)
        return "has both COUNT and UNTIL";
    return NULL;
}

bool ics_rule_parse(str text, struct ics_rule *ret, const char **ret_why)
{
    bool has_frequency = false;
    str part;

    memset(ret, 0, sizeof(*ret));
    ret->interval = 1;
    ret->week_start = 1;
    text = str_trim(text);
    if (str_ends(text, STR(";"))) /* as some write it */
        text = str_slice(text, 0, text.size - 1);
    while (str_split(&text, ';', &part)) {
        str value = str_trim(part);
        str name;

        (void)str_split(&value, '=', &name);
        const bool is_frequency = str_eq_nocase(name, STR("FREQ"));

        *ret_why = "has a part that is none of RFC 5545";
        if (value.ptr == NULL ||
            (is_frequency ? !parse_frequency(value, ret) : !parse_part(name, value, ret)))
            return false;
        has_frequency |= is_frequency;
    }
    *ret_why = has_frequency ? check_rule(ret) : "has no FREQ";
    return *ret_why == NULL;
}
