/* payment/stripe_fixture.c - see stripe_fixture.h. */
#include "services/payment/stripe_fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "support/json_at.h"
#include "support/scratch.h"
#include "support/test.h"

enum { COMMAND_SIZE_MAX = 4096, SETTLE_ROUNDS = 24, SETTLE_QUICK = 10, SETTLE_LEAP_MS = 180000 };

static const char *secret_file(struct arena *arena, const char *name, const char *secret)
{
    const str path = arena_printf(arena, "%s/%s", scratch_dir(arena), name);
    FILE *file = fopen(path.ptr, "wx");

    CHECK(file != NULL && chmod(path.ptr, 0600) == 0);
    CHECK(fprintf(file, "%s\n", secret) > 0 && fclose(file) == 0);
    return path.ptr;
}

static void tell_time(struct stripe_till *till)
{
    (void)stripe_command(till, "{\"quiet\":true,\"now_s\":%lld}",
                         (long long)(clock_now_ms(&till->office.clock.clock) / 1000));
}

void stripe_till_open(struct stripe_till *till)
{
    const char *const args[] = {"node", FAKE_STRIPE, NULL};
    static const struct fetcher_options options = {.timeout_ms = 30000};

    *till = (struct stripe_till){.arena = arena_open(0)};
    struct arena *arena = till->arena;
    till->fake = beside_open(arena, args);
    till->base = arena_printf(arena, "http://127.0.0.1:%d", (int)beside_port(&till->fake)).ptr;
    CHECK_OK(fetcher_open(&options, &till->fetcher));
    size_t count = 0;
    till->settings[count++] = "payment.card_provider=stripe";
    till->settings[count++] = "payment.stripe.retry_ms=1";
    till->settings[count++] = "payment.stripe.timeout_ms=1000";
    till->settings[count++] = arena_printf(arena, "payment.stripe.api_base=%s", till->base).ptr;
    till->settings[count++] = arena_printf(arena, "payment.stripe.secret_key_file=%s",
                                           secret_file(arena, "key", "sk_test_of_a_test"))
                                  .ptr;
    till->settings[count++] = arena_printf(arena, "payment.stripe.webhook_secret_file=%s",
                                           secret_file(arena, "webhook", STRIPE_WEBHOOK_SECRET))
                                  .ptr;
    till_open_with(&till->office, till->settings);
    tell_time(till);
}

void stripe_till_close(struct stripe_till *till)
{
    office_close(&till->office);
    till->fetcher->close(till->fetcher);
    beside_close(&till->fake);
    arena_close(till->arena);
}

str stripe_command(struct stripe_till *till, const char *format, ...)
{
    char command[COMMAND_SIZE_MAX];
    struct fetch_answer answer = {0};
    va_list args;

    va_start(args, format);
    const int size = vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    CHECK(size > 0 && (size_t)size < sizeof(command));
    const struct fetch_request request = {
        .method = "POST",
        .url = arena_printf(till->arena, "%s/_control", till->base),
        .body = {command, (size_t)size},
    };
    CHECK_OK(till->fetcher->send(till->fetcher, till->arena, &request, &answer, NULL));
    if (answer.status == 500)
        print_error("%.*s\n", STR_ARG(answer.body));
    CHECK(answer.status != 500);
    return answer.body;
}

int64_t stripe_count(struct stripe_till *till, order_id order, const char *name)
{
    const str body = stripe_command(till, "{\"quiet\":true}");
    const str pointer =
        arena_printf(till->arena, "/orders/%s/%s", id_format(ORDER_PREFIX, order.uuid).text, name);
    int64_t count = 0;

    return str_to_i64(json_at(till->arena, body, pointer.ptr), &count) ? count : 0;
}

void stripe_fault(struct stripe_till *till, const char *op, const char *kind, int skip, int count)
{
    if (kind == NULL)
        (void)stripe_command(till, "{\"quiet\":true,\"faults\":[]}");
    else
        (void)stripe_command(till,
                             "{\"quiet\":true,\"faults\":[{\"op\":\"%s\",\"kind\":\"%s\","
                             "\"skip\":%d,\"count\":%d,\"ms\":1500}]}",
                             op, kind, skip, count);
}

str stripe_page(struct stripe_till *till, order_id order)
{
    CLEANUP(call_done) struct call call = {0};
    struct attempt attempt = {0};

    till_call(&till->office, &call);
    CHECK_OK(attempt_find(&call, stand_in_order(order).attempt, &attempt));
    return arena_str(till->arena, attempt.redirect_url);
}

void stripe_pay(struct stripe_till *till, order_id order, const char *card)
{
    (void)stripe_command(till, "{\"quiet\":true,\"pay\":{\"url\":\"%.*s\",\"card\":\"%s\"}}",
                         STR_ARG(stripe_page(till, order)), card);
}

void stripe_advance(struct stripe_till *till, int64_t by_ms)
{
    clock_manual_advance(&till->office.clock, by_ms);
    tell_time(till);
    office_advance(&till->office, 0);
}

void stripe_settle_down(struct stripe_till *till)
{
    for (int i = 0; i < SETTLE_ROUNDS; i++)
        stripe_advance(till, i < SETTLE_QUICK ? ATTEMPT_LEASE_MS : SETTLE_LEAP_MS);
}
