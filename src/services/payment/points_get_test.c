/* payment/points_get_test.c - points over HTTP: earned with what is paid, taken back with what is
 * given back, and shown. */
#include "services/payment/points_get.h"

#include "services/payment/pay_fixture.h"
#include "services/payment/points_earn.h"
#include "services/payment/points_news.h"
#include "services/payment/points_vendor.h"
#include "support/test.h"

static struct answer send(struct office *office, const char *who, const char *method,
                          const char *path, const char *body)
{
    const str key = arena_printf(office->arena, "k-%zu", arena_used(office->arena));
    const struct ask ask = {
        .who = who, .method = method, .path = path, .key = key.ptr, .body = body};

    return office_ask(office, &ask);
}

static struct answer points(struct office *office)
{
    office_run_due(office);
    const struct answer answer = sale_get(office, "/loyalty-points", STR(""));

    check_status(200, &answer);
    return answer;
}

static int64_t points_i64(struct office *office, const char *pointer)
{
    const struct answer answer = points(office);

    return answer_i64(office->arena, &answer, pointer);
}

/* An order of customer 1 over 2 x 50.00, paid. */
static str paid(struct office *office)
{
    const str order = sale_held(office);
    const str key = arena_printf(office->arena, "pay-%zu", arena_used(office->arena));
    const struct answer answer = sale_pay_card(office, key.ptr, order, "tok_visa");

    check_status(200, &answer);
    return order;
}

static str ticket_of(struct office *office, str order, int index)
{
    const struct answer shown = sale_get(office, "/orders/", order);

    return answer_at(office->arena, &shown, arena_printf(office->arena, "/tickets/%d", index).ptr);
}

static void give_back(struct office *office, str ticket)
{
    const str path = arena_printf(office->arena, "/tickets/%.*s", STR_ARG(ticket));
    const struct answer answer = send(office, "customer-1", "DELETE", path.ptr, NULL);

    check_status(200, &answer);
}

TEST(who_has_bought_nothing_has_no_points)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const struct answer answer = points(&office);
    CHECK_I64(0, answer_i64(office.arena, &answer, "/balance"));
    CHECK_STR("member", answer_at(office.arena, &answer, "/tier"));
    CHECK_STR("silver", answer_at(office.arena, &answer, "/next_tier/name"));
    CHECK_I64(1000, answer_i64(office.arena, &answer, "/next_tier/missing"));
    CHECK_STR("[]", answer_at(office.arena, &answer, "/history"));
    CHECK_STR("discount", answer_at(office.arena, &answer, "/redeemable/0/kind"));
    CHECK_I64(100, answer_i64(office.arena, &answer, "/redeemable/0/minor_units"));
    CHECK_STR("false", answer_at(office.arena, &answer, "/redeemable/0/affordable"));
}

TEST(what_is_paid_earns_once_and_what_is_given_back_is_taken_back)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str held = sale_held(&office);
    CHECK_I64(0, points_i64(&office, "/balance"));
    CHECK_I64(200, sale_pay_card(&office, "a", held, "tok_visa").status);
    CHECK_I64(200, sale_pay_card(&office, "a", held, "tok_visa").status);
    CHECK_I64(100, points_i64(&office, "/balance"));
    give_back(&office, ticket_of(&office, held, 0));
    CHECK_I64(50, points_i64(&office, "/balance"));
    const struct answer answer = points(&office);
    CHECK_STR("taken_back", answer_at(office.arena, &answer, "/history/0/kind"));
    CHECK_I64(-50, answer_i64(office.arena, &answer, "/history/0/points"));
    CHECK_STR("earned", answer_at(office.arena, &answer, "/history/1/kind"));
    CHECK(str_eq(held, answer_at(office.arena, &answer, "/history/1/order_id")));
    CHECK_I64(50, answer_i64(office.arena, &answer, "/earned"));
    give_back(&office, ticket_of(&office, held, 1));
    CHECK_I64(0, points_i64(&office, "/balance"));
    CHECK_I64(0, points_i64(&office, "/earned"));
    sale_check_audit(&office);
}

