/* platform/node/databases.c - where the databases of the services are: in memory, in files, or on a
 * PostgreSQL server.
 *
 * On a server each service has a database of its own and a role that owns it, both named by
 * database.prefix and the service. A process connects as the user of database.url and acts as the
 * service's role from the first statement on, so whatever it makes belongs to that role, and a role
 * that is given a login of its own later finds everything in its place. */

#include "platform/node/databases.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "platform/db/provision.h"

#define MEMORY_DIR ":memory:"
enum {
    PREFIX_SIZE_MAX = 40, /* PostgreSQL cuts names after 63 bytes */
    URL_SIZE_MAX = 65536,
};

static const struct setting rows[] = {
    SETTING_STRING("cache.url", "memory:",
                   "Where instances share what is cached: memory: (nowhere), redis://... or "
                   "redis+sentinel://..."),
    SETTING_NUMBER("cache.deadline_ms", SETTING_MS, RANGE(1, 10000), 100,
                   "How long one call to Redis may take; a Redis that is slower counts as away."),
    SETTING_NUMBER("cache.memory_mib", SETTING_COUNT, RANGE(8, 65536), 32,
                   "Memory for cached values in this process, in MiB."),
    SETTING_STRING("database.url", "",
                   "Where the databases are: sqlite:DIR or postgresql://USER:PASSWORD@HOST; if "
                   "empty, in the data directory."),
    SETTING_STRING("database.prefix", "boxoffice_",
                   "On a PostgreSQL server: what the names of databases and roles begin with."),
};
const struct settings node_settings = SETTINGS(rows);

/* --- Rules --- */

static bool is_server_url(str url)
{
    return str_starts(url, STR("postgresql://")) || str_starts(url, STR("postgres://"));
}

/* A name that needs no quotes anywhere. */
static bool is_prefix(str prefix)
{
    for (size_t i = 0; i < prefix.size; i++) {
        const char c = prefix.ptr[i];

        if (c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9' || i == 0))
            return false;
    }
    return prefix.size > 0 && prefix.size <= PREFIX_SIZE_MAX;
}

str postgres_url_for(str url, str name, struct arena *arena)
{
    const str scheme = STR("://");
    const str role = arena_printf(arena, "-c%%20role%%3D%.*s", STR_ARG(name));
    struct buf parameters = buf_in(arena, URL_SIZE_MAX);
    str rest = url;
    str base;
    str parameter;
    bool merged = false;
    size_t from = 0;

    (void)str_split(&rest, '?', &base);
    while (rest.ptr != NULL && str_split(&rest, '&', &parameter)) {
        const bool has_options = str_starts(parameter, STR("options="));

        if (parameter.size == 0)
            continue;
        buf_printf(&parameters, "%s%.*s%s%.*s", parameters.size > 0 ? "&" : "", STR_ARG(parameter),
                   has_options ? "%20" : "", (int)(has_options ? role.size : 0), role.ptr);
        merged |= has_options;
    }
    if (!merged)
        buf_printf(&parameters, "%soptions=%.*s", parameters.size > 0 ? "&" : "", STR_ARG(role));

    while (!str_starts(str_slice(base, from, base.size), scheme))
        from++;
    from += scheme.size;
    const char *slash = memchr(base.ptr + from, '/', base.size - from);
    const size_t end = slash != NULL ? (size_t)(slash - base.ptr) : base.size;
    return arena_printf(arena, "postgresql://%.*s/%.*s?%.*s", (int)(end - from), base.ptr + from,
                        STR_ARG(name), STR_ARG(buf_str(&parameters)));
}

/* --- Where --- */

err make_private_dir(const char *dir, const char *what, struct arena *arena, str *ret_why)
{
    struct stat found;

    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
        *ret_why = arena_printf(arena, "%s: cannot make %s: %m", what, dir);
        return ERR_UNAVAILABLE;
    }
    if (stat(dir, &found) != 0) {
        *ret_why = arena_printf(arena, "%s: cannot use %s: %m", what, dir);
        return ERR_UNAVAILABLE;
    }
    if (!S_ISDIR(found.st_mode)) {
        *ret_why = arena_printf(arena, "%s: %s is not a directory", what, dir);
        return ERR_UNAVAILABLE;
    }
    return ERR_OK;
}

