/* support/office.c - opens the node, the server before it, and what a test does past both. */

#include "support/office.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "support/scratch.h"
#include "support/test.h"
#include "support/test_node.h"

enum { LOOPS = 2, WORKERS = 4, CLOSE_GRACE_MS = 5000, PATIENCE_MS = 30000, TOGETHER_MAX = 64 };

/* Cheap passwords where identity does not run: a hasher is opened with every node. */
static const struct setting hasher_rows[] = {
    SETTING_NUMBER("identity.argon2_memory_kib", SETTING_COUNT, RANGE(8, 1048576), 64,
                   "Of a test."),
};
static const struct settings hasher_settings = SETTINGS(hasher_rows);

/* What main.c would say. */
static const struct setting main_rows[] = {
    SETTING_STRING("public.url", "http://tickets.example.org", "Of a test."),
};
static const struct settings main_settings = SETTINGS(main_rows);

/* --- Who --- */

static struct uuid numbered(uint8_t kind, int number)
{
    struct uuid id = {
        .bytes = {0x01, 0x90, kind, 0, 0, 0, 0x70, 0, 0x80}
    };

    for (int i = 0; i < 4; i++)
        id.bytes[12 + i] = (uint8_t)((unsigned)number >> (24 - 8 * i));
    return id;
}

struct uuid office_user(int number)
{
    return numbered(1, number);
}

struct uuid office_vendor(int number)
{
    return numbered(2, number);
}

static err authenticate(struct req *req)
{
    static const struct {
        const char *word;
        enum role role;
        int first; /* user */
    } people[] = {
        {"customer", ROLE_CUSTOMER, 0   },
        {"vendor",   ROLE_VENDOR,   1000},
        {"admin",    ROLE_ADMIN,    2000},
    };
    str rest = req->authorization;
    str word = STR_ABSENT;
    int64_t number = 0;

    if (rest.ptr == NULL)
        return ERR_OK;
    if (!str_split(&rest, '-', &word) || rest.ptr == NULL || !str_to_i64(rest, &number))
        return ERR_TOKEN_REVOKED;
    for (size_t i = 0; i < sizeof(people) / sizeof(people[0]); i++)
        if (str_eq(word, str_of(people[i].word))) {
            req->call.caller.role = people[i].role;
            req->call.caller.user = office_user(people[i].first + (int)number);
            if (people[i].role == ROLE_VENDOR)
                req->call.caller.vendor = office_vendor((int)number);
            return ERR_OK;
        }
    return ERR_TOKEN_REVOKED;
}

/* --- Opening and closing --- */

static void check_opened(err e, const char *what, str why)
{
    if (e != ERR_OK)
        print_error("%s: %.*s\n", what, STR_ARG(why));
    CHECK_OK(e);
}

static void set(struct office *office, const char *setting)
{
    str value = str_of(setting);
    str name = STR_ABSENT;
    str why = STR_ABSENT;

    CHECK(str_split(&value, '=', &name));
    check_opened(config_set(office->config, name, value, &why), setting, why);
}

static bool has_row(const struct settings *settings, const char *name)
{
    for (size_t i = 0; settings != NULL && i < settings->count; i++)
        if (strcmp(settings->rows[i].name, name) == 0)
            return true;
    return false;
}

static void open_config(struct office *office)
{
    const struct office_options *options = &office->options;
    bool has_hasher = false;
    size_t count = 0;

    office->tables[count++] = &node_settings;
    office->tables[count++] = &main_settings;
    for (size_t i = 0; options->services[i] != NULL; i++) {
        const struct settings *settings = options->services[i]->settings;

        has_hasher = has_hasher || has_row(settings, hasher_rows[0].name);
        if (settings != NULL)
            office->tables[count++] = settings;
    }
    if (!has_hasher)
        office->tables[count++] = &hasher_settings;
    CHECK(count <= OFFICE_TABLES_MAX);
    office->config = config_open(office->tables);
    set(office, "identity.argon2_memory_kib=64");
    test_node_databases(office->config, office->dir, office->arena);
    for (size_t i = 0; options->settings != NULL && options->settings[i] != NULL; i++)
        set(office, options->settings[i]);
}

static void open_node(struct office *office)
{
    const struct node_options options = {
        .services = office->options.services,
        .clock = &office->clock.clock,
        .rng = &office->rng.rng,
        .config = office->config,
        .log = office->log,
        .data_dir = office->dir,
        .alone = true,
        .prepares = true,
    };
    str why = STR_ABSENT;

    check_opened(node_open(&options, office->arena, &office->node, &why), "node_open", why);
    office->node->forward = office->options.forward;

    const struct http_options http = {
        .node = office->node,
        .address = "127.0.0.1",
        .authenticate =
            office->options.authenticate != NULL ? office->options.authenticate : authenticate,
        .admit = office->options.admit,
        .loop_count = LOOPS,
        .worker_count = WORKERS,
    };
    check_opened(http_open(&http, office->arena, &office->server, &why), "http_open", why);
}

