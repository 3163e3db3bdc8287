/* platform/db/snapshot_test.c - copies of two files are of one moment, whoever writes. */
#include "platform/db/snapshot.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/db/testdata/shop.h"

static const char *beside(struct shop *shop, const char *name)
{
    return arena_printf(shop->arena, "%s/%s", shop->dir, name).ptr;
}

static int64_t count_notes(const char *path)
{
    sqlite3 *handle = NULL;
    int64_t count = 0;

    CHECK(sqlite3_open_v2(path, &handle, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK);
    CHECK(sqlite_get_i64(handle, "SELECT count(*) FROM note", &count) == SQLITE_OK);
    (void)sqlite3_close(handle);
    return count;
}

/* A second file, told of each note after the first one has it. */
struct pair {
    struct shop *first;
    struct shop *second;
    _Atomic int64_t written;
    atomic_bool stop;
};

static void *write_both(void *arg)
{
    struct pair *pair = arg;

    for (int64_t i = 1; !atomic_load(&pair->stop); i++) {
        if (note_put(pair->first->db, i, STR("one")) != ERR_OK ||
            note_put(pair->second->db, i, STR("the other")) != ERR_OK)
            return pair; /* writers are never refused because of a copy */
        atomic_store(&pair->written, i);
    }
    return NULL;
}

TEST_OF_SQLITE(two_files_are_copied_as_they_were_at_one_moment)
{
    CLEANUP(shop_done) struct shop first;
    CLEANUP(shop_done) struct shop second;
    struct pair pair = {.first = &first, .second = &second};
    pthread_t thread;
    void *failed = NULL;
    str why = STR_ABSENT;

    shop_start(&first, false);
    shop_start(&second, false);
    CHECK(pthread_create(&thread, NULL, write_both, &pair) == 0);
    for (int round = 0; round < 20; round++) {
        const struct snapshot_file files[] = {
  /* The one that is written last is looked at first: not seen as one, it would be ahead. */
            {shop_path(&second), beside(&second, arena_printf(first.arena, "b%d", round).ptr)},
            {shop_path(&first),  beside(&first,  arena_printf(first.arena, "a%d", round).ptr)},
        };
        const int64_t acknowledged = atomic_load(&pair.written);

        CHECK_OK(snapshot_take(files, 2, first.arena, &why));
        const int64_t in_second = count_notes(files[0].to);
        const int64_t in_first = count_notes(files[1].to);
        CHECK(in_second >= acknowledged);
        CHECK(in_first == in_second || in_first == in_second + 1);
    }
    atomic_store(&pair.stop, true);
    (void)pthread_join(thread, &failed);
    CHECK(failed == NULL);
}

TEST_OF_SQLITE(a_copy_is_one_file_for_its_owner_alone)
{
    CLEANUP(shop_done) struct shop shop;
    struct stat found;
    str why = STR_ABSENT;

    shop_start(&shop, false);
    CHECK_OK(note_put(shop.db, 1, STR("one")));
    const struct snapshot_file file = {db_file(shop.db), beside(&shop, "copy")};
    CHECK_OK(snapshot_take(&file, 1, shop.arena, &why));
    CHECK(stat(file.to, &found) == 0 && (found.st_mode & 0777) == 0600);
    CHECK(stat(beside(&shop, "copy-wal"), &found) != 0);
    CHECK_I64(1, count_notes(file.to));
    /* What is there stays. */
    CHECK_ERR(ERR_UNAVAILABLE, snapshot_take(&file, 1, shop.arena, &why));
    CHECK(str_ends(why, STR("copy: File exists")));
    CHECK_I64(1, count_notes(file.to));
}

TEST_OF_SQLITE(what_cannot_be_copied_leaves_nothing)
{
    CLEANUP(shop_done) struct shop shop;
    CLEANUP(shop_done) struct shop other;
    struct stat found;
    str why = STR_ABSENT;

    shop_start(&shop, false);
    shop_start(&other, false);
    const struct snapshot_file files[] = {
        {shop_path(&shop),  beside(&shop, "copy")        },
        {shop_path(&other), beside(&shop, "nowhere/copy")},
    };
    CHECK_ERR(ERR_UNAVAILABLE, snapshot_take(files, 2, shop.arena, &why));
    CHECK(stat(files[0].to, &found) != 0);

    const char *damaged = beside(&shop, "damaged.db");
    const int fd = open(damaged, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, "this is no database, whatever its name says", 43) == 43);
    (void)close(fd);
    const struct snapshot_file bad = {damaged, beside(&shop, "copy")};
    CHECK_ERR(ERR_UNAVAILABLE, snapshot_take(&bad, 1, shop.arena, &why));
    CHECK(str_ends(why, STR("damaged.db: file is not a database")));
    CHECK(stat(bad.to, &found) != 0);
    CHECK_OK(note_put(shop.db, 1, STR("writers go on")));
}
