/* support/redis.h - private Redis servers and Sentinels beside a test: real ones, on free ports of
 * the loopback, with their files in a directory of the test. They end with the process at the
 * latest, however that ends. */
#pragma once

#include <sys/types.h>

#include "base/arena.h"
#include "base/str.h"

struct redis_server {
    struct arena *arena;
    const char *dir;
    const char *const *options; /* of redis_open */
    const char *url;            /* "redis://127.0.0.1:PORT", with the password if there is one */
    const char *password;       /* NULL: none */
    int port;
    pid_t pid; /* 0: is not running */
};

/* Starts one and waits until it answers; the test fails if it does not. `options` are added to the
 * command line, NULL-terminated ("--replicaof", "127.0.0.1 7000"); may be NULL, and live as long as
 * the server. `password` may be NULL. */
void redis_open(struct redis_server *server, struct arena *arena, const char *password,
                const char *const *options);
void redis_close(struct redis_server *server); /* for CLEANUP too; accepts a zeroed one */

void redis_kill(struct redis_server *server);  /* SIGKILL; what it held is lost */
void redis_start(struct redis_server *server); /* again, on the same port */
void redis_pause(
    struct redis_server *server); /* SIGSTOP: it keeps its connections and says nothing */
void redis_resume(struct redis_server *server);

/* Sends one command ("SET %s %s", as hiredis formats it) and gives the answer as a text: integers
 * in decimal, arrays with a space between; absent for nil; an error with its "-". */
str redis_ask(const struct redis_server *server, const char *format, ...);

enum { SENTINELS = 3 };

struct redis_sentinels {
    struct redis_server servers[SENTINELS];
    const char *url; /* "redis+sentinel://127.0.0.1:P,.../name" */
};

/* Sentinels that watch `master` by that name, with a quorum of two, and call it down after
 * `down_after_ms`. Returns when each knows the others and the replicas. */
void redis_sentinels_open(struct redis_sentinels *sentinels, struct arena *arena, const char *name,
                          const struct redis_server *master, int down_after_ms, int replicas);
void redis_sentinels_close(struct redis_sentinels *sentinels);
