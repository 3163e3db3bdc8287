/* booking/event_browse_test.c - answers that lie ready are the right ones: after changes, sales and
 * hours, for everybody. */
#include "services/booking/event_browse.h"

#include <stdio.h>

#include "base/time.h"
#include "services/booking/list_cache.h"
#include "services/booking/state.h"
#include "support/booking_node.h"
#include "support/test.h"

static struct answer get(struct booking_node *node, const char *who, const char *path,
                         const char *headers)
{
    const struct ask ask = {.who = who, .method = "GET", .path = path, .headers = headers};

    return booking_ask(node, node->arena, &ask);
}

static int64_t count(struct booking_node *node, const char *path)
{
    const struct answer answer = get(node, NULL, path, NULL);
    int64_t n = 0;

    CHECK_I64(200, answer.status);
    while (answer_at(node->arena, &answer,
                     arena_printf(node->arena, "/data/%lld/id", (long long)n).ptr)
               .ptr != NULL)
        n++;
    return n;
}

static str first(struct booking_node *node, const char *path)
{
    const struct answer answer = get(node, NULL, path, NULL);

    return answer_at(node->arena, &answer, "/data/0/id");
}

static const char *event_path(struct booking_node *node, const struct known_event *event)
{
    return arena_printf(node->arena, "/events/%s", event->id_text).ptr;
}

static void rename_event(struct booking_node *node, const struct known_event *event,
                         const char *name)
{
    const struct answer now = get(node, "vendor-1", event_path(node, event), NULL);
    const struct ask put = {
        .who = "vendor-1",
        .method = "PUT",
        .path = event_path(node, event),
        .headers =
            arena_printf(node->arena, "If-Match: %.*s\r\n", STR_ARG(answer_header(&now, "ETag")))
                .ptr,
        .body = arena_printf(node->arena, "{\"name\":\"%s\"}", name).ptr,
    };

    CHECK_I64(200, booking_ask(node, node->arena, &put).status);
}

TEST(a_change_is_in_each_answer_that_follows)
{
    static const char *const lists[] = {"/events", "/events?sort=price_asc", "/events?search=show",
                                        "/events?limit=1", "/events?type=concert"};
    CLEANUP(booking_node_close) struct booking_node node;

    booking_node_open(&node, NULL);
    const struct known_event event = booking_add_simple(&node, 10, 1000);
    for (int round = 0; round < 3; round++) {
        const char *name = arena_printf(node.arena, "show %d", round).ptr;

        rename_event(&node, &event, name);
        for (int again = 0; again < 2; again++) {
            struct answer answer = get(&node, NULL, event_path(&node, &event), NULL);
            CHECK_STR(name, answer_at(node.arena, &answer, "/name"));
            for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
                answer = get(&node, NULL, lists[i], NULL);
                CHECK_STR(name, answer_at(node.arena, &answer, "/data/0/name"));
            }
        }
    }
}

TEST(who_has_the_list_is_told_so_until_it_changes)
{
    CLEANUP(booking_node_close) struct booking_node node;

    booking_node_open(&node, NULL);
    const struct known_event event = booking_add_simple(&node, 10, 1000);
    struct answer answer = get(&node, NULL, "/events", NULL);
    const char *condition =
        arena_printf(node.arena, "If-None-Match: %.*s\r\n", STR_ARG(answer_header(&answer, "ETag")))
            .ptr;

    CHECK_STR("public, max-age=5, stale-while-revalidate=30",
              answer_header(&answer, "Cache-Control"));
    CHECK_STR("Accept-Encoding, Authorization", answer_header(&answer, "Vary"));
    answer = get(&node, NULL, "/events", condition);
    CHECK_I64(304, answer.status);
    answer = get(&node, "customer-1", "/events", condition);
    CHECK_I64(304, answer.status);
    CHECK_STR("private, no-cache", answer_header(&answer, "Cache-Control"));
    rename_event(&node, &event, "other");
    CHECK_I64(200, get(&node, NULL, "/events", condition).status);
}

TEST(what_has_ended_leaves_the_list_by_the_clock)
{
    CLEANUP(booking_node_close) struct booking_node node;

    booking_node_open(&node, NULL);
    const struct given_type type = {.name = "a", .price_minor = 100, .total = 10};
    for (int i = 1; i <= 3; i++) {
        const struct given_event given = {.vendor = 1,
                                          .status = EVENT_PUBLISHED,
                                          .starts_at_ms = BOOKING_NODE_START_MS + i * DAY_MS,
                                          .types = &type,
                                          .type_count = 1};
        (void)booking_add_event(&node, &given);
    }
    for (int64_t left = 3; left >= 0; left--) {
        CHECK_I64(left, count(&node, "/events"));
        CHECK_I64(left, count(&node, "/events?sort=date_desc"));
        CHECK_I64(left, count(&node, "/events?sort=price_asc"));
        CHECK_I64(3, count(&node, "/events?date_from=2026-01-01"));
        booking_node_advance(&node, DAY_MS);
        if (left == 3) /* they last for hours: the first has begun, and goes on */
            CHECK_I64(3, count(&node, "/events"));
        booking_node_advance(&node, left == 3 ? DAY_MS / 2 : 0);
    }
}

