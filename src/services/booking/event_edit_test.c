/* booking/event_edit_test.c - events over HTTP: made, changed, shown, cancelled; and what bad input gets. */
#include "services/booking/event_edit.h"

#include <stdio.h>
#include <string.h>

#include "services/booking/event.h"
#include "services/booking/event_input.h"
#include "services/booking/event_store.h"
#include "support/booking_node.h"
#include "support/test.h"

static const char good[] =
    "{\"name\":\"Jazz im "
    "Park\",\"type\":\"concert\",\"starts_at\":\"2027-06-05T20:00:00\",\"ends_at\":\"2027-06-05T23:"
    "00:00\",\"timezone\":\"Europe/Berlin\","
    "\"venue\":{\"name\":\"Waldbühne\",\"city\":\"Berlin\",\"country\":\"Germany\"},\"artists\":["
    "\"Nils\",\"Landgren\"],\"currency\":\"EUR\","
    "\"ticket_types\":[{\"name\":\"Standard\",\"price\":4250,\"quantity\":10},{\"name\":\"VIP\","
    "\"price\":{\"amount\":9000,\"currency\":\"EUR\"},\"quantity\":2}],"
    "\"status\":\"published\"}";

static struct answer send(struct booking_node *node, const char *who, const char *method,
                          const char *path, const char *headers, const char *body)
{
    const struct ask ask = {
        .who = who, .method = method, .path = path, .headers = headers, .body = body};

    return booking_ask(node, node->arena, &ask);
}

static const char *path_of(struct booking_node *node, const struct answer *made)
{
    const str id = answer_at(node->arena, made, "/id");

    return arena_printf(node->arena, "/events/%.*s", STR_ARG(id)).ptr;
}

TEST(an_event_is_made_and_shown_as_the_contract_says)
{
    CLEANUP(booking_node_close) struct booking_node node;

    booking_node_open(&node, NULL);
    const struct answer made = send(&node, "vendor-1", "POST", "/events", NULL, good);
    CHECK_I64(201, made.status);
    CHECK_STR("2027-06-05T18:00:00Z", answer_at(node.arena, &made, "/starts_at"));
    CHECK_STR("jazz-im-park", answer_at(node.arena, &made, "/slug"));
    CHECK_STR("card", answer_at(node.arena, &made, "/payment_methods/0/type"));
    CHECK_STR("10", answer_at(node.arena, &made, "/limits/per_order"));
    CHECK_STR("9000", answer_at(node.arena, &made, "/ticket_types/1/price/amount"));
    CHECK_STR("\"1\"", answer_header(&made, "etag"));

    const struct answer shown = send(&node, NULL, "GET", path_of(&node, &made), NULL, NULL);
    CHECK_I64(200, shown.status);
    CHECK(str_eq(made.body, shown.body));
    CHECK_I64(
        304,
        send(&node, NULL, "GET", path_of(&node, &made), "If-None-Match: \"1\"\r\n", NULL).status);
    CHECK_I64(12, booking_i64(&node, "SELECT sum(remaining) FROM ticket_type_stock"));
}

TEST(a_second_event_of_one_name_gets_a_slug_of_its_own_and_the_same_venue)
{
    CLEANUP(booking_node_close) struct booking_node node;

    booking_node_open(&node, NULL);
    const struct answer first = send(&node, "vendor-1", "POST", "/events", NULL, good);
    const struct answer second = send(&node, "vendor-2", "POST", "/events", NULL, good);
    CHECK_STR("jazz-im-park-2", answer_at(node.arena, &second, "/slug"));
    CHECK(str_eq(answer_at(node.arena, &first, "/venue/id"),
                 answer_at(node.arena, &second, "/venue/id")));
    CHECK(str_eq(answer_at(node.arena, &first, "/artists/1/id"),
                 answer_at(node.arena, &second, "/artists/1/id")));
}

/* `good` with one member replaced. */
static const char *with(struct booking_node *node, const char *member, const char *value)
{
    struct buf out = buf_in(node->arena, 65536);
    const char *at = strstr(good, arena_printf(node->arena, "\"%s\":", member).ptr);
    int depth = 0;
    bool quoted = false;

    if (at == NULL) {
        buf_printf(&out, "{\"%s\":%s,%s", member, value, good + 1);
        return buf_str(&out).ptr;
    }
    buf_add(&out, (str){good, (size_t)(at - good)});
    buf_printf(&out, "\"%s\":%s", member, value);
    for (at = strchr(at, ':') + 1; quoted || depth > 0 || (*at != ',' && *at != '}'); at++) {
        quoted = *at == '"' ? !quoted : quoted;
        if (!quoted)
            depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
    }
    buf_add_cstr(&out, at);
    return buf_str(&out).ptr;
}

