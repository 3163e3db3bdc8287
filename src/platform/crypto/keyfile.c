/* platform/crypto/keyfile.c - reads and makes the files that hold the keys.
 *
 * A key is written under a temporary name, brought to disk, and only then linked to its own name.
 * A link never replaces: of two processes that start at once one wins, and both read the winner's
 * bytes. Nothing is sealed or signed before the names are on disk too. A crash in between leaves at
 * worst a temporary file, ".new-...", that nobody reads. */

#include "platform/crypto/keyfile.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

enum { NAME_SIZE_MAX = 31, OTHERS_MODE = S_IRWXG | S_IRWXO };

/* What every step needs. */
struct key_dir {
    const char *path;
    int fd;
    struct rng *rng;
    struct arena *arena; /* for *ret_why */
    str *ret_why;
};

/* What the directory holds, by name. */
struct key_names {
    bool master; /* master.key itself */
    uint16_t masters[KEYS_MAX];
    size_t master_count;
    uint16_t tickets[KEYS_MAX];
    size_t ticket_count;
};

/* --- Rules: no I/O --- */

/* The number of PREFIX-NNNN.key; 0 if it is not that. */
static uint16_t number_of(str name, str prefix)
{
    int64_t number = 0;

    if (!str_starts(name, prefix) || name.size != prefix.size + sizeof("NNNN.key") - 1 ||
        !str_ends(name, STR(".key")))
        return 0;
    const str digits = str_slice(name, prefix.size, prefix.size + 4);
    if (!str_to_i64(digits, &number) || number <= 0) /* str_to_i64 lets a sign through */
        return 0;
    return (uint16_t)number;
}

/* Puts `name` where it belongs; false if it looks like a key and is none, or if there are too
 * many. */
static bool sort_name(struct key_names *names, str name)
{
    const uint16_t master = number_of(name, STR("master-"));
    const uint16_t ticket = number_of(name, STR("ticket-"));

    if (str_eq(name, STR("master.key"))) {
        names->master = true;
        return true;
    }
    if (master != 0 && names->master_count < KEYS_MAX - 1) {
        names->masters[names->master_count++] = master;
        return true;
    }
    if (ticket != 0 && names->ticket_count < KEYS_MAX) {
        names->tickets[names->ticket_count++] = ticket;
        return true;
    }
    return name.ptr[0] == '.' || !str_ends(name, STR(".key"));
}

static int compare_numbers(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* --- Storage --- */

static void close_fd_at(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd); /* only read, or synced before */
}

/* "DIR/NAME: REASON" for the one who reads the start's output. */
static err refuse(const struct key_dir *dir, const char *name, const char *reason)
{
    *dir->ret_why =
        arena_printf(dir->arena, "%s%s%s: %s", dir->path, name[0] != '\0' ? "/" : "", name, reason);
    return ERR_INVALID;
}

static err refuse_errno(const struct key_dir *dir, const char *name)
{
    return refuse(dir, name, strerrordesc_np(errno));
}

