/* booking/catalog.h - all events in memory, as immutable values with a reference count, and the search index over them.
 *
 * A change made here is visible as soon as its handler answers; changes of other processes come in through the outbox within 300 ms.
 * Thread-safe; nothing here does I/O but catalog_load and catalog_refresh. */
#pragma once

#include "platform/node/node.h"
#include "services/booking/event.h"
#include "services/booking/search/search.h"
#include "services/booking/search/suggest.h"

struct catalog;

/* Reads everything; gives the outbox's end of the same snapshot. */
err catalog_load(struct call *call, struct catalog **ret, struct outbox_position *ret_end);
void catalog_close(struct catalog *catalog); /* NULL is accepted */
/* Reads one event anew (or forgets it, if it is gone), and its stock. Call after the commit of a change. */
err catalog_refresh(struct call *call, event_id id);
/* Consumer of booking's own outbox: what other processes changed. */
err catalog_follow(struct call *call, struct tx *tx, const struct feed_event *event);

/* A reference that event_release gives back; NULL if there is none. Drafts and cancelled events too: the caller checks. */
const struct event *catalog_find(struct catalog *catalog, event_id id);
const struct event *catalog_find_slug(struct catalog *catalog, str slug);
const struct event *event_hold(const struct event *event); /* one reference more */
void event_release(const struct event *event);             /* NULL is accepted */
void event_release_at(const struct event **event);         /* for CLEANUP */

/* --- Lists: the catalog stands still between catalog_read_begin and _end, so keep it short and do not block --- */

void catalog_read_begin(struct catalog *catalog);
void catalog_read_end(struct catalog *catalog);
/* Another one after each change of any event; of the state that stands still, between begin and end. */
uint64_t catalog_version(const struct catalog *catalog);
size_t catalog_event_count(struct catalog *catalog); /* takes the lock itself */
/* All events, whatever their status, ascending by (starts_at_ms, id). Valid until catalog_read_end. */
const struct event *const *catalog_by_start(const struct catalog *catalog, size_t *ret_count);
/* The index of the first event that does not start before `ms`. */
size_t catalog_first_from(const struct catalog *catalog, int64_t ms);
/* The index of the first event that may not have ended at `now_ms`. */
size_t catalog_first_current(const struct catalog *catalog, int64_t now_ms);
/* An event by its slot of search_hit.slot; NULL: none. */
const struct event *catalog_at_slot(const struct catalog *catalog, size_t slot);
const struct search *catalog_search(const struct catalog *catalog);
const struct suggestions *catalog_suggestions(const struct catalog *catalog);
/* The folded texts that filters compare; made once an event. */
struct event_folded {
    str venue;
    str city;
    const str *artists;
};
const struct event_folded *event_folded(const struct event *event);
