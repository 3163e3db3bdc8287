/* bench/sales_bench.c - what a vendor with a million tickets waits for his sales, and what posting,
 * chaining and the audit of them cost.
 *
 * One vendor, 100 events of 3 ticket types, 90 days, 3 tickets a payment, each tenth given back;
 * written as `boxoffice demo` writes, which is posting and chaining as in service, many in a commit.
 * Then GET /vendors/{vendor}/sales over HTTP by each grouping. The audit runs at half of it and at the end: twice as much may cost twice as long.
 *
 *     sales_bench [TICKETS]        in a directory below TMPDIR, which should be a real disk
 *     with_postgres --durable sales_bench ... */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/booking/booking.h"
#include "services/payment/payment.h"
#include "support/office.h"
#include "support/test.h"

enum { EVENTS = 100, TYPES = 3, DAYS = 90, EACH = 3, BATCH = 500, ASKED = 40, LIMIT_MS = 20 };

/* --- Sales --- */

struct bench {
    struct office office;
    int64_t sales; /* of EACH tickets */
    int64_t written;
    int64_t gross;
    struct booking_demo_sale batch[BATCH];
    struct booking_money_line lines[BATCH];
    struct booking_money_line back[BATCH];
};

static struct uuid numbered(uint8_t kind, int64_t n)
{
    struct uuid id = {.bytes = {kind}};

    for (int i = 0; i < 8; i++)
        id.bytes[8 + i] = (uint8_t)((uint64_t)n >> (56 - 8 * i));
    return id;
}

static void make_sale(struct bench *bench, size_t at, int64_t n)
{
    const int64_t event = n % EVENTS;
    const int64_t price = 1000 + n % 7 * 500;
    const bool returned = n % 10 == 0;
    const int64_t fee = price * EACH / 20;
    struct booking_money_line *line = &bench->lines[at];

    *line =
        (struct booking_money_line){.ticket_type = numbered(5, event * TYPES + n / EVENTS % TYPES),
                                    .quantity = EACH,
                                    .face_minor = EACH * price,
                                    .buyer_fee_minor = 99,
                                    .vendor_fee_minor = fee};
    bench->back[at] = (struct booking_money_line){
        .ticket_type = line->ticket_type, .quantity = 1, .face_minor = price};
    bench->batch[at] = (struct booking_demo_sale){
        .order = {numbered(1,            n)                     },
        .attempt = {numbered(2,            n)                     },
        .user = numbered(3, n % 5000),
        .event = {numbered(4,            event)                 },
        .vendor = office_vendor(1),
        .method = "card",
        .brand = "visa",
        .paid = DEMO_PAID,
        .amount = {EACH * price + 99,     {"EUR"}                },
        .refund = {returned ? numbered(6, n) : (struct uuid){{0}}},
        .refunded_minor = returned ? price : 0,
        .at_ms = OFFICE_START_MS + n * (DAYS * INT64_C(86400000)) / bench->sales,
        .timezone = STR("Europe/Berlin"),
        .lines = line,
        .line_count = 1,
        .refund_lines = &bench->back[at],
        .refund_line_count = returned ? 1 : 0,
    };
    bench->gross += EACH * price;
}

static double seconds(void)
{
    return (double)clock_stopwatch_ns() / 1e9;
}

static void write_until(struct bench *bench, int64_t until)
{
    const double began = seconds();
    const int64_t first = bench->written;

    while (bench->written < until) {
        CLEANUP(call_done) struct call call = {0};
        size_t count = 0;

        for (; count < BATCH && bench->written < until; count++)
            make_sale(bench, count, bench->written++);
        office_call(&bench->office, "payment", &call);
        CHECK_OK(payment_demo_write(&call, bench->batch, count));
    }
    const double took = seconds() - began;
    printf("  posted and chained %" PRId64 " payments in %.1f s: %.0f a second\n",
           bench->written - first, took, (double)(bench->written - first) / took);
}

static double audit(struct bench *bench)
{
    CLEANUP(call_done) struct call call = {0};
    str found = STR_ABSENT;
    const double began = seconds();

    office_call(&bench->office, "payment", &call);
    const err e = payment_audit(&call, &found);
    if (e != ERR_OK)
        (void)fprintf(stderr, "audit: %.*s\n", STR_ARG(found));
    CHECK_OK(e);
    printf("  audit of %" PRId64 " payments: %.2f s\n", bench->written, seconds() - began);
    return seconds() - began;
}

/* --- Asking --- */

static int compare_doubles(const void *a, const void *b)
{
    const double left = *(const double *)a;
    const double right = *(const double *)b;

    return left < right ? -1 : left > right;
}

static bool ask(struct bench *bench, const char *query)
{
    struct arena *arena = bench->office.arena;
    double took[ASKED];
    size_t size = 0;

    for (int i = 0; i < ASKED; i++) {
        const struct ask asked = {.who = "vendor-1",
                                  .method = "GET",
                                  .path =
                                      arena_printf(arena, "/vendors/%s/sales?%s",
                                                   id_format("vnd", office_vendor(1)).text, query)
                                          .ptr};
        const double began = seconds();
        const struct answer answer = office_ask(&bench->office, &asked);

        took[i] = (seconds() - began) * 1000;
        CHECK_I64(200, answer.status);
        size = answer.body.size;
        if (i == 0 && strchr(query, '&') == NULL)
            CHECK_I64(bench->gross, answer_i64(arena, &answer, "/totals/gross/amount"));
    }
    qsort(took, ASKED, sizeof(took[0]), compare_doubles);
    printf("  sales?%-48s p50 %5.1f ms, max %5.1f ms, %zu bytes\n", query, took[ASKED / 2],
           took[ASKED - 1], size);
    return took[ASKED / 2] < LIMIT_MS;
}

int main(int argc, char **argv)
{
    static const struct service *const services[] = {&payment_service, NULL};
    struct bench *bench = calloc(1, sizeof(*bench));
    int64_t tickets = 1000000;
    bool fast = true;

    if (bench == NULL || (argc > 1 && !str_to_i64(str_of(argv[1]), &tickets)))
        return 2;
    bench->sales = tickets / EACH;
    office_open(&bench->office, &(struct office_options){.services = services});
    printf("%" PRId64 " tickets of one vendor\n", tickets);
    write_until(bench, bench->sales / 2);
    const double half = audit(bench);
    write_until(bench, bench->sales);
    const double whole = audit(bench);
    fast &= ask(bench, "group_by=day");
    fast &= ask(bench, "group_by=event");
    fast &= ask(bench, "group_by=ticket_type");
    (void)ask(bench, "group_by=day&from=2026-12-01&to=2026-12-31");
    office_close(&bench->office);
    free(bench);
    printf("  limit: %d ms: %s; the audit of twice as much took %.1f times as long, limit 3: %s\n",
           LIMIT_MS, fast ? "kept" : "BROKEN", whole / half, whole / half < 3 ? "kept" : "BROKEN");
    return fast && whole / half < 3 ? 0 : 1;
}
