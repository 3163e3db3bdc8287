/* services/booking/import/from_ld_test.c - events of schema.org as their readers hear them. */
#include "services/booking/import/import_lab.h"

TEST(an_event_of_schema_org_becomes_a_row)
{
    check_read(
        import_read_ld, ERR_OK,
        "{\"@context\":\"https://schema.org\",\"@type\":\"MusicEvent\",\"@id\":\"https://"
        "example.org/#e1\","
        "\"name\":{\"@value\":\"Gala\\nnight\",\"@language\":\"en\"},\"description\":["
        "\"Two\\nlines\"],"
        "\"startDate\":\"2026-12-05T20:00+0200\",\"endDate\":\"2026-12-05T23:00:00+02:00\","
        "\"doorTime\":\"2026-12-05T19:00+02\","
        "\"url\":\"https://example.org/gala\",\"eventStatus\":\"https://schema.org/"
        "EventScheduled\","
        "\"location\":{\"@type\":\"Place\",\"name\":\"Opera "
        "House\",\"address\":{\"@type\":\"PostalAddress\",\"streetAddress\":\"1 Main Street\","
        "\"postalCode\":\"11511\",\"addressLocality\":\"Cairo\",\"addressCountry\":{\"@type\":"
        "\"Country\",\"name\":\"Egypt\"}},"
        "\"geo\":{\"latitude\":30.0444,\"longitude\":\"31.2357\"}},"
        "\"performer\":[{\"@type\":\"Person\",\"name\":\"Ana\"},\"Bo\"],"
        "\"offers\":[{\"@type\":\"Offer\",\"name\":\"Stalls\",\"price\":\"28.5\",\"priceCurrency\":"
        "\"EUR\",\"validFrom\":\"2026-10-01T00:00:00Z\","
        "\"inventoryLevel\":{\"value\":40}},{\"@type\":\"Offer\",\"name\":\"Circle\",\"price\":12,"
        "\"priceCurrency\":\"EUR\"}]}",
        "1 Gala night starts=2026-12-05T18:00:00Z ends=2026-12-05T21:00:00Z "
        "doors=2026-12-05T17:00:00Z venue=Opera House "
        "address=1 Main Street, 11511 city=Cairo country=Egypt artist=Ana artist=Bo type=concert "
        "description=Two\nlines "
        "url=https://example.org/gala offer=Stalls price=2850 EUR quantity=40 "
        "from=2026-10-01T00:00:00Z offer=Circle price=1200 "
        "uid=https://example.org/#e1 at=30.0444;31.2357\n");
}

TEST(events_are_found_wherever_they_are)
{
    check_read(import_read_ld, ERR_OK,
               "<html><script>var x = \"<b>\";</script>\n<script type=\"application/ld+json\">\n"
               "{\"@graph\":[{\"@type\":\"WebPage\",\"mainEntity\":{\"@type\":[\"Thing\",\"schema:"
               "Festival\"],\"name\":\"F\",\"startDate\":\"2026-07-01\","
               "\"subEvent\":[{\"@type\":\"https://schema.org/"
               "TheaterEvent\",\"name\":\"S\",\"startDate\":\"2026-07-02\",\"superEvent\":{\"@"
               "type\":\"Event\"}}]}}]}\n"
               "</script><SCRIPT "
               "TYPE='application/"
               "ld+json'>[[{\"@type\":\"SportsEvent\",\"name\":\"M\",\"startDate\":\"2026-07-03T20:"
               "00\"}]]</SCRIPT>",
               "2 F starts=2026-07-01 type=festival online\n"
               "2 S starts=2026-07-02 type=theatre online\n"
               "4 M starts=2026-07-03T20:00:00 type=sports online\n");
    check_read(import_read_ld, ERR_OK,
               "[{\"@type\":\"SportsEvent\",\"name\":\"M\",\"startDate\":\"2026-07-03T20:00\"},{\"@"
               "type\":\"Person\",\"name\":\"P\"}]",
               "1 M starts=2026-07-03T20:00:00 type=sports online\n");
}

static void check_with(const char *members, const char *expected)
{
    CLEANUP(buf_done) struct buf text = buf_on_heap(1 << 16);
    CLEANUP(buf_done) struct buf lines = buf_on_heap(1 << 16);

    buf_printf(&text, "{\"@type\":\"Event\",\"name\":\"A\",\"startDate\":\"2026-07-01\",%s}",
               members);
    buf_printf(&lines, "%s\n", expected);
    check_read(import_read_ld, ERR_OK, text.data, lines.data);
}

