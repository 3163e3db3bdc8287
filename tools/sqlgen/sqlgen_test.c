/* sqlgen/sqlgen_test.c - what a .sql file may say, and what is refused with file and line. */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sqlgen/emit.h"
#include "support/test.h"

/* --- Statements --- */

TEST(a_statement_is_written_for_both_engines)
{
    static const struct {
        const char *text;
        const char *sqlite;
        const char *postgres;
        int param_count;
    } cases[] = {
        {"SELECT 1;",                  "SELECT 1",                  "SELECT 1",                  0},
        {"SELECT $2, $1;",             "SELECT ?2, ?1",             "SELECT $2, $1",             2},
        {"SELECT $1+$1;",              "SELECT ?1+?1",              "SELECT $1+$1",              1},
        {"SELECT '$9 ; it''s ?', $1;", "SELECT '$9 ; it''s ?', ?1", "SELECT '$9 ; it''s ?', $1", 1},
        {"SELECT \"$1;\" FROM t;",     "SELECT \"$1;\" FROM t",     "SELECT \"$1;\" FROM t",     0},
        {"SELECT -- $7; it's\n  $1;",  "SELECT\n?1",                "SELECT\n$1",                1},
        {"SELECT /* $7; ' */ $1;",     "SELECT ?1",                 "SELECT $1",                 1},
        {"  SELECT\n\n\t 1 \n;",       "SELECT\n1",                 "SELECT\n1",                 0},
        {"SELECT 'a\n  b';",           "SELECT 'a\n  b'",           "SELECT 'a\n  b'",           0},
        {"SELECT 1-$1;",               "SELECT 1-?1",               "SELECT 1-$1",               1},
        {"SELECT a-1, b/2;",           "SELECT a-1, b/2",           "SELECT a-1, b/2",           0},
        {"SELECT 'é \\ \"';",         "SELECT 'é \\ \"'",         "SELECT 'é \\ \"'",         0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(run_done) struct run run = {0};
        struct text text = {.run = &run};
        struct statements statements;

        text_printf(&text, "-- name: x\n%s\n-- name: y\nSELECT 2;", cases[i].text);
        CHECK(statements_read(&run, "x.sql", text.data, &statements));
        CHECK_I64(2, statements.count);
        CHECK_STR(cases[i].sqlite, str_of(statements.items[0].sqlite));
        CHECK_STR(cases[i].postgres, str_of(statements.items[0].postgres));
        CHECK_I64(cases[i].param_count, statements.items[0].param_count);
        CHECK_STR("y", str_of(statements.items[1].name));
    }
}

TEST(a_header_names_conflicts_in_one_line_or_more)
{
    CLEANUP(run_done) struct run run = {0};
    struct statements statements;
    const struct statement *item;

    CHECK(statements_read(
        &run, "x.sql",
        "/* ; */ -- a remark\n-- name: put_2   conflict: a_pkey -> IN_USE,b_c_key->STALE\r\n"
        "-- a remark between\n-- conflict: c_fkey -> NOT_FOUND\nSELECT 1;",
        &statements));
    item = &statements.items[0];
    CHECK_STR("put_2", str_of(item->name));
    CHECK_I64(2, item->line);
    CHECK_I64(3, item->conflict_count);
    CHECK_STR("a_pkey", str_of(item->conflicts[0].constraint));
    CHECK_STR("IN_USE", str_of(item->conflicts[0].err));
    CHECK_STR("b_c_key", str_of(item->conflicts[1].constraint));
    CHECK_STR("STALE", str_of(item->conflicts[1].err));
    CHECK_STR("c_fkey", str_of(item->conflicts[2].constraint));
}

TEST(mistakes_are_refused_with_file_and_line)
{
    static const struct {
        const char *text;
        const char *error;
    } cases[] = {
        {"",                                                                       "x.sql: has no statement in it"                              },
        {"-- only a remark\n",                                                     "x.sql: has no statement in it"                              },
        {"\nSELECT 1;",                                                            "x.sql:2: a statement without a \"-- name:\" line before it" },
        {"-- name: a\nSELECT 1;\nSELECT 2;",
         "x.sql:3: a statement without a \"-- name:\" line before it"                                                                           },
        {"-- name: a\n;",                                                          "x.sql:2: a is empty"                                        },
        {"-- name: a\n-- name: b\nSELECT 1;",                                      "x.sql:2: a (line 1) has no statement"                       },
        {"-- name: a\n",                                                           "x.sql:1: a has no statement"                                },
        {"-- name: a\nSELECT 1",                                                   "x.sql:1: a does not end with ;"                             },
        {"-- name: a\nSELECT 1\n-- name: b\nSELECT 2;",                            "x.sql:3: a (line 1) does not end with ;"                    },
        {"-- name: a\nSELECT 1;\n\n-- name: a\nSELECT 2;",
         "x.sql:4: a is there already, in line 1"                                                                                               },
        {"-- name: A\nSELECT 1;",
         "x.sql:1: expected a lower-case name of at most 63 characters behind name:"                                                            },
        {"-- name:\nSELECT 1;",
         "x.sql:1: expected a lower-case name of at most 63 characters behind name:"                                                            },
        {"-- name: a b\nSELECT 1;",                                                "x.sql:1: cannot read \"b\""                                 },
        {"-- name: a conflicts: b\nSELECT 1;",                                     "x.sql:1: cannot read \"conflicts: b\""                      },
        {"-- name: a\nSELECT $1, $3;",                                             "x.sql:1: a uses $3, but not $2"                             },
        {"-- name: a\nSELECT $0;",                                                 "x.sql:2: parameters go from $1 to $32"                      },
        {"-- name: a\nSELECT $33;",                                                "x.sql:2: parameters go from $1 to $32"                      },
        {"-- name: a\nSELECT $99999999999999;",                                    "x.sql:2: parameters go from $1 to $32"                      },
        {"-- name: a\nSELECT $$x$$;",                                              "x.sql:2: $ that is no parameter ($1, $2, ...)"              },
        {"-- name: a\nSELECT a$1;",                                                "x.sql:2: $ that is no parameter ($1, $2, ...)"              },
        {"-- name: a\nSELECT ?;",                                                  "x.sql:2: ? outside of a literal: parameters are $1, $2, ..."},
        {"-- name: a\nSELECT\n'x;\n",                                              "x.sql:3: ' is never closed"                                 },
        {"-- name: a\nSELECT \"x;\n",                                              "x.sql:2: \" is never closed"                                },
        {"-- name: a\nSELECT /* x;\n",                                             "x.sql:2: /* is never closed"                                },
        {"-- name: a\nSELECT /* \n /* x */ 1;\n",
         "x.sql:3: /* in a comment: only PostgreSQL nests them"                                                                                 },
        {"-- conflict: b -> C\nSELECT 1;",                                         "x.sql:1: conflict: without a name: before it"               },
        {"-- name: a conflict: b\nSELECT 1;",                                      "x.sql:1: expected -> behind b"                              },
        {"-- name: a conflict: -> C\nSELECT 1;",
         "x.sql:1: expected the lower-case name of a constraint behind conflict:"                                                               },
        {"-- name: a conflict: b -> C,\nSELECT 1;",
         "x.sql:1: expected the lower-case name of a constraint behind conflict:"                                                               },
        {"-- name: a conflict: b -> c\nSELECT 1;",
         "x.sql:1: expected an error such as EMAIL_TAKEN (without ERR_), got \"c\""                                                             },
        {"-- name: a conflict: b -> ERR_C\nSELECT 1;",
         "x.sql:1: expected an error such as EMAIL_TAKEN (without ERR_), got \"ERR_C\""                                                         },
        {"-- name: a conflict: b -> C, b -> D\nSELECT 1;",                         "x.sql:1: a names b twice"                                   },
        {"-- name: a conflict: b_fkey -> C, c_fkey -> D\nSELECT 1;",
         "x.sql:1: a names two foreign keys, which SQLite cannot tell apart"                                                                    },
        {"-- name: a conflict: b -> C, d -> C, e -> C, f -> C, g -> C\nSELECT 1;",
         "x.sql:1: a has more than 4 conflicts"                                                                                                 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(run_done) struct run run = {0};
        struct statements statements;

        CHECK(!statements_read(&run, "x.sql", cases[i].text, &statements));
        CHECK_STR(cases[i].error, str_of(run.error));
    }
}

TEST(an_override_replaces_the_text_for_postgres_alone)
{
    static const char base[] =
        "-- name: a conflict: t_pkey -> STALE\nSELECT $1;\n-- name: b\nSELECT 2;";
    static const struct {
        const char *text;
        const char *error; /* "": none */
    } cases[] = {
        {"-- name: a\nSELECT $1 ? 'x' FOR UPDATE;",          ""                                                        },
        {"-- name: a\nSELECT 1;",                            "x.pg.sql:1: a has 0 parameters, but overrides one with 1"},
        {"\n-- name: c\nSELECT 1;",                          "x.pg.sql:2: c overrides nothing"                         },
        {"-- name: a conflict: t_pkey -> STALE\nSELECT $1;",
         "x.pg.sql:1: conflict: belongs into the file that is overridden"                                              },
        {"-- name: a\nSELECT $1;-- name: a\nSELECT $1;",
         "x.pg.sql:2: a is there already, in line 1"                                                                   },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(run_done) struct run run = {0};
        struct statements statements;
        const bool ok = statements_read(&run, "x.sql", base, &statements) &&
                        statements_override(&run, "x.pg.sql", cases[i].text, &statements);

        CHECK_STR(cases[i].error, str_of(run.error));
        CHECK(ok == (cases[i].error[0] == '\0'));
        CHECK_STR("SELECT ?1", str_of(statements.items[0].sqlite));
        CHECK_STR(ok ? "SELECT $1 ? 'x' FOR UPDATE" : "SELECT $1",
                  str_of(statements.items[0].postgres));
        CHECK_I64(1, statements.items[0].conflict_count);
        CHECK_STR("SELECT 2", str_of(statements.items[1].postgres));
    }
}

TEST(a_statement_may_be_of_postgres_alone)
{
    static const char base[] = "-- name: a\nSELECT $1;";
    static const struct {
        const char *text;
        const char *error; /* "": none */
    } cases[] = {
        {"-- only: b conflict: t_pkey -> STALE\nSELECT $1::int[];", ""                                       },
        {"-- only: a\nSELECT $1;",                                  "x.pg.sql:1: a is of SQLite too (line 1)"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(run_done) struct run run = {0};
        struct statements statements;
        const bool ok = statements_read(&run, "x.sql", base, &statements) &&
                        statements_override(&run, "x.pg.sql", cases[i].text, &statements);
        struct text text;

        CHECK_STR(cases[i].error, str_of(run.error));
        CHECK(ok == (cases[i].error[0] == '\0'));
        CHECK_I64(ok ? 2 : 1, statements.count);
        if (!ok)
            continue;
        CHECK(statements.items[1].sqlite == NULL);
        CHECK_STR("SELECT $1::int[]", str_of(statements.items[1].postgres));
        text = emit_statements_source(&run, "x.sql", "x_sql", "x.sql.h", &statements);
        CHECK(strstr(text.data, ".name = \"b\",\n    .postgres =") != NULL);
        CHECK(strstr(text.data, ".conflicts[0] = {\"t_pkey\", ERR_STALE}") != NULL);
    }
    {
        CLEANUP(run_done) struct run run = {0};
        struct statements statements;

        CHECK(!statements_read(&run, "x.sql", "-- only: a\nSELECT 1;", &statements));
        CHECK_STR(
            "x.sql:1: only: belongs into a .pg.sql file: a statement that SQLite does not have",
            str_of(run.error));
    }
}

TEST(the_c_has_every_statement_and_the_list)
{
    CLEANUP(run_done) struct run run = {0};
    struct statements statements;
    struct text text;

    CHECK(statements_read(&run, "x.sql",
                          "-- name: a conflict: t_pkey -> STALE\nSELECT '\"\\\t', $1\nFROM t;",
                          &statements));
    text = emit_statements_header(&run, "x.sql", "x_sql", &statements);
    CHECK_STR(
        "/* Written by sqlgen from x.sql. */\n#pragma once\n\n#include \"platform/db/db.h\"\n\n"
        "extern const struct sql SQL_A;\n\nextern const struct sql_list x_sql;\n",
        str_of(text.data));
    text = emit_statements_source(&run, "x.sql", "x_sql", "x.sql.h", &statements);
    CHECK_STR("/* Written by sqlgen from x.sql. */\n\n#include \"x.sql.h\"\n\n"
              "const struct sql SQL_A = {\n    .name = \"a\",\n"
              "    .sqlite =\n        \"SELECT '\\\"\\\\\\t', ?1\\n\"\n        \"FROM t\",\n"
              "    .postgres =\n        \"SELECT '\\\"\\\\\\t', $1\\n\"\n        \"FROM t\",\n"
              "    .param_count = 1,\n    .conflicts[0] = {\"t_pkey\", ERR_STALE},\n};\n\n"
              "static const struct sql *const items[] = {\n    &SQL_A,\n};\n\n"
              "const struct sql_list x_sql = {items, sizeof(items) / sizeof(items[0])};\n",
              str_of(text.data));
}

/* --- Migrations --- */

static char *folder_make(struct run *run)
{
    char *folder = run_copy(run, "/tmp/sqlgen_test_XXXXXX", 23);

    CHECK(mkdtemp(folder) != NULL);
    return folder;
}

/* Writes a file whose text is its own name, and gives its path. */
static char *file_make(struct run *run, const char *folder, const char *name)
{
    struct text path = {.run = run};
    struct text text = {.run = run};

    text_printf(&path, "%s/%s", folder, name);
    text_printf(&text, "%s", name);
    CHECK(file_write(run, path.data, &text));
    return path.data;
}

TEST(migrations_are_in_order_and_without_gaps)
{
    static const struct {
        const char *files[4];
        const char *error;    /* the part behind the folder; "": none */
        const char *texts[4]; /* sqlite, postgres of 1, then of 2 */
    } cases[] = {
        {{"0001_a.sql"},                                       "",                                                                   {"0001_a.sql", "0001_a.sql"}                            },
        {{"0002_b.sql", "0001_a.sql"},
         "",                                                                                                                         {"0001_a.sql", "0001_a.sql", "0002_b.sql", "0002_b.sql"}},
        {{"0001_a.sql", "0001_a.pg.sql"},                      "",                                                                   {"0001_a.sql", "0001_a.pg.sql"}                         },
        {{"0001_a.sqlite.sql", "0001_a.sql"},                  "",                                                                   {"0001_a.sqlite.sql", "0001_a.sql"}                     },
        {{"0001_a.sqlite.sql", "0001_a.pg.sql"},               "",                                                                   {"0001_a.sqlite.sql", "0001_a.pg.sql"}                  },
        {{"0001_a.sqlite.sql"},                                "a: has no text for PostgreSQL",                                      {0}                                                     },
        {{"0001_a.pg.sql"},                                    "a: has no text for SQLite",                                          {0}                                                     },
        {{"0001_a.sql", "0001_a.pg.sql", "0001_a.sqlite.sql"},
         "a: has a text for each engine and a third that none uses",                                                                 {0}                                                     },
        {{"0001_a.sql", "0003_b.sql"},                         "migrations: number 0002 is missing",                                 {0}                                                     },
        {{"0001_a.sql", "0001_b.sql"},                         "0001_b.sql: has the number of a",                                    {0}                                                     },
        {{"0001_a.sql", "0001_a.sql"},                         "0001_a.sql: is given twice",                                         {0}                                                     },
        {{"0000_a.sql"},                                       "0000_a.sql: needs a number from 0001 to 0999 and a lower-case name", {0}                                                     },
        {{"0001_A.sql"},                                       "0001_A.sql: needs a number from 0001 to 0999 and a lower-case name", {0}                                                     },
        {{"1_a.sql"},                                          "1_a.sql: is not named like 0001_name.sql",                           {0}                                                     },
        {{"0001_a.txt"},                                       "0001_a.txt: is not named like 0001_name.sql",                        {0}                                                     },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(run_done) struct run run = {0};
        const char *folder = folder_make(&run);
        char *paths[4];
        size_t count = 0;
        struct migrations migrations = {0};

        for (; count < 4 && cases[i].files[count] != NULL; count++)
            paths[count] = file_make(&run, folder, cases[i].files[count]);
        CHECK(migrations_read(&run, paths, count, &migrations) == (cases[i].error[0] == '\0'));
        CHECK_STR(cases[i].error,
                  str_of(strncmp(run.error, "/tmp/", 5) == 0 ? path_base(run.error) : run.error));
        for (size_t j = 0; j < 4 && cases[i].texts[j] != NULL; j++) {
            const struct migration *item = &migrations.items[j / 2];

            CHECK_STR(cases[i].texts[j], str_of(j % 2 == 0 ? item->sqlite : item->postgres));
            CHECK_I64(j / 2 + 1, item->number);
        }
        while (count-- > 0)
            (void)unlink(paths[count]);
        CHECK(rmdir(folder) == 0);
    }
}

/* --- Files --- */

TEST(a_file_that_says_the_same_is_left_alone)
{
    CLEANUP(run_done) struct run run = {0};
    const char *folder = folder_make(&run);
    const char *path = file_make(&run, folder, "x");
    const struct timespec long_ago[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    struct text text = {.run = &run};
    struct stat st;

    CHECK(utimensat(AT_FDCWD, path, long_ago, 0) == 0);
    text_printf(&text, "x");
    CHECK(file_write(&run, path, &text));
    CHECK(stat(path, &st) == 0);
    CHECK_I64(1000, st.st_mtim.tv_sec);
    text_printf(&text, "y");
    CHECK(file_write(&run, path, &text));
    CHECK(stat(path, &st) == 0);
    CHECK(st.st_mtim.tv_sec > 1000);

    CHECK(!file_read(&run, folder, &text)); /* a folder */
    run.error[0] = '\0';
    CHECK(unlink(path) == 0);
    CHECK(!file_read(&run, path, &text)); /* nothing */
    CHECK(rmdir(folder) == 0);
}
