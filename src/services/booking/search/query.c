/* services/booking/search/query.c - reads a query as words, in more than one way.
 *
 * People put spaces where names have none, and the other way round. Another space is only tried
 * where the vocabulary knows the words that it makes, and few are tried: each costs a search. */

#include "services/booking/search/query.h"

#include <string.h>

#include "base/mem.h"
#include "services/booking/search/fold.h"

/* --- As typed --- */

struct typed {
    struct reading *parts;
    struct reading *wholes;
    bool has_compound; /* so that the two differ */
};

static void add_word(struct reading *reading, const struct word *word)
{
    if (reading->count < SEARCH_QUERY_WORDS_MAX)
        word_copy(&reading->words[reading->count++], word);
}

static void read_word(void *arg, const struct word *word,
                      [[maybe_unused]] const struct letter_source *sources, unsigned flags)
{
    struct typed *typed = arg;

    if ((flags & WORD_PART) != 0)
        add_word(typed->parts, word);
    if ((flags & WORD_WHOLE) != 0)
        add_word(typed->wholes, word);
    if (flags == WORD_WHOLE)
        typed->has_compound = true;
}

static str cut_text(str text)
{
    str rest = text;

    if (text.size <= SEARCH_QUERY_LETTERS_MAX)
        return text;
    for (size_t i = 0; i < SEARCH_QUERY_LETTERS_MAX && rest.size > 0; i++)
        (void)fold_next_code_point(&rest);
    return str_slice(text, 0, text.size - rest.size);
}

/* --- With another space --- */

static bool is_term(const struct terms *terms, const struct word *word)
{
    const uint32_t node = terms_find_node(terms, word);

    return node != NODE_NONE && terms->nodes[node].term != TERM_NONE;
}

/* Adds the first reading with `count` words in place of `replaced` ones at `at`. */
static void add_respaced(struct readings *readings, size_t at, size_t replaced,
                         const struct word *words, size_t count)
{
    const struct reading *typed = &readings->list[0];
    struct reading *reading = &readings->list[readings->count];

    reading->respaced = true;
    reading->count = 0;
    for (size_t i = 0; i < at; i++)
        add_word(reading, &typed->words[i]);
    for (size_t i = 0; i < count; i++)
        add_word(reading, &words[i]);
    for (size_t i = at + replaced; i < typed->count; i++)
        add_word(reading, &typed->words[i]);
    readings->count++;
}

static void join(const struct word *a, const struct word *b, struct word *ret)
{
    word_copy(ret, a);
    for (size_t i = 0; i < b->count && ret->count < WORD_LETTERS_MAX; i++)
        ret->letters[ret->count++] = b->letters[i];
}

/* The last word may still be on its way. */
static bool is_worth_joining(const struct terms *terms, const struct word *joined, bool is_last)
{
    return is_last ? terms_find_node(terms, joined) != NODE_NONE : is_term(terms, joined);
}

static void cut_word(const struct word *word, size_t from, size_t to, struct word *ret)
{
    ret->count = to - from;
    memcpy(ret->letters, word->letters + from, ret->count * sizeof(ret->letters[0]));
}

static bool split(const struct terms *terms, const struct word *word, struct word ret_halves[2])
{
    for (size_t at = SPLIT_LETTERS_MIN; at + SPLIT_LETTERS_MIN <= word->count; at++) {
        cut_word(word, 0, at, &ret_halves[0]);
        cut_word(word, at, word->count, &ret_halves[1]);
        if (is_term(terms, &ret_halves[0]) && is_term(terms, &ret_halves[1]))
            return true;
    }
    return false;
}

static void add_other_spaces(const struct terms *terms, struct readings *readings)
{
    const struct reading *typed = &readings->list[0];
    const size_t most = readings->count + RESPACED_MAX;

    for (size_t i = 0; i + 1 < typed->count && readings->count < most; i++) {
        UNINITIALIZED struct word joined;
        join(&typed->words[i], &typed->words[i + 1], &joined);
        if (is_worth_joining(terms, &joined, i + 2 == typed->count))
            add_respaced(readings, i, 2, &joined, 1);
    }
    for (size_t i = 0; i < typed->count && readings->count < most; i++) {
        UNINITIALIZED struct word halves[2];
        if (typed->count < SEARCH_QUERY_WORDS_MAX && split(terms, &typed->words[i], halves))
            add_respaced(readings, i, 1, halves, 2);
    }
}

/* --- All --- */

void readings_of(const struct terms *terms, str text, struct readings *ret)
{
    struct typed typed = {.parts = &ret->list[0], .wholes = &ret->list[1]};

    typed.parts->count = 0;
    typed.parts->respaced = false;
    typed.wholes->count = 0;
    typed.wholes->respaced = false;
    words_each(cut_text(text), read_word, &typed);
    ret->count = 0;
    if (typed.parts->count == 0)
        return;
    ret->count = typed.has_compound ? 2 : 1;
    add_other_spaces(terms, ret);
}

void reading_copy(struct reading *to, const struct reading *from)
{
    to->count = from->count;
    to->respaced = from->respaced;
    for (size_t i = 0; i < from->count; i++)
        word_copy(&to->words[i], &from->words[i]);
}

uint64_t reading_hash(const struct reading *reading)
{
    uint64_t hash = 0;

    for (size_t i = 0; i < reading->count; i++)
        hash = word_hash(&reading->words[i], hash);
    return hash;
}
