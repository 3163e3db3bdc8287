/* identity/people_fixture.h - for tests: identity and the gateway's door behind a real server, on a clock of the test's own. */
#pragma once

#include "services/identity/account.h"
#include "support/http_ask.h"

struct people {
    struct arena *arena;
    struct clock_manual clock;
    struct config *config;
    struct log *log;
    struct node *node;
    struct instance *identity;
    struct http_server *server;
    char dir[64];
};

void people_open(struct people *people);
void people_close(struct people *people); /* for CLEANUP; deletes the data */

/* POST of a body, by the holder of `token` (NULL: nobody). */
struct answer people_post(struct people *people, const char *token, const char *path,
                          const char *body);
/* Registers NAME@example.test with the password "correct horse"; gives the access token. */
const char *people_register(struct people *people, const char *name, const char *role);
struct answer people_login(struct people *people, const char *email, const char *password);
