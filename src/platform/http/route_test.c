/* platform/http/route_test.c - which row serves which path, and what a {param} may catch. */

#include "platform/http/route_table.h"
#include "support/test.h"

static err never(struct req *req)
{
    (void)req;
    return ERR_INTERNAL;
}

#define ROW(method, path)                                                  \
    {                                                                      \
        METHOD_##method, path, never, AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP \
    }

static const struct route event_routes[] = {
    ROW(GET, "/events"),
    ROW(POST, "/events"),
    ROW(GET, "/events/{event}"),
    ROW(PUT, "/events/{event}"),
    ROW(DELETE, "/events/{event}"),
    ROW(GET, "/events/{event}/tickets"),
    ROW(HEAD, "/events/{event}/tickets"),
    ROW(GET, "/events/mine/drafts"),
};
static const struct route ticket_routes[] = {
    ROW(GET, "/tickets/{ticket}"),
    ROW(POST, "/tickets/book"),
    ROW(GET, "/tickets/{ticket}/qr.svg"),
    ROW(GET, "/tickets/{ticket}/{part}"),
    ROW(GET, "/"),
    ROW(GET, "/a/{b}/{c}/{d}/{e}"),
};
static const struct route_table event_table = ROUTE_TABLE(event_routes);
static const struct route_table ticket_table = ROUTE_TABLE(ticket_routes);
static const struct route_table *const first_tables[] = {&event_table, NULL};
static const struct route_table *const second_tables[] = {&ticket_table, NULL};
static const struct service first_service = {.name = "first", .routes = first_tables};
static const struct service second_service = {.name = "second", .routes = second_tables};

static struct node two_services(void)
{
    struct node node = {.instance_count = 2};

    node.instances[0] = (struct instance){.service = &first_service};
    node.instances[1] = (struct instance){.service = &second_service};
    return node;
}

TEST(the_most_literal_row_serves_a_path)
{
    static const struct {
        enum method method;
        const char *path;
        const char *served_by; /* NULL: none */
    } cases[] = {
        {METHOD_GET,   "/",                             "/"                       },
        {METHOD_GET,   "/events",                       "/events"                 },
        {METHOD_POST,  "/events",                       "/events"                 },
        {METHOD_GET,   "/events/evt_1",                 "/events/{event}"         },
        {METHOD_PUT,   "/events/evt_1",                 "/events/{event}"         },
        {METHOD_GET,   "/events/mine",                  "/events/{event}"         },
        {METHOD_GET,   "/events/mine/drafts",           "/events/mine/drafts"     },
        {METHOD_GET,   "/events/mine/tickets",          "/events/{event}/tickets" },
        {METHOD_HEAD,  "/events/x/tickets",             "/events/{event}/tickets" },
        {METHOD_HEAD,  "/events/x",                     "/events/{event}"         },
        {METHOD_POST,  "/tickets/book",                 "/tickets/book"           },
        {METHOD_GET,   "/tickets/tkt_1/qr.svg",         "/tickets/{ticket}/qr.svg"},
        {METHOD_GET,   "/tickets/tkt_1/qr.png",         "/tickets/{ticket}/{part}"},
        {METHOD_GET,   "/a/1/2/3/4",                    "/a/{b}/{c}/{d}/{e}"      },
        {METHOD_GET,   "/events/%20",                   "/events/{event}"         },
 /* another path than it looks like */
        {METHOD_GET,   "",                              NULL                      },
        {METHOD_GET,   "events",                        NULL                      },
        {METHOD_GET,   "/events/",                      NULL                      },
        {METHOD_GET,   "//events",                      NULL                      },
        {METHOD_GET,   "/events//tickets",              NULL                      },
        {METHOD_GET,   "/events/..",                    NULL                      },
        {METHOD_GET,   "/events/./tickets",             NULL                      },
        {METHOD_GET,   "/Events",                       NULL                      },
        {METHOD_GET,   "/%65vents",                     NULL                      },
        {METHOD_GET,   "/events/mine/drafts/x",         NULL                      },
        {METHOD_GET,   "/tickets",                      NULL                      },
        {METHOD_GET,   "/a/1/2/3/4/5/6/7/8/9/10/11/12", NULL                      },
        {METHOD_OTHER, "/nowhere",                      NULL                      },
    };
    const struct node node = two_services();
    struct arena *arena = arena_open(0);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct route *route = NULL;
        str allow = STR_ABSENT;
        const err e =
            route_find(&node, cases[i].method, str_of(cases[i].path), &route, &allow, arena);

        CHECK_ERR(cases[i].served_by != NULL ? ERR_OK : ERR_NOT_FOUND, e);
        if (cases[i].served_by != NULL)
            CHECK_STR(cases[i].served_by, str_of(route->path));
    }
    arena_close(arena);
}

