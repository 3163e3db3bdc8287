/* payment/stripe_drive_test.c - payments by Stripe, with everything failing around them: a card that is
 * charged ends in tickets, or is given back; and the process killed at every commit. */
#include "services/payment/drive.h"

#include <string.h>

#include "services/payment/stripe_fixture.h"
#include "support/crash.h"
#include "support/test.h"

enum { STEPS_MAX = 80 };

static const struct way {
    const char *token;    /* NULL: on the page */
    const char *cards[2]; /* what the buyer does then, one after the other; NULL: nothing */
    bool can_be_paid;
} ways[] = {
    {"pm_card_visa",                                 {NULL, NULL},                             true },
    {"pm_card_visa_chargeDeclined",                  {NULL, NULL},                             false},
    {"pm_card_visa_chargeDeclinedInsufficientFunds", {NULL, NULL},                             false},
    {"pm_card_threeDSecure2Required",                {"approve", NULL},                        true },
    {"pm_card_threeDSecure2Required",                {"decline", NULL},                        false},
    {NULL,                                           {"4242424242424242", NULL},               true },
    {NULL,                                           {"4000000000000002", "5555555555554444"}, true },
    {NULL,                                           {"4000000000003220", "approve"},          true },
    {NULL,                                           {NULL, NULL},                             false},
};
enum {
    WAYS = sizeof(ways) / sizeof(ways[0]),
    TOKEN_WAY = 0,
    DECLINED_WAY = 1,
    BANK_WAY = 3,
    PAGE_WAY = 5,
    PAGE_AND_BANK_WAY = 7,
    LEFT_WAY = 8,
};

static order_id sell(void)
{
    return stand_in_sell(office_user(1), 10000, NULL);
}

/* --- What must hold in the end --- */

static int64_t attempts_in(struct stripe_till *till, order_id order, const char *states)
{
    return till_i64(&till->office,
                    "SELECT count(*) FROM payment_attempt WHERE order_id = %s AND state IN (%s)",
                    till_sql_id(&till->office, order.uuid), states);
}

static void check_inbox_is_empty(struct stripe_till *till)
{
    CLEANUP(call_done) struct call call = {0};
    str report = STR_ABSENT;

    till_call(&till->office, &call);
    CHECK_OK(payment_unresolved(&call, &report));
    CHECK_STR("", report.ptr != NULL ? report : STR(""));
}

/* Tickets for what was charged, or all of it given back; nothing half done. Gives whether it is
 * paid. */
static bool check_end(struct stripe_till *till, order_id id)
{
    const struct stand_in_order order = stand_in_order(id);
    const int64_t captured = stripe_count(till, id, "captured");
    const int64_t refunded = stripe_count(till, id, "refunded");
    const bool has_tickets = order.state == STAND_IN_SETTLED && !order.is_gone;

    CHECK_I64(0, attempts_in(till, id, "0, 1, 2, 3, 4, 5, 6, 7, 8"));
    CHECK_I64(0, stripe_count(till, id, "authorised"));
    CHECK(order.state != STAND_IN_LIVE);
    CHECK(stripe_count(till, id, "captures") <= 1);
    CHECK_I64(has_tickets ? 10000 : 0, captured - refunded);
    CHECK_I64(has_tickets ? 1 : 0, order.tickets);
    CHECK(order.settled <= 1);
    check_inbox_is_empty(till);
    till_check_audit(&till->office);
    return has_tickets;
}

/* --- The way of one payment --- */

static struct answer ask(struct stripe_till *till, order_id order, const char *key,
                         const struct way *way)
{
    const struct ask request =
        till_asking(&till->office, "customer-1", key, order, "card", way->token);

    return office_ask(&till->office, &request);
}

/* What the buyer does, as far as he is asked to; then it is looked at. */
static void act(struct stripe_till *till, order_id order, const struct way *way)
{
    for (size_t i = 0; i < 2 && way->cards[i] != NULL; i++) {
        for (int patience = 0;
             patience < 4 && !crash_has_happened() && attempts_in(till, order, "2") == 0;
             patience++)
            stripe_advance(till, ATTEMPT_LEASE_MS);
        if (!crash_has_happened() && attempts_in(till, order, "2") > 0)
            stripe_pay(till, order, way->cards[i]);
    }
}

