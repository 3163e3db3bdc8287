/* platform/db/db_postgres_test.c - what is PostgreSQL's alone: what waits and what is only sent,
 * values in binary format, opening. */

#include "platform/db/db_postgres.h"

#include <string.h>

#include "platform/db/testdata/pg_shop.h"

/* --- What waits --- */

static int pending_of(const struct tx *tx)
{
    return ((const struct postgres_connection *)tx->connection)->pending_count;
}

TEST(a_write_without_conflicts_is_only_sent)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t count = 0;

    pg_shop_start(&shop);
    CHECK_OK(tx_begin(&tx, shop.db));
    CHECK_I64(0, pending_of(&tx)); /* not even BEGIN */
    CHECK_OK(pg_put(&tx, 1));
    CHECK_OK(pg_put(&tx, 2));
    CHECK_I64(3, pending_of(&tx));
    CHECK_OK(pg_add_account(&tx, &SQL_ACCOUNT_INSERT, 1, "a@x"));
    CHECK_I64(0, pending_of(&tx)); /* has waited, and for those before it too */
    CHECK_OK(db_exec_count(&tx, &SQL_NOTE_DELETE_FROM, ARGS(I64(2)), &count));
    CHECK_I64(1, count);
    for (int64_t i = 10; i < 10 + 3 * POSTGRES_PENDING_MAX; i++)
        CHECK_OK(pg_put(&tx, i)); /* waits now and then: what is pending is bounded */
    CHECK_OK(tx_commit(&tx));
    check_notes(1 + 3 * POSTGRES_PENDING_MAX, shop.db);
}

TEST(what_was_only_sent_and_fails_is_told_by_the_next_that_waits)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t count = 0;

    pg_shop_start(&shop);
    CHECK_OK(tx_begin(&tx, shop.db));
    CHECK_OK(pg_add_account(&tx, &SQL_ACCOUNT_INSERT_PLAIN, 1, "a@x"));
    CHECK_OK(pg_add_account(&tx, &SQL_ACCOUNT_INSERT_PLAIN, 1, "a@x"));
    CHECK_OK(pg_put(&tx, 1));
    CHECK_ERR(ERR_DUPLICATE, db_get_i64(&tx, &SQL_ACCOUNT_COUNT, NO_ARGS, &count));
    CHECK_ERR(ERR_DUPLICATE, pg_put(&tx, 2)); /* it is lost */
    CHECK_ERR(ERR_DUPLICATE, tx_commit(&tx));
    check_notes(0, shop.db);

    CHECK_OK(tx_begin(&tx, shop.db));
    CHECK_OK(pg_add_account(&tx, &SQL_ACCOUNT_INSERT_PLAIN, 1, "a@x"));
    CHECK_OK(pg_add_account(&tx, &SQL_ACCOUNT_INSERT_PLAIN, 1, "a@x"));
    CHECK_ERR(ERR_DUPLICATE, tx_commit(&tx));
    CHECK_I64(0, shop_i64(&shop, "SELECT count(*) FROM account"));
    CHECK_OK(note_put(shop.db, 1, STR("the connection is as good as new")));
}

TEST(a_refusal_leaves_the_transaction_as_it_was)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(tx_rollback) struct tx tx = {0};

    pg_shop_start(&shop);
    CHECK_OK(tx_begin(&tx, shop.db));
    CHECK_OK(pg_add_account(&tx, &SQL_ACCOUNT_INSERT, 1, "a@x"));
    CHECK_OK(pg_put(&tx, 1));
    CHECK_ERR(ERR_EMAIL_TAKEN, pg_add_account(&tx, &SQL_ACCOUNT_INSERT, 2, "a@x"));
    CHECK_OK(pg_put(&tx, 2));
    CHECK_ERR(ERR_CONFLICT, pg_add_account(&tx, &SQL_ACCOUNT_INSERT, 1, "b@x"));
    CHECK_OK(pg_add_account(&tx, &SQL_ACCOUNT_INSERT, 2, "b@x"));
    CHECK_OK(tx_commit(&tx));
    check_notes(2, shop.db);
    CHECK_I64(2, shop_i64(&shop, "SELECT count(*) FROM account"));
}