TEST(bad_fields_are_named_and_nothing_is_written)
{
    static const struct {
        const char *member;
        const char *value;
        int status;
        const char *pointer;
    } cases[] = {
        {"name",            "\"\"",                                                                   422, "/name"                    },
        {"name",            "7",                                                                      422, "/name"                    },
        {"nam",             "\"x\"",                                                                  400, "/nam"                     },
        {"url",             "\"javascript:alert(1)\"",                                                422, "/url"                     },
        {"name",            "\"  \"",                                                                 422, "/name"                    },
        {"type",            "\"rodeo\"",                                                              422, "/type"                    },
        {"timezone",        "\"Mars/Olympus\"",                                                       422, "/timezone"                },
        {"starts_at",       "\"2027-02-30T20:00:00\"",                                                422, "/starts_at"               },
        {"starts_at",       "\"2027-03-28T02:30:00\"",                                                422, "/starts_at"               },
        {"starts_at",       "\"tomorrow\"",                                                           422, "/starts_at"               },
        {"ends_at",         "\"2027-06-05T19:00:00\"",                                                422, "/ends_at"                 },
        {"venue",           "null",                                                                   422, "/venue"                   },
        {"venue",           "{\"name\":\"x\",\"city\":\"y\"}",                                        422, "/venue/country"           },
        {"venue",           "{\"name\":\"x\",\"city\":\"y\",\"country\":\"z\",\"lat\":91,\"lon\":0}", 422,
         "/venue/lat"                                                                                                                 },
        {"currency",        "\"EUX\"",                                                                422, "/currency"                },
        {"ticket_types",    "[]",                                                                     422, "/ticket_types"            },
        {"ticket_types",    "[{\"name\":\"a\",\"price\":-1,\"quantity\":1}]",                         422,
         "/ticket_types/0/price"                                                                                                      },
        {"ticket_types",    "[{\"name\":\"a\",\"price\":1.5,\"quantity\":1}]",                        422,
         "/ticket_types/0/price"                                                                                                      },
        {"ticket_types",    "[{\"name\":\"a\",\"price\":1000000000001,\"quantity\":1}]",              422,
         "/ticket_types/0/price"                                                                                                      },
        {"ticket_types",
         "[{\"name\":\"a\",\"price\":{\"amount\":1,\"currency\":\"USD\"},\"quantity\":1}]",           422,
         "/ticket_types/0/price"                                                                                                      },
        {"ticket_types",
         "[{\"name\":\"a\",\"price\":{\"amount\":1,\"currency\":\"EUR\",\"vat\":1},\"quantity\":1}"
         "]",                                                                                         400, "/ticket_types/0/price/vat"},
        {"ticket_types",    "[{\"name\":\"a\",\"price\":1,\"quantity\":10000001}]",                   422,
         "/ticket_types/0/quantity"                                                                                                   },
        {"ticket_types",
         "[{\"name\":\"a\",\"price\":1,\"quantity\":1,\"id\":\"tt_01h455vb4pex5vsknk084sn02q\"}]",    422, "/ticket_types/0/id"       },
        {"ticket_types",
         "[{\"name\":\"a\",\"price\":1,\"quantity\":1,\"sales_start\":\"2027-01-02T00:00:00Z\","
         "\"sales_end\":\"2027-01-01T00:00:00Z\"}]",                                                  422, "/ticket_types/0/sales_end"},
        {"payment_methods", "[{\"type\":\"shells\"}]",                                                422, "/payment_methods/0/type"  },
        {"payment_methods", "[{\"type\":\"card\"},{\"type\":\"card\"}]",                              422,
         "/payment_methods/1/type"                                                                                                    },
        {"payment_methods", "[{}]",                                                                   422, "/payment_methods/0/type"  },
        {"limits",          "{\"per_order\":0}",                                                      422, "/limits/per_order"        },
        {"status",          "\"cancelled\"",                                                          422, "/status"                  },
    };
    CLEANUP(booking_node_close) struct booking_node node;

    booking_node_open(&node, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct answer answer = send(&node, "vendor-1", "POST", "/events", NULL,
                                          with(&node, cases[i].member, cases[i].value));

        if (cases[i].status != answer.status ||
            !str_eq(str_of(cases[i].pointer), answer_at(node.arena, &answer, "/errors/0/pointer")))
            print_error("case %zu: %.*s\n", i, STR_ARG(answer.body));
        CHECK_I64(cases[i].status, answer.status);
        CHECK_STR(cases[i].pointer, answer_at(node.arena, &answer, "/errors/0/pointer"));
    }
    CHECK_I64(0, booking_i64(&node, "SELECT count(*) FROM event_key"));
    CHECK_I64(0, booking_i64(&node, "SELECT count(*) FROM venue"));
    CHECK_I64(0, booking_i64(&node, "SELECT count(*) FROM outbox"));
}

