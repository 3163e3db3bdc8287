/* identity/session_test.c - signing in and out, and how long a token is worth something. */
#include "services/identity/session.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "services/identity/identity_fixture.h"
#include "support/sql_watch.h"
#include "support/test.h"
#include "support/test_database.h"

enum { CROWD = 6 };

TEST(a_sign_in_gives_a_session_of_its_own)
{
    CLEANUP(office_close) struct office office;

    identity_fixture_open(&office);
    const struct answer registered = identity_register(&office, "ana@b.org", "12345678");
    const struct answer login = identity_login(&office, "ana@b.org", "12345678");
    check_status(200, &login);
    const char *const pointers[] = {"/access_token", "/refresh_token"};
    for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
        const str first = answer_at(office.arena, &registered, pointers[i]);
        const str second = answer_at(office.arena, &login, pointers[i]);

        CHECK_I64(43, second.size);
        CHECK(!str_eq(first, second));
    }
    CHECK_STR("43200", answer_at(office.arena, &login, "/expires_in"));
    CHECK_STR(answer_at(office.arena, &registered, "/user").ptr,
              answer_at(office.arena, &login, "/user"));
    CHECK_I64(200, identity_me(&office, identity_token(&office, &registered)).status);
    CHECK_I64(200, identity_me(&office, identity_token(&office, &login)).status);
}

/* Without the header that tells the time. */
static str comparable(struct office *office, const struct answer *answer)
{
    struct buf text = buf_in(office->arena, 16384);
    str rest = answer->headers;
    str line = STR_ABSENT;

    while (str_split(&rest, '\n', &line))
        if (!str_starts(line, STR("date:")) && !str_starts(line, STR("Date:")) &&
            !str_starts(line, STR("traceparent:")))
            buf_add(&text, line);
    buf_add(&text, answer->body);
    return buf_str(&text);
}

TEST(wrong_passwords_and_unknown_addresses_get_the_same_answer)
{
    CLEANUP(office_close) struct office office;

    identity_fixture_open(&office);
    CHECK_I64(201, identity_register(&office, "ana@b.org", "12345678").status);
    const struct answer wrong = identity_login(&office, "ana@b.org", "12345679");
    const struct answer unknown = identity_login(&office, "eva@b.org", "12345678");
    check_problem(office.arena, &wrong, 401, "invalid_credentials");
    CHECK_STR(comparable(&office, &wrong).ptr, comparable(&office, &unknown));
    CHECK_I64(2, office_i64(&office, "identity", "SELECT sum(failures) FROM sign_in_failure"));
    CHECK_I64(2, office_i64(&office, "identity", "SELECT count(*) FROM sign_in_failure"));
}

TEST(tokens_that_are_none_are_refused)
{
    static const struct {
        const char *headers;
        const char *code;
    } cases[] = {
        {NULL,                                                                     "unauthenticated"},
        {"Authorization: Basic YTpi\r\n",                                          "unauthenticated"},
        {"Authorization: Bearer\r\n",                                              "unauthenticated"},
        {"Authorization: Bearer a b\r\n",                                          "unauthenticated"},
        {"Authorization: Bearer x\r\n",                                            "token_revoked"  },
        {"Authorization: Bearer AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n",  "token_revoked"  },
        {"Authorization: Bearer AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n", "token_revoked"  },
    };
    CLEANUP(office_close) struct office office;

    identity_fixture_open(&office);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct ask ask = {.method = "GET", .path = "/users/me", .headers = cases[i].headers};
        const struct answer answer = office_ask(&office, &ask);

        check_problem(office.arena, &answer, 401, cases[i].code);
        CHECK(str_starts(answer_header(&answer, "WWW-Authenticate"), STR("Bearer")));
    }
    const struct answer registered = identity_register(&office, "ana@b.org", "12345678");
    const str refresh = answer_at(office.arena, &registered, "/refresh_token");
    const struct answer refused = identity_me(&office, refresh.ptr); /* is no access token */
    check_problem(office.arena, &refused, 401, "token_revoked");
}

