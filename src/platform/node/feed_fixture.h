/* platform/node/feed_fixture.h - "shop" tells, "ledger" keeps a record, "cache" listens. */
#pragma once

#include "platform/node/node_fixture.h"

/* The state of both who hear. */
struct ear {
    str poison;       /* fails while it is this payload; absent: none */
    bool add_job;     /* leave one with each order, which notes "job-PAYLOAD" */
    struct buf heard; /* all payloads, in order, also of what failed */
};

/* What "shop" says and where "cache" begins when they open; a test has one of them at a time. */
extern const char *shop_says;                        /* NULL: nothing */
extern const struct outbox_position *cache_snapshot; /* NULL: takes none */

extern const struct service *const shop_services[];
extern const struct service *const shop_alone[];

/* In memory, or in a directory of its own. */
void feed_fixture_open(struct fixture *fixture, bool in_dir);
/* In a transaction of its own. */
err shop_say(struct call *call, const char *kind, str payload);
void shop_tell(struct fixture *fixture, const char *kind, const char *payload);
void shop_tell_many(struct fixture *fixture, int from,
                    int to); /* "order.placed" with these numbers */
int64_t shop_outbox_count(struct fixture *fixture);
struct outbox_position shop_outbox_end(struct fixture *fixture);
str numbers(struct fixture *fixture, int from, int to); /* "1 2 3" */

/* The ledger wants order.placed, order.paid.* and refund.made; a text can be noted only once. */
str ledger_notes(struct fixture *fixture);
int64_t ledger_cursor(struct fixture *fixture);
struct ear *ear_of(struct fixture *fixture, const char *service);
str heard(struct fixture *fixture, const char *service);
int64_t feed_lag(struct fixture *fixture, const char *consumer);
