/* payment/sales_test.c - what vendors are told of their sales, held against sums by hand. */
#include "services/payment/sales.h"

#include <stdio.h>
#include <string.h>

#include "services/payment/ledger_seal.h"
#include "services/payment/pay_fixture.h"
#include "support/test.h"

enum { STEPS = 60, TICKETS_MAX = 200, TYPES = 2, DAYS_MAX = 64 };
#define DAY_LONG_MS INT64_C(86400000)

static const int64_t prices[TYPES] = {2500, 4001};

struct sums {
    int64_t gross;
    int64_t refunds;
    int64_t sold;
    int64_t refunded;
};

struct shop {
    struct office office;
    struct rng_seeded rng;
    str event;
    str types[TYPES];
    str tickets[TICKETS_MAX]; /* that were paid and not given back */
    int type_of[TICKETS_MAX];
    size_t ticket_count;
    struct sums by_type[TYPES];
    struct sums by_day[DAYS_MAX]; /* since the start */
    int day;
    int keys;
};

static const char *key_of(struct shop *shop)
{
    return arena_printf(shop->office.arena, "k-%d", shop->keys++).ptr;
}

static struct answer send(struct shop *shop, const char *who, const char *method, const char *path,
                          str body)
{
    const struct ask ask = {
        .who = who, .method = method, .path = path, .key = key_of(shop), .body = body.ptr};

    return office_ask(&shop->office, &ask);
}

static struct answer sales_of(struct shop *shop, const char *who, const char *query)
{
    struct arena *arena = shop->office.arena;
    const struct ask ask = {.who = who,
                            .method = "GET",
                            .path = arena_printf(arena, "/vendors/%s/sales%s",
                                                 id_format("vnd", office_vendor(1)).text, query)
                                        .ptr};

    return office_ask(&shop->office, &ask);
}

static void shop_open(struct shop *shop, const char *zone)
{
    *shop = (struct shop){0};
    sale_open(&shop->office);
    rng_seeded_init(&shop->rng, 20261125);
    struct arena *arena = shop->office.arena;
    const str body = arena_printf(
        arena,
        "{\"name\":\"Jazz Night\",\"type\":\"concert\",\"description\":\"\",\"online\":true,"
        "\"starts_at\":\"2027-12-24T18:00:00\",\"ends_at\":\"2027-12-24T22:00:00\","
        "\"timezone\":\"%s\",\"currency\":\"EGP\",\"ticket_types\":[{\"name\":\"Standard\","
        "\"price\":%d,\"quantity\":500},{\"name\":\"VIP\",\"price\":%d,\"quantity\":500}],"
        "\"payment_methods\":[{\"type\":\"card\"},{\"type\":\"cash_on_arrival\"}],\"status\":"
        "\"published\"}",
        zone, (int)prices[0], (int)prices[1]);
    const struct answer answer = send(shop, "vendor-1", "POST", "/events", body);

    check_status(201, &answer);
    shop->event = answer_at(arena, &answer, "/id");
    shop->types[0] = answer_at(arena, &answer, "/ticket_types/0/id");
    shop->types[1] = answer_at(arena, &answer, "/ticket_types/1/id");
}

static int below(struct shop *shop, int bound)
{
    return (int)rng_below(&shop->rng.rng, (uint64_t)bound);
}

static void count_sale(struct shop *shop, int type, int64_t quantity)
{
    struct sums *sums[] = {&shop->by_type[type], &shop->by_day[shop->day]};

    for (size_t i = 0; i < 2; i++) {
        sums[i]->gross += quantity * prices[type];
        sums[i]->sold += quantity;
    }
}

static void count_refund(struct shop *shop, int type)
{
    struct sums *sums[] = {&shop->by_type[type], &shop->by_day[shop->day]};

    for (size_t i = 0; i < 2; i++) {
        sums[i]->refunds += prices[type];
        sums[i]->refunded++;
    }
}

/* Pays, by card or by cash that staff takes; the answer's tickets. */
static void pay(struct shop *shop, str order, bool by_cash)
{
    struct arena *arena = shop->office.arena;
    const struct answer paid = sale_pay(&shop->office, key_of(shop), order,
                                        by_cash ? "\"method\":\"cash_on_arrival\""
                                                : "\"method\":\"card\",\"token\":\"tok_visa\"");

    check_status(200, &paid);
    if (by_cash) {
        const struct answer settled =
            send(shop, "vendor-1", "POST",
                 arena_printf(arena, "/orders/%.*s/settle", STR_ARG(order)).ptr, STR("{}"));
        check_status(200, &settled);
    }
}

