/* contract/routes_test.c - holds the route tables and the codes against api/openapi.yaml, both ways.
 *
 * The tables are those of a node opened as the commands open it, so a service that runs is a service that is looked at. */
#include "platform/http/internal.h"
#include "support/scratch.h"
#include "support/test.h"
#include "world.h"

struct contract_code {
    int status;
    const char *name;
    const char *title;
};

/* contract_routes (without handlers) and contract_codes, which rows.py makes of api/openapi.yaml. */
#include "contract_rows.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* Errors that stay inside of the process, so that no problem document has their code. */
static const err internal_errors[] = {ERR_WOULD_BLOCK, ERR_PARKED, ERR_DUPLICATE, ERR_CONTENDED,
                                      ERR_CRASHED};

static const char *const auth_names[] = {"none", "optional", "user", "customer", "vendor", "admin"};

/* --- All tables --- */

struct visit {
    void (*fn)(struct visit *visit, const struct route *route);
    const struct route *wanted;
    const struct route *found;
    int wrong;
};

static void visit_table(struct visit *visit, const struct route_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        visit->fn(visit, &table->routes[i]);
}

/* The services' tables and the server's own. */
static void visit_all(const struct node *node, struct visit *visit)
{
    visit_table(visit, &http_ops_routes);
    visit_table(visit, &http_internal_routes);
    for (size_t i = 0; i < node->instance_count; i++) {
        const struct route_table *const *tables = node->instances[i].service->routes;

        for (; tables != NULL && *tables != NULL; tables++)
            visit_table(visit, *tables);
    }
}

static bool is_path(const struct route *route, const struct route *other)
{
    return str_eq(str_of(route->path), str_of(other->path));
}

static bool is_same(const struct route *route, const struct route *other)
{
    return route->method == other->method && is_path(route, other);
}

static void complain(struct visit *visit, const struct route *route, const char *what)
{
    print_message("# %s %s: %s\n", method_name(route->method), route->path, what);
    visit->wrong++;
}

/* --- From the tables to the contract --- */

static const struct route *find_wanted(const struct route *route)
{
    for (size_t i = 0; i < COUNT(contract_routes); i++)
        if (is_same(route, &contract_routes[i]))
            return &contract_routes[i];
    return NULL;
}

static void compare(struct visit *visit, const struct route *route)
{
    const struct route *wanted = find_wanted(route);

    if (wanted == NULL) {
        complain(visit, route, "is not in api/openapi.yaml");
        return;
    }
    if (wanted->auth != route->auth) {
        complain(visit, route, "differs in `security`:");
        print_message("#   table %s, contract %s\n", auth_names[route->auth],
                      auth_names[wanted->auth]);
    }
    if (wanted->body_max != route->body_max) {
        complain(visit, route, "differs in the body's `x-max-bytes`:");
        print_message("#   table %zu, contract %zu\n", route->body_max, wanted->body_max);
    }
    if (wanted->idempotency != route->idempotency)
        complain(visit, route,
                 route->idempotency == KEYED ? "needs a required Idempotency-Key"
                                             : "takes no Idempotency-Key");
}

/* --- From the contract to the tables --- */

/* A GET row serves HEAD too. */
static void look_for(struct visit *visit, const struct route *route)
{
    const struct route *wanted = visit->wanted;
    const bool serves_head = wanted->method == METHOD_HEAD && route->method == METHOD_GET;

    if (is_path(route, wanted) && (route->method == wanted->method || serves_head))
        visit->found = route;
}

static void open_node(struct arena *arena, struct world *world)
{
    const struct world_options options = {.data = str_of(scratch_dir(arena))};

    CHECK_OK(world_open(world, &options));
}

TEST(every_route_is_in_the_contract_as_it_is)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    CLEANUP(world_close) struct world world = {0};
    struct visit visit = {.fn = compare};

    open_node(arena, &world);
    visit_all(world.node, &visit);
    CHECK_I64(0, visit.wrong);
}

TEST(the_contract_has_no_route_that_nobody_serves)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    CLEANUP(world_close) struct world world = {0};
    struct visit visit = {.fn = look_for};

    open_node(arena, &world);
    for (size_t i = 0; i < COUNT(contract_routes); i++) {
        visit.wanted = &contract_routes[i];
        visit.found = NULL;
        visit_all(world.node, &visit);
        if (visit.found == NULL)
            complain(&visit, visit.wanted, "has no row in any table");
    }
    CHECK_I64(0, visit.wrong);
}

/* --- Codes --- */

static bool is_internal(err e)
{
    for (size_t i = 0; i < COUNT(internal_errors); i++)
        if (internal_errors[i] == e)
            return true;
    return false;
}

static const struct contract_code *find_code(str name)
{
    for (size_t i = 0; i < COUNT(contract_codes); i++)
        if (str_eq(str_of(contract_codes[i].name), name))
            return &contract_codes[i];
    return NULL;
}

TEST(every_refusal_is_in_the_contract_with_its_status_and_title)
{
#define ONE(code, status, name, title) ERR_##code,
    static const err all[] = {ERR_MAP(ONE)};
#undef ONE
    size_t public_count = 0;

    for (size_t i = 0; i < COUNT(all); i++) {
        if (all[i] == ERR_OK || is_internal(all[i]))
            continue;
        const struct contract_code *code = find_code(str_of(err_name(all[i])));
        if (code == NULL)
            print_message("# %s is not in ProblemCode of api/openapi.yaml\n", err_name(all[i]));
        CHECK(code != NULL && err_status(all[i]) == code->status &&
              str_eq(str_of(err_title(all[i])), str_of(code->title)));
        public_count++;
    }
    CHECK_I64((int64_t)public_count, COUNT(contract_codes)); /* and none that does not exist */
}
