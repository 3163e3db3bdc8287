/* services/booking/import/from_ics_test.c - iCalendar files as their readers hear them. */
#include "services/booking/import/import_lab.h"

#include "platform/zone/zone.h"

/* 2026-06-01T00:00:00Z */
#define NOW_MS INT64_C(1780272000000)

static err read_calendar(str text, struct heard *heard)
{
    struct zones *zones = zones_open(NULL);
    const struct import_reader reader = {
        .row = hear_row,
        .refused = hear_refused,
        .ignored = hear_ignored,
        .arg = heard,
        .zones = zones,
        .now_ms = NOW_MS,
    };
    const err e = import_read_ics(text, &reader);

    zones_close(zones);
    return e;
}

static void check_text(err expected, str text, const char *lines)
{
    CLEANUP(heard_done) struct heard heard = heard_new();

    CHECK_ERR(expected, read_calendar(text, &heard));
    CHECK_STR(lines, buf_str(&heard.buf));
}

/* The lines of VEVENTs, and perhaps of more, in a calendar whose first line they follow. */
static void check_calendar(const char *inner, const char *lines)
{
    CLEANUP(buf_done) struct buf text = buf_on_heap(1 << 20);

    buf_printf(&text, "BEGIN:VCALENDAR\r\n%sEND:VCALENDAR\r\n", inner);
    check_text(ERR_OK, buf_str(&text), lines);
}

#define EVENT(lines) "BEGIN:VEVENT\n" lines "END:VEVENT\n"

TEST(an_event_of_a_calendar_becomes_a_row)
{
    check_calendar(EVENT("UID:1@example.org\n"
                         "SUMMARY;LANGUAGE=en:Gala\\, with\n  friends\n"
                         "DTSTART;TZID=Europe/Berlin:20261205T200000\n"
                         "DTEND;TZID=Europe/Berlin:20261205T230000\n"
                         "LOCATION:Opera House\\, 1 Main Street\\, Cairo\\, Egypt\n"
                         "GEO:30.0444;31.2357\n"
                         "URL:https://example.org/gala\n"
                         "DESCRIPTION:Two\\nlines\n"
                         "CATEGORIES:Social,MUSIC\n"
                         "STATUS:TENTATIVE\n"
                         "BEGIN:VALARM\nDESCRIPTION:wake\nDURATION:PT5M\nEND:VALARM\n"),
                   "2 Gala, with friends starts=2026-12-05T19:00:00Z ends=2026-12-05T22:00:00Z "
                   "zone=Europe/Berlin venue=Opera House address=1 Main Street city=Cairo "
                   "country=Egypt type=concert description=Two\nlines "
                   "url=https://example.org/gala uid=1@example.org draft at=30.0444;31.2357\n");
}

TEST(days_end_with_the_last_that_is_included)
{
    check_calendar(EVENT("SUMMARY:A\nDTSTART;VALUE=DATE:20261205\n")
                       EVENT("SUMMARY:B\nDTSTART;VALUE=DATE:20261205\nDTEND;VALUE=DATE:20261208\n")
                           EVENT("SUMMARY:C\nDTSTART;VALUE=DATE:20261205\nDURATION:P2D\n")
                               EVENT("SUMMARY:D\nDTSTART:20261205\nDTEND:20261205\n"),
                   "2 A starts=2026-12-05 ends=2026-12-05 zone=UTC type=other online\n"
                   "6 B starts=2026-12-05 ends=2026-12-07 zone=UTC type=other online\n"
                   "11 C starts=2026-12-05 ends=2026-12-06 zone=UTC type=other online\n"
                   "16 D starts=2026-12-05 ends=2026-12-05 zone=UTC type=other online\n");
}