static err find_server(const struct node *node, struct arena *arena, struct databases *ret,
                       str *ret_why)
{
    const str prefix = config_text(node->config, "database.prefix");

    if (!is_prefix(prefix)) {
        *ret_why =
            arena_printf(arena, "database.prefix: 1 to %d of a-z, 0-9 and _, a digit not first",
                         PREFIX_SIZE_MAX);
        return ERR_INVALID;
    }
    ret->place = ON_SERVER;
    ret->url = arena_str(arena, config_text(node->config, "database.url"));
    ret->prefix = arena_str(arena, prefix);
    return ERR_OK;
}

err databases_find(const struct node *node, struct arena *arena, struct databases *ret,
                   str *ret_why)
{
    const str files = STR("sqlite:");
    const str url = config_text(node->config, "database.url");
    str rest = url;
    str scheme = STR_ABSENT;

    *ret = (struct databases){.place = IN_MEMORY};
    if (is_server_url(url))
        return find_server(node, arena, ret, ret_why);
    if (url.size == 0) {
        if (strcmp(node->data_dir, MEMORY_DIR) != 0)
            *ret = (struct databases){.place = IN_FILES, .dir = str_of(node->data_dir)};
        return ERR_OK;
    }
    if (!str_starts(url, files) || url.size == files.size) {
        (void)str_split(&rest, ':', &scheme); /* the rest of it may hold a password */
        *ret_why = arena_printf(
            arena,
            "database.url: only sqlite:DIR and postgresql://... are understood, not %.*s:...",
            STR_ARG(scheme));
        return ERR_INVALID;
    }
    ret->place = IN_FILES;
    ret->dir = arena_str(arena, str_slice(url, files.size, url.size));
    return make_private_dir(ret->dir.ptr, "database.url", arena, ret_why);
}

str databases_name(const struct databases *where, const char *service, struct arena *arena)
{
    return arena_printf(arena, "%.*s%s", STR_ARG(where->prefix), service);
}

str databases_url(const struct databases *where, const struct node *node, const char *service,
                  struct arena *arena)
{
    switch (where->place) {
    case ON_SERVER:
        return postgres_url_for(where->url, databases_name(where, service, arena), arena);
    case IN_FILES:
        return arena_printf(arena, "sqlite:%.*s/%s.db", STR_ARG(where->dir), service);
    case IN_MEMORY:
        break;
    }
    /* The node's address: several nodes of one process share nothing. */
    return arena_printf(arena, "sqlite:" MEMORY_DIR "%p-%s", (const void *)node, service);
}

err databases_provision(const struct databases *where, struct node *node, struct arena *arena,
                        str *ret_why)
{
    const char *names[NODE_INSTANCES_MAX];
    size_t count = 0;
    struct provisioned made = {0};

    for (size_t i = 0; i < node->instance_count; i++)
        if (node->instances[i].service->migrations != NULL)
            names[count++] = databases_name(where, node->instances[i].service->name, arena).ptr;
    TRY(provision(where->url.ptr, names, count, arena, &made, ret_why));
    node->prepared.roles = made.role_count;
    node->prepared.databases = made.database_count;
    return ERR_OK;
}

void databases_explain(const struct databases *where, const char *service, struct arena *arena,
                       str *why)
{
    const str name = databases_name(where, service, arena);
    bool is_there = true;

    if (provision_find(where->url.ptr, name.ptr, arena, &is_there) != ERR_OK || is_there)
        return;
    *why = arena_printf(arena, "there is no database %.*s: run boxoffice migrate", STR_ARG(name));
}
