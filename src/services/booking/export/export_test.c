/* booking/export/export_test.c - a vendor's data: all of his, nothing of others, page by page, and back. */
#include "services/booking/export/get.h"
#include "services/booking/export/reading.h"
#include "services/booking/export/tables.h"

#include <stdio.h>
#include <string.h>

#include "support/booking_buy.h"
#include "support/json_at.h"
#include "support/test.h"
#include "support/test_database.h"

enum { TABLES = 11 };

/* What an export has written, by table; the document alone in the first. */
struct written {
    struct buf texts[TABLES];
    int calls;
    int calls_max; /* 0: any; then it cannot be kept */
};

static bool keep(void *arg, const char *table, str text)
{
    struct written *written = arg;
    size_t at = 0;

    while (table != NULL && strcmp(export_table_names[at], table) != 0)
        at++;
    buf_add(&written->texts[at], text);
    return written->calls_max == 0 || ++written->calls < written->calls_max;
}

static err export(struct booking_node *node, int vendor, bool json, struct written *ret)
{
    CLEANUP(call_done) struct call call = {0};
    const struct booking_export in = {
        .vendor = booking_vendor(vendor), .json = json, .write = keep, .arg = ret};

    for (size_t i = 0; i < TABLES; i++)
        ret->texts[i] = buf_in(node->arena, 1 << 26);
    booking_node_call(node, &call);
    return booking_export(&call, &in);
}

static str table_of(const struct written *written, const char *table)
{
    size_t at = 0;

    while (strcmp(export_table_names[at], table) != 0)
        at++;
    return buf_str(&written->texts[at]);
}

static int64_t times(str text, const char *part)
{
    int64_t n = 0;

    for (const char *at = text.ptr;
         (at = memmem(at, text.size - (size_t)(at - text.ptr), part, strlen(part))) != NULL;
         at += strlen(part))
        n++;
    return n;
}

static int64_t lines(str text)
{
    return times(text, "\r\n");
}

static const struct given_type two_types[] = {
    {"Stalls", 5000, 100, 0, 0, 0},
    {"Circle", 2500, 50,  4, 0, 0},
};

static const char draft[] =
    "{\"name\":\"Soon, perhaps\",\"type\":\"theatre\",\"description\":\"Two\\nlines\","
    "\"url\":\"https://stage.example\",\"starts_at\":\"2027-06-05T20:00:00\","
    "\"ends_at\":\"2027-06-05T23:00:00\",\"timezone\":\"Europe/Berlin\",\"venue\":{\"name\":"
    "\"=Hall\",\"city\":\"Berlin\",\"country\":\"Germany\",\"address\":\"1 \\\"A\\\" Street\","
    "\"lat\":52.5,\"lon\":13.25},\"artists\":[\"Ana\",\"Bo\"],\"currency\":\"EUR\",\"ticket_"
    "types\":"
    "[{\"name\":\"Seat\",\"price\":1250,\"quantity\":7}],\"payment_methods\":[{\"type\":\"card\"},"
    "{\"type\":\"bank_transfer\"}],\"limits\":{\"per_order\":3,\"per_user\":5,"
    "\"one_active_hold\":true},\"status\":\"draft\"}";

/* Vendor 1 has sold, promised, refunded, admitted and held; vendor 2 has sold too. */
struct sales {
    struct known_event event;
    struct known_event other;
    struct bought paid;
    struct bought promised;
    struct bought others;
    const char *held;
};

