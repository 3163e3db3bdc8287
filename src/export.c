/* export.c - `boxoffice export`: everything of a vendor as files, also while the server runs.
 *
 * What is written holds names and addresses of buyers: nobody but its owner may read the files. Each is
 * written beside its name and gets it when it is whole, so what stands there is never half of one. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "options.h"
#include "services/booking/booking.h"
#include "world.h"

enum { PATH_SIZE = 4096, FILE_MODE = 0600, DIR_MODE = 0700 };

struct files {
    const char *out;   /* a directory (CSV) or a file (JSON); NULL: standard output */
    const char *table; /* whose file is open; NULL: none, or the document */
    FILE *file;
    char path[PATH_SIZE];
    char part[PATH_SIZE]; /* until it is whole */
    bool failed;          /* said already */
};

static bool complain(struct files *files, const char *path)
{
    (void)fprintf(stderr, "boxoffice: %s: %s\n", path, strerrordesc_np(errno));
    files->failed = true;
    return false;
}

static bool open_file(struct files *files, const char *table)
{
    files->table = table;
    if (table != NULL)
        (void)snprintf(files->path, sizeof(files->path), "%s/%s.csv", files->out, table);
    else
        (void)snprintf(files->path, sizeof(files->path), "%s", files->out);
    (void)snprintf(files->part, sizeof(files->part), "%.*s.part", PATH_SIZE - 8, files->path);
    const int fd = open(files->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    if (fd >= 0)
        files->file = fdopen(fd, "w");
    if (fd >= 0 && files->file == NULL)
        (void)close(fd);
    return files->file != NULL || complain(files, files->part);
}

/* Gives the open file, if there is one, its name. */
static bool finish_file(struct files *files)
{
    FILE *file = files->file;

    files->file = NULL;
    if (file == NULL)
        return true;
    const bool written = fflush(file) == 0 && fsync(fileno(file)) == 0;
    if (fclose(file) != 0 || !written || rename(files->part, files->path) != 0)
        return complain(files, files->path);
    return true;
}

static void drop_file(struct files *files)
{
    if (files->file == NULL)
        return;
    (void)fclose(files->file);
    files->file = NULL;
    (void)unlink(files->part);
}

static bool write_text(void *arg, const char *table, str text)
{
    struct files *files = arg;

    if (files->out == NULL)
        return fwrite(text.ptr, 1, text.size, stdout) == text.size ||
               complain(files, "standard output");
    const bool other = table != NULL && (files->table == NULL || strcmp(table, files->table) != 0);
    if (files->file == NULL || other)
        if (!finish_file(files) || !open_file(files, table))
            return false;
    return fwrite(text.ptr, 1, text.size, files->file) == text.size || complain(files, files->part);
}

static bool make_dir(struct files *files)
{
    struct stat status;

    if (mkdir(files->out, DIR_MODE) == 0)
        return true;
    if (errno == EEXIST && stat(files->out, &status) == 0 && !S_ISDIR(status.st_mode))
        errno = ENOTDIR;
    return errno == EEXIST || complain(files, files->out);
}

static int export_all(struct world *world, str email, struct booking_export *in,
                      struct files *files)
{
    CLEANUP(call_done) struct call call = {0};

    call_init(&call, node_find(world->node, "booking"), "export");
    err e = command_find_vendor(&call, email, &in->vendor);
    if (e == ERR_OK && !in->json && !make_dir(files))
        return 1;
    if (e == ERR_OK)
        e = booking_export(&call, in);
    if (e == ERR_OK && !finish_file(files))
        return 1;
    if (e == ERR_OK && fflush(stdout) != 0) {
        (void)complain(files, "standard output");
        return 1;
    }
    drop_file(files);
    if (e != ERR_OK && !files->failed)
        (void)command_failed(&call, e);
    return e == ERR_OK ? 0 : 1;
}

int command_export(int argc, char **argv)
{
    struct world world = {0};
    struct world_options options = {0};
    struct files files = {0};
    struct booking_export in = {.write = write_text, .arg = &files};
    str email = STR_ABSENT, format = STR_ABSENT, out = STR_ABSENT;
    size_t words = 0;
    const struct option flags[] = {
        WORLD_FLAGS(options),  {"--vendor", &email,  NULL},
          {"--format", &format, NULL},
        {"--out",    &out,    NULL},
          {NULL,       NULL,    NULL},
    };

    if (options_read(argc, argv, flags, NULL, 0, &words) != ERR_OK)
        return 2;
    if (email.ptr == NULL)
        return command_wrong("export wants --vendor EMAIL");
    in.json = str_eq(format, STR("json"));
    if (!in.json && !str_eq(format, STR("csv")))
        return command_wrong("export wants --format csv or json");
    if (!in.json && out.ptr == NULL)
        return command_wrong("export --format csv wants --out DIR: it writes a file a table");
    if (out.ptr != NULL && (out.size == 0 || out.size > PATH_SIZE - 64))
        return command_wrong("--out is no path");
    int status = 1;
    if (world_open(&world, &options) == ERR_OK) {
        files.out = out.ptr != NULL ? arena_cstr(world.arena, out) : NULL;
        status = export_all(&world, email, &in, &files);
    }
    world_close(&world);
    return status;
}
