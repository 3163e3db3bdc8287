/* platform/db/db_test.c - statements, values, conflicts, rows. */

#include <string.h>

#include "platform/db/testdata/shop.h"

static const bool places[] = {false, true}; /* in_memory */
enum { PLACE_COUNT = sizeof(places) / sizeof(places[0]) };

static err add_account(struct tx *tx, uint8_t id, const char *email, const char *name,
                       int64_t balance)
{
    return db_exec(tx, &SQL_ACCOUNT_INSERT,
                   ARGS(UUID(uuid_of(id)), TEXT(str_of(email)), TEXT(str_of(name)), I64(balance)));
}

/* --- Values --- */

TEST(a_value_of_every_type_comes_back)
{
    static const char bytes[] = "\0\xff\x01";

    for (size_t i = 0; i < PLACE_COUNT; i++) {
        CLEANUP(shop_done) struct shop shop;
        CLEANUP(tx_rollback) struct tx tx = {0};
        CLEANUP(rows_done) struct rows rows = {0};

        shop_start(&shop, places[i]);
        CHECK_OK(tx_read(&tx, shop.db));
        CHECK_OK(rows_first(&rows, &tx, &SQL_ACCOUNT_TYPES,
                            ARGS(TEXT(STR("Zoë 🎟")), BLOB(((str){bytes, 3})), I64(INT64_MAX),
                                 REAL(-0.5), UUID(uuid_of(7))),
                            shop.arena));
        CHECK_STR("Zoë 🎟", row_text(&rows, 0));
        CHECK_I64(3, row_blob(&rows, 1).size);
        CHECK(memcmp(row_blob(&rows, 1).ptr, bytes, 3) == 0);
        CHECK(row_i64(&rows, 2) == INT64_MAX);
        CHECK(row_real(&rows, 3) == -0.5);
        CHECK(uuid_eq(row_uuid(&rows, 4), uuid_of(7)));
        CHECK_STR("it's $9 ?", row_text(&rows, 5));
        CHECK(!rows_next(&rows));
        CHECK_OK(rows_close(&rows));
    }
}

TEST(absent_and_zero_become_null_and_empty_does_not)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};
    const struct uuid zero = {0};

    shop_start(&shop, true);
    CHECK_OK(tx_read(&tx, shop.db));
    CHECK_OK(rows_first(
        &rows, &tx, &SQL_ACCOUNT_TYPES,
        ARGS(TEXT(STR_ABSENT), BLOB(STR_ABSENT), I64_OR_NIL(INT64_MIN), NIL, UUID_OR_NIL(zero)),
        shop.arena));
    for (int column = 0; column < 5; column++)
        CHECK(row_is_null(&rows, column));
    CHECK(row_text(&rows, 0).ptr == NULL);
    CHECK(row_blob(&rows, 1).ptr == NULL);
    CHECK_I64(0, row_i64(&rows, 2));
    CHECK_I64(-7, row_i64_or(&rows, 2, -7));
    CHECK(row_real(&rows, 3) == 0);
    CHECK(uuid_is_zero(row_uuid(&rows, 4)));
    CHECK_OK(rows_close(&rows));

    CHECK_OK(rows_first(&rows, &tx, &SQL_ACCOUNT_TYPES,
                        ARGS(TEXT(STR("")), BLOB(STR("")), I64_OR_NIL(0), REAL(0), UUID(zero)),
                        shop.arena));
    for (int column = 0; column < 5; column++)
        CHECK(!row_is_null(&rows, column));
    CHECK_STR("", row_text(&rows, 0));
    CHECK(row_blob(&rows, 1).ptr != NULL && row_blob(&rows, 1).size == 0);
    CHECK_I64(0, row_i64_or(&rows, 2, -7));
    CHECK_OK(rows_close(&rows));
}

TEST(a_text_is_a_copy_that_outlives_its_row_and_transaction)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};
    str first;

    shop_start(&shop, true);
    CHECK_OK(note_put(shop.db, 1, STR("one")));
    CHECK_OK(note_put(shop.db, 2, STR("two")));
    CHECK_OK(tx_read(&tx, shop.db));
    CHECK_OK(rows_open(&rows, &tx, &SQL_NOTE_LIST, NO_ARGS, shop.arena));
    CHECK(rows_next(&rows));
    first = row_text(&rows, 1);
    CHECK(rows_next(&rows));
    CHECK_OK(rows_close(&rows));
    tx_rollback(&tx);
    CHECK_STR("one", first);
}

TEST(an_argument_is_a_copy_too_once_rows_are_open)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};
    char text[] = "before";

    shop_start(&shop, true);
    CHECK_OK(tx_read(&tx, shop.db));
    CHECK_OK(rows_open(&rows, &tx, &SQL_ACCOUNT_TYPES,
                       ARGS(TEXT(str_of(text)), NIL, NIL, NIL, UUID(uuid_of(1))), shop.arena));
    memcpy(text, "behind", sizeof(text));
    CHECK(rows_next(&rows));
    CHECK_STR("before", row_text(&rows, 0));
    CHECK(uuid_eq(row_uuid(&rows, 4), uuid_of(1)));
    CHECK_OK(rows_close(&rows));
}

