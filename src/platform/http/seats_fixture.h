/* platform/http/seats_fixture.h - for tests: a service of seats that uses everything a handler can
 * use.
 *
 * Tokens are what they mean: customer, vendor, admin; far (a customer whom only a database
 * knows) and old. */
#pragma once

#include "platform/http/http_fixture.h"

#define JSON "Content-Type: application/json\r\n"
#define KEY  "Idempotency-Key: k1\r\n"
#define USER "Authorization: Bearer customer\r\n"

void seats_open(struct fixture *fixture);
/* Without tokens, limits, logs and metrics. */
void seats_open_plain(struct fixture *fixture);