TEST(times_have_the_zone_that_they_name)
{
    check_calendar(
        "X-WR-TIMEZONE:Africa/Cairo\n" EVENT(
            "SUMMARY:Floating\nDTSTART:20261205T200000\nDURATION:PT90M\n")
            EVENT("SUMMARY:Utc\nDTSTART:20261205T200000Z\n")
                EVENT("SUMMARY:Windows\nDTSTART;TZID=W. Europe Standard Time:20260705T200000\n")
                    EVENT("SUMMARY:Path\nDTSTART;TZID=/mozilla.org/20050126_1/America/Argentina/"
                          "Ushuaia:20261205T200000\n")
                        EVENT("SUMMARY:Gap\nDTSTART;TZID=Europe/Berlin:20270328T023000\n")
                            EVENT("SUMMARY:None\nDTSTART;TZID=Mars/Base:20261205T200000\n"),
        "3 Floating starts=2026-12-05T18:00:00Z ends=2026-12-05T19:30:00Z zone=Africa/Cairo "
        "type=other online\n"
        "8 Utc starts=2026-12-05T20:00:00Z zone=Africa/Cairo type=other online\n"
        "12 Windows starts=2026-07-05T18:00:00Z zone=Europe/Berlin type=other online\n"
        "16 Path starts=2026-12-05T23:00:00Z zone=America/Argentina/Ushuaia type=other online\n"
        "20 Gap starts=2027-03-28T01:30:00Z zone=Europe/Berlin type=other online\n"
        "!24 DTSTART: the time zone \"Mars/Base\" is unknown, and the file does not define it\n");
}

/* The rules of central Europe under a name of the file's own, as Outlook writes them. */
static const char own_zone[] = "BEGIN:VTIMEZONE\n"
                               "TZID:Our own\n"
                               "BEGIN:STANDARD\n"
                               "DTSTART:16010101T030000\n"
                               "TZOFFSETFROM:+0200\n"
                               "TZOFFSETTO:+0100\n"
                               "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\n"
                               "END:STANDARD\n"
                               "BEGIN:DAYLIGHT\n"
                               "DTSTART:16010101T020000\n"
                               "TZOFFSETFROM:+0100\n"
                               "TZOFFSETTO:+0200\n"
                               "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\n"
                               "END:DAYLIGHT\n"
                               "END:VTIMEZONE\n";

TEST(a_file_may_define_its_zones)
{
    CLEANUP(buf_done) struct buf text = buf_on_heap(1 << 20);

    buf_printf(&text, "%s%s",
               EVENT("SUMMARY:S\nDTSTART;TZID=Our own:20260705T200000\n")
                   EVENT("SUMMARY:W\nDTSTART;TZID=\"Our own\":20261205T200000\n")
                       EVENT("SUMMARY:Gap\nDTSTART;TZID=Our own:20270328T023000\n"),
               own_zone);
    check_calendar(text.data, "2 S starts=2026-07-05T18:00:00Z zone=UTC type=other online\n"
                              "6 W starts=2026-12-05T19:00:00Z zone=UTC type=other online\n"
                              "10 Gap starts=2027-03-28T01:30:00Z zone=UTC type=other online\n");
}

TEST(a_series_keeps_the_time_on_the_wall)
{
    check_calendar(EVENT("UID:w\nSUMMARY:W\nDTSTART;TZID=Europe/Berlin:20261018T200000\n"
                         "DTEND;TZID=Europe/Berlin:20261018T220000\n"
                         "RRULE:FREQ=WEEKLY;COUNT=3\n"),
                   "2 W starts=2026-10-18T18:00:00Z ends=2026-10-18T20:00:00Z zone=Europe/Berlin "
                   "type=other online uid=w|2026-10-18T18:00:00Z\n"
                   "2 W starts=2026-10-25T19:00:00Z ends=2026-10-25T21:00:00Z zone=Europe/Berlin "
                   "type=other online uid=w|2026-10-25T19:00:00Z\n"
                   "2 W starts=2026-11-01T19:00:00Z ends=2026-11-01T21:00:00Z zone=Europe/Berlin "
                   "type=other online uid=w|2026-11-01T19:00:00Z\n");
}

