/* platform/db/testdata/pg_shop.c - shops on a PostgreSQL server of the test's own. */

#include "platform/db/testdata/pg_shop.h"

#include <stdio.h>

struct postgres_server pg_server;
static const char *const server_settings[] = {"deadlock_timeout=50ms", NULL};

void pg_shop_init(struct shop *shop)
{
    static int count;
    const char *name;

    if (pg_server.keeper == 0)
        postgres_open(&pg_server, false, server_settings);
    shop_init(shop, true);
    name = arena_printf(shop->arena, "s%d", ++count).ptr;
    test_database_exec(
        postgres_url(&pg_server, shop->arena, "postgres"),
        arena_printf(shop->arena, "CREATE DATABASE %s STRATEGY file_copy", name).ptr);
    (void)snprintf(shop->url, sizeof(shop->url), "%s", postgres_url(&pg_server, shop->arena, name));
    shop->on_postgres = true;
    shop->options.name = "shop";
}

void pg_shop_start(struct shop *shop)
{
    pg_shop_init(shop);
    CHECK_OK(shop_open(shop));
}

struct postgres_db *pg_shop_db(const struct shop *shop)
{
    return (struct postgres_db *)shop->db;
}

err pg_put(struct tx *tx, int64_t number)
{
    return db_exec(tx, &SQL_NOTE_PUT, ARGS(I64(number), NIL));
}

err pg_add_account(struct tx *tx, const struct sql *sql, uint8_t id, const char *email)
{
    return db_exec(tx, sql, ARGS(UUID(uuid_of(id)), TEXT(str_of(email)), NIL, I64(10)));
}
