/* demo.c - `boxoffice demo`: a place full of invented people, events and sales.
 *
 * Everything comes from the seed and the time that it is made for: ids, nonces, keys. Two runs with the same are the same, row by row. So the keys of
 * demo data are no secret, as its passwords are none, and the data says so. It is made in a directory beside the one that is asked for
 * and moved there at the end: what was interrupted leaves nothing that looks whole. */
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "commands.h"
#include "options.h"
#include "services/booking/booking.h"
#include "services/identity/identity.h"
#include "services/payment/payment.h"
#include "world.h"

enum { OPEN_FILES_MAX = 16, PATH_SIZE = 4096 };
#define HISTORY_MS (120 * DAY_MS)
#define UNFINISHED "UNFINISHED-DEMO"
#define ACCOUNTS   "demo.txt"

static const struct size {
    const char *name;
    size_t customers;
    size_t vendors;
    size_t events;
    size_t tickets;
} sizes[] = {
    {"small",  500,   8,   50,   5000  },
    {"medium", 5000,  40,  500,  50000 },
    {"large",  50000, 100, 5000, 500000},
};

struct demo {
    const struct size *size;
    struct rng_seeded rng;
    struct clock_manual clock;
    int64_t seed;
    int64_t now_ms;
    char data[PATH_SIZE];
    char part[PATH_SIZE];
};

static int complain(const char *what, const char *why)
{
    (void)fprintf(stderr, "boxoffice: %s: %s\n", what, why);
    return 1;
}

/* --- The directory --- */

static bool is_empty(const char *path)
{
    DIR *dir = opendir(path);
    int entries = 0;

    if (dir == NULL)
        return errno == ENOENT;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): this stream is this function's alone */
    while (readdir(dir) != NULL)
        entries++;
    (void)closedir(dir);
    return entries <= 2; /* "." and ".." */
}

static int remove_one(const char *path, [[maybe_unused]] const struct stat *status,
                      [[maybe_unused]] int kind, [[maybe_unused]] struct FTW *ftw)
{
    return remove(path);
}

static bool write_file(const char *dir, const char *name, const char *text)
{
    char path[PATH_SIZE + 32];

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *file = fopen(path, "we");
    if (file == NULL)
        return false;
    const bool written = fputs(text, file) >= 0;
    return fclose(file) == 0 && written;
}

/* What a run before has left behind goes, but only what says that it is such. */
static bool clear_part(const struct demo *demo)
{
    char mark[PATH_SIZE + 32];
    struct stat status;

    (void)snprintf(mark, sizeof(mark), "%s/%s", demo->part, UNFINISHED);
    if (stat(demo->part, &status) != 0)
        return errno == ENOENT;
    if (!is_empty(demo->part) && stat(mark, &status) != 0)
        return false;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): no thread runs yet */
    return nftw(demo->part, remove_one, OPEN_FILES_MAX, FTW_DEPTH | FTW_PHYS) == 0;
}

static int prepare(const struct demo *demo)
{
    if (!is_empty(demo->data))
        return complain(demo->data,
                        "holds data already: demo data wants a directory that is absent or empty");
    if (!clear_part(demo))
        return complain(demo->part, "is in the way");
    if (mkdir(demo->part, 0700) != 0 ||
        !write_file(demo->part, UNFINISHED,
                    "Made by boxoffice demo, which was interrupted. It may be removed.\n"))
        return complain(demo->part, strerrordesc_np(errno));
    return 0;
}

static int finish(const struct demo *demo)
{
    char mark[PATH_SIZE + 32];

    (void)snprintf(mark, sizeof(mark), "%s/%s", demo->part, UNFINISHED);
    if (!write_file(demo->part, ACCOUNTS,
                    "Demo data of Boxoffice: nobody in it is real. Its passwords and keys are no "
                    "secret, so it is no place to sell anything.\n\n"
                    "customer@example.test   a customer\n"
                    "vendor@example.test     a vendor\n"
                    "admin@example.test      an admin\n\n"
                    "password: " IDENTITY_DEMO_PASSWORD "\n") ||
        unlink(mark) != 0 || (rmdir(demo->data) != 0 && errno != ENOENT) ||
        rename(demo->part, demo->data) != 0)
        return complain(demo->data, strerrordesc_np(errno));
    return 0;
}

/* --- What is in it --- */

static err hear_sales(void *arg, const struct booking_demo_sale *sales, size_t count)
{
    return payment_demo_write(arg, sales, count);
}

static err fill(struct demo *demo, struct world *world, struct call *people, struct call *sales,
                struct call *money)
{
    const struct identity_demo in = {demo->size->customers, demo->size->vendors};
    struct identity_demo_made made = {0};

