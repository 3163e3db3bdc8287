/* identity/session_share_test.c - two instances on one database, with a Redis between them and
 * without. */
#include "services/identity/session_share.h"

#include <time.h>

#include "services/identity/identity_fixture.h"
#include "support/redis.h"
#include "support/test.h"

enum { PATIENCE_MS = 30000 };

struct lab {
    struct arena *arena;
    struct redis_server redis;
    struct office one; /* signs in and out */
    struct office other;
};

static void open_lab(struct lab *lab, bool with_redis)
{
    const char *settings[] = {"cache.url=memory:", "cache.deadline_ms=10000", NULL};

    *lab = (struct lab){.arena = arena_open(0)};
    if (with_redis) {
        redis_open(&lab->redis, lab->arena, NULL, NULL);
        settings[0] = arena_printf(lab->arena, "cache.url=%s", lab->redis.url).ptr;
    }
    identity_fixture_open_with(&lab->one, settings, NULL);
    identity_fixture_open_with(&lab->other, settings, lab->one.dir);
    office_await_gauge(&lab->one, "boxoffice_cache_up", 1);
    office_await_gauge(&lab->other, "boxoffice_cache_up", 1);
}

static void close_lab(struct lab *lab)
{
    office_close(&lab->other);
    office_close(&lab->one);
    redis_close(&lab->redis);
    arena_close(lab->arena);
}

static void advance(struct lab *lab, int64_t by_ms)
{
    office_advance(&lab->one, by_ms);
    office_advance(&lab->other, by_ms);
}

static const char *sign_in(struct lab *lab)
{
    const struct answer answer = identity_register(&lab->one, "ana@b.org", "12345678");

    return identity_token(&lab->one, &answer);
}

static int64_t status_at(struct office *office, const char *token)
{
    return identity_me(office, token).status;
}

static void sign_out(struct lab *lab, const char *token)
{
    CHECK_I64(204, identity_ask(&lab->one, token, "POST", "/logout", NULL).status);
    CHECK_I64(401, status_at(&lab->one, token));
}

/* --- With Redis --- */

TEST(others_hear_of_a_logout_although_no_time_passes)
{
    CLEANUP(close_lab) struct lab lab;
    const struct timespec moment = {.tv_nsec = 1000000};

    open_lab(&lab, true);
    const char *token = sign_in(&lab);
    CHECK_I64(200, status_at(&lab.one, token));
    CHECK_I64(200, status_at(&lab.other, token));
    sign_out(&lab, token);
    for (int i = 0; i < PATIENCE_MS && status_at(&lab.other, token) != 401; i++)
        (void)nanosleep(&moment, NULL);
    const struct answer dead = identity_me(&lab.other, token);
    check_problem(lab.other.arena, &dead, 401, "token_revoked");
}

TEST(what_one_instance_has_read_another_need_not_but_not_for_long)
{
    CLEANUP(close_lab) struct lab lab;

    open_lab(&lab, true);
    const char *token = sign_in(&lab);
    CHECK_I64(200, status_at(&lab.one, token));
    office_exec(&lab.one, "identity", "DELETE FROM user_session"); /* and nobody is told */
    CHECK_I64(200, status_at(&lab.other, token));
    advance(&lab, SESSION_VERDICT_LIFE_MS - 1);
    CHECK_I64(200, status_at(&lab.other, token)); /* is not made younger by being handed on */
    advance(&lab, 1);
    CHECK_I64(401, status_at(&lab.other, token));
    CHECK_I64(401, status_at(&lab.one, token));
}

TEST(a_verdict_handed_on_says_all_that_the_database_said)
{
    CLEANUP(close_lab) struct lab lab;
    CLEANUP(call_done) struct call call = {0};
    struct identity_token_verified first = {0};
    struct identity_token_verified second = {0};

    open_lab(&lab, true);
    const struct answer answer =
        identity_ask(&lab.one, NULL, "POST", "/register",
                     "{\"email\":\"v@b.org\",\"password\":\"12345678\",\"name\":\"V\","
                     "\"role\":\"vendor\",\"vendor_name\":\"Stage\"}");
    const struct identity_token_verify in = {.token = str_of(identity_token(&lab.one, &answer))};
    identity_fixture_call(&lab.one, &call);
    CHECK_OK(identity_token_verify(&call, &in, &first));
    call_done(&call);
    office_exec(&lab.one, "identity", "DELETE FROM user_session");
    identity_fixture_call(&lab.other, &call);
    CHECK_OK(identity_token_verify(&call, &in, &second));
    CHECK(uuid_eq(first.user.uuid, second.user.uuid));
    CHECK(uuid_eq(first.vendor.uuid, second.vendor.uuid) && !uuid_is_zero(second.vendor.uuid));
    CHECK(uuid_eq(first.session.uuid, second.session.uuid));
    CHECK_I64(ROLE_VENDOR, second.role);
    CHECK_I64(first.expires_at_ms, second.expires_at_ms);
}

TEST(redis_may_go_away_in_the_middle_and_a_logout_holds)
{
    CLEANUP(close_lab) struct lab lab;

    open_lab(&lab, true);
    const char *token = sign_in(&lab);
    CHECK_I64(200, status_at(&lab.other, token));
    redis_kill(&lab.redis);
    CHECK_I64(200, status_at(&lab.other, token));
    sign_out(&lab, token); /* it may have been noticed, or not */
    advance(&lab, SESSION_VERDICT_LIFE_MS);
    CHECK_I64(401, status_at(&lab.other, token));
    CHECK_I64(200, identity_ask(&lab.other, NULL, "GET", "/readyz", NULL).status);
    const struct answer again = identity_login(&lab.one, "ana@b.org", "12345678");
    CHECK_I64(200, status_at(&lab.other, identity_token(&lab.one, &again)));
}

TEST(redis_that_comes_back_empty_brings_no_session_back)
{
    CLEANUP(close_lab) struct lab lab;

    open_lab(&lab, true);
    const char *token = sign_in(&lab);
    CHECK_I64(200, status_at(&lab.other, token));
    sign_out(&lab, token);
    redis_kill(&lab.redis);
    redis_start(&lab.redis);
    office_await_gauge(&lab.one, "boxoffice_cache_up", 0);
    office_await_gauge(&lab.other, "boxoffice_cache_up", 0);
    for (int i = 0; i < PATIENCE_MS && office_gauge(&lab.other, "boxoffice_cache_up") == 0; i++)
        advance(&lab, 1000);
    CHECK_I64(401, status_at(&lab.other, token));
    CHECK_I64(401, status_at(&lab.one, token));
}

/* --- Without --- */

TEST(without_redis_a_logout_reaches_others_within_a_second)
{
    CLEANUP(close_lab) struct lab lab;

    open_lab(&lab, false);
    const char *token = sign_in(&lab);
    CHECK_I64(200, status_at(&lab.other, token));
    sign_out(&lab, token);
    CHECK_I64(200, status_at(&lab.other, token)); /* cannot know yet */
    advance(&lab, SESSION_VERDICT_LIFE_MS - 1);
    CHECK_I64(200, status_at(&lab.other, token));
    advance(&lab, 1);
    CHECK_I64(401, status_at(&lab.other, token));
}
