/* platform/db/migrate_test.c - opening: fresh, again, upgraded, too new, refused. */

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "platform/db/testdata/shop.h"

static const struct sql_list *const no_statements[] = {NULL};

static const char parent_sql[] = "CREATE TABLE parent (id BIGINT PRIMARY KEY);"
                                 "INSERT INTO parent VALUES (1), (2);";
static const char child_sql[] = "CREATE TABLE child (parent BIGINT REFERENCES parent (id));"
                                "INSERT INTO child VALUES (2);";
/* A table that another refers to is made anew. */
static const char parent_name_sql[] = "CREATE TABLE parent_new (id BIGINT PRIMARY KEY, name TEXT);"
                                      "INSERT INTO parent_new SELECT id, 'x' FROM parent;"
                                      "DROP TABLE parent;"
                                      "ALTER TABLE parent_new RENAME TO parent;";
static const char parent_name_pg_sql[] = "ALTER TABLE parent ADD name TEXT;"
                                         "UPDATE parent SET name = 'x'";
static const struct migration steps[] = {
    {1, "parent",      parent_sql,      parent_sql        },
    {2, "child",       child_sql,       child_sql         },
    {3, "parent_name", parent_name_sql, parent_name_pg_sql},
};

static const char other_sql[] = "CREATE TABLE other (id BIGINT PRIMARY KEY);";
static const struct migration other_step = {1, "other", other_sql, other_sql};

/* Opens with the first `count` of steps; only as good as its last. */
static err open_with(struct shop *shop, const struct migration *items, size_t count)
{
    const struct migration_list list = {.owner = "test", .items = items, .count = count};
    const struct migration_list other = {.owner = "other", .items = &other_step, .count = 1};
    const struct migration_list *const lists[] = {&list, &other, NULL};
    err e;

    shop->options.statements = no_statements;
    shop->options.migrations = lists;
    e = shop_open(shop);
    shop->options.migrations = NULL;
    return e;
}

TEST(migrations_are_applied_once_and_in_order)
{
    for (int in_memory = 0; in_memory < 2; in_memory++) {
        CLEANUP(shop_done) struct shop shop;

        shop_init(&shop, in_memory != 0);
        CHECK_OK(open_with(&shop, steps, 2));
        CHECK_I64(3, shop_i64(&shop, "SELECT count(*) FROM schema_migration"));
        CHECK_I64(SHOP_NOW_MS, shop_i64(&shop, "SELECT max(applied_at_ms) FROM schema_migration"));
        CHECK_I64(
            1,
            shop_i64(&shop,
                     "SELECT count(*) FROM schema_migration WHERE owner = 'other' AND number = 1"));
        CHECK_I64(1, shop_i64(&shop, "SELECT count(*) FROM child"));
        CHECK(strstr(shop_log(&shop).ptr, "db.migrated") != NULL);
        if (in_memory != 0 && !shop.on_postgres)
            continue; /* is gone with its last connection */
        shop_close(&shop);

        CHECK_OK(open_with(&shop, steps, 2));
        CHECK_I64(2, shop_i64(&shop, "SELECT count(*) FROM parent"));
        if (!shop.on_postgres)
            CHECK_I64(1, shop_i64(&shop, "PRAGMA foreign_keys"));
        shop_close(&shop);

        CHECK_OK(open_with(&shop, steps, 3));
        CHECK_I64(2, shop_i64(&shop, "SELECT count(*) FROM parent WHERE name = 'x'"));
        CHECK_I64(4, shop_i64(&shop, "SELECT count(*) FROM schema_migration"));
        CHECK_OK(db_verify(shop.db, shop.arena, &shop.why));
    }
}