static err sync_dir(const struct key_dir *dir)
{
    CLEANUP(close_fd_at) int parent = openat(dir->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    /* The directory may be new as well, so its own name is brought to disk with those in it. */
    if (fsync(dir->fd) != 0 || parent < 0 || fsync(parent) != 0)
        return refuse_errno(dir, "");
    return ERR_OK;
}

static err write_all(int fd, const uint8_t *bytes, size_t size)
{
    while (size > 0) {
        const ssize_t written = write(fd, bytes, size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return ERR_INVALID;
        bytes += written;
        size -= (size_t)written;
    }
    return fsync(fd) == 0 ? ERR_OK : ERR_INVALID;
}

/* Fills the temporary file and links it to `name`, unless somebody else was first. */
static err fill_and_link(const struct key_dir *dir, const char *temporary, const char *name)
{
    uint8_t bytes[KEY_SIZE];
    CLEANUP(close_fd_at)
    int fd = openat(dir->fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);

    if (fd < 0)
        return refuse_errno(dir, temporary);
    rng_fill(dir->rng, bytes, sizeof(bytes));
    const err written = write_all(fd, bytes, sizeof(bytes));
    OPENSSL_cleanse(bytes, sizeof(bytes));
    if (written != ERR_OK)
        return refuse_errno(dir, temporary);
    if (linkat(dir->fd, temporary, dir->fd, name, 0) != 0 && errno != EEXIST)
        return refuse_errno(dir, name);
    return ERR_OK;
}

static err make_key(const struct key_dir *dir, const char *name)
{
    char temporary[NAME_SIZE_MAX + 1];

    (void)snprintf(temporary, sizeof(temporary), ".new-%016llx",
                   (unsigned long long)rng_u64(dir->rng));
    const err made = fill_and_link(dir, temporary, name);
    (void)unlinkat(dir->fd, temporary, 0); /* what is left behind harms nobody */
    TRY(made);
    return sync_dir(dir);
}

/* A key is a plain file of 32 bytes that only its owner can touch. */
static const char *reason_against(const struct stat *status)
{
    if (!S_ISREG(status->st_mode))
        return "not a plain file";
    if ((status->st_mode & OTHERS_MODE) != 0)
        return "open to group or others; chmod 600 it";
    if (status->st_size != KEY_SIZE)
        return "wrong size; a key has 32 bytes";
    return NULL;
}

static err read_key(const struct key_dir *dir, const char *name, uint8_t ret_bytes[KEY_SIZE])
{
    struct stat status;
    size_t size = 0;
    CLEANUP(close_fd_at) int fd = openat(dir->fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &status) != 0)
        return refuse_errno(dir, name);
    const char *reason = reason_against(&status);
    if (reason != NULL)
        return refuse(dir, name, reason);
    while (size < KEY_SIZE) {
        const ssize_t got = read(fd, ret_bytes + size, KEY_SIZE - size);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return refuse_errno(dir, name);
        if (got == 0)
            return refuse(dir, name, "became shorter while it was read");
        size += (size_t)got;
    }
    return ERR_OK;
}

static err read_numbered(const struct key_dir *dir, const char *prefix, uint16_t number,
                         struct key *ret)
{
    char name[NAME_SIZE_MAX + 1];

    (void)snprintf(name, sizeof(name), "%s-%04u.key", prefix, number);
    ret->id = number;
    return read_key(dir, name, ret->bytes);
}

static err list_names(const struct key_dir *dir, struct key_names *ret)
{
    struct dirent **entries = NULL;
    err result = ERR_OK;
    const int count = scandirat(dir->fd, ".", &entries, NULL, NULL);

    if (count < 0)
        return refuse_errno(dir, "");
    for (int i = 0; i < count; i++) {
        if (result == ERR_OK && !sort_name(ret, str_of(entries[i]->d_name)))
            result = refuse(dir, entries[i]->d_name, "not a key's name, or one key too many");
        free(entries[i]);
    }
    free(entries);
    qsort(ret->masters, ret->master_count, sizeof(ret->masters[0]), compare_numbers);
    qsort(ret->tickets, ret->ticket_count, sizeof(ret->tickets[0]), compare_numbers);
    return result;
}

/* Makes the first keys. What others derived from a lost master.key would be lost with it, so one is
 * not made anew beside keys that show that there was one. */
static err make_first_keys(const struct key_dir *dir, struct key_names *names)
{
    if (!names->master && (names->master_count > 0 || names->ticket_count > 0)) {
        /* Or another process made both since we looked: master.key is always the first. */
        if (faccessat(dir->fd, "master.key", F_OK, 0) != 0)
            return refuse(dir, "master.key", "missing beside other keys; restore it");
        names->master = true;
    }
    if (!names->master)
        TRY(make_key(dir, "master.key"));
    if (names->ticket_count == 0) {
        TRY(make_key(dir, "ticket-0001.key"));
        names->tickets[names->ticket_count++] = 1;
    }
    return ERR_OK;
}

static err check_dir(const struct key_dir *dir)
{
    struct stat status;

    if (fstat(dir->fd, &status) != 0)
        return refuse_errno(dir, "");
    if ((status.st_mode & OTHERS_MODE) != 0)
        return refuse(dir, "", "open to group or others; chmod 700 it");
    return ERR_OK;
}

static err load_from(const struct key_dir *dir, struct key_set *keys)
{
    struct key_names names = {0};

    TRY(check_dir(dir));
    TRY(list_names(dir, &names));
    TRY(make_first_keys(dir, &names));

    keys->masters[0].id = 0;
    TRY(read_key(dir, "master.key", keys->masters[0].bytes));
    keys->master_count = 1;
    for (size_t i = 0; i < names.master_count; i++)
        TRY(read_numbered(dir, "master", names.masters[i], &keys->masters[keys->master_count++]));
    for (size_t i = 0; i < names.ticket_count; i++)
        TRY(read_numbered(dir, "ticket", names.tickets[i], &keys->tickets[keys->ticket_count++]));
    return ERR_OK;
}

err key_set_load(const char *path, struct rng *rng, struct arena *arena, struct key_set *ret,
                 str *ret_why)
{
    struct key_dir dir = {.path = path, .fd = -1, .rng = rng, .arena = arena, .ret_why = ret_why};

    if (mkdir(path, S_IRWXU) != 0 && errno != EEXIST)
        return refuse_errno(&dir, "");
    CLEANUP(close_fd_at) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return refuse_errno(&dir, "");
    dir.fd = fd;
    return load_from(&dir, ret);
}

void key_set_wipe(struct key_set *keys)
{
    OPENSSL_cleanse(keys, sizeof(*keys));
}
