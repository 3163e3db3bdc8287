/* payment/payee_test.c - who is told where to send the money for an order, and what. */
#include <string.h>

#include "services/payment/pay_fixture.h"
#include "support/test.h"

#define CONFIG                                                                               \
    "{\"iban\":\"EG380019000500000000263180002\",\"account_holder\":\"Nile \\\"Stage\\\"\"," \
    "\"bic\":\"\",\"bank\":7,\"api_secret\":\"hush\"}"

static struct answer ask(struct office *office, const char *who, const char *method, str path,
                         const char *body)
{
    const struct ask ask = {
        .who = who, .method = method, .path = arena_cstr(office->arena, path), .body = body};

    return office_ask(office, &ask);
}

static str transfer_path(struct office *office, str order)
{
    return arena_printf(office->arena, "/orders/%.*s/bank-transfer", STR_ARG(order));
}

/* An order of customer 1 for an event that takes these methods, promised by that one. */
static str promise(struct office *office, const char *methods, const char *method)
{
    const str order = sale_book(office, "customer-1", sale_event(office, 5000, methods));
    const str rest = arena_printf(office->arena, "\"method\":\"%s\"", method);

    CHECK_I64(200, sale_pay(office, arena_cstr(office->arena, order), order, rest.ptr).status);
    return order;
}

TEST(the_buyer_and_nobody_else_is_told_where_to_send_the_money)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const struct answer made = ask(&office, "vendor-1", "POST", STR("/vendors/payment-methods"),
                                   "{\"type\":\"bank_transfer\",\"config\":" CONFIG "}");
    check_status(201, &made);
    const str method = answer_at(office.arena, &made, "/id");
    const str order = promise(
        &office,
        arena_printf(office.arena, "[{\"payment_method_id\":\"%.*s\"}]", STR_ARG(method)).ptr,
        "bank_transfer");
    const str path = transfer_path(&office, order);
    const struct answer told = ask(&office, "customer-1", "GET", path, NULL);
    check_status(200, &told);
    CHECK_STR("no-store", answer_header(&told, "cache-control"));
    CHECK_STR("10000", answer_at(office.arena, &told, "/amount/amount"));
    CHECK_STR(arena_cstr(office.arena, order), answer_at(office.arena, &told, "/reference"));
    CHECK_STR("[{\"label\":\"Account holder\",\"value\":\"Nile \\\"Stage\\\"\"},"
              "{\"label\":\"IBAN\",\"value\":\"EG380019000500000000263180002\"}]",
              answer_at(office.arena, &told, "/account"));
    CHECK(memmem(told.body.ptr, told.body.size, "hush", 4) == NULL);
    CHECK_I64(401, ask(&office, NULL, "GET", path, NULL).status);
    CHECK_I64(404, ask(&office, "customer-2", "GET", path, NULL).status);
    CHECK_I64(404, ask(&office, "vendor-1", "GET", path, NULL).status);

    /* Once it has arrived, nothing is to be sent any more. */
    CHECK_I64(200, ask(&office, "vendor-1", "POST",
                       arena_printf(office.arena, "/orders/%.*s/settle", STR_ARG(order)), NULL)
                       .status);
    const struct answer paid = ask(&office, "customer-1", "GET", path, NULL);
    check_problem(office.arena, &paid, 409, "conflict");
}

TEST(without_an_account_there_is_still_a_reference)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str order = promise(
        &office, "[{\"type\":\"bank_transfer\"},{\"type\":\"cash_on_arrival\"}]", "bank_transfer");
    const struct answer told =
        ask(&office, "customer-1", "GET", transfer_path(&office, order), NULL);
    check_status(200, &told);
    CHECK_STR("[]", answer_at(office.arena, &told, "/account"));
    CHECK_STR(arena_cstr(office.arena, order), answer_at(office.arena, &told, "/reference"));

    const str cash = promise(&office, "[{\"type\":\"cash_on_arrival\"}]", "cash_on_arrival");
    const struct answer other =
        ask(&office, "customer-1", "GET", transfer_path(&office, cash), NULL);
    check_problem(office.arena, &other, 409, "conflict");
}
