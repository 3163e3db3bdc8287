/* services/booking/search/runs.h - where a word of a query stands: ranges of postings, each with
 * what a match there costs. */
#pragma once

#include "services/booking/search/index.h"
#include "services/booking/search/query.h"

enum {
    /* A word's penalty: the cost shifted, plus that of the field. */
    COST_SHIFT = 9,
    COST_PREFIX = 2,
    COST_LAST_PREFIX = 1, /* still being typed */
    COST_EDIT = 128,
    COST_FIRST_LETTER = 64, /* more than all that is only begun or respaced */
    WORD_COST_MAX = 2 * COST_EDIT + COST_FIRST_LETTER + COST_PREFIX,
};

/* All of its events have one penalty; their postings ascend by start. */
struct run {
    const struct list *list;
    posting first; /* of the range, if it is there; tells the field */
    posting last;
    struct list_place begin; /* of the range */
    struct list_place place; /* where a walk beside another run has come to */
    uint32_t count;          /* about */
    uint32_t penalty;
    bool walked; /* all its events have been looked at */
};

struct word_runs {
    struct run *runs; /* ascending by penalty; an event may be in several */
    size_t count;
    size_t total; /* postings, about */
};

struct runs_query {
    const struct search *search;
    struct arena *arena;
    uint32_t from_s; /* only what starts in these seconds or between them */
    uint32_t to_s;
    bool with_typos;
};

void runs_of(const struct runs_query *query, const struct word *word, bool is_last,
             struct word_runs *ret);
/* The penalty of the event, or UINT32_MAX: it does not have the word. `key` without a field. */
uint32_t runs_penalty(const struct word_runs *runs, posting key);
/* The same, where keys only ascend between one runs_rewind and the next. */
uint32_t runs_penalty_next(struct word_runs *runs, posting key);
void runs_rewind(struct word_runs *runs);
