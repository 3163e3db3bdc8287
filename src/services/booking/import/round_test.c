/* booking/import/round_test.c - what the API shows of an event makes the same event somewhere else. */
#include <stdio.h>
#include <string.h>

#include "support/booking_node.h"
#include "support/json_at.h"
#include "support/test.h"

static const char all_of_it[] =
    "{\"name\":\"Jazz im Park\",\"type\":\"concert\",\"description\":\"Two\\nlines, "
    "\\\"quoted\\\"\","
    "\"url\":\"https://jazz.example\",\"starts_at\":\"2027-06-05T20:00:00\","
    "\"ends_at\":\"2027-06-05T23:00:00\",\"timezone\":\"Europe/Berlin\","
    "\"venue\":{\"name\":\"Waldb\xC3\xBChne\",\"city\":\"Berlin\",\"country\":\"Germany\","
    "\"address\":\"Am Glockenturm 1\",\"lat\":52.51586,\"lon\":13.23},"
    "\"artists\":[\"Nils\",\"Landgren; Funk Unit\"],\"currency\":\"EUR\","
    "\"ticket_types\":[{\"name\":\"Standard\",\"price\":4250,\"quantity\":10,\"max_per_order\":4,"
    "\"sales_start\":\"2027-01-01T00:00:00Z\",\"sales_end\":\"2027-06-01T00:00:00Z\"},"
    "{\"name\":\"Standard\",\"price\":9001,\"quantity\":2,\"tax_rate_ppm\":70000},"
    "{\"name\":\"Later\",\"price\":0,\"quantity\":0}],"
    "\"payment_methods\":[{\"type\":\"card\"},{\"type\":\"bank_transfer\"}],"
    "\"policies\":{\"refundable\":true,\"refund_until\":\"2027-06-01T00:00:00Z\",\"fee_bearer\":"
    "\"vendor\",\"tax\":{\"name\":\"VAT\",\"rate_ppm\":190000}},"
    "\"limits\":{\"per_order\":6,\"per_user\":12,\"one_active_hold\":true},"
    "\"checkin_opens_at\":\"2027-06-05T17:00:00Z\",\"status\":\"published\"}";
static const char whole_day[] =
    "{\"name\":\"Fair\",\"type\":\"festival\",\"starts_at\":\"2027-07-03T00:00:00\","
    "\"ends_at\":\"2027-07-04T00:00:00\",\"timezone\":\"Asia/Tokyo\",\"whole_day\":true,"
    "\"online\":true,\"currency\":\"JPY\",\"ticket_types\":[{\"name\":\"Entry\",\"price\":3500,"
    "\"quantity\":5}],\"status\":\"draft\"}";

static struct answer send(struct booking_node *node, const char *who, const char *method,
                          const char *path, const char *body)
{
    const struct ask ask = {.who = who, .method = method, .path = path, .body = body};

    return booking_ask(node, node->arena, &ask);
}

static struct booking_imported import(struct booking_node *node, str text, int vendor)
{
    CLEANUP(call_done) struct call call = {0};
    struct booking_imported done = {0};
    const char *path = arena_printf(node->arena, "%s/events.json", node->dir).ptr;
    FILE *file = fopen(path, "we");

    CHECK(file != NULL && fwrite(text.ptr, 1, text.size, file) == text.size && fclose(file) == 0);
    booking_node_call(node, &call);
    const struct booking_import in = {.path = path,
                                      .vendor = booking_vendor(vendor),
                                      .publish = true,
                                      .price_minor = -1,
                                      .quantity = -1};
    CHECK_OK(booking_import_events(&call, &in, &done));
    booking_node_advance(node, 1000); /* the catalog hears of it */
    return done;
}

