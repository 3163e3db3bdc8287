/* platform/node/node_test.c - a node comes up whole or not at all, and says in one line why not. */

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pthread.h>

#include "base/mem.h"
#include "platform/crypto/crypto.h"
#include "platform/node/node_fixture.h"
#include "support/test.h"
#include "support/test_database.h"

/* --- Services that tell what happens to them --- */

static err open_loudly(struct instance *self, struct call *call)
{
    log_event(self->node->log, LOG_INFO, "opened", LOG_CSTR("service", self->service->name));
    if (strcmp(self->service->name, "broken") == 0)
        return call_explain(call, ERR_UNAVAILABLE, "The door is stuck.");
    return ERR_OK;
}

static void close_loudly(struct instance *self)
{
    log_event(self->node->log, LOG_INFO, "closed", LOG_CSTR("service", self->service->name));
}

#define LOUD(service_name)                                                                     \
    {                                                                                          \
        .name = (service_name), .statements = note_statements, .migrations = &note_migrations, \
        .open = open_loudly, .close = close_loudly                                             \
    }
static const struct service first = LOUD("first");
static const struct service second = LOUD("second");
static const struct service broken = LOUD("broken");
static const struct service *const two[] = {&first, &second, NULL};
static const struct service *const with_broken[] = {&first, &broken, &second, NULL};

static const struct sql bad_sql_item = {.name = "typo",
                                        .sqlite = "SELECT nothing FROM nowhere",
                                        .postgres = "SELECT nothing FROM nowhere"};
static const struct sql *const bad_sql_items[] = {&bad_sql_item};
static const struct sql_list bad_sql = {bad_sql_items, 1};
static const struct sql_list *const bad_statements[] = {&bad_sql, NULL};
static const struct service typo = {
    .name = "typo", .statements = bad_statements, .migrations = &note_migrations};
static const struct service *const with_typo[] = {&first, &typo, NULL};

static bool is_one_line(str why)
{
    return why.size > 0 && memchr(why.ptr, '\n', why.size) == NULL;
}

/* Opens and expects it to fail, with `part` in the reason. */
static void check_refused(struct fixture *fixture, const struct service *const *services,
                          const char *part)
{
    str why = STR_ABSENT;

    CHECK(fixture_try(fixture, services, false, &why) != ERR_OK);
    CHECK(fixture->node == NULL);
    CHECK(is_one_line(why));
    if (strstr(arena_cstr(fixture->arena, why), part) == NULL)
        CHECK_STR(part, why);
}

TEST(a_node_has_what_its_services_need)
{
    CLEANUP(fixture_done) struct fixture fixture;
    struct stat found;

    fixture_init(&fixture);
    fixture_dir(&fixture);
    CHECK_I64(0, rmdir(fixture.dir)); /* the node makes it */
    fixture_open(&fixture, two, false);
    CHECK(fixture.node->keyring != NULL && fixture.node->hasher != NULL);
    CHECK(fixture_find(&fixture, "first")->db != fixture_find(&fixture, "second")->db);
    CHECK(fixture_find(&fixture, "third") == NULL);
    CHECK_I64(0, stat(fixture.dir, &found));
    CHECK_I64(0700, found.st_mode & 07777);
    if (!test_on_postgres())
        CHECK_I64(0, access(arena_printf(fixture.arena, "%s/second.db", fixture.dir).ptr, F_OK));
    node_run_due(fixture.node);
    fixture_close_node(&fixture);
    CHECK_I64(1, fixture_logged(&fixture, "closed service=first"));
    CHECK_I64(1, fixture_logged(&fixture, "closed service=second"));
}

TEST(nodes_in_memory_share_nothing)
{
    CLEANUP(fixture_done) struct fixture a;
    CLEANUP(fixture_done) struct fixture b;
    CLEANUP(tx_rollback) struct tx tx = {0};

    fixture_init(&a);
    fixture_init(&b);
    fixture_open(&a, two, false);
    fixture_open(&b, two, false);
    CHECK_OK(tx_begin(&tx, fixture_find(&a, "first")->db));
    CHECK_OK(note_add(&tx, 1, STR("mine")));
    CHECK_OK(tx_commit(&tx));
    CHECK_I64(1, fixture_i64(fixture_find(&a, "first"), &SQL_NOTE_COUNT));
    CHECK_I64(0, fixture_i64(fixture_find(&a, "second"), &SQL_NOTE_COUNT));
    CHECK_I64(0, fixture_i64(fixture_find(&b, "first"), &SQL_NOTE_COUNT));
}