TEST(a_database_that_is_newer_or_another_is_refused)
{
    static const struct migration renamed[] = {
        {1, "parents", "CREATE TABLE parent (id BIGINT PRIMARY KEY);", NULL}
    };
    CLEANUP(shop_done) struct shop shop;

    shop_init(&shop, false);
    CHECK_OK(open_with(&shop, steps, 2));
    shop_close(&shop);
    CHECK_ERR(ERR_INVALID, open_with(&shop, steps, 1));
    CHECK_STR("shop is newer than this program: it has migration 2 (child) of test", shop.why);
    CHECK_ERR(ERR_INVALID, open_with(&shop, renamed, 1));
    CHECK_STR("shop has migration 1 (parent) of test where this program has 1 (parents)", shop.why);
    CHECK_OK(open_with(&shop, steps, 2));
}

TEST(who_only_checks_says_what_is_missing_and_applies_nothing)
{
    CLEANUP(shop_done) struct shop shop;
    int applied = 0;

    shop_init(&shop, false);
    shop.options.applied = &applied;
    CHECK_OK(open_with(&shop, steps, 1));
    CHECK_I64(2, applied); /* its own, and the other's */
    shop_close(&shop);
    shop.options.only_check = true;
    CHECK_ERR(ERR_INVALID, open_with(&shop, steps, 3));
    CHECK_STR("shop lacks migration 2 (child) of test", shop.why);
    CHECK_OK(open_with(&shop, steps, 1));
    CHECK_I64(2, applied);
    CHECK_I64(2, shop_i64(&shop, "SELECT count(*) FROM schema_migration"));
}

TEST_OF_SQLITE(a_migration_that_fails_leaves_nothing_behind)
{
    static const struct {
        const char *sql;
        const char *why;
    } cases[] = {
        {"CREATE TABLE a (id BIGINT); CREATE TABEL b (id BIGINT);",
         "migration 0003 (bad): shop: near \"TABEL\": syntax error"                              },
        {"CREATE TABLE a (id BIGINT); COMMIT;",
         "migration 0003 (bad): it ends the transaction that it is run in"                       },
        {"CREATE TABLE a (id BIGINT); DELETE FROM parent;",
         "migration 0003 (bad): shop: row 1 of child refers to a row of parent that is not there"},
        {"CREATE TABLE a (id BIGINT); INSERT INTO parent VALUES (1);",
         "migration 0003 (bad): shop: UNIQUE constraint failed: parent.id"                       },
        {"CREATE TABLE a (id BIGINT DEFAULT \"text\"); SELECT \"text\" FROM a;",
         "migration 0003 (bad): shop: no such column: text"                                      },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct migration bad[] = {
            steps[0], steps[1], {3, "bad", cases[i].sql, NULL}
        };
        CLEANUP(shop_done) struct shop shop;

        shop_init(&shop, false);
        CHECK_ERR(ERR_INVALID, open_with(&shop, bad, 3));
        if (i != 1) /* which has committed what it did */
            CHECK_STR(cases[i].why, shop.why);
        CHECK(shop.db == NULL);
        CHECK_OK(open_with(&shop, steps, 2));
        CHECK_I64(i == 1 ? 1 : 0,
                  shop_i64(&shop, "SELECT count(*) FROM sqlite_schema WHERE name = 'a'"));
        CHECK_I64(2, shop_i64(&shop, "SELECT count(*) FROM schema_migration WHERE owner = 'test'"));
    }
}

/* In a process of its own: gives its exit code. */
static int open_in_child(struct shop *shop, int start_fd)
{
    char go;

    if (read(start_fd, &go, 1) != 0) /* until everybody is there */
        return 2;
    if (open_with(shop, steps, 3) != ERR_OK)
        return 1;
    shop_close(shop);
    return 0;
}

