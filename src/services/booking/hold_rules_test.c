/* booking/hold_rules_test.c - the rules of a hold by table: what may be booked, and for how
 * much. */

#include "services/booking/catalog.h"
#include "services/booking/hold.h"
#include "services/payment/payment.h"
#include "support/test.h"

#define NOW_MS  INT64_C(1795392000000)
#define HOUR_MS INT64_C(3600000)

struct bench {
    struct call call;
    struct uuid vendor;
    struct ticket_type types[3];
    struct event event;
};

static struct ticket_type type_of(uint8_t n, str name, int64_t price_minor)
{
    return (struct ticket_type){
        .id.uuid.bytes = {n                   },
        .name = name,
        .price = { .minor = price_minor, .currency = {"EGP"}},
        .total = 100,
        .max_per_order = JSON_NULL,
        .sales_start_ms = JSON_NULL,
        .sales_end_ms = JSON_NULL,
    };
}

static void bench_init(struct bench *bench)
{
    *bench = (struct bench){
        .call = {.arena = arena_open(0), .now_ms = NOW_MS},
        .vendor.bytes = {9                     },
    };
    bench->types[0] = type_of(3, STR("Standard"), 25000);
    bench->types[1] = type_of(2, STR("VIP"), 90000);
    bench->types[2] = type_of(1, STR("Free"), 0);
    bench->event = (struct event){
        .id.uuid.bytes = {7},
        .vendor = bench->vendor,
        .status = EVENT_PUBLISHED,
        .starts_at_ms = NOW_MS + HOUR_MS,
        .ends_at_ms = NOW_MS + 2 * HOUR_MS,
        .currency = {               "EGP"},
        .ticket_types = bench->types,
        .ticket_type_count = 3,
        .limits = { .per_order = 10, .per_user = JSON_NULL},
    };
    bench->call.caller = (struct caller){.role = ROLE_CUSTOMER, .user.bytes = {5}};
}

static void bench_done(struct bench *bench)
{
    arena_close(bench->call.arena);
}

static err price(struct bench *bench, struct hold_item *items, size_t count, struct order *order)
{
    const struct hold_request asked = {
        .event = bench->event.id, .items = items, .item_count = count};

    bench->call.problem = (struct problem){0};
    return hold_price(&bench->call, &asked, &bench->event, order);
}

static struct hold_item item_of(uint8_t type, int64_t quantity)
{
    return (struct hold_item){.type.uuid.bytes = {type}, .quantity = quantity};
}

TEST(a_hold_is_priced_and_its_items_sorted)
{
    struct hold_item items[] = {item_of(3, 2), item_of(1, 1), item_of(2, 3)};
    struct order order = {0};
    struct bench bench;

    bench_init(&bench);
    CHECK_OK(price(&bench, items, 3, &order));
    CHECK_I64(2 * 25000 + 3 * 90000, order.total.minor);
    CHECK_STR("EGP", str_of(order.total.currency.code));
    CHECK_I64(3, (int64_t)order.item_count);
    for (size_t i = 0; i < 3; i++)
        CHECK_I64((int64_t)i + 1, order.items[i].type.uuid.bytes[0]);
    CHECK_I64(0, order.items[0].unit_price_minor);
    CHECK_I64(90000, order.items[1].unit_price_minor);
    CHECK_I64(6, order_ticket_quantity(&order));
    bench_done(&bench);
}

