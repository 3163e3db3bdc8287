/* identity/session_test.c - sign-in and sign-out over HTTP, on a clock that the test moves; and the memory of verdicts. */
#include "services/identity/session.h"

#include <string.h>

#include "services/identity/people_fixture.h"
#include "services/identity/session_cache.h"
#include "services/identity/throttle.h"
#include "support/test.h"

static struct answer me(struct people *people, const char *token)
{
    const struct ask ask = {.who = token, .method = "GET", .path = "/users/me"};

    return http_ask(people->server, people->arena, &ask);
}

TEST(unknown_and_wrong_get_the_same_answer)
{
    CLEANUP(people_close) struct people people;

    people_open(&people);
    (void)people_register(&people, "ana", "customer");
    const struct answer wrong = people_login(&people, "ana@example.test", "wrong horse");
    const struct answer unknown = people_login(&people, "nobody@example.test", "wrong horse");
    CHECK_I64(401, wrong.status);
    CHECK_I64(401, unknown.status);
    CHECK_STR("invalid_credentials", answer_at(people.arena, &wrong, "/code"));
    CHECK(str_eq(answer_at(people.arena, &wrong, "/title"),
                 answer_at(people.arena, &unknown, "/title")));
    CHECK(str_eq(answer_at(people.arena, &wrong, "/detail"),
                 answer_at(people.arena, &unknown, "/detail")));
}

TEST(a_token_is_dead_as_soon_as_logout_answers)
{
    CLEANUP(people_close) struct people people;

    people_open(&people);
    const char *token = people_register(&people, "ana", "customer");
    CHECK_I64(200, me(&people, token).status); /* its verdict is in memory now */
    CHECK_I64(204, people_post(&people, token, "/logout", NULL).status);
    const struct answer dead = me(&people, token);
    CHECK_I64(401, dead.status);
    CHECK_STR("token_revoked", answer_at(people.arena, &dead, "/code"));
    CHECK_I64(401, people_post(&people, token, "/logout", NULL).status);
    const struct answer again = people_login(&people, "ana@example.test", "correct horse");
    CHECK_I64(200, again.status);
    CHECK_I64(
        200, me(&people, arena_cstr(people.arena, answer_at(people.arena, &again, "/access_token")))
                 .status);
}

TEST(a_token_ends_by_the_clock)
{
    CLEANUP(people_close) struct people people;

    people_open(&people);
    const char *token = people_register(&people, "ana", "customer");
    clock_manual_advance(&people.clock, ACCESS_LIFE_S * INT64_C(1000) - 1);
    CHECK_I64(200, me(&people, token).status);
    clock_manual_advance(&people.clock, 1);
    const struct answer ended = me(&people, token);
    CHECK_I64(401, ended.status);
    CHECK_STR("token_expired", answer_at(people.arena, &ended, "/code"));
    const struct answer forged = me(&people, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    CHECK_STR("token_revoked", answer_at(people.arena, &forged, "/code"));
}

TEST(guessing_is_slowed_down_known_address_or_not)
{
    static const char *const addresses[] = {"ana@example.test", "nobody@example.test"};
    CLEANUP(people_close) struct people people;

    people_open(&people);
    (void)people_register(&people, "ana", "customer");
    for (size_t i = 0; i < 2; i++) {
        for (int n = 0; n < THROTTLE_FREE; n++)
            CHECK_I64(401, people_login(&people, addresses[i], "wrong horse").status);
        const struct answer slow = people_login(&people, addresses[i], "correct horse");
        CHECK_I64(429, slow.status);
        CHECK_STR("1", answer_header(&slow, "retry-after"));
    }
    clock_manual_advance(&people.clock, 1000);
    CHECK_I64(200, people_login(&people, "ana@example.test", "correct horse").status);
    CHECK_I64(401, people_login(&people, "ana@example.test", "wrong horse")
                       .status); /* counted from the beginning again */
}

TEST(the_wait_doubles_up_to_its_bound)
{
    static const struct {
        int64_t failures;
        int64_t delay_s;
    } cases[] = {
        {0,   0  },
        {4,   0  },
        {5,   1  },
        {6,   2  },
        {7,   4  },
        {13,  256},
        {14,  300},
        {999, 300},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_I64(cases[i].delay_s, throttle_delay_s(cases[i].failures));
}

/* --- The memory of verdicts --- */

static struct token_hash hash_of(int n)
{
    struct token_hash hash = {{0}};

    memcpy(hash.bytes, &n, sizeof(n));
    return hash;
}

TEST(a_verdict_read_before_a_logout_is_not_kept_after_it)
{
    struct session_cache *cache = session_cache_new();
    const struct token_hash hash = hash_of(16);
    struct identity_token_verified verdict = {.role = ROLE_CUSTOMER};
    uint64_t generation = 0;

    CHECK(!session_cache_find(cache, &hash, &verdict, &generation));
    session_cache_remove(cache, &hash); /* the logout of somebody else's thread */
    session_cache_put(cache, &hash, &verdict, generation);
    CHECK(!session_cache_find(cache, &hash, &verdict, &generation));
    session_cache_put(cache, &hash, &verdict, generation);
    CHECK(session_cache_find(cache, &hash, &verdict, &generation));
    CHECK_I64(ROLE_CUSTOMER, verdict.role);
    session_cache_free(cache);
}

TEST(the_memory_of_verdicts_is_bounded)
{
    struct session_cache *cache = session_cache_new();
    struct identity_token_verified verdict = {.role = ROLE_VENDOR};
    uint64_t generation = 0;
    int known = 0;

    for (int n = 0; n < SESSION_CACHE_SHARDS * SESSION_CACHE_SHARD_MAX * 2; n++) {
        const struct token_hash hash = hash_of(n);

        (void)session_cache_find(cache, &hash, &verdict, &generation);
        session_cache_put(cache, &hash, &verdict, generation);
    }
    for (int n = 0; n < SESSION_CACHE_SHARDS * SESSION_CACHE_SHARD_MAX * 2; n++) {
        const struct token_hash hash = hash_of(n);

        known += session_cache_find(cache, &hash, &verdict, &generation);
    }
    CHECK(known > 0 && known <= SESSION_CACHE_SHARDS * SESSION_CACHE_SHARD_MAX);
    session_cache_free(cache);
}
