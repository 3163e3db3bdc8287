/* booking/event_list_test.c - GET /events: what is listed, in which order, page by page; and events as pages show them. */
#include "services/booking/event_list.h"

#include <stdio.h>

#include "base/time.h"
#include "services/booking/catalog.h"
#include "services/booking/event_page.h"
#include "services/booking/state.h"
#include "support/booking_node.h"
#include "support/test.h"

static struct answer list(struct booking_node *node, const char *who, const char *query)
{
    const struct ask ask = {
        .who = who, .method = "GET", .path = arena_printf(node->arena, "/events%s", query).ptr};

    return booking_ask(node, node->arena, &ask);
}

/* The names of a list, in order: "a b c". */
static const char *names(struct booking_node *node, const char *query)
{
    const struct answer answer = list(node, NULL, query);
    struct buf out = buf_in(node->arena, 4096);

    for (int i = 0; i < 100; i++) {
        const str name =
            answer_at(node->arena, &answer, arena_printf(node->arena, "/data/%d/name", i).ptr);

        if (name.ptr == NULL)
            break;
        buf_printf(&out, "%s%.*s", i > 0 ? " " : "", STR_ARG(name));
    }
    return out.size > 0 ? buf_str(&out).ptr : "";
}

static void add(struct booking_node *node, const char *name, const char *day, const char *city,
                int price, const char *more)
{
    const str body = arena_printf(
        node->arena,
        "{\"name\":\"%s\",\"type\":\"concert\",\"starts_at\":\"%sT20:00:00Z\",\"ends_at\":\"%sT22:"
        "00:00Z\",\"timezone\":\"UTC\","
        "\"venue\":{\"name\":\"%s Hall\",\"city\":\"%s\",\"country\":\"X\"},\"artists\":[\"The %s "
        "Band\"],\"currency\":\"EUR\","
        "\"ticket_types\":[{\"name\":\"Standard\",\"price\":%d,\"quantity\":5}],\"status\":"
        "\"published\"%s}",
        name, day, day, city, city, name, price, more);
    const struct ask ask = {
        .who = "vendor-1", .method = "POST", .path = "/events", .body = body.ptr};

    CHECK_I64(201, booking_ask(node, node->arena, &ask).status);
}

static void open_with_five(struct booking_node *node)
{
    booking_node_open(node, NULL);
    add(node, "alpha", "2027-01-01", "Cairo", 3000, "");
    add(node, "bravo", "2027-01-03", "Zürich", 1000, "");
    add(node, "charlie", "2027-01-02", "Cairo", 2000, "");
    add(node, "delta", "2027-01-05", "Oslo", 5000, "");
    add(node, "echo", "2027-01-04", "Oslo", 4000, "");
}

TEST(sorted_and_filtered_as_asked)
{
    static const struct {
        const char *query;
        const char *names;
    } cases[] = {
        {"",                                         "alpha charlie bravo echo delta"},
        {"?sort=date_asc",                           "alpha charlie bravo echo delta"},
        {"?sort=date_desc",                          "delta echo bravo charlie alpha"},
        {"?sort=price_asc",                          "bravo charlie alpha echo delta"},
        {"?sort=price_desc",                         "delta echo alpha charlie bravo"},
        {"?city=cairo",                              "alpha charlie"                 },
        {"?city=zurich",                             "bravo"                         },
        {"?venue=oslo%20hall&sort=price_desc",       "delta echo"                    },
        {"?artist=the%20echo%20band",                "echo"                          },
        {"?price_min=2000&price_max=4000",           "alpha charlie echo"            },
        {"?date_from=2027-01-02&date_to=2027-01-03", "charlie bravo"                 },
        {"?date_to=2027-01-01T19:00:00Z",            ""                              },
        {"?type=concert&limit=2",                    "alpha charlie"                 },
        {"?type=sports",                             ""                              },
        {"?search=alph",                             "alpha"                         },
        {"?search=chralie",                          "charlie"                       },
        {"?search=hall&sort=price_asc&city=oslo",    "echo delta"                    },
        {"?search=zuerichnothing",                   ""                              },
        {"?available=true&city=oslo",                "echo delta"                    },
        {"?available=false",                         ""                              },
    };
    CLEANUP(booking_node_close) struct booking_node node;

    open_with_five(&node);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_STR(cases[i].names, str_of(names(&node, cases[i].query)));
}