TEST(a_path_names_the_methods_that_it_has)
{
    static const struct {
        enum method method;
        const char *path;
        const char *allow;
    } cases[] = {
        {METHOD_DELETE, "/events",           "GET, HEAD, POST"       },
        {METHOD_OTHER,  "/events/evt_1",     "DELETE, GET, HEAD, PUT"},
        {METHOD_POST,   "/events/x/tickets", "GET, HEAD"             },
        {METHOD_GET,    "/tickets/book",     "POST"                  },
        {METHOD_HEAD,   "/tickets/book",     "POST"                  },
        {METHOD_OTHER,  "/",                 "GET, HEAD"             },
    };
    const struct node node = two_services();
    struct arena *arena = arena_open(0);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct route *route = NULL;
        str allow = STR_ABSENT;

        CHECK_ERR(ERR_METHOD_NOT_ALLOWED,
                  route_find(&node, cases[i].method, str_of(cases[i].path), &route, &allow, arena));
        CHECK_STR(cases[i].allow, allow);
    }
    arena_close(arena);
}

TEST(a_row_that_cannot_be_served_stops_the_start)
{
    static const struct {
        struct route row;
        const char *why;
    } cases[] = {
        {ROW(GET,   "/events"),              "route GET /events is there twice"             },
        {ROW(GET,   "/events/{other_name}"), "route GET /events/{other_name} is there twice"},
        {ROW(GET,   "events"),               "route GET events is not a path"               },
        {ROW(GET,   "/events/"),             "route GET /events/ is not a path"             },
        {ROW(GET,   "/a//b"),                "route GET /a//b is not a path"                },
        {ROW(GET,   "/{a}/{b}/{c}/{d}/{e}"), "route GET /{a}/{b}/{c}/{d}/{e} is not a path" },
        {ROW(OTHER, "/x"),                   "route OTHER /x is not a path"                 },
    };
    struct arena *arena = arena_open(0);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct route_table table = {&cases[i].row, 1};
        const struct route_table *const tables[] = {&table, NULL};
        const struct service service = {.name = "third", .routes = tables};
        struct node node = two_services();
        struct route_table_index *index;
        str why = STR_ABSENT;

        node.instances[node.instance_count++] = (struct instance){.service = &service};
        CHECK_ERR(ERR_INVALID, routes_index(&node, NULL, arena, &index, &why));
        CHECK_STR(cases[i].why, why);
    }
    arena_close(arena);
}

TEST(a_segment_is_decoded_or_names_nothing)
{
    static const struct {
        const char *sent;
        const char *value; /* NULL: refused */
    } cases[] = {
        {"evt_1",     "evt_1"   },
        {"a%20b",     "a b"     },
        {"%C3%A4",    "\xc3\xa4"},
        {"%c3%a4",    "\xc3\xa4"},
        {"a+b",       "a+b"     },
        {"%",         NULL      },
        {"%2",        NULL      },
        {"a%2",       NULL      },
        {"%zz",       NULL      },
        {"%2F",       NULL      },
        {"a%2fb",     NULL      },
        {"%00",       NULL      },
        {"%C3",       NULL      },
        {"%ff",       NULL      },
        {"%C0%AF",    NULL      },
        {"%ED%A0%80", NULL      },
        {"%2e",       NULL      },
        {"%2E.",      NULL      },
    };
    struct arena *arena = arena_open(0);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        str value = STR_ABSENT;
        const err e = segment_decode(arena, str_of(cases[i].sent), &value);

        CHECK_ERR(cases[i].value != NULL ? ERR_OK : ERR_NOT_FOUND, e);
        if (cases[i].value != NULL)
            CHECK_STR(cases[i].value, value);
    }
    arena_close(arena);
}