static bool pay(struct stripe_till *till, order_id order, const char *key, const struct way *way)
{
    (void)ask(till, order, key, way);
    act(till, order, way);
    stripe_settle_down(till);
    return check_end(till, order);
}

TEST(each_way_ends_as_it_should)
{
    CLEANUP(stripe_till_close) struct stripe_till till;

    stripe_till_open(&till);
    for (size_t i = 0; i < WAYS; i++) {
        const str key = arena_printf(till.arena, "way-%zu", i);

        CHECK_I64(ways[i].can_be_paid, pay(&till, sell(), key.ptr, &ways[i]));
    }
}

TEST(a_page_is_what_a_card_without_a_token_is_paid_on)
{
    CLEANUP(stripe_till_close) struct stripe_till till;

    stripe_till_open(&till);
    const order_id order = sell();
    const struct answer answer = ask(&till, order, "a", &ways[PAGE_WAY]);
    check_status(200, &answer);
    CHECK_STR("requires_action", answer_at(till.arena, &answer, "/payment/status"));
    const str url = answer_at(till.arena, &answer, "/payment/redirect_url");
    CHECK(str_starts(url, str_of(till.base)));
    const struct answer other = ask(&till, order, "b", &ways[TOKEN_WAY]);
    check_status(200, &other); /* with the payment that is under way */
    CHECK_STR(arena_cstr(till.arena, url), answer_at(till.arena, &other, "/payment/redirect_url"));
    stripe_pay(&till, order, "4242424242424242");
    stripe_advance(&till, 3000);
    const struct answer done = ask(&till, order, "a", &ways[PAGE_WAY]);
    CHECK_STR("succeeded", answer_at(till.arena, &done, "/payment/status"));
    CHECK_STR("visa", answer_at(till.arena, &done, "/payment/brand"));
    CHECK(check_end(&till, order));
}

TEST(a_refusal_is_told_by_its_name)
{
    static const struct {
        const char *token;
        int status;
        const char *code;
    } cases[] = {
        {"pm_card_visa_chargeDeclined",                  402, "card_declined"     },
        {"pm_card_visa_chargeDeclinedInsufficientFunds", 402, "insufficient_funds"},
        {"pm_unknown",                                   422, "invalid_field"     },
        {"tok_visa",                                     422, "invalid_field"     },
        {"pm_../refunds",                                422, "invalid_field"     },
    };
    CLEANUP(stripe_till_close) struct stripe_till till;

    stripe_till_open(&till);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const order_id order = sell();
        const struct way way = {.token = cases[i].token};
        const struct answer answer =
            ask(&till, order, arena_printf(till.arena, "%zu", i).ptr, &way);

        check_problem(till.arena, &answer, cases[i].status, cases[i].code);
        stripe_settle_down(&till);
        CHECK_I64(0, stripe_count(&till, order, "captured"));
    }
}

TEST(an_event_takes_its_brands_alone)
{
    static const struct {
        const char *token;
        const char *card;
        bool is_paid;
    } cases[] = {
        {"pm_card_mastercard", NULL,               true },
        {"pm_card_visa",       NULL,               false},
        {NULL,                 "5555555555554444", true },
        {NULL,                 "4242424242424242", false}, /* the page does not take it */
    };
    CLEANUP(stripe_till_close) struct stripe_till till;

    stripe_till_open(&till);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const order_id order = stand_in_sell(office_user(1), 10000, "mastercard");
        const struct way way = {.token = cases[i].token, .cards = {cases[i].card}};
        const str key = arena_printf(till.arena, "%zu", i);

        CHECK_I64(cases[i].is_paid, pay(&till, order, key.ptr, &way));
    }
    /* Past the page, as if a group of brands held more than we know. */
    const order_id order = stand_in_sell(office_user(1), 10000, "mastercard");
    (void)ask(&till, order, "past", &ways[PAGE_WAY]);
    (void)stripe_command(&till,
                         "{\"pay\":{\"url\":\"%.*s\",\"card\":\"378282246310005\","
                         "\"brand_blocked\":true}}",
                         STR_ARG(stripe_page(&till, order)));
    stripe_settle_down(&till);
    CHECK(!check_end(&till, order));
    const struct answer answer = ask(&till, order, "past", &ways[PAGE_WAY]);
    CHECK_STR("method_not_accepted", answer_at(till.arena, &answer, "/payment/failure"));
}