TEST(processes_that_start_at_once_migrate_once)
{
    enum { PROCESSES = 6 };
    CLEANUP(shop_done) struct shop shop;
    pid_t children[PROCESSES];
    int ends[2];

    shop_init(&shop, false);
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        CHECK(children[i] >= 0);
        if (children[i] == 0) {
            (void)close(ends[1]);
            _exit(open_in_child(&shop, ends[0]));
        }
    }
    (void)close(ends[0]);
    (void)close(ends[1]);
    for (int i = 0; i < PROCESSES; i++) {
        int status = -1;

        CHECK(waitpid(children[i], &status, 0) == children[i]);
        CHECK_I64(0, status);
    }
    CHECK_OK(open_with(&shop, steps, 3));
    CHECK_I64(4, shop_i64(&shop, "SELECT count(*) FROM schema_migration"));
}

static void *commit_soon(void *handle)
{
    static const struct timespec moment = {.tv_nsec = 20000000};

    (void)nanosleep(&moment, NULL);
    CHECK(sqlite_run(handle, "COMMIT") == SQLITE_OK);
    return NULL;
}

TEST_OF_SQLITE(a_file_in_use_gets_its_log_when_it_is_free)
{
    CLEANUP(shop_done) struct shop shop;
    sqlite3 *other;
    pthread_t thread;

    shop_init(&shop, false);
    CHECK(sqlite3_open(shop_path(&shop), &other) == SQLITE_OK);
    CHECK(sqlite_run(other, "CREATE TABLE x (y); BEGIN; SELECT count(*) FROM x") == SQLITE_OK);
    CHECK(pthread_create(&thread, NULL, commit_soon, other) == 0);
    CHECK_OK(open_with(&shop, steps, 1));
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(sqlite3_close(other) == SQLITE_OK);
    CHECK_I64(1, shop_i64(&shop, "SELECT 1 FROM pragma_journal_mode WHERE journal_mode = 'wal'"));
}

/* --- What refuses to open --- */

TEST_OF_SQLITE(a_wrong_statement_ends_the_start)
{
    static const struct {
        const char *name;
        const char *sqlite;
        int param_count;
        const char *constraint;
        const char *why;
    } cases[] = {
        {"typo",   "SELEC 1",                   0, NULL,              "shop: statement typo: near \"SELEC\": syntax error"},
        {"table",  "SELECT 1 FROM nowhere",     0, NULL,
         "shop: statement table: no such table: nowhere"                                                                  },
        {"column", "SELECT \"no\" FROM parent", 0, NULL,
         "shop: statement column: no such column: no"                                                                     },
        {"two",    "SELECT 1; SELECT 2",        0, NULL,              "shop: statement two is not one statement"          },
        {"none",   " ",                         0, NULL,              "shop: statement none is not one statement"         },
        {"few",    "SELECT ?1, ?2",             1, NULL,
         "shop: statement few has another number of parameters than it says"                                              },
        {"key",    "DELETE FROM parent",        0, "parent_name_key",
         "shop: statement key: there is no constraint parent_name_key"                                                    },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct sql wrong = {
            .name = cases[i].name,
            .sqlite = cases[i].sqlite,
            .param_count = cases[i].param_count,
            .conflicts[0] = {cases[i].constraint, ERR_CONFLICT},
        };
        const struct sql *const items[] = {&wrong};
        const struct sql_list list = {items, 1};
        const struct sql_list *const lists[] = {&list, NULL};
        const struct migration_list migrations = {.owner = "test", .items = steps, .count = 1};
        const struct migration_list *const migration_lists[] = {&migrations, NULL};
        CLEANUP(shop_done) struct shop shop;

        shop_init(&shop, false);
        shop.options.statements = lists;
        shop.options.migrations = migration_lists;
        CHECK_ERR(ERR_INVALID, shop_open(&shop));
        CHECK_STR(cases[i].why, shop.why);
    }
}

