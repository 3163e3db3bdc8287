/* booking/hold_price_test.c - fees and taxes from the event to the order, in currencies of 0, 2 and
 * 3 decimals. */

#include "services/booking/hold.h"

#include "support/booking_node.h"
#include "support/test.h"

/* If-Match */
static const char any_version[] = "If-Match: *\r\n";

static struct answer send(struct booking_node *node, const char *who, const char *method,
                          const char *path, const char *key, const char *if_match, str body)
{
    const struct ask ask = {.who = who,
                            .method = method,
                            .path = path,
                            .key = key,
                            .headers = if_match,
                            .body = body.ptr != NULL ? arena_cstr(node->arena, body) : NULL};

    return booking_ask(node, node->arena, &ask);
}

/* An event of one vendor with two types; `more` are members beside. */
static struct answer post_event(struct booking_node *node, const char *currency,
                                const char *price_0, const char *price_1, const char *more)
{
    const str body = arena_printf(
        node->arena,
        "{\"name\":\"Show\",\"type\":\"concert\",\"online\":true,\"timezone\":\"UTC\","
        "\"starts_at\":\"2027-06-05T20:00:00\",\"ends_at\":\"2027-06-05T23:00:00\","
        "\"currency\":\"%s\",\"ticket_types\":[{\"name\":\"A\",\"quantity\":50,\"price\":%s},"
        "{\"name\":\"B\",\"quantity\":50,\"price\":%s}],\"status\":\"published\"%s}",
        currency, price_0, price_1, more);

    return send(node, "vendor-1", "POST", "/events", NULL, NULL, body);
}

static const char *at(struct booking_node *node, const struct answer *answer, const char *pointer)
{
    return arena_cstr(node->arena, answer_at(node->arena, answer, pointer));
}

static struct answer book(struct booking_node *node, const struct answer *event, const char *key,
                          int quantity_0, int quantity_1)
{
    const str body =
        arena_printf(node->arena,
                     "{\"event_id\":\"%s\",\"items\":[{\"ticket_type_id\":\"%s\",\"quantity\":%d},"
                     "{\"ticket_type_id\":\"%s\",\"quantity\":%d}]}",
                     at(node, event, "/id"), at(node, event, "/ticket_types/0/id"), quantity_0,
                     at(node, event, "/ticket_types/1/id"), quantity_1);

    return send(node, "customer-1", "POST", "/tickets/book", key, NULL, body);
}

static void check_order(struct booking_node *node, const struct answer *answer, const char *below,
                        const int64_t expected[6])
{
    static const char *const members[6] = {"subtotal", "discount",     "fees",
                                           "tax",      "tax_included", "total"};

    for (int i = 0; i < 6; i++)
        CHECK_I64(expected[i],
                  answer_i64(node->arena, answer,
                             arena_printf(node->arena, "%s/%s/amount", below, members[i]).ptr));
}

struct priced {
    const char *currency;
    const char *prices[2];
    const char *more;
    int64_t all_in[2];
    int64_t order[6]; /* 3 of the first, 2 of the second */
    int64_t first[6];
};