TEST(a_provider_that_is_away_leaves_the_hold)
{
    CLEANUP(stripe_till_close) struct stripe_till till;

    stripe_till_open(&till);
    for (size_t i = TOKEN_WAY; i <= PAGE_WAY; i += PAGE_WAY) {
        const order_id order = sell();
        const str key = arena_printf(till.arena, "%zu", i);

        stripe_fault(&till, "*", "conflict", 0, 100);
        const struct answer answer = ask(&till, order, key.ptr, &ways[i]);
        check_problem(till.arena, &answer, 503, "provider_unavailable");
        stripe_fault(&till, NULL, NULL, 0, 0);
        CHECK(pay(&till, order, key.ptr, &ways[i])); /* the same key is free again */
    }
}

TEST(whatever_fails_at_stripe_money_and_tickets_come_together)
{
    static const char *const kinds[] = {"lost",     "down",     "saved500", "done500",
                                        "error500", "conflict", "rate"};
    static const char *const ops[] = {"intent.create",  "intent.get",    "intent.confirm",
                                      "intent.capture", "intent.cancel", "session.create",
                                      "session.expire", "session.get"};
    static const size_t tried[] = {TOKEN_WAY, BANK_WAY, PAGE_WAY, LEFT_WAY};
    CLEANUP(stripe_till_close) struct stripe_till till;
    int count = 0;

    stripe_till_open(&till);
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
        for (size_t o = 0; o < sizeof(ops) / sizeof(ops[0]); o++)
            for (size_t w = 0; w < sizeof(tried) / sizeof(tried[0]); w++) {
                const struct way *way = &ways[tried[w]];
                const order_id order = sell();
                const str key = arena_printf(till.arena, "fault-%d", count++);

                stripe_fault(&till, ops[o], kinds[k], (int)(w % 2), 3);
                (void)pay(&till, order, key.ptr, way);
                stripe_fault(&till, NULL, NULL, 0, 0);
                const str again = arena_printf(till.arena, "again-%d", count);
                const bool paid =
                    pay(&till, order, key.ptr, way) || pay(&till, order, again.ptr, way);
                if (paid != way->can_be_paid)
                    print_error("%s at %s, way %zu\n", kinds[k], ops[o], tried[w]);
                CHECK_I64(way->can_be_paid, paid);
            }
    print_message("# %d payments with faults\n", count);
}

TEST(one_that_is_slow_is_pending_and_ends_in_the_background)
{
    CLEANUP(stripe_till_close) struct stripe_till till;

    stripe_till_open(&till);
    const order_id order = sell();
    stripe_fault(&till, "intent.confirm", "slow", 0, 1); /* beyond our timeout */
    const struct answer answer = ask(&till, order, "a", &ways[TOKEN_WAY]);
    check_status(200, &answer);
    stripe_settle_down(&till);
    CHECK(check_end(&till, order) || pay(&till, order, "b", &ways[TOKEN_WAY]));
}

/* --- Killed --- */

static bool crash_once(struct stripe_till *till, const struct way *way, int number, int commit,
                       enum crash_point point)
{
    const order_id order = sell();
    const str key = arena_printf(till->arena, "%d-%d-%s", number, (int)point,
                                 way->token != NULL ? way->token : way->cards[0]);

    crash_arm(commit, point);
    (void)ask(till, order, key.ptr, way);
    act(till, order, way);
    for (int i = 0; i < 4 && !crash_has_happened(); i++)
        stripe_advance(till, ATTEMPT_LEASE_MS);
    const bool crashed = crash_has_happened();
    office_shut(&till->office, 0);
    crash_recover();
    office_restart(&till->office);
    stripe_advance(till, ATTEMPT_LEASE_MS);
    act(till, order, way);
    stripe_settle_down(till);
    const bool paid = check_end(till, order);
    const bool paid_then = pay(till, order, key.ptr, way);
    CHECK(paid_then || !paid);
    if (!paid_then && way->can_be_paid && !stand_in_order(order).is_gone)
        CHECK(pay(till, order, arena_printf(till->arena, "%.*s-2", STR_ARG(key)).ptr, way));
    return crashed;
}

