/* platform/mail/files.c - a mailer that writes messages as files: until an SMTP server is
 * configured.
 *
 * A message is accepted once it is on disk under its own name, so whoever reads the directory
 * never sees half of one, and none that was accepted is lost. Names are UUIDv7: they sort by the
 * time of sending, and processes that share the directory do not meet. The clock is the
 * system's, since a name is no rule: nothing depends on it but the order in which the files are
 * listed. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/mem.h"
#include "platform/mail/address.h"
#include "platform/mail/mail.h"

enum { NAME_SIZE_MAX = ID_TEXT_SIZE_MAX + sizeof(".eml.new") };

struct files_mailer {
    struct mailer mailer; /* the first member */
    int dir;
};

static void close_fd_at(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd); /* synced before, where that matters */
}

static err write_all(int fd, str bytes)
{
    while (bytes.size > 0) {
        const ssize_t written = write(fd, bytes.ptr, bytes.size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return ERR_UNAVAILABLE;
        bytes = str_slice(bytes, (size_t)written, bytes.size);
    }
    return fsync(fd) == 0 ? ERR_OK : ERR_UNAVAILABLE;
}

static err write_new(int dir, const char *name, str message)
{
    CLEANUP(close_fd_at)
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);

    if (fd < 0)
        return ERR_UNAVAILABLE;
    return write_all(fd, message);
}

static err files_send(struct mailer *mailer, struct arena *arena, str from, str to, str message)
{
    const struct files_mailer *files = (const struct files_mailer *)mailer;
    const int64_t now_ms = clock_now_ms(clock_system());
    const struct id_text id = id_format("msg", uuid_new(rng_system(), now_ms));
    char name[NAME_SIZE_MAX];
    char temporary[NAME_SIZE_MAX];
    str from_name = STR_ABSENT;
    str from_address = STR_ABSENT;

    TRY(mailbox_split(arena, from, &from_name, &from_address));
    TRY(mail_check_address(to));
    (void)snprintf(name, sizeof(name), "%s.eml", id.text);
    (void)snprintf(temporary, sizeof(temporary), "%s.eml.new", id.text);

    if (write_new(files->dir, temporary, message) != ERR_OK ||
        renameat(files->dir, temporary, files->dir, name) != 0) {
        (void)unlinkat(files->dir, temporary, 0);
        return ERR_UNAVAILABLE;
    }
    return fsync(files->dir) == 0 ? ERR_OK : ERR_UNAVAILABLE;
}

static err files_check(struct mailer *mailer, struct arena *arena, str *ret_why)
{
    const struct files_mailer *files = (const struct files_mailer *)mailer;

    if (faccessat(files->dir, ".", W_OK, AT_EACCESS) == 0)
        return ERR_OK;
    *ret_why = arena_printf(arena, "%m");
    return ERR_UNAVAILABLE;
}

static void files_close(struct mailer *mailer)
{
    struct files_mailer *files = (struct files_mailer *)mailer;

    close_fd_at(&files->dir);
    mem_free(files);
}

err mailer_open_files(const char *dir, struct mailer **ret)
{
    if (mkdir(dir, S_IRWXU) != 0 && errno != EEXIST)
        return ERR_INVALID;
    const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return ERR_INVALID;

    struct files_mailer *files = mem_new(struct files_mailer);
    files->mailer = (struct mailer){.send = files_send, .check = files_check, .close = files_close};
    files->dir = fd;
    *ret = &files->mailer;
    return ERR_OK;
}
