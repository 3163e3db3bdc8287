/* support/redis.c - starts, stops and asks Redis. */
#include "support/redis.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "support/scratch.h"
#include "support/test.h"

enum { ARGS_MAX = 32, PATIENCE_MS = 30000, ANSWER_SIZE_MAX = 1 << 20, TRIES = 5 };

static void sleep_a_moment(void)
{
    const struct timespec moment = {.tv_nsec = 2000000};

    (void)nanosleep(&moment, NULL);
}

static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(fd >= 0);
    CHECK(bind(fd, (const struct sockaddr *)&address, size) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    CHECK(close(fd) == 0);
    return ntohs(address.sin_port);
}

/* --- Processes --- */

static pid_t spawn(const char *log, char *const *args)
{
    const pid_t parent = getpid();
    const pid_t pid = fork();

    CHECK(pid >= 0);
    if (pid != 0)
        return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    const int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    (void)dup2(fd, STDOUT_FILENO);
    (void)dup2(fd, STDERR_FILENO);
    (void)execvp(args[0], args);
    _exit(127);
}

static void end(struct redis_server *server)
{
    if (server->pid == 0)
        return;
    (void)kill(server->pid, SIGKILL); /* a stopped one, too */
    while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    server->pid = 0;
}

static redisContext *connect_to(const struct redis_server *server)
{
    const struct timeval patience = {.tv_sec = 10};
    redisContext *context = redisConnectWithTimeout("127.0.0.1", server->port, patience);

    if (context == NULL || context->err != 0) {
        redisFree(context);
        return NULL;
    }
    (void)redisSetTimeout(context, patience);
    if (server->password != NULL)
        freeReplyObject(redisCommand(context, "AUTH %s", server->password));
    return context;
}

static bool answers(const struct redis_server *server)
{
    redisContext *context = connect_to(server);
    redisReply *reply = context != NULL ? redisCommand(context, "PING") : NULL;
    const bool pong = reply != NULL && reply->type == REDIS_REPLY_STATUS;

    freeReplyObject(reply);
    redisFree(context);
    return pong;
}

/* False: it has ended by itself; its port may have been taken meanwhile. */
static bool await_answer(struct redis_server *server)
{
    for (int i = 0; i < PATIENCE_MS / 2; i++) {
        if (answers(server))
            return true;
        if (waitpid(server->pid, NULL, WNOHANG) == server->pid) {
            server->pid = 0;
            return false;
        }
        sleep_a_moment();
    }
    return false;
}

static bool try_start(struct redis_server *server, const char *const *first)
{
    char *args[ARGS_MAX];
    size_t count = 0;

    for (size_t i = 0; first[i] != NULL; i++)
        args[count++] = mem_unconst(arena_cstr(server->arena, str_of(first[i])));
    for (size_t i = 0; server->options != NULL && server->options[i] != NULL; i++) {
        CHECK(count + 1 < ARGS_MAX);
        args[count++] = mem_unconst(arena_cstr(server->arena, str_of(server->options[i])));
    }
    args[count] = NULL;
    server->pid = spawn(arena_printf(server->arena, "%s/log", server->dir).ptr, args);
    return await_answer(server);
}

static bool try_start_server(struct redis_server *server)
{
    const char *port = arena_printf(server->arena, "%d", server->port).ptr;
    const char *password = server->password != NULL ? server->password : "";
    const char *const args[] = {"redis-server",
                                "--bind",
                                "127.0.0.1",
                                "--port",
                                port,
                                "--dir",
                                server->dir,
                                "--save",
                                "",
                                "--appendonly",
                                "no",
                                "--requirepass",
                                password,
                                "--masterauth",
                                password,
                                "--repl-diskless-sync-delay",
                                "0",
                                NULL};

    return try_start(server, args);
}

/* --- Servers --- */

void redis_open(struct redis_server *server, struct arena *arena, const char *password,
                const char *const *options)
{
    *server = (struct redis_server){
        .arena = arena, .dir = scratch_dir(arena), .options = options, .password = password};
    for (int i = 0; i < TRIES; i++) {
        server->port = free_port();
        if (try_start_server(server))
            break;
    }
    if (server->pid == 0)
        print_error("redis-server does not start; see %s/log\n", server->dir);
    CHECK(server->pid != 0);
    server->url =
        arena_printf(arena, "redis://%s%s%s127.0.0.1:%d", password != NULL ? ":" : "",
                     password != NULL ? password : "", password != NULL ? "@" : "", server->port)
            .ptr;
}

void redis_close(struct redis_server *server)
{
    end(server);
}

void redis_kill(struct redis_server *server)
{
    CHECK(server->pid != 0);
    end(server);
}

void redis_start(struct redis_server *server)
{
    CHECK(server->pid == 0);
    CHECK(try_start_server(server));
}

