/* gateway/gateway_test.c - whose a request is, and how often it may come. */
#include "services/gateway/gateway.h"

#include "services/identity/identity.h"
#include "support/office.h"
#include "support/redis.h"
#include "support/test.h"

enum { SIGN_IN_BURST = 400, SIGN_IN_PER_S = 20, ACCOUNT_BURST = 1000 };

static const struct service *const services[] = {&identity_service, &gateway_service, NULL};

static void open_office(struct office *office, const char *const *settings)
{
    office_open(office, &(struct office_options){.services = services,
                                                 .settings = settings,
                                                 .authenticate = gateway_authenticate,
                                                 .admit = gateway_admit});
}

static struct answer get(struct office *office, const char *who, const char *path)
{
    const struct ask ask = {.who = who, .method = "GET", .path = path};

    return office_ask(office, &ask);
}

/* Refused by the handler, so that it costs nothing but its turn. */
static int sign_in(struct office *office)
{
    const struct ask ask = {.method = "POST", .path = "/login", .body = "{"};

    return office_ask(office, &ask).status;
}

static const char *registered(struct office *office, const char *email)
{
    const str body = arena_printf(
        office->arena,
        "{\"email\":\"%s\",\"password\":\"12345678\",\"name\":\"A\",\"role\":\"customer\"}", email);
    const struct ask ask = {.method = "POST", .path = "/register", .body = body.ptr};
    const struct answer answer = office_ask(office, &ask);

    check_status(201, &answer);
    return answer_at(office->arena, &answer, "/access_token").ptr;
}

TEST(a_token_says_who_asks)
{
    CLEANUP(office_close) struct office office;

    open_office(&office, NULL);
    const char *ana = registered(&office, "ana@b.org");
    const char *eva = registered(&office, "eva@b.org");
    const struct answer of_ana = get(&office, ana, "/users/me");
    const struct answer of_eva = get(&office, eva, "/users/me");
    CHECK_STR("ana@b.org", answer_at(office.arena, &of_ana, "/email"));
    CHECK_STR("eva@b.org", answer_at(office.arena, &of_eva, "/email"));
    const struct answer nobody = get(&office, NULL, "/users/me");
    check_problem(office.arena, &nobody, 401, "unauthenticated");
    const struct answer nonsense = get(&office, "nonsense", "/users/me");
    check_problem(office.arena, &nonsense, 401, "token_revoked");
    CHECK_I64(200, get(&office, "nonsense", "/assets/page.css").status); /* asks for no token */
}

TEST(a_service_that_is_away_makes_its_pages_unavailable)
{
    CLEANUP(office_close) struct office office;

    open_office(&office, NULL);
    const struct answer answer = get(&office, NULL, "/");
    check_problem(office.arena, &answer, 503, "unavailable");
    CHECK(answer_header(&answer, "Retry-After").size > 0);
}

TEST(health_checks_belong_to_nobody_and_are_not_counted)
{
    CLEANUP(office_close) struct office office;

    open_office(&office, NULL);
    for (int i = 0; i < 3; i++) {
        CHECK_I64(200, get(&office, NULL, "/healthz").status);
        CHECK_I64(200, get(&office, NULL, "/readyz").status);
        CHECK_I64(404, get(&office, NULL, "/nowhere").status);
    }
}

TEST(signing_in_is_limited_per_network_and_nothing_else_suffers)
{
    CLEANUP(office_close) struct office office;

    open_office(&office, NULL);
    const char *ana =
        registered(&office, "ana@b.org"); /* registration comes out of the same bucket */
    for (int i = 1; i < SIGN_IN_BURST; i++)
        CHECK_I64(400, sign_in(&office));
    const struct ask ask = {.method = "POST", .path = "/login", .body = "{}"};
    const struct answer refused = office_ask(&office, &ask);
    check_problem(office.arena, &refused, 429, "rate_limited");
    CHECK_STR("1", answer_header(&refused, "Retry-After"));
    const struct ask registration = {.method = "POST", .path = "/register", .body = "{}"};
    CHECK_I64(429, office_ask(&office, &registration).status);
    CHECK_I64(200, get(&office, ana, "/users/me").status);
    CHECK_I64(200, get(&office, NULL, "/assets/page.css").status);

    clock_manual_advance(&office.clock, 1000);
    for (int i = 0; i < SIGN_IN_PER_S; i++)
        CHECK_I64(400, sign_in(&office));
    CHECK_I64(429, sign_in(&office));
}

TEST(an_account_is_limited_by_itself)
{
    CLEANUP(office_close) struct office office;

    open_office(&office, NULL);
    const char *ana = registered(&office, "ana@b.org");
    const char *eva = registered(&office, "eva@b.org");
    for (int i = 0; i < ACCOUNT_BURST; i++)
        CHECK_I64(200, get(&office, ana, "/users/me").status);
    const struct answer refused = get(&office, ana, "/users/me");
    check_problem(office.arena, &refused, 429, "rate_limited");
    CHECK_I64(200, get(&office, eva, "/users/me").status);
    clock_manual_advance(&office.clock, 5); /* 200 a second: one more */
    CHECK_I64(200, get(&office, ana, "/users/me").status);
    CHECK_I64(429, get(&office, ana, "/users/me").status);
}

TEST(limits_can_be_switched_off)
{
    static const char *const settings[] = {"gateway.rate_limit=off", NULL};
    CLEANUP(office_close) struct office office;

    open_office(&office, settings);
    for (int i = 0; i < SIGN_IN_BURST + 10; i++)
        CHECK_I64(400, sign_in(&office));
}

/* --- Two instances --- */

/* How many sign-ins it lets through before it says no. */
static int sign_ins(struct office *office)
{
    int count = 0;

    for (;;) {
        const int status = sign_in(office);
        if (status == 429)
            return count;
        CHECK_I64(400, status);
        count++;
    }
}

TEST(instances_share_a_limit_and_redis_may_go_away_in_the_middle)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    CLEANUP(redis_close) struct redis_server redis = {0};
    CLEANUP(office_close) struct office one = {0};
    CLEANUP(office_close) struct office other = {0};
    const char *settings[] = {NULL, "cache.deadline_ms=10000", NULL};

    redis_open(&redis, arena, NULL, NULL);
    settings[0] = arena_printf(arena, "cache.url=%s", redis.url).ptr;
    open_office(&one, settings);
    open_office(&other, settings);
    office_await_gauge(&one, "boxoffice_cache_up", 1);
    office_await_gauge(&other, "boxoffice_cache_up", 1);
    CHECK_I64(SIGN_IN_BURST, sign_ins(&one));
    CHECK(sign_ins(&other) <= SIGN_IN_BURST / 16);

    clock_manual_advance(&one.clock, 1000000);
    clock_manual_advance(&other.clock, 1000000);
    for (int i = 0; i < SIGN_IN_BURST / 2; i++)
        CHECK_I64(400, sign_in(&one));
    redis_kill(&redis);
    CHECK_I64(SIGN_IN_BURST / 2, sign_ins(&one)); /* its own count goes on */
    CHECK_I64(200, get(&one, NULL, "/readyz").status);
    office_await_gauge(&other, "boxoffice_cache_up", 0);
    CHECK(sign_ins(&other) >= SIGN_IN_BURST / 2);
    CHECK_I64(0, office_logged(&one, "error"));
}