TEST(the_price_is_that_of_what_is_on_sale_by_the_clock)
{
    CLEANUP(booking_node_close) struct booking_node node;

    booking_node_open(&node, NULL);
    const struct given_type changing[] = {
        {.name = "early",
         .price_minor = 100,
         .total = 10,
         .sales_end_ms = BOOKING_NODE_START_MS + 5000  },
        {.name = "late",
         .price_minor = 900,
         .total = 10,
         .sales_start_ms = BOOKING_NODE_START_MS + 5000},
    };
    const struct given_type steady = {.name = "steady", .price_minor = 500, .total = 10};
    const struct given_event one = {
        .vendor = 1, .status = EVENT_PUBLISHED, .types = changing, .type_count = 2};
    const struct given_event other = {
        .vendor = 1, .status = EVENT_PUBLISHED, .types = &steady, .type_count = 1};
    const struct known_event early = booking_add_event(&node, &one);
    const struct known_event fixed = booking_add_event(&node, &other);

    CHECK_STR(early.id_text, first(&node, "/events?sort=price_asc"));
    CHECK_I64(1, count(&node, "/events?price_max=200"));
    booking_node_advance(&node, 4999);
    CHECK_STR(early.id_text, first(&node, "/events?sort=price_asc"));
    booking_node_advance(&node, 1);
    CHECK_STR(fixed.id_text, first(&node, "/events?sort=price_asc"));
    CHECK_I64(0, count(&node, "/events?price_max=200"));
}

TEST(what_is_sold_out_leaves_the_list_of_the_available)
{
    CLEANUP(booking_node_close) struct booking_node node;

    booking_node_open(&node, NULL);
    const struct known_event event = booking_add_simple(&node, 2, 1000);
    const struct known_event other = booking_add_simple(&node, 5, 1000);

    CHECK_I64(2, count(&node, "/events?available=true"));
    CHECK_I64(0, count(&node, "/events?available=false"));
    CHECK_I64(201, booking_book(&node, node.arena, "customer-1", "k1", &event, 2).status);
    CHECK_I64(1, count(&node, "/events?available=true"));
    CHECK_I64(1, count(&node, "/events?available=false"));
    CHECK_I64(2, count(&node, "/events"));
    CHECK_STR(event.id_text, first(&node, "/events?sort=popular"));
    CHECK_I64(201, booking_book(&node, node.arena, "customer-2", "k2", &other, 3).status);
    CHECK_STR(other.id_text, first(&node, "/events?sort=popular"));
    booking_node_advance(&node, INT64_C(3600000)); /* the holds have expired */
    CHECK_I64(2, count(&node, "/events?available=true"));
}

TEST(a_draft_is_its_vendors_alone_and_kept_by_nobody)
{
    CLEANUP(booking_node_close) struct booking_node node;
    const struct given_type type = {.name = "a", .price_minor = 100, .total = 10};
    const struct given_event given = {
        .vendor = 1, .status = EVENT_DRAFT, .types = &type, .type_count = 1};
    struct answer answer;

    booking_node_open(&node, NULL);
    const struct known_event draft = booking_add_event(&node, &given);
    answer = get(&node, "vendor-1", event_path(&node, &draft), NULL);
    CHECK_I64(200, answer.status);
    CHECK_STR("no-store", answer_header(&answer, "Cache-Control"));
    CHECK_I64(404, get(&node, NULL, event_path(&node, &draft), NULL).status);
    CHECK_I64(404, get(&node, "vendor-2", event_path(&node, &draft), NULL).status);

    answer = get(&node, "vendor-1", "/events?vendor=me", NULL);
    CHECK_STR(draft.id_text, answer_at(node.arena, &answer, "/data/0/id"));
    CHECK_STR("no-store", answer_header(&answer, "Cache-Control"));
    answer = get(&node, "vendor-2", "/events?vendor=me", NULL);
    CHECK(answer_at(node.arena, &answer, "/data/0/id").ptr == NULL);
    CHECK_I64(401, get(&node, NULL, "/events?vendor=me", NULL).status);
    CHECK_I64(0, count(&node, "/events"));
}

TEST(the_public_document_may_be_cached_and_who_is_signed_in_asks)
{
    CLEANUP(booking_node_close) struct booking_node node;
    struct answer answer;

    booking_node_open(&node, NULL);
    const struct known_event event = booking_add_simple(&node, 10, 1000);
    answer = get(&node, NULL, event_path(&node, &event), NULL);
    CHECK_STR("public, max-age=30, stale-while-revalidate=300, stale-if-error=600",
              answer_header(&answer, "Cache-Control"));
    CHECK_STR("Accept-Encoding, Authorization", answer_header(&answer, "Vary"));
    answer = get(&node, "vendor-1", event_path(&node, &event), NULL);
    CHECK_STR("private, no-cache", answer_header(&answer, "Cache-Control"));
}

TEST(a_refused_query_keeps_nothing)
{
    static const struct {
        const char *path;
        int status;
    } cases[] = {
        {"/events?limit=0",        422},
        {"/events?sort=best",      422},
        {"/events?no=1",           400},
        {"/events?cursor=AAAA",    400},
        {"/events?date_from=soon", 422},
        {"/events?vendor=x",       422},
    };
    CLEANUP(booking_node_close) struct booking_node node;

    booking_node_open(&node, NULL);
    const struct booking *booking = node.booking->state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (int again = 0; again < 2; again++)
            CHECK_I64(cases[i].status, get(&node, NULL, cases[i].path, NULL).status);
    CHECK_I64(0, (int64_t)list_cache_size(booking->lists));
}

TEST(equal_queries_share_an_answer)
{
    CLEANUP(booking_node_close) struct booking_node node;

    booking_node_open(&node, NULL);
    (void)booking_add_simple(&node, 10, 1000);
    const struct booking *booking = node.booking->state;
    CHECK_I64(1, count(&node, "/events?limit=20&type=concert"));
    const size_t size = list_cache_size(booking->lists);
    CHECK_I64(1, count(&node, "/events?type=concert"));
    CHECK_I64(1, count(&node, "/events?type=concert&limit=20"));
    CHECK_I64((int64_t)size, (int64_t)list_cache_size(booking->lists));
    CHECK_I64(0, count(&node, "/events?type=sports"));
    CHECK(list_cache_size(booking->lists) > size);
}
