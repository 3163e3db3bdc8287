/* platform/cache/link_private.h - what a link is made of; for link.c and serve.c only. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "platform/cache/connect.h"
#include "platform/cache/link.h"

struct pending {
    struct pending *next;
    char *text; /* of the command, for hiredis to free */
    size_t size;
    int64_t began_ns;
    struct metric *seconds;
    void (*done)(void *arg, const struct redisReply *reply);
    void *arg;
};

struct queue {
    struct pending *first;
    struct pending *last;
};

struct link {
    struct link_options options;
    struct cache_url url;
    int wake_fd;
    _Atomic bool is_woken; /* wake_fd was written and not read yet */
    _Atomic bool is_up;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* is_stopping */
    bool is_stopping;
    struct queue waiting;
    int order_count; /* waiting and sent */
    size_t byte_count;
    char shas[SCRIPTS][SCRIPT_SHA_SIZE + 1]; /* written once, before the link is up first */
    pthread_t thread;
    /* The thread's own: */
    struct connection connection;
    struct queue sent;
    int64_t beat_ns;   /* of the next PING */
    int64_t pinged_ns; /* of a PING for news without its answer; 0: none */
    int64_t backoff_ms;
    int64_t up_since_ms;
    char why[CONNECT_WHY_SIZE];     /* why it went down */
    char refused[CONNECT_WHY_SIZE]; /* what the log was told last; "" if it was up since */
    bool is_told;                   /* the log knows that it is down */
};

/* link.c */
void link_append(struct queue *queue, struct pending *pending);
struct pending *link_cut_first(struct queue *queue);
/* Ends an order that is in no queue any more; reply NULL or an error: it failed. */
void link_finish(struct link *link, struct pending *pending, const struct redisReply *reply);
bool link_stops(struct link *link);

/* serve.c: the time between up and down. False: the connection is over, link->why says why. True:
 * it was asked to stop, and everything that was sent is answered. */
bool link_serve(struct link *link);
