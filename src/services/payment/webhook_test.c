/* payment/webhook_test.c - what Stripe sends: signed or not, doubled, reordered, late, never. */
#include "services/payment/webhook.h"

#include <string.h>

#include "platform/crypto/crypto.h"
#include "services/payment/ledger_seal.h"
#include "services/payment/refund.h"
#include "services/payment/stripe_fixture.h"
#include "support/test.h"

static const char card[] = "4242424242424242";

/* --- Signatures --- */

static str signature(struct arena *arena, str secret, str body, int64_t at_s)
{
    uint8_t mac[SHA256_SIZE];

    hmac_sha256(secret, arena_printf(arena, "%lld.%.*s", (long long)at_s, STR_ARG(body)), mac);
    return hex_encode(arena, (str){(const char *)mac, sizeof(mac)});
}

TEST(a_signature_is_of_this_body_this_secret_and_this_time)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    enum { NOW_S = 1800000000 };
    const str secret = STR("whsec_1");
    const str body = STR("{\"id\":\"evt_1\"}");
    const char *good = arena_cstr(arena, signature(arena, secret, body, NOW_S));
    const char *other = arena_cstr(arena, signature(arena, STR("whsec_2"), body, NOW_S));
    static const int64_t shifts[] = {-301, -300, -299, 0, 299, 300, 301};
    const struct {
        const char *header;
        bool is_signed;
    } cases[] = {
        {arena_printf(arena, "t=%d,v1=%s",          NOW_S, good).ptr, true},
        {arena_printf(arena,         "v1=%s,t=%d",                          good, NOW_S).ptr, true},
        {arena_printf(arena, "t=%d,v1=%s,v1=%s",  NOW_S, other, good).ptr, true},
        {arena_printf(arena,        "t=%d,v0=%s,v1=%s",                         NOW_S, other, good).ptr, true},
        {arena_printf(arena, "t=%d,v1=%s",    NOW_S, other).ptr, false},
        {arena_printf(arena,             "t=%d,v0=%s",                         NOW_S, good).ptr, false},
        {arena_printf(arena,                  "t=%d,v1=%s",                      NOW_S + 1, good).ptr, false},
        {arena_printf(arena,             "t=%d,v1=%s0",     NOW_S, good).ptr, false},
        {arena_printf(arena,              "t=%d,v1=%.63s",                                   NOW_S, good).ptr, false},
        {arena_printf(arena,      "t=%d,v1=",                   NOW_S).ptr, false},
        {arena_printf(arena,             "v1=%s",                                  good).ptr, false},
        {"t=,v1=",false},
        {"",             false                                 },
        {NULL,false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_I64(cases[i].is_signed,
                  webhook_is_signed(str_of(cases[i].header), body, secret, NOW_S));
    CHECK(!webhook_is_signed(str_of(cases[0].header), STR("{\"id\": \"evt_1\"}"), secret, NOW_S));
    CHECK(!webhook_is_signed(str_of(cases[0].header), body, STR(""), NOW_S));
    for (size_t i = 0; i < sizeof(shifts) / sizeof(shifts[0]); i++) {
        const int64_t at_s = NOW_S + shifts[i];
        const str header = arena_printf(arena, "t=%lld,v1=%.*s", (long long)at_s,
                                        STR_ARG(signature(arena, secret, body, at_s)));

        CHECK_I64(shifts[i] >= -300 && shifts[i] <= 300,
                  webhook_is_signed(header, body, secret, NOW_S));
    }
}

/* --- Over HTTP --- */

static struct answer post(struct stripe_till *till, const char *body, const char *secret)
{
    struct arena *arena = till->arena;
    const int64_t now_s = clock_now_ms(&till->office.clock.clock) / 1000;
    const str mac = signature(arena, str_of(secret), str_of(body), now_s);
    const struct ask ask = {
        .method = "POST",
        .path = "/webhooks/stripe",
        .headers = arena_printf(arena, "Stripe-Signature: t=%lld,v1=%.*s\r\n", (long long)now_s,
                                STR_ARG(mac))
                       .ptr,
        .body = body,
    };

    return office_ask(&till->office, &ask);
}

static int64_t inbox(struct stripe_till *till, const char *where)
{
    return till_i64(&till->office, "SELECT count(*) FROM stripe_event WHERE %s", where);
}

TEST(what_is_signed_is_answered_with_200_and_nothing_else)
{
    static const struct {
        const char *body;
        int64_t kept; /* then */
    } cases[] = {
        {"{\"id\":\"evt_1\",\"type\":\"payment_intent.succeeded\",\"data\":{\"object\":{\"id\":"
         "\"pi_1\"}}}",                                                              1},
        {"{\"id\":\"evt_1\",\"type\":\"payment_intent.succeeded\",\"data\":{\"object\":{\"id\":"
         "\"pi_1\"}}}",                                                              1},
        {"{\"id\":\"evt_2\",\"type\":\"customer.created\",\"data\":{\"object\":{}}}",         2},
        {"{\"id\":\"evt_3\",\"type\":\"charge.dispute.created\",\"data\":{\"object\":null}}", 3},
        {"{}",                                                                                3},
        {"[1,2]",                                                                             3},
        {"not json",                                                                          3},
    };
    CLEANUP(stripe_till_close) struct stripe_till till;

    stripe_till_open(&till);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct answer bad = post(&till, cases[i].body, "whsec_other");
        check_problem(till.arena, &bad, 400, "malformed");
        const struct answer answer = post(&till, cases[i].body, STRIPE_WEBHOOK_SECRET);
        check_status(200, &answer);
        CHECK_I64(cases[i].kept, inbox(&till, "1 = 1"));
    }
    stripe_advance(&till, 0);
    CHECK_I64(0, inbox(&till, "done_at_ms IS NULL"));
}

