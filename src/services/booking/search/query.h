/* services/booking/search/query.h - the ways to read what somebody typed. */
#pragma once

#include "services/booking/search/search.h"
#include "services/booking/search/terms.h"

enum {
    RESPACED_MAX = 4, /* readings with another space */
    READINGS_MAX = 2 + RESPACED_MAX,
    SPLIT_LETTERS_MIN = 3, /* of either half */
};

struct reading {
    size_t count;
    bool respaced; /* not as it was typed: it counts less, and no misspelling is added to it */
    struct word words[SEARCH_QUERY_WORDS_MAX];
};

/* First as it was typed, by parts; then with each compound as one whole ("wi-fi": "wifi"); then
 * with two words joined or one split, where the vocabulary has what that makes ("devops days":
 * "devopsdays"). Without any word: none. */
struct readings {
    size_t count;
    struct reading list[READINGS_MAX];
};

/* Of `ret` only what is counted is written. */
void readings_of(const struct terms *terms, str text, struct readings *ret);
void reading_copy(struct reading *to, const struct reading *from);
uint64_t reading_hash(const struct reading *reading); /* of the sequence, as of a name's */
