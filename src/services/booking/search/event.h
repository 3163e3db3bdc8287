/* services/booking/search/event.h - what an event says to the search, and how its answer shows what was found. */
#pragma once

#include "base/buf.h"
#include "platform/http/http.h"
#include "services/booking/event.h"
#include "services/booking/search/highlight.h"

extern const struct route_table suggest_routes; /* GET /events/suggest */

/* The event's texts. The artists' names go into `artists`, which must live as long as the result. */
struct search_event search_event_of(const struct event *event, str artists[EVENT_ARTISTS_MAX]);
/* "[[0,4],[9,2]]" */
void search_ranges_write(struct buf *out, const struct search_range *ranges, size_t count);
/* The event as the API shows it, with a member `highlights`:
 * [{"field": "name", "text": "Jazz Night", "ranges": [[0, 4]]}]. */
void search_event_write(struct buf *out, struct arena *arena, const struct event *event,
                        const struct search_pattern *pattern);