TEST(a_search_shows_what_it_found_and_a_list_does_not)
{
    CLEANUP(booking_node_close) struct booking_node node;

    open_with_five(&node);
    const struct answer found = list(&node, NULL, "?search=zuri%20brav");
    CHECK_STR("name", answer_at(node.arena, &found, "/data/0/highlights/0/field"));
    CHECK_STR("bravo", answer_at(node.arena, &found, "/data/0/highlights/0/text"));
    CHECK_STR("[[0,4]]", answer_at(node.arena, &found, "/data/0/highlights/0/ranges"));
    CHECK_STR("artist", answer_at(node.arena, &found, "/data/0/highlights/1/field"));
    CHECK_STR("[[4,4]]", answer_at(node.arena, &found, "/data/0/highlights/1/ranges"));
    CHECK_STR("venue", answer_at(node.arena, &found, "/data/0/highlights/2/field"));
    CHECK_STR("Zürich", answer_at(node.arena, &found, "/data/0/highlights/3/text"));
    CHECK(answer_at(node.arena, &found, "/data/0/highlights/4").ptr == NULL);
    CHECK_STR("bravo", answer_at(node.arena, &found, "/data/0/name"));

    const struct answer listed = list(&node, NULL, "?city=zurich");
    CHECK(answer_at(node.arena, &listed, "/data/0/highlights").ptr == NULL);
}

TEST(bad_queries_are_refused)
{
    static const struct {
        const char *query;
        int status;
    } cases[] = {
        {"?artst=x",              400},
        {"?sort=best",            422},
        {"?limit=0",              422},
        {"?limit=101",            422},
        {"?limit=x",              422},
        {"?price_min=-1",         422},
        {"?date_from=2027-02-30", 422},
        {"?type=rodeo",           422},
        {"?cursor=forged",        400},
        {"?vendor=me",            401},
        {"?vendor=nobody",        422},
        {"?city=%ff",             400},
    };
    CLEANUP(booking_node_close) struct booking_node node;

    booking_node_open(&node, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_I64(cases[i].status, list(&node, NULL, cases[i].query).status);
    CHECK_I64(403, list(&node, "customer-1", "?vendor=me").status);
}

/* Page after page of one gives each event once, in the order of the whole. */
static void check_pages(struct booking_node *node, const char *query, const char *expected)
{
    struct buf got = buf_in(node->arena, 4096);
    str cursor = STR_ABSENT;

    for (int pages = 0; pages < 10; pages++) {
        const str more = cursor.ptr != NULL
                             ? arena_printf(node->arena, "&cursor=%.*s", STR_ARG(cursor))
                             : STR("");
        const struct answer page =
            list(node, NULL, arena_printf(node->arena, "?limit=1%s%.*s", query, STR_ARG(more)).ptr);
        const str name = answer_at(node->arena, &page, "/data/0/name");

        CHECK_I64(200, page.status);
        buf_printf(&got, "%s%.*s", got.size > 0 ? " " : "", STR_ARG(name));
        cursor = answer_at(node->arena, &page, "/next_cursor");
        if (cursor.ptr == NULL || str_eq(cursor, STR("null")))
            break;
    }
    CHECK_STR(expected, buf_str(&got));
}

TEST(pages_go_on_where_they_stopped)
{
    CLEANUP(booking_node_close) struct booking_node node;

    open_with_five(&node);
    check_pages(&node, "", "alpha charlie bravo echo delta");
    check_pages(&node, "&sort=price_desc", "delta echo alpha charlie bravo");
    check_pages(&node, "&search=band&sort=date_desc", "delta echo bravo charlie alpha");

    const struct answer first = list(&node, NULL, "?limit=2");
    const str cursor = answer_at(node.arena, &first, "/next_cursor");
    add(&node, "newcomer", "2027-01-01", "Rome", 1, "");
    CHECK_STR("bravo echo",
              str_of(names(&node,
                           arena_printf(node.arena, "?limit=2&cursor=%.*s", STR_ARG(cursor)).ptr)));
    CHECK_I64(400, list(&node, NULL,
                        arena_printf(node.arena, "?sort=newest&cursor=%.*s", STR_ARG(cursor)).ptr)
                       .status);
}

TEST(search_pages_hold_each_hit_once)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct answer page;
    str cursor = STR("");
    int found = 0;

    open_with_five(&node);
    do {
        page = list(&node, NULL,
                    arena_printf(node.arena, "?search=band&limit=2%s%.*s",
                                 cursor.size > 0 ? "&cursor=" : "", STR_ARG(cursor))
                        .ptr);
        for (int i = 0; i < 2; i++)
            found +=
                answer_at(node.arena, &page, arena_printf(node.arena, "/data/%d/id", i).ptr).ptr !=
                NULL;
        cursor = answer_at(node.arena, &page, "/next_cursor");
    } while (cursor.ptr != NULL && !str_eq(cursor, STR("null")) && found < 20);
    CHECK_I64(5, found);
}

