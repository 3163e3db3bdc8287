/* booking/search/suggest_test.c - GET /events/suggest: names, each once, of what is still to come. */
#include "services/booking/search/suggest.h"

#include "support/booking_node.h"
#include "support/test.h"

static struct answer suggest(struct booking_node *node, const char *query)
{
    const struct ask ask = {.method = "GET",
                            .path = arena_printf(node->arena, "/events/suggest%s", query).ptr};

    return booking_ask(node, node->arena, &ask);
}

/* "city:Berlin[[0,3]] event:Berlin Calls[[0,3]]" */
static const char *texts(struct booking_node *node, const char *query)
{
    const struct answer answer = suggest(node, query);
    struct buf out = buf_in(node->arena, 4096);

    CHECK_I64(200, answer.status);
    for (int i = 0; i < SUGGESTIONS_MAX; i++) {
        const char *at = arena_printf(node->arena, "/data/%d", i).ptr;
        const str kind =
            answer_at(node->arena, &answer, arena_printf(node->arena, "%s/kind", at).ptr);
        const str text =
            answer_at(node->arena, &answer, arena_printf(node->arena, "%s/text", at).ptr);
        const str ranges =
            answer_at(node->arena, &answer, arena_printf(node->arena, "%s/ranges", at).ptr);

        if (kind.ptr == NULL)
            break;
        buf_printf(&out, "%s%.*s:%.*s%.*s", i > 0 ? " " : "", STR_ARG(kind), STR_ARG(text),
                   STR_ARG(ranges));
    }
    return out.size > 0 ? buf_str(&out).ptr : "";
}

struct offer {
    const char *name;
    const char *day; /* from 20:00 to 22:00 UTC */
    const char *venue;
    const char *city;
    const char *artist;
    const char *status;
};

static void add(struct booking_node *node, const struct offer *offer)
{
    const str body = arena_printf(
        node->arena,
        "{\"name\":\"%s\",\"type\":\"concert\",\"starts_at\":\"%sT20:00:00Z\",\"ends_at\":\"%sT22:"
        "00:00Z\",\"timezone\":\"UTC\",\"venue\":{\"name\":\"%s\",\"city\":\"%s\",\"country\":"
        "\"X\"},"
        "\"artists\":[\"%s\"],\"currency\":\"EUR\",\"ticket_types\":[{\"name\":\"Standard\","
        "\"price\":1000,\"quantity\":5}],\"status\":\"%s\"}",
        offer->name, offer->day, offer->day, offer->venue, offer->city, offer->artist,
        offer->status);
    const struct ask ask = {
        .who = "vendor-1", .method = "POST", .path = "/events", .body = body.ptr};

    CHECK_I64(201, booking_ask(node, node->arena, &ask).status);
}

static void open_with_some(struct booking_node *node)
{
    static const struct offer offers[] = {
        {"Berlin Calls",             "2027-03-01", "Berghain",    "Berlin",         "Ellen A",         "published"},
        {"Jazz Night",               "2027-02-01", "Opera House", "Berlin",         "Nils Frahm",      "published"},
        {"Jazz Night",               "2027-01-01", "Opera House", "Berlin",         "Nils Frahm",      "published"},
        {"Jazz Nightmare",           "2027-01-05", "Docks",       "Zürich",        "Björk",          "published"},
        {"حفلة أم كلثوم", "2027-04-01", "Opera House", "القاهرة", "أحمد سعد", "published"},
        {"Xylofest",                 "2027-05-01", "Docks",       "Zürich",        "Björk",          "draft"    },
    };

    booking_node_open(node, NULL);
    for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++)
        add(node, &offers[i]);
}

TEST(names_are_completed_each_once_the_frequent_ones_first)
{
    static const struct {
        const char *query;
        const char *expected;
    } cases[] = {
        {"?q=ber",                      "city:Berlin[[0,3]] event:Berlin Calls[[0,3]] venue:Berghain[[0,3]]"          },
        {"?q=berl",                     "city:Berlin[[0,4]] event:Berlin Calls[[0,4]] venue:Berghain[[0,8]]"          },
        {"?q=berlin",                   "city:Berlin[[0,6]] event:Berlin Calls[[0,6]]"                                },
        {"?q=jazz%20ni",                "event:Jazz Night[[0,4],[5,2]] event:Jazz Nightmare[[0,4],[5,2]]"             },
        {"?q=night",                    "event:Jazz Night[[5,5]] event:Jazz Nightmare[[5,5]]"                         },
        {"?q=zur",                      "city:Zürich[[0,3]]"                                                         },
        {"?q=Z%C3%9CRI",                "city:Zürich[[0,4]]"                                                         },
        {"?q=bjork",                    "artist:Björk[[0,5]]"                                                        },
        {"?q=opera",                    "venue:Opera House[[0,5]] venue:Opera House[[0,5]]"                           },
        {"?q=opera&limit=1",            "venue:Opera House[[0,5]]"                                                    },
        {"?q=brelin",                   "city:Berlin[[0,6]] event:Berlin Calls[[0,6]]"                                },
        {"?q=bjrk",                     "artist:Björk[[0,5]]"                                                        },
        {"?q=bjk",                      ""                                                                            },
        {"?q=%D8%A7%D8%AD%D9%85%D8%AF", "artist:أحمد سعد[[0,4]]"                                               },
        {"?q=%D9%82%D8%A7%D9%87",       "city:القاهرة[[2,3]]"                                                  },
        {"?q=n",                        "event:Jazz Night[[5,1]] artist:Nils Frahm[[0,1]] event:Jazz Nightmare[[5,1]]"},
        {"?q=xylof",                    ""                                                                            },
        {"?q=standard",                 ""                                                                            },
        {"?q=%F0%9F%98%80",             ""                                                                            },
        {"?q=%20",                      ""                                                                            },
        {"?q=",                         ""                                                                            },
        {"?q=&limit=3",                 ""                                                                            },
        {"",                            ""                                                                            },
    };
    CLEANUP(booking_node_close) struct booking_node node;

    open_with_some(&node);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *got = texts(&node, cases[i].query);
        if (!str_eq(str_of(cases[i].expected), str_of(got)))
            print_error("suggest: %s\n", cases[i].query);
        CHECK_STR(cases[i].expected, str_of(got));
    }
}

