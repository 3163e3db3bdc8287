/* identity/people_fixture.c - opens a node of identity and gateway for tests. */
#include "services/identity/people_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "services/gateway/gateway.h"
#include "services/identity/identity.h"
#include "support/test.h"

#define START_MS INT64_C(1795392000000) /* 2026-11-23T00:00:00Z */

static const struct service *const services[] = {&identity_service, &gateway_service, NULL};

void people_open(struct people *people)
{
    static const struct settings *tables[4];
    str why = STR_ABSENT;

    *people = (struct people){.arena = arena_open(0), .dir = "/tmp/boxoffice-people-XXXXXX"};
    tables[0] = &node_settings;
    tables[1] = identity_service.settings;
    tables[2] = gateway_service.settings;
    CHECK(mkdtemp(people->dir) != NULL);
    clock_manual_init(&people->clock, START_MS);
    people->config = config_open(tables);
    CHECK_OK(config_set(people->config, STR("identity.argon2_memory_kib"), STR("64"), &why));
    people->log = log_open(2, LOG_ERROR, &people->clock.clock);
    const struct node_options options = {
        .services = services,
        .clock = &people->clock.clock,
        .rng = rng_system(),
        .config = people->config,
        .log = people->log,
        .data_dir = people->dir,
    };
    CHECK_OK(node_open(&options, people->arena, &people->node, &why));
    people->identity = node_find(people->node, "identity");
    const struct http_options http = {
        .node = people->node,
        .address = "127.0.0.1",
        .authenticate = gateway_authenticate,
        .admit = gateway_admit,
        .loop_count = 1,
    };
    CHECK_OK(http_open(&http, people->arena, &people->server, &why));
}

void people_close(struct people *people)
{
    char command[128];

    http_close(people->server, 1000);
    node_close(people->node);
    config_close(people->config);
    log_close(people->log);
    (void)snprintf(command, sizeof(command), "rm -rf %s", people->dir);
    CHECK(system(command) == 0); /* NOLINT(cert-env33-c) */
    arena_close(people->arena);
}

struct answer people_post(struct people *people, const char *token, const char *path,
                          const char *body)
{
    const struct ask ask = {.who = token, .method = "POST", .path = path, .body = body};

    return http_ask(people->server, people->arena, &ask);
}

const char *people_register(struct people *people, const char *name, const char *role)
{
    const char *body = arena_printf(people->arena,
                                    "{\"email\":\"%s@example.test\",\"password\":\"correct "
                                    "horse\",\"name\":\"%s\",\"role\":\"%s\"}",
                                    name, name, role)
                           .ptr;
    const struct answer answer = people_post(people, NULL, "/register", body);

    CHECK_I64(201, answer.status);
    return arena_cstr(people->arena, answer_at(people->arena, &answer, "/access_token"));
}

struct answer people_login(struct people *people, const char *email, const char *password)
{
    return people_post(
        people, NULL, "/login",
        arena_printf(people->arena, "{\"email\":\"%s\",\"password\":\"%s\"}", email, password).ptr);
}