TEST(places_are_texts_objects_or_virtual)
{
    check_with("\"location\":\"Hall, Cairo, Egypt\"",
               "1 A starts=2026-07-01 venue=Hall city=Cairo country=Egypt type=other");
    check_with("\"location\":{\"@type\":\"Place\",\"name\":\"Hall\",\"address\":\"1 Main Street, "
               "Cairo, Egypt\"}",
               "1 A starts=2026-07-01 venue=Hall address=1 Main Street city=Cairo country=Egypt "
               "type=other");
    check_with("\"location\":{\"@type\":\"VirtualLocation\",\"url\":\"https://x.example.org\"}",
               "1 A starts=2026-07-01 type=other url=https://x.example.org online");
    check_with("\"location\":[{\"@type\":\"VirtualLocation\",\"url\":\"https://"
               "x.example.org\"},{\"@type\":\"Place\",\"name\":\"Hall\",\"address\":{"
               "\"addressRegion\":\"Giza\"}}]",
               "1 A starts=2026-07-01 venue=Hall city=Giza type=other url=https://x.example.org");
    check_with("\"eventAttendanceMode\":\"https://schema.org/"
               "OnlineEventAttendanceMode\",\"location\":{\"@type\":\"Place\",\"name\":\"Web\"}",
               "1 A starts=2026-07-01 type=other online");
}

TEST(offers_are_one_many_or_a_span)
{
    check_with("\"offers\":{\"@type\":\"Offer\",\"price\":\"12,50\",\"priceCurrency\":\"EUR\"}",
               "1 A starts=2026-07-01 type=other online price=1250 EUR");
    check_with("\"offers\":{\"@type\":\"Offer\",\"price\":1.255,\"priceCurrency\":\"KWD\"}",
               "1 A starts=2026-07-01 type=other online price=1255 KWD");
    check_with("\"offers\":{\"@type\":\"Offer\",\"price\":3500.0,\"priceCurrency\":\"JPY\"}",
               "1 A starts=2026-07-01 type=other online price=3500 JPY");
    check_with("\"offers\":{\"@type\":\"AggregateOffer\",\"lowPrice\":\"5\",\"highPrice\":9,"
               "\"priceCurrency\":\"EUR\"}",
               "1 A starts=2026-07-01 type=other online price=500 EUR");
    check_with("\"offers\":{\"@type\":\"AggregateOffer\",\"lowPrice\":\"5\",\"priceCurrency\":"
               "\"EUR\",\"offers\":[{\"price\":5,\"priceCurrency\":\"EUR\"},{\"price\":9}]}",
               "1 A starts=2026-07-01 type=other online price=500 EUR offer=Standard 2 price=900");
    check_with("\"offers\":[{\"priceSpecification\":{\"price\":5,\"priceCurrency\":\"EUR\"}},{"
               "\"price\":9,\"priceCurrency\":\"USD\"}]",
               "~1 event 1: offers of another currency than the first one's are left out\n1 A "
               "starts=2026-07-01 type=other online price=500 EUR");
    check_with("\"offers\":[{\"price\":5,\"priceCurrency\":\"EUR\",\"availability\":\"https://"
               "schema.org/SoldOut\"}]",
               "~1 event 1: is sold out there: a draft, if it is new\n1 A starts=2026-07-01 "
               "type=other online draft");
}

TEST(states_of_events_are_told_apart)
{
    check_with("\"eventStatus\":\"https://schema.org/EventCancelled\"",
               "1 A starts=2026-07-01 type=other online cancelled");
    check_with("\"eventStatus\":\"EventPostponed\"",
               "~1 event 1: is postponed: a draft, if it is new\n1 A starts=2026-07-01 type=other "
               "online draft");
    check_with("\"eventStatus\":\"EventRescheduled\",\"previousStartDate\":\"2026-06-01\"",
               "1 A starts=2026-07-01 type=other online");
}

TEST(what_cannot_be_taken_is_refused_by_entry)
{
    check_read(
        import_read_ld, ERR_OK,
        "[{\"@type\":\"Event\",\"name\":\"A\"},{\"@type\":\"Event\",\"startDate\":\"2026-07-01\"},"
        "{\"@type\":\"Event\",\"name\":\"B\",\"startDate\":\"2026-07-01\",\"offers\":{\"price\":"
        "\"cheap\",\"priceCurrency\":\"EUR\"}},"
        "{\"@type\":\"Event\",\"name\":\"C\",\"startDate\":\"2026-07-01\"}]",
        "!1 event 1: starts_at: missing\n!1 event 2: name: missing\n!1 event 3: price: no amount "
        "of EUR\n1 C starts=2026-07-01 type=other online\n");
    check_read(import_read_ld, ERR_MALFORMED, "{\"@type\":\"Person\"}",
               "!1 no schema.org event is in it\n");
    check_read(import_read_ld, ERR_MALFORMED, "<html></html>", "!1 no schema.org event is in it\n");
    check_read(import_read_ld, ERR_MALFORMED, "{\"@type\":\n",
               "!2 not JSON: unexpected token near end of file\n");
}