TEST(a_logout_ends_its_own_session_and_no_other)
{
    CLEANUP(office_close) struct office office;

    identity_fixture_open(&office);
    const struct answer registered = identity_register(&office, "ana@b.org", "12345678");
    const struct answer login = identity_login(&office, "ana@b.org", "12345678");
    const char *first = identity_token(&office, &registered);
    const char *second = identity_token(&office, &login);
    CHECK_I64(200, identity_me(&office, first).status); /* its verdict is in memory now */
    CHECK_I64(200, identity_me(&office, second).status);
    CHECK_I64(204, identity_ask(&office, first, "POST", "/logout", NULL).status);
    const struct answer dead = identity_me(&office, first);
    check_problem(office.arena, &dead, 401, "token_revoked");
    const struct answer again = identity_ask(&office, first, "POST", "/logout", NULL);
    check_problem(office.arena, &again, 401, "token_revoked");
    CHECK_I64(200, identity_me(&office, second).status);

    office_restart(&office);
    const struct answer still = identity_me(&office, first);
    check_problem(office.arena, &still, 401, "token_revoked");
    CHECK_I64(200, identity_me(&office, second).status);
}

/* --- While it ends --- */

struct asker {
    pthread_t thread;
    struct office *office;
    const char *token;
    _Atomic bool *ended; /* the logout has been answered */
    _Atomic bool *stop;
    _Atomic int *verified; /* how often the token was good */
    _Atomic int *late;     /* ... although the logout had been answered before it was sent */
};

static void *keep_asking(void *arg)
{
    const struct asker *asker = arg;

    while (!*asker->stop) {
        CLEANUP(call_done) struct call call = {0};
        const struct identity_token_verify in = {.token = str_of(asker->token)};
        struct identity_token_verified verified = {0};
        const bool ended = *asker->ended;

        identity_fixture_call(asker->office, &call);
        const err e = identity_token_verify(&call, &in, &verified);
        if (e == ERR_OK) {
            (*asker->verified)++;
            *asker->late += ended;
        } else {
            CHECK_ERR(ERR_TOKEN_REVOKED, e);
        }
    }
    return NULL;
}

TEST(a_token_is_dead_as_soon_as_its_logout_is_answered_whoever_looks_at_it_meanwhile)
{
    CLEANUP(office_close) struct office office;
    _Atomic int late = 0;

    identity_fixture_open(&office);
    for (int round = 0; round < 20; round++) {
        const str email = arena_printf(office.arena, "ana%d@b.org", round);
        const struct answer answer = identity_register(&office, email.ptr, "12345678");
        const char *token = identity_token(&office, &answer);
        struct asker askers[CROWD];
        _Atomic bool ended = false;
        _Atomic bool stop = false;
        _Atomic int verified = 0;

        for (size_t i = 0; i < CROWD; i++) {
            askers[i] = (struct asker){.office = &office,
                                       .token = token,
                                       .ended = &ended,
                                       .stop = &stop,
                                       .verified = &verified,
                                       .late = &late};
            CHECK(pthread_create(&askers[i].thread, NULL, keep_asking, &askers[i]) == 0);
        }
        while (verified < CROWD)
            ;
        CHECK_I64(204, identity_ask(&office, token, "POST", "/logout", NULL).status);
        ended = true;
        CHECK_I64(401, identity_me(&office, token).status);
        stop = true;
        for (size_t i = 0; i < CROWD; i++)
            CHECK(pthread_join(askers[i].thread, NULL) == 0);
    }
    CHECK_I64(0, late);
}

/* --- By the clock --- */

TEST(a_token_expires_after_twelve_hours_in_memory_and_on_disk)
{
    CLEANUP(office_close) struct office office;

    identity_fixture_open(&office);
    const struct answer answer = identity_register(&office, "ana@b.org", "12345678");
    const char *token = identity_token(&office, &answer);
    CHECK_I64(200, identity_me(&office, token).status);
    office_advance(&office, INT64_C(43200000) - 1);
    CHECK_I64(200, identity_me(&office, token).status);
    office_advance(&office, 1);
    for (int i = 0; i < 2; i++) {
        const struct answer expired = identity_me(&office, token);
        check_problem(office.arena, &expired, 401, "token_expired");
        const struct answer logout = identity_ask(&office, token, "POST", "/logout", NULL);
        check_problem(office.arena, &logout, 401, "token_expired");
        office_restart(&office);
    }
    CHECK_I64(200, identity_login(&office, "ana@b.org", "12345678").status);
}