static const struct priced priced[] = {
  /* The fee of 0.50 and 2.5 % on top; nothing taxed. */
    {"EUR", {"2500", "0"}, "",                                                                   {2613, 0},     {7500, 0, 339, 0, 0, 7839}, {7500, 0, 339, 0, 0, 7839}},
 /* The vendor bears it. */
    {"EUR",
     {"2500", "1000"},
     ",\"policies\":{\"fee_bearer\":\"vendor\"}",                                                {2500, 1000},
     {9500, 0, 0, 0, 0, 9500},
     {7500, 0, 0, 0, 0, 7500}                                                                                                                                         },
 /* 19 % in the prices: 95.00 has 15.17, of which 75.00 has 11.97 and 20.00 3.19: 11.98 by the
        * remainder. */
    {"EUR",
     {"2500", "1000"},
     ",\"policies\":{\"fee_bearer\":\"vendor\",\"tax\":{\"name\":\"VAT\",\"rate_ppm\":190000}}", {2500, 1000},
     {9500, 0, 0, 0, 1517, 9500},
     {7500, 0, 0, 0, 1198, 7500}                                                                                                                                      },
 /* New York: 8.875 % on top of each ticket. */
    {"USD",
     {"2500", "1000"},
     ",\"policies\":{\"tax\":{\"rate_ppm\":88750,\"on_top\":true,\"per\":\"ticket\"}}",          {2785, 1114},
     {9500, 0, 239, 844, 0, 10583},
     {7500, 0, 189, 666, 0, 8355}                                                                                                                                     },
 /* Yen have no decimals: 10 % rounded down, the fee of 80. */
    {"JPY",
     {"1205", "333"},
     ",\"policies\":{\"tax\":{\"rate_ppm\":100000,\"on_top\":true,\"rounding\":\"down\"}}",      {1435, 454},
     {4281, 0, 506, 428, 0, 5215},
     {3615, 0, 330, 361, 0, 4306}                                                                                                                                     },
 /* Dinars have three. */
    {"KWD",
     {"12505", "3001"},
     ",\"policies\":{\"tax\":{\"rate_ppm\":50000,\"rounding\":\"half_even\",\"per\":\"line\"}}", {12968, 3226},
     {43517, 0, 1839, 0, 2072, 45356},
     {37515, 0, 1389, 0, 1786, 38904}                                                                                                                                 },
};

static void check_priced(struct booking_node *node, const struct priced *is, const char *key)
{
    const struct answer event =
        post_event(node, is->currency, is->prices[0], is->prices[1], is->more);

    check_status(201, &event);
    for (int t = 0; t < 2; t++)
        CHECK_I64(is->all_in[t],
                  answer_i64(node->arena, &event,
                             arena_printf(node->arena, "/ticket_types/%d/all_in/amount", t).ptr));
    const struct answer first = book(node, &event, key, 3, 2);
    check_status(201, &first);
    check_order(node, &first, "/order", is->order);
    check_order(node, &first, "/order/items/0", is->first);
    const struct answer again = book(node, &event, key, 3, 2);
    CHECK_STR(arena_cstr(node->arena, first.body), again.body);
    const struct answer read =
        send(node, "customer-1", "GET",
             arena_printf(node->arena, "/orders/%s", at(node, &first, "/order/id")).ptr, NULL, NULL,
             STR_ABSENT);
    check_order(node, &read, "", is->order);
    check_order(node, &read, "/items/0", is->first);
}

TEST(an_order_says_what_it_costs)
{
    static const char *const settings[] = {"booking.fee_fixed=EUR:50 JPY:80 KWD:150",
                                           "booking.fee_basis_points=250", NULL};
    CLEANUP(booking_node_close) struct booking_node node;
    CLEANUP(call_done) struct call call = {0};
    str found = STR_ABSENT;

    booking_node_open(&node, settings);
    for (size_t i = 0; i < sizeof(priced) / sizeof(priced[0]); i++)
        check_priced(&node, &priced[i], arena_printf(node.arena, "key-%zu", i).ptr);
    booking_node_call(&node, &call);
    CHECK_OK(booking_audit(&call, &found));
}

TEST(lists_go_by_what_a_ticket_costs_in_all)
{
    static const char *const settings[] = {"booking.fee_fixed=EUR:50", NULL};
    CLEANUP(booking_node_close) struct booking_node node;

    booking_node_open(&node, settings);
    const struct answer event = post_event(&node, "EUR", "1000", "2000", "");
    check_status(201, &event);
    const struct answer dear =
        send(&node, NULL, "GET", "/events?price_min=1050&price_max=1050", NULL, NULL, STR_ABSENT);
    CHECK(answer_at(node.arena, &dear, "/data/0").ptr != NULL);
    const struct answer cheap =
        send(&node, NULL, "GET", "/events?price_max=1049", NULL, NULL, STR_ABSENT);
    CHECK(answer_at(node.arena, &cheap, "/data/0").ptr == NULL);
    const struct answer types =
        send(&node, NULL, "GET",
             arena_printf(node.arena, "/events/%s/tickets", at(&node, &event, "/id")).ptr, NULL,
             NULL, STR_ABSENT);
    CHECK_I64(1050, answer_i64(node.arena, &types, "/ticket_types/0/all_in/amount"));
    CHECK_I64(1000, answer_i64(node.arena, &types, "/ticket_types/0/price/amount"));
}

