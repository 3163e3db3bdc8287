/* payment/sandbox_test.c - every token, every verb twice, and books that survive. */
#include "services/payment/sandbox.h"

#include "services/payment/provider.h"
#include "services/payment/till_fixture.h"
#include "support/test.h"

static const struct provider *const sandbox = &sandbox_provider;

static err give_back(struct call *call, str key, str charge_key, int64_t amount_minor)
{
    const struct refund_request request = {
        key, charge_key, {amount_minor, {"EGP"}}
    };
    enum refund_status status = REFUND_PENDING;
    const err e = sandbox->refund(call, &request, &status);

    CHECK(e != ERR_OK || status == REFUND_SUCCEEDED);
    return e;
}

static struct charge_request request_of(const char *key, const char *token)
{
    return (struct charge_request){
        .key = str_of(key), .amount = {10000, {"EGP"}},
             .token = str_of(token)
    };
}

static err authorise(struct call *call, const char *key, const char *token, struct charge *ret)
{
    const struct charge_request request = request_of(key, token);

    return sandbox->authorise(call, &request, ret);
}

static enum charge_status found(struct call *call, const char *key)
{
    struct charge charge = {0};

    CHECK_OK(sandbox->find(call, str_of(key), &charge));
    return charge.status;
}

TEST(every_token_does_what_it_says)
{
    static const struct {
        const char *token;
        const char *brand;
        err answer;
        bool is_known; /* to the books */
        enum charge_status status;
        err failure;
    } cases[] = {
        {"tok_visa",               "visa",       ERR_OK,                   true,  CHARGE_AUTHORISED,      ERR_OK                },
        {"tok_mastercard",         "mastercard", ERR_OK,                   true,  CHARGE_AUTHORISED,      ERR_OK                },
        {"tok_declined",           "visa",       ERR_OK,                   true,  CHARGE_DECLINED,        ERR_CARD_DECLINED     },
        {"tok_insufficient_funds", "visa",       ERR_OK,                   true,  CHARGE_DECLINED,        ERR_INSUFFICIENT_FUNDS},
        {"tok_3ds",                "visa",       ERR_OK,                   true,  CHARGE_REQUIRES_ACTION, ERR_OK                },
        {"tok_timeout",            "visa",       ERR_UNAVAILABLE,          true,  CHARGE_AUTHORISED,      ERR_OK                },
        {"tok_slow",               "visa",       ERR_OK,                   true,  CHARGE_PROCESSING,      ERR_OK                },
        {"tok_error",              "visa",       ERR_PROVIDER_UNAVAILABLE, false, CHARGE_DECLINED,        ERR_OK                },
    };
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};

    till_open(&office);
    till_call(&office, &call);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const str key = arena_printf(call.arena, "pay_%zu:authorise", i);
        const struct charge_request request = request_of(key.ptr, cases[i].token);
        struct charge charge = {0};
        struct charge later = {0};
        str brand = STR_ABSENT;

        CHECK_OK(sandbox->check_token(&call, str_of(cases[i].token), &brand));
        CHECK_STR(cases[i].brand, brand);
        CHECK_ERR(cases[i].answer, sandbox->authorise(&call, &request, &charge));
        CHECK_ERR(cases[i].is_known ? ERR_OK : ERR_NOT_FOUND, sandbox->find(&call, key, &later));
        if (!cases[i].is_known)
            continue;
        CHECK_I64(cases[i].status, later.status);
        CHECK_ERR(cases[i].failure, later.failure);
        CHECK_STR(cases[i].brand, later.brand);
        CHECK_STR(arena_printf(call.arena, "/sandbox/3ds/pay_%zu", i).ptr, later.redirect_url);
        if (cases[i].answer == ERR_OK)
            CHECK_I64(cases[i].status, charge.status);
    }
}

