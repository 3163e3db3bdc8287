/* platform/node/op_test.c - calls from service to service: here, through JSON, or nowhere. */

#include "platform/node/node_fixture.h"
#include "support/test.h"

/* --- The contract of the service "till" --- */

struct sum_in {
    str name;
    int64_t a;
    int64_t b;
    int64_t c; /* JSON_NULL: none */
};

struct sum_ret {
    str greeting;
    int64_t sum;
    int64_t none;
};

static const struct json_field sum_in_fields[] = {
    JSON_F_TEXT("name", struct sum_in, name, 1, 10, JSON_REQUIRED),
    JSON_F_I64("a", struct sum_in, a, 0, 1000, JSON_REQUIRED),
    JSON_F_I64("b", struct sum_in, b, 0, 1000, JSON_OPTIONAL),
    JSON_F_I64("c", struct sum_in, c, 0, 1000, JSON_NULLABLE),
};
static const struct json_shape sum_in_shape = JSON_SHAPE(sum_in_fields, struct sum_in);
static const struct json_field sum_ret_fields[] = {
    JSON_F_TEXT("greeting", struct sum_ret, greeting, 0, 100, JSON_REQUIRED),
    JSON_F_I64("sum", struct sum_ret, sum, 0, 2000, JSON_REQUIRED),
    JSON_F_I64("none", struct sum_ret, none, 0, 2000, JSON_NULLABLE),
};
static const struct json_shape sum_ret_shape = JSON_SHAPE(sum_ret_fields, struct sum_ret);

OP_DECLARE(till_sum, struct sum_in, struct sum_ret);

static err till_sum_run(struct call *call, const struct sum_in *in, struct sum_ret *ret)
{
    CHECK_STR("till", str_of(call->self->service->name));
    if (in->a == 13) {
        call_member(call, "limit", STR("12"));
        return call_explain(call, ERR_LIMIT_EXCEEDED, "%.*s may have 12 at most.",
                            STR_ARG(in->name));
    }
    if (in->a == 14)
        return call_invalid(call, "/a", "is %d", 14);
    if (in->a == 15)
        (void)call_explain(call, ERR_INTERNAL, "It went well all the same.");
    CHECK(in->c == JSON_NULL || in->c == 7);
    *ret = (struct sum_ret){
        .greeting = arena_printf(call->arena, "Hello %.*s", STR_ARG(in->name)),
        .sum = in->a == 16 ? 9999 : in->a + in->b,
        .none = JSON_NULL,
    };
    return ERR_OK;
}

OP_DEFINE("till", till_sum, struct sum_in, struct sum_ret, &sum_in_shape, &sum_ret_shape);

static const struct op *const till_ops[] = {&till_sum_op, NULL};
static const struct service till = {.name = "till", .ops = till_ops};

/* --- Its callers --- */

/* Before the till: what it opens is not there yet. */
static err open_early(struct instance *self, struct call *call)
{
    struct sum_ret ret;

    (void)self;
    CHECK_ERR(ERR_UNAVAILABLE, till_sum(call, &(struct sum_in){.name = STR("Ana")}, &ret));
    return ERR_OK;
}

static const struct service early = {.name = "early", .open = open_early};
static const struct service clerk = {.name = "clerk"};
static const struct service *const services[] = {&early, &till, &clerk, NULL};
static const struct service *const without_till[] = {&clerk, NULL};

static err forward_sum(struct call *call, const struct op *op, const void *in, void *ret)
{
    CHECK(op == &till_sum_op);
    CHECK_STR("clerk", str_of(call->self->service->name));
    ((struct sum_ret *)ret)->sum = ((const struct sum_in *)in)->a * 2;
    return ERR_OK;
}

TEST(an_op_runs_as_the_service_that_has_it)
{
    CLEANUP(fixture_done) struct fixture fixture;
    CLEANUP(call_done) struct call call;
    struct sum_ret ret = {0};

    fixture_init(&fixture);
    fixture_open(&fixture, services, false);
    call_init(&call, fixture_find(&fixture, "clerk"), "test");
    CHECK_OK(till_sum(&call, &(struct sum_in){STR("Ana"), 2, 3, JSON_NULL}, &ret));
    CHECK_I64(5, ret.sum);
    CHECK_STR("Hello Ana", ret.greeting);
    CHECK_I64(JSON_NULL, ret.none);
    CHECK_OK(till_sum(&call, &(struct sum_in){STR("Ana"), 15, 3, 7}, &ret));
    CHECK_I64(18, ret.sum);
    CHECK(call.problem.detail.ptr == NULL); /* what went well refuses nothing */
    CHECK_STR("clerk", str_of(call.self->service->name));
}

TEST(a_refusal_comes_back_with_its_reasons)
{
    CLEANUP(fixture_done) struct fixture fixture;
    CLEANUP(call_done) struct call call;
    struct sum_ret ret = {.sum = -1};

    fixture_init(&fixture);
    fixture_open(&fixture, services, false);
    call_init(&call, fixture_find(&fixture, "clerk"), "test");
    CHECK_ERR(ERR_LIMIT_EXCEEDED,
              till_sum(&call, &(struct sum_in){STR("Ana"), 13, 0, JSON_NULL}, &ret));
    CHECK_STR("Ana may have 12 at most.", call.problem.detail);
    CHECK_STR(",\"limit\":12", buf_str(&call.problem.members));
    CHECK_ERR(ERR_INVALID, till_sum(&call, &(struct sum_in){STR("Ana"), 14, 0, JSON_NULL}, &ret));
    CHECK_I64(1, (int64_t)call.problem.errors.count);
    CHECK_STR("/a", call.problem.errors.items[0].pointer);
    CHECK_STR("is 14", call.problem.errors.items[0].detail);
    CHECK(call.problem.detail.ptr == NULL);
    CHECK_I64(-1, ret.sum); /* untouched */
}

