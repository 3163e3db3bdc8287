/* backup.c - `boxoffice backup DIR` and `boxoffice restore DIR`: all that a box office is, as files.
 *
 * A backup is a directory with the databases as they were at one moment, the keys that unseal them
 * (so keep it as safe as those), and SHA256SUMS, in the form of sha256sum, written last. It is made
 * beside its place and moved there whole, so what has the name is complete. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "options.h"
#include "platform/crypto/crypto.h"
#include "platform/db/snapshot.h"
#include "platform/node/chore.h"
#include "world.h"

enum {
    FILES_MAX = 256,
    LINE_SIZE_MAX = 512,
    CHUNK_SIZE = 1 << 16,
    ROUNDS_MAX = 1000,
    HEX_SIZE = SHA256_SIZE * 2,
};
#define SUMS "SHA256SUMS"

/* Names of files below a directory: "booking.db", "keys/master.key". */
struct listing {
    str names[FILES_MAX];
    size_t count;
};

static int say(const char *what, const char *why)
{
    (void)fprintf(stderr, "boxoffice: %s: %s\n", what, why);
    return 1;
}

static int say_errno(const char *what)
{
    return say(what, strerrordesc_np(errno));
}

static const char *path_in(struct arena *arena, const char *dir, str name)
{
    return arena_printf(arena, "%s/%.*s", dir, STR_ARG(name)).ptr;
}

/* --- Files --- */

static bool make_dir(const char *path)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

static bool sync_path(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const bool synced = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0)
        (void)close(fd);
    return synced;
}

/* Copies a file that is not there yet, and syncs it. */
static bool copy_all(int from, int to)
{
    char chunk[CHUNK_SIZE];

    for (;;) {
        const ssize_t got = read(from, chunk, sizeof(chunk));

        if (got <= 0)
            return got == 0 && fsync(to) == 0;
        for (ssize_t done = 0; done < got;) {
            const ssize_t put = write(to, chunk + done, (size_t)(got - done));

            if (put <= 0)
                return false;
            done += put;
        }
    }
}

static bool copy_file(const char *from, const char *to)
{
    const int in = open(from, O_RDONLY | O_CLOEXEC);
    const int out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool copied = out >= 0 && copy_all(in, out);
    const int why = errno;

    if (out >= 0)
        copied &= close(out) == 0;
    if (in >= 0)
        (void)close(in);
    errno = why;
    return copied;
}

/* The digest of a file in hexadecimal; false with errno. */
static bool digest_file(const char *path, char ret[HEX_SIZE + 1])
{
    static const char digits[] = "0123456789abcdef";
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat found = {0};
    uint8_t digest[SHA256_SIZE];
    void *bytes = NULL;

    if (fd >= 0 && fstat(fd, &found) == 0)
        bytes = mmap(NULL, (size_t)found.st_size + 1, PROT_READ, MAP_PRIVATE, fd, 0);
    const int why = errno;
    if (fd >= 0)
        (void)close(fd);
    errno = why;
    if (bytes == NULL || bytes == MAP_FAILED)
        return false;
    sha256((str){bytes, (size_t)found.st_size}, digest);
    (void)munmap(bytes, (size_t)found.st_size + 1);
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        ret[2 * i] = digits[digest[i] >> 4];
        ret[2 * i + 1] = digits[digest[i] & 15];
    }
    ret[HEX_SIZE] = '\0';
    return true;
}

/* Names of the keys below `dir`, as "keys/NAME". */
static bool list_keys(struct arena *arena, const char *data, struct listing *listing)
{
    DIR *dir = opendir(path_in(arena, data, STR("keys")));

    if (dir == NULL)
        return false;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): a directory stream of this thread's own */
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir))
        if (str_ends(str_of(entry->d_name), STR(".key")) && listing->count < FILES_MAX)
            listing->names[listing->count++] = arena_printf(arena, "keys/%s", entry->d_name);
    (void)closedir(dir);
    return true;
}

/* --- backup --- */

static void remove_all(struct arena *arena, const char *dir, const struct listing *listing)
{
    for (size_t i = 0; i < listing->count; i++)
        (void)unlink(path_in(arena, dir, listing->names[i]));
    (void)unlink(path_in(arena, dir, STR(SUMS)));
    (void)rmdir(path_in(arena, dir, STR("keys")));
    (void)rmdir(dir);
}