/* --- Conflicts --- */

TEST(a_conflict_is_the_error_that_its_statement_names)
{
    static const struct {
        int64_t id;
        const char *email;
        const char *name;
        int64_t balance;
        err expected;
    } cases[] = {
        {2, "b@x", "Bo",  0,  ERR_OK                },
        {2, "c@x", NULL,  0,  ERR_CONFLICT          }, /* PRIMARY KEY */
        {3, "a@x", NULL,  0,  ERR_EMAIL_TAKEN       }, /* UNIQUE */
        {3, "c@x", "ANN", 0,  ERR_IN_USE            }, /* index over an expression */
        {3, "c@x", NULL,  -1, ERR_INSUFFICIENT_FUNDS}, /* CHECK */
        {3, "c@x", NULL,  0,  ERR_OK                },
        {4, "d@x", NULL,  0,  ERR_OK                },
    };
    for (size_t place = 0; place < PLACE_COUNT; place++) {
        CLEANUP(shop_done) struct shop shop;
        CLEANUP(tx_rollback) struct tx tx = {0};
        int64_t count;

        shop_start(&shop, places[place]);
        CHECK_OK(tx_begin(&tx, shop.db));
        CHECK_OK(add_account(&tx, 1, "a@x", "Ann", 10));
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
            CHECK_ERR(cases[i].expected, add_account(&tx, (uint8_t)cases[i].id, cases[i].email,
                                                     cases[i].name, cases[i].balance));
        CHECK_OK(tx_commit(&tx));
        CHECK_OK(tx_read(&tx, shop.db));
        CHECK_OK(db_get_i64(&tx, &SQL_ACCOUNT_COUNT, NO_ARGS, &count));
        CHECK_I64(4, count);
        /* Refusals are no news. */
        CHECK(strstr(shop_log(&shop).ptr, "db.failed") == NULL);
    }
}

TEST(a_key_of_two_columns_and_foreign_keys_are_conflicts_too)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(tx_rollback) struct tx tx = {0};

    shop_start(&shop, false);
    CHECK_OK(tx_begin(&tx, shop.db));
    CHECK_OK(add_account(&tx, 1, "a@x", "Ann", 10));
    CHECK_OK(db_exec(&tx, &SQL_SEAT_CLAIM, ARGS(I64(1), I64(1), UUID(uuid_of(1)))));
    CHECK_OK(db_exec(&tx, &SQL_SEAT_CLAIM, ARGS(I64(1), I64(2), NIL)));
    CHECK_ERR(ERR_CONFLICT, db_exec(&tx, &SQL_SEAT_CLAIM, ARGS(I64(1), I64(2), NIL)));
    CHECK_ERR(ERR_NOT_FOUND, db_exec(&tx, &SQL_SEAT_CLAIM, ARGS(I64(2), I64(1), UUID(uuid_of(9)))));
    CHECK_ERR(ERR_IN_USE, db_exec(&tx, &SQL_ACCOUNT_DELETE, ARGS(TEXT(STR("a@x")))));
    CHECK_ERR(ERR_INSUFFICIENT_FUNDS,
              db_exec(&tx, &SQL_ACCOUNT_PAY, ARGS(TEXT(STR("a@x")), I64(11))));
    CHECK_OK(db_exec(&tx, &SQL_ACCOUNT_PAY, ARGS(TEXT(STR("a@x")), I64(10))));
    CHECK_OK(tx_commit(&tx));
}

/* In a transaction of its own: on PostgreSQL such an error ends it, and may come late. */
static err insert_alone(struct db *db, const struct sql *sql, uint8_t id, const char *email,
                        int64_t balance)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, db));
    TRY(db_exec(&tx, sql, ARGS(UUID(uuid_of(id)), TEXT(str_of(email)), NIL, I64(balance))));
    return tx_commit(&tx);
}

TEST(an_unnamed_conflict_is_a_duplicate_or_a_bug_that_is_logged)
{
    const struct sql *plain = &SQL_ACCOUNT_INSERT_PLAIN;
    CLEANUP(shop_done) struct shop shop;

    shop_start(&shop, true);
    CHECK_OK(insert_alone(shop.db, plain, 1, "a@x", 10));
    CHECK_ERR(ERR_DUPLICATE, insert_alone(shop.db, plain, 2, "a@x", 0));
    CHECK(strstr(shop_log(&shop).ptr, "db.failed") == NULL);
    CHECK_ERR(ERR_INTERNAL, insert_alone(shop.db, plain, 2, "b@x", -1));
    CHECK_ERR(ERR_INTERNAL, insert_alone(shop.db, &SQL_ACCOUNT_INSERT, 2, NULL, 0));
    CHECK(strstr(shop_log(&shop).ptr, "statement=account_insert_plain") != NULL);
    CHECK(strstr(shop_log(&shop).ptr, "account_balance_check") != NULL);
    CHECK(strstr(shop_log(&shop).ptr, "email") != NULL);
    CHECK_OK(insert_alone(shop.db, plain, 2, "b@x", 0));
}

