/* platform/node/node_fixture.c - opens nodes for the tests of this folder. */

#include "platform/node/node_fixture.h"

#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/test.h"
#include "support/test_node.h"

/* Cheap passwords: a hasher is opened with every node. */
static const struct setting test_rows[] = {
    SETTING_NUMBER("identity.argon2_memory_kib", SETTING_COUNT, RANGE(8, 1048576), 64,
                   "Of a test."),
};
static const struct settings test_settings = SETTINGS(test_rows);
static const struct settings *const tables[] = {&node_settings, &test_settings, NULL};

/* --- Effects --- */

const struct sql SQL_NOTE_ADD = {
    .name = "note_add",
    .sqlite = "INSERT INTO note (at_ms, text) VALUES (?1, ?2)",
    .postgres = "INSERT INTO note (at_ms, text) VALUES ($1, $2)",
    .param_count = 2,
    .conflicts = {{"note_text_key", ERR_CONFLICT}},
};
const struct sql SQL_NOTE_COUNT = {
    .name = "note_count",
    .sqlite = "SELECT count(*) FROM note",
    .postgres = "SELECT count(*) FROM note",
};
const struct sql SQL_NOTE_LIST = {
    .name = "note_list",
    .sqlite = "SELECT text FROM note ORDER BY id",
    .postgres = "SELECT text FROM note ORDER BY id",
};
static const struct sql *const note_sql_items[] = {&SQL_NOTE_ADD, &SQL_NOTE_COUNT, &SQL_NOTE_LIST};
static const struct sql_list note_sql = {note_sql_items, 3};
const struct sql_list *const note_statements[] = {&note_sql, NULL};

static const struct migration note_table = {
    .number = 1,
    .name = "note",
    .sqlite = "CREATE TABLE note (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL,"
              " text TEXT NOT NULL UNIQUE)",
    .postgres = "CREATE TABLE note (id bigserial PRIMARY KEY, at_ms bigint NOT NULL,"
                " text text NOT NULL UNIQUE)",
};
const struct migration_list note_migrations = {"note", &note_table, 1};

err note_add(struct tx *tx, int64_t at_ms, str text)
{
    return db_exec(tx, &SQL_NOTE_ADD, ARGS(I64(at_ms), TEXT(text)));
}

str note_list(struct instance *self, struct arena *arena)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    CLEANUP(rows_done) struct rows rows = {0};
    struct buf list = buf_in(arena, NOTES_SIZE_MAX);

    CHECK_OK(tx_read(&tx, self->db));
    CHECK_OK(rows_open(&rows, &tx, &SQL_NOTE_LIST, NO_ARGS, arena));
    while (rows_next(&rows)) {
        if (list.size > 0)
            buf_add_char(&list, ' ');
        buf_add(&list, row_text(&rows, 0));
    }
    CHECK_OK(rows_close(&rows));
    return list.size > 0 ? buf_str(&list) : STR("");
}

int64_t fixture_i64(struct instance *self, const struct sql *sql)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t n = 0;

    CHECK_OK(tx_read(&tx, self->db));
    CHECK_OK(db_get_i64(&tx, sql, NO_ARGS, &n));
    return n;
}

/* --- The node --- */

static void init(struct fixture *fixture)
{
    *fixture = (struct fixture){.dir = ":memory:"};
    clock_manual_init(&fixture->clock, FIXTURE_START_MS);
    rng_seeded_init(&fixture->rng, 42);
    fixture->log_fd = memfd_create("log", MFD_CLOEXEC);
    CHECK(fixture->log_fd >= 0);
    fixture->log = log_open(fixture->log_fd, LOG_INFO, &fixture->clock.clock);
    fixture->config = config_open(tables);
    fixture->arena = arena_open(0);
}

void fixture_init(struct fixture *fixture)
{
    static int count;

    init(fixture);
    (void)snprintf(fixture->name, sizeof(fixture->name), "fixture-%d", ++count);
    test_node_databases(fixture->config, fixture->name, fixture->arena);
}

void fixture_init_beside(struct fixture *fixture, const struct fixture *first)
{
    init(fixture);
    test_node_databases(fixture->config, first->name, fixture->arena);
    memcpy(fixture->dir, first->dir, sizeof(fixture->dir));
    fixture->in_company = true;
    fixture->is_guest = true;
}

void fixture_dir(struct fixture *fixture)
{
    (void)snprintf(fixture->dir, sizeof(fixture->dir), "/tmp/boxoffice-node-XXXXXX");
    CHECK(mkdtemp(fixture->dir) != NULL);
}

err fixture_try(struct fixture *fixture, const struct service *const *services, bool background,
                str *ret_why)
{
    const struct node_options options = {
        .services = services,
        .clock = &fixture->clock.clock,
        .rng = &fixture->rng.rng,
        .config = fixture->config,
        .log = fixture->log,
        .data_dir = fixture->dir,
        .background = background,
        .alone = !fixture->in_company,
        .prepares = true,
    };

    assert(fixture->node == NULL);
    return node_open(&options, fixture->arena, &fixture->node, ret_why);
}

void fixture_open(struct fixture *fixture, const struct service *const *services, bool background)
{
    str why = STR_ABSENT;
    const err e = fixture_try(fixture, services, background, &why);

    if (e != ERR_OK)
        print_error("node_open: %.*s\n", STR_ARG(why));
    CHECK_OK(e);
}

void fixture_close_node(struct fixture *fixture)
{
    node_close(fixture->node);
    fixture->node = NULL;
}

static int delete_one(const char *path, [[maybe_unused]] const struct stat *info,
                      [[maybe_unused]] int type, [[maybe_unused]] struct FTW *where)
{
    return remove(path);
}

void fixture_done(struct fixture *fixture)
{
    if (fixture->node != NULL)
        fixture_close_node(fixture);
    config_close(fixture->config);
    log_close(fixture->log);
    arena_close(fixture->arena);
    (void)close(fixture->log_fd);
    if (strcmp(fixture->dir, ":memory:") != 0 && !fixture->is_guest)
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread is left */
        (void)nftw(fixture->dir, delete_one, 8, FTW_DEPTH | FTW_PHYS);
}

struct instance *fixture_find(struct fixture *fixture, const char *service)
{
    return node_find(fixture->node, service);
}

void fixture_advance(struct fixture *fixture, int64_t by_ms)
{
    clock_manual_advance(&fixture->clock, by_ms);
    node_run_due(fixture->node);
}

int fixture_logged(struct fixture *fixture, const char *text)
{
    const off_t size = lseek(fixture->log_fd, 0, SEEK_END);
    int count = 0;

    CHECK(size >= 0);
    char *all = arena_alloc(fixture->arena, (size_t)size + 1);
    CHECK(pread(fixture->log_fd, all, (size_t)size, 0) == size);
    for (const char *at = all; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

int64_t fixture_gauge(struct fixture *fixture, const char *name, const char *labels)
{
    return metric_value(metrics_gauge(fixture->node->metrics, name, labels, "Of a test."));
}