TEST(other_tokens_are_refused_before_anything_happens)
{
    static const char *const tokens[] = {"", "tok_", "tok_visa2", "TOK_VISA", "4242424242424242"};
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};

    till_open(&office);
    till_call(&office, &call);
    for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
        str brand = STR_ABSENT;

        CHECK_ERR(ERR_INVALID, sandbox->check_token(&call, str_of(tokens[i]), &brand));
        CHECK_STR("/token", call.problem.errors.items[call.problem.errors.count - 1].pointer);
        CHECK_STR(NULL, brand);
    }
    CHECK_I64(0, till_i64(&office, "SELECT count(*) FROM sandbox_charge"));
}

TEST(the_same_key_has_its_effect_once)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};
    struct charge charge = {0};

    till_open(&office);
    till_call(&office, &call);
    CHECK_OK(authorise(&call, "pay_1:authorise", "tok_visa", &charge));
    CHECK_OK(authorise(&call, "pay_1:authorise", "tok_visa", &charge));
    CHECK_I64(CHARGE_AUTHORISED, charge.status);
    /* Also where it comes with something else: what it did first is what it did. */
    CHECK_OK(authorise(&call, "pay_1:authorise", "tok_declined", &charge));
    CHECK_I64(CHARGE_AUTHORISED, charge.status);
    CHECK_I64(1, till_i64(&office, "SELECT count(*) FROM sandbox_charge"));
}

TEST(capture_and_cancel_can_be_asked_again)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};
    struct charge charge = {0};

    till_open(&office);
    till_call(&office, &call);
    CHECK_OK(authorise(&call, "pay_1:authorise", "tok_visa", &charge));
    for (int i = 0; i < 2; i++) {
        CHECK_OK(sandbox->capture(&call, STR("pay_1:authorise"), &charge));
        CHECK_I64(CHARGE_CAPTURED, charge.status);
    }
    CHECK_OK(sandbox->cancel(&call, STR("pay_1:authorise"), &charge)); /* too late */
    CHECK_I64(CHARGE_CAPTURED, charge.status);

    CHECK_OK(authorise(&call, "pay_2:authorise", "tok_3ds", &charge));
    for (int i = 0; i < 2; i++) {
        CHECK_OK(sandbox->cancel(&call, STR("pay_2:authorise"), &charge));
        CHECK_I64(CHARGE_VOIDED, charge.status);
    }
    CHECK_OK(sandbox->capture(&call, STR("pay_2:authorise"), &charge));
    CHECK_I64(CHARGE_VOIDED, charge.status);
    CHECK_OK(authorise(&call, "pay_2:authorise", "tok_visa", &charge));
    CHECK_I64(CHARGE_VOIDED, charge.status);
}

TEST(a_cancelled_key_charges_nothing_also_if_it_comes_later)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};
    struct charge charge = {0};

    till_open(&office);
    till_call(&office, &call);
    CHECK_OK(sandbox->cancel(&call, STR("pay_1:authorise"), &charge));
    CHECK_I64(CHARGE_VOIDED, charge.status);
    CHECK_OK(authorise(&call, "pay_1:authorise", "tok_visa", &charge));
    CHECK_I64(CHARGE_VOIDED, charge.status);
    CHECK_OK(sandbox->capture(&call, STR("pay_1:authorise"), &charge));
    CHECK_I64(CHARGE_VOIDED, charge.status);
}

TEST(a_slow_charge_is_known_when_its_time_has_come)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};
    struct charge charge = {0};

    till_open(&office);
    till_call(&office, &call);
    CHECK_OK(authorise(&call, "pay_1:authorise", "tok_slow", &charge));
    CHECK_I64(CHARGE_PROCESSING, charge.status);
    CHECK_I64(OFFICE_START_MS + 5000, charge.look_again_ms);
    call.now_ms = OFFICE_START_MS + 4999;
    CHECK_I64(CHARGE_PROCESSING, found(&call, "pay_1:authorise"));
    call.now_ms = OFFICE_START_MS + 5000;
    CHECK_I64(CHARGE_AUTHORISED, found(&call, "pay_1:authorise"));

    call.now_ms = OFFICE_START_MS;
    CHECK_OK(authorise(&call, "pay_2:authorise", "tok_slow", &charge));
    CHECK_OK(sandbox->cancel(&call, STR("pay_2:authorise"), &charge));
    CHECK_I64(CHARGE_VOIDED, charge.status); /* that it was given back is known at once */
}

