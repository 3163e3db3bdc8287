/* identity/account_test.c - registration and profiles over HTTP, and what a copy of the database would tell. */
#include "services/identity/account.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/identity/people_fixture.h"
#include "support/test.h"

TEST(a_customer_registers_and_is_known)
{
    CLEANUP(people_close) struct people people;

    people_open(&people);
    const char *token = people_register(&people, "ana", "customer");
    const struct ask me = {.who = token, .method = "GET", .path = "/users/me"};
    const struct answer answer = http_ask(people.server, people.arena, &me);
    CHECK_I64(200, answer.status);
    CHECK_STR("ana@example.test", answer_at(people.arena, &answer, "/email"));
    CHECK_STR("customer", answer_at(people.arena, &answer, "/role"));
    CHECK(answer_at(people.arena, &answer, "/vendor_id").ptr == NULL);
    const struct ask nobody = {.method = "GET", .path = "/users/me"};
    CHECK_I64(401, http_ask(people.server, people.arena, &nobody).status);
}

TEST(bad_registrations_name_the_field)
{
    static const struct {
        const char *body;
        int status;
        const char *pointer;
    } cases[] = {
        {"{}",                                           422,                   "/email"                                                                                      },
        {"{\"email\":\"a@b.test\",\"password\":\"correct "
         "horse\",\"name\":\"A\",\"role\":\"admin\"}",                                               422,                          "/role"                                                                      },
        {"{\"email\":\"no address\",\"password\":\"correct "
         "horse\",\"name\":\"A\",\"role\":\"customer\"}",                                              422,                                                                    "/email"                                                                                                                      },
        {"{\"email\":\"a@b.test\",\"password\":\"short\",\"name\":\"A\",\"role\":\"customer\"}",
         422,"/password"},
        {"{\"email\":\"long.enough@b.test\",\"password\":\"Long.Enough@b.test\",\"name\":\"A\","
         "\"role\":\"customer\"}",                                   422,                                                                 "/password"                                                                                                                                                                                                                                                                                     },
        {"{\"email\":\"a@b.test\",\"password\":\"correct "
         "horse\",\"name\":\"\",\"role\":\"customer\"}",         422,"/name"},
        {"{\"email\":\"a@b.test\",\"password\":\"correct "
         "horse\",\"name\":\"A\",\"role\":\"customer\",\"vendor_name\":\"V\"}", 422,           "/vendor_name"                                                                                                                                               },
        {"{\"email\":\"a@b.test\",\"password\":\"correct "
         "horse\",\"name\":\"A\",\"role\":\"customer\",\"vendor_id\":\"x\"}",                                               400, "/vendor_id"                                                                                           },
    };
    CLEANUP(people_close) struct people people;

    people_open(&people);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct answer answer = people_post(&people, NULL, "/register", cases[i].body);

        CHECK_I64(cases[i].status, answer.status);
        CHECK_STR(cases[i].pointer, answer_at(people.arena, &answer, "/errors/0/pointer"));
    }
}

TEST(an_address_is_taken_however_it_is_written)
{
    CLEANUP(people_close) struct people people;

    people_open(&people);
    (void)people_register(&people, "ana", "vendor");
    const struct answer again =
        people_post(&people, NULL, "/register",
                    "{\"email\":\"ANA@Example.Test\",\"password\":\"correct "
                    "horse\",\"name\":\"A\",\"role\":\"customer\"}");
    CHECK_I64(409, again.status);
    CHECK_STR("email_taken", answer_at(people.arena, &again, "/code"));
    CHECK_I64(200, people_login(&people, "Ana@EXAMPLE.test", "correct horse").status);
}

struct twin {
    struct people *people;
    struct arena *arena;
    int status;
};

static void *register_twin(void *arg)
{
    struct twin *twin = arg;
    const struct ask ask = {.method = "POST",
                            .path = "/register",
                            .body = "{\"email\":\"twin@example.test\",\"password\":\"correct "
                                    "horse\",\"name\":\"T\",\"role\":\"customer\"}"};

    twin->status = http_ask(twin->people->server, twin->arena, &ask).status;
    return NULL;
}

TEST(of_many_who_register_one_address_at_once_one_gets_it)
{
    CLEANUP(people_close) struct people people;
    struct twin twins[8];
    pthread_t threads[8];
    int made = 0;

    people_open(&people);
    for (size_t i = 0; i < 8; i++) {
        twins[i] = (struct twin){&people, arena_open(0), 0};
        CHECK(pthread_create(&threads[i], NULL, register_twin, &twins[i]) == 0);
    }
    for (size_t i = 0; i < 8; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(twins[i].status == 201 || twins[i].status == 409);
        made += twins[i].status == 201;
        arena_close(twins[i].arena);
    }
    CHECK_I64(1, made);
}

TEST(a_profile_merges_and_is_ones_own)
{
    CLEANUP(people_close) struct people people;

    people_open(&people);
    const char *ana = people_register(&people, "ana", "customer");
    const char *bob = people_register(&people, "bob", "customer");
    const struct ask me = {.who = ana, .method = "GET", .path = "/users/me"};
    const struct answer shown = http_ask(people.server, people.arena, &me);
    const str id = answer_at(people.arena, &shown, "/id");
    const char *path = arena_printf(people.arena, "/users/%.*s", STR_ARG(id)).ptr;
    struct ask put = {.who = ana,
                      .method = "PUT",
                      .path = path,
                      .body = "{\"city\":\"Cairo\",\"interests\":[\"jazz\",\"oud\"]}"};
    struct answer answer = http_ask(people.server, people.arena, &put);
    CHECK_I64(200, answer.status);
    CHECK_STR("ana", answer_at(people.arena, &answer, "/name"));
    CHECK_STR("oud", answer_at(people.arena, &answer, "/interests/1"));
    put.body = "{\"email\":\"bob@example.test\"}";
    CHECK_I64(409, http_ask(people.server, people.arena, &put).status);
    put.body = "{\"role\":\"admin\"}";
    CHECK_I64(400, http_ask(people.server, people.arena, &put).status);
    put.body = "{\"city\":null}";
    answer = http_ask(people.server, people.arena, &put);
    CHECK_STR("null", answer_at(people.arena, &answer, "/city"));
    put.who = bob;
    CHECK_I64(404, http_ask(people.server, people.arena, &put).status);
}

/* True if any file of the database holds the text. */
static bool database_holds(struct people *people, const char *text)
{
    char command[256];

    (void)snprintf(command, sizeof(command), "cat %s/identity.db* | grep -qF -- '%s'", people->dir,
                   text);
    return system(command) == 0; /* NOLINT(cert-env33-c) */
}

TEST(a_copy_of_the_database_names_nobody)
{
    CLEANUP(people_close) struct people people;

    people_open(&people);
    const char *token = people_register(&people, "zebulon", "customer");
    CHECK(database_holds(&people, "argon2id"));
    CHECK(!database_holds(&people, "zebulon"));
    CHECK(!database_holds(&people, "example.test"));
    CHECK(!database_holds(&people, "correct horse"));
    CHECK(!database_holds(&people, token));
}