TEST_OF_SQLITE(a_place_that_is_none_says_why)
{
    static const struct {
        const char *url;
        err expected;
        const char *why;
    } cases[] = {
        {"mysql:x",              ERR_INVALID,
         "mysql:x: no database that is known here (sqlite:FILE, postgresql://...)"                      },
        {"booking.db",           ERR_INVALID,
         "booking.db: no database that is known here (sqlite:FILE, postgresql://...)"                   },
        {"sqlite:",              ERR_INVALID,     "sqlite:: expected sqlite:FILE or sqlite::memory:NAME"},
        {"sqlite::memory:",      ERR_INVALID,
         "sqlite::memory:: expected sqlite:FILE or sqlite::memory:NAME"                                 },
        {"sqlite::memory:a&b",   ERR_INVALID,
         "sqlite::memory:a&b: expected sqlite:FILE or sqlite::memory:NAME"                              },
        {"sqlite:/nowhere/x.db", ERR_UNAVAILABLE, "/nowhere/x.db: cannot be opened"                     },
        {"sqlite:/dev/null",     ERR_UNAVAILABLE, "/dev/null: cannot be opened"                         },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(shop_done) struct shop shop;

        shop_init(&shop, true);
        shop.options.url = cases[i].url;
        CHECK_ERR(cases[i].expected, shop_open(&shop));
        CHECK_STR(cases[i].why, shop.why);
    }
}

TEST_OF_SQLITE(a_file_that_is_no_database_is_left_as_it_is)
{
    static const char text[] =
        "This is a letter to a friend, and quite a long one. How are you? I am fine, but for "
        "the weather, which could be better at this time of the year.";
    CLEANUP(shop_done) struct shop shop;
    struct stat st;
    int fd;

    shop_init(&shop, false);
    fd = open(shop_path(&shop), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK(write(fd, text, sizeof(text)) == (ssize_t)sizeof(text));
    (void)close(fd);
    CHECK_ERR(ERR_UNAVAILABLE, shop_open(&shop));
    CHECK(stat(shop_path(&shop), &st) == 0);
    CHECK_I64(sizeof(text), st.st_size);
}

TEST_OF_SQLITE(the_file_is_for_its_owner_only)
{
    CLEANUP(shop_done) struct shop shop;
    struct stat st;

    shop_start(&shop, false);
    CHECK_OK(note_put(shop.db, 1, STR("x")));
    CHECK(stat(shop_path(&shop), &st) == 0);
    CHECK_I64(0600, st.st_mode & 0777);
    CHECK(stat(arena_printf(shop.arena, "%s-wal", shop_path(&shop)).ptr, &st) == 0);
    CHECK_I64(0600, st.st_mode & 0777);
}

/* --- Settings --- */

TEST_OF_SQLITE(every_connection_has_the_settings_that_durability_needs)
{
    static const struct {
        const char *sql;
        int64_t writer;
        int64_t reader;
    } cases[] = {
        {"PRAGMA synchronous",                                           2,                 2                },
        {"PRAGMA foreign_keys",                                          1,                 1                },
        {"PRAGMA temp_store",                                            2,                 2                },
        {"PRAGMA mmap_size",                                             0,                 0                },
        {"PRAGMA cache_size",                                            -CACHE_WRITER_KIB, -CACHE_READER_KIB},
        {"PRAGMA wal_autocheckpoint",                                    0,                 0                },
        {"PRAGMA query_only",                                            0,                 1                },
        {"PRAGMA busy_timeout",                                          DB_WRITER_WAIT_MS, DB_WRITER_WAIT_MS},
        {"SELECT 1 FROM pragma_journal_mode WHERE journal_mode = 'wal'", 1,                 1                },
    };
    CLEANUP(shop_done) struct shop shop;

    shop_start(&shop, false);
    check_notes(0, shop.db); /* which opens a reader */
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t answer = -1;

        CHECK_I64(cases[i].writer, shop_i64(&shop, cases[i].sql));
        CHECK(sqlite_get_i64(shop_sqlite(&shop)->pool->handle, cases[i].sql, &answer) == SQLITE_OK);
        CHECK_I64(cases[i].reader, answer);
    }
}
