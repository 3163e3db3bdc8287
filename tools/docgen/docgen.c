/* docgen/docgen.c - prints the program's tables, for docgen.py to make pages of: one row a line, columns separated by tabs.
 *
 *     setting NAME TYPE MIN MAX NUMBER TEXT CHOICES HELP
 *     route SERVICE METHOD PATH AUTH BODY_MAX KEYED RUN_ON
 *
 * It reads the same arrays as the program does, so the pages cannot know better or worse. */
#include <inttypes.h>
#include <stdio.h>

#include "platform/http/internal.h"
#include "world.h"

static const char *text_or_none(const char *text)
{
    return text != NULL ? text : "";
}

static void print_settings(const struct settings *settings)
{
    static const char *const types[] = {"seconds", "ms",   "count", "bytes",
                                        "switch",  "text", "choice"};

    for (size_t i = 0; i < settings->count; i++) {
        const struct setting *row = &settings->rows[i];

        (void)printf("setting\t%s\t%s\t%" PRId64 "\t%" PRId64 "\t%" PRId64 "\t%s\t%s\t%s\n",
                     row->name, types[row->type], row->min, row->max, row->standard,
                     text_or_none(row->standard_text), text_or_none(row->choices), row->help);
    }
}

static void print_routes(const char *service, const struct route_table *table)
{
    static const char *const auths[] = {"none", "optional", "user", "customer", "vendor", "admin"};

    for (size_t i = 0; i < table->count; i++) {
        const struct route *row = &table->routes[i];

        (void)printf("route\t%s\t%s\t%s\t%s\t%zu\t%d\t%s\n", service, method_name(row->method),
                     row->path, auths[row->auth], row->body_max, row->idempotency == KEYED,
                     row->run_on == ON_LOOP ? "loop" : "worker");
    }
}

int main(void)
{
    for (const struct settings *const *tables = world_settings; *tables != NULL; tables++)
        print_settings(*tables);
    print_routes("http", &http_ops_routes);
    print_routes("http", &http_internal_routes);
    for (const struct service *const *services = world_services; *services != NULL; services++) {
        const struct route_table *const *tables = (*services)->routes;

        if ((*services)->settings != NULL)
            print_settings((*services)->settings);
        for (; tables != NULL && *tables != NULL; tables++)
            print_routes((*services)->name, *tables);
    }
    return 0;
}
