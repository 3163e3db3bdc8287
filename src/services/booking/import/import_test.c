/* booking/import/import_test.c - files of events put into the catalog: made once, updated when they change, refused by line. */
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "support/booking_node.h"
#include "support/test.h"

struct seen {
    int lines[16];
    int count;
};

static void note(void *arg, int line, [[maybe_unused]] const char *text)
{
    struct seen *seen = arg;

    if (seen->count < 16)
        seen->lines[seen->count++] = line;
}

static err import(struct booking_node *node, const char *name, const char *text,
                  struct booking_imported *ret, struct seen *seen)
{
    CLEANUP(call_done) struct call call = {0};
    const char *path = arena_printf(node->arena, "%s/%s", node->dir, name).ptr;
    FILE *file = fopen(path, "we");

    CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
    booking_node_call(node, &call);
    *seen = (struct seen){0};
    const struct booking_import in = {.path = path,
                                      .vendor = booking_vendor(1),
                                      .publish = true,
                                      .price_minor = -1,
                                      .quantity = -1,
                                      .report = note,
                                      .arg = seen};
    return booking_import_events(&call, &in, ret);
}

static const char json[] =
    "[{\"name\":\"Yearly\",\"url\":\"https://"
    "yearly.test\",\"startDate\":\"2027-03-01\",\"endDate\":\"2027-03-02\",\"city\":\"Geneva\","
    "\"country\":\"Switzerland\"},"
    "{\"name\":\"Yearly\",\"url\":\"https://"
    "yearly.test\",\"startDate\":\"2028-03-06\",\"city\":\"Geneva\",\"country\":\"Switzerland\"},"
    "{\"name\":\"Online\",\"startDate\":\"2027-05-01\",\"online\":true},"
    "{\"name\":\"Broken\",\"startDate\":\"2027-02-30\"}]";

TEST(an_import_repeats_without_doubles)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct booking_imported done;
    struct seen seen;

    booking_node_open(&node, NULL);
    CHECK_OK(import(&node, "a.json", json, &done, &seen));
    CHECK_I64(3, done.created);
    CHECK_I64(1, done.refused);
    CHECK_I64(1, seen.count);
    CHECK_OK(import(&node, "a.json", json, &done, &seen));
    CHECK_I64(0, done.created);
    CHECK_I64(0, done.updated);
    CHECK_I64(3, done.unchanged);
    CHECK_I64(3, booking_i64(&node, "SELECT count(*) FROM event_key"));
    CHECK_I64(
        1, booking_i64(
               &node, "SELECT count(*) FROM event_document WHERE online = 1 AND venue_id IS NULL"));
    CHECK_I64(3, booking_i64(&node, "SELECT count(*) FROM event_document WHERE whole_day = 1"));
    CHECK_I64(2 * DAY_MS, booking_i64(&node, "SELECT ends_at_ms - starts_at_ms FROM event_key k "
                                             "JOIN event_document d ON d.event_id = k.id "
                                             "WHERE d.import_key LIKE '%yearly.test|2027%'"));
}

TEST(what_changed_is_updated_and_what_was_sold_stays)
{
    static const char first[] = "name,starts_at,timezone,city,venue,price,currency,quantity\nShow,"
                                "2027-04-01T20:00,Asia/Tokyo,Osaka,Hall,3500,JPY,10\n";
    static const char second[] = "name,starts_at,timezone,city,venue,price,currency,quantity\nShow,"
                                 "2027-04-01T20:00,Asia/Tokyo,Osaka,Great Hall,3600,JPY,12\n";
    CLEANUP(booking_node_close) struct booking_node node;
    struct booking_imported done;
    struct seen seen;

    booking_node_open(&node, NULL);
    CHECK_OK(import(&node, "a.csv", first, &done, &seen));
    CHECK_I64(1, done.created);
    CHECK_I64(3500, booking_i64(&node, "SELECT price_minor FROM ticket_type"));
    CHECK_I64(INT64_C(1806577200000),
              booking_i64(&node, "SELECT starts_at_ms FROM event_key")); /* 11:00 UTC */
    booking_exec(
        &node,
        "UPDATE event_document SET policies = '{\"refundable\":false,\"refund_until\":null}'");
    CHECK_OK(import(&node, "a.csv", second, &done, &seen));
    CHECK_I64(1, done.updated);
    CHECK_I64(3600, booking_i64(&node, "SELECT price_minor FROM ticket_type"));
    CHECK_I64(12, booking_i64(&node, "SELECT remaining FROM ticket_type_stock"));
    CHECK_I64(2, booking_i64(&node, "SELECT version FROM event_key"));
    CHECK_I64(
        1, booking_i64(&node, "SELECT count(*) FROM event_document WHERE policies LIKE '%false%'"));
}

