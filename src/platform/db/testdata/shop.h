/* platform/db/testdata/shop.h - a small database for the tests of this folder. */
#pragma once

#include <stdbool.h>

#include "platform/db/db.h"
#include "platform/db/db_sqlite.h"
#include "platform/db/testdata/account.sql.h"
#include "platform/db/testdata/migrations.h"
#include "platform/db/testdata/note.sql.h"
#include "platform/metrics/metrics.h"
#include "support/test.h"
#include "support/test_database.h"

enum { SHOP_PATH_SIZE = 256, SHOP_LOG_SIZE = 4096 };
#define SHOP_NOW_MS INT64_C(1795382533001)

/* A test of SQLite's files, connections or locks: there is none in a run on PostgreSQL. */
#define TEST_OF_SQLITE(name)                                              \
    static void test_##name(void **state);                                \
    __attribute__((constructor)) static void test_##name##_register(void) \
    {                                                                     \
        if (!test_on_postgres())                                          \
            test_register(#name, test_##name);                            \
    }                                                                     \
    static void test_##name([[maybe_unused]] void **state)

struct shop {
    bool in_memory;
    bool on_postgres;         /* wherever it should be: this run is one on PostgreSQL */
    char dir[SHOP_PATH_SIZE]; /* its own, "" in memory */
    char url[SHOP_PATH_SIZE];
    int log_fd;
    char log_text[SHOP_LOG_SIZE];
    struct arena *arena;
    struct clock_manual clock;
    struct log *log;
    struct metrics *metrics;
    struct db_options options; /* change them before shop_open */
    struct db *db;
    str why; /* of the last shop_open */
};

/* An empty database, not open yet: on disk, or in memory; on PostgreSQL, if this run is one
 * (support/test_database.h). */
void shop_init(struct shop *shop, bool in_memory);
void shop_done(struct shop *shop); /* for CLEANUP: closes and deletes it */
err shop_open(struct shop *shop);
void shop_close(struct shop *shop);
void shop_start(struct shop *shop, bool in_memory); /* init and open */

/* The one number that a query gives which is run past the driver. */
int64_t shop_i64(const struct shop *shop, const char *sql);
const char *shop_path(const struct shop *shop); /* of the file */
struct sqlite_db *shop_sqlite(const struct shop *shop);
/* What the log has said so far. */
str shop_log(struct shop *shop);

struct uuid uuid_of(uint8_t n);
/* One transaction each. */
err note_put(struct db *db, int64_t number, str body);
err note_count(struct db *db, int64_t *ret);
/* The same, checked. */
void check_notes(int64_t want, struct db *db);
/* Runs it in a process of its own: did an assertion end that? */
bool dies_of_assertion(void (*bug)(void));
