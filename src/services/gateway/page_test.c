/* gateway/page_test.c - the pages as a browser reads them, whatever people have written into
 * them. */
#include "services/gateway/page.h"

#include <string.h>

#include "services/booking/booking.h"
#include "services/gateway/gateway.h"
#include "services/identity/identity.h"
#include "support/office.h"
#include "support/test.h"
#include "support/tool.h"

static const struct service *const services[] = {&identity_service, &booking_service,
                                                 &gateway_service, NULL};

static void open_office(struct office *office)
{
    office_open(office, &(struct office_options){.services = services});
}

/* --- Text --- */

TEST(text_stays_text_wherever_it_is_put)
{
    static const struct {
        const char *text;
        const char *html;
    } cases[] = {
        {"",                                    ""                                   },
        {"Jazz",                                "Jazz"                               },
        {"<b>",                                 "&lt;b&gt;"                          },
        {"a & b",                               "a &amp; b"                          },
        {"\"x\" onload='y'",                    "&quot;x&quot; onload=&#39;y&#39;"   },
        {"&lt;",                                "&amp;lt;"                           },
        {"\u0622\u0646\u0627 \xf0\x9f\x8e\xab", "\u0622\u0646\u0627 \xf0\x9f\x8e\xab"},
    };
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf html = buf_in(arena, 1024);

        page_add_text(&html, str_of(cases[i].text));
        CHECK_STR(cases[i].html, html.size > 0 ? buf_str(&html) : STR(""));
    }
    struct buf html = buf_in(arena, 1024);
    page_add_text(&html, STR_ABSENT);
    CHECK_I64(0, html.size);
}

/* --- Pages --- */

/* In JSON. */
#define HOSTILE "</title><script>alert(1)</script>\\\" onload=alert(2) x='&amp;<!--"

/* Puts an event on sale, all of whose texts are `text` (JSON); its slug. */
static str add_event(struct office *office, const char *text, const char *url)
{
    const str body = arena_printf(
        office->arena,
        "{\"name\":\"%s\",\"type\":\"concert\",\"description\":\"%s\",\"url\":\"%s\","
        "\"starts_at\":\"2026-12-24T18:00:00Z\",\"ends_at\":\"2026-12-24T22:00:00Z\","
        "\"timezone\":\"UTC\",\"venue\":{\"name\":\"%s\",\"city\":\"%s\",\"country\":\"%s\"},"
        "\"artists\":[\"%s\"],\"currency\":\"EGP\",\"ticket_types\":[{\"name\":\"%s\","
        "\"price\":5000,\"quantity\":10},{\"name\":\"None\",\"price\":0,\"quantity\":0}],"
        "\"payment_methods\":[{\"type\":\"card\"},{\"type\":\"cash_on_arrival\"}],"
        "\"status\":\"published\"}",
        text, text, url, text, text, text, text, text);
    const struct ask ask = {
        .who = "vendor-1", .method = "POST", .path = "/events", .body = body.ptr};
    const struct answer answer = office_ask(office, &ask);

    check_status(201, &answer);
    return answer_at(office->arena, &answer, "/slug");
}

static struct answer get(struct office *office, const char *path)
{
    const struct ask ask = {.method = "GET", .path = path};

    return office_ask(office, &ask);
}

/* What page_check.py makes of the page; the test fails if it finds fault with it. */
static str read_page(struct office *office, const char *path)
{
    const struct answer answer = get(office, path);

    check_status(200, &answer);
    CHECK_STR("text/html; charset=utf-8", answer_header(&answer, "Content-Type"));
    CHECK_STR("default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' blob:; "
              "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
              answer_header(&answer, "Content-Security-Policy"));
    CHECK_STR("nosniff", answer_header(&answer, "X-Content-Type-Options"));
    return tool_output(office->arena, "python3 %s/page_check.py %s", SUPPORT_DIR,
                       tool_file(office->arena, answer.body, "page.html"));
}

static bool says(str told, const char *line)
{
    str one = STR_ABSENT;

    while (str_split(&told, '\n', &one))
        if (str_eq(one, str_of(line)))
            return true;
    return false;
}

static bool contains(str told, const char *what)
{
    return memmem(told.ptr, told.size, what, strlen(what)) != NULL;
}

TEST(names_of_people_who_mean_harm_are_names)
{
    CLEANUP(office_close) struct office office;

    open_office(&office);
    const str slug = add_event(&office, HOSTILE, "https://example.org/?a=1&b=\\\"><script>");
    const str list = read_page(&office, "/");
    CHECK(contains(list,
                   "text \"</title><script>alert(1)</script>\\\" onload=alert(2) x='&amp;<!--\""));
    const str event = read_page(&office, arena_printf(office.arena, "/e/%.*s", STR_ARG(slug)).ptr);
    CHECK(contains(event, "title \"</title><script>alert(1)</script>"));
    CHECK(contains(event, "ld \"</title><script>alert(1)</script>"));
    CHECK(contains(event, "meta \"og:title\" \"</title><script>alert(1)</script>"));
    CHECK(contains(event, "link \"https://example.org/?a=1&b=\\\"><script>\""));
    CHECK(contains(event, "\"Tickets: </title><script>alert(1)</script>"));
}

TEST(a_search_is_shown_as_it_was_typed)
{
    CLEANUP(office_close) struct office office;

    open_office(&office);
    const str page = read_page(&office, "/?search=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E%27");
    CHECK(says(page, "input \"search\" \"\\\"><script>alert(1)</script>'\" \"Search\""));
    CHECK(says(page, "text \"Nothing was found. A shorter word may find more.\""));
    CHECK(says(read_page(&office, "/"), "text \"There are no events yet.\""));
    CHECK(says(read_page(&office, "/?order=%22%3E%3Cscript%3E"),
               "text \"Your tickets come by mail as soon as the payment is through.\""));
    /* What others append to a link is none of our business. */
    CHECK(says(read_page(&office, "/?utm_source=x&fbclid=%3Cscript%3E&search="),
               "text \"There are no events yet.\""));
}

