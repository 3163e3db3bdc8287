/* support/postgres.h - a PostgreSQL server of a test's own, from Debian's package, in a temporary
 * directory.
 *
 * It is up in about a second and is ended with the process that started it, however that ends: a
 * keeper waits for it. As root it runs as the user postgres (or nobody), as PostgreSQL refuses
 * root. A test fails if the server does not start. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"

enum { POSTGRES_DIR_SIZE = 64 };

struct postgres_server {
    char dir[POSTGRES_DIR_SIZE]; /* data, log and socket */
    int port;                    /* on 127.0.0.1, and of the socket's name */
    bool durable;                /* fsync=on: for benchmarks and crashes of the machine */
    const char *const *settings; /* "name=value", ended by NULL; may be NULL */
    pid_t pid;                   /* of the postmaster; 0: it does not run */
    pid_t keeper;
    int keeper_fd; /* the keeper sees it close */
};

/* Is PostgreSQL installed? */
bool postgres_is_here(void);
/* Makes a new cluster with the role and superuser "boxoffice", and starts it. */
void postgres_open(struct postgres_server *server, bool durable, const char *const *settings);
void postgres_close(struct postgres_server *server); /* for CLEANUP too */

/* "postgresql://..." of that database, through the socket. */
const char *postgres_url(const struct postgres_server *server, struct arena *arena,
                         const char *database);
/* ... and through TCP. */
const char *postgres_tcp_url(const struct postgres_server *server, struct arena *arena,
                             const char *database);

/* --- Standbys --- */

/* What a primary needs among its `settings`. */
#define POSTGRES_PRIMARY_SETTINGS \
    "wal_level=replica", "max_wal_senders=4", "hot_standby=on", "wal_retrieve_retry_interval=100ms"
/* A copy that follows `primary` from now on; the primary commits nothing that it has not got. */
void postgres_open_standby(struct postgres_server *standby, const struct postgres_server *primary);
/* Makes it a primary, and waits until it is one. */
void postgres_promote(const struct postgres_server *standby);
/* "postgresql://..." of whichever of the two may be written. */
const char *postgres_pair_url(const struct postgres_server *one,
                              const struct postgres_server *other, struct arena *arena,
                              const char *database);

/* --- Accidents --- */

void postgres_kill(struct postgres_server *server);  /* SIGKILL for all of its processes */
void postgres_stop(struct postgres_server *server);  /* an orderly shutdown that waits for nobody */
void postgres_start(struct postgres_server *server); /* again */
void postgres_pause(const struct postgres_server *server); /* SIGSTOP: it hangs */
void postgres_resume(const struct postgres_server *server);