    TRY(identity_demo_make(people, world->arena, &in, &made));
    struct uuid *vendors = arena_new_array(world->arena, struct uuid, made.vendor_count);
    struct uuid *users = arena_new_array(world->arena, struct uuid, made.user_count);

    for (size_t i = 0; i < made.vendor_count; i++)
        vendors[i] = made.vendors[i].uuid;
    for (size_t i = 0; i < made.user_count; i++)
        users[i] = made.users[i].uuid;
    const struct booking_demo booking = {
        .events = demo->size->events,
        .tickets = demo->size->tickets,
        .vendors = vendors,
        .vendor_count = made.vendor_count,
        .users = users,
        .user_count = made.user_count,
        .clock = &demo->clock,
        .now_ms = demo->now_ms,
    };
    return booking_demo_make(sales, world->arena, &booking, hear_sales, money);
}

static int make(struct demo *demo, struct world_options *options)
{
    struct world world = {0};
    int status = 1;

    options->data = str_of(demo->part);
    options->clock = &demo->clock.clock;
    options->rng = &demo->rng.rng;
    options->prepares = true;
    rng_seeded_init(&demo->rng, (uint64_t)demo->seed);
    clock_manual_init(&demo->clock, demo->now_ms - HISTORY_MS);
    if (world_open(&world, options) == ERR_OK) {
        CLEANUP(call_done) struct call people = {0};
        CLEANUP(call_done) struct call sales = {0};
        CLEANUP(call_done) struct call money = {0};

        call_init(&people, node_find(world.node, "identity"), "demo");
        call_init(&sales, node_find(world.node, "booking"), "demo");
        call_init(&money, node_find(world.node, "payment"), "demo");
        const err e = fill(demo, &world, &people, &sales, &money);
        const struct call *said = people.problem.detail.size > 0 ? &people : &sales;

        status = e != ERR_OK;
        if (e != ERR_OK)
            (void)fprintf(stderr, "boxoffice: %s: %.*s\n", err_title(e),
                          STR_ARG(said->problem.detail));
    }
    world_close(&world);
    return status;
}

/* --- The command --- */

static bool read_options(struct demo *demo, str size, str seed, str now, str data)
{
    demo->seed = 1;
    demo->now_ms = clock_now_ms(clock_system());
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        if (str_eq(size, str_of(sizes[i].name)))
            demo->size = &sizes[i];
    while (data.size > 1 && str_ends(data, STR("/")))
        data.size--;
    (void)snprintf(demo->data, sizeof(demo->data), "%.*s", STR_ARG(data));
    const int length = snprintf(demo->part, sizeof(demo->part), "%.*s.part", STR_ARG(data));
    const char *wrong = demo->size == NULL ? "--size is one of small, medium, large"
                        : seed.ptr != NULL && (!str_to_i64(seed, &demo->seed) || demo->seed < 0)
                            ? "--seed is a whole number"
                        : now.ptr != NULL && !time_parse(now, &demo->now_ms)
                            ? "--now is a time such as 2026-12-01T12:00:00Z"
                        : length < 0 || (size_t)length >= sizeof(demo->part) ? "--data is too long"
                                                                             : NULL;
    if (wrong != NULL)
        (void)fprintf(stderr, "boxoffice: %s (try: boxoffice help)\n", wrong);
    return wrong == NULL;
}

int command_demo(int argc, char **argv)
{
    static struct demo demo;
    struct world_options options = {.data = STR("./boxoffice-data")};
    str size = STR("medium"), seed = STR_ABSENT, now = STR_ABSENT;
    size_t words = 0;
    const struct option flags[] = {
        {"--data",   &options.data,   NULL},
        {"--config", &options.config, NULL},
        {"--size",   &size,           NULL},
        {"--seed",   &seed,           NULL},
        {"--now",    &now,            NULL},
        {NULL,       NULL,            NULL},
    };

    if (options_read(argc, argv, flags, NULL, 0, &words) != ERR_OK ||
        !read_options(&demo, size, seed, now, options.data))
        return 2;
    int status = prepare(&demo);
    if (status == 0)
        status = make(&demo, &options);
    if (status == 0)
        status = finish(&demo);
    if (status != 0)
        return status;
    printf("demo: %zu customers, %zu vendors, %zu events, %zu tickets\n"
           "sign in as customer@example.test, vendor@example.test or admin@example.test with the "
           "password \"%s\"\n",
           demo.size->customers, demo.size->vendors, demo.size->events, demo.size->tickets,
           IDENTITY_DEMO_PASSWORD);
    return 0;
}
