/* payment/till_fixture.c - see till_fixture.h. */
#include "services/payment/till_fixture.h"

#include <stdio.h>

#include "support/test.h"

enum { SQL_SIZE_MAX = 2048, SETTLE_ROUNDS = 45 };

static const struct service *const services[] = {&payment_service, NULL};

void till_open(struct office *office)
{
    till_open_with(office, NULL);
}

void till_open_with(struct office *office, const char *const *settings)
{
    const struct office_options options = {
        .services = services, .settings = settings, .forward = stand_in_forward};

    stand_in_reset();
    office_open(office, &options);
    office_run_due(office); /* the chores have had their look at the start */
}

void till_call(struct office *office, struct call *call)
{
    office_call(office, "payment", call);
    call->caller = (struct caller){.role = ROLE_CUSTOMER, .user = office_user(1)};
}

struct ask till_asking(struct office *office, const char *who, const char *key, order_id order,
                       const char *method, const char *token)
{
    struct arena *arena = office->arena;
    const str quoted = token != NULL ? arena_printf(arena, ",\"token\":\"%s\"", token) : STR("");
    const str body =
        arena_printf(arena, "{\"order_id\":\"%s\",\"method\":\"%s\"%.*s}",
                     id_format(ORDER_PREFIX, order.uuid).text, method, STR_ARG(quoted));

    return (struct ask){
        .who = who, .method = "POST", .path = "/payment", .key = key, .body = body.ptr};
}

struct answer till_pay(struct office *office, const char *who, const char *key, order_id order,
                       const char *token)
{
    const struct ask ask = till_asking(office, who, key, order, "card", token);

    return office_ask(office, &ask);
}

struct attempt till_attempt(struct office *office, const char *key)
{
    CLEANUP(call_done) struct call call = {0};
    static const char digest[32];

    till_call(office, &call);
    const struct attempt attempt = {
        .id = {call_uuid(&call)},
        .order = stand_in_sell(office_user(1), 10000, NULL),
        .user = office_user(1),
        .method = STR("card"),
        .provider = STR("sandbox"),
        .amount = { 10000,         {"EGP"}},
        .idem_key = str_of(key),
        .idem_digest = { digest,  sizeof(digest)},
        .created_at_ms = call.now_ms,
        .lease_ms = call.now_ms + ATTEMPT_LEASE_MS,
    };
    CHECK_OK(attempt_insert(&call, &attempt));
    return attempt;
}

enum attempt_state till_state(struct office *office, attempt_id id)
{
    CLEANUP(call_done) struct call call = {0};
    struct attempt attempt = {0};

    till_call(office, &call);
    CHECK_OK(attempt_find(&call, id, &attempt));
    return attempt.state;
}

int64_t till_i64(struct office *office, const char *format, ...)
{
    char sql[SQL_SIZE_MAX];
    va_list args;

    va_start(args, format);
    const int size = vsnprintf(sql, sizeof(sql), format, args);
    va_end(args);
    CHECK(size > 0 && (size_t)size < sizeof(sql));
    return office_i64(office, "payment", sql);
}

const char *till_sql_id(struct office *office, struct uuid id)
{
    struct buf text = buf_in(office->arena, 64);

    buf_add_cstr(&text, "X'");
    for (size_t i = 0; i < sizeof(id.bytes); i++)
        buf_printf(&text, "%02x", id.bytes[i]);
    buf_add_cstr(&text, "'");
    return buf_str(&text).ptr;
}

int64_t till_charges(struct office *office, order_id order, enum charge_status status)
{
    return till_i64(office,
                    "SELECT count(*) FROM sandbox_charge c JOIN payment_attempt a "
                    "ON a.provider_key = c.provider_key WHERE a.order_id = %s AND c.status = %d",
                    till_sql_id(office, order.uuid), (int)status);
}

void till_settle_down(struct office *office)
{
    for (int i = 0; i < SETTLE_ROUNDS; i++)
        office_advance(office, ATTEMPT_LEASE_MS);
}

void till_check_audit(struct office *office)
{
    CLEANUP(call_done) struct call call = {0};
    str found = STR_ABSENT;

    till_call(office, &call);
    const err e = payment_audit(&call, &found);
    if (e != ERR_OK)
        print_error("audit: %.*s\n", STR_ARG(found));
    CHECK_OK(e);
}
