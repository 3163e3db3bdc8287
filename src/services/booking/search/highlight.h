/* services/booking/search/highlight.h - which letters of an event's texts a query has found.
 *
 * Pure, and independent of the index but for the words that it knows: meant for the few events of
 * a page. */
#pragma once

#include "services/booking/search/search.h"

enum { HIGHLIGHT_RANGES_MAX = 64 /* of one event; further ones are left out */ };

/* In UTF-16 code units, which is what strings of browsers count: text.substr(start, length). */
struct search_range {
    uint32_t start;
    uint32_t length; /* at least 1 */
};

struct search_highlight {
    const char *field;                 /* "name", "artist", "venue", "city" */
    str text;                          /* the event's own */
    const struct search_range *ranges; /* ascending, apart from one another */
    size_t range_count;                /* at least 1 */
};

struct search_pattern;

/* Reads the query as search_find does. In the arena. Hold the reader's lock; the pattern itself
 * needs none. */
const struct search_pattern *search_pattern_new(const struct search *search, struct arena *arena,
                                                str text);

/* Gives the texts in which something was found, in the order name, artists, venue, city; their
 * number is 0 where the query does not find the event. A word of the query marks all words that it
 * is or begins; only where there is none in the whole event, those that it misspells with the
 * fewest edits. */
size_t search_highlights(const struct search_pattern *pattern, struct arena *arena,
                         const struct search_event *said, const struct search_highlight **ret);