TEST(who_may_do_what)
{
    CLEANUP(booking_node_close) struct booking_node node;

    booking_node_open(&node, NULL);
    CHECK_I64(401, send(&node, NULL, "POST", "/events", NULL, good).status);
    CHECK_I64(403, send(&node, "customer-1", "POST", "/events", NULL, good).status);
    const struct answer made =
        send(&node, "vendor-1", "POST", "/events", NULL, with(&node, "status", "\"draft\""));
    const char *path = path_of(&node, &made);

    CHECK_I64(404, send(&node, NULL, "GET", path, NULL, NULL).status);
    CHECK_I64(404, send(&node, "vendor-2", "GET", path, NULL, NULL).status);
    CHECK_I64(200, send(&node, "vendor-1", "GET", path, NULL, NULL).status);
    CHECK_I64(404, send(&node, "vendor-2", "PUT", path, "If-Match: \"1\"\r\n", "{}").status);
    CHECK_I64(404, send(&node, "vendor-2", "DELETE", path, NULL, NULL).status);
    CHECK_I64(403, send(&node, "customer-1", "DELETE", path, NULL, NULL).status);
    CHECK_I64(404, send(&node, NULL, "GET", "/events/evt_nonsense", NULL, NULL).status);
}

TEST(a_change_merges_and_needs_the_version_it_was_made_from)
{
    CLEANUP(booking_node_close) struct booking_node node;

    booking_node_open(&node, NULL);
    const struct answer made = send(&node, "vendor-1", "POST", "/events", NULL, good);
    const char *path = path_of(&node, &made);

    CHECK_I64(428, send(&node, "vendor-1", "PUT", path, NULL, "{\"name\":\"Blues\"}").status);
    CHECK_I64(
        412,
        send(&node, "vendor-1", "PUT", path, "If-Match: \"7\"\r\n", "{\"name\":\"Blues\"}").status);
    const struct answer changed =
        send(&node, "vendor-1", "PUT", path, "If-Match: \"1\"\r\n", "{\"name\":\"Blues\"}");
    CHECK_I64(200, changed.status);
    CHECK_STR("Blues", answer_at(node.arena, &changed, "/name"));
    CHECK_STR("\"2\"", answer_header(&changed, "etag"));
    CHECK(str_eq(answer_at(node.arena, &made, "/starts_at"),
                 answer_at(node.arena, &changed, "/starts_at")));
    CHECK(str_eq(answer_at(node.arena, &made, "/ticket_types"),
                 answer_at(node.arena, &changed, "/ticket_types")));
    CHECK(str_eq(answer_at(node.arena, &made, "/slug"), answer_at(node.arena, &changed, "/slug")));
    CHECK_I64(
        412,
        send(&node, "vendor-1", "PUT", path, "If-Match: \"1\"\r\n", "{\"name\":\"Soul\"}").status);
}

TEST(a_change_of_the_venue_replaces_what_it_gives)
{
    static const struct {
        const char *venue;
        const char *name;
        const char *city;
        const char *address;
    } cases[] = {
        {"{\"address\":\"Glockenturmstr. 1\"}",        "Waldbühne", "Berlin", "Glockenturmstr. 1"},
        {"{\"name\":\"Waldpark\"}",                    "Waldpark",   "Berlin", "Glockenturmstr. 1"},
        {"{\"city\":\"Wien\",\"address\":\"Ring 1\"}", "Waldpark",   "Wien",   "Ring 1"           },
        {"{}",                                         "Waldpark",   "Wien",   "Ring 1"           },
    };
    CLEANUP(booking_node_close) struct booking_node node;

    booking_node_open(&node, NULL);
    struct answer answer = send(&node, "vendor-1", "POST", "/events", NULL, good);
    const char *path = path_of(&node, &answer);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const str match =
            arena_printf(node.arena, "If-Match: %.*s\r\n", STR_ARG(answer_header(&answer, "etag")));
        const str body = arena_printf(node.arena, "{\"venue\":%s}", cases[i].venue);

        CHECK_I64(200, send(&node, "vendor-1", "PUT", path, match.ptr, body.ptr).status);
        answer = send(&node, NULL, "GET", path, NULL, NULL);
        CHECK_STR(cases[i].name, answer_at(node.arena, &answer, "/venue/name"));
        CHECK_STR(cases[i].city, answer_at(node.arena, &answer, "/venue/city"));
        CHECK_STR("Germany", answer_at(node.arena, &answer, "/venue/country"));
        CHECK_STR(cases[i].address, answer_at(node.arena, &answer, "/venue/address"));
    }
}

