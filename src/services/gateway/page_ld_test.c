/* gateway/page_ld_test.c - an event for machines: what it says, and that it cannot leave its element. */
#include "services/gateway/page_ld.h"

#include <string.h>

#include "platform/json/json.h"
#include "support/test.h"

static struct booking_page concert(struct booking_offer offers[2])
{
    offers[0] = (struct booking_offer){
        .name = STR("Standing"), .price = {2800, {"EUR"}},
             .status = STR("on_sale")
    };
    offers[1] = (struct booking_offer){
        .name = STR("Seat"), .price = {3500, {"JPY"}},
             .status = STR("sold_out")
    };
    return (struct booking_page){
        .name = STR("Jazz"),
        .description = STR("Four sets."),
        .venue_name = STR("Lakeside Stage"),
        .city = STR("Potsdam"),
        .country = STR("Germany"),
        .artists = STR("The Copper Quartet, Lena Okafor"),
        .status = STR("published"),
        .starts_at_ms = INT64_C(1812821400000),
        .ends_at_ms = INT64_C(1812832200000),
        .offers = offers,
        .offer_count = 2,
    };
}

static bool says(str json, const char *part)
{
    return memmem(json.ptr, json.size, part, strlen(part)) != NULL;
}

static void check_json(struct arena *arena, str json)
{
    struct json_doc *doc = NULL;
    str why = STR_ABSENT;

    CHECK_OK(json_parse(arena, json, &doc, &why));
}

TEST(an_event_is_told_with_its_place_performers_and_offers)
{
    static const char *const parts[] = {
        "\"@context\":\"https://schema.org\"",
        "\"@type\":\"Event\"",
        "\"startDate\":\"2027-06-12T17:30:00Z\"",
        "\"endDate\":\"2027-06-12T20:30:00Z\"",
        "\"eventStatus\":\"https://schema.org/EventScheduled\"",
        "\"eventAttendanceMode\":\"https://schema.org/OfflineEventAttendanceMode\"",
        "\"@type\":\"Place\",\"name\":\"Lakeside Stage\"",
        "\"addressLocality\":\"Potsdam\",\"addressCountry\":\"Germany\"",
        "\"name\":\"The Copper Quartet, Lena Okafor\"",
        "\"price\":\"28.00\",\"priceCurrency\":\"EUR\"",
        "\"availability\":\"https://schema.org/InStock\"",
        "\"price\":\"3500\",\"priceCurrency\":\"JPY\"",
        "\"availability\":\"https://schema.org/SoldOut\"",
        "\"url\":\"https://tickets.example/e/jazz\"",
    };
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct booking_offer offers[2];
    const struct booking_page event = concert(offers);
    const str json = page_ld(arena, STR("https://tickets.example/e/jazz"), &event);

    check_json(arena, json);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        CHECK_STR(parts[i], says(json, parts[i]) ? str_of(parts[i]) : json);
}

TEST(a_cancelled_and_an_online_event_say_so)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct booking_offer offers[2];
    struct booking_page event = concert(offers);

    event.status = STR("cancelled");
    event.online = true;
    event.artists = STR_ABSENT;
    event.offer_count = 0;
    const str json = page_ld(arena, STR("https://tickets.example/e/jazz"), &event);

    check_json(arena, json);
    CHECK(says(json, "https://schema.org/EventCancelled"));
    CHECK(says(json, "https://schema.org/OnlineEventAttendanceMode"));
    CHECK(says(json, "\"@type\":\"VirtualLocation\""));
    CHECK(!says(json, "Place"));
    CHECK(!says(json, "performer"));
}

TEST(no_name_ends_the_script_element)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct booking_offer offers[2];
    struct booking_page event = concert(offers);

    event.name = STR("</script><script>alert(1)</script>");
    event.description = STR("<!-- & \"quotes\" \\ -->");
    event.artists = STR("A & B");
    const str json = page_ld(arena, STR("https://tickets.example/e/jazz"), &event);

    check_json(arena, json);
    CHECK(memchr(json.ptr, '<', json.size) == NULL);
    CHECK(memchr(json.ptr, '>', json.size) == NULL);
    CHECK(memchr(json.ptr, '&', json.size) == NULL);
    CHECK(says(json, "\\u003c/script\\u003e"));
    CHECK(says(json, "A \\u0026 B"));
}