TEST(an_op_whose_service_runs_elsewhere_is_forwarded_or_unavailable)
{
    CLEANUP(fixture_done) struct fixture fixture;
    CLEANUP(call_done) struct call call;
    struct sum_ret ret = {0};

    fixture_init(&fixture);
    fixture_open(&fixture, without_till, false);
    call_init(&call, fixture_find(&fixture, "clerk"), "test");
    CHECK_ERR(ERR_UNAVAILABLE, till_sum(&call, &(struct sum_in){STR("Ana"), 2, 3, 0}, &ret));
    CHECK_STR("The service \"till\" does not run here.", call.problem.detail);
    fixture.node->forward = forward_sum;
    CHECK_OK(till_sum(&call, &(struct sum_in){STR("Ana"), 21, 3, 0}, &ret));
    CHECK_I64(42, ret.sum);
}

#ifndef NDEBUG_TRAIL
TEST(what_does_not_survive_the_wire_is_found_without_one)
{
    CLEANUP(fixture_done) struct fixture fixture;
    CLEANUP(call_done) struct call call;
    struct sum_ret ret = {.sum = -1};

    fixture_init(&fixture);
    fixture_open(&fixture, services, false);
    call_init(&call, fixture_find(&fixture, "clerk"), "test");
    CHECK_ERR(ERR_INTERNAL, till_sum(&call, &(struct sum_in){STR("Ana"), 1001, 3, 7}, &ret));
    CHECK_ERR(ERR_INTERNAL, till_sum(&call, &(struct sum_in){.a = 1, .c = 7}, &ret));
    CHECK_ERR(ERR_INTERNAL, till_sum(&call, &(struct sum_in){STR("Ana"), 16, 3, 7}, &ret));
    CHECK_I64(3, fixture_logged(&fixture, "op.lost_on_wire"));
    CHECK_I64(1, fixture_logged(&fixture, "of=ret"));
    CHECK_I64(-1, ret.sum);
}
#endif

/* --- The call itself --- */

TEST(a_call_has_one_time_and_a_name_of_its_own)
{
    CLEANUP(fixture_done) struct fixture fixture;
    CLEANUP(call_done) struct call call;

    fixture_init(&fixture);
    fixture_open(&fixture, services, false);
    call_init(&call, fixture_find(&fixture, "clerk"), "feed:a-b");
    CHECK_I64(FIXTURE_START_MS, call.now_ms);
    CHECK(str_starts(call.request_id, STR("feed:a-b-")));
    CHECK_I64(9 + 16, (int64_t)call.request_id.size);
    CHECK(call.may_block);
    const str first = arena_str(fixture.arena, call.request_id);
    const struct uuid id = call_uuid(&call);
    CHECK(!uuid_eq(id, call_uuid(&call)));

    CHECK_ERR(ERR_SOLD_OUT, call_explain(&call, ERR_SOLD_OUT, "%d left", 0));
    call.caller.role = ROLE_ADMIN;
    clock_manual_advance(&fixture.clock, 5);
    call_next(&call);
    CHECK_I64(FIXTURE_START_MS + 5, call.now_ms);
    CHECK(str_starts(call.request_id, STR("feed:a-b-")));
    CHECK(!str_eq(first, call.request_id));
    CHECK(call.problem.detail.ptr == NULL);
    CHECK_I64(ROLE_ANONYMOUS, call.caller.role);
}

TEST(what_a_call_says_is_bounded)
{
    CLEANUP(fixture_done) struct fixture fixture;
    CLEANUP(call_done) struct call call;
    struct buf long_text;

    fixture_init(&fixture);
    fixture_open(&fixture, services, false);
    call_init(&call, fixture_find(&fixture, "clerk"), "test");
    long_text = buf_in(call.arena, 10000);
    for (int i = 0; i < 1000; i++)
        buf_add_cstr(&long_text, "\xd9\x85"); /* two bytes each: the limit falls within one */
    CHECK_ERR(ERR_INVALID, call_explain(&call, ERR_INVALID, "%s", long_text.data));
    CHECK_I64(998, (int64_t)call.problem.detail.size);
    CHECK(str_is_utf8(call.problem.detail));

    for (int i = 0; i < JSON_ERRORS_MAX + 5; i++)
        CHECK_ERR(ERR_INVALID, call_invalid(&call, "/x", "%d", i));
    CHECK_I64(JSON_ERRORS_MAX, (int64_t)call.problem.errors.count);
    CHECK_STR("15", call.problem.errors.items[JSON_ERRORS_MAX - 1].detail);

    call_member(&call, "a\"b", STR("1"));
    call_member(&call, "c", STR("[]"));
    CHECK_STR(",\"a\\\"b\":1,\"c\":[]", buf_str(&call.problem.members));
    const str why = call_failure(&call, ERR_INVALID);
    CHECK(str_starts(why, STR("invalid_field: ")));
}
