/* services/booking/search/fold.h - a code point of any text as the letters that search compares. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum { FOLD_LETTERS_MAX = 3 };

/* U+FFFD for a byte that begins no well-formed UTF-8, and those of its sequence that are there: what
 * follows does not change how a text is read. */
uint32_t fold_next_code_point(str *rest);

enum fold_kind {
    FOLD_SEPARATOR, /* ends a word */
    FOLD_DROPPED,   /* stands in a word, but says nothing: marks, tatweel, joiners */
    FOLD_LETTERS,   /* one letter or digit, or several for a ligature */
    FOLD_IDEOGRAPH, /* a word by itself: Han and Kana are written without spaces */
};

struct folded {
    enum fold_kind kind;
    size_t count;
    uint32_t letters[FOLD_LETTERS_MAX];
};

/* Lower case without accents; Arabic letters in their plain form; Arabic digits as 0 to 9. */
struct folded fold(uint32_t code_point);
