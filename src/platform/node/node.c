/* platform/node/node.c - brings one process up, keeps it going, brings it down.
 *
 * node_open goes up a ladder, node_close comes down it from wherever node_open has got to:
 *
 *     keys -> cache -> databases -> services -> feeds, jobs, chores -> their threads
 *
 * Nothing is freed before every thread that could still reach it has ended. */

#include "platform/node/node.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "platform/cache/cache.h"
#include "platform/crypto/crypto.h"
#include "platform/node/databases.h"
#include "platform/node/feed.sql.h"
#include "platform/node/jobs.sql.h"
#include "platform/node/migrations.h"
#include "platform/node/outbox.sql.h"

enum {
    ROUNDS_MAX = 10000, /* of node_run_due: more means that something always wants to run again */
    HELD_MS_MAX = 2000, /* how long it waits for transactions of others that hold up a feed */
};
#define ARGON2_SETTING "identity.argon2_memory_kib"

static const struct sql_list *const platform_statements[] = {&outbox_sql, &feed_sql, &jobs_sql};
enum { PLATFORM_STATEMENTS = sizeof(platform_statements) / sizeof(platform_statements[0]) };

/* --- Going up --- */

static err open_keys(struct node *node, struct arena *arena, str *ret_why)
{
    struct hasher_options options = {0};

    if (strcmp(node->data_dir, ":memory:") == 0) {
        TRY(keyring_open_memory(rng_u64(node->rng), &node->keyring));
    } else {
        const str dir = arena_printf(arena, "%s/keys", node->data_dir);
        TRY(make_private_dir(node->data_dir, "data directory", arena, ret_why));
        TRY(keyring_open(dir.ptr, node->rng, arena, &node->keyring, ret_why));
    }
    if (config_knows(node->config, ARGON2_SETTING))
        options.memory_kib = (uint32_t)config_i64(node->config, ARGON2_SETTING);
    node->hasher = hasher_open(&options, node->keyring);
    return ERR_OK;
}

static err open_cache(struct node *node, struct arena *arena, str *ret_why)
{
    const struct cache_options options = {
        .url = config_text(node->config, "cache.url"),
        .deadline_ms = config_i64(node->config, "cache.deadline_ms"),
        .memory_size = (size_t)config_i64(node->config, "cache.memory_mib") << 20,
        .clock = node->clock,
        .rng = node->rng,
        .keyring = node->keyring,
        .log = node->log,
        .metrics = node->metrics,
    };

    return cache_open(&options, arena, &node->cache, ret_why);
}

/* The platform's statements, then the service's. */
static const struct sql_list *const *statements_of(const struct service *service,
                                                   struct arena *arena)
{
    const struct sql_list *const *own = service->statements;
    const struct sql_list **all;
    size_t count = 0;

    while (own != NULL && own[count] != NULL)
        count++;
    all = arena_new_array(arena, const struct sql_list *, PLATFORM_STATEMENTS + count + 1);
    for (size_t i = 0; i < PLATFORM_STATEMENTS; i++)
        all[i] = platform_statements[i];
    for (size_t i = 0; i < count; i++)
        all[PLATFORM_STATEMENTS + i] = own[i];
    return all;
}

static err open_db(struct instance *self, const struct databases *where, struct arena *arena,
                   str *ret_why)
{
    struct node *node = self->node;
    const struct service *service = self->service;
    const struct migration_list **migrations;

    if (service->migrations == NULL)
        return ERR_OK;
    migrations = arena_new_array(node->arena, const struct migration_list *, 3);
    migrations[0] = &platform_migrations;
    migrations[1] = service->migrations;

    const struct db_options options = {
        .url = databases_url(where, node, service->name, node->arena).ptr,
        .statements = statements_of(service, node->arena),
        .migrations = migrations,
        .name = service->name,
        .only_check = where->place == ON_SERVER && !node->prepares,
        .one_writer = service->one_writer,
        .applied = &node->prepared.migrations,
        .clock = node->clock,
        .log = node->log,
        .metrics = node->metrics,
    };
    const err e = db_open(&options, arena, &self->db, ret_why);
    if (e != ERR_OK) {
        if (where->place == ON_SERVER && !node->prepares)
            databases_explain(where, service->name, arena, ret_why);
        return e;
    }
    return outbox_adopt(self);
}

static err open_databases(struct node *node, struct arena *arena, str *ret_why)
{
    struct databases where;

    TRY(databases_find(node, arena, &where, ret_why));
    if (where.place == ON_SERVER) {
        node->alone = false;
        if (node->prepares)
            TRY(databases_provision(&where, node, arena, ret_why));
    }
    for (size_t i = 0; i < node->instance_count; i++)
        TRY(open_db(&node->instances[i], &where, arena, ret_why));
    return ERR_OK;
}

static err open_service(struct instance *self, struct arena *arena, str *ret_why)
{
    CLEANUP(call_done) struct call call;
    err e = ERR_OK;

    call_init(&call, self, "open");
    if (self->service->open != NULL)
        e = self->service->open(self, &call);
    assert(!tx_is_open_here());
    if (e != ERR_OK) {
        const str why = call_failure(&call, e);
        *ret_why = arena_printf(arena, "%s: %.*s", self->service->name, STR_ARG(why));
        return e;
    }
    self->is_open = true;
    return ERR_OK;
}

