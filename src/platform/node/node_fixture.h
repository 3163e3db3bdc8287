/* platform/node/node_fixture.h - a node whose time, chance and log belong to a test. */
#pragma once

#include "platform/node/node.h"

struct fixture {
    struct clock_manual clock;
    struct rng_seeded rng;
    struct config *config;
    struct log *log;
    int log_fd;
    struct arena *arena;
    struct node *node; /* NULL: none is open */
    char dir[64];      /* of the data; ":memory:" unless fixture_dir made one */
    char name[32];     /* of what it shares with those beside it */
    bool in_company;   /* other nodes work on the same databases */
    bool is_guest;     /* the directory is another's */
};

enum { NOTES_SIZE_MAX = 1024 * 1024 };
#define FIXTURE_START_MS INT64_C(1763845200000)

void fixture_init(struct fixture *fixture);
/* A new directory for the data, so that a second node finds what the first one left. */
void fixture_dir(struct fixture *fixture);
/* A second one on the data of the first, as another process would open it; it is done before the
 * first. */
void fixture_init_beside(struct fixture *fixture, const struct fixture *first);
/* Opens (background: with threads); fails the test if that fails. */
void fixture_open(struct fixture *fixture, const struct service *const *services, bool background);
err fixture_try(struct fixture *fixture, const struct service *const *services, bool background,
                str *ret_why);
void fixture_close_node(struct fixture *fixture);
void fixture_done(struct fixture *fixture); /* for CLEANUP; deletes the directory */

struct instance *fixture_find(struct fixture *fixture, const char *service);
/* Moves the clock and does what is due then. */
void fixture_advance(struct fixture *fixture, int64_t by_ms);
/* How often `text` is in the log. */
int fixture_logged(struct fixture *fixture, const char *text);
int64_t fixture_gauge(struct fixture *fixture, const char *name, const char *labels);
/* The one number that a statement without parameters gives. */
int64_t fixture_i64(struct instance *self, const struct sql *sql);

/* A table "note" for the effects of jobs and events: `text` is unique, `id` tells the order. */
extern const struct sql SQL_NOTE_ADD;   /* text, at_ms; conflict: ERR_CONFLICT */
extern const struct sql SQL_NOTE_COUNT; /* all */
extern const struct sql SQL_NOTE_LIST;
extern const struct sql_list *const note_statements[];
extern const struct migration_list note_migrations;
err note_add(struct tx *tx, int64_t at_ms, str text);
/* "a b c", in order; in `arena`. */
str note_list(struct instance *self, struct arena *arena);
