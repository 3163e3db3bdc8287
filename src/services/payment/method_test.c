/* payment/method_test.c - vendors' payment methods over HTTP, and the events that take them. */
#include "services/payment/method.h"

#include <string.h>

#include "services/payment/pay_fixture.h"
#include "support/test.h"
#include "support/test_database.h"

#define CONFIG "{\"iban\":\"EG380019000500000000263180002\"}"

static struct answer send(struct office *office, const char *who, const char *method, str path,
                          const char *body)
{
    const struct ask ask = {
        .who = who, .method = method, .path = arena_cstr(office->arena, path), .body = body};

    return office_ask(office, &ask);
}

static str path_of(struct office *office, const char *before, str id, const char *after)
{
    return arena_printf(office->arena, "%s%.*s%s", before, STR_ARG(id), after);
}

static str make(struct office *office, const char *who, const char *type)
{
    const str body = arena_printf(
        office->arena, "{\"type\":\"%s\",\"label\":\"Ours\",\"config\":" CONFIG "}", type);
    const struct answer made = send(office, who, "POST", STR("/vendors/payment-methods"), body.ptr);

    check_status(201, &made);
    return answer_at(office->arena, &made, "/id");
}

static str event_of(struct office *office, const char *methods)
{
    const str booking = sale_event(office, 5000, methods);

    return str_slice(booking, strlen("{\"event_id\":\""), strlen("{\"event_id\":\"") + 30);
}

static struct answer show(struct office *office, str event)
{
    return send(office, NULL, "GET", path_of(office, "/events/", event, ""), NULL);
}

TEST(a_vendor_keeps_his_methods_to_himself)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str id = make(&office, "vendor-1", "bank_transfer");
    const str path = path_of(&office, "/vendors/payment-methods/", id, "");
    const struct answer own =
        send(&office, "vendor-1", "GET", STR("/vendors/payment-methods"), NULL);
    check_status(200, &own);
    CHECK_STR(arena_cstr(office.arena, id), answer_at(office.arena, &own, "/data/0/id"));
    CHECK_STR(CONFIG, answer_at(office.arena, &own, "/data/0/config"));
    CHECK_STR("Ours", answer_at(office.arena, &own, "/data/0/label"));
    CHECK_I64(0, sale_i64(&office, test_on_postgres()
                                       ? "SELECT count(*) FROM payment_method WHERE "
                                         "position(convert_to('EG38', 'UTF8') IN config) > 0"
                                       : "SELECT count(*) FROM payment_method WHERE "
                                         "instr(config, CAST('EG38' AS BLOB)) > 0")); /* sealed */

    const struct answer others =
        send(&office, "vendor-2", "GET", STR("/vendors/payment-methods"), NULL);
    CHECK_STR("[]", answer_at(office.arena, &others, "/data"));
    CHECK_I64(404, send(&office, "vendor-2", "PUT", path, "{\"label\":\"Mine\"}").status);
    CHECK_I64(404, send(&office, "vendor-2", "DELETE", path, NULL).status);
    CHECK_I64(403,
              send(&office, "customer-1", "POST", STR("/vendors/payment-methods"), "{").status);
    const struct answer whose =
        send(&office, "customer-1", "GET", STR("/vendors/payment-methods"), NULL);
    check_problem(office.arena, &whose, 422, "invalid_field");
    CHECK_I64(204, send(&office, "vendor-1", "DELETE", path, NULL).status);
    CHECK_I64(404, send(&office, "vendor-1", "DELETE", path, NULL).status);
}

TEST(a_change_keeps_what_it_does_not_name)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str path =
        path_of(&office, "/vendors/payment-methods/", make(&office, "vendor-1", "card"), "");
    struct answer changed = send(&office, "vendor-1", "PUT", path, "{\"label\":\"New\"}");
    check_status(200, &changed);
    CHECK_STR("New", answer_at(office.arena, &changed, "/label"));
    CHECK_STR(CONFIG, answer_at(office.arena, &changed, "/config"));
    changed = send(&office, "vendor-1", "PUT", path, "{\"config\":null}");
    CHECK_STR("New", answer_at(office.arena, &changed, "/label"));
    CHECK_STR(NULL, answer_at(office.arena, &changed, "/config"));
    changed = send(&office, "vendor-1", "PUT", path, "{\"type\":\"visa\"}");
    check_problem(office.arena, &changed, 422, "invalid_field");
}

TEST(an_event_takes_what_is_added_to_it)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str event = event_of(&office, "[{\"type\":\"card\"}]");
    const str path = path_of(&office, "/events/", event, "/payment-methods");
    const struct answer card =
        send(&office, "vendor-1", "POST", path, "{\"type\":\"card\",\"label\":\"Cards\"}");
    check_status(201, &card);
    const struct answer cash =
        send(&office, "vendor-1", "POST", path, "{\"type\":\"cash_on_arrival\"}");
    check_status(201, &cash);
    const struct answer shown = show(&office, event);
    CHECK_STR(arena_cstr(office.arena, answer_at(office.arena, &card, "/id")),
              answer_at(office.arena, &shown, "/payment_methods/0/payment_method_id"));
    CHECK_STR("Cards", answer_at(office.arena, &shown, "/payment_methods/0/label"));
    CHECK_STR("cash_on_arrival", answer_at(office.arena, &shown, "/payment_methods/1/type"));

    const struct answer second = send(&office, "vendor-1", "POST", path, "{\"type\":\"card\"}");
    check_problem(office.arena, &second, 409, "conflict");
    CHECK_I64(2, sale_i64(&office, "SELECT count(*) FROM payment_method"));
    CHECK_I64(404, send(&office, "vendor-2", "POST", path, "{").status);

    const struct answer seen =
        send(&office, "customer-1", "GET",
             path_of(&office, "/vendors/payment-methods?event_id=", event, ""), NULL);
    check_status(200, &seen);
    CHECK_STR("card", answer_at(office.arena, &seen, "/data/0/type"));
    CHECK_STR(NULL, answer_at(office.arena, &seen, "/data/0/config"));
}

