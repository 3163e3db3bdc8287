/* booking/calendar_test.c - iCalendar files, by table and as an independent parser reads them. */

#include "services/booking/calendar.h"

#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "support/test.h"
#include "support/tool.h"

#define NOWHERE ((double)NAN)
#define FAR_OUT ((double)INFINITY)

/* "2026-12-05T18:00:00Z" */
#define STARTS_AT_MS INT64_C(1796493600000)

static struct calendar_event concert(void)
{
    return (struct calendar_event){
        .id = STR("evt_01h455vb4pex5vsknk084sn02q"),
        .host = STR("tickets.example.org"),
        .name = STR("Night at the Opera"),
        .changed_at_ms = STARTS_AT_MS - 30 * DAY_MS,
        .version = 3,
        .starts_at_ms = STARTS_AT_MS,
        .ends_at_ms = STARTS_AT_MS + DAY_MS / 8,
    };
}

static str ics_of(struct arena *arena, const struct calendar_event *event)
{
    str ret = STR_ABSENT;

    CHECK_OK(calendar_ics(arena, event, &ret));
    return ret;
}

/* The file without its folds. */
static const char *unfolded(struct arena *arena, str ics)
{
    char *text = arena_alloc(arena, ics.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < ics.size; i++) {
        if (str_starts(str_slice(ics, i, ics.size), STR("\r\n ")))
            i += 2;
        else
            text[size++] = ics.ptr[i];
    }
    return text;
}

static bool has_line(struct arena *arena, str ics, const char *line)
{
    const str needle = arena_printf(arena, "\r\n%s\r\n", line);

    return strstr(unfolded(arena, ics), arena_cstr(arena, needle)) != NULL;
}

static bool has_property(struct arena *arena, str ics, const char *name)
{
    const str needle = arena_printf(arena, "\r\n%s", name);

    return strstr(unfolded(arena, ics), arena_cstr(arena, needle)) != NULL;
}

TEST(a_plain_event_is_these_lines_exactly)
{
    struct arena *arena = arena_open(0);
    const struct calendar_event event = concert();

    CHECK_STR("BEGIN:VCALENDAR\r\n"
              "VERSION:2.0\r\n"
              "PRODID:-//Boxoffice//Boxoffice//EN\r\n"
              "CALSCALE:GREGORIAN\r\n"
              "BEGIN:VEVENT\r\n"
              "UID:evt_01h455vb4pex5vsknk084sn02q@tickets.example.org\r\n"
              "DTSTAMP:20261105T180000Z\r\n"
              "DTSTART:20261205T180000Z\r\n"
              "DTEND:20261205T210000Z\r\n"
              "SUMMARY:Night at the Opera\r\n"
              "STATUS:CONFIRMED\r\n"
              "SEQUENCE:3\r\n"
              "END:VEVENT\r\n"
              "END:VCALENDAR\r\n",
              ics_of(arena, &event));
    arena_close(arena);
}

TEST(text_is_escaped_and_nothing_can_start_another_line)
{
    static const struct {
        const char *name;
        const char *expected;
    } cases[] = {
        {"a, b; c\\d",                      "SUMMARY:a\\, b\\; c\\\\d"         },
        {"one\ntwo",                        "SUMMARY:one\\ntwo"                },
        {"one\r\ntwo",                      "SUMMARY:one\\ntwo"                },
        {"one\rtwo",                        "SUMMARY:one\\ntwo"                },
        {"end\r",                           "SUMMARY:end\\n"                   },
        {"x\r\nEND:VEVENT",                 "SUMMARY:x\\nEND:VEVENT"           },
        {"bell\a and \x7f tab\t: \"said\"", "SUMMARY:bell and  tab\t: \"said\""},
        {"\xd8\xa3\xd9\x85",                "SUMMARY:\xd8\xa3\xd9\x85"         },
    };
    struct arena *arena = arena_open(0);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct calendar_event event = concert();

        event.name = str_of(cases[i].name);
        CHECK(has_line(arena, ics_of(arena, &event), cases[i].expected));
    }
    arena_close(arena);
}

/* Every line is at most 75 octets, as much as fits, and a whole number of characters. */
static void check_folding(struct arena *arena, str character, size_t count)
{
    struct calendar_event event = concert();
    struct buf text = buf_in(arena, CALENDAR_SIZE_MAX);
    str rest = STR_ABSENT;
    str line = STR_ABSENT;

    for (size_t i = 0; i < count; i++)
        buf_add(&text, character);
    event.name = STR_ABSENT;
    event.description = buf_str(&text);
    rest = ics_of(arena, &event);
    CHECK(has_line(
        arena, rest,
        arena_cstr(arena, arena_printf(arena, "DESCRIPTION:%.*s", STR_ARG(buf_str(&text))))));
    while (str_split(&rest, '\n', &line)) {
        if (line.size == 0)
            continue;
        CHECK(line.ptr[line.size - 1] == '\r');
        CHECK(line.size - 1 <= 75);
        CHECK(str_is_utf8(line));
        if (rest.size > 0 && rest.ptr[0] == ' ')
            CHECK(line.size - 1 > 75 - character.size);
    }
}