TEST(a_tax_is_merged_and_checked)
{
    static const struct {
        const char *body;
        int status;
        const char *pointer; /* of the error, or what has become of ... */
        int64_t rate_ppm;    /* ... the rate */
        const char *rounding;
    } cases[] = {
        {"{\"policies\":{\"tax\":{\"on_top\":true}}}",       422, "/policies/tax/rate_ppm", 0,      NULL     },
        {"{\"policies\":{\"tax\":{\"rate_ppm\":1000001}}}",  422, "/policies/tax/rate_ppm", 0,      NULL     },
        {"{\"policies\":{\"tax\":{\"rate_ppm\":190000}}}",   200, NULL,                     190000, "half_up"},
        {"{\"policies\":{\"tax\":{\"rounding\":\"down\"}}}", 200, NULL,                     190000, "down"   },
        {"{\"policies\":{\"tax\":{\"rate_ppm\":70000}}}",    200, NULL,                     70000,  "down"   },
        {"{\"policies\":{\"tax\":{\"rounding\":\"up\"}}}",   422, "/policies/tax/rounding", 0,      NULL     },
        {"{\"policies\":{\"fee_bearer\":\"me\"}}",           422, "/policies/fee_bearer",   0,      NULL     },
        {"{\"policies\":{\"fee_bearer\":null}}",             200, NULL,                     70000,  "down"   },
    };
    CLEANUP(booking_node_close) struct booking_node node;

    booking_node_open(&node, NULL);
    struct answer event = post_event(&node, "EUR", "1000", "2000", "");
    check_status(201, &event);
    const char *path = arena_printf(node.arena, "/events/%s", at(&node, &event, "/id")).ptr;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct answer answer =
            send(&node, "vendor-1", "PUT", path, NULL, any_version, str_of(cases[i].body));

        check_status(cases[i].status, &answer);
        if (cases[i].pointer != NULL)
            CHECK_STR(cases[i].pointer, answer_at(node.arena, &answer, "/errors/0/pointer"));
        else
            CHECK_I64(cases[i].rate_ppm, answer_i64(node.arena, &answer, "/policies/tax/rate_ppm"));
        if (cases[i].rounding != NULL)
            CHECK_STR(cases[i].rounding, answer_at(node.arena, &answer, "/policies/tax/rounding"));
    }
    /* One type by a rate of its own; without a tax there is nothing to replace. */
    const char *type =
        arena_printf(node.arena,
                     "\"ticket_types\":[{\"id\":\"%s\",\"name\":\"A\",\"quantity\":50,"
                     "\"price\":1000,\"tax_rate_ppm\":0}]",
                     at(&node, &event, "/ticket_types/0/id"))
            .ptr;
    event = send(&node, "vendor-1", "PUT", path, NULL, any_version,
                 arena_printf(node.arena, "{%s}", type));
    check_status(200, &event);
    CHECK_I64(0, answer_i64(node.arena, &event, "/ticket_types/0/tax_rate_ppm"));
    event = send(&node, "vendor-1", "PUT", path, NULL, any_version,
                 arena_printf(node.arena, "{\"policies\":{\"tax\":null},%s}", type));
    check_status(422, &event);
    CHECK_STR("/ticket_types/0/tax_rate_ppm", answer_at(node.arena, &event, "/errors/0/pointer"));
}

TEST(a_change_of_the_fee_is_a_change_of_the_event)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const struct price_platform none = {.fee_fixed = STR_ABSENT};
    const struct price_platform some = {.fee_fixed = STR("EUR:50")};
    struct ticket_type type = {.price = {.minor = 1000}, .tax_rate_ppm = JSON_NULL};
    struct event event = {.version = 7,
                          .currency = {"EUR"},
                          .ticket_types = &type,
                          .ticket_type_count = 1,
                          .policies = EVENT_POLICIES_STANDARD};

    event_set_prices(&none, &event);
    CHECK_I64(1000, type.all_in.minor);
    CHECK_STR("\"7\"", event_etag(arena, &event));
    event_set_prices(&some, &event);
    CHECK_I64(1050, type.all_in.minor);
    CHECK(!str_eq(event_etag(arena, &event), STR("\"7\"")));
}
