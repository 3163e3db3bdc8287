/* platform/db/testdata/shop.c - a small database for the tests of this folder. */

#include "platform/db/testdata/shop.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/log/log.h"

static const struct sql_list *const shop_statements[] = {&account_sql, &note_sql, NULL};
static const struct migration_list *const shop_migration_lists[] = {&shop_migrations, NULL};

static void make_place(struct shop *shop)
{
    static int memory_count; /* a name of its own for each */

    if (shop->on_postgres) {
        const char *name = test_database_name(shop->arena);

        (void)snprintf(shop->url, sizeof(shop->url), "%s", test_database_make(shop->arena, name));
        return;
    }
    if (shop->in_memory) {
        (void)snprintf(shop->url, sizeof(shop->url), "sqlite::memory:shop-%d", ++memory_count);
        return;
    }
    (void)snprintf(shop->dir, sizeof(shop->dir), "/tmp/db_test_XXXXXX");
    CHECK(mkdtemp(shop->dir) != NULL);
    (void)snprintf(shop->url, sizeof(shop->url), "sqlite:%.64s/shop.db", shop->dir);
}

void shop_init(struct shop *shop, bool in_memory)
{
    *shop = (struct shop){.in_memory = in_memory, .on_postgres = test_on_postgres()};
    shop->arena = arena_open(0);
    make_place(shop);
    shop->log_fd = memfd_create("log", MFD_CLOEXEC);
    CHECK(shop->log_fd >= 0);
    clock_manual_init(&shop->clock, SHOP_NOW_MS);
    shop->log = log_open(shop->log_fd, LOG_DEBUG, &shop->clock.clock);
    shop->metrics = metrics_open();
    shop->options = (struct db_options){
        .url = shop->url,
        .name = shop->on_postgres ? "shop" : NULL,
        .statements = shop_statements,
        .migrations = shop_migration_lists,
        .clock = &shop->clock.clock,
        .log = shop->log,
        .metrics = shop->metrics,
    };
}

static void delete_dir(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;

    if (dir == NULL)
        return;
    while ((entry = readdir(dir)) != NULL) // NOLINT(concurrency-mt-unsafe): its own stream
        (void)unlinkat(dirfd(dir), entry->d_name, 0);
    (void)closedir(dir);
    (void)rmdir(path);
}

void shop_done(struct shop *shop)
{
    shop_close(shop);
    if (shop->dir[0] != '\0')
        delete_dir(shop->dir);
    metrics_close(shop->metrics);
    log_close(shop->log);
    arena_close(shop->arena);
    (void)close(shop->log_fd);
}

err shop_open(struct shop *shop)
{
    shop->why = STR_ABSENT;
    return db_open(&shop->options, shop->arena, &shop->db, &shop->why);
}

void shop_close(struct shop *shop)
{
    db_close(shop->db);
    shop->db = NULL;
}

void shop_start(struct shop *shop, bool in_memory)
{
    shop_init(shop, in_memory);
    CHECK_OK(shop_open(shop));
}

int64_t shop_i64(const struct shop *shop, const char *sql)
{
    int64_t answer = -1;

    if (shop->on_postgres)
        return test_database_i64(shop->url, sql);
    CHECK(sqlite_get_i64(shop_sqlite(shop)->writer->handle, sql, &answer) == SQLITE_OK);
    return answer;
}

const char *shop_path(const struct shop *shop)
{
    return shop->url + sizeof("sqlite:") - 1;
}

struct sqlite_db *shop_sqlite(const struct shop *shop)
{
    return (struct sqlite_db *)shop->db;
}

str shop_log(struct shop *shop)
{
    const ssize_t size = pread(shop->log_fd, shop->log_text, sizeof(shop->log_text), 0);

    CHECK(size >= 0);
    return (str){shop->log_text, (size_t)size};
}

struct uuid uuid_of(uint8_t n)
{
    return (struct uuid){
        {0xab, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, n}
    };
}

err note_put(struct db *db, int64_t number, str body)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, db));
    TRY(db_exec(&tx, &SQL_NOTE_PUT, ARGS(I64(number), TEXT(body))));
    return tx_commit(&tx);
}

err note_count(struct db *db, int64_t *ret)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_read(&tx, db));
    return db_get_i64(&tx, &SQL_NOTE_COUNT, NO_ARGS, ret);
}

void check_notes(int64_t want, struct db *db)
{
    int64_t count = -1;

    CHECK_OK(note_count(db, &count));
    CHECK_I64(want, count);
}

static void die_quietly(void (*bug)(void))
{
    const struct rlimit no_core = {0};
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    (void)setrlimit(RLIMIT_CORE, &no_core);
    (void)dup2(null, STDERR_FILENO);
    (void)signal(SIGABRT, SIG_DFL);
    bug();
    _exit(0);
}

bool dies_of_assertion(void (*bug)(void))
{
    const pid_t child = fork();
    int status = 0;

    CHECK(child >= 0);
    if (child == 0)
        die_quietly(bug);
    CHECK(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}
