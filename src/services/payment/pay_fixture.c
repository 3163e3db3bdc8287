/* payment/pay_fixture.c - see pay_fixture.h. */
#include "services/payment/pay_fixture.h"

#include <stdio.h>

#include "services/booking/booking.h"
#include "services/payment/payment.h"
#include "support/test.h"

static const struct service *const services[] = {&booking_service, &payment_service, NULL};

void sale_open_with(struct office *office, const char *const *settings)
{
    office_open(office, &(struct office_options){.services = services, .settings = settings});
    office_run_due(office); /* the chores have had their look at the start */
}

void sale_open(struct office *office)
{
    sale_open_with(office, NULL);
}

str sale_event(struct office *office, int price_minor, const char *methods)
{
    const str body = arena_printf(
        office->arena,
        "{\"name\":\"Jazz Night\",\"type\":\"concert\",\"description\":\"\",\"online\":true,"
        "\"starts_at\":\"2026-12-24T18:00:00Z\",\"ends_at\":\"2026-12-24T22:00:00Z\","
        "\"timezone\":\"UTC\",\"currency\":\"EGP\",\"ticket_types\":[{\"name\":\"Standard\","
        "\"price\":%d,\"quantity\":100}],\"payment_methods\":%s,\"status\":\"published\"}",
        price_minor, methods);
    const struct ask ask = {
        .who = "vendor-1", .method = "POST", .path = "/events", .body = body.ptr};
    const struct answer answer = office_ask(office, &ask);

    check_status(201, &answer);
    return arena_printf(
        office->arena,
        "{\"event_id\":\"%.*s\",\"items\":[{\"ticket_type_id\":\"%.*s\",\"quantity\":2}]}",
        STR_ARG(answer_at(office->arena, &answer, "/id")),
        STR_ARG(answer_at(office->arena, &answer, "/ticket_types/0/id")));
}

str sale_book(struct office *office, const char *who, str booking)
{
    const str key = arena_printf(office->arena, "book-%zu", arena_used(office->arena));
    const struct ask ask = {.who = who,
                            .method = "POST",
                            .path = "/tickets/book",
                            .key = key.ptr,
                            .body = arena_cstr(office->arena, booking)};
    const struct answer answer = office_ask(office, &ask);

    check_status(201, &answer);
    return answer_at(office->arena, &answer, "/order/id");
}

str sale_held(struct office *office)
{
    return sale_book(office, "customer-1", sale_event(office, 5000, "[{\"type\":\"card\"}]"));
}

struct ask sale_paying(struct office *office, const char *key, str order, const char *rest)
{
    const str body =
        arena_printf(office->arena, "{\"order_id\":\"%.*s\",%s}", STR_ARG(order), rest);

    return (struct ask){
        .who = "customer-1", .method = "POST", .path = "/payment", .key = key, .body = body.ptr};
}

struct answer sale_pay(struct office *office, const char *key, str order, const char *rest)
{
    const struct ask ask = sale_paying(office, key, order, rest);

    return office_ask(office, &ask);
}

struct answer sale_pay_card(struct office *office, const char *key, str order, const char *token)
{
    return sale_pay(office, key, order,
                    arena_printf(office->arena, "\"method\":\"card\",\"token\":\"%s\"", token).ptr);
}

struct answer sale_get(struct office *office, const char *path, str id)
{
    const str full = arena_printf(office->arena, "%s%.*s", path, STR_ARG(id));
    const struct ask ask = {.who = "customer-1", .method = "GET", .path = full.ptr};

    return office_ask(office, &ask);
}

int64_t sale_i64(struct office *office, const char *format, ...)
{
    char sql[1024];
    va_list args;

    va_start(args, format);
    const int size = vsnprintf(sql, sizeof(sql), format, args);
    va_end(args);
    CHECK(size > 0 && (size_t)size < sizeof(sql));
    return office_i64(office, "payment", sql);
}

void sale_check_audit(struct office *office)
{
    static const struct {
        const char *service;
        err (*audit)(struct call *call, str *ret_found);
    } audits[] = {
        {"booking", booking_audit},
        {"payment", payment_audit},
    };

    for (size_t i = 0; i < sizeof(audits) / sizeof(audits[0]); i++) {
        CLEANUP(call_done) struct call call = {0};
        str found = STR_ABSENT;

        office_call(office, audits[i].service, &call);
        const err e = audits[i].audit(&call, &found);
        if (e != ERR_OK)
            print_error("audit: %.*s\n", STR_ARG(found));
        CHECK_OK(e);
    }
}