static err open_services(struct node *node, struct arena *arena, str *ret_why)
{
    for (size_t i = 0; i < node->instance_count; i++)
        feeds_init(&node->instances[i]);
    for (size_t i = 0; i < node->instance_count; i++)
        TRY(open_service(&node->instances[i], arena, ret_why));
    return ERR_OK;
}

static err open_background(struct node *node)
{
    for (size_t i = 0; i < node->instance_count; i++) {
        struct instance *self = &node->instances[i];
        chores_open(self, self->service->chores);
        TRY(feeds_open(self));
        TRY(jobs_open(self));
        outbox_open(self);
    }
    for (size_t i = 0; node->background && i < node->instance_count; i++)
        TRY(chores_start(&node->instances[i]));
    return ERR_OK;
}

static void add_instances(struct node *node, const struct service *const *services)
{
    for (; *services != NULL; services++) {
        const struct op *const *op = (*services)->ops;

        assert(node->instance_count < NODE_INSTANCES_MAX);
        assert(node_find(node, (*services)->name) == NULL);
        for (; op != NULL && *op != NULL; op++)
            assert(strcmp((*op)->service, (*services)->name) == 0);
        node->instances[node->instance_count++] =
            (struct instance){.service = *services, .node = node};
    }
}

static err go_up(struct node *node, struct arena *arena, str *ret_why)
{
    TRY(open_keys(node, arena, ret_why));
    TRY(open_cache(node, arena, ret_why));
    TRY(open_databases(node, arena, ret_why));
    TRY(open_services(node, arena, ret_why));
    return open_background(node);
}

err node_open(const struct node_options *options, struct arena *arena, struct node **ret,
              str *ret_why)
{
    struct node *node = mem_new(struct node);
    str why = STR_ABSENT;

    *node = (struct node){
        .clock = options->clock,
        .rng = options->rng,
        .config = options->config,
        .log = options->log,
        .metrics = metrics_open(),
        .arena = arena_open(0),
        .background = options->background,
        .alone = options->alone,
        .prepares = options->prepares,
    };
    node->data_dir = arena_cstr(node->arena, str_of(options->data_dir));
    add_instances(node, options->services);

    const err e = go_up(node, arena, &why);
    if (e != ERR_OK) {
        *ret_why =
            why.ptr != NULL ? why : arena_printf(arena, "the node cannot start: %s", err_title(e));
        node_close(node);
        return e;
    }
    *ret = node;
    return ERR_OK;
}

/* --- Coming down --- */

void node_close(struct node *node)
{
    struct instance *instances = node->instances;

    for (size_t i = 0; i < node->instance_count; i++)
        chores_stop(&instances[i]);
    for (size_t i = 0; i < node->instance_count; i++)
        chores_join(&instances[i]);
    for (size_t i = node->instance_count; i-- > 0;) {
        const bool was_open = instances[i].is_open;
        instances[i].is_open = false;
        if (was_open && instances[i].service->close != NULL)
            instances[i].service->close(&instances[i]);
    }
    for (size_t i = 0; i < node->instance_count; i++) {
        chores_close(&instances[i]);
        feeds_close(&instances[i]);
    }
    for (size_t i = node->instance_count; i-- > 0;)
        db_close(instances[i].db);
    cache_close(node->cache);
    hasher_close(node->hasher);
    keyring_close(node->keyring);
    metrics_close(node->metrics);
    arena_close(node->arena);
    mem_free(node);
}

/* --- While it is up --- */

struct instance *node_find(struct node *node, const char *service)
{
    for (size_t i = 0; i < node->instance_count; i++)
        if (strcmp(node->instances[i].service->name, service) == 0)
            return &node->instances[i];
    return NULL;
}

static uint64_t activity(const struct node *node)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < node->instance_count; i++)
        sum += chores_activity(&node->instances[i]);
    return sum;
}

/* Events of ours may be behind a transaction of somebody else on the same server. */
static bool await_held(struct node *node, int *waited_ms)
{
    static const struct timespec moment = {.tv_nsec = 1000000L};
    bool any = false;

    for (size_t i = 0; *waited_ms < HELD_MS_MAX && i < node->instance_count; i++)
        any |= feeds_wake_held(&node->instances[i]);
    if (any) {
        (void)nanosleep(&moment, NULL);
        (*waited_ms)++;
    }
    return any;
}

void node_run_due(struct node *node)
{
    int waited_ms = 0;

    assert(!tx_is_open_here());
    for (int round = 0; round < ROUNDS_MAX; round++) {
        const uint64_t before = activity(node);
        int count = 0;

        for (size_t i = 0; i < node->instance_count; i++)
            count += chores_run_due(&node->instances[i]);
        if (count == 0 && activity(node) == before && !await_held(node, &waited_ms))
            return;
    }
    assert(node->background); /* there, requests may go on making work */
}