static int copy_databases(struct world *world, const char *dir, struct listing *listing)
{
    struct snapshot_file files[SNAPSHOT_FILES_MAX];
    size_t count = 0;
    str why = STR_ABSENT;

    for (size_t i = 0; i < world->node->instance_count; i++) {
        const struct instance *instance = &world->node->instances[i];

        if (instance->db == NULL)
            continue;
        if (db_file(instance->db) == NULL)
            return say("backup", "the databases are on a PostgreSQL server, which alone can copy "
                                 "all of them as they are at one moment: see pg_basebackup");
        const str name = arena_printf(world->arena, "%s.db", instance->service->name);
        listing->names[listing->count++] = name;
        files[count++] = (struct snapshot_file){
            db_file(instance->db),
            path_in(world->arena, dir, name),
        };
    }
    return snapshot_take(files, count, world->arena, &why) == ERR_OK
               ? 0
               : say("backup", arena_cstr(world->arena, why));
}

/* After the databases: whatever seals a column of theirs is among the keys by then. */
static int copy_keys(struct world *world, const char *dir, struct listing *listing)
{
    const size_t first = listing->count;

    if (!make_dir(path_in(world->arena, dir, STR("keys"))) ||
        !list_keys(world->arena, world->node->data_dir, listing))
        return say_errno("backup: keys");
    for (size_t i = first; i < listing->count; i++)
        if (!copy_file(path_in(world->arena, world->node->data_dir, listing->names[i]),
                       path_in(world->arena, dir, listing->names[i])))
            return say_errno(arena_cstr(world->arena, listing->names[i]));
    return sync_path(path_in(world->arena, dir, STR("keys"))) ? 0 : say_errno("backup: keys");
}

static int write_sums(struct arena *arena, const char *dir, const struct listing *listing)
{
    const char *path = path_in(arena, dir, STR(SUMS));
    FILE *file = fopen(path, "wxe");
    char digest[HEX_SIZE + 1];

    if (file == NULL)
        return say_errno(path);
    for (size_t i = 0; i < listing->count; i++) {
        if (!digest_file(path_in(arena, dir, listing->names[i]), digest)) {
            (void)fclose(file);
            return say_errno(path);
        }
        (void)fprintf(file, "%s  %.*s\n", digest, STR_ARG(listing->names[i]));
    }
    const bool written = fflush(file) == 0 && fsync(fileno(file)) == 0;
    return fclose(file) == 0 && written && sync_path(dir) ? 0 : say_errno(path);
}

static int fill(struct world *world, const char *dir, struct listing *listing)
{
    if (copy_databases(world, dir, listing) != 0)
        return 1;
    const size_t databases = listing->count;
    if (copy_keys(world, dir, listing) != 0 || write_sums(world->arena, dir, listing) != 0)
        return 1;
    printf("backup: %zu databases, %zu keys\n", databases, listing->count - databases);
    return 0;
}

static int back_up(struct world *world, const char *dir)
{
    const char *partial = arena_printf(world->arena, "%s.partial", dir).ptr;
    struct listing listing = {0};
    struct stat found;

    if (stat(dir, &found) == 0)
        return say(dir, "is there already");
    if (mkdir(partial, 0700) != 0)
        return say_errno(partial);
    int status = fill(world, partial, &listing);
    if (status == 0 && rename(partial, dir) != 0)
        status = say_errno(dir);
    if (status != 0)
        remove_all(world->arena, partial, &listing);
    return status;
}

int command_backup(int argc, char **argv)
{
    struct world world = {0};
    struct world_options options = {0};
    str dir = STR_ABSENT;
    size_t words = 0;
    const struct option flags[] = {
        WORLD_FLAGS(options), {NULL, NULL, NULL}
    };

    if (options_read(argc, argv, flags, &dir, 1, &words) != ERR_OK)
        return 2;
    if (words != 1) {
        (void)say("backup wants", "DIR, a directory that is not there yet");
        return 2;
    }
    int status = 1;
    if (world_open(&world, &options) == ERR_OK)
        status = back_up(&world, arena_cstr(world.arena, dir));
    world_close(&world);
    return status;
}

/* --- restore --- */

/* "booking.db", "keys/ticket-0001.key": nothing that leads elsewhere. */
static bool is_name(str name)
{
    const str keys = STR("keys/");

    if (str_starts(name, keys))
        name = str_slice(name, keys.size, name.size);
    for (size_t i = 0; i < name.size; i++)
        if ((name.ptr[i] < 'a' || name.ptr[i] > 'z') && (name.ptr[i] < '0' || name.ptr[i] > '9') &&
            name.ptr[i] != '-' && (name.ptr[i] != '.' || i == 0))
            return false;
    return name.size > 0;
}