TEST(cash_earns_when_it_is_there_and_as_much_as_it_was)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str order = sale_book(&office, "customer-1",
                                sale_event(&office, 5000, "[{\"type\":\"cash_on_arrival\"}]"));
    CHECK_I64(200, sale_pay(&office, "a", order, "\"method\":\"cash_on_arrival\"").status);
    CHECK_I64(0, points_i64(&office, "/balance"));
    give_back(&office, ticket_of(&office, order, 0));
    const str path = arena_printf(office.arena, "/orders/%.*s/settle", STR_ARG(order));
    CHECK_I64(200, send(&office, "vendor-1", "POST", path.ptr, NULL).status);
    CHECK_I64(50, points_i64(&office, "/balance"));
    sale_check_audit(&office);
}

TEST(points_end_by_the_clock_whether_or_not_the_chore_has_come)
{
    static const char *const settings[] = {"points.life_s=100", NULL};
    CLEANUP(office_close) struct office office;

    sale_open_with(&office, settings);
    (void)paid(&office);
    CHECK_I64(100, points_i64(&office, "/balance"));
    CHECK_I64(100, points_i64(&office, "/expiring/0/points"));
    clock_manual_advance(&office.clock, 100 * 1000);
    const struct answer before = sale_get(&office, "/loyalty-points", STR(""));
    CHECK_I64(0, answer_i64(office.arena, &before, "/balance"));
    CHECK_STR("[]", answer_at(office.arena, &before, "/expiring"));
    office_advance(&office, 3600 * 1000);
    const struct answer after = points(&office);
    CHECK_I64(0, answer_i64(office.arena, &after, "/balance"));
    CHECK_STR("expired", answer_at(office.arena, &after, "/history/0/kind"));
    CHECK_I64(-100, answer_i64(office.arena, &after, "/history/0/points"));
    sale_check_audit(&office);
}

TEST(a_tier_multiplies_what_comes_after_it_was_reached)
{
    static const char *const settings[] = {"points.tiers=a 0 100, b 100 150", NULL};
    CLEANUP(office_close) struct office office;

    sale_open_with(&office, settings);
    (void)paid(&office);
    CHECK_I64(100, points_i64(&office, "/balance"));
    CHECK_STR("b",
              answer_at(office.arena, &(struct answer){.body = points(&office).body}, "/tier"));
    (void)paid(&office);
    CHECK_I64(250, points_i64(&office, "/balance"));
    CHECK_I64(200, points_i64(&office, "/earned"));
    sale_check_audit(&office);
}

TEST(history_goes_on_where_it_ended)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    for (int i = 0; i < 3; i++)
        (void)paid(&office);
    office_run_due(&office);
    const struct answer first = sale_get(&office, "/loyalty-points?limit=2", STR(""));
    CHECK_STR("2", arena_printf(office.arena, "%d",
                                answer_at(office.arena, &first, "/history/2").ptr == NULL ? 2 : 3));
    const str cursor = answer_at(office.arena, &first, "/next_cursor");
    const struct answer second = sale_get(&office, "/loyalty-points?limit=2&cursor=", cursor);
    check_status(200, &second);
    CHECK_STR("earned", answer_at(office.arena, &second, "/history/0/kind"));
    CHECK(answer_at(office.arena, &second, "/history/1").ptr == NULL);
    CHECK_STR("null", answer_at(office.arena, &second, "/next_cursor"));
    const struct answer forged = sale_get(&office, "/loyalty-points?cursor=x", STR(""));
    check_problem(office.arena, &forged, 400, "malformed");
}

TEST(one_event_shows_what_its_tickets_cost_in_points)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const str order = paid(&office);
    const struct answer shown = sale_get(&office, "/orders/", order);
    const str event = answer_at(office.arena, &shown, "/event_id");
    office_run_due(&office);
    const struct answer answer = sale_get(&office, "/loyalty-points?event_id=", event);
    check_status(200, &answer);
    CHECK_STR("EGP", answer_at(office.arena, &answer, "/redeemable/0/discount/currency"));
    CHECK_STR("free_ticket", answer_at(office.arena, &answer, "/redeemable/5/kind"));
    CHECK_I64(5000, answer_i64(office.arena, &answer, "/redeemable/5/points"));
    CHECK_STR("Standard", answer_at(office.arena, &answer, "/redeemable/5/name"));
    const struct answer none =
        sale_get(&office, "/loyalty-points?event_id=evt_01h455vb4pex5vsknk084sn02q", STR(""));
    check_problem(office.arena, &none, 404, "not_found");
}