TEST(a_venue_that_comes_with_a_change_is_whole)
{
    CLEANUP(booking_node_close) struct booking_node node;

    booking_node_open(&node, NULL);
    const struct answer made = send(&node, "vendor-1", "POST", "/events", NULL,
                                    with(&node, "venue", "null,\"online\":true"));
    CHECK_I64(201, made.status);
    const char *path = path_of(&node, &made);
    const struct answer part = send(&node, "vendor-1", "PUT", path, "If-Match: \"1\"\r\n",
                                    "{\"online\":false,\"venue\":{\"name\":\"Hall\"}}");
    CHECK_I64(422, part.status);
    CHECK_STR("/venue/city", answer_at(node.arena, &part, "/errors/0/pointer"));
    CHECK_STR("/venue/country", answer_at(node.arena, &part, "/errors/1/pointer"));
}

TEST(stock_follows_the_offer_but_never_below_what_is_taken)
{
    CLEANUP(booking_node_close) struct booking_node node;
    char body[512];

    booking_node_open(&node, NULL);
    const struct known_event event = booking_add_simple(&node, 10, 1000);
    const char *path = arena_printf(node.arena, "/events/%s", event.id_text).ptr;
    CHECK_I64(201, booking_book(&node, node.arena, "customer-1", "k", &event, 4).status);
    const struct answer shown = send(&node, NULL, "GET", path, NULL, NULL);
    const str etag = answer_header(&shown, "etag");
    const char *match = arena_printf(node.arena, "If-Match: %.*s\r\n", STR_ARG(etag)).ptr;

    (void)snprintf(
        body, sizeof(body),
        "{\"ticket_types\":[{\"id\":\"%s\",\"name\":\"Standard\",\"price\":1000,\"quantity\":3}]}",
        event.type_texts[0]);
    struct answer answer = send(&node, "vendor-1", "PUT", path, match, body);
    check_problem(node.arena, &answer, 409, "conflict");
    answer = send(&node, "vendor-1", "PUT", path, match,
                  "{\"ticket_types\":[{\"name\":\"Other\",\"price\":1,\"quantity\":1}]}");
    check_problem(node.arena, &answer, 409, "conflict");
    (void)snprintf(
        body, sizeof(body),
        "{\"ticket_types\":[{\"id\":\"%s\",\"name\":\"Standard\",\"price\":1000,\"quantity\":5}]}",
        event.type_texts[0]);
    CHECK_I64(200, send(&node, "vendor-1", "PUT", path, match, body).status);
    CHECK_STR("1", booking_available(&node, node.arena, &event));
    CHECK_I64(1, booking_i64(&node, "SELECT sum(quantity) FROM stock_ledger"));
}

TEST(a_draft_vanishes_and_a_sold_event_is_cancelled)
{
    CLEANUP(booking_node_close) struct booking_node node;

    booking_node_open(&node, NULL);
    const struct answer draft =
        send(&node, "vendor-1", "POST", "/events", NULL, with(&node, "status", "\"draft\""));
    CHECK_I64(204, send(&node, "vendor-1", "DELETE", path_of(&node, &draft), NULL, NULL).status);
    CHECK_I64(404, send(&node, "vendor-1", "GET", path_of(&node, &draft), NULL, NULL).status);
    CHECK_I64(0, booking_i64(&node, "SELECT (SELECT count(*) FROM event_key) + (SELECT count(*) "
                                    "FROM event_document) + (SELECT count(*) FROM ticket_type)"));

    const struct known_event event = booking_add_simple(&node, 10, 1000);
    const char *path = arena_printf(node.arena, "/events/%s", event.id_text).ptr;
    CHECK_I64(201, booking_book(&node, node.arena, "customer-1", "k", &event, 1).status);
    const struct answer shown = send(&node, NULL, "GET", path, NULL, NULL);
    const str etag = answer_header(&shown, "etag");
    const char *match = arena_printf(node.arena, "If-Match: %.*s\r\n", STR_ARG(etag)).ptr;
    CHECK_I64(409, send(&node, "vendor-1", "PUT", path, match, "{\"status\":\"draft\"}").status);
    CHECK_I64(409, send(&node, "vendor-1", "PUT", path, match, "{\"currency\":\"USD\"}").status);
    CHECK_I64(202, send(&node, "vendor-1", "DELETE", path, NULL, NULL).status);
    CHECK_I64(409, send(&node, "vendor-1", "DELETE", path, NULL, NULL).status);
    CHECK_I64(409, booking_book(&node, node.arena, "customer-2", "k", &event, 1).status);
    CHECK_I64(1, booking_i64(&node, "SELECT count(*) FROM job WHERE kind = 'cancel_event_orders'"));
}
