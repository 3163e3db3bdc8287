/* services/booking/search/typo.h - the words that a misspelt one may mean. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "services/booking/search/terms.h"

enum {
    TYPO_ONE_FROM_LETTERS = 4, /* shorter words are taken as they are */
    TYPO_TWO_FROM_LETTERS = 8,
};

struct typo {
    uint32_t node;     /* whose term is meant */
    unsigned edits;    /* at least 1 */
    bool first_letter; /* the edits change the first letter */
    bool
        prefix; /* all terms that begin at the node are meant: what was typed is their misspelt beginning */
};

/* How many edits a word of so many letters may have. Numbers have none: 2025 is not 2026. */
unsigned typo_edits_max(const struct word *word);

/* Calls `fn` for each term that is 1 to typo_edits_max edits away from `word`: a letter inserted,
 * left out or replaced, or two neighbours swapped. With `prefix` also for all that go on
 * behind that, if the first letter is right; a term may then be meant several times, and the fewest
 * edits count. */
void typo_each(const struct terms *terms, struct arena *arena, const struct word *word, bool prefix,
               void (*fn)(void *arg, const struct typo *typo), void *arg);

/* The same for a single pair: is `term` a word that typo_each would give? ret->node is not set. */
bool typo_compare(const struct word *word, const struct word *term, bool prefix, struct typo *ret);
