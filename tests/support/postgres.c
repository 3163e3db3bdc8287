/* support/postgres.c - makes clusters below /tmp, starts and ends their servers.
 *
 * Ended by a keeper: a child that holds the other end of a pipe, and when that closes, whatever the
 * reason, kills the server by the number in its postmaster.pid and deletes the directory. */

#include "support/postgres.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/test.h"

enum {
    BIN_SIZE = 128,
    PATH_SIZE = 256,
    ARGS_MAX = 64,
    START_TRIES = 3000, /* of 10 ms */
    FDS_MAX = 8,
    PROCESSES_MAX = 512,
};

static const char *const settings_always[] = {"listen_addresses=127.0.0.1",
                                              "max_connections=300",
                                              "shared_buffers=64MB",
                                              "log_min_messages=warning",
                                              "jit=off",
                                              NULL};
/* A crash of the machine is not what those tests are about. */
static const char *const settings_not_durable[] = {"fsync=off", "full_page_writes=off",
                                                   "wal_level=minimal", "max_wal_senders=0", NULL};

static void pause_a_moment(void)
{
    static const struct timespec moment = {.tv_nsec = 10000000};

    (void)nanosleep(&moment, NULL);
}

/* --- Where it is, and as whom it runs --- */

/* "/usr/lib/postgresql/15/bin": the newest. */
static bool find_bin(char *ret, size_t size)
{
    glob_t found = {0};
    const bool is_here = glob("/usr/lib/postgresql/*/bin/postgres", 0, NULL, &found) == 0;

    if (is_here) {
        const char *path = found.gl_pathv[found.gl_pathc - 1];

        (void)snprintf(ret, size, "%.*s", (int)(strrchr(path, '/') - path), path);
    }
    globfree(&found);
    return is_here;
}

bool postgres_is_here(void)
{
    char bin[BIN_SIZE];

    return find_bin(bin, sizeof(bin));
}

/* NULL: as ourselves. */
static const struct passwd *find_user(void)
{
    const struct passwd *user = NULL;

    if (getuid() != 0)
        return NULL;
    user = getpwnam("postgres");
    if (user == NULL)
        user = getpwnam("nobody");
    CHECK(user != NULL);
    return user;
}

static void become(const struct passwd *user)
{
    if (user == NULL)
        return;
    if (setgroups(0, NULL) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)
        _exit(126);
}

/* --- Running --- */

/* Its output goes to the log; gives its pid. */
static pid_t spawn(const struct postgres_server *server, const char *const *args)
{
    const struct passwd *user = find_user();
    pid_t child;

    (void)fflush(NULL);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        char path[PATH_SIZE];
        int fd;

        become(user);
        (void)setsid(); /* no signals from the terminal */
        (void)snprintf(path, sizeof(path), "%s/log", server->dir);
        fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
        (void)dup2(fd, STDOUT_FILENO);
        (void)dup2(fd, STDERR_FILENO);
        (void)close(STDIN_FILENO);
        if (chdir(server->dir) != 0)
            _exit(126);
        (void)execv(args[0], mem_unconst(args));
        _exit(127);
    }
    return child;
}

static void show_log(const struct postgres_server *server)
{
    char path[PATH_SIZE];
    char line[512];
    FILE *log;

    (void)snprintf(path, sizeof(path), "%s/log", server->dir);
    log = fopen(path, "re");
    while (log != NULL && fgets(line, sizeof(line), log) != NULL)
        print_error("%s", line);
    if (log != NULL)
        (void)fclose(log);
}

static void run_tool(const struct postgres_server *server, const char *const *args)
{
    int status = -1;

    CHECK(waitpid(spawn(server, args), &status, 0) > 0);
    if (status != 0)
        show_log(server);
    CHECK_I64(0, status);
}

static void make_cluster(const struct postgres_server *server, const char *bin)
{
    char initdb[PATH_SIZE];
    char data[PATH_SIZE];
    const char *const args[] = {
        initdb,  "-D",   data,        "--no-sync",         "-A",
        "trust", "-U",   "boxoffice", "--no-instructions", "--locale=C.UTF-8",
        "-E",    "UTF8", NULL};

    (void)snprintf(initdb, sizeof(initdb), "%s/initdb", bin);
    (void)snprintf(data, sizeof(data), "%s/data", server->dir);
    run_tool(server, args);
}