TEST(an_event_can_be_found_and_bought_from)
{
    CLEANUP(office_close) struct office office;

    open_office(&office);
    const str slug = add_event(&office, "Nile Jazz", "https://example.org/jazz");
    const str path = arena_printf(office.arena, "/e/%.*s", STR_ARG(slug));
    const str list = read_page(&office, "/?search=nile");
    CHECK(
        contains(list, arena_printf(office.arena, "link \"%.*s\" \"Nile Jazz", STR_ARG(path)).ptr));
    CHECK(says(list, "text \"EGP 50.00\""));
    const str page = read_page(&office, path.ptr);
    CHECK(says(page, "title \"Nile Jazz\""));
    CHECK(says(page, "link \"https://example.org/jazz\" \"https://example.org/jazz\""));
    CHECK(contains(page, "\"0\" \"Tickets: Nile Jazz\""));
    CHECK(says(page, "text \"EGP 50.00\""));
    CHECK(says(page, "text \"Sold out\""));
    CHECK(says(page, "text \"Cash on arrival\""));
    CHECK(says(page, "text \"Visa (sandbox)\""));
    CHECK(says(page, "text \"Book\""));
    const struct answer raw = get(&office, path.ptr);
    CHECK(contains(raw.body, "data-event=\"evt_"));
    CHECK(contains(raw.body, "data-type=\"tt_"));
}

/* The API takes no such address, but a page trusts no row either. */
TEST(a_link_that_is_none_is_not_shown_as_one)
{
    static const char *const urls[] = {"javascript:alert(1)", "data:text/html,x", "//example.org",
                                       " https://example.org", "JAVASCRIPT:alert(1)"};
    CLEANUP(office_close) struct office office;

    open_office(&office);
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        const str slug = add_event(&office, "Jazz", "https://a.org");

        office_exec(&office, "booking",
                    arena_printf(office.arena,
                                 "UPDATE event_document SET url = '%s' WHERE slug = '%.*s'",
                                 urls[i], STR_ARG(slug))
                        .ptr);
        office_restart(&office);
        const str page =
            read_page(&office, arena_printf(office.arena, "/e/%.*s", STR_ARG(slug)).ptr);
        CHECK(!contains(page, urls[i]));
    }
}

TEST(the_list_goes_on_behind_a_link)
{
    CLEANUP(office_close) struct office office;
    str rest = STR_ABSENT;
    str line = STR_ABSENT;
    str next = STR_ABSENT;
    int shown = 0;

    open_office(&office);
    for (int i = 0; i < 23; i++)
        (void)add_event(&office, arena_printf(office.arena, "Jazz & Co %d", i).ptr,
                        "https://a.org");
    rest = read_page(&office, "/?search=jazz%20%26");
    while (str_split(&rest, '\n', &line)) {
        shown += str_starts(line, STR("link \"/e/"));
        if (str_starts(line, STR("link \"/?search=jazz%20%26&cursor=")))
            next = str_slice(line, 6, line.size - strlen("\" \"More events\""));
    }
    CHECK_I64(20, shown);
    CHECK(next.ptr != NULL);
    const str more = read_page(&office, arena_cstr(office.arena, next));
    CHECK(contains(more, "Jazz & Co"));
    CHECK(!contains(more, "More events"));
}

TEST(what_is_not_there_is_not_found)
{
    static const struct {
        const char *path;
        int status;
        const char *type;
    } cases[] = {
        {"/e/nothing",          404, "text/html; charset=utf-8"},
        {"/e/%3Cscript%3E",     404, "text/html; charset=utf-8"},
        {"/?cursor=nonsense",   400, "application/problem+json"},
        {"/?search=a&search=b", 422, "application/problem+json"},
    };
    CLEANUP(office_close) struct office office;

    open_office(&office);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct answer answer = get(&office, cases[i].path);

        if (answer.status != cases[i].status)
            print_error("%s\n", cases[i].path);
        check_status(cases[i].status, &answer);
        CHECK_STR(cases[i].type, answer_header(&answer, "Content-Type"));
        CHECK(!contains(answer.body, "<script>"));
    }
}

/* --- Assets --- */

TEST(assets_are_cached_by_what_they_are)
{
    static const struct {
        const char *path;
        const char *type;
    } cases[] = {
        {"/assets/page.css", "text/css; charset=utf-8"       },
        {"/assets/page.js",  "text/javascript; charset=utf-8"},
    };
    CLEANUP(office_close) struct office office;

    open_office(&office);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct answer answer = get(&office, cases[i].path);

        check_status(200, &answer);
        CHECK_STR(cases[i].type, answer_header(&answer, "Content-Type"));
        CHECK_STR("public, max-age=300", answer_header(&answer, "Cache-Control"));
        CHECK(answer.body.size > 1000);
        const str condition = arena_printf(office.arena, "If-None-Match: %.*s\r\n",
                                           STR_ARG(answer_header(&answer, "ETag")));
        const struct ask again = {.method = "GET", .path = cases[i].path, .headers = condition.ptr};
        CHECK_I64(304, office_ask(&office, &again).status);
    }
}

/* Whatever the API says is put into the page as text. */
TEST(the_script_writes_no_html)
{
    static const char *const ways[] = {"innerHTML",      "outerHTML", "insertAdjacentHTML",
                                       "document.write", "eval(",     "new Function"};
    CLEANUP(office_close) struct office office;

    open_office(&office);
    const struct answer script = get(&office, "/assets/page.js");
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        CHECK(!contains(script.body, ways[i]));
}