TEST(a_savepoint_knows_what_failed_within_it)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(tx_rollback) struct tx tx = {0};

    pg_shop_start(&shop);
    CHECK_OK(tx_begin(&tx, shop.db));
    CHECK_OK(pg_put(&tx, 1));
    CHECK_OK(tx_savepoint(&tx));
    CHECK_OK(pg_add_account(&tx, &SQL_ACCOUNT_INSERT_PLAIN, 1, "a@x"));
    CHECK_OK(tx_keep(&tx));
    CHECK_OK(tx_savepoint(&tx));
    CHECK_OK(pg_put(&tx, 2));
    CHECK_OK(pg_add_account(&tx, &SQL_ACCOUNT_INSERT_PLAIN, 1, "a@x"));
    CHECK_ERR(ERR_DUPLICATE, tx_keep(&tx)); /* and undone */
    CHECK_OK(pg_put(&tx, 3));
    CHECK_OK(tx_savepoint(&tx));
    CHECK_OK(tx_savepoint(&tx));
    CHECK_OK(pg_add_account(&tx, &SQL_ACCOUNT_INSERT_PLAIN, 1, "a@x"));
    CHECK_OK(tx_undo(&tx)); /* whatever it was */
    CHECK_OK(pg_put(&tx, 4));
    CHECK_OK(tx_keep(&tx));
    CHECK_OK(tx_commit(&tx));
    check_notes(3, shop.db);

    /* What failed before the savepoint, no undo brings back. */
    CHECK_OK(tx_begin(&tx, shop.db));
    CHECK_OK(pg_add_account(&tx, &SQL_ACCOUNT_INSERT_PLAIN, 1, "a@x"));
    CHECK_OK(tx_savepoint(&tx));
    CHECK_OK(pg_put(&tx, 5));
    CHECK_ERR(ERR_DUPLICATE, tx_undo(&tx));
    CHECK_ERR(ERR_DUPLICATE, tx_commit(&tx));
    check_notes(3, shop.db);
}

TEST(what_is_rolled_back_is_forgotten_with_its_errors)
{
    CLEANUP(shop_done) struct shop shop;
    struct tx tx = {0};

    pg_shop_start(&shop);
    for (int i = 0; i < 10; i++) {
        CHECK_OK(tx_begin(&tx, shop.db));
        CHECK_OK(pg_add_account(&tx, &SQL_ACCOUNT_INSERT_PLAIN, 1, "a@x"));
        if (i % 2 == 0)
            CHECK_OK(pg_add_account(&tx, &SQL_ACCOUNT_INSERT_PLAIN, 1, "a@x"));
        tx_rollback(&tx);
        CHECK_OK(tx_begin(&tx, shop.db));
        CHECK_OK(pg_put(&tx, i));
        CHECK_OK(tx_commit(&tx));
    }
    check_notes(10, shop.db);
    CHECK_I64(0, shop_i64(&shop, "SELECT count(*) FROM account"));
}

/* --- Values --- */

TEST(sums_are_numbers_whatever_the_server_calls_them)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};

    pg_shop_start(&shop);
    CHECK_OK(tx_begin(&tx, shop.db));
    for (uint8_t i = 1; i <= 3; i++)
        CHECK_OK(db_exec(&tx, &SQL_ACCOUNT_INSERT_PLAIN,
                         ARGS(UUID(uuid_of(i)), TEXT(((str){(const char *)"abc" + i - 1, 1})), NIL,
                              I64(INT64_C(1000000020003) + i))));
    CHECK_OK(rows_first(&rows, &tx, &SQL_ACCOUNT_SUM, NO_ARGS, shop.arena));
    CHECK_I64(INT64_C(3000000060015), row_i64(&rows, 0)); /* numeric */
    CHECK(row_real(&rows, 1) == 1500000030007.5);
    CHECK_OK(rows_close(&rows));
}

TEST(encoded_values_fit_or_are_refused)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    static const int64_t numbers[] = {0,      1,         -1,       9999, 10000, 123456789012,
                                      -40000, INT64_MAX, INT64_MIN};
    str bytes = STR_ABSENT;
    int64_t n = 0;

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        const struct value value = I64(numbers[i]);

        CHECK(postgres_encode(&value, TYPE_NUMERIC, arena, &bytes));
        CHECK(postgres_decode_i64(TYPE_NUMERIC, bytes, &n));
        CHECK(n == numbers[i]);
        CHECK(postgres_encode(&value, TYPE_INT8, arena, &bytes));
        CHECK(postgres_decode_i64(TYPE_INT8, bytes, &n));
        CHECK(n == numbers[i]);
    }
    CHECK(postgres_encode(&I64(INT32_MIN), TYPE_INT4, arena, &bytes));
    CHECK(!postgres_encode(&I64(INT64_C(1) << 31), TYPE_INT4, arena, &bytes));
    CHECK(!postgres_encode(&I64(40000), TYPE_INT2, arena, &bytes));
    CHECK(!postgres_encode(&I64(2), TYPE_BOOL, arena, &bytes));
    CHECK(!postgres_encode(&I64(2), TYPE_TEXT, arena, &bytes));
    CHECK(!postgres_encode(&REAL(2), TYPE_INT8, arena, &bytes));
    CHECK(!postgres_encode(&UUID(uuid_of(1)), TYPE_TEXT, arena, &bytes));
    CHECK(postgres_encode(&UUID(uuid_of(1)), TYPE_BYTEA, arena, &bytes));
    CHECK(postgres_encode(&I64S(numbers, 2), TYPE_INT4S, arena, &bytes));
    CHECK(!postgres_encode(&I64S(numbers, 9), TYPE_INT4S, arena, &bytes));
    CHECK(!postgres_encode(&I64S(numbers, 2), TYPE_INT8, arena, &bytes));
}