TEST(whatever_step_it_dies_at_a_charge_ends_in_tickets_or_goes_back)
{
    static const size_t killed[] = {TOKEN_WAY, DECLINED_WAY, BANK_WAY, PAGE_WAY, PAGE_AND_BANK_WAY};

    for (size_t i = 0; i < sizeof(killed) / sizeof(killed[0]); i++) {
        CLEANUP(stripe_till_close) struct stripe_till till;
        const struct way *way = &ways[killed[i]];
        int steps = 0;

        stripe_till_open(&till);
        while (steps < STEPS_MAX && crash_once(&till, way, steps, steps + 1, CRASH_BEFORE)) {
            steps++;
            CHECK(crash_once(&till, way, steps, steps, CRASH_AFTER));
        }
        CHECK(steps >= 3 && steps < STEPS_MAX);
        print_message("# %s %s: killed at each of %d commits\n",
                      way->token != NULL ? way->token : "page",
                      way->cards[0] != NULL ? way->cards[0] : "-", steps);
    }
}

TEST(killed_while_stripe_fails_too_a_charge_ends_in_tickets_or_goes_back)
{
    static const struct {
        size_t way;
        const char *op;
        const char *kind;
    } cases[] = {
        {TOKEN_WAY, "intent.confirm", "lost"    },
        {TOKEN_WAY, "intent.capture", "done500" },
        {PAGE_WAY,  "session.create", "lost"    },
        {PAGE_WAY,  "intent.capture", "saved500"},
    };
    CLEANUP(stripe_till_close) struct stripe_till till;
    int count = 0;

    stripe_till_open(&till);
    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        bool crashed = true;

        for (int commit = 1; crashed && commit < STEPS_MAX; commit++) {
            stripe_fault(&till, cases[c].op, cases[c].kind, 0, 1);
            crashed = crash_once(&till, &ways[cases[c].way], 1000 + count++, commit,
                                 commit % 2 == 0 ? CRASH_BEFORE : CRASH_AFTER);
            stripe_fault(&till, NULL, NULL, 0, 0);
        }
        CHECK(!crashed);
    }
    print_message("# %d payments, each with a fault and a kill\n", count);
}

/* --- At once --- */

TEST(ten_at_once_are_one_charge_and_one_answer)
{
    enum { TOGETHER = 10 };
    CLEANUP(stripe_till_close) struct stripe_till till;
    struct ask asks[TOGETHER];
    struct answer answers[TOGETHER];

    stripe_till_open(&till);
    for (int same_key = 0; same_key < 2; same_key++) {
        const order_id order = sell();

        for (int i = 0; i < TOGETHER; i++) {
            const str key = arena_printf(till.arena, "%d-%d", same_key, same_key ? 0 : i);

            asks[i] = till_asking(&till.office, "customer-1", key.ptr, order, "card",
                                  ways[TOKEN_WAY].token);
        }
        office_ask_together(&till.office, asks, TOGETHER, answers);
        for (int i = 0; i < TOGETHER; i++) {
            check_status(200, &answers[i]);
            CHECK_STR("succeeded", answer_at(till.arena, &answers[i], "/payment/status"));
            CHECK(str_eq(answers[0].body, answers[i].body));
        }
        CHECK_I64(1, stripe_count(&till, order, "captures"));
        CHECK(check_end(&till, order));
    }
}

/* --- Too late --- */

TEST(who_pays_when_the_order_is_gone_gets_it_back)
{
    CLEANUP(stripe_till_close) struct stripe_till till;

    stripe_till_open(&till);
    const order_id order = sell();
    (void)ask(&till, order, "a", &ways[PAGE_WAY]);
    stand_in_take_away(order);
    stripe_pay(&till, order, "4242424242424242");
    stripe_settle_down(&till);
    CHECK(!check_end(&till, order));
    CHECK_I64(0, stripe_count(&till, order, "captured")); /* it was never taken */
}

TEST(a_page_that_nobody_pays_on_is_closed)
{
    CLEANUP(stripe_till_close) struct stripe_till till;

    stripe_till_open(&till);
    const order_id order = sell();
    (void)ask(&till, order, "a", &ways[LEFT_WAY]);
    stripe_advance(&till, stripe_provider.action_life_s * 1000 - 1000);
    CHECK_I64(1, attempts_in(&till, order, "2"));
    stripe_advance(&till, 1000);
    CHECK(!check_end(&till, order));
    stripe_pay(&till, order, "4242424242424242"); /* refused: it has expired */
    stripe_settle_down(&till);
    CHECK(!check_end(&till, order));
}
