/* platform/cache/url.h - reads cache.url. For this folder only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum { CACHE_HOSTS_MAX = 8, REDIS_PORT = 6379, SENTINEL_PORT = 26379, CACHE_DATABASE_MAX = 999 };

struct cache_host {
    const char *name; /* a name or an address, IPv6 without its brackets */
    int port;
};

struct cache_url {
    bool is_memory; /* then nothing else is set */
    struct cache_host hosts[CACHE_HOSTS_MAX];
    int host_count;
    const char *master;   /* hosts are Sentinels, to be asked for it; NULL: the host is the Redis */
    const char *user;     /* NULL: none */
    const char *password; /* NULL: none */
    int database;
};

/* Everything in `arena`. ERR_INVALID with *ret_why, which repeats neither user nor password. */
err cache_url_read(str text, struct arena *arena, struct cache_url *ret, str *ret_why);