TEST(dates_are_added_and_excepted)
{
    check_calendar(
        EVENT("UID:d\nSUMMARY:D\nDTSTART:20260701T100000Z\n"
              "RRULE:FREQ=DAILY;UNTIL=20260703T100000Z\n"
              "EXDATE:20260702T100000Z\n"
              "RDATE:20260710T100000Z,20260701T100000Z\n"
              "RDATE;VALUE=PERIOD:20260711T100000Z/PT3H\n"),
        "2 D starts=2026-07-01T10:00:00Z zone=UTC type=other online uid=d|2026-07-01T10:00:00Z\n"
        "2 D starts=2026-07-03T10:00:00Z zone=UTC type=other online uid=d|2026-07-03T10:00:00Z\n"
        "2 D starts=2026-07-10T10:00:00Z zone=UTC type=other online uid=d|2026-07-10T10:00:00Z\n"
        "2 D starts=2026-07-11T10:00:00Z ends=2026-07-11T13:00:00Z zone=UTC type=other online "
        "uid=d|2026-07-11T10:00:00Z\n");
    /* A start that its rule does not give counts all the same. */
    check_calendar(
        EVENT("UID:d\nSUMMARY:D\nDTSTART;VALUE=DATE:20260701\n"
              "RRULE:FREQ=MONTHLY;BYMONTHDAY=5;COUNT=2\n"
              "EXDATE;VALUE=DATE:20260901\n"),
        "2 D starts=2026-07-01 ends=2026-07-01 zone=UTC type=other online uid=d|2026-07-01\n"
        "2 D starts=2026-07-05 ends=2026-07-05 zone=UTC type=other online uid=d|2026-07-05\n");
}

TEST(occurrences_are_changed_one_by_one_or_from_one_on)
{
    check_calendar(
        EVENT("UID:c\nRECURRENCE-ID:20260702T100000Z\nSUMMARY:Moved\nDTSTART:20260702T150000Z\n")
            EVENT("UID:c\nSUMMARY:C\nDTSTART:20260701T100000Z\nRRULE:FREQ=DAILY;COUNT=5\n")
                EVENT("UID:c\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260704T100000Z\nSUMMARY:"
                      "Later\nDTSTART:20260704T110000Z\n")
                    EVENT("UID:c\nRECURRENCE-ID:20260703T100000Z\nSUMMARY:Off\nDTSTART:"
                          "20260703T100000Z\nSTATUS:CANCELLED\n"),
        "8 C starts=2026-07-01T10:00:00Z zone=UTC type=other online uid=c|2026-07-01T10:00:00Z\n"
        "2 Moved starts=2026-07-02T15:00:00Z zone=UTC type=other online "
        "uid=c|2026-07-02T10:00:00Z\n"
        "20 Off starts=2026-07-03T10:00:00Z zone=UTC type=other online uid=c|2026-07-03T10:00:00Z "
        "cancelled\n"
        "14 Later starts=2026-07-04T11:00:00Z zone=UTC type=other online "
        "uid=c|2026-07-04T10:00:00Z\n"
        "14 Later starts=2026-07-05T11:00:00Z zone=UTC type=other online "
        "uid=c|2026-07-05T10:00:00Z\n");
    /* Alone in its file. */
    check_calendar(
        EVENT("UID:c\nRECURRENCE-ID:20260702T100000Z\nSUMMARY:Moved\nDTSTART:20260702T150000Z\n"),
        "2 Moved starts=2026-07-02T15:00:00Z zone=UTC type=other online "
        "uid=c|2026-07-02T10:00:00Z\n");
}

static size_t rows_of(const char *event, str *ret_last, struct heard *heard)
{
    CLEANUP(buf_done) struct buf text = buf_on_heap(1 << 20);

    buf_printf(&text, "BEGIN:VCALENDAR\n%sEND:VCALENDAR\n", event);
    CHECK_OK(read_calendar(buf_str(&text), heard));
    str rest = str_trim(buf_str(&heard->buf));
    while (str_split(&rest, '\n', ret_last))
        continue;
    return heard->rows;
}

TEST(a_series_without_an_end_is_cut_to_what_is_to_come)
{
    CLEANUP(heard_done) struct heard heard = heard_new();
    str last = STR_ABSENT;

    CHECK_I64(105, (int64_t)rows_of(
                       EVENT("UID:x\nSUMMARY:X\nDTSTART:20200101T100000Z\nRRULE:FREQ=WEEKLY\n"),
                       &last, &heard));
    CHECK(str_starts(buf_str(&heard.buf),
                     STR("~2 repeats for very long: taken are 105 occurrences")));
    CHECK(str_starts(last, STR("2 X starts=2028-05-31T10:00:00Z")));
}

