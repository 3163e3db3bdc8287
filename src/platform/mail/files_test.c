/* platform/mail/files_test.c - messages as files: whole, private, in order. */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/mail/mail.h"
#include "support/scratch.h"
#include "support/test.h"

static const char *path_of(struct arena *arena, const char *dir, const char *name)
{
    return arena_printf(arena, "%s/%s", dir, name).ptr;
}

static void check_file(struct arena *arena, const char *path, const char *expected)
{
    struct stat status;
    char *content = arena_alloc(arena, 4096);
    FILE *file = fopen(path, "rb");

    CHECK(file != NULL);
    const size_t size = fread(content, 1, 4096, file);
    CHECK(fclose(file) == 0);
    CHECK_STR(expected, ((str){content, size}));
    CHECK(stat(path, &status) == 0);
    CHECK_I64(0600, status.st_mode & 07777);
}

TEST(messages_are_files_in_the_order_of_sending)
{
    enum { COUNT = 30 };
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const char *dir = path_of(arena, scratch_dir(arena), "outbox");
    struct mailer *mailer = NULL;
    struct dirent **entries = NULL;
    struct stat status;

    CHECK_OK(mailer_open_files(dir, &mailer));
    CHECK(stat(dir, &status) == 0);
    CHECK_I64(0700, status.st_mode & 07777);
    for (int i = 0; i < COUNT; i++)
        CHECK_OK(mailer->send(mailer, arena, STR("Box <a@b.co>"), STR("c@d.co"),
                              arena_printf(arena, "message %d\r\n", i)));
    mailer->close(mailer);

    CHECK_I64(COUNT + 2, scandir(dir, &entries, NULL, alphasort)); /* and . and .. */
    for (int i = 0; i < COUNT + 2; i++) {
        if (i >= 2) {
            CHECK(str_ends(str_of(entries[i]->d_name), STR(".eml")));
            check_file(arena, path_of(arena, dir, entries[i]->d_name),
                       arena_printf(arena, "message %d\r\n", i - 2).ptr);
        }
        free(entries[i]);
    }
    free(entries);
}

TEST(a_directory_that_is_there_is_used)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const char *dir = scratch_dir(arena);
    struct mailer *mailer = NULL;

    for (int i = 0; i < 2; i++) {
        CHECK_OK(mailer_open_files(dir, &mailer));
        CHECK_OK(mailer->send(mailer, arena, STR("a@b.co"), STR("c@d.co"), STR("m\r\n")));
        mailer->close(mailer);
    }
}

TEST(a_directory_that_cannot_be_had_is_told_at_the_start)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const char *dir = scratch_dir(arena);
    const char *plain = path_of(arena, dir, "plain");
    struct mailer *mailer = NULL;

    FILE *file = fopen(plain, "wb");
    CHECK(file != NULL && fclose(file) == 0);
    CHECK_ERR(ERR_INVALID, mailer_open_files(plain, &mailer));
    CHECK_ERR(ERR_INVALID, mailer_open_files(path_of(arena, dir, "no/outbox"), &mailer));
    CHECK(mailer == NULL);
}

TEST(a_directory_that_is_lost_makes_sending_wait)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const char *dir = path_of(arena, scratch_dir(arena), "outbox");
    struct mailer *mailer = NULL;

    CHECK_OK(mailer_open_files(dir, &mailer));
    CHECK(rmdir(dir) == 0);
    CHECK_ERR(ERR_UNAVAILABLE,
              mailer->send(mailer, arena, STR("a@b.co"), STR("c@d.co"), STR("m\r\n")));
    mailer->close(mailer);
}

TEST(bad_addresses_are_not_written)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const char *dir = path_of(arena, scratch_dir(arena), "outbox");
    struct mailer *mailer = NULL;

    CHECK_OK(mailer_open_files(dir, &mailer));
    CHECK_ERR(ERR_INVALID, mailer->send(mailer, arena, STR("a@b"), STR("c@d.co"), STR("m\r\n")));
    CHECK_ERR(ERR_INVALID, mailer->send(mailer, arena, STR("a@b.co"), STR("c d@d.co"), STR("m")));
    mailer->close(mailer);
    CHECK(rmdir(dir) == 0); /* empty */
}