static void buy(struct shop *shop, bool by_cash)
{
    struct arena *arena = shop->office.arena;
    const int type = below(shop, TYPES);
    const int quantity = 1 + below(shop, 3);
    const str order = sale_book(
        &shop->office, "customer-1",
        arena_printf(
            arena,
            "{\"event_id\":\"%.*s\",\"items\":[{\"ticket_type_id\":\"%.*s\",\"quantity\":%d}]}",
            STR_ARG(shop->event), STR_ARG(shop->types[type]), quantity));

    pay(shop, order, by_cash);
    count_sale(shop, type, quantity);
    const struct answer shown = sale_get(&shop->office, "/orders/", order);
    for (int i = 0; i < quantity && shop->ticket_count < TICKETS_MAX; i++) {
        shop->type_of[shop->ticket_count] = type;
        shop->tickets[shop->ticket_count++] =
            answer_at(arena, &shown, arena_printf(arena, "/tickets/%d", i).ptr);
    }
}

static void give_back(struct shop *shop)
{
    struct arena *arena = shop->office.arena;

    if (shop->ticket_count == 0)
        return;
    const size_t at = (size_t)below(shop, (int)shop->ticket_count);
    const struct answer back =
        send(shop, "customer-1", "POST", "/tickets/refund",
             arena_printf(arena, "{\"ticket_ids\":[\"%.*s\"]}", STR_ARG(shop->tickets[at])));
    check_status(200, &back);
    count_refund(shop, shop->type_of[at]);
    shop->tickets[at] = shop->tickets[--shop->ticket_count];
    shop->type_of[at] = shop->type_of[shop->ticket_count];
}