TEST(the_databases_can_be_elsewhere)
{
    CLEANUP(fixture_done) struct fixture fixture;
    str why = STR_ABSENT;

    fixture_init(&fixture);
    fixture_dir(&fixture);
    const str url = arena_printf(fixture.arena, "sqlite:%s/databases", fixture.dir);
    CHECK_OK(config_set(fixture.config, STR("database.url"), url, &why));
    fixture_open(&fixture, two, false);
    CHECK_I64(0,
              access(arena_printf(fixture.arena, "%s/databases/first.db", fixture.dir).ptr, F_OK));
    CHECK_I64(-1, access(arena_printf(fixture.arena, "%s/first.db", fixture.dir).ptr, F_OK));
    CHECK_I64(0, access(arena_printf(fixture.arena, "%s/keys", fixture.dir).ptr, F_OK));
}

TEST(a_database_url_of_another_kind_is_refused_without_telling_it)
{
    static const char *const urls[] = {"mysql://box:secret@db.example/box", "sqlite:", "data",
                                       "SQLITE:secret", "postgresql:secret"};

    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        CLEANUP(fixture_done) struct fixture fixture;
        str why = STR_ABSENT;

        fixture_init(&fixture);
        CHECK_OK(config_set(fixture.config, STR("database.url"), str_of(urls[i]), &why));
        CHECK_ERR(ERR_INVALID, fixture_try(&fixture, two, false, &why));
        CHECK(is_one_line(why));
        CHECK(strstr(arena_cstr(fixture.arena, why), "are understood") != NULL);
        CHECK(strstr(arena_cstr(fixture.arena, why), "secret") == NULL);
    }
}

TEST(a_server_that_does_not_answer_or_a_prefix_that_is_no_name_is_refused)
{
    static const struct {
        const char *prefix;
        err want;
    } cases[] = {
        {"box_",                                      ERR_UNAVAILABLE},
        {"Box_",                                      ERR_INVALID    },
        {"1box",                                      ERR_INVALID    },
        {"box-",                                      ERR_INVALID    },
        {"b\"; DROP",                                 ERR_INVALID    },
        {"a2345678901234567890123456789012345678901", ERR_INVALID    },
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(fixture_done) struct fixture fixture;
        str why = STR_ABSENT;

        fixture_init(&fixture);
        CHECK_OK(config_set(fixture.config, STR("database.url"),
                            STR("postgresql://box:secret@127.0.0.1:1/"), &why));
        CHECK_OK(config_set(fixture.config, STR("database.prefix"), str_of(cases[i].prefix), &why));
        CHECK_ERR(cases[i].want, fixture_try(&fixture, two, false, &why));
        CHECK(is_one_line(why));
        CHECK(strstr(arena_cstr(fixture.arena, why), "secret") == NULL);
    }
}

TEST(a_data_directory_that_cannot_be_is_refused)
{
    CLEANUP(fixture_done) struct fixture fixture;
    char dir[sizeof(fixture.dir)];

    fixture_init(&fixture);
    fixture_dir(&fixture);
    memcpy(dir, fixture.dir, sizeof(dir));

    (void)snprintf(fixture.dir, sizeof(fixture.dir), "%.40s/no/such", dir);
    check_refused(&fixture, two, "No such file or directory");

    (void)snprintf(fixture.dir, sizeof(fixture.dir), "%.40s/file", dir);
    FILE *file = fopen(fixture.dir, "w");
    CHECK(file != NULL);
    CHECK_I64(0, fclose(file));
    check_refused(&fixture, two, "is not a directory");
    memcpy(fixture.dir, dir, sizeof(dir));
}

TEST(what_cannot_be_opened_closes_what_was)
{
    CLEANUP(fixture_done) struct fixture fixture;

    fixture_init(&fixture);
    check_refused(&fixture, with_broken, "broken: unavailable: The door is stuck.");
    CHECK_I64(1, fixture_logged(&fixture, "opened service=first"));
    CHECK_I64(1, fixture_logged(&fixture, "closed service=first"));
    CHECK_I64(1, fixture_logged(&fixture, "opened service=broken"));
    CHECK_I64(0, fixture_logged(&fixture, "closed service=broken"));
    CHECK_I64(0, fixture_logged(&fixture, "opened service=second"));

    check_refused(&fixture, with_typo, "typo");
    fixture_open(&fixture, two, false); /* nothing is left of that */
}