static void sell(struct booking_node *node, struct sales *ret)
{
    const struct given_event mine = {.vendor = 1,
                                     .status = EVENT_PUBLISHED,
                                     .by_hand = true,
                                     .types = two_types,
                                     .type_count = 2};
    const struct given_event other = {
        .vendor = 2, .status = EVENT_PUBLISHED, .types = two_types, .type_count = 1};

    ret->event = booking_add_event(node, &mine);
    CHECK_I64(201, booking_send(node, "vendor-1", "POST", draft, "/events").status);
    ret->other = booking_add_event(node, &other);
    ret->paid = booking_buy(node, "customer-1", &ret->event, 3, "card");
    ret->promised = booking_buy(node, "customer-2", &ret->event, 2, "cash_on_arrival");
    ret->others = booking_buy(node, "customer-3", &ret->other, 4, "card");
    ret->held = booking_hold(node, "customer-4", &ret->event, 1);
    CHECK_I64(200,
              booking_send(node, "customer-1", "DELETE", NULL, "/tickets/%s", ret->paid.tickets[0])
                  .status);
    CHECK_I64(200,
              booking_send(node, "vendor-1", "POST",
                           arena_printf(node->arena,
                                        "{\"code\":\"%s\",\"device_id\":\"=gate\",\"nonce\":\"1\"}",
                                        ret->paid.codes[1])
                               .ptr,
                           "/checkin")
                  .status);
    booking_exec(node, "INSERT INTO order_detail (order_id, attendees) "
                       "SELECT id, '[{\"name\":\"Held\"}]' FROM order_state WHERE status = 0");
    booking_exec(node, "UPDATE order_detail SET attendees = "
                       "'[{\"name\":\"+Ann\",\"email\":\"ann@example.com\"},{\"name\":\"Bo\"}]' "
                       "WHERE payment_method = 'cash_on_arrival'");
}

TEST(an_export_has_all_of_a_vendor_and_nothing_of_others)
{
    static const struct {
        const char *table;
        int64_t rows;
    } counts[] = {
        {"events",        2},
        {"ticket_types",  3},
        {"venues",        1},
        {"artists",       2},
        {"event_artists", 2},
        {"orders",        3},
        {"order_items",   3},
        {"attendees",     2},
        {"tickets",       5},
        {"refunds",       1},
    };
    CLEANUP(booking_node_close) struct booking_node node;
    struct written csv = {0};
    struct sales sales;

    booking_node_open(&node, NULL);
    sell(&node, &sales);
    CHECK_OK(export(&node, 1, false, &csv));
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        if (lines(table_of(&csv, counts[i].table)) != counts[i].rows + 1)
            CHECK_STR(counts[i].table, table_of(&csv, counts[i].table));
        CHECK_I64(0, times(table_of(&csv, counts[i].table), sales.other.id_text));
        CHECK_I64(0, times(table_of(&csv, counts[i].table), sales.others.order));
    }
    const str orders = table_of(&csv, "orders");
    CHECK_I64(1, times(orders, ",partially_refunded,"));
    CHECK_I64(1, times(orders, ",pending,"));
    CHECK_I64(1, times(orders, ",held,"));
    CHECK_I64(2, times(orders, "Some Body")); /* who only holds has no name here */
    CHECK_I64(1, times(table_of(&csv, "venues"),
                       ",'=Hall,Berlin,Germany,\"1 \"\"A\"\" Street\",52.5,13.25\r\n"));
    CHECK_I64(1,
              times(table_of(&csv, "events"), ",\"Soon, perhaps\",theatre,draft,\"Two\nlines\","));
    const str tickets = table_of(&csv, "tickets");
    CHECK_I64(1, times(tickets, ",cancelled,"));
    CHECK_I64(1, times(tickets, ",used,"));
    CHECK_I64(1, times(tickets, ",'=gate\r\n"));
    CHECK_I64(0, times(tickets, sales.paid.codes[1]));
    CHECK_I64(1, times(table_of(&csv, "refunds"), ",succeeded,5000,EGP,"));
    CHECK_I64(1, times(table_of(&csv, "ticket_types"), ",Stalls,5000,EGP,,,,100,95,\r\n"));
    const str attendees = table_of(&csv, "attendees");
    CHECK_I64(1, times(attendees, ",0,'+Ann,ann@example.com\r\n"));
    CHECK_I64(1, times(attendees, ",1,Bo,\r\n"));
    CHECK_I64(0, times(attendees, "Held"));
    /* A hold that nobody has paid for in time is expired, written down or not. */
    booking_exec(&node, "UPDATE order_state SET expires_at_ms = 1 WHERE status = 0");
    CHECK_OK(export(&node, 1, false, &csv));
    CHECK_I64(1, times(table_of(&csv, "orders"), ",expired,"));
}

TEST(what_cannot_be_kept_ends_an_export)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct written csv = {.calls_max = 3};

    booking_node_open(&node, NULL);
    CHECK_ERR(ERR_UNAVAILABLE, export(&node, 1, false, &csv));
    CHECK_I64(3, csv.calls);
}