void office_shut(struct office *office, int64_t grace_ms)
{
    if (office->server != NULL)
        http_close(office->server, grace_ms);
    office->server = NULL;
    if (office->node != NULL)
        node_close(office->node);
    office->node = NULL;
}

void office_open(struct office *office, const struct office_options *options)
{
    *office = (struct office){.options = *options, .arena = arena_open(0)};
    clock_manual_init(&office->clock, OFFICE_START_MS);
    rng_seeded_init(&office->rng, 42);
    office->dir = options->dir != NULL ? options->dir : scratch_dir(office->arena);
    office->log_fd = memfd_create("log", MFD_CLOEXEC);
    CHECK(office->log_fd >= 0);
    office->log = log_open(office->log_fd, LOG_INFO, &office->clock.clock);
    open_config(office);
    open_node(office);
}

void office_restart(struct office *office)
{
    office_shut(office, CLOSE_GRACE_MS);
    open_node(office);
}

void office_close(struct office *office)
{
    if (office->arena == NULL)
        return;
    office_shut(office, CLOSE_GRACE_MS);
    log_close(office->log);
    (void)close(office->log_fd);
    config_close(office->config);
    arena_close(office->arena);
    *office = (struct office){0};
}

/* --- While it is open --- */

void office_run_due(struct office *office)
{
    node_run_due(office->node);
}

void office_advance(struct office *office, int64_t by_ms)
{
    clock_manual_advance(&office->clock, by_ms);
    node_run_due(office->node);
}

void office_call(struct office *office, const char *service, struct call *call)
{
    call_init(call, node_find(office->node, service), "test");
}

struct answer office_ask(struct office *office, const struct ask *ask)
{
    return http_ask(office->server, office->arena, ask);
}

struct asker {
    pthread_t thread;
    pthread_barrier_t *barrier;
    struct office *office;
    struct arena *arena;
    const struct ask *ask;
    struct answer answer;
};

static void *run_asker(void *arg)
{
    struct asker *asker = arg;

    (void)pthread_barrier_wait(asker->barrier);
    asker->answer = http_ask(asker->office->server, asker->arena, asker->ask);
    return NULL;
}

void office_ask_together(struct office *office, const struct ask *asks, size_t count,
                         struct answer *ret)
{
    struct asker askers[TOGETHER_MAX];
    pthread_barrier_t barrier;

    CHECK(count > 0 && count <= TOGETHER_MAX);
    CHECK(pthread_barrier_init(&barrier, NULL, (unsigned)count) == 0);
    for (size_t i = 0; i < count; i++) {
        askers[i] = (struct asker){
            .barrier = &barrier, .office = office, .arena = arena_open(0), .ask = &asks[i]};
        CHECK(pthread_create(&askers[i].thread, NULL, run_asker, &askers[i]) == 0);
    }
    for (size_t i = 0; i < count; i++) {
        CHECK(pthread_join(askers[i].thread, NULL) == 0);
        ret[i] = (struct answer){
            .status = askers[i].answer.status,
            .headers = arena_str(office->arena, askers[i].answer.headers),
            .body = arena_str(office->arena, askers[i].answer.body),
        };
        arena_close(askers[i].arena);
    }
    (void)pthread_barrier_destroy(&barrier);
}

int64_t office_gauge(struct office *office, const char *name)
{
    return metric_value(metrics_gauge(office->node->metrics, name, NULL, "Of a test."));
}

void office_await_gauge(struct office *office, const char *name, int64_t value)
{
    const struct timespec moment = {.tv_nsec = 1000000};

    for (int i = 0; i < PATIENCE_MS && office_gauge(office, name) != value; i++)
        (void)nanosleep(&moment, NULL);
    CHECK_I64(value, office_gauge(office, name));
}

int office_logged(struct office *office, const char *text)
{
    const off_t size = lseek(office->log_fd, 0, SEEK_END);
    int count = 0;

    CHECK(size >= 0);
    char *all = arena_alloc(office->arena, (size_t)size + 1);
    CHECK(pread(office->log_fd, all, (size_t)size, 0) == size);
    for (const char *at = all; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

/* --- Past the services --- */

static struct test_node past(const struct office *office, const char *service)
{
    return (struct test_node){office->config, office->dir, service, office->arena};
}

void office_exec(struct office *office, const char *service, const char *sql)
{
    const struct test_node node = past(office, service);

    test_node_exec(&node, sql);
}

bool office_try(struct office *office, const char *service, const char *sql)
{
    const struct test_node node = past(office, service);

    return test_node_try(&node, sql);
}

int64_t office_i64(struct office *office, const char *service, const char *sql)
{
    const struct test_node node = past(office, service);

    return test_node_i64(&node, sql);
}

void office_add_trigger(struct office *office, const char *service,
                        const struct test_trigger *trigger)
{
    const struct test_node node = past(office, service);

    test_node_add_trigger(&node, trigger);
}

void office_drop_trigger(struct office *office, const char *service,
                         const struct test_trigger *trigger)
{
    const struct test_node node = past(office, service);

    test_node_drop_trigger(&node, trigger);
}