TEST(lines_are_folded_between_characters)
{
    static const char *const characters[] = {"a", "\xd8\xa3", "\xe2\x82\xac", "\xf0\x9f\x8e\xab"};
    struct arena *arena = arena_open(0);

    for (size_t i = 0; i < sizeof(characters) / sizeof(characters[0]); i++)
        for (size_t count = 1; count < 200; count++) {
            check_folding(arena, str_of(characters[i]), count);
            arena_reset(arena);
        }
    arena_close(arena);
}

static struct civil day_of(const char *text)
{
    struct civil day = {0};

    CHECK(date_parse(str_of(text), &day));
    return day;
}

TEST(whole_days_end_on_the_day_behind_the_last)
{
    static const struct {
        const char *first;
        const char *last;
        const char *start;
        const char *end; /* NULL: none */
    } cases[] = {
        {"2026-12-05", "2026-12-05", "DTSTART;VALUE=DATE:20261205", "DTEND;VALUE=DATE:20261206"},
        {"2026-12-30", "2026-12-31", "DTSTART;VALUE=DATE:20261230", "DTEND;VALUE=DATE:20270101"},
        {"2028-02-28", "2028-02-28", "DTSTART;VALUE=DATE:20280228", "DTEND;VALUE=DATE:20280229"},
        {"2026-12-05", "2026-12-04", "DTSTART;VALUE=DATE:20261205", NULL                       },
        {"9999-12-31", "9999-12-31", "DTSTART;VALUE=DATE:99991231", NULL                       },
    };
    struct arena *arena = arena_open(0);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct calendar_event event = concert();

        event.whole_day = true;
        event.first_day = day_of(cases[i].first);
        event.last_day = day_of(cases[i].last);
        event.last_day.hour = 23; /* the time of day is of no interest */
        const str ics = ics_of(arena, &event);
        CHECK(has_line(arena, ics, cases[i].start));
        if (cases[i].end != NULL)
            CHECK(has_line(arena, ics, cases[i].end));
        else
            CHECK(!has_property(arena, ics, "DTEND"));
    }
    arena_close(arena);
}

TEST(a_position_off_the_globe_is_left_out)
{
    static const struct {
        double lat;
        double lon;
        const char *expected; /* NULL: none */
    } cases[] = {
        {30.0424, 31.2357, "GEO:30.042400;31.235700"  },
        {-90,     180,     "GEO:-90.000000;180.000000"},
        {90.1,    0,       NULL                       },
        {0,       -180.1,  NULL                       },
        {NOWHERE, 0,       NULL                       },
        {0,       NOWHERE, NULL                       },
        {0,       FAR_OUT, NULL                       },
    };
    struct arena *arena = arena_open(0);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct calendar_event event = concert();

        event.has_position = true;
        event.lat = cases[i].lat;
        event.lon = cases[i].lon;
        const str ics = ics_of(arena, &event);
        if (cases[i].expected != NULL)
            CHECK(has_line(arena, ics, cases[i].expected));
        else
            CHECK(!has_property(arena, ics, "GEO"));
    }
    arena_close(arena);
}

TEST(what_is_no_uri_of_the_web_is_left_out)
{
    static const struct {
        const char *url;
        bool expected;
    } cases[] = {
        {"https://x.org/e/1?a=b,c;d#e", true },
        {"http://x.org",                true },
        {"https://x.org\r\nSUMMARY:no", false},
        {"javascript:alert(1)",         false},
        {"https://x.org/a b",           false},
        {"https://x.org/<b>",           false},
        {"https://x.org/\xd8\xa3",      false},
        {"",                            false},
        {NULL,                          false},
    };
    struct arena *arena = arena_open(0);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct calendar_event event = concert();

        event.url = str_of(cases[i].url);
        const str ics = ics_of(arena, &event);
        CHECK(has_property(arena, ics, "URL") == cases[i].expected);
        if (cases[i].expected)
            CHECK(has_line(arena, ics, arena_printf(arena, "URL:%s", cases[i].url).ptr));
    }
    arena_close(arena);
}