/* With what it needs to follow the primary. */
static void copy_cluster(const struct postgres_server *server, const char *bin,
                         const struct postgres_server *primary)
{
    char basebackup[PATH_SIZE];
    char data[PATH_SIZE];
    char from[PATH_SIZE];
    const char *const args[] = {basebackup, "-D",     data, "-d",   from,        "-R",
                                "-X",       "stream", "-c", "fast", "--no-sync", NULL};

    (void)snprintf(basebackup, sizeof(basebackup), "%s/pg_basebackup", bin);
    (void)snprintf(data, sizeof(data), "%s/data", server->dir);
    (void)snprintf(from, sizeof(from), "host=%s port=%d user=boxoffice application_name=standby",
                   primary->dir, primary->port);
    run_tool(server, args);
}

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(fd >= 0);
    CHECK(bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    (void)close(fd);
    return ntohs(address.sin_port);
}

static size_t add_settings(const char **args, size_t count, const char *const *settings)
{
    for (; settings != NULL && *settings != NULL && count + 3 < ARGS_MAX; settings++) {
        args[count++] = "-c";
        args[count++] = *settings;
    }
    return count;
}

static void await_start(const struct postgres_server *server)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const char *url = postgres_url(server, arena, "postgres");

    for (int i = 0; i < START_TRIES; i++) {
        int status = 0;

        if (PQping(url) == PQPING_OK)
            return;
        if (waitpid(server->pid, &status, WNOHANG) != 0)
            break; /* it has ended */
        pause_a_moment();
    }
    show_log(server);
    CHECK(false);
}

void postgres_start(struct postgres_server *server)
{
    char bin[BIN_SIZE];
    char path[PATH_SIZE];
    char data[PATH_SIZE];
    char sockets[PATH_SIZE];
    char port[32];
    const char *args[ARGS_MAX] = {path, "-D", data, "-c", sockets, "-c", port};
    size_t count = 7;

    CHECK(server->pid == 0 && find_bin(bin, sizeof(bin)));
    (void)snprintf(path, sizeof(path), "%s/postgres", bin);
    (void)snprintf(data, sizeof(data), "%s/data", server->dir);
    (void)snprintf(sockets, sizeof(sockets), "unix_socket_directories=%s", server->dir);
    (void)snprintf(port, sizeof(port), "port=%d", server->port);
    count = add_settings(args, count, settings_always);
    if (!server->durable)
        count = add_settings(args, count, settings_not_durable);
    count = add_settings(args, count, server->settings);
    args[count] = NULL;
    server->pid = spawn(server, args);
    await_start(server);
}

/* --- The keeper --- */

static int remove_entry(const char *path, [[maybe_unused]] const struct stat *status,
                        [[maybe_unused]] int type, [[maybe_unused]] struct FTW *walk)
{
    return remove(path);
}

static pid_t postmaster_of(const char *dir)
{
    char path[PATH_SIZE];
    long pid = 0;
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/data/postmaster.pid", dir);
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%ld", &pid) != 1) /* NOLINT(cert-err34-c): PostgreSQL wrote it */
        pid = 0;
    (void)fclose(file);
    return (pid_t)pid;
}

static void keep(const char *dir, int fd)
{
    char byte;
    pid_t pid;

    (void)setsid();
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    while (read(fd, &byte, 1) > 0)
        ;
    pid = postmaster_of(dir);
    if (pid > 0 && kill(pid, SIGQUIT) == 0) {
        (void)kill(pid, SIGCONT);
        for (int i = 0; i < 300 && kill(pid, 0) == 0; i++)
            pause_a_moment();
    }
    (void)nftw(dir, remove_entry, FDS_MAX, FTW_DEPTH | FTW_PHYS);
    _exit(0);
}

static void start_keeper(struct postgres_server *server)
{
    int ends[2];

    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    (void)fflush(NULL);
    server->keeper = fork();
    CHECK(server->keeper >= 0);
    if (server->keeper == 0) {
        const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

        (void)close(ends[1]);
        /* Whoever reads our output must not wait for us. */
        (void)dup2(null, STDIN_FILENO);
        (void)dup2(null, STDOUT_FILENO);
        (void)dup2(null, STDERR_FILENO);
        keep(server->dir, ends[0]);
    }
    (void)close(ends[0]);
    server->keeper_fd = ends[1];
}

/* --- Opening and closing --- */

/* `primary` NULL: a new cluster. */
static void open_server(struct postgres_server *server, const struct postgres_server *primary)
{
    const struct passwd *user = find_user();
    const char *parent = getenv("TMPDIR");
    char bin[BIN_SIZE];

    CHECK(find_bin(bin, sizeof(bin)));
    /* A socket's path is short. */
    (void)snprintf(server->dir, sizeof(server->dir), "%.32s/boxoffice-pg-XXXXXX",
                   parent != NULL && strlen(parent) <= 32 ? parent : "/tmp");
    CHECK(mkdtemp(server->dir) != NULL);
    if (user != NULL)
        CHECK(chown(server->dir, user->pw_uid, user->pw_gid) == 0);
    start_keeper(server);
    if (primary == NULL)
        make_cluster(server, bin);
    else
        copy_cluster(server, bin, primary);
    server->port = free_port();
    postgres_start(server);
}