TEST(a_page_ends_where_its_texts_reach_the_limit)
{
    CLEANUP(booking_node_close) struct booking_node node;
    CLEANUP(call_done) struct call call = {0};
    struct export_query query = {
        .vendor = booking_vendor(1), .last_order = export_all_orders, .limit = EXPORT_ROWS_MAX};
    struct export_page page = {0};
    size_t rows = 0;

    booking_node_open(&node, NULL);
    for (int i = 0; i < 40; i++)
        (void)booking_add_simple(&node, 1, 100);
    booking_exec(&node, test_on_postgres()
                            ? "UPDATE event_document SET description = repeat('x', 60000)"
                            : "UPDATE event_document SET description = printf('%.60000c', 'x')");
    booking_node_call(&node, &call);
    for (int pages = 0; pages == 0 || page.more; pages++) {
        CHECK(pages < 10);
        CHECK_OK(export_read(&call, &export_tables[0], &query, &page));
        CHECK(page.row_count < 20 && page.text_size < EXPORT_PAGE_TEXT_MAX + 65536);
        rows += page.row_count;
        query.from = page.end;
    }
    CHECK_I64(40, rows);
}

/* --- Over HTTP --- */

static struct answer get(struct booking_node *node, const char *who, const char *path)
{
    return booking_send(node, who, "GET", NULL, "%s", path);
}

static const char *path_of(struct booking_node *node, int vendor, const char *query)
{
    return arena_printf(node->arena, "/vendors/%s/export?%s",
                        id_format("vnd", booking_vendor(vendor)).text, query)
        .ptr;
}

/* All pages of a table behind each other. */
static str all_pages(struct booking_node *node, const char *table, int limit, int *ret_pages)
{
    struct buf all = buf_in(node->arena, 1 << 20);
    const char *path =
        path_of(node, 1, arena_printf(node->arena, "table=%s&limit=%d", table, limit).ptr);

    for (*ret_pages = 0; path != NULL && *ret_pages < 50; ++*ret_pages) {
        const struct answer page = get(node, "vendor-1", path);
        const str link = answer_header(&page, "link");

        check_status(200, &page);
        CHECK_STR("text/csv; charset=utf-8", answer_header(&page, "content-type"));
        buf_add(&all, page.body);
        path = NULL;
        if (link.ptr != NULL) {
            const char *end = memchr(link.ptr, '>', link.size);

            CHECK(end != NULL && str_ends(link, STR(">; rel=\"next\"")));
            path = arena_cstr(node->arena, str_slice(link, 1, (size_t)(end - link.ptr)));
        }
    }
    return buf_str(&all);
}

TEST(pages_behind_each_other_are_the_whole_table)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct written csv = {0};
    struct sales sales;
    int pages = 0;

    booking_node_open(&node, NULL);
    sell(&node, &sales);
    CHECK_OK(export(&node, 1, false, &csv));
    for (size_t i = 0; export_table_names[i] != NULL; i++) {
        const char *whole = arena_cstr(node.arena, buf_str(&csv.texts[i]));

        for (int limit = 1; limit <= 4; limit++)
            CHECK_STR(whole, all_pages(&node, export_table_names[i], limit, &pages));
    }
    (void)all_pages(&node, "tickets", 2, &pages);
    CHECK(pages >= 3);
    (void)all_pages(&node, "tickets", 1000, &pages);
    CHECK_I64(1, pages);
}

