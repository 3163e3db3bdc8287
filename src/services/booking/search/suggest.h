/* services/booking/search/suggest.h - names that somebody may be typing: of events, artists, venues and cities.
 *
 * Each name is there once, however many events have it, and as long as one of them is published and not over. It is found
 * like an event by its name (search.h): what was typed begins its words, or misspells them where little else is found.
 * Not thread-safe, as the index of events is not. */
#pragma once

#include "services/booking/event.h"
#include "services/booking/search/highlight.h"

enum { SUGGESTIONS_MAX = 20, SUGGESTIONS_STANDARD = 8 };

enum suggestion_kind { SUGGEST_EVENT, SUGGEST_ARTIST, SUGGEST_VENUE, SUGGEST_CITY };

struct suggestions;

struct suggestions *suggestions_open(void);
void suggestions_close(struct suggestions *suggestions); /* NULL is accepted */

/* The event's names. One that is not published has none. It must live, and stay what it is, until it is removed. */
void suggestions_put(struct suggestions *suggestions, const struct event *event, int64_t now_ms);
void suggestions_remove(struct suggestions *suggestions, const struct event *event, int64_t now_ms);
size_t suggestions_count(const struct suggestions *suggestions); /* different names */

struct suggestion {
    enum suggestion_kind kind;
    str text;
    struct uuid of;            /* the id of the artist or venue, else zero */
    const struct event *event; /* the next of those that have the name */
    size_t event_count;        /* of them that are not over */
    const struct search_range *ranges;
    size_t range_count;
};

/* The best first: those that are begun before those that are misspelt, the most frequent before others (by powers of two),
 * then what is soonest. At most `limit`, which is at most SUGGESTIONS_MAX. What is given lives as long as the events do
 * and the arena. */
size_t suggestions_find(const struct suggestions *suggestions, struct arena *arena, str text,
                        int64_t now_ms, size_t limit, struct suggestion ret[]);