TEST(a_series_with_an_end_is_taken_whole)
{
    CLEANUP(heard_done) struct heard heard = heard_new();
    CLEANUP(heard_done) struct heard long_one = heard_new();
    str last = STR_ABSENT;

    CHECK_I64(900,
              (int64_t)rows_of(
                  EVENT("UID:x\nSUMMARY:X\nDTSTART:20200101T100000Z\nRRULE:FREQ=DAILY;COUNT=900\n"),
                  &last, &heard));
    CHECK_I64(0, (int64_t)heard.refused);
    CHECK(str_starts(last, STR("2 X starts=2022-06-18T10:00:00Z")));
    CHECK_I64(
        731,
        (int64_t)rows_of(
            EVENT("UID:x\nSUMMARY:X\nDTSTART:20200101T100000Z\nRRULE:FREQ=DAILY;COUNT=90000\n"),
            &last, &long_one));
    CHECK(str_starts(last, STR("2 X starts=2028-05-31T10:00:00Z")));
}

TEST(what_cannot_be_read_is_refused_by_line)
{
    check_calendar(EVENT("SUMMARY:No start\n") EVENT("DTSTART:20260701T100000Z\n")
                       EVENT("SUMMARY:A\nDTSTART:20260701T100000Z\nDTEND:20260701T090000Z\n")
                           EVENT("SUMMARY:A\nDTSTART:20260701T100000Z\nDTEND:20260702\n")
                               EVENT("SUMMARY:A\nDTSTART:20260701T100000Z\nDURATION:-PT1H\n")
                                   EVENT("SUMMARY:A\nDTSTART:20260701T100000Z\nRRULE:FREQ=NEVER\n")
                                       EVENT("SUMMARY:A\nDTSTART:20260731T106000Z\n")
                                           EVENT("SUMMARY:A\nDTSTART:20260701T100000Z\nno line\n"),
                   "!2 DTSTART: missing\n"
                   "!5 name: missing\n"
                   "!8 DTEND: before DTSTART\n"
                   "!13 DTEND: a day where DTSTART is a time, or the other way round\n"
                   "!18 DURATION: not a duration such as PT2H30M\n"
                   "!23 RRULE: has a part that is none of RFC 5545\n"
                   "!28 DTSTART: neither YYYYMMDD nor YYYYMMDDTHHMMSS, or there is no such time\n"
                   "32 A starts=2026-07-01T10:00:00Z zone=UTC type=other online\n"
                   "~35 no line of iCalendar, as are 1 in all: left out\n");
    check_calendar(EVENT("DTSTART;TZID=\xCC:20261205T200000\n")
                       EVENT("SUMMARY:A\nDTSTART:20260701\n"),
                   "!2 DTSTART: the time zone is unknown, and the file does not define it\n"
                   "5 A starts=2026-07-01 ends=2026-07-01 zone=UTC type=other online\n");
    check_text(ERR_MALFORMED, STR("hello"),
               "!1 not an iCalendar file: BEGIN:VCALENDAR is missing\n");
    check_text(ERR_MALFORMED, STR("BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:A\nDTSTART:20260701\n"),
               "!1 the file ends within an event: that one is left out\n");
    check_text(ERR_OK, STR("BEGIN:VCALENDAR\nEND:VCALENDAR\n"), "");
}

TEST(places_and_kinds_are_guessed)
{
    check_calendar(
        EVENT("SUMMARY:A\nDTSTART:20260701\nLOCATION:Hall\n")
            EVENT("SUMMARY:A\nDTSTART:20260701\nLOCATION:Hall\\, Cairo\n")
                EVENT("SUMMARY:A\nDTSTART:20260701\nLOCATION:Hall\\, 5 Elm St\\, Springfield\\, IL "
                      "62701\n") EVENT("SUMMARY:A\nDTSTART:20260701\nLOCATION:https://"
                                       "meet.example.org/x\nCATEGORIES:Workshop\n")
                    EVENT("SUMMARY:A\nDTSTART:20260701\nURL:mailto:x@example.org\nMETHOD:none\n"),
        "2 A starts=2026-07-01 ends=2026-07-01 zone=UTC venue=Hall type=other\n"
        "7 A starts=2026-07-01 ends=2026-07-01 zone=UTC venue=Hall city=Cairo type=other\n"
        "12 A starts=2026-07-01 ends=2026-07-01 zone=UTC venue=Hall address=5 Elm St, Springfield "
        "city=IL 62701 type=other\n"
        "17 A starts=2026-07-01 ends=2026-07-01 zone=UTC type=educational "
        "url=https://meet.example.org/x online\n"
        "23 A starts=2026-07-01 ends=2026-07-01 zone=UTC type=other online\n");
}