/* What both must say alike; ids, slugs, versions and times of writing are each their own. */
static void check_same(struct booking_node *node, str old, str new)
{
    static const char *const members[] = {
        "/name",
        "/type",
        "/status",
        "/description",
        "/url",
        "/starts_at",
        "/ends_at",
        "/timezone",
        "/whole_day",
        "/online",
        "/venue",
        "/artists",
        "/currency",
        "/policies",
        "/limits",
        "/checkin_opens_at",
        "/payment_methods",
    };
    static const char *const of_type[] = {"name",        "price",     "max_per_order",
                                          "sales_start", "sales_end", "tax_rate_ppm"};

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        CHECK_STR(arena_cstr(node->arena, json_at(node->arena, old, members[i])),
                  json_at(node->arena, new, members[i]));
    for (int t = 0; t < 4; t++)
        for (size_t i = 0; i < sizeof(of_type) / sizeof(of_type[0]); i++) {
            const char *pointer =
                arena_printf(node->arena, "/ticket_types/%d/%s", t, of_type[i]).ptr;
            const str was = json_at(node->arena, old, pointer);

            CHECK_STR(was.ptr != NULL ? arena_cstr(node->arena, was) : NULL,
                      json_at(node->arena, new, pointer));
        }
}

static str events_of(struct booking_node *node, const char *vendor)
{
    const struct answer list =
        send(node, vendor, "GET", "/events?vendor=me&date_from=2027-01-01", NULL);

    check_status(200, &list);
    return list.body;
}

TEST(the_list_of_a_vendor_makes_the_same_events_for_another_one)
{
    CLEANUP(booking_node_close) struct booking_node node;

    booking_node_open(&node, NULL);
    CHECK_I64(201, send(&node, "vendor-1", "POST", "/events", all_of_it).status);
    CHECK_I64(201, send(&node, "vendor-1", "POST", "/events", whole_day).status);
    const str list = events_of(&node, "vendor-1");
    const struct booking_imported first = import(&node, list, 2);
    CHECK_I64(2, first.created);
    CHECK_I64(0, first.refused);
    const str again = events_of(&node, "vendor-2");
    for (int i = 0; i < 2; i++) {
        const char *at = arena_printf(node.arena, "/data/%d", i).ptr;

        check_same(&node, json_at(node.arena, list, at), json_at(node.arena, again, at));
    }
    /* Once more, and where it came from: nothing has changed. */
    CHECK_I64(2, import(&node, list, 2).unchanged);
    const struct booking_imported home = import(&node, list, 1);
    CHECK_I64(2, home.unchanged);
    CHECK_I64(4, booking_i64(&node, "SELECT count(*) FROM event_key"));
}

TEST(one_event_as_it_is_shown_updates_itself)
{
    CLEANUP(booking_node_close) struct booking_node node;

    booking_node_open(&node, NULL);
    const struct answer made = send(&node, "vendor-1", "POST", "/events", all_of_it);
    check_status(201, &made);
    const str id = answer_at(node.arena, &made, "/id");
    const char *path = arena_printf(node.arena, "/events/%.*s", STR_ARG(id)).ptr;
    str text = send(&node, NULL, "GET", path, NULL).body;
    char *price = memmem(text.ptr, text.size, "9001", 4);
    CHECK(price != NULL);
    price[1] = '1'; /* 9101 */
    CHECK_I64(1, import(&node, text, 1).updated);
    const struct answer shown = send(&node, NULL, "GET", path, NULL);
    CHECK_STR("9101", answer_at(node.arena, &shown, "/ticket_types/1/price/amount"));
    CHECK_STR("4250", answer_at(node.arena, &shown, "/ticket_types/0/price/amount"));
    check_same(&node, text, shown.body);
    /* Without counts in the file, the stock stays; somebody else makes one of his own. */
    CHECK_I64(12, booking_i64(&node, "SELECT sum(remaining) FROM ticket_type_stock"));
    CHECK_I64(1, import(&node, text, 2).created);
}

TEST(policies_that_post_would_refuse_are_refused)
{
    static const char *const wrong[] = {
        "\"policies\":{\"refundable\":\"no\"}", "\"policies\":{\"tax\":{\"name\":\"VAT\"}}",
        "\"policies\":{\"tax\":{\"rate_ppm\":-1}}", "\"limits\":{\"per_order\":0}"};
    CLEANUP(booking_node_close) struct booking_node node;

    booking_node_open(&node, NULL);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const struct booking_imported done = import(
            &node,
            arena_printf(node.arena, "[{\"name\":\"A\",\"starts_at\":\"2027-07-01T20:00:00Z\",%s}]",
                         wrong[i]),
            1);

        CHECK_I64(1, done.refused);
        CHECK_I64(0, done.created);
    }
}