TEST(what_has_ended_or_is_a_draft_is_not_listed)
{
    CLEANUP(booking_node_close) struct booking_node node;

    open_with_five(&node);
    add(&node, "hidden", "2027-01-06", "Oslo", 1, "");
    booking_exec(&node, "UPDATE event_key SET status = 0 WHERE id = (SELECT event_id FROM "
                        "event_document WHERE name = 'hidden')");
    booking_node_restart(&node);
    CHECK_STR("alpha charlie bravo echo delta", str_of(names(&node, "")));
    const struct answer own = list(&node, "vendor-1", "?vendor=me&limit=100");
    CHECK_STR("hidden", answer_at(node.arena, &own, "/data/5/name"));

    booking_node_advance(&node, INT64_C(41) * DAY_MS); /* 2027-01-03 */
    CHECK_STR("bravo echo delta", str_of(names(&node, "")));
    CHECK_STR("alpha charlie bravo echo delta", str_of(names(&node, "?date_from=2027-01-01")));
}

TEST(popular_is_what_was_taken_most)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct known_event known[2];

    booking_node_open(&node, NULL);
    known[0] = booking_add_simple(&node, 50, 1000);
    known[1] = booking_add_simple(&node, 50, 1000);
    CHECK_I64(201, booking_book(&node, node.arena, "customer-1", "k", &known[1], 3).status);
    const struct answer popular = list(&node, NULL, "?sort=popular");
    CHECK_STR(known[1].id_text, answer_at(node.arena, &popular, "/data/0/id"));
    CHECK_STR(known[0].id_text, answer_at(node.arena, &popular, "/data/1/id"));
}

TEST(changes_of_other_processes_come_in_through_the_outbox)
{
    CLEANUP(booking_node_close) struct booking_node node;

    open_with_five(&node);
    booking_exec(&node, "UPDATE event_document SET name = 'renamed' WHERE name = 'alpha'");
    booking_exec(&node, "UPDATE event_key SET version = 2 WHERE id = (SELECT event_id FROM "
                        "event_document WHERE name = 'renamed')");
    const struct answer before = list(&node, NULL, "?search=alpha");
    const str id = answer_at(node.arena, &before, "/data/0/id");
    booking_exec(&node, arena_printf(node.arena,
                                     "INSERT INTO outbox (kind, payload, at_ms) VALUES "
                                     "('event.updated', '{\"event_id\":\"%.*s\"}', 1)",
                                     STR_ARG(id))
                            .ptr);
    node_run_due(node.node);
    CHECK_STR("renamed", str_of(names(&node, "?search=renamed")));
}

TEST(prices_in_words)
{
    CLEANUP(booking_node_close) struct booking_node node;
    static const struct given_type two[] = {
        {.name = "a", .price_minor = 3000, .total = 5},
        {.name = "b", .price_minor = 2000, .total = 5},
    };
    static const struct given_type none[] = {
        {.name = "a", .price_minor = 2000, .total = 0}
    };
    static const struct given_type gratis[] = {
        {.name = "a", .price_minor = 0, .total = 5}
    };
    static const struct {
        struct given_event given;
        const char *words;
    } cases[] = {
        {{.vendor = 1, .status = EVENT_PUBLISHED, .types = two, .type_count = 2},    "from EGP 20.00"},
        {{.vendor = 1, .status = EVENT_PUBLISHED, .types = none, .type_count = 1},   "Sold out"      },
        {{.vendor = 1, .status = EVENT_PUBLISHED, .types = gratis, .type_count = 1}, "Free"          },
        {{.vendor = 1, .status = EVENT_CANCELLED, .types = two, .type_count = 2},    "Not on sale"   },
    };

    booking_node_open(&node, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(call_done) struct call call = {0};
        const struct known_event known = booking_add_event(&node, &cases[i].given);

        booking_node_call(&node, &call);
        CLEANUP(event_release_at)
        const struct event *event =
            catalog_find(((struct booking *)call.self->state)->catalog, known.id);
        CHECK_STR(cases[i].words, event_price_text(&call, event));
    }
}
