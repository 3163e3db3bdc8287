/* platform/cache/private.h - what a cache is made of; for this folder only. */
#pragma once

#include "platform/cache/bucket.h"
#include "platform/cache/cache.h"
#include "platform/cache/link.h"
#include "platform/cache/memory.h"
#include "platform/cache/news.h"
#include "platform/cache/url.h"

struct metric;

enum { CACHE_NAME_SIZE = 37 }; /* "bo:v:" and 32 hex digits */

/* What a key is called in Redis. */
struct cache_name {
    char text[CACHE_NAME_SIZE + 1];
};

struct cache_meter {
    struct metric *hits;
    struct metric *misses;
    struct metric *errors;
    struct metric *up;
    struct metric *get_seconds;
    struct metric *put_seconds;
    struct metric *take_seconds;
    struct metric *publish_seconds;
};

struct cache {
    struct cache_options options;
    struct arena *arena; /* the URL's texts */
    struct cache_url url;
    struct memory *memory; /* of `memory:`, and while Redis is away */
    struct buckets *buckets;
    struct news *news;
    struct link *link; /* NULL: memory: */
    struct cache_meter meter;
    int64_t settled_ns; /* the link's thread: when debts were collected last */
    uint8_t sender[8];  /* whose messages are our own */
};

/* A MAC of the key, so that Redis does not learn it; `kind` keeps values and buckets apart. */
struct cache_name cache_name_of(struct cache *cache, char kind, str key);
/* The link's turn: tells the others what was taken from buckets here (share.c). */
int64_t cache_settle(void *arg, int64_t now_ns);