TEST(a_suggestion_leads_to_what_is_next)
{
    CLEANUP(booking_node_close) struct booking_node node;

    open_with_some(&node);
    const struct answer night = suggest(&node, "?q=jazz%20night");
    CHECK_STR("jazz-night-2", answer_at(node.arena, &night, "/data/0/slug"));
    CHECK_STR("2", answer_at(node.arena, &night, "/data/0/events"));
    CHECK(str_starts(answer_at(node.arena, &night, "/data/0/id"), STR("evt_")));

    const struct answer opera = suggest(&node, "?q=opera");
    CHECK_STR("Berlin", answer_at(node.arena, &opera, "/data/0/city"));
    CHECK_STR("القاهرة", answer_at(node.arena, &opera, "/data/1/city"));
    CHECK(str_starts(answer_at(node.arena, &opera, "/data/0/id"), STR("ven_")));

    const struct answer artist = suggest(&node, "?q=bj%C3%B6rk");
    CHECK(str_starts(answer_at(node.arena, &artist, "/data/0/id"), STR("art_")));
    CHECK_STR("1", answer_at(node.arena, &artist, "/data/0/events"));
    CHECK(answer_at(node.arena, &artist, "/data/0/slug").ptr == NULL);
}

TEST(what_is_over_is_not_suggested)
{
    CLEANUP(booking_node_close) struct booking_node node;

    open_with_some(&node);
    /* The first night is over one instant after its end; the second is not. */
    const int64_t end_ms = INT64_C(1798840800000); /* 2027-01-01T22:00:00Z */
    booking_node_advance(&node, end_ms - 1 - BOOKING_NODE_START_MS);
    const struct answer before = suggest(&node, "?q=jazz%20night");
    CHECK_STR("2", answer_at(node.arena, &before, "/data/0/events"));
    booking_node_advance(&node, 1);
    const struct answer after = suggest(&node, "?q=jazz%20night");
    CHECK_STR("1", answer_at(node.arena, &after, "/data/0/events"));
    CHECK_STR("jazz-night", answer_at(node.arena, &after, "/data/0/slug"));
    CHECK_STR("artist:Nils Frahm[[0,4]]", str_of(texts(&node, "?q=nils")));
    booking_node_advance(&node, INT64_C(400) * 24 * 3600 * 1000);
    CHECK_STR("", str_of(texts(&node, "?q=jazz")));
}

TEST(a_change_is_suggested_and_what_was_before_is_not)
{
    CLEANUP(booking_node_close) struct booking_node node;

    open_with_some(&node);
    const struct answer calls = suggest(&node, "?q=calls");
    const str id = answer_at(node.arena, &calls, "/data/0/id");
    const char *path = arena_printf(node.arena, "/events/%.*s", STR_ARG(id)).ptr;
    const struct ask rename = {.who = "vendor-1",
                               .method = "PUT",
                               .path = path,
                               .headers = "If-Match: *\r\n",
                               .body =
                                   "{\"name\":\"Berlin Whispers\",\"artists\":[\"Nils Frahm\"]}"};
    CHECK_I64(200, booking_ask(&node, node.arena, &rename).status);
    CHECK_STR("", str_of(texts(&node, "?q=calls")));
    CHECK_STR("", str_of(texts(&node, "?q=ellen")));
    CHECK_STR("event:Berlin Whispers[[7,4]]", str_of(texts(&node, "?q=whis")));
    const struct answer nils = suggest(&node, "?q=nils");
    CHECK_STR("3", answer_at(node.arena, &nils, "/data/0/events"));

    const struct ask cancel = {
        .who = "vendor-1", .method = "DELETE", .path = path, .headers = "If-Match: *\r\n"};
    CHECK(booking_ask(&node, node.arena, &cancel).status < 300);
    CHECK_STR("", str_of(texts(&node, "?q=whis")));
    CHECK_STR("city:Berlin[[0,6]]", str_of(texts(&node, "?q=berlin")));
}

TEST(bad_questions_are_refused)
{
    static const struct {
        const char *query;
        int status;
    } cases[] = {
        {"?x=1",          400},
        {"?q=a&q=b",      422},
        {"?q=a&limit=",   422},
        {"?q=a&limit=0",  422},
        {"?q=a&limit=21", 422},
        {"?q=%ff",        400},
    };
    CLEANUP(booking_node_close) struct booking_node node;
    CLEANUP(buf_done) struct buf longest = buf_on_heap(4096);

    booking_node_open(&node, NULL);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_I64(cases[i].status, suggest(&node, cases[i].query).status);
    buf_add_cstr(&longest, "?q=");
    for (int i = 0; i < 200; i++)
        buf_add_cstr(&longest, "%C3%BC");
    CHECK_I64(200, suggest(&node, buf_str(&longest).ptr).status);
    buf_add_cstr(&longest, "u");
    CHECK_I64(422, suggest(&node, buf_str(&longest).ptr).status);
}