TEST(what_has_ended_long_ago_is_forgotten_however_much_it_is)
{
    CLEANUP(office_close) struct office office;

    identity_fixture_open(&office);
    const struct answer answer = identity_register(&office, "ana@b.org", "12345678");
    const char *token = identity_token(&office, &answer);
    CHECK_I64(401, identity_login(&office, "ana@b.org", "wrong").status);
    office_exec(&office, "identity",
                test_on_postgres()
                    ? "INSERT INTO user_session SELECT gen_random_uuid(), user_id, "
                      "sha256(uuid_send(gen_random_uuid())), sha256(uuid_send(gen_random_uuid())), "
                      "access_expires_ms, refresh_expires_ms, created_at_ms, NULL "
                      "FROM user_session, generate_series(1, 1200)"
                    : "WITH RECURSIVE n(i) AS "
                      "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200) "
                      "INSERT INTO user_session SELECT randomblob(16), user_id, randomblob(32), "
                      "randomblob(32), access_expires_ms, refresh_expires_ms, created_at_ms, NULL "
                      "FROM user_session, n");
    office_advance(&office, REFRESH_LIFE_S * INT64_C(1000));
    CHECK_I64(1201, office_i64(&office, "identity", "SELECT count(*) FROM user_session"));
    const struct answer expired = identity_me(&office, token);
    check_problem(office.arena, &expired, 401, "token_expired");
    office_advance(&office, INT64_C(3600000));
    CHECK_I64(701, office_i64(&office, "identity", "SELECT count(*) FROM user_session"));
    for (int i = 0; i < 3; i++)
        office_advance(&office, 1000); /* it does not wait an hour for the rest */
    CHECK_I64(0, office_i64(&office, "identity", "SELECT count(*) FROM user_session"));
    CHECK_I64(0, office_i64(&office, "identity", "SELECT count(*) FROM sign_in_failure"));
    office_restart(&office);
    const struct answer unknown = identity_me(&office, token);
    check_problem(office.arena, &unknown, 401, "token_revoked");
}

/* --- What it costs --- */

TEST(a_verdict_that_is_not_in_memory_needs_a_worker)
{
    CLEANUP(office_close) struct office office;
    CLEANUP(call_done) struct call call = {0};
    struct identity_token_verified verified = {0};

    identity_fixture_open(&office);
    const struct answer answer = identity_register(&office, "ana@b.org", "12345678");
    const struct identity_token_verify in = {.token = str_of(identity_token(&office, &answer))};
    const struct identity_token_verify none = {.token = STR("x")};
    identity_fixture_call(&office, &call);
    call.may_block = false;
    CHECK_ERR(ERR_TOKEN_REVOKED, identity_token_verify(&call, &none, &verified));
    CHECK_ERR(ERR_WOULD_BLOCK, identity_token_verify(&call, &in, &verified));
    call.may_block = true;
    CHECK_OK(identity_token_verify(&call, &in, &verified));
    call.may_block = false;
    CHECK_OK(identity_token_verify(&call, &in, &verified));
    CHECK_I64(ROLE_CUSTOMER, verified.role);
    CHECK(!uuid_is_zero(verified.session.uuid) && uuid_is_zero(verified.vendor.uuid));
    CHECK_I64(OFFICE_START_MS + ACCESS_LIFE_S * INT64_C(1000), verified.expires_at_ms);
}

TEST(a_password_is_hashed_anew_when_hashing_has_become_dearer)
{
    CLEANUP(office_close) struct office office;
    str why = STR_ABSENT;
    const char *with_128 =
        "SELECT count(*) FROM user_credential WHERE password LIKE '$argon2id$v=19$m=128,%'";

    identity_fixture_open(&office);
    CHECK_I64(201, identity_register(&office, "ana@b.org", "12345678").status);
    CHECK_OK(config_set(office.config, STR("identity.argon2_memory_kib"), STR("128"), &why));
    office_restart(&office);
    CHECK_I64(401, identity_login(&office, "ana@b.org", "12345679").status);
    CHECK_I64(0, office_i64(&office, "identity", with_128));
    CHECK_I64(200, identity_login(&office, "ana@b.org", "12345678").status);
    CHECK_I64(1, office_i64(&office, "identity", with_128));
    CHECK_I64(200, identity_login(&office, "ana@b.org", "12345678").status);
}

TEST(a_token_is_looked_up_in_narrow_tables)
{
    if (test_on_postgres())
        return; /* SQLite tells which tables are touched */

    CLEANUP(office_close) struct office office;

    sql_watch_open();
    identity_fixture_open(&office);
    const struct answer login = identity_register(&office, "ana@b.org", "12345678");
    const char *token = identity_token(&office, &login);
    office_restart(&office); /* no verdict is in memory any more */
    sql_watch_begin();
    CHECK_I64(204, identity_ask(&office, token, "POST", "/logout", NULL).status);
    CHECK_STR("user_credential user_session", sql_watch_tables(office.arena, "identity.db"));
}
