/* doctor.c - `boxoffice doctor`: is everything there that a box office needs? A line each.
 *
 * green: well. yellow: it works, and somebody should know. red: it does not work. */
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>

#include "base/time.h"
#include "commands.h"
#include "options.h"
#include "platform/cache/cache.h"
#include "services/notify/notify.h"
#include "services/payment/payment.h"
#include "world.h"

enum colour { GREEN, YELLOW, RED };

enum { MIB_SHIFT = 20, DISK_YELLOW_MIB = 2048, DISK_RED_MIB = 256 };

struct doctor {
    struct world *world;
    struct call call; /* of the arena that texts lie in */
    bool is_red;
};

static void tell(struct doctor *doctor, enum colour colour, const char *what, str text)
{
    static const char *const names[] = {"green", "yellow", "red"};

    printf("%-7s%-16s%.*s\n", names[colour], what, STR_ARG(text));
    doctor->is_red |= colour == RED;
}

static struct arena *arena_of(const struct doctor *doctor)
{
    return doctor->call.arena;
}

/* --- The machine --- */

static void look_at_clock(struct doctor *doctor)
{
    struct timex state = {0};
    const bool synced = adjtimex(&state) != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
    const str now = str_of(time_format(doctor->call.now_ms).text);

    tell(doctor, synced ? GREEN : YELLOW, "clock",
         arena_printf(arena_of(doctor), "%.*s%s", STR_ARG(now),
                      synced ? "" : ", not synchronised by this machine"));
}

static void look_at_disk(struct doctor *doctor, const char *dir)
{
    struct statvfs found;

    if (statvfs(dir, &found) != 0) {
        tell(doctor, RED, "disk", arena_printf(arena_of(doctor), "%s: %m", dir));
        return;
    }
    const uint64_t free_mib = (uint64_t)found.f_bavail * found.f_frsize >> MIB_SHIFT;
    tell(doctor,
         free_mib < DISK_RED_MIB      ? RED
         : free_mib < DISK_YELLOW_MIB ? YELLOW
                                      : GREEN,
         "disk",
         arena_printf(arena_of(doctor), "%llu MiB free for %s", (unsigned long long)free_mib, dir));
}

/* --- What we need of others --- */

static str describe_db(struct doctor *doctor, const struct instance *instance)
{
    struct stat found;

    if (db_file(instance->db) == NULL || stat(db_file(instance->db), &found) != 0)
        return arena_printf(arena_of(doctor), "%s: answers", instance->service->name);
    return arena_printf(arena_of(doctor), "%s: answers, %lld MiB", instance->service->name,
                        (long long)(found.st_size >> MIB_SHIFT));
}

static void look_at_db(struct doctor *doctor, const struct instance *instance)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    str why = STR_ABSENT;
    const err e = tx_begin(&tx, instance->db);

    tx_rollback(&tx);
    if (e != ERR_OK)
        tell(doctor, RED, "database",
             arena_printf(arena_of(doctor), "%s: %s", instance->service->name, err_title(e)));
    else if (db_verify(instance->db, arena_of(doctor), &why) != ERR_OK)
        tell(doctor, RED, "database",
             arena_printf(arena_of(doctor), "%s: %.*s", instance->service->name, STR_ARG(why)));
    else
        tell(doctor, GREEN, "database", describe_db(doctor, instance));
}

static void look_at_cache(struct doctor *doctor)
{
    struct cache *cache = doctor->world->node->cache;
    str value = STR_ABSENT;

    if (!cache_is_shared(cache)) {
        tell(doctor, GREEN, "cache", STR("in the memory of each process"));
        return;
    }
    (void)cache_get(cache, STR("doctor"), doctor->call.now_ms, arena_of(doctor), &value);
    if (cache_is_up(cache))
        tell(doctor, GREEN, "cache", STR("Redis answers"));
    else
        tell(doctor, YELLOW, "cache",
             STR("Redis does not answer: each process goes on with its own memory"));
}

static void look_at_mail(struct doctor *doctor)
{
    const str url = config_text(doctor->world->config, "mail.smtp_url");
    CLEANUP(call_done) struct call call = {0};
    str why = STR_ABSENT;

    call_init(&call, node_find(doctor->world->node, "notify"), "doctor");
    const err e = notify_check(&call, &why);
    if (e != ERR_OK)
        tell(doctor, RED, "mail", arena_printf(arena_of(doctor), "%.*s", STR_ARG(why)));
    else if (url.size == 0)
        tell(doctor, YELLOW, "mail",
             STR("no mail.smtp_url: mails are files in the data directory's outbox"));
    else
        tell(doctor, GREEN, "mail", arena_printf(arena_of(doctor), "%.*s answers", STR_ARG(url)));
}

static void look_at_money(struct doctor *doctor)
{
    const str provider = config_text(doctor->world->config, "payment.card_provider");
    CLEANUP(call_done) struct call call = {0};
    str unresolved = STR_ABSENT;

    if (str_eq(provider, STR("sandbox")))
        tell(doctor, YELLOW, "payment",
             STR("payment.card_provider is the sandbox: cards are not charged"));
    else
        tell(doctor, GREEN, "payment",
             arena_printf(arena_of(doctor), "cards are charged by %.*s", STR_ARG(provider)));
    call_init(&call, node_find(doctor->world->node, "payment"), "doctor");
    const err e = payment_unresolved(&call, &unresolved);
    if (e != ERR_OK)
        tell(doctor, RED, "money", str_of(err_title(e)));
    else if (unresolved.size > 0)
        tell(doctor, YELLOW, "money", STR("some waits for an admin: see boxoffice audit"));
    else
        tell(doctor, GREEN, "money", STR("none waits for an admin"));
}

static int examine(struct world *world, const char *data)
{
    struct doctor doctor = {.world = world};

    call_init(&doctor.call, node_find(world->node, "gateway"), "doctor");
    tell(&doctor, GREEN, "configuration", STR("is understood"));
    look_at_clock(&doctor);
    look_at_disk(&doctor, data);
    for (size_t i = 0; i < world->node->instance_count; i++)
        if (world->node->instances[i].db != NULL)
            look_at_db(&doctor, &world->node->instances[i]);
    look_at_cache(&doctor);
    look_at_mail(&doctor);
    look_at_money(&doctor);
    call_done(&doctor.call);
    return doctor.is_red ? 1 : 0;
}

int command_doctor(int argc, char **argv)
{
    struct world world = {0};
    struct world_options options = {0};
    size_t words = 0;
    const struct option flags[] = {
        WORLD_FLAGS(options), {NULL, NULL, NULL}
    };

    if (options_read(argc, argv, flags, NULL, 0, &words) != ERR_OK)
        return 2;
    int status = 1;
    if (world_open(&world, &options) == ERR_OK)
        status = examine(&world, world_data_dir(&world, &options));
    else
        puts("red    start           it could not be opened: see above");
    world_close(&world);
    return status;
}