void redis_pause(struct redis_server *server)
{
    int status = 0;

    CHECK(kill(server->pid, SIGSTOP) == 0);
    CHECK(waitpid(server->pid, &status, WUNTRACED) == server->pid && WIFSTOPPED(status));
}

void redis_resume(struct redis_server *server)
{
    CHECK(kill(server->pid, SIGCONT) == 0);
}

/* --- Asking --- */

static void add_one(struct buf *text, const redisReply *reply)
{
    if (reply == NULL)
        return;
    if (reply->type == REDIS_REPLY_INTEGER)
        buf_add_i64(text, reply->integer);
    if (reply->type == REDIS_REPLY_ERROR)
        buf_add_char(text, '-');
    if (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS ||
        reply->type == REDIS_REPLY_ERROR)
        buf_add(text, (str){reply->str, reply->len});
}

str redis_ask(const struct redis_server *server, const char *format, ...)
{
    struct buf text = buf_in(server->arena, ANSWER_SIZE_MAX);
    redisContext *context = connect_to(server);
    va_list args;

    CHECK(context != NULL);
    va_start(args, format);
    redisReply *reply = redisvCommand(context, format, args);
    va_end(args);
    CHECK(reply != NULL);
    add_one(&text, reply);
    for (size_t i = 0; reply != NULL && i < reply->elements; i++) {
        if (i > 0)
            buf_add_char(&text, ' ');
        add_one(&text, reply->element[i]);
    }
    const bool is_nil = reply == NULL || reply->type == REDIS_REPLY_NIL;
    freeReplyObject(reply);
    redisFree(context);
    if (is_nil)
        return STR_ABSENT;
    return text.size > 0 ? buf_str(&text) : STR("");
}

/* --- Sentinels --- */

static void write_sentinel(const struct redis_server *sentinel, const char *name,
                           const struct redis_server *master, int down_after_ms)
{
    const str path = arena_printf(sentinel->arena, "%s/sentinel.conf", sentinel->dir);
    FILE *file = fopen(path.ptr, "w");

    CHECK(file != NULL);
    (void)fprintf(file,
                  "bind 127.0.0.1\nport %d\ndir %s\n"
                  "sentinel monitor %s 127.0.0.1 %d 2\n"
                  "sentinel down-after-milliseconds %s %d\n"
                  "sentinel failover-timeout %s 5000\n",
                  sentinel->port, sentinel->dir, name, master->port, name, down_after_ms, name);
    if (master->password != NULL)
        (void)fprintf(file, "sentinel auth-pass %s %s\n", name, master->password);
    CHECK(fclose(file) == 0);
}

static void open_sentinel(struct redis_server *sentinel, struct arena *arena, const char *name,
                          const struct redis_server *master, int down_after_ms)
{
    *sentinel = (struct redis_server){.arena = arena, .dir = scratch_dir(arena)};
    for (int i = 0; i < TRIES && sentinel->pid == 0; i++) {
        sentinel->port = free_port();
        write_sentinel(sentinel, name, master, down_after_ms);
        const char *const args[] = {
            "redis-sentinel", arena_printf(arena, "%s/sentinel.conf", sentinel->dir).ptr, NULL};
        (void)try_start(sentinel, args);
    }
    CHECK(sentinel->pid != 0);
}

/* Does it know so many of them ("num-slaves", "num-other-sentinels")? */
static bool knows(const struct redis_server *sentinel, const char *name, const char *what,
                  int count)
{
    const str all = redis_ask(sentinel, "SENTINEL MASTER %s", name);
    const str wanted = arena_printf(sentinel->arena, "%s %d ", what, count);

    return strstr(all.ptr, wanted.ptr) != NULL;
}

void redis_sentinels_open(struct redis_sentinels *sentinels, struct arena *arena, const char *name,
                          const struct redis_server *master, int down_after_ms, int replicas)
{
    struct redis_server *servers = sentinels->servers;

    *sentinels = (struct redis_sentinels){0};
    for (int i = 0; i < SENTINELS; i++)
        open_sentinel(&servers[i], arena, name, master, down_after_ms);
    for (int i = 0; i < SENTINELS; i++) {
        int left_ms = PATIENCE_MS;

        while (!knows(&servers[i], name, "num-slaves", replicas) ||
               !knows(&servers[i], name, "num-other-sentinels", SENTINELS - 1)) {
            sleep_a_moment();
            CHECK((left_ms -= 2) > 0);
        }
    }
    sentinels->url =
        arena_printf(arena, "redis+sentinel://127.0.0.1:%d,127.0.0.1:%d,127.0.0.1:%d/%s",
                     servers[0].port, servers[1].port, servers[2].port, name)
            .ptr;
}

void redis_sentinels_close(struct redis_sentinels *sentinels)
{
    for (int i = 0; i < SENTINELS; i++)
        redis_close(&sentinels->servers[i]);
}