/* --- Deliveries --- */

static str deliver(struct stripe_till *till, const char *how)
{
    const str answer = stripe_command(
        till,
        "{\"quiet\":true,\"deliver\":{\"url\":\"http://127.0.0.1:%d/webhooks/stripe\","
        "\"secret\":\"" STRIPE_WEBHOOK_SECRET "\",%s}}",
        http_port(till->office.server), how);

    office_run_due(&till->office);
    return answer;
}

static order_id ask_on_page(struct stripe_till *till, const char *key)
{
    const order_id order = stand_in_sell(office_user(1), 10000, NULL);
    const struct ask ask = till_asking(&till->office, "customer-1", key, order, "card", NULL);
    const struct answer answer = office_ask(&till->office, &ask);

    check_status(200, &answer);
    return order;
}

TEST(a_webhook_ends_a_payment_at_once_however_it_comes)
{
    static const char *const hows[] = {
        "\"copies\":1",          "\"copies\":3",
        "\"order\":\"reverse\"", "\"order\":\"reverse\",\"copies\":2",
        "\"sign\":\"rotated\"",
    };
    CLEANUP(stripe_till_close) struct stripe_till till;

    stripe_till_open(&till);
    for (size_t i = 0; i < sizeof(hows) / sizeof(hows[0]); i++) {
        const order_id order = ask_on_page(&till, hows[i]);

        stripe_pay(&till, order, card);
        CHECK_I64(STAND_IN_LIVE, stand_in_order(order).state);
        (void)deliver(&till, hows[i]);
        CHECK_I64(STAND_IN_SETTLED, stand_in_order(order).state);
        CHECK_I64(1, stand_in_order(order).settled);
        CHECK_I64(10000, stripe_count(&till, order, "captured"));
    }
    CHECK_I64(0, inbox(&till, "done_at_ms IS NULL"));
}

TEST(a_webhook_that_is_late_or_not_signed_changes_nothing)
{
    CLEANUP(stripe_till_close) struct stripe_till till;

    stripe_till_open(&till);
    const order_id order = ask_on_page(&till, "a");
    stripe_pay(&till, order, card);
    (void)deliver(&till, "\"sign\":\"bad\"");
    (void)deliver(&till, "\"sign\":\"none\"");
    CHECK_I64(0, inbox(&till, "1 = 1"));
    CHECK_I64(STAND_IN_LIVE, stand_in_order(order).state);
    stripe_advance(&till, 3600000); /* the reconciler has found it meanwhile */
    CHECK_I64(STAND_IN_SETTLED, stand_in_order(order).state);
    const int64_t known = inbox(&till, "1 = 1"); /* from the list of events */
    CHECK(known > 0);
    (void)deliver(&till, "\"copies\":2");
    CHECK_I64(1, stand_in_order(order).settled);
    CHECK_I64(10000, stripe_count(&till, order, "captured"));
    CHECK_I64(0, stripe_count(&till, order, "refunded"));
}

/* --- Refunds that fail later --- */

static refund_id give_back(struct stripe_till *till, order_id order)
{
    CLEANUP(call_done) struct call call = {0};
    struct payment_refunded ret = {0};

    till_call(&till->office, &call);
    const struct payment_refund in = {
        .refund = {call_uuid(&call)},
          .order = order, .amount = { 10000,         {"EGP"}}
    };
    CHECK_OK(payment_refund(&call, &in, &ret));
    return in.refund;
}