/* --- Opening --- */

TEST(a_wrong_statement_or_migration_ends_the_start)
{
    static const struct {
        struct sql sql;
        const char *why;
    } cases[] = {
        {{.name = "typo", .postgres = "SELEC 1"},
         "shop: statement typo: syntax error at or near \"SELEC\""                                                                             },
        {{.name = "far", .postgres = "SELECT 1 FROM nowhere"},
         "shop: statement far: relation \"nowhere\" does not exist"                                                                            },
        {{.name = "none", .postgres = " "},                                                         "shop: statement none is not one statement"},
        {{.name = "few", .postgres = "SELECT $1::int, $2::int", .param_count = 1},
         "shop: statement few has another number of parameters than it says"                                                                   },
        {{.name = "key", .postgres = "DELETE FROM note", .conflicts[0] = {"no_key", ERR_CONFLICT}},
         "shop: statement key: there is no constraint no_key"                                                                                  },
    };
    CLEANUP(shop_done) struct shop shop;
    static const struct migration bad[] = {
        {1, "bad", NULL, "CREATE TABEL b (id BIGINT)"}
    };
    static const struct migration ends[] = {
        {1, "ends", NULL, "CREATE TABLE b (id BIGINT); COMMIT"}
    };
    struct migration_list list = {.owner = "other", .items = bad, .count = 1};
    const struct migration_list *const lists[] = {
        shop_migrations.items != NULL ? &shop_migrations : NULL, &list, NULL};

    pg_shop_init(&shop);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct sql *const items[] = {&cases[i].sql};
        const struct sql_list statements = {items, 1};
        const struct sql_list *const statement_lists[] = {&statements, NULL};

        shop.options.statements = statement_lists;
        CHECK_ERR(ERR_INVALID, shop_open(&shop));
        CHECK_STR(cases[i].why, shop.why);
    }
    shop.options.statements = NULL;
    shop.options.migrations = lists;
    CHECK_ERR(ERR_INVALID, shop_open(&shop));
    CHECK_STR("migration 0001 (bad): shop: syntax error at or near \"TABEL\"", shop.why);
    list.items = ends;
    CHECK_ERR(ERR_INVALID, shop_open(&shop));
    CHECK_STR("migration 0001 (ends): it ends the transaction that it is run in", shop.why);
    CHECK_I64(0, shop_i64(&shop, "SELECT count(*) FROM schema_migration WHERE owner = 'other'"));
}

TEST(what_cannot_be_opened_says_why_and_no_password)
{
    CLEANUP(shop_done) struct shop shop;

    pg_shop_init(&shop);
    shop.options.url = "postgresql://ann:sesame@%zz/shop";
    CHECK_ERR(ERR_INVALID, shop_open(&shop));
    CHECK_STR("postgresql://...: not a URI that libpq understands", shop.why);
    shop.options.url =
        arena_printf(shop.arena, "postgresql://boxoffice:sesame@127.0.0.1:%d/nowhere",
                     pg_server.port)
            .ptr;
    CHECK_ERR(ERR_UNAVAILABLE, shop_open(&shop));
    CHECK(strstr(shop.why.ptr, "database \"nowhere\" does not exist") != NULL);
    CHECK(strstr(shop.why.ptr, "sesame") == NULL);
}

TEST(a_connection_has_the_settings_that_durability_needs)
{
    CLEANUP(shop_done) struct shop shop;

    pg_shop_init(&shop);
    test_database_exec(shop.url, "ALTER ROLE boxoffice SET synchronous_commit = off");
    CHECK_OK(shop_open(&shop));
    const struct postgres_connection *own = pg_shop_db(&shop)->pool;
    PGresult *result =
        postgres_run(pg_shop_db(&shop)->pool,
                     "SELECT current_setting('synchronous_commit'), "
                     "current_setting('statement_timeout'), current_setting('lock_timeout'), "
                     "current_setting('idle_in_transaction_session_timeout')");
    CHECK_STR("on", str_of(PQgetvalue(result, 0, 0)));
    CHECK_STR("5s", str_of(PQgetvalue(result, 0, 1)));
    CHECK_STR("5s", str_of(PQgetvalue(result, 0, 2)));
    CHECK_STR("10s", str_of(PQgetvalue(result, 0, 3)));
    CHECK_I64(6000, own->patience_ms);
    PQclear(result);
    test_database_exec(shop.url, "ALTER ROLE boxoffice RESET synchronous_commit");
}