TEST(events_show_a_changed_label)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str id = make(&office, "vendor-1", "bank_transfer");
    const str methods =
        arena_printf(office.arena, "[{\"payment_method_id\":\"%.*s\"}]", STR_ARG(id));
    const str event = event_of(&office, methods.ptr);
    struct answer shown = show(&office, event);
    CHECK_STR("Ours", answer_at(office.arena, &shown, "/payment_methods/0/label"));
    CHECK_I64(200,
              send(&office, "vendor-1", "PUT",
                   path_of(&office, "/vendors/payment-methods/", id, ""), "{\"label\":\"Theirs\"}")
                  .status);
    office_run_due(&office);
    shown = show(&office, event);
    CHECK_STR("Theirs", answer_at(office.arena, &shown, "/payment_methods/0/label"));
    CHECK_STR("bank_transfer", answer_at(office.arena, &shown, "/payment_methods/0/type"));

    /* A change of the event keeps them, and knows no foreign ones. */
    const str path = path_of(&office, "/events/", event, "");
    struct ask ask = {.who = "vendor-1",
                      .method = "PUT",
                      .path = arena_cstr(office.arena, path),
                      .headers = "If-Match: *\r\n",
                      .body = "{\"name\":\"Blues\"}"};
    const struct answer renamed = office_ask(&office, &ask);
    check_status(200, &renamed);
    CHECK_STR(arena_cstr(office.arena, id),
              answer_at(office.arena, &renamed, "/payment_methods/0/payment_method_id"));
    ask.body =
        arena_printf(office.arena, "{\"payment_methods\":[{\"payment_method_id\":\"%.*s\"}]}",
                     STR_ARG(make(&office, "vendor-2", "card")))
            .ptr;
    const struct answer foreign = office_ask(&office, &ask);
    check_problem(office.arena, &foreign, 422, "invalid_field");
}

TEST(a_method_that_an_order_needs_stays)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str id = make(&office, "vendor-1", "cash_on_arrival");
    const str path = path_of(&office, "/vendors/payment-methods/", id, "");
    const str methods = arena_printf(
        office.arena, "[{\"type\":\"card\"},{\"payment_method_id\":\"%.*s\"}]", STR_ARG(id));
    const str booking = sale_event(&office, 5000, methods.ptr);
    const str order = sale_book(&office, "customer-1", booking);
    const str rest = arena_printf(
        office.arena, "\"method\":\"cash_on_arrival\",\"payment_method_id\":\"%.*s\"", STR_ARG(id));
    CHECK_I64(200, sale_pay(&office, "a", order, rest.ptr).status);
    const struct answer needed = send(&office, "vendor-1", "DELETE", path, NULL);
    check_problem(office.arena, &needed, 409, "in_use");
    CHECK_I64(
        200, send(&office, "vendor-1", "POST", path_of(&office, "/orders/", order, "/settle"), NULL)
                 .status);
    CHECK_I64(204, send(&office, "vendor-1", "DELETE", path, NULL).status);
    const struct answer shown = sale_get(&office, "/orders/", order);
    CHECK(answer_at(office.arena, &shown, "/payment_methods/1").ptr == NULL);
    CHECK_STR("card", answer_at(office.arena, &shown, "/payment_methods/0/type"));
}

TEST(the_only_method_of_an_event_to_come_stays)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str id = make(&office, "vendor-1", "card");
    const str methods =
        arena_printf(office.arena, "[{\"payment_method_id\":\"%.*s\"}]", STR_ARG(id));
    (void)sale_event(&office, 5000, methods.ptr);
    const str path = path_of(&office, "/vendors/payment-methods/", id, "");
    const struct answer only = send(&office, "vendor-1", "DELETE", path, NULL);
    check_problem(office.arena, &only, 409, "in_use");
    office_advance(&office, INT64_C(40) * 86400000); /* it is over */
    CHECK_I64(204, send(&office, "vendor-1", "DELETE", path, NULL).status);
}

TEST(who_names_a_method_pays_with_that_one)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str id = make(&office, "vendor-1", "card");
    const str other = make(&office, "vendor-1", "card");
    const str methods =
        arena_printf(office.arena, "[{\"payment_method_id\":\"%.*s\"}]", STR_ARG(id));
    const str order = sale_book(&office, "customer-1", sale_event(&office, 5000, methods.ptr));
    const char *const wanted[] = {arena_cstr(office.arena, other), arena_cstr(office.arena, id)};
    static const int statuses[] = {422, 200};
    for (size_t i = 0; i < 2; i++) {
        const str rest = arena_printf(
            office.arena, "\"method\":\"card\",\"token\":\"tok_visa\",\"payment_method_id\":\"%s\"",
            wanted[i]);

        CHECK_I64(statuses[i], sale_pay(&office, wanted[i], order, rest.ptr).status);
    }
}