static void check_figures(struct shop *shop, const struct answer *answer, const char *at,
                          const struct sums *sums)
{
    struct arena *arena = shop->office.arena;
    const struct {
        const char *name;
        int64_t expected;
    } rows[] = {
        {"gross/amount",     sums->gross                },
        {"refunds/amount",   sums->refunds              },
        {"fees/amount",      0                          },
        {"net/amount",       sums->gross - sums->refunds},
        {"tickets_sold",     sums->sold                 },
        {"tickets_refunded", sums->refunded             },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_I64(rows[i].expected,
                  answer_i64(arena, answer, arena_printf(arena, "%s/%s", at, rows[i].name).ptr));
}

static struct sums total_of(const struct shop *shop)
{
    struct sums all = shop->by_type[0];

    all.gross += shop->by_type[1].gross;
    all.refunds += shop->by_type[1].refunds;
    all.sold += shop->by_type[1].sold;
    all.refunded += shop->by_type[1].refunded;
    return all;
}

static void check_by_type(struct shop *shop)
{
    struct arena *arena = shop->office.arena;
    const struct answer answer = sales_of(shop, "vendor-1", "?group_by=ticket_type");

    check_status(200, &answer);
    for (int i = 0; i < 2; i++) {
        const char *at = i == 0 ? "/series/0" : "/series/1";
        const str type =
            answer_at(arena, &answer, arena_printf(arena, "%s/ticket_type_id", at).ptr);

        check_figures(shop, &answer, at, &shop->by_type[str_eq(type, shop->types[0]) ? 0 : 1]);
    }
}

/* Every figure that is answered is the sum by hand, whatever has been chained by now. */
static void check_all(struct shop *shop)
{
    struct arena *arena = shop->office.arena;
    const struct answer answer = sales_of(shop, "vendor-1", "");
    const struct sums all = total_of(shop);
    int row = 0;

    check_status(200, &answer);
    CHECK_STR("EGP", answer_at(arena, &answer, "/currency"));
    CHECK_STR("EGP", answer_at(arena, &answer, "/currencies/0"));
    check_figures(shop, &answer, "/totals", &all);
    check_figures(shop, &answer, "/events/0", &all);
    for (int day = 0; day <= shop->day; day++)
        if (shop->by_day[day].sold + shop->by_day[day].refunded > 0)
            check_figures(shop, &answer, arena_printf(arena, "/series/%d", row++).ptr,
                          &shop->by_day[day]);
    CHECK(row > 0);
    check_by_type(shop);
}

TEST(sales_are_what_was_sold_and_given_back_to_the_cent)
{
    struct shop shop;

    shop_open(&shop, "UTC");
    buy(&shop, false);
    buy(&shop, true);
    for (int i = 0; i < STEPS; i++) {
        const int what = below(&shop, 10);

        if (what < 4)
            buy(&shop, what == 0);
        else if (what < 7)
            give_back(&shop);
        else if (what == 7 && shop.day < DAYS_MAX - 1) {
            office_advance(&shop.office, DAY_LONG_MS);
            shop.day++;
        }
        if (i % 10 == 9)
            check_all(&shop);
    }
    CHECK(shop.day > 0);
    check_all(&shop);
    office_advance(&shop.office, SEAL_EVERY_MS);
    CHECK_I64(0, sale_i64(&shop.office, "SELECT count(*) FROM ledger_pending"));
    check_all(&shop);
    CHECK_I64(0,
              sale_i64(&shop.office, "SELECT coalesce(sum(balance_minor), 0) FROM ledger_balance "
                                     "WHERE account = 9"));
    sale_check_audit(&shop.office);
    office_close(&shop.office);
}

TEST(days_are_those_of_the_events_zone_and_can_be_chosen)
{
    static const struct {
        const char *zone;
        const char *day;
        const char *before;
    } cases[] = {
        {"America/Los_Angeles", "2026-11-22", "2026-11-21"},
        {"UTC",                 "2026-11-23", "2026-11-22"},
        {"Pacific/Kiritimati",  "2026-11-23", "2026-11-22"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct shop shop;

        shop_open(&shop, cases[i].zone);
        struct arena *arena = shop.office.arena;
        buy(&shop, false);
        const struct answer all = sales_of(&shop, "vendor-1", "");
        CHECK_STR(cases[i].day, answer_at(arena, &all, "/series/0/day"));
        const struct answer within =
            sales_of(&shop, "vendor-1",
                     arena_printf(arena, "?from=%s&to=%s&event_id=%.*s", cases[i].day, cases[i].day,
                                  STR_ARG(shop.event))
                         .ptr);
        check_figures(&shop, &within, "/totals", &shop.by_day[0]);
        const struct answer earlier =
            sales_of(&shop, "vendor-1", arena_printf(arena, "?to=%s", cases[i].before).ptr);
        check_figures(&shop, &earlier, "/totals", &(struct sums){0});
        const struct answer other =
            sales_of(&shop, "vendor-1", "?event_id=evt_01h455vb4pex5vsknk084sn02q&group_by=event");
        check_figures(&shop, &other, "/totals", &(struct sums){0});
        office_close(&shop.office);
    }
}

TEST(sales_are_the_vendors_own_and_questions_are_checked)
{
    static const struct {
        const char *who;
        const char *query;
        int status;
        const char *code;
    } cases[] = {
        {"vendor-2",   "",                               404, "not_found"    },
        {"customer-1", "",                               403, "forbidden"    },
        {"vendor-1",   "?from=yesterday",                422, "invalid_field"},
        {"vendor-1",   "?to=2026-02-30",                 422, "invalid_field"},
        {"vendor-1",   "?from=2026-02-02&to=2026-02-01", 422, "invalid_field"},
        {"vendor-1",   "?currency=ZZZ",                  422, "invalid_field"},
        {"vendor-1",   "?group_by=week",                 422, "invalid_field"},
        {"vendor-1",   "?sort=x",                        400, "unknown_field"},
    };
    struct shop shop;

    shop_open(&shop, "UTC");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct answer answer = sales_of(&shop, cases[i].who, cases[i].query);

        check_problem(shop.office.arena, &answer, cases[i].status, cases[i].code);
    }
    const struct answer none = sales_of(&shop, "vendor-1", "?from=2026-11-23T10:00:00Z");
    check_status(200, &none);
    check_figures(&shop, &none, "/totals", &(struct sums){0});
    office_close(&shop.office);
}

TEST(sales_come_as_csv_where_that_is_accepted)
{
    struct shop shop;

    shop_open(&shop, "UTC");
    struct arena *arena = shop.office.arena;
    buy(&shop, false);
    give_back(&shop);
    const struct sums sums = shop.by_day[0];
    const struct ask ask = {
        .who = "vendor-1",
        .method = "GET",
        .path =
            arena_printf(arena, "/vendors/%s/sales", id_format("vnd", office_vendor(1)).text).ptr,
        .headers = "Accept: text/csv, application/json;q=0.5\r\n"};
    const struct answer answer = office_ask(&shop.office, &ask);
    check_status(200, &answer);
    CHECK_STR("text/csv; charset=utf-8", answer_header(&answer, "content-type"));
    const str expected =
        arena_printf(arena,
                     "day,currency,gross,fees,refunds,net,tickets_sold,tickets_refunded\r\n"
                     "2026-11-23,EGP,%lld,0,%lld,%lld,%lld,1\r\n",
                     (long long)sums.gross, (long long)sums.refunds,
                     (long long)(sums.gross - sums.refunds), (long long)sums.sold);
    CHECK(str_eq(expected, answer.body));
    office_close(&shop.office);
}
