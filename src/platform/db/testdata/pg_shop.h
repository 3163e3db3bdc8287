/* platform/db/testdata/pg_shop.h - shops on a PostgreSQL server of the test's own, which it may stop
 * and kill. */
#pragma once

#include "platform/db/testdata/shop.h"
#include "support/postgres.h"

extern struct postgres_server pg_server; /* one a program; starts with the first shop */

void pg_shop_init(struct shop *shop); /* not open yet */
void pg_shop_start(struct shop *shop);
struct postgres_db *pg_shop_db(const struct shop *shop);

/* Puts a note, without conflicts; inserts an account with 10, by either statement. */
err pg_put(struct tx *tx, int64_t number);
err pg_add_account(struct tx *tx, const struct sql *sql, uint8_t id, const char *email);