static int64_t refund_status(struct stripe_till *till, refund_id id)
{
    return till_i64(&till->office, "SELECT status FROM payment_refund WHERE id = %s",
                    till_sql_id(&till->office, id.uuid));
}

static order_id paid_order(struct stripe_till *till, const char *key)
{
    const order_id order = ask_on_page(till, key);

    stripe_pay(till, order, card);
    stripe_advance(till, 5000);
    CHECK_I64(STAND_IN_SETTLED, stand_in_order(order).state);
    return order;
}

TEST(a_refund_that_fails_later_is_made_again_with_or_without_a_webhook)
{
    CLEANUP(stripe_till_close) struct stripe_till till;

    stripe_till_open(&till);
    for (int by_webhook = 0; by_webhook < 2; by_webhook++) {
        const order_id order = paid_order(&till, by_webhook ? "a" : "b");
        const refund_id refund = give_back(&till, order);

        CHECK_I64(REFUND_SUCCEEDED, refund_status(&till, refund));
        (void)stripe_command(&till, "{\"end_refunds\":\"failed\"}");
        CHECK_I64(0, stripe_count(&till, order, "refunded"));
        if (by_webhook)
            (void)deliver(&till, "\"copies\":2");
        stripe_settle_down(&till);
        CHECK_I64(REFUND_SUCCEEDED, refund_status(&till, refund));
        CHECK_I64(10000, stripe_count(&till, order, "refunded"));
        till_check_audit(&till.office);
    }
}

static void check_unresolved(struct stripe_till *till, int64_t count, const char *kind)
{
    const struct ask ask = {.who = "admin-1", .method = "GET", .path = "/admin/unresolved-money"};
    const struct answer answer = office_ask(&till->office, &ask);

    check_status(200, &answer);
    if (count == 0)
        CHECK_STR("[]", answer_at(till->arena, &answer, "/data"));
    else
        CHECK_STR(kind, answer_at(till->arena, &answer, "/data/0/kind"));
}

TEST(a_refund_that_fails_again_and_again_is_shown_to_the_admins)
{
    CLEANUP(stripe_till_close) struct stripe_till till;

    stripe_till_open(&till);
    const order_id order = paid_order(&till, "a");
    const refund_id refund = give_back(&till, order);
    for (int i = 0; i < 3; i++) {
        check_unresolved(&till, 0, NULL);
        CHECK_I64(REFUND_SUCCEEDED, refund_status(&till, refund));
        (void)stripe_command(&till, "{\"end_refunds\":\"failed\"}");
        (void)deliver(&till, "\"copies\":1");
        stripe_settle_down(&till);
    }
    CHECK_I64(REFUND_FAILED, refund_status(&till, refund));
    CHECK_I64(0, stripe_count(&till, order, "refunded"));
    check_unresolved(&till, 1, "refund");
    till_check_audit(&till.office);
    const struct ask retry = {
        .who = "admin-1",
        .method = "POST",
        .path = arena_printf(till.arena, "/admin/refunds/%s/retry",
                             id_format(REFUND_PREFIX, refund.uuid).text)
                    .ptr,
    };
    const struct answer answer = office_ask(&till.office, &retry);
    CHECK_STR("succeeded", answer_at(till.arena, &answer, "/status"));
    CHECK_I64(10000, stripe_count(&till, order, "refunded"));
    check_unresolved(&till, 0, NULL);
    till_check_audit(&till.office);
}

TEST(a_refund_that_takes_its_time_is_pending_until_it_is_through)
{
    CLEANUP(stripe_till_close) struct stripe_till till;

    stripe_till_open(&till);
    const order_id order = paid_order(&till, "a");
    (void)stripe_command(&till, "{\"refunds\":\"pending\"}");
    const refund_id refund = give_back(&till, order);
    stripe_settle_down(&till);
    CHECK_I64(REFUND_PENDING, refund_status(&till, refund));
    (void)stripe_command(&till, "{\"end_refunds\":\"succeeded\"}");
    (void)deliver(&till, "\"copies\":1");
    CHECK_I64(REFUND_SUCCEEDED, refund_status(&till, refund));
    CHECK_I64(10000, stripe_count(&till, order, "refunded"));
}

