/* services/booking/search_typo.c - walks the trie along a word, allowing for a few edits.
 *
 * Each letter of the path adds a row to the table of the restricted Damerau-Levenshtein distance
 * (optimal string alignment); words that begin alike share their rows. Only the cells within
 * edits_max of the diagonal can matter, and a subtree whose row holds nothing that small is not
 * entered. */

#include "services/booking/search_typo.h"

enum { DEPTH_MAX = WORD_LETTERS_MAX };

struct walk {
    const struct terms *terms;
    const struct word *word;
    unsigned edits_max;
    bool prefix;
    void (*fn)(void *arg, const struct typo *typo);
    void *arg;
    uint32_t path[DEPTH_MAX + 1]; /* letters, from 1 */
    /* rows[i][j]: edits between the first i letters of the path and the first j of the word */
    uint8_t rows[DEPTH_MAX + 1][WORD_LETTERS_MAX + 1];
    uint8_t lowest[DEPTH_MAX + 1];       /* of the row */
    uint8_t prefix_edits[DEPTH_MAX + 1]; /* between the word and the best beginning of the path */
};

unsigned typo_edits_max(const struct word *word)
{
    for (size_t i = 0; i < word->count; i++)
        if (word->letters[i] < '0' || word->letters[i] > '9') {
            if (word->count >= TYPO_TWO_FROM_LETTERS)
                return 2;
            return word->count >= TYPO_ONE_FROM_LETTERS ? 1 : 0;
        }
    return 0;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned cell(const struct walk *walk, size_t depth, size_t j)
{
    const uint32_t *word = walk->word->letters;
    const uint32_t letter = walk->path[depth];
    const bool same = word[j - 1] == letter;
    unsigned edits = walk->rows[depth - 1][j - 1] + (same ? 0u : 1u);

    edits = least(edits, walk->rows[depth - 1][j] + 1u);
    edits = least(edits, walk->rows[depth][j - 1] + 1u);
    if (depth > 1 && j > 1 && word[j - 2] == letter && word[j - 1] == walk->path[depth - 1])
        edits = least(edits, walk->rows[depth - 2][j - 2] + 1u);
    return least(edits, walk->edits_max + 1);
}

static void fill_first_row(struct walk *walk)
{
    for (size_t j = 0; j <= walk->word->count; j++)
        walk->rows[0][j] = (uint8_t)least((unsigned)j, walk->edits_max + 1);
    walk->prefix_edits[0] = (uint8_t)(walk->edits_max + 1);
}

/* The cells beside the band are never better than too many, and are set so for their neighbours. */
static void fill_row(struct walk *walk, size_t depth)
{
    const size_t width = walk->edits_max;
    const size_t from = depth > width ? depth - width : 0;
    const size_t end = least((unsigned)walk->word->count, (unsigned)(depth + width));
    const uint8_t too_many = (uint8_t)(walk->edits_max + 1);
    uint8_t *row = walk->rows[depth];

    walk->lowest[depth] = too_many;
    if (from > 0 && from <= walk->word->count + 1)
        row[from - 1] = too_many;
    for (size_t j = from; j <= end; j++) {
        row[j] = (uint8_t)(j == 0 ? depth : cell(walk, depth, j));
        walk->lowest[depth] = (uint8_t)least(walk->lowest[depth], row[j]);
    }
    if (end < walk->word->count)
        row[end + 1] = too_many;

    const bool reaches_end = from <= walk->word->count && end == walk->word->count;
    const unsigned whole = reaches_end ? row[end] : too_many;
    walk->prefix_edits[depth] = (uint8_t)least(walk->prefix_edits[depth - 1], whole);
}

static unsigned whole_edits(const struct walk *walk, size_t depth)
{
    const size_t count = walk->word->count;

    if (depth + walk->edits_max < count || depth > count + walk->edits_max)
        return walk->edits_max + 1;
    return walk->rows[depth][count];
}

static bool first_letter_differs(const struct walk *walk)
{
    return walk->path[1] != walk->word->letters[0];
}

/* What the word may mean with the path up to `depth`; false: nothing. */
static bool judge(const struct walk *walk, size_t depth, struct typo *ret)
{
    const unsigned whole = whole_edits(walk, depth);
    const bool by_prefix =
        walk->prefix && !first_letter_differs(walk) && walk->prefix_edits[depth] < whole;

    *ret = (struct typo){
        .edits = by_prefix ? walk->prefix_edits[depth] : whole,
        .first_letter = first_letter_differs(walk),
        .prefix = by_prefix,
    };
    return ret->edits >= 1 && ret->edits <= walk->edits_max;
}

static void offer(const struct walk *walk, uint32_t node, size_t depth)
{
    const unsigned begun = walk->prefix_edits[depth];
    struct typo typo;

    if (walk->terms->nodes[node].term != TERM_NONE && judge(walk, depth, &typo) && !typo.prefix) {
        typo.node = node;
        walk->fn(walk->arg, &typo);
    }
    if (walk->prefix && !first_letter_differs(walk) && begun < walk->prefix_edits[depth - 1] &&
        begun >= 1)
        walk->fn(walk->arg, &(struct typo){.node = node, .edits = begun, .prefix = true});
}

/* Can anything below this depth be a match, and with fewer edits than what was found on the way? */
static bool goes_on(const struct walk *walk, size_t depth)
{
    if (walk->lowest[depth] > walk->edits_max)
        return false;
    return !walk->prefix || first_letter_differs(walk) ||
           (walk->prefix_edits[depth] > 0 && walk->lowest[depth] <= walk->prefix_edits[depth]);
}

/* The depth of `node`, which comes next in preorder after one that is `depth` deep. */
static size_t depth_of_next(const struct terms *terms, uint32_t node, uint32_t before, size_t depth)
{
    const uint32_t parent = terms->nodes[node].parent;

    if (parent == before)
        return depth + 1;
    while (terms->nodes[before].parent != parent) {
        before = terms->nodes[before].parent;
        depth--;
    }
    return depth;
}

static void walk_below(struct walk *walk, uint32_t top)
{
    uint32_t node = top;
    size_t depth = 1;

    while (node != NODE_NONE) {
        walk->path[depth] = walk->terms->nodes[node].letter;
        fill_row(walk, depth);
        offer(walk, node, depth);

        const uint32_t next = goes_on(walk, depth) ? terms_next_below(walk->terms, top, node)
                                                   : terms_next_beside(walk->terms, top, node);
        if (next != NODE_NONE)
            depth = depth_of_next(walk->terms, next, node, depth);
        node = next;
    }
}

void typo_each(const struct terms *terms, const struct word *word, bool prefix,
               void (*fn)(void *arg, const struct typo *typo), void *arg)
{
    struct walk walk = {
        .terms = terms,
        .word = word,
        .edits_max = typo_edits_max(word),
        .prefix = prefix,
        .fn = fn,
        .arg = arg,
    };

    if (walk.edits_max == 0)
        return;
    fill_first_row(&walk);
    for (size_t i = 0; i < TERM_ROOTS; i++)
        for (uint32_t top = terms->roots[i]; top != NODE_NONE; top = terms->nodes[top].next)
            walk_below(&walk, top);
}

bool typo_compare(const struct word *word, const struct word *term, bool prefix, struct typo *ret)
{
    struct walk walk = {.word = word, .edits_max = typo_edits_max(word), .prefix = prefix};

    if (walk.edits_max == 0)
        return false;
    fill_first_row(&walk);
    for (size_t depth = 1; depth <= term->count; depth++) {
        walk.path[depth] = term->letters[depth - 1];
        fill_row(&walk, depth);
        if (walk.lowest[depth] <= walk.edits_max)
            continue;
        *ret = (struct typo){.edits = walk.prefix_edits[depth], .prefix = true};
        return prefix && !first_letter_differs(&walk) && ret->edits >= 1 &&
               ret->edits <= walk.edits_max;
    }
    return judge(&walk, term->count, ret);
}