TEST(a_challenge_is_answered_once)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};
    struct charge charge = {0};

    till_open(&office);
    till_call(&office, &call);
    CHECK_ERR(ERR_NOT_FOUND, sandbox_answer_challenge(&call, STR("pay_1:authorise"), true));
    CHECK_OK(authorise(&call, "pay_1:authorise", "tok_3ds", &charge));
    CHECK_OK(sandbox_answer_challenge(&call, STR("pay_1:authorise"), true));
    CHECK_OK(sandbox_answer_challenge(&call, STR("pay_1:authorise"), false));
    CHECK_I64(CHARGE_AUTHORISED, found(&call, "pay_1:authorise"));

    CHECK_OK(authorise(&call, "pay_2:authorise", "tok_3ds", &charge));
    CHECK_OK(sandbox_answer_challenge(&call, STR("pay_2:authorise"), false));
    CHECK_OK(sandbox_answer_challenge(&call, STR("pay_2:authorise"), true));
    CHECK_OK(sandbox->find(&call, STR("pay_2:authorise"), &charge));
    CHECK_I64(CHARGE_DECLINED, charge.status);
    CHECK_ERR(ERR_CARD_DECLINED, charge.failure);
}

TEST(refunds_are_bounded_by_what_was_captured_and_count_once_by_key)
{
    static const struct {
        const char *key;
        int64_t amount_minor;
        err expected;
    } cases[] = {
        {"rf_1", 4000, ERR_OK            },
        {"rf_1", 4000, ERR_OK            }, /* again: no second effect */
        {"rf_2", 6001, ERR_NOT_REFUNDABLE},
        {"rf_3", 6000, ERR_OK            },
        {"rf_4", 1,    ERR_NOT_REFUNDABLE},
        {"rf_2", 1,    ERR_NOT_REFUNDABLE}, /* a refusal keeps no key, and there is nothing left */
    };
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};
    struct charge charge = {0};

    till_open(&office);
    till_call(&office, &call);
    CHECK_OK(authorise(&call, "pay_1:authorise", "tok_visa", &charge));
    CHECK_ERR(ERR_NOT_REFUNDABLE, give_back(&call, STR("rf_0"), STR("pay_1:authorise"), 1));
    CHECK_OK(sandbox->capture(&call, STR("pay_1:authorise"), &charge));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_ERR(cases[i].expected, give_back(&call, str_of(cases[i].key), STR("pay_1:authorise"),
                                               cases[i].amount_minor));
    CHECK_I64(10000, till_i64(&office, "SELECT refunded_minor FROM sandbox_charge"));
    CHECK_I64(2, till_i64(&office, "SELECT count(*) FROM sandbox_refund"));
    CHECK_ERR(ERR_NOT_REFUNDABLE, give_back(&call, STR("rf_9"), STR("pay_9:authorise"), 1));
}

TEST(the_books_survive_a_restart)
{
    CLEANUP(office_close) struct office office;
    struct charge charge = {0};

    till_open(&office);
    {
        CLEANUP(call_done) struct call call = {0};

        till_call(&office, &call);
        CHECK_ERR(ERR_UNAVAILABLE, authorise(&call, "pay_1:authorise", "tok_timeout", &charge));
        CHECK_OK(authorise(&call, "pay_2:authorise", "tok_visa", &charge));
        CHECK_OK(sandbox->capture(&call, STR("pay_2:authorise"), &charge));
        CHECK_OK(give_back(&call, STR("rf_1"), STR("pay_2:authorise"), 10000));
    }
    office_restart(&office);
    CLEANUP(call_done) struct call call = {0};
    till_call(&office, &call);
    CHECK_I64(CHARGE_AUTHORISED, found(&call, "pay_1:authorise"));
    CHECK_I64(CHARGE_CAPTURED, found(&call, "pay_2:authorise"));
    CHECK_OK(give_back(&call, STR("rf_1"), STR("pay_2:authorise"), 10000));
    CHECK_I64(10000, till_i64(&office, "SELECT refunded_minor FROM sandbox_charge WHERE "
                                       "provider_key = 'pay_2:authorise'"));
}