/* --- A vendor's rules --- */

static str loyalty_path(struct office *office, int vendor)
{
    return arena_printf(office->arena, "/vendors/%s/loyalty",
                        id_format("vnd", office_vendor(vendor)).text);
}

static void set_rules(struct office *office, const char *body)
{
    const struct answer answer = send(office, "vendor-1", "PUT", loyalty_path(office, 1).ptr, body);

    check_status(200, &answer);
}

TEST(a_vendors_rules_are_his_alone)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    const char *path = loyalty_path(&office, 1).ptr;
    const struct answer standard = send(&office, "vendor-1", "GET", path, NULL);
    check_status(200, &standard);
    CHECK_STR("confirmed", answer_at(office.arena, &standard, "/earn"));
    CHECK_STR("true", answer_at(office.arena, &standard, "/redeem"));
    const struct answer other = send(&office, "vendor-2", "PUT", path, "{\"redeem\":false}");
    check_problem(office.arena, &other, 404, "not_found");
    set_rules(&office, "{\"redeem\":false}");
    set_rules(&office, "{\"earn\":\"checkin\"}");
    const struct answer merged = send(&office, "admin-1", "GET", path, NULL);
    CHECK_STR("checkin", answer_at(office.arena, &merged, "/earn"));
    CHECK_STR("false", answer_at(office.arena, &merged, "/redeem"));
    const struct answer bad = send(&office, "vendor-1", "PUT", path,
                                   "{\"boosts\":[{\"percent\":200,\"from\":\"2026-12-02T00:00:00Z\""
                                   ",\"until\":\"2026-12-01T00:00:00Z\"}]}");
    check_problem(office.arena, &bad, 422, "invalid_field");
}

TEST(a_boost_counts_for_its_time)
{
    const event_id one = {{{1}}};
    const event_id other = {{{2}}};
    struct points_boost boosts[] = {
        {one,     JSON_NULL, JSON_NULL, 150},
        {{{{0}}}, 100,       200,       300},
    };
    const struct points_vendor vendor = {.boosts = boosts, .boost_count = 2};
    static const struct {
        bool is_one;
        int64_t at_ms, percent;
    } cases[] = {
        {true,  99,  150},
        {true,  100, 300},
        {true,  199, 300},
        {true,  200, 150},
        {false, 99,  100},
        {false, 100, 300},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_I64(cases[i].percent,
                  points_boost_at(&vendor, cases[i].is_one ? one : other, cases[i].at_ms));
}

TEST(a_boost_multiplies_what_orders_earn)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    set_rules(&office, "{\"boosts\":[{\"percent\":250,\"until\":\"2026-11-30T00:00:00Z\"}]}");
    (void)paid(&office);
    CHECK_I64(250, points_i64(&office, "/balance"));
    CHECK_I64(100, points_i64(&office, "/earned"));
    sale_check_audit(&office);
}

TEST(where_the_vendor_says_so_points_come_at_the_door)
{
    CLEANUP(office_close) struct office office;

    sale_open(&office);
    set_rules(&office, "{\"earn\":\"checkin\"}");
    const str order = paid(&office);
    CHECK_I64(0, points_i64(&office, "/balance"));
    CHECK_I64(100, points_i64(&office, "/pending"));
    const str ticket = ticket_of(&office, order, 0);
    const struct answer shown = sale_get(&office, "/tickets/", ticket);
    const str code = answer_at(office.arena, &shown, "/code");
    const str body = arena_printf(
        office.arena, "{\"code\":\"%.*s\",\"device_id\":\"d\",\"nonce\":\"1\"}", STR_ARG(code));
    for (int i = 0; i < 2; i++)
        CHECK_I64(200, send(&office, "vendor-1", "POST", "/checkin", body.ptr).status);
    CHECK_I64(50, points_i64(&office, "/balance"));
    CHECK_I64(50, points_i64(&office, "/pending"));
    give_back(&office, ticket_of(&office, order, 1));
    CHECK_I64(50, points_i64(&office, "/balance"));
    CHECK_I64(0, points_i64(&office, "/pending"));
    sale_check_audit(&office);
}
