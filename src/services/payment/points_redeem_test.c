/* payment/points_redeem_test.c - orders that are paid with points, with the real booking: whatever
 * becomes of them, the points are spent once, or back. */
#include "services/payment/points_redeem.h"

#include "services/payment/pay_fixture.h"
#include "support/json_at.h"
#include "support/test.h"

/* Customer 1 has 1000 points, of two tickets for 500.00, and there is an event for 50.00. */
struct shop {
    struct office office;
    str event;
    str type;
};

static struct answer send(struct office *office, const char *method, const char *path,
                          const char *key, const char *body)
{
    const struct ask ask = {
        .who = "customer-1", .method = method, .path = path, .key = key, .body = body};

    return office_ask(office, &ask);
}

static void shop_open_with(struct shop *shop, const char *methods)
{
    /* One tier: what is earned is what was paid, by hundreds. */
    static const char *const settings[] = {"points.tiers=one 0 100", NULL};
    struct office *office = &shop->office;

    sale_open_with(office, settings);
    const str earns = sale_event(office, 50000, "[{\"type\":\"card\"}]");
    const str order = sale_book(office, "customer-1", earns);
    CHECK_I64(200, sale_pay_card(office, "first", order, "tok_visa").status);
    office_run_due(office);
    const str booking = sale_event(office, 5000, methods);
    shop->event = json_at(office->arena, booking, "/event_id");
    shop->type = json_at(office->arena, booking, "/items/0/ticket_type_id");
}

static void shop_open(struct shop *shop)
{
    shop_open_with(shop, "[{\"type\":\"card\"}]");
}

static void shop_close(struct shop *shop)
{
    office_close(&shop->office);
}

static const char *booking_of_two(struct shop *shop, const char *redeem)
{
    const str body = arena_printf(shop->office.arena,
                                  "{\"event_id\":\"%.*s\",\"items\":[{\"ticket_type_id\":\"%.*s\","
                                  "\"quantity\":2}],\"redeem\":%s}",
                                  STR_ARG(shop->event), STR_ARG(shop->type), redeem);

    return body.ptr;
}

static struct answer book(struct shop *shop, const char *key, const char *redeem)
{
    return send(&shop->office, "POST", "/tickets/book", key, booking_of_two(shop, redeem));
}

static int64_t points_of(struct shop *shop, const char *pointer)
{
    office_run_due(&shop->office);
    const struct answer answer = sale_get(&shop->office, "/loyalty-points", STR(""));

    check_status(200, &answer);
    return answer_i64(shop->office.arena, &answer, pointer);
}

static void check_points(struct shop *shop, int64_t balance, int64_t reserved)
{
    CHECK_I64(balance, points_of(shop, "/balance"));
    CHECK_I64(reserved, points_of(shop, "/reserved"));
    sale_check_audit(&shop->office);
}

static str order_of(struct shop *shop, const struct answer *held)
{
    check_status(201, held);
    return answer_at(shop->office.arena, held, "/order/id");
}

static str ticket_of(struct shop *shop, str order, int index)
{
    const struct answer shown = sale_get(&shop->office, "/orders/", order);

    return answer_at(shop->office.arena, &shown,
                     arena_printf(shop->office.arena, "/tickets/%d", index).ptr);
}

static struct answer give_back(struct shop *shop, str ticket)
{
    const str path = arena_printf(shop->office.arena, "/tickets/%.*s", STR_ARG(ticket));

    return send(&shop->office, "DELETE", path.ptr, NULL, NULL);
}

TEST(points_pay_a_part_and_come_back_in_parts)
{
    CLEANUP(shop_close) struct shop shop;
    struct arena *arena = NULL;

    shop_open(&shop);
    arena = shop.office.arena;
    const struct answer held = book(&shop, "a", "{\"kind\":\"discount\",\"points\":301}");
    const str order = order_of(&shop, &held);
    CHECK_I64(10000, answer_i64(arena, &held, "/order/subtotal/amount"));
    CHECK_I64(301, answer_i64(arena, &held, "/order/discount/amount"));
    CHECK_I64(9699, answer_i64(arena, &held, "/order/total/amount"));
    CHECK_I64(301, answer_i64(arena, &held, "/order/points"));
    check_points(&shop, 699, 301);

    /* Paid: they are spent, and what was paid in money earns. */
    CHECK_I64(200, sale_pay_card(&shop.office, "p", order, "tok_visa").status);
    check_points(&shop, 699 + 96, 0);
    const struct answer one = give_back(&shop, ticket_of(&shop, order, 0));
    check_status(200, &one);
    CHECK_I64(4849, answer_i64(arena, &one, "/refund/amount/amount"));
    /* Of 301 points the ticket had 151; of 96 earned ones 48 are left. */
    check_points(&shop, 699 + 48 + 151, 0);
    CHECK_I64(200, give_back(&shop, ticket_of(&shop, order, 1)).status);
    check_points(&shop, 1000, 0);
}