/* --- Counts and rows --- */

TEST(the_count_is_that_of_the_rows_changed)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t count = -1;

    shop_start(&shop, true);
    CHECK_OK(tx_begin(&tx, shop.db));
    for (int64_t i = 1; i <= 5; i++)
        CHECK_OK(db_exec(&tx, &SQL_NOTE_PUT, ARGS(I64(i), NIL)));
    CHECK_OK(db_exec_count(&tx, &SQL_NOTE_DELETE_FROM, ARGS(I64(4)), &count));
    CHECK_I64(2, count);
    CHECK_OK(db_exec_count(&tx, &SQL_NOTE_DELETE_FROM, ARGS(I64(4)), &count));
    CHECK_I64(0, count);
    CHECK_OK(db_exec_count(&tx, &SQL_NOTE_COUNT, NO_ARGS, &count));
    CHECK_I64(0, count); /* a query changes none */
}

TEST(a_write_may_return_rows_and_still_meets_its_constraints)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};
    int64_t number = 0;

    shop_start(&shop, false);
    CHECK_OK(tx_begin(&tx, shop.db));
    CHECK_OK(db_get_i64(&tx, &SQL_SEAT_TAKE, ARGS(I64(1), I64(7), NIL), &number));
    CHECK_I64(7, number);
    CHECK_ERR(ERR_CONFLICT, db_get_i64(&tx, &SQL_SEAT_TAKE, ARGS(I64(1), I64(7), NIL), &number));
    /* Foreign keys are checked behind the row that it returns. */
    CHECK_ERR(ERR_NOT_FOUND,
              db_get_i64(&tx, &SQL_SEAT_TAKE, ARGS(I64(1), I64(8), UUID(uuid_of(9))), &number));
    CHECK_OK(rows_open(&rows, &tx, &SQL_SEAT_TAKE, ARGS(I64(1), I64(8), NIL), shop.arena));
    CHECK_OK(rows_close(&rows)); /* unread, but done */
    CHECK_ERR(ERR_CONFLICT, db_exec(&tx, &SQL_SEAT_CLAIM, ARGS(I64(1), I64(8), NIL)));
    CHECK_OK(tx_commit(&tx));
}

TEST(what_is_not_there_is_not_found)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};
    int64_t balance = 77;

    shop_start(&shop, true);
    CHECK_OK(tx_read(&tx, shop.db));
    CHECK_ERR(ERR_NOT_FOUND,
              db_get_i64(&tx, &SQL_ACCOUNT_BALANCE, ARGS(TEXT(STR("a@x"))), &balance));
    CHECK_I64(77, balance);
    CHECK_ERR(ERR_NOT_FOUND,
              rows_first(&rows, &tx, &SQL_ACCOUNT_FIND, ARGS(TEXT(STR("a@x"))), shop.arena));
    CHECK_OK(rows_open(&rows, &tx, &SQL_ACCOUNT_LIST, NO_ARGS, shop.arena));
    CHECK(!rows_next(&rows));
    CHECK(!rows_next(&rows));
    CHECK_OK(rows_close(&rows));
    CHECK_OK(rows_close(&rows));
}

TEST(two_statements_are_read_at_once_and_one_is_left_early)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t sum = 0;

    shop_start(&shop, false);
    for (int64_t i = 1; i <= 4; i++)
        CHECK_OK(note_put(shop.db, i, STR("x")));
    CHECK_OK(tx_read(&tx, shop.db));
    for (int round = 0; round < 2; round++) {
        CLEANUP(rows_done) struct rows list = {0};
        CLEANUP(rows_done) struct rows one = {0};

        CHECK_OK(rows_open(&list, &tx, &SQL_NOTE_LIST, NO_ARGS, shop.arena));
        while (rows_next(&list) && row_i64(&list, 0) < 3) {
            CHECK_OK(
                rows_first(&one, &tx, &SQL_NOTE_FIND, ARGS(I64(row_i64(&list, 0))), shop.arena));
            sum += row_i64(&one, 0);
            CHECK_OK(rows_close(&one));
        }
    }
    CHECK_I64(6, sum);
    CHECK_OK(tx_commit(&tx)); /* nothing is open any more */
}

TEST(rows_that_are_open_end_with_their_transaction)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(rows_done) struct rows rows = {0}; /* done after the transaction */
    CLEANUP(tx_rollback) struct tx tx = {0};

    shop_start(&shop, false);
    CHECK_OK(note_put(shop.db, 1, STR("x")));
    CHECK_OK(tx_read(&tx, shop.db));
    CHECK_OK(rows_open(&rows, &tx, &SQL_NOTE_LIST, NO_ARGS, shop.arena));
    CHECK(rows_next(&rows));
    tx_rollback(&tx);
    CHECK_OK(rows_close(&rows));
    check_notes(1, shop.db); /* the connection is as good as new */
    CHECK_OK(tx_read(&tx, shop.db));
    CHECK_OK(rows_open(&rows, &tx, &SQL_NOTE_LIST, NO_ARGS, shop.arena));
}
