/* platform/node/outbox.h - what a service tells the others, and how they hear it.
 *
 * An event is a row written in the transaction of its change. Consumers follow it in order: a
 * *durable* one keeps its cursor in its own database, in the transaction of its effect (exactly
 * once in effect, and pruning waits for it); a *volatile* one (caches, indexes) follows the tail
 * from where it took its snapshot. The command line writes the same rows, so a running server
 * hears of them. */
#pragma once

#include "platform/db/db.h"
#include "platform/node/call.h"

/* Where an event stands in its outbox; consumers hear events in this order. SQLite commits in the
 * order of `seq`, and xid is 0. PostgreSQL does not: there xid is the transaction that wrote it
 * (pg_current_xact_id, from an offset on), and what it wrote is delivered once no older one can still commit. A
 * transaction that stays open for long, whosesoever it is, so holds up the feeds of its server. */
struct outbox_position {
    int64_t xid;
    int64_t seq;
};

struct feed_event {
    struct outbox_position position;
    const char *source; /* "booking" */
    str kind;           /* "order.confirmed" */
    str payload;        /* JSON */
    int64_t at_ms;
};

enum {
    OUTBOX_PAYLOAD_SIZE_MAX = 4 * 1024 * 1024,
    OUTBOX_KEPT_S = 3600, /* at least, whoever has read it */
};

enum consumer_mode { CONSUMER_DURABLE, CONSUMER_VOLATILE };

struct consumer {
    const char *source; /* the service whose outbox it follows; NULL ends a list */
    const char *kinds;  /* "order.confirmed order.cancelled", "ticket.*", or "*" */
    enum consumer_mode mode;
    /* Durable: `tx` writes to call->self->db and is committed with the cursor by the feed; no op
     * can be called meanwhile (asserted): what needs one adds a job. Volatile: `tx` is NULL, and
     * take may see an event twice. An error has the event delivered again, with backoff; those
     * behind it wait. */
    err (*take)(struct call *call, struct tx *tx, const struct feed_event *event);
};

/* `payload` is JSON text; ERR_INTERNAL if it is larger than OUTBOX_PAYLOAD_SIZE_MAX. */
err outbox_add(struct tx *tx, struct call *call, const char *kind, str payload);
/* Call after the commit: the consumers in this process look at once (others within 100 ms). */
void outbox_wake(struct instance *self);
/* Where the outbox ends for now: a volatile consumer takes its snapshot in the same transaction.
 * The snapshot may hold changes whose events come later all the same. */
err outbox_last(struct tx *tx, struct outbox_position *ret);
/* Tells a volatile consumer's feed where its snapshot ended: events up to `position` are not
 * delivered to it. Called in service.open. */
void outbox_follow_from(struct instance *consumer, const char *source,
                        struct outbox_position position);

int outbox_compare(struct outbox_position a, struct outbox_position b); /* as strcmp */

/* --- The node's own --- */

/* Before service.open: an outbox that came out of another server's dump keeps its positions, and
 * what is written from now on stands behind them. */
err outbox_adopt(struct instance *self);
/* Before service.open: sorts the service's consumers by their source. */
void feeds_init(struct instance *self);
/* After every service.open: finds the cursors, adds a chore "feed:SOURCE" for each source that
 * runs here. */
err feeds_open(struct instance *self);
void feeds_close(struct instance *self);
/* Does the instance follow the source's outbox durably? */
bool feeds_hold_back(const struct instance *self, const char *source);
/* Has every feed look again that waits for somebody's transaction; is there one? */
bool feeds_wake_held(const struct instance *self);
/* Adds the chore "outbox_prune": deletes what every durable consumer has read and is old. */
void outbox_open(struct instance *self);
/* For statements whose first columns are xid and seq. ERR_NOT_FOUND: there is no row. */
err outbox_read_position(struct tx *tx, const struct sql *sql, struct args args,
                         struct outbox_position *ret);