TEST(an_order_that_points_pay_whole_is_free)
{
    CLEANUP(shop_close) struct shop shop;
    struct arena *arena = NULL;

    shop_open(&shop);
    arena = shop.office.arena;
    /* A ticket of 5.00: one of them free, then both. */
    const str cheap = sale_event(&shop.office, 500, "[{\"type\":\"card\"}]");
    shop.event = json_at(arena, cheap, "/event_id");
    shop.type = json_at(arena, cheap, "/items/0/ticket_type_id");
    const str redeem = arena_printf(arena, "{\"kind\":\"free_ticket\",\"ticket_type_id\":\"%.*s\"}",
                                    STR_ARG(shop.type));
    const struct answer one = book(&shop, "a", redeem.ptr);
    (void)order_of(&shop, &one);
    CHECK_I64(500, answer_i64(arena, &one, "/order/total/amount"));
    check_points(&shop, 500, 500);
    office_advance(&shop.office, 601 * 1000); /* nobody pays */
    check_points(&shop, 1000, 0);

    const struct answer both = book(&shop, "b", "{\"kind\":\"discount\",\"points\":999999}");
    const str order = order_of(&shop, &both);
    CHECK_I64(0, answer_i64(arena, &both, "/order/total/amount"));
    CHECK_I64(1000, answer_i64(arena, &both, "/order/points"));
    const struct answer paid = sale_pay(&shop.office, "p", order, "\"method\":\"free\"");
    check_status(200, &paid);
    CHECK_STR("confirmed", answer_at(arena, &paid, "/order/status"));
    check_points(&shop, 0, 0);
    const struct answer back = give_back(&shop, ticket_of(&shop, order, 0));
    check_status(200, &back);
    CHECK_I64(0, answer_i64(arena, &back, "/refund/amount/amount"));
    check_points(&shop, 500, 0);
}

TEST(a_key_that_comes_again_spends_nothing_again)
{
    CLEANUP(shop_close) struct shop shop;

    shop_open(&shop);
    const struct answer first = book(&shop, "a", "{\"kind\":\"discount\",\"points\":1000}");
    const struct answer again = book(&shop, "a", "{\"kind\":\"discount\",\"points\":1000}");
    CHECK(str_eq(order_of(&shop, &first), order_of(&shop, &again)));
    CHECK_STR("true", answer_header(&again, "Idempotency-Replayed"));
    CHECK_I64(1000, answer_i64(shop.office.arena, &again, "/order/points"));
    const struct answer other = book(&shop, "a", "{\"kind\":\"discount\",\"points\":1}");
    check_problem(shop.office.arena, &other, 422, "idempotency_mismatch");
    check_points(&shop, 0, 1000);
}

TEST(of_two_that_spend_the_same_points_one_does)
{
    CLEANUP(shop_close) struct shop shop;
    struct answer answers[8];
    struct ask asks[8];
    int held = 0;

    shop_open(&shop);
    for (size_t i = 0; i < 8; i++)
        asks[i] = (struct ask){
            .who = "customer-1",
            .method = "POST",
            .path = "/tickets/book",
            .key = arena_printf(shop.office.arena, "k%zu", i).ptr,
            .body = booking_of_two(&shop, "{\"kind\":\"discount\",\"points\":400}"),
        };
    office_ask_together(&shop.office, asks, 8, answers);
    for (size_t i = 0; i < 8; i++) {
        held += answers[i].status == 201;
        if (answers[i].status != 201)
            check_problem(shop.office.arena, &answers[i], 409, "insufficient_points");
    }
    CHECK_I64(2, held);
    check_points(&shop, 200, 800);
}

TEST(what_is_refused_keeps_no_points)
{
    CLEANUP(shop_close) struct shop shop;
    struct arena *arena = NULL;

    shop_open(&shop);
    arena = shop.office.arena;
    const struct answer many = book(&shop, "a", "{\"kind\":\"discount\",\"points\":1001}");
    check_problem(arena, &many, 409, "insufficient_points");
    static const char *const bad[] = {
        "{\"kind\":\"discount\"}",
        "{\"kind\":\"discount\",\"points\":0}",
        "{\"kind\":\"upgrade\",\"points\":5}",
        "{\"kind\":\"free_ticket\",\"points\":5}",
        "{\"kind\":\"free_ticket\",\"ticket_type_id\":\"tt_01h455vb4pex5vsknk084sn02q\"}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct answer answer = book(&shop, "b", bad[i]);

        check_problem(arena, &answer, 422, "invalid_field");
    }
    /* Sold out behind the back of the hints: the desk refuses once the points are reserved. */
    office_exec(&shop.office, "booking",
                "UPDATE ticket_type_stock SET remaining = 1 WHERE total = 100 AND remaining = 100");
    const struct answer late = book(&shop, "c", "{\"kind\":\"discount\",\"points\":100}");
    check_problem(arena, &late, 409, "sold_out");
    office_exec(&shop.office, "booking",
                "UPDATE ticket_type_stock SET remaining = 100 WHERE remaining = 1");
    check_points(&shop, 1000, 0);
    CHECK_I64(1, sale_i64(&shop.office, "SELECT count(*) FROM points_redemption WHERE state = 2"));
}

