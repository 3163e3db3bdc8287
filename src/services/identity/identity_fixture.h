/* identity/identity_fixture.h - for tests: an office in which identity runs alone, asked whose each
 * request is as the gateway does. */
#pragma once

#include "services/identity/identity.h"
#include "support/office.h"

void identity_fixture_open(struct office *office);
/* With settings ("name=value", ended by NULL), and on the data of another office (NULL: on its own). */
void identity_fixture_open_with(struct office *office, const char *const *settings,
                                const char *dir);
void identity_fixture_call(struct office *office, struct call *call);

/* Any request with a body; `who` is an access token or NULL. */
struct answer identity_ask(struct office *office, const char *who, const char *method,
                           const char *path, const char *body);
/* POST /register as a customer by the name of Ana, and POST /login. */
struct answer identity_register(struct office *office, const char *email, const char *password);
struct answer identity_login(struct office *office, const char *email, const char *password);
/* The access token of such an answer. */
const char *identity_token(struct office *office, const struct answer *answer);
/* GET /users/me. */
struct answer identity_me(struct office *office, const char *token);