TEST(a_hold_is_refused_with_the_rule_that_it_breaks)
{
    static const struct {
        const char *what;
        enum event_status status;
        int64_t ends_in_ms;
        int64_t per_order;
        int64_t max_per_order;
        int64_t sales_start_in_ms;
        int64_t sales_end_in_ms;
        int64_t price_minor;
        int64_t quantity;
        err expected;
        uint8_t type;
    } cases[] = {
        {"fine",            EVENT_PUBLISHED, HOUR_MS, 10,                       0, 0,  0,  1,               10, ERR_OK,             3 },
        {"draft",           EVENT_DRAFT,     HOUR_MS, 10,                       0, 0,  0,  1,               1,  ERR_NOT_FOUND,      3 },
        {"cancelled",       EVENT_CANCELLED, HOUR_MS, 10,                       0, 0,  0,  1,               1,  ERR_NOT_ON_SALE,    3 },
        {"over",            EVENT_PUBLISHED, 0,       10,                       0, 0,  0,  1,               1,  ERR_NOT_ON_SALE,    3 },
        {"about to end",    EVENT_PUBLISHED, 1,       10,                       0, 0,  0,  1,               1,  ERR_OK,             3 },
        {"not begun",       EVENT_PUBLISHED, HOUR_MS, 10,                       0, 1,  0,  1,               1,  ERR_NOT_ON_SALE,    3 },
        {"just begun",      EVENT_PUBLISHED, HOUR_MS, 10,                       0, -1, 0,  1,               1,  ERR_OK,             3 },
        {"closed",          EVENT_PUBLISHED, HOUR_MS, 10,                       0, 0,  -1, 1,               1,  ERR_NOT_ON_SALE,    3 },
        {"still open",      EVENT_PUBLISHED, HOUR_MS, 10,                       0, 0,  1,  1,               1,  ERR_OK,             3 },
        {"no such type",    EVENT_PUBLISHED, HOUR_MS, 10,                       0, 0,  0,  1,               1,  ERR_INVALID,        99},
        {"per order",       EVENT_PUBLISHED, HOUR_MS, 10,                       0, 0,  0,  1,               11, ERR_LIMIT_EXCEEDED, 3 },
        {"of the type",     EVENT_PUBLISHED, HOUR_MS, 10,                       4, 0,  0,  1,               5,  ERR_LIMIT_EXCEEDED, 3 },
        {"all of the type", EVENT_PUBLISHED, HOUR_MS, 10,                       4, 0,  0,  1,               4,  ERR_OK,             3 },
        {"10^12",           EVENT_PUBLISHED, HOUR_MS, 10,                       0, 0,  0,  MONEY_MINOR_MAX, 1,  ERR_OK,             3 },
        {"above 10^12",     EVENT_PUBLISHED, HOUR_MS, 10,                       0, 0,  0,  MONEY_MINOR_MAX, 2,  ERR_INVALID,        3 },
        {"above 2^63",      EVENT_PUBLISHED, HOUR_MS, TICKET_TYPE_QUANTITY_MAX, 0, 0,  0,  INT64_MAX / 2,
         TICKET_TYPE_QUANTITY_MAX,                                                                              ERR_INVALID,        3 },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hold_item item = item_of(cases[i].type, cases[i].quantity);
        struct order order = {0};
        struct bench bench;
        err e;

        bench_init(&bench);
        bench.event.status = (int)cases[i].status;
        bench.event.ends_at_ms = NOW_MS + cases[i].ends_in_ms;
        bench.event.limits.per_order = cases[i].per_order;
        bench.types[0].price.minor = cases[i].price_minor;
        if (cases[i].max_per_order != 0)
            bench.types[0].max_per_order = cases[i].max_per_order;
        if (cases[i].sales_start_in_ms != 0)
            bench.types[0].sales_start_ms = NOW_MS + cases[i].sales_start_in_ms;
        if (cases[i].sales_end_in_ms != 0)
            bench.types[0].sales_end_ms = NOW_MS + cases[i].sales_end_in_ms;
        e = price(&bench, &item, 1, &order);
        if (e != cases[i].expected)
            print_error("case \"%s\":\n", cases[i].what);
        CHECK_ERR(cases[i].expected, e);
        if (e != ERR_OK)
            CHECK(bench.call.problem.detail.size > 0 || bench.call.problem.errors.count > 0);
        bench_done(&bench);
    }
}

TEST(a_limit_is_named)
{
    struct hold_item items[] = {item_of(3, 11)};
    struct order order = {0};
    struct bench bench;

    bench_init(&bench);
    CHECK_ERR(ERR_LIMIT_EXCEEDED, price(&bench, items, 1, &order));
    CHECK_STR("An order takes at most 10 tickets (limits.per_order).", bench.call.problem.detail);
    bench.types[0].max_per_order = 2;
    CHECK_ERR(ERR_LIMIT_EXCEEDED, price(&bench, items, 1, &order));
    CHECK_STR("An order takes at most 2 of \"Standard\" (max_per_order).",
              bench.call.problem.detail);
    bench_done(&bench);
}