TEST(whatever_fails_at_a_refund_it_is_made_once)
{
    static const char *const kinds[] = {"lost",     "down",     "saved500", "done500",
                                        "error500", "conflict", "rate"};
    static const char *const ops[] = {"refund.create", "refund.get", "refund.list"};
    CLEANUP(stripe_till_close) struct stripe_till till;

    stripe_till_open(&till);
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
        for (size_t o = 0; o < sizeof(ops) / sizeof(ops[0]); o++) {
            const order_id order =
                paid_order(&till, arena_printf(till.arena, "%s-%s", kinds[k], ops[o]).ptr);

            stripe_fault(&till, ops[o], kinds[k], 0, 4);
            const refund_id refund = give_back(&till, order);
            stripe_settle_down(&till);
            stripe_fault(&till, NULL, NULL, 0, 0);
            stripe_settle_down(&till);
            CHECK_I64(REFUND_SUCCEEDED, refund_status(&till, refund));
            CHECK_I64(10000, stripe_count(&till, order, "refunded"));
            check_unresolved(&till, 0, NULL);
        }
    till_check_audit(&till.office);
}

/* --- Disputes --- */

TEST(a_dispute_is_shown_to_the_admins_until_it_is_over)
{
    CLEANUP(stripe_till_close) struct stripe_till till;

    stripe_till_open(&till);
    const order_id order = paid_order(&till, "a");
    const str seen = stripe_command(&till, "{}");
    const char *at = memmem(seen.ptr, seen.size, "\"pi_", 4);
    CHECK(at != NULL);
    const str intent = {at + 1, strcspn(at + 1, "\"")};
    (void)stripe_command(&till, "{\"dispute\":{\"intent\":\"%.*s\",\"status\":\"needs_response\"}}",
                         STR_ARG(intent));
    (void)deliver(&till, "\"copies\":2,\"order\":\"reverse\"");
    check_unresolved(&till, 1, "dispute");
    (void)stripe_command(&till, "{\"dispute\":{\"intent\":\"%.*s\",\"status\":\"won\"}}",
                         STR_ARG(intent));
    stripe_advance(&till, 60000); /* and without a webhook */
    check_unresolved(&till, 0, NULL);
    CHECK_I64(STAND_IN_SETTLED, stand_in_order(order).state);
}

/* Of an account, whoever's. */
static int64_t balance(struct stripe_till *till, enum ledger_account account)
{
    stripe_advance(till, SEAL_EVERY_MS);
    return office_i64(&till->office, "payment",
                      arena_printf(till->arena,
                                   "SELECT CAST(coalesce(sum(balance_minor), 0) AS BIGINT) FROM "
                                   "ledger_balance WHERE account = %d",
                                   (int)account)
                          .ptr);
}

TEST(disputed_money_is_in_the_books_wherever_it_is)
{
    static const struct {
        const char *statuses[3];
        int64_t clearing; /* the rest, in hundredths of what was paid */
        int64_t receivable;
        int64_t payable;
    } cases[] = {
        {{"warning_needs_response", "warning_closed"}, 100, 0,   -100},
        {{"needs_response"},                           0,   100, -100},
        {{"needs_response", "under_review", "won"},    100, 0,   -100},
        {{"needs_response", "lost"},                   0,   0,   0   },
        {{"lost"},                                     0,   0,   0   }, /* nobody told of the first */
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(stripe_till_close) struct stripe_till till;

        stripe_till_open(&till);
        (void)paid_order(&till, "a");
        const int64_t paid = balance(&till, ACCOUNT_PSP_CLEARING);
        const str seen = stripe_command(&till, "{}");
        const char *at = memmem(seen.ptr, seen.size, "\"pi_", 4);
        CHECK(at != NULL && paid > 0);
        const str intent = {at + 1, strcspn(at + 1, "\"")};
        for (size_t s = 0; s < 3 && cases[i].statuses[s] != NULL; s++) {
            (void)stripe_command(&till, "{\"dispute\":{\"intent\":\"%.*s\",\"status\":\"%s\"}}",
                                 STR_ARG(intent), cases[i].statuses[s]);
            (void)deliver(&till, "\"copies\":2");
        }
        (void)deliver(&till, "\"copies\":2,\"order\":\"reverse\"");
        CHECK_I64(cases[i].clearing * paid / 100, balance(&till, ACCOUNT_PSP_CLEARING));
        CHECK_I64(cases[i].receivable * paid / 100, balance(&till, ACCOUNT_DISPUTE_RECEIVABLE));
        CHECK_I64(cases[i].payable * paid / 100, balance(&till, ACCOUNT_VENDOR_PAYABLE));
    }
}
