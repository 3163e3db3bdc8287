/* services/booking/search/words.h - cuts text into words as the index keeps them.
 *
 * A compound like "node.js", "wi-fi" or "O'Reilly" can be read in two ways: as its parts and as one
 * whole. The index keeps both; a query is tried as a sequence of parts and as one of wholes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum {
    WORD_LETTERS_MAX = 40, /* what is longer is cut: two such words are the same */
};

struct word {
    size_t count;
    uint32_t letters[WORD_LETTERS_MAX]; /* folded */
};

/* The bytes of the text that a letter was read from, with the marks that follow it. Letters of one
 * ligature or sign share them: both of "ﬁ", all of "and" for "&". */
struct letter_source {
    uint32_t from;
    uint32_t to; /* behind the last */
};

/* Where a word stands. With neither flag it is another way to find a word: "net" for ".NET". */
enum word_flag {
    WORD_PART = 1,  /* in the sequence of parts */
    WORD_WHOLE = 2, /* in the sequence of wholes; a word that is no compound is in both */
};

/* `sources` has an entry for each letter, ascending. */
typedef void word_fn(void *arg, const struct word *word, const struct letter_source *sources,
                     unsigned flags);

/* Calls `fn` for each word of `text`, in order. */
void words_each(str text, word_fn *fn, void *arg);
/* Only its letters: most words are far from the longest. */
void word_copy(struct word *to, const struct word *from);
uint64_t word_hash(const struct word *word, uint64_t seed); /* for chaining over a sequence */
