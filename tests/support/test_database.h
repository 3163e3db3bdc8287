/* support/test_database.h - on which engine the tests of this run have their databases.
 *
 * Without BOXOFFICE_TEST_DATABASE on SQLite: in memory, or in files of the test's own. With it
 * (postgresql://..., see with_postgres.c) on that server, where each fixture makes databases of its
 * own and drops them: 30 ms each. The only place that reads it. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"

bool test_on_postgres(void);

/* A name that nobody else uses for a database of that server: "t_4711_3". */
const char *test_database_name(struct arena *arena);
/* Makes an empty database of this name and gives its URL. It is dropped when the arena is reset,
 * whoever is connected. */
const char *test_database_make(struct arena *arena, const char *name);
/* Only the URL. */
const char *test_database_url(struct arena *arena, const char *name);

/* Past the driver: SQL of a test's own, as somebody with a shell would run it; the test fails if
 * that does. */
void test_database_exec(const char *url, const char *sql);
/* Does it go through? Nothing of it has happened if not. */
bool test_database_try(const char *url, const char *sql);
/* The one number that a query gives. */
int64_t test_database_i64(const char *url, const char *sql);