TEST(bad_rows_are_refused_by_line_and_the_rest_goes_on)
{
    static const char text[] = "name,starts_at,ends_at,timezone,type,price,currency\n"
                               "Good,2027-04-01T20:00,,UTC,concert,1.50,EUR\n"
                               "No zone,2027-04-01T20:00,,Mars/Base,concert,,\n"
                               "Gap,2027-03-28T02:30,,Europe/Berlin,concert,,\n"
                               "Odd type,2027-04-01T20:00,,UTC,rodeo,,\n"
                               "Ends first,2027-04-01T20:00,2027-04-01T19:00,UTC,,,\n"
                               "Good too,2027-04-02T20:00Z,,,,,\n";
    CLEANUP(booking_node_close) struct booking_node node;
    struct booking_imported done;
    struct seen seen;

    booking_node_open(&node, NULL);
    CHECK_OK(import(&node, "b.csv", text, &done, &seen));
    CHECK_I64(2, done.created);
    CHECK_I64(4, done.refused);
    CHECK_I64(4, seen.count);
    /* Rows are read one by one, but some are refused by the reader before: each line once, in any order. */
    int sum = 0;
    for (int i = 0; i < seen.count; i++)
        sum += seen.lines[i];
    CHECK_I64(3 + 4 + 5 + 6, sum);
    CHECK_I64(150, booking_i64(&node, "SELECT max(price_minor) FROM ticket_type"));
}

TEST(linked_data_makes_ticket_types)
{
    static const char page[] =
        "<script "
        "type=\"application/ld+json\">{\"@type\":\"MusicEvent\",\"@id\":\"https://x.test/1\","
        "\"name\":\"Gala\",\"startDate\":\"2027-07-01T20:00+02:00\",\"offers\":["
        "{\"name\":\"Stalls\",\"price\":%d,\"priceCurrency\":\"KWD\"},"
        "{\"name\":\"Circle\",\"price\":\"5.250\",\"priceCurrency\":\"KWD\"}]}</script>";
    CLEANUP(booking_node_close) struct booking_node node;
    struct booking_imported done;
    struct seen seen;

    booking_node_open(&node, NULL);
    CHECK_OK(import(&node, "a.html", arena_printf(node.arena, page, 9).ptr, &done, &seen));
    CHECK_I64(1, done.created);
    CHECK_I64(2, booking_i64(&node, "SELECT count(*) FROM ticket_type"));
    CHECK_I64(9000, booking_i64(&node, "SELECT max(price_minor) FROM ticket_type"));
    CHECK_I64(5250, booking_i64(&node, "SELECT min(price_minor) FROM ticket_type"));
    /* A type of the vendor's own stays, one whose price has changed changes. */
    booking_exec(&node, "UPDATE ticket_type SET name = 'Patron' WHERE name = 'Circle'");
    CHECK_OK(import(&node, "page", arena_printf(node.arena, page, 11).ptr, &done, &seen));
    CHECK_I64(1, done.updated);
    CHECK_I64(3, booking_i64(&node, "SELECT count(*) FROM ticket_type"));
    CHECK_I64(11000, booking_i64(&node, "SELECT max(price_minor) FROM ticket_type"));
    CHECK_OK(import(&node, "page.json", arena_printf(node.arena, page, 11).ptr, &done, &seen));
    CHECK_I64(1, done.unchanged);
}

TEST(what_is_no_file_of_events_is_malformed)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct booking_imported done;
    struct seen seen;

    booking_node_open(&node, NULL);
    CHECK_ERR(ERR_MALFORMED, import(&node, "a.json", "{\"not\": \"a list\"}", &done, &seen));
    CHECK_ERR(ERR_MALFORMED, import(&node, "a.txt", "x", &done, &seen));
    CHECK_ERR(ERR_MALFORMED, import(&node, "a.csv", "", &done, &seen));
    CHECK_I64(0, booking_i64(&node, "SELECT count(*) FROM event_key"));
}

static const char calendar[] =
    "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\nSUMMARY:Weekly\nLOCATION:Hall\\, Cairo\\, "
    "Egypt\nDTSTART;TZID=Africa/Cairo:20270105T200000\nDURATION:PT2H\n"
    "RRULE:FREQ=WEEKLY;COUNT=3\nEND:VEVENT\n%s"
    "BEGIN:VEVENT\nUID:b\nSUMMARY:Off\nDTSTART:20270105T200000Z\nSTATUS:%s\nEND:VEVENT\n"
    "END:VCALENDAR\n";