TEST(a_vendor_may_take_no_points)
{
    CLEANUP(shop_close) struct shop shop;

    shop_open(&shop);
    const str path = arena_printf(shop.office.arena, "/vendors/%s/loyalty",
                                  id_format("vnd", office_vendor(1)).text);
    const struct ask ask = {
        .who = "vendor-1", .method = "PUT", .path = path.ptr, .body = "{\"redeem\":false}"};
    CHECK_I64(200, office_ask(&shop.office, &ask).status);
    const struct answer answer = book(&shop, "a", "{\"kind\":\"discount\",\"points\":5}");
    check_problem(shop.office.arena, &answer, 409, "not_redeemable");
    check_points(&shop, 1000, 0);
}

TEST(what_a_crash_leaves_reserved_comes_back)
{
    CLEANUP(shop_close) struct shop shop;

    shop_open(&shop);
    {
        CLEANUP(call_done) struct call call = {0};
        struct payment_points_reserved reserved = {0};

        office_call(&shop.office, "booking", &call);
        const struct payment_points_reserve in = {
            .order = {call_uuid(&call)},
            .user = office_user(1),
            .vendor = office_vendor(1),
            .kind = REDEEM_DISCOUNT,
            .points = 700,
            .price = { 100000,         {"EGP"}},
            .expires_at_ms = call.now_ms + 600 * 1000,
        };
        CHECK_OK(payment_points_reserve(&call, &in, &reserved));
    }
    office_restart(&shop.office);
    check_points(&shop, 300, 700);
    office_advance(&shop.office, 661 * 1000);
    check_points(&shop, 1000, 0);
}

TEST(a_hold_that_is_being_paid_keeps_its_points)
{
    CLEANUP(shop_close) struct shop shop;

    shop_open(&shop);
    const struct answer held = book(&shop, "a", "{\"kind\":\"discount\",\"points\":500}");
    const str order = order_of(&shop, &held);
    const struct answer paying = sale_pay_card(&shop.office, "p", order, "tok_3ds");
    check_status(200, &paying);
    office_advance(&shop.office, 700 * 1000); /* longer than the hold: the chore asks, and waits */
    CHECK_I64(500, points_of(&shop, "/reserved"));
    const str payment = answer_at(shop.office.arena, &paying, "/payment/id");
    const str path = arena_printf(shop.office.arena, "/sandbox/3ds/%.*s/approve", STR_ARG(payment));
    CHECK_I64(303, send(&shop.office, "POST", path.ptr, NULL, NULL).status);
    check_points(&shop, 500 + 95, 0);
}

TEST(cash_that_never_comes_gives_points_back)
{
    CLEANUP(shop_close) struct shop shop;

    shop_open_with(&shop, "[{\"type\":\"cash_on_arrival\"}]");
    const struct answer held = book(&shop, "a", "{\"kind\":\"discount\",\"points\":500}");
    const str order = order_of(&shop, &held);
    CHECK_I64(200, sale_pay(&shop.office, "p", order, "\"method\":\"cash_on_arrival\"").status);
    check_points(&shop, 500, 0);
    for (int i = 0; i < 2; i++)
        CHECK_I64(200, give_back(&shop, ticket_of(&shop, order, i)).status);
    check_points(&shop, 1000, 0);
}

TEST(what_was_spent_before_it_was_taken_back_is_owed)
{
    CLEANUP(shop_close) struct shop shop;

    shop_open(&shop);
    const struct answer held = book(&shop, "a", "{\"kind\":\"discount\",\"points\":1000}");
    const str order = order_of(&shop, &held);
    CHECK_I64(200, sale_pay_card(&shop.office, "p", order, "tok_visa").status);
    check_points(&shop, 90, 0);
    /* The order that earned the 1000 goes back. */
    const struct answer orders = sale_get(&shop.office, "/orders", STR(""));
    const str first = answer_at(shop.office.arena, &orders, "/data/1/id");
    for (int i = 0; i < 2; i++)
        CHECK_I64(200, give_back(&shop, ticket_of(&shop, first, i)).status);
    check_points(&shop, 0, 0);
    CHECK_I64(910, points_of(&shop, "/owed"));
    CHECK_I64(200, give_back(&shop, ticket_of(&shop, order, 0)).status);
    /* 500 points come back and pay; 45 of the 90 earned ones are taken back. */
    CHECK_I64(910 - 500 + 45, points_of(&shop, "/owed"));
    check_points(&shop, 0, 0);
}