/* --- Everything at once, on threads --- */

enum { WRITERS = 3, WRITES = 40 };

static err run_echo(struct call *call, str payload)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, call_db(call)));
    TRY(note_add(&tx, call->now_ms, arena_printf(call->arena, "job-%.*s", STR_ARG(payload))));
    return tx_commit(&tx);
}

static err take_shout(struct call *call, struct tx *tx, const struct feed_event *event)
{
    TRY(note_add(tx, call->now_ms, event->payload));
    return job_add(tx, call, "echo", event->payload, call->now_ms, event->payload);
}

static err listen(struct call *call, struct tx *tx, const struct feed_event *event)
{
    atomic_int *count = call->self->state;

    (void)tx;
    (void)event;
    *count += 1;
    return ERR_OK;
}

static err open_listener(struct instance *self, [[maybe_unused]] struct call *call)
{
    self->state = mem_new(atomic_int);
    return ERR_OK;
}

static void close_listener(struct instance *self)
{
    mem_free(self->state);
}

static const struct job_kind valley_jobs[] = {
    {"echo", run_echo, 5, 1},
    {NULL,   NULL,     0, 0}
};
static const struct consumer valley_consumers[] = {
    {"mountain", "shout", CONSUMER_DURABLE,  take_shout},
    {"mountain", "*",     CONSUMER_VOLATILE, listen    },
    {NULL,       NULL,    CONSUMER_DURABLE,  NULL      },
};
static const struct service mountain = {
    .name = "mountain", .statements = note_statements, .migrations = &note_migrations};
static const struct service valley = {
    .name = "valley",
    .statements = note_statements,
    .migrations = &note_migrations,
    .jobs = valley_jobs,
    .consumers = valley_consumers,
    .open = open_listener,
    .close = close_listener,
};
static const struct service *const landscape[] = {&valley, &mountain, NULL};

struct writer {
    struct instance *self;
    int number;
    bool failed;
};

static err shout(struct writer *writer, int i)
{
    CLEANUP(call_done) struct call call;
    CLEANUP(tx_rollback) struct tx tx = {0};

    call_init(&call, writer->self, "writer");
    TRY(tx_begin(&tx, writer->self->db));
    TRY(outbox_add(&tx, &call, "shout", arena_printf(call.arena, "%d-%d", writer->number, i)));
    TRY(tx_commit(&tx));
    outbox_wake(writer->self);
    return ERR_OK;
}

static void *write_all(void *arg)
{
    struct writer *writer = arg;

    for (int i = 0; i < WRITES; i++)
        writer->failed |= shout(writer, i) != ERR_OK;
    return NULL;
}

TEST(threads_bring_everything_to_its_end)
{
    CLEANUP(fixture_done) struct fixture fixture;
    struct writer writers[WRITERS];
    pthread_t threads[WRITERS];

    fixture_init(&fixture);
    fixture_open(&fixture, landscape, true);
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.self = fixture_find(&fixture, "mountain"), .number = i};
        CHECK_I64(0, pthread_create(&threads[i], NULL, write_all, &writers[i]));
    }
    for (int i = 0; i < 20; i++) /* beside the writers and the chores' own threads */
        fixture_advance(&fixture, 50);
    for (int i = 0; i < WRITERS; i++) {
        CHECK_I64(0, pthread_join(threads[i], NULL));
        CHECK(!writers[i].failed);
    }
    node_run_due(fixture.node);

    struct instance *end = fixture_find(&fixture, "valley");
    CHECK_I64(INT64_C(2) * WRITERS * WRITES,
              fixture_i64(end, &SQL_NOTE_COUNT)); /* each with its echo */
    CHECK_I64(INT64_C(1) * WRITERS * WRITES, *(atomic_int *)end->state);
}

TEST(a_node_can_be_closed_in_the_middle_of_its_work)
{
    CLEANUP(fixture_done) struct fixture fixture;

    fixture_init(&fixture);
    fixture_open(&fixture, landscape, true);
    struct writer writer = {.self = fixture_find(&fixture, "mountain")};
    for (int i = 0; i < WRITES; i++)
        CHECK_OK(shout(&writer, i));
    fixture_close_node(&fixture); /* what it leaves behind is in the databases */
}