void postgres_open(struct postgres_server *server, bool durable, const char *const *settings)
{
    *server = (struct postgres_server){.durable = durable, .settings = settings};
    open_server(server, NULL);
}

/* --- Standbys --- */

static void close_handle(PGconn **handle)
{
    PQfinish(*handle);
}

static void run_sql(const struct postgres_server *server, const char *sql)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    CLEANUP(close_handle) PGconn *handle = PQconnectdb(postgres_url(server, arena, "postgres"));
    PGresult *result = PQexec(handle, sql);
    const ExecStatusType status = PQresultStatus(result);

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        print_error("%s: %s\n", sql, PQerrorMessage(handle));
    PQclear(result);
    CHECK(status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK);
}

void postgres_open_standby(struct postgres_server *standby, const struct postgres_server *primary)
{
    *standby = (struct postgres_server){.durable = primary->durable, .settings = primary->settings};
    open_server(standby, primary);
    /* What this one has not written, that one has not committed. */
    run_sql(primary, "ALTER SYSTEM SET synchronous_standby_names = '*'");
    run_sql(primary, "SELECT pg_reload_conf()");
}

void postgres_promote(const struct postgres_server *standby)
{
    run_sql(standby, "SELECT pg_promote(true, 60)");
}

const char *postgres_pair_url(const struct postgres_server *one,
                              const struct postgres_server *other, struct arena *arena,
                              const char *database)
{
    return arena_printf(arena, "postgresql:///%s?host=%s,%s&port=%d,%d&user=boxoffice", database,
                        one->dir, other->dir, one->port, other->port)
        .ptr;
}

void postgres_close(struct postgres_server *server)
{
    if (server->keeper <= 0)
        return;
    if (server->pid > 0)
        postgres_stop(server);
    (void)close(server->keeper_fd);
    (void)waitpid(server->keeper, NULL, 0);
    server->keeper = 0;
}

const char *postgres_url(const struct postgres_server *server, struct arena *arena,
                         const char *database)
{
    return arena_printf(arena, "postgresql:///%s?host=%s&port=%d&user=boxoffice", database,
                        server->dir, server->port)
        .ptr;
}

const char *postgres_tcp_url(const struct postgres_server *server, struct arena *arena,
                             const char *database)
{
    return arena_printf(arena, "postgresql://boxoffice@127.0.0.1:%d/%s", server->port, database)
        .ptr;
}

/* --- Accidents --- */

static pid_t parent_of(pid_t pid)
{
    char path[PATH_SIZE];
    int parent = 0;
    FILE *file;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%*d (%*[^)]) %*c %d", &parent) != 1) /* NOLINT(cert-err34-c): the kernel's */
        parent = 0;
    (void)fclose(file);
    return parent;
}

/* The postmaster and its children, before anybody dies and they lose their parent. */
static size_t find_all(const struct postgres_server *server, pid_t *ret)
{
    DIR *proc = opendir("/proc");
    const struct dirent *entry;
    size_t count = 0;

    CHECK(proc != NULL && server->pid > 0);
    ret[count++] = server->pid;
    while ((entry = readdir(proc)) != NULL && count < PROCESSES_MAX) {
        const pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

        if (pid > 0 && parent_of(pid) == server->pid)
            ret[count++] = pid;
    }
    (void)closedir(proc);
    return count;
}

static void signal_all(const struct postgres_server *server, int number)
{
    pid_t pids[PROCESSES_MAX];
    const size_t count = find_all(server, pids);

    for (size_t i = 0; i < count; i++)
        (void)kill(pids[i], number);
}

static void await_end(struct postgres_server *server)
{
    CHECK(waitpid(server->pid, NULL, 0) == server->pid);
    server->pid = 0;
}

void postgres_kill(struct postgres_server *server)
{
    CHECK(kill(server->pid, SIGSTOP) == 0); /* it makes no new ones then */
    signal_all(server, SIGKILL);
    await_end(server);
}

void postgres_stop(struct postgres_server *server)
{
    CHECK(kill(server->pid, SIGINT) == 0);
    await_end(server);
}

void postgres_pause(const struct postgres_server *server)
{
    signal_all(server, SIGSTOP);
}

void postgres_resume(const struct postgres_server *server)
{
    signal_all(server, SIGCONT);
}
