/* support/test_node.h - where the databases of a test's node are: test_database.h, for whole nodes. */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "platform/config/config.h"

/* On SQLite nothing happens. On PostgreSQL sets database.url to the server of this run and
 * database.prefix to a name that nobody else has; what a node has made there (open it with
 * `prepares`) is emptied for the next test when the arena is reset. Nodes of one directory have the
 * same databases, and whoever came first ends last; NULL: nobody else has ours. */
void test_node_databases(struct config *config, const char *dir, struct arena *arena);

/* Past the services: SQL of a test's own on the database of one. `dir` is where it lies on SQLite. */
struct test_node {
    const struct config *config;
    const char *dir;
    const char *service;
    struct arena *arena;
};
/* SQL that both understand, but for randomblob(16) and x'0aff' (of 16 bytes: an id), which are
 * SQLite's words for both. */
void test_node_exec(const struct test_node *node, const char *sql);
/* Does it go through? Nothing of it has happened if not. */
bool test_node_try(const struct test_node *node, const char *sql);
/* The one number that a query gives. */
int64_t test_node_i64(const struct test_node *node, const char *sql);

/* What the database itself does from now on when a row is written. */
struct test_trigger {
    const char *name;
    const char *when; /* "AFTER UPDATE" */
    const char *table;
    const char *where; /* "NEW.state = 5"; NULL: always */
    const char *act;   /* a statement; NULL: it fails */
};
void test_node_add_trigger(const struct test_node *node, const struct test_trigger *trigger);
void test_node_drop_trigger(const struct test_node *node, const struct test_trigger *trigger);
