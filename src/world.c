/* world.c - the list of services, the settings of all, and one node made of them.
 *
 * Every command finds the same data through the same settings and flags as `serve`, also while that runs. */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/analytics/analytics.h"
#include "services/booking/booking.h"
#include "services/gateway/gateway.h"
#include "services/identity/identity.h"
#include "services/notify/notify.h"
#include "services/payment/payment.h"

/* In the order in which they open: who is asked by others at its start comes first. */
const struct service *const world_services[] = {&identity_service,
                                                &booking_service,
                                                &payment_service,
                                                &notify_service,
                                                &analytics_service,
                                                &gateway_service,
                                                NULL};
static const struct service *const services_and_clock[] = {
    &identity_service,  &booking_service, &payment_service,    &notify_service,
    &analytics_service, &gateway_service, &test_clock_service, NULL};

static const struct setting main_rows[] = {
    SETTING_STRING("public.url", "",
                   "The address that customers reach us by, for links in mails and calendars; "
                   "without one, the listener's."),
    SETTING_ON_OFF("http.access_log", 0,
                   "Logs one line for each request: its route, status and duration."),
    SETTING_NUMBER("http.workers", SETTING_COUNT, RANGE(1, 256), 8,
                   "Threads for requests that may block."),
};
static const struct settings main_settings = SETTINGS(main_rows);
const struct settings *const world_settings[] = {&main_settings, &node_settings, NULL};

static err complain(str why)
{
    (void)fprintf(stderr, "boxoffice: %.*s\n", STR_ARG(why));
    return ERR_INVALID;
}

static err load_settings(struct world *world, const struct world_options *options)
{
    static const struct settings *tables[sizeof(world_services) / sizeof(world_services[0]) +
                                         sizeof(world_settings) / sizeof(world_settings[0])];
    size_t count = 0;
    str why = STR_ABSENT;

    for (size_t i = 0; world_settings[i] != NULL; i++)
        tables[count++] = world_settings[i];
    for (size_t i = 0; world_services[i] != NULL; i++)
        if (world_services[i]->settings != NULL)
            tables[count++] = world_services[i]->settings;
    tables[count] = NULL;
    world->config = config_open(tables);
    if (options->config.ptr != NULL &&
        config_load_file(world->config, arena_cstr(world->arena, options->config), &why) != ERR_OK)
        return complain(why);
    if (config_load_environment(world->config, (const char *const *)environ, &why) != ERR_OK)
        return complain(why);
    if (options->listen.ptr != NULL && config_text(world->config, "public.url").ptr == NULL &&
        config_set(world->config, STR("public.url"),
                   arena_printf(world->arena, "http://%.*s", STR_ARG(options->listen)),
                   &why) != ERR_OK)
        return complain(why);
    return ERR_OK;
}

static err make_data_dir(struct world *world, const char *dir)
{
    if (mkdir(dir, 0700) == 0 || errno == EEXIST)
        return ERR_OK;
    return complain(arena_printf(world->arena, "cannot make %s: %s", dir, strerrordesc_np(errno)));
}

/* One server owns the files of its databases; commands come and go beside it. What lies on a
 * PostgreSQL server may have many. */
static err lock_files(struct world *world, const char *data)
{
    const str scheme = STR("sqlite:");
    const str url = config_text(world->config, "database.url");
    const char *dir = data;

    if (str_starts(url, scheme)) {
        dir = arena_cstr(world->arena, str_slice(url, scheme.size, url.size));
        TRY(make_data_dir(world, dir));
    } else if (url.size > 0) {
        return ERR_OK;
    }
    const char *path = arena_printf(world->arena, "%s/serve.lock", dir).ptr;
    world->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (world->lock >= 0 && flock(world->lock, LOCK_EX | LOCK_NB) == 0)
        return ERR_OK;
    return complain(arena_printf(world->arena, "%s: %s", path,
                                 world->lock >= 0 && errno == EWOULDBLOCK
                                     ? "another server runs on this data"
                                     : strerrordesc_np(errno)));
}

const char *world_data_dir(struct world *world, const struct world_options *options)
{
    return options->data.ptr != NULL ? arena_cstr(world->arena, options->data) : "./boxoffice-data";
}

err world_prepare(struct world *world, const struct world_options *options)
{
    *world = (struct world){.arena = arena_open(0), .lock = -1};
    clock_test_init(&world->test_clock);
    if (options->services.ptr != NULL && !str_eq(options->services, STR("all")))
        return complain(STR("--services: this build runs all services in one process: all"));
    TRY(load_settings(world, options));
    TRY(make_data_dir(world, world_data_dir(world, options)));
    return options->background ? lock_files(world, world_data_dir(world, options)) : ERR_OK;
}

err world_start(struct world *world, const struct world_options *options)
{
    str why = STR_ABSENT;
    struct clock *clock = options->clock != NULL ? options->clock
                          : options->test_clock  ? &world->test_clock.clock
                                                 : clock_system();
    world->log = log_open(STDERR_FILENO, options->background ? LOG_INFO : LOG_WARN, clock);
    const struct node_options node = {
        .services = options->test_clock ? services_and_clock : world_services,
        .clock = clock,
        .rng = options->rng != NULL ? options->rng : rng_system(),
        .config = world->config,
        .log = world->log,
        .data_dir = world_data_dir(world, options),
        .background = options->background,
        .alone = options->background,
        .prepares = options->prepares,
    };

    return node_open(&node, world->arena, &world->node, &why) == ERR_OK ? ERR_OK : complain(why);
}

err world_open(struct world *world, const struct world_options *options)
{
    TRY(world_prepare(world, options));
    return world_start(world, options);
}

void world_close(struct world *world)
{
    if (world->node != NULL)
        node_close(world->node);
    if (world->lock >= 0)
        (void)close(world->lock);
    if (world->config != NULL)
        config_close(world->config);
    if (world->log != NULL)
        log_close(world->log);
    arena_close(world->arena);
    *world = (struct world){0};
}
