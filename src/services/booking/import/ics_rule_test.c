/* booking/import/ics_rule_test.c - recurrence rules against python3-dateutil, and by table where it says nothing. */
#include "services/booking/import/ics_rule.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "support/test.h"

enum { WORK = 10000000, LINE_SIZE_MAX = 8192 };

static struct buf given;

/* What the rule gives, as "20260501T200000 ...", up to `last_ms` and `most`. */
static const char *give(str text, const char *start, int64_t last_ms, int most, int64_t work)
{
    static struct ics_rule rule;
    static struct ics_walk walk;
    struct ics_when when;
    const char *why = NULL;
    int64_t ms = 0;

    buf_clear(&given);
    CHECK(ics_when_parse(str_of(start), &when));
    if (!ics_rule_parse(text, &rule, &why)) {
        buf_printf(&given, "!%s", why);
        return given.data;
    }
    ics_walk_open(&walk, &rule, when.ms, work);
    for (int i = 0; i < most && ics_walk_next(&walk, &ms) && ms <= last_ms; i++) {
        const struct civil at = civil_from_ms(ms);

        buf_printf(&given, "%s%04d%02d%02dT%02d%02d%02d", i > 0 ? " " : "", at.year, at.month,
                   at.day, at.hour, at.minute, at.second);
    }
    if (walk.work < 0)
        buf_add_cstr(&given, " exhausted");
    return buf_str(&given).ptr;
}

static void check_rule(const char *rule, const char *start, const char *expected)
{
    given = buf_on_heap(1 << 20);
    const char *is = give(str_of(rule), start, TIME_MS_MAX, 12, WORK);

    if (strcmp(expected, is) != 0)
        (void)printf("# %s from %s\n", rule, start);
    CHECK_STR(expected, str_of(is));
    buf_done(&given);
}

TEST(rules_give_what_dateutil_gives)
{
    static char line[LINE_SIZE_MAX];
    FILE *oracle = popen("/usr/bin/python3 '" ICS_ORACLE "' 1500", "r");
    int rules = 0;

    given = buf_on_heap(1 << 20);
    CHECK(oracle != NULL);
    while (fgets(line, sizeof(line), oracle) != NULL) {
        str rest = str_trim(str_of(line));
        str rule = STR_ABSENT;
        str start = STR_ABSENT;
        str last = STR_ABSENT;
        struct ics_when until;

        CHECK(str_split(&rest, '|', &rule) && str_split(&rest, '|', &start) &&
              str_split(&rest, '|', &last));
        CHECK(ics_when_parse(last, &until));
        const char from[] = {start.ptr[0],  start.ptr[1],  start.ptr[2],  start.ptr[3],
                             start.ptr[4],  start.ptr[5],  start.ptr[6],  start.ptr[7],
                             start.ptr[8],  start.ptr[9],  start.ptr[10], start.ptr[11],
                             start.ptr[12], start.ptr[13], start.ptr[14], '\0'};
        const char *is = give(rule, from, until.ms, 40, WORK);
        if (!str_eq(rest.ptr == NULL ? STR("") : rest, str_of(is)))
            (void)printf("# %.*s from %s\n", STR_ARG(rule), from);
        CHECK_STR(is, rest.ptr == NULL ? STR("") : rest);
        rules++;
    }
    CHECK_I64(0, pclose(oracle));
    CHECK(rules == 1500);
    buf_done(&given);
}