static const char moved[] =
    "BEGIN:VEVENT\nUID:a\nRECURRENCE-ID;TZID=Africa/Cairo:20270112T200000\nSUMMARY:Moved\n"
    "DTSTART;TZID=Africa/Cairo:20280112T190000\nEND:VEVENT\n";

TEST(a_calendar_is_known_again_by_its_uids)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct booking_imported done;
    struct seen seen;

    booking_node_open(&node, NULL);
    const char *first = arena_printf(node.arena, calendar, "", "CONFIRMED").ptr;
    const char *second = arena_printf(node.arena, calendar, moved, "CANCELLED").ptr;
    CHECK_OK(import(&node, "a.ics", first, &done, &seen));
    CHECK_I64(4, done.created);
    CHECK_OK(import(&node, "a.ics", first, &done, &seen));
    CHECK_I64(4, done.unchanged);
    /* By its text, where the name says nothing. */
    CHECK_OK(import(&node, "calendar", first, &done, &seen));
    CHECK_I64(4, done.unchanged);
    /* One has moved into another year and lost its place, one is cancelled: nobody had bought it. */
    CHECK_OK(import(&node, "a.ics", second, &done, &seen));
    CHECK_I64(2, done.updated);
    CHECK_I64(2, done.unchanged);
    CHECK_I64(4, booking_i64(&node, "SELECT count(*) FROM event_key"));
    CHECK_I64(1, booking_i64(&node, "SELECT count(*) FROM event_key WHERE status = 2"));
    CHECK_I64(INT64_C(1831309200000),
              booking_i64(&node, "SELECT max(starts_at_ms) FROM event_key")); /* 17:00 UTC */
}

TEST(what_is_sold_is_not_cancelled_by_a_file)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct booking_imported done;
    struct seen seen;

    booking_node_open(&node, NULL);
    CHECK_OK(import(&node, "a.ics", arena_printf(node.arena, calendar, "", "CONFIRMED").ptr, &done,
                    &seen));
    booking_exec(&node, "INSERT INTO order_state (id, user_id, event_id, status, expires_at_ms, "
                        "hold_ms, total_minor, currency, idem_key, idem_digest, created_at_ms) "
                        "SELECT randomblob(16), randomblob(16), event_id, 2, 0, 0, 0, 'EUR', 'k', "
                        "x'00', 0 FROM event_document WHERE name = 'Off'");
    CHECK_OK(import(&node, "a.ics", arena_printf(node.arena, calendar, "", "CANCELLED").ptr, &done,
                    &seen));
    CHECK_I64(1, done.refused);
    CHECK_I64(3, done.unchanged);
    CHECK_I64(0, booking_i64(&node, "SELECT count(*) FROM event_key WHERE status = 2"));
    /* One that nobody knows yet is left out. */
    booking_exec(&node, "UPDATE event_document SET import_key = 'x' WHERE name = 'Off'");
    CHECK_OK(import(&node, "a.ics", arena_printf(node.arena, calendar, "", "CANCELLED").ptr, &done,
                    &seen));
    CHECK_I64(0, done.created);
}

TEST(what_a_file_does_not_say_stays_as_it_is)
{
    static const char with[] =
        "uid,name,starts_at,price,currency,quantity\n1,Show,2027-04-01,35,EUR,10\n";
    static const char without[] = "uid,name,starts_at\n1,New name,2028-04-01\n";
    static const char other[] = "uid,name,starts_at,price,currency\n1,New name,2028-04-01,35,JPY\n";
    CLEANUP(booking_node_close) struct booking_node node;
    struct booking_imported done;
    struct seen seen;

    booking_node_open(&node, NULL);
    CHECK_OK(import(&node, "a.csv", with, &done, &seen));
    CHECK_OK(import(&node, "a.csv", without, &done, &seen));
    CHECK_I64(1, done.updated);
    CHECK_I64(3500, booking_i64(&node, "SELECT price_minor FROM ticket_type"));
    CHECK_I64(10, booking_i64(&node, "SELECT total FROM ticket_type_stock"));
    CHECK_OK(import(&node, "a.csv", other, &done, &seen));
    CHECK_I64(1, done.updated);
    booking_exec(&node, "INSERT INTO order_state (id, user_id, event_id, status, expires_at_ms, "
                        "hold_ms, total_minor, currency, idem_key, idem_digest, created_at_ms) "
                        "SELECT randomblob(16), randomblob(16), event_id, 2, 0, 0, 0, 'JPY', 'k', "
                        "x'00', 0 FROM event_document");
    CHECK_OK(import(&node, "a.csv", with, &done, &seen));
    CHECK_I64(1, done.refused);
}
