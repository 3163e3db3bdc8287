/* options.h - the command line's flags, by rows. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct option {
    const char *name; /* "--listen"; NULL ends a list */
    str *text;        /* takes a value */
    bool *given;      /* takes none */
};

/* Sorts argv into options and words (what is no option, in order). ERR_INVALID with one line on stderr. */
err options_read(int argc, char **argv, const struct option *options, str *words, size_t words_max,
                 size_t *ret_word_count);