TEST(a_cancelled_event_says_so_and_one_without_an_end_has_none)
{
    struct arena *arena = arena_open(0);
    struct calendar_event event = concert();

    event.cancelled = true;
    event.ends_at_ms = event.starts_at_ms;
    event.version = INT64_C(2147483647);
    const str ics = ics_of(arena, &event);
    CHECK(has_line(arena, ics, "STATUS:CANCELLED"));
    CHECK(has_line(arena, ics, "SEQUENCE:2147483647"));
    CHECK(!has_property(arena, ics, "DTEND"));
    CHECK(!has_property(arena, ics, "METHOD"));
    arena_close(arena);
}

TEST(what_is_too_large_is_refused)
{
    struct arena *arena = arena_open(0);
    struct calendar_event event = concert();
    str ret = STR("untouched");

    event.description = (str){memset(arena_alloc(arena, CALENDAR_SIZE_MAX), 'x', CALENDAR_SIZE_MAX),
                              CALENDAR_SIZE_MAX};
    CHECK_ERR(ERR_TOO_LARGE, calendar_ics(arena, &event, &ret));
    CHECK_STR("untouched", ret);
    arena_close(arena);
}

/* python3-icalendar, Debian's, prints the properties of the one event it finds. */
#define READ_ICS                                                                              \
    "/usr/bin/python3 -c '"                                                                   \
    "import sys, icalendar\n"                                                                 \
    "calendar = icalendar.Calendar.from_ical(open(sys.argv[1], \"rb\").read())\n"             \
    "event, = calendar.walk(\"VEVENT\")\n"                                                    \
    "assert not event.errors, event.errors\n"                                                 \
    "print(calendar[\"VERSION\"], \"METHOD\" in calendar)\n"                                  \
    "for name in (\"DTSTAMP\", \"DTSTART\", \"DTEND\"):\n"                                    \
    "    print(event.decoded(name).isoformat())\n"                                            \
    "for name in (\"UID\", \"SUMMARY\", \"LOCATION\", \"DESCRIPTION\", \"URL\", \"STATUS\", " \
    "\"SEQUENCE\"):\n"                                                                        \
    "    print(repr(str(event[name])))\n"                                                     \
    "print(event[\"GEO\"].to_ical())\n"                                                       \
    "' %s"

TEST(another_parser_reads_back_what_was_meant)
{
    struct arena *arena = arena_open(0);
    struct calendar_event event = concert();

    event.name =
        STR("Rock; Jazz, \xd8\xa3\xd9\x85\xd8\xb3\xd9\x8a\xd8\xa9 \\o/ and quite a long name, "
            "so that it has to be folded somewhere in between");
    event.location = STR("Opera House, El Borg Gezira, Cairo, Egypt");
    event.description = STR("Doors at 19:00\r\nBEGIN:VEVENT\n\xe2\x82\xac 20, \"cash\"");
    event.url = STR("https://tickets.example.org/e/night-at-the-opera?a=1,2;b");
    event.has_position = true;
    event.lat = 30.0424;
    event.lon = 31.2245;
    CHECK_STR("2.0 False\n"
              "2026-11-05T18:00:00+00:00\n"
              "2026-12-05T18:00:00+00:00\n"
              "2026-12-05T21:00:00+00:00\n"
              "'evt_01h455vb4pex5vsknk084sn02q@tickets.example.org'\n"
              "'Rock; Jazz, \xd8\xa3\xd9\x85\xd8\xb3\xd9\x8a\xd8\xa9 \\\\o/ and quite a long name, "
              "so that it has to be folded somewhere in between'\n"
              "'Opera House, El Borg Gezira, Cairo, Egypt'\n"
              "'Doors at 19:00\\nBEGIN:VEVENT\\n\xe2\x82\xac 20, \"cash\"'\n"
              "'https://tickets.example.org/e/night-at-the-opera?a=1,2;b'\n"
              "'CONFIRMED'\n"
              "'3'\n"
              "30.0424;31.2245\n",
              tool_output(arena, "PYTHONIOENCODING=utf-8 " READ_ICS,
                          tool_file(arena, ics_of(arena, &event), "event.ics")));
    arena_close(arena);
}

TEST(another_parser_takes_whole_days_for_days)
{
    struct arena *arena = arena_open(0);
    struct calendar_event event = concert();

    event.whole_day = true;
    event.first_day = day_of("2026-12-05");
    event.last_day = day_of("2026-12-07");
    CHECK_STR(
        "2026-12-05 2026-12-08 3 days, 0:00:00\n",
        tool_output(arena,
                    "/usr/bin/python3 -c '"
                    "import sys, icalendar\n"
                    "calendar = icalendar.Calendar.from_ical(open(sys.argv[1], \"rb\").read())\n"
                    "event, = calendar.walk(\"VEVENT\")\n"
                    "start, end = event.decoded(\"DTSTART\"), event.decoded(\"DTEND\")\n"
                    "print(start, end, end - start)\n"
                    "' %s",
                    tool_file(arena, ics_of(arena, &event), "event.ics")));
    arena_close(arena);
}