/* RFC 5545 3.8.5.3 and where it leaves room. */
TEST(rules_give_what_the_rfc_says)
{
    check_rule("FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8;COUNT=3",
               "19961105T090000", "19961105T090000 20001107T090000 20041102T090000");
    check_rule("FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "19970904T090000",
               "19970904T090000 19971007T090000 19971106T090000");
    check_rule("FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "20070115T090000",
               "20070115T090000 20070130T090000 20070215T090000 20070315T090000 20070330T090000");
    check_rule("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "19970805T090000",
               "19970805T090000 19970810T090000 19970819T090000 19970824T090000");
    check_rule("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "19970805T090000",
               "19970805T090000 19970817T090000 19970819T090000 19970831T090000");
    check_rule("FREQ=YEARLY;UNTIL=20290301;BYMONTH=2;BYMONTHDAY=29", "20240229T100000",
               "20240229T100000 20280229T100000");
    /* Numbered and plain days are united; a week without days takes the start's. */
    check_rule("FREQ=MONTHLY;BYDAY=MO,1TU;COUNT=5", "20260601T100000",
               "20260601T100000 20260602T100000 20260608T100000 20260615T100000 20260622T100000");
    check_rule("FREQ=YEARLY;BYWEEKNO=20;COUNT=2", "20260513T100000",
               "20260513T100000 20270519T100000");
    check_rule("freq=daily;count=2;", "20260101", "20260101T000000 20260102T000000");
    check_rule("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=29;BYHOUR=23;BYMINUTE=59;BYSECOND=58;COUNT=2",
               "20250101T000000", "20280229T235958 20320229T235958");
}

TEST(a_rule_that_is_none_is_refused)
{
    static const char *const rules[] = {
        "",
        "COUNT=3",
        "FREQ=FORTNIGHTLY",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=-1",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;COUNT=3;UNTIL=20260101",
        "FREQ=DAILY;UNTIL=tomorrow",
        "FREQ=DAILY;BYHOUR=24",
        "FREQ=MONTHLY;BYMONTHDAY=0",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=MONTHLY;BYDAY=XX",
        "FREQ=MONTHLY;BYDAY=0MO",
        "FREQ=MONTHLY;BYDAY=",
        "FREQ=WEEKLY;BYDAY=1MO",
        "FREQ=WEEKLY;BYMONTHDAY=1",
        "FREQ=MONTHLY;BYWEEKNO=1",
        "FREQ=DAILY;BYYEARDAY=1",
        "FREQ=DAILY;BYMONTH=1;BYMONTH=2",
        "FREQ=YEARLY;RSCALE=CHINESE",
        "FREQ=DAILY;COUNT",
        "FREQ=DAILY;;COUNT=1",
    };
    struct ics_rule *rule = &(struct ics_rule){0};
    const char *why = NULL;

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (ics_rule_parse(str_of(rules[i]), rule, &why))
            (void)printf("# %s\n", rules[i]);
        CHECK(!ics_rule_parse(str_of(rules[i]), rule, &why));
        CHECK(why != NULL);
    }
}

TEST(a_rule_that_never_fits_ends_with_its_work)
{
    static const char *const rules[] = {
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=SECONDLY;INTERVAL=86400;BYHOUR=3",
        "FREQ=MONTHLY;BYSETPOS=300",
    };
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        given = buf_on_heap(1 << 20);
        CHECK_STR(" exhausted",
                  str_of(give(str_of(rules[i]), "20260101T000000", TIME_MS_MAX, 10, 20000)));
        buf_done(&given);
    }
}

TEST(a_rule_ends_with_the_calendar)
{
    check_rule("FREQ=YEARLY;INTERVAL=2", "99970101T000000", "99970101T000000 99990101T000000");
    check_rule("FREQ=DAILY;INTERVAL=2147483647", "20260101T000000", "20260101T000000");
    check_rule("FREQ=WEEKLY", "99991220T000000", "99991220T000000");
    check_rule("FREQ=HOURLY;INTERVAL=2147483647", "99991220T000000", "99991220T000000");
}

TEST(a_time_is_a_day_a_wall_time_or_an_instant)
{
    static const struct {
        const char *text;
        int kind; /* -1: refused */
    } cases[] = {
        {"20260501",         ICS_DAY },
        {"20260501T203000",  ICS_WALL},
        {"20260501T203000Z", ICS_UTC },
        {"20261231T235960Z", ICS_UTC },
        {"2026-05-01",       -1      },
        {"20260231",         -1      },
        {"20260501T2030",    -1      },
        {"20260501T203000X", -1      },
        {"20260501T243000",  -1      },
        {"",                 -1      },
        {"00000101",         -1      },
    };
    struct ics_when when;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const bool is = ics_when_parse(str_of(cases[i].text), &when);

        CHECK_I64(cases[i].kind, is ? (int)when.kind : -1);
    }
}