/* Is each file that was backed up there, byte for byte? */
static int read_sums(struct arena *arena, const char *dir, struct listing *ret)
{
    const char *path = path_in(arena, dir, STR(SUMS));
    FILE *file = fopen(path, "re");
    char line[LINE_SIZE_MAX];
    char digest[HEX_SIZE + 1];
    int status = 0;

    if (file == NULL)
        return say_errno(path);
    while (status == 0 && fgets(line, sizeof(line), file) != NULL) {
        const str text = str_trim(str_of(line));
        const str name = str_slice(text, HEX_SIZE + 2, text.size);

        if (text.size <= HEX_SIZE + 2 || !is_name(name) || ret->count == FILES_MAX)
            status = say(path, "is not of a backup");
        else if (!digest_file(path_in(arena, dir, name), digest))
            status = say_errno(path_in(arena, dir, name));
        else if (!str_eq(str_of(digest), str_slice(text, 0, HEX_SIZE)))
            status = say(path_in(arena, dir, name), "is not what was backed up");
        else
            ret->names[ret->count++] = arena_str(arena, name);
    }
    (void)fclose(file);
    return status == 0 && ret->count == 0 ? say(path, "is empty") : status;
}

/* Where a file belongs: databases may lie apart from the data directory. */
static const char *place_of(struct world *world, const char *data, str name)
{
    const str scheme = STR("sqlite:");
    const str url = config_text(world->config, "database.url");

    return !str_starts(name, STR("keys/")) && str_starts(url, scheme)
               ? path_in(world->arena,
                         arena_cstr(world->arena, str_slice(url, scheme.size, url.size)), name)
               : path_in(world->arena, data, name);
}

static int put_back(struct world *world, const char *dir, const char *data,
                    const struct listing *listing)
{
    struct stat found;

    for (size_t i = 0; i < listing->count; i++)
        if (stat(place_of(world, data, listing->names[i]), &found) == 0)
            return say(place_of(world, data, listing->names[i]),
                       "is there already: nothing was restored");
    if (!make_dir(path_in(world->arena, data, STR("keys"))))
        return say_errno(data);
    for (size_t i = 0; i < listing->count; i++)
        if (!copy_file(path_in(world->arena, dir, listing->names[i]),
                       place_of(world, data, listing->names[i]))) {
            const int status = say_errno(place_of(world, data, listing->names[i]));

            while (i-- > 0) /* all or nothing */
                (void)unlink(place_of(world, data, listing->names[i]));
            return status;
        }
    printf("restore: %zu files\n", listing->count);
    return sync_path(data) ? 0 : say_errno(data);
}

/* The books as they were, what was cut off finished, the books again. Nobody is told of anything:
 * mails wait for the server. */
static int verify(struct world *world)
{
    struct instance *booking = node_find(world->node, "booking");
    struct instance *payment = node_find(world->node, "payment");
    int status = audit_world(world);

    for (int round = 0; round < ROUNDS_MAX; round++)
        if (chores_run_due(booking) + chores_run_due(payment) == 0)
            break;
    if (status == 0)
        status = audit_world(world);
    return status;
}

static int restore(struct world *world, const struct world_options *options, const char *dir,
                   bool verifies)
{
    const char *data = world_data_dir(world, options);
    struct world_options opened = *options;
    struct listing listing = {0};

    opened.background = false;
    if (read_sums(world->arena, dir, &listing) != 0 || put_back(world, dir, data, &listing) != 0)
        return 1;
    if (!verifies)
        return 0;
    return world_start(world, &opened) == ERR_OK ? verify(world) : 1;
}

int command_restore(int argc, char **argv)
{
    struct world world = {0};
    struct world_options options = {.background = true}; /* not beside a server */
    bool verifies = false;
    str dir = STR_ABSENT;
    size_t words = 0;
    const struct option flags[] = {
        WORLD_FLAGS(options),
        {"--verify", NULL, &verifies},
        {NULL,       NULL, NULL     },
    };

    if (options_read(argc, argv, flags, &dir, 1, &words) != ERR_OK)
        return 2;
    if (words != 1) {
        (void)say("restore wants", "DIR, which boxoffice backup has made");
        return 2;
    }
    int status = 1;
    if (world_prepare(&world, &options) == ERR_OK)
        status = restore(&world, &options, arena_cstr(world.arena, dir), verifies);
    world_close(&world);
    return status;
}
