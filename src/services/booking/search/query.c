/* services/booking/search/query.c - reads a query as words, in more than one way.
 *
 * People put spaces where names have none, and the other way round. Another space is only tried
 * where the vocabulary knows the words that it makes, and few are tried: each costs a search. */

#include "services/booking/search/query.h"

#include <string.h>

#include "services/booking/search/fold.h"

/* --- As typed --- */

struct typed {
    struct reading parts;
    struct reading wholes;
    bool has_compound; /* so that the two differ */
};

static void add_word(struct reading *reading, const struct word *word)
{
    if (reading->count < SEARCH_QUERY_WORDS_MAX)
        reading->words[reading->count++] = *word;
}

static void read_word(void *arg, const struct word *word,
                      [[maybe_unused]] const struct letter_source *sources, unsigned flags)
{
    struct typed *typed = arg;

    if ((flags & WORD_PART) != 0)
        add_word(&typed->parts, word);
    if ((flags & WORD_WHOLE) != 0)
        add_word(&typed->wholes, word);
    if (flags == WORD_WHOLE)
        typed->has_compound = true;
}

static str cut_text(str text)
{
    str rest = text;

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

static struct word join(const struct word *a, const struct word *b)
{
    struct word joined = *a;

    for (size_t i = 0; i < b->count && joined.count < WORD_LETTERS_MAX; i++)
        joined.letters[joined.count++] = b->letters[i];
    return joined;
}

/* The last word may still be on its way. */
static bool is_worth_joining(const struct terms *terms, const struct word *joined, bool is_last)
{
    return is_last ? terms_find_node(terms, joined) != NODE_NONE : is_term(terms, joined);
}

static bool split(const struct terms *terms, const struct word *word, struct word ret_halves[2])
{
    for (size_t at = SPLIT_LETTERS_MIN; at + SPLIT_LETTERS_MIN <= word->count; at++) {
        struct word first = {.count = at};
        struct word second = {.count = word->count - at};

        memcpy(first.letters, word->letters, at * sizeof(word->letters[0]));
        memcpy(second.letters, word->letters + at, second.count * sizeof(word->letters[0]));
        if (is_term(terms, &first) && is_term(terms, &second)) {
            ret_halves[0] = first;
            ret_halves[1] = second;
            return true;
        }
    }
    return false;
}

static void add_other_spaces(const struct terms *terms, struct readings *readings)
{
    const struct reading *typed = &readings->list[0];
    const size_t most = readings->count + RESPACED_MAX;

    for (size_t i = 0; i + 1 < typed->count && readings->count < most; i++) {
        const struct word joined = join(&typed->words[i], &typed->words[i + 1]);
        if (is_worth_joining(terms, &joined, i + 2 == typed->count))
            add_respaced(readings, i, 2, &joined, 1);
    }
    for (size_t i = 0; i < typed->count && readings->count < most; i++) {
        struct word halves[2];
        if (typed->count < SEARCH_QUERY_WORDS_MAX && split(terms, &typed->words[i], halves))
            add_respaced(readings, i, 1, halves, 2);
    }
}

/* --- All --- */

void readings_of(const struct terms *terms, str text, struct readings *ret)
{
    struct typed typed = {0};

    words_each(cut_text(text), read_word, &typed);
    ret->count = 0;
    if (typed.parts.count == 0)
        return;
    ret->list[ret->count++] = typed.parts;
    if (typed.has_compound)
        ret->list[ret->count++] = typed.wholes;
    add_other_spaces(terms, ret);
}

uint64_t reading_hash(const struct reading *reading)
{
    uint64_t hash = 0;

    for (size_t i = 0; i < reading->count; i++)
        hash = word_hash(&reading->words[i], hash);
    return hash;
}
