/* services/booking/search/search.h - finds events by the words of their names, artists, venues and cities.
 *
 * An index in memory: pure, without I/O, clock or database. README.md tells what matches and in
 * which order. It knows nothing of dates, prices or publication: those the caller's `keep` decides.
 * Not thread-safe: whoever shares it holds a reader-writer lock, for writing around put and remove,
 * for reading around find. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/id.h"
#include "base/str.h"

enum {
    SEARCH_EVENTS_MAX = 1000000,
    SEARCH_EVENT_WORDS_MAX = 512,   /* of one event; further ones are not indexed */
    SEARCH_QUERY_LETTERS_MAX = 200, /* code points; what is longer is cut there */
    SEARCH_QUERY_WORDS_MAX = 16,    /* further ones are ignored */
    SEARCH_HITS_MAX = 1000,
    SEARCH_ENOUGH = 5, /* with fewer hits, misspelt words are read as what they may mean */
};

struct search;

struct search *search_open(void);
void search_close(struct search *search); /* NULL is accepted */

struct search_event {
    str name; /* absent texts are empty ones; what is not UTF-8 separates words */
    str venue;
    str city;
    const str *artists;
    size_t artist_count;
    int64_t starts_at_ms;
    int64_t ends_at_ms; /* for search_query.ends_after_ms alone */
};

/* Puts the event, or replaces what it said; copies what it needs. *ret_slot is a small number that
 * the event keeps until it is removed, for tables of the caller's own. ERR_LIMIT_EXCEEDED:
 * SEARCH_EVENTS_MAX are in. */
err search_put(struct search *search, struct uuid event, const struct search_event *said,
               size_t *ret_slot);
void search_remove(struct search *search, struct uuid event); /* an unknown one is fine */

size_t search_event_count(const struct search *search);
size_t search_term_count(const struct search *search); /* different words */
size_t search_slots_end(const struct search *search);  /* every slot is below it */

struct search_hit {
    struct uuid event;
    size_t slot;
    int64_t starts_at_ms;
    uint32_t score; /* more is better; for comparing within one query only */
};

#define SEARCH_ALWAYS  INT64_MIN /* of the bounds below: none */
#define SEARCH_FOREVER INT64_MAX

struct search_query {
    str text;
    size_t limit; /* 1 to SEARCH_HITS_MAX hits are given */
    /* Which events may be found; called without order, at most once an event, and only for those that
     * may be among the hits. NULL: all. */
    bool (*keep)(void *arg, struct uuid event, size_t slot);
    void *arg;
    /* Only what starts at these instants or between them, and ends later than that one. What they
     * leave out is not even looked at, which `keep` cannot do. */
    int64_t starts_from_ms;         /* SEARCH_ALWAYS: no bound */
    int64_t starts_to_ms;           /* SEARCH_FOREVER */
    int64_t ends_after_ms;          /* SEARCH_ALWAYS */
    const struct search_hit *after; /* only what comes behind this hit; NULL: from the best on */
};
/* A query without bounds. */
#define SEARCH_QUERY(...)                                   \
    ((struct search_query){.starts_from_ms = SEARCH_ALWAYS, \
                           .starts_to_ms = SEARCH_FOREVER,  \
                           .ends_after_ms = SEARCH_ALWAYS,  \
                           __VA_ARGS__})

struct search_hits {
    const struct search_hit *hits; /* best first; in the arena */
    size_t count;
};

/* The best events in which each word of the text is found. A text without any letter or digit finds
 * nothing. */
struct search_hits search_find(const struct search *search, struct arena *arena,
                               const struct search_query *query);
/* The order of hits: negative if `a` comes before `b`. */
int search_hit_compare(const struct search_hit *a, const struct search_hit *b);
