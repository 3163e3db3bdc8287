/* platform/node/feed.h - one service's outbox as another hears it; private to this folder.
 *
 * In a feed there are at most two lines: the durable consumers read on from one cursor, the
 * volatile ones from another, so that neither holds up the other. */
#pragma once

#include <stdatomic.h>

#include "platform/metrics/metrics.h"
#include "platform/node/outbox.h"

enum { LINE_COUNT = 2 };

struct line {
    enum consumer_mode mode;
    bool used;
    bool placed;                   /* the service has said where to begin */
    struct outbox_position cursor; /* the last event that is done with */
    struct outbox_position end;    /* the outbox's last event when it was last read */
    int64_t ahead;                 /* how many events were behind the cursor then */
    bool busy;                     /* another process was delivering: there is no hurry */
    int failures;                  /* of the event behind the cursor */
    int64_t retry_ms;
};

/* Only the chore that runs it touches it once it has been opened. */
struct feed {
    struct instance *self;
    struct instance *source; /* NULL: does not run here, so it is not followed from here */
    const char *source_name;
    const char *chore;             /* "feed:booking" */
    struct line lines[LINE_COUNT]; /* by consumer_mode */
    struct call take_call;         /* of the event that is being taken */
    int64_t version;               /* of the source's database when all of it had been read */
    struct outbox_position saved;  /* the durable cursor, as it is in our database ... */
    int64_t saved_ms;
    struct outbox_position told; /* ... and as the source knows it */
    int64_t told_ms;
    _Atomic bool held; /* there are events that are not shown yet: an older transaction is open */
    struct metric *lag;
    struct feed *next;
};

struct feed *feed_new(struct instance *self, const char *source);
/* Finds the cursors and tells the source of us. */
err feed_open(struct feed *feed);
void feed_close(struct feed *feed); /* also of one that was never opened */
/* The chore: brings what has been written to whoever wants it. */
err feed_run(struct call *call, void *arg, int64_t *ret_next_ms);