TEST(only_the_vendor_himself_and_admins_get_an_export)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct sales sales;

    booking_node_open(&node, NULL);
    sell(&node, &sales);
    const char *path = path_of(&node, 1, "table=orders&format=json&limit=2");
    CHECK_I64(401, get(&node, NULL, path).status);
    CHECK_I64(403, get(&node, "customer-1", path).status);
    CHECK_I64(404, get(&node, "vendor-2", path).status);
    CHECK_I64(404, get(&node, "vendor-2", path_of(&node, 1, "table=rubbish")).status);
    CHECK_I64(200, get(&node, "admin-1", path).status);
    const struct answer own = get(&node, "vendor-1", path);
    check_status(200, &own);
    CHECK_STR("no-store", answer_header(&own, "cache-control"));
    CHECK_STR("1", answer_at(node.arena, &own, "/boxoffice_export"));
    CHECK_STR("orders", answer_at(node.arena, &own, "/table"));
    CHECK_STR("Some Body", answer_at(node.arena, &own, "/data/0/buyer_name"));
    const str cursor = answer_at(node.arena, &own, "/next_cursor");
    CHECK(cursor.size > 0);

    static const struct {
        const char *query;
        int status;
        const char *code;
    } cases[] = {
        {"",                        422, "invalid_field"},
        {"table=people",            422, "invalid_field"},
        {"table=orders&format=xml", 422, "invalid_field"},
        {"table=orders&limit=1001", 422, "invalid_field"},
        {"table=orders&limit=0",    422, "invalid_field"},
        {"table=orders&cursor=x",   400, "malformed"    },
        {"table=orders&page=2",     400, "unknown_field"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct answer answer = get(&node, "vendor-1", path_of(&node, 1, cases[i].query));

        check_problem(node.arena, &answer, cases[i].status, cases[i].code);
    }
    /* A cursor is of its table and its vendor. */
    const char *foreign =
        arena_printf(node.arena, "table=tickets&cursor=%.*s", STR_ARG(cursor)).ptr;
    CHECK_I64(400, get(&node, "vendor-1", path_of(&node, 1, foreign)).status);
    CHECK_I64(
        400, get(&node, "admin-1",
                 path_of(&node, 2,
                         arena_printf(node.arena, "table=orders&cursor=%.*s", STR_ARG(cursor)).ptr))
                 .status);
}

/* --- And back --- */

static str shown(struct booking_node *node, const char *vendor)
{
    const struct answer list = get(node, vendor, "/events?vendor=me&date_from=2020-01-01");

    check_status(200, &list);
    return list.body;
}

static struct booking_imported import(struct booking_node *node, str text)
{
    CLEANUP(call_done) struct call call = {0};
    struct booking_imported done = {0};
    const char *path = arena_printf(node->arena, "%s/export.json", node->dir).ptr;
    FILE *file = fopen(path, "we");

    CHECK(file != NULL && fwrite(text.ptr, 1, text.size, file) == text.size && fclose(file) == 0);
    booking_node_call(node, &call);
    const struct booking_import in = {.path = path,
                                      .vendor = booking_vendor(5),
                                      .publish = true,
                                      .price_minor = -1,
                                      .quantity = -1};
    CHECK_OK(booking_import_events(&call, &in, &done));
    booking_node_advance(node, 1000);
    return done;
}

TEST(an_export_makes_the_same_events_in_an_empty_installation)
{
    static const char *const same[] = {"name",
                                       "type",
                                       "status",
                                       "description",
                                       "url",
                                       "slug",
                                       "starts_at",
                                       "ends_at",
                                       "timezone",
                                       "whole_day",
                                       "online",
                                       "currency",
                                       "policies",
                                       "limits",
                                       "payment_methods/1/type",
                                       "venue/name",
                                       "ticket_types/0/name",
                                       "ticket_types/0/price",
                                       "ticket_types/1/name",
                                       "ticket_types/1/price",
                                       "ticket_types/1/max_per_order"};
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct booking_node node;
    struct written json = {0};
    struct sales sales;

    booking_node_open(&node, NULL);
    sell(&node, &sales);
    CHECK_OK(export(&node, 1, true, &json));
    const str document = arena_str(arena, buf_str(&json.texts[0]));
    const str before = arena_str(arena, shown(&node, "vendor-1"));
    booking_node_close(&node);
    CHECK_STR("1", json_at(arena, document, "/boxoffice_export"));
    CHECK_STR("Some Stage", json_at(arena, document, "/vendor/name"));
    CHECK_STR("Bo", json_at(arena, document, "/attendees/1/name"));
    CHECK_STR("50", json_at(arena, document, "/events/0/ticket_types/1/quantity"));

    booking_node_open(&node, NULL);
    CHECK_I64(0, booking_i64(&node, "SELECT count(*) FROM event_key"));
    const struct booking_imported done = import(&node, document);
    CHECK_I64(2, done.created);
    CHECK_I64(0, done.refused);
    const str after = shown(&node, "vendor-5");
    for (int event = 0; event < 2; event++)
        for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
            const char *at = arena_printf(arena, "/data/%d/%s", event, same[i]).ptr;
            const str was = json_at(arena, before, at);

            CHECK_STR(was.ptr != NULL ? arena_cstr(arena, was) : NULL, json_at(arena, after, at));
        }
    CHECK_I64(157, booking_i64(&node, "SELECT sum(total) FROM ticket_type_stock"));
    CHECK_I64(2, import(&node, document).unchanged);
    booking_node_close(&node);
}
