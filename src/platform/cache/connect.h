/* platform/cache/connect.h - two connections to the Redis of a URL, ready for use. For this folder
 * only; blocks, so it is for the link's thread. */
#pragma once

#include <stdbool.h>

#include "platform/cache/scripts.h"
#include "platform/cache/url.h"

struct redisContext;

#define CACHE_CHANNEL "boxoffice:news"

enum { CONNECT_WHY_SIZE = 200 };

struct connection {
    struct redisContext *calls; /* non-blocking */
    struct redisContext *news;  /* non-blocking, subscribed to CACHE_CHANNEL */
    char shas[SCRIPTS][SCRIPT_SHA_SIZE + 1];
};

struct connect_failure {
    bool is_refusal; /* it is there and says no: password, rights, a replica */
    char why[CONNECT_WHY_SIZE];
};

/* Each step takes `patience_ms` at most, the last one, a PING, `deadline_ms`: a Redis that does not
 * keep the deadline is not there yet. A Sentinel that answered becomes the first to be asked. */
bool connection_open(struct cache_url *url, int patience_ms, int deadline_ms,
                     struct connection *ret, struct connect_failure *ret_failure);
void connection_close(struct connection *connection); /* accepts a zeroed one */