TEST(a_draft_is_known_to_who_sells_it)
{
    static const struct {
        enum role role;
        uint8_t vendor;
        err expected;
    } cases[] = {
        {ROLE_CUSTOMER, 0, ERR_NOT_FOUND  },
        {ROLE_VENDOR,   8, ERR_NOT_FOUND  },
        {ROLE_VENDOR,   9, ERR_NOT_ON_SALE},
        {ROLE_ADMIN,    0, ERR_NOT_ON_SALE},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hold_item item = item_of(3, 1);
        struct order order = {0};
        struct bench bench;

        bench_init(&bench);
        bench.event.status = EVENT_DRAFT;
        bench.call.caller.role = cases[i].role;
        bench.call.caller.vendor.bytes[0] = cases[i].vendor;
        CHECK_ERR(cases[i].expected, price(&bench, &item, 1, &order));
        bench_done(&bench);
    }
}

TEST(no_event_is_not_found)
{
    struct hold_item item = item_of(3, 1);
    const struct hold_request asked = {.items = &item, .item_count = 1};
    struct order order = {0};
    struct bench bench;

    bench_init(&bench);
    CHECK_ERR(ERR_NOT_FOUND, hold_price(&bench.call, &asked, NULL, &order));
    bench_done(&bench);
}

TEST(what_an_event_does_not_offer_is_an_invalid_field)
{
    struct hold_attendee people[] = {
        {.name = STR("Ana"),       .email = STR("ana@example.com")},
        {.name = STR("Bob"),                        .email = STR("nowhere")},
        {.name = STR("Cid")}
    };
    struct hold_item plain[] = {item_of(1, 2), item_of(2, 1)};
    struct hold_item twice[] = {item_of(1, 2), item_of(1, 1)};
    struct hold_item seated[] = {item_of(1, 2)};
    struct redeem no_points = {.kind = REDEEM_DISCOUNT, .points = JSON_NULL};
    struct redeem priced = {.kind = REDEEM_FREE_TICKET, .points = 5, .type = plain[0].type};
    struct redeem elsewhere = {.kind = REDEEM_FREE_TICKET, .points = JSON_NULL, .type = {{{9}}}};
    struct redeem discount = {.kind = REDEEM_DISCOUNT, .points = 5};
    const struct {
        const char *pointer; /* NULL: nothing is wrong */
        struct hold_request asked;
    } cases[] = {
        {NULL,                      {.items = plain, .item_count = 2}                                          },
        {NULL,                      {.items = plain, .item_count = 2, .attendees = people, .attendee_count = 1}},
        {"/items/1/ticket_type_id", {.items = twice, .item_count = 2}                                          },
        {"/items/0/seats",          {.items = seated, .item_count = 1}                                         },
        {"/code",                   {.items = plain, .item_count = 2, .code = STR("EARLY")}                    },
        {"/redeem/points",          {.items = plain, .item_count = 2, .redeem = &no_points}                    },
        {"/redeem/points",          {.items = plain, .item_count = 2, .redeem = &priced}                       },
        {"/redeem/ticket_type_id",  {.items = plain, .item_count = 2, .redeem = &elsewhere}                    },
        {NULL,                      {.items = plain, .item_count = 2, .redeem = &discount}                     },
        {"/attendees/1/email",
         {.items = plain, .item_count = 2, .attendees = people, .attendee_count = 3}                           },
        {"/attendees",              {.items = plain, .item_count = 1, .attendees = people, .attendee_count = 3}},
    };

    seated[0].seats = STR("[\"A1\"]");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bench bench;

        bench_init(&bench);
        if (cases[i].pointer == NULL) {
            CHECK_OK(hold_check(&bench.call, &cases[i].asked));
        } else {
            CHECK_ERR(ERR_INVALID, hold_check(&bench.call, &cases[i].asked));
            CHECK_STR(cases[i].pointer, bench.call.problem.errors.items[0].pointer);
        }
        bench_done(&bench);
    }
}
