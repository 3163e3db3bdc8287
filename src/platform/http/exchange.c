/* platform/http/exchange.c - the memory of one request: taken from the loop's free list when it
 * arrives, given back when its answer is out.
 *
 * An exchange is linked into its loop's `live` list for as long as it is not over, and only the
 * loop's thread takes, gives back or lists exchanges; that is why neither list has a lock. H2O
 * tells through the pool of its request when that is over (answered, or the connection is gone):
 * the hook is the only tie between the two lives. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "platform/http/internal.h"

/* What hangs in H2O's pool. */
struct tie {
    struct exchange *exchange;
};

static void on_h2o_disposes(void *data)
{
    const struct tie *tie = data;
    struct exchange *exchange = tie->exchange;

    exchange->h2o = NULL;
    if (exchange->answered) {
        const uint64_t now_ms = h2o_now(exchange->loop->context.loop);
        meter_component(&exchange->server->meter, COMPONENT_NETWORK,
                        (int64_t)(now_ms - exchange->answered_ms) * 1000000);
    }
    /* If it was not answered, a worker or a resumer still has it and brings it back to the loop. */
    if (exchange->answered)
        exchange_give_back(exchange);
}

static void link_live(struct exchange *exchange)
{
    struct loop *loop = exchange->loop;

    exchange->newer = NULL;
    exchange->older = loop->live;
    if (loop->live != NULL)
        loop->live->newer = exchange;
    loop->live = exchange;
}

static void unlink_live(struct exchange *exchange)
{
    if (exchange->newer != NULL)
        exchange->newer->older = exchange->older;
    else
        exchange->loop->live = exchange->older;
    if (exchange->older != NULL)
        exchange->older->newer = exchange->newer;
}

struct exchange *exchange_take(struct loop *loop, h2o_req_t *h2o)
{
    struct exchange *exchange = loop->free;

    if (exchange != NULL) {
        loop->free = exchange->behind;
        loop->free_count--;
    } else {
        exchange = calloc(1, sizeof(*exchange));
        if (exchange == NULL)
            abort();
        exchange->req.call.arena = arena_open(0);
    }
    struct arena *arena = exchange->req.call.arena;
    memset(exchange, 0, sizeof(*exchange));
    exchange->req.call.arena = arena;
    exchange->loop = loop;
    exchange->server = loop->server;
    exchange->h2o = h2o;
    exchange->begun_ns = clock_stopwatch_ns();
    exchange->since_ns = exchange->begun_ns;

    struct tie *tie = h2o_mem_alloc_shared(&h2o->pool, sizeof(*tie), on_h2o_disposes);
    tie->exchange = exchange;

    link_live(exchange);
    metric_add(loop->server->meter.in_flight, 1);
    return exchange;
}

void exchange_give_back(struct exchange *exchange)
{
    struct loop *loop = exchange->loop;

    assert(exchange->h2o == NULL);
    unlink_live(exchange);
    metric_add(loop->server->meter.in_flight, -1);
    if (loop->free_count == HTTP_FREE_EXCHANGES_MAX) {
        exchange_free(exchange);
        return;
    }
    arena_reset(exchange->req.call.arena);
    exchange->behind = loop->free;
    loop->free = exchange;
    loop->free_count++;
}

void exchange_free(struct exchange *exchange)
{
    arena_close(exchange->req.call.arena);
    free(exchange);
}

/* Off the list first: once it is an orphan, its resumer may free it at any moment. */
bool exchange_orphan(struct exchange *exchange)
{
    struct loop *loop = exchange->loop;
    unsigned expected = PARK_WAITS;

    assert(exchange->h2o == NULL);
    unlink_live(exchange);
    if (!atomic_compare_exchange_strong(&exchange->park, &expected, PARK_ORPHANED)) {
        link_live(exchange);
        return false;
    }
    metric_add(loop->server->meter.in_flight, -1);
    metric_add(loop->server->meter.parked, -1);
    return true;
}
