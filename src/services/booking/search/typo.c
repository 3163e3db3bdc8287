/* services/booking/search/typo.c - walks the trie along a word, allowing for a few edits.
 *
 * The edit distance is the restricted Damerau-Levenshtein one (optimal string alignment). Which of its cells are small
 * enough is kept in bits, one word of the machine for each number of edits (Wu and Manber, "Fast text searching allowing
 * errors", 1992): bit j of reach[e] says that the path so far is at most e edits away from the first j letters of the word.
 * A letter of the path costs some twenty operations, words that begin alike share them, and a subtree is not entered
 * where no bit is left.
 *
 * What takes time is memory: the trie is larger than the caches near the processor. So the walk goes level by level, and
 * asks for nodes some steps before it comes to them. */

#include "services/booking/search/typo.h"

#include <string.h>

enum {
    EDITS_MAX = 2,
    ASCII = 128,
    QUEUE_MIN = 64, /* a power of two */
    AHEAD = 8,      /* steps from asking for a node's children to coming to them */
};

_Static_assert(WORD_LETTERS_MAX + 1 < 64, "a bit for each beginning of a word, and the empty one");

/* A path of letters. */
struct path {
    uint64_t reach[EDITS_MAX + 1];
    uint64_t before[EDITS_MAX];  /* reach without the last letter */
    uint64_t letter;             /* bit j: the last letter is letter j - 1 of the word */
    const struct trie_child *at; /* its last letter's node */
    uint8_t begun;               /* fewest edits between the word and a beginning of the path */
    bool first_differs;          /* the path's first letter is not the word's */
};

struct walk {
    const struct terms *terms;
    const struct word *word;
    unsigned edits_max;
    bool prefix;
    void (*fn)(void *arg, const struct typo *typo);
    void *arg;
    uint64_t all;          /* bits of all beginnings of the word, the empty one too */
    uint64_t ascii[ASCII]; /* where each letter stands in the word */
    /* Paths to go on from: a ring. */
    struct arena *arena;
    struct path *queue;
    size_t head;
    size_t tail;
    size_t capacity; /* a power of two */
};

unsigned typo_edits_max(const struct word *word)
{
    for (size_t i = 0; i < word->count; i++)
        if (word->letters[i] < '0' || word->letters[i] > '9') {
            if (word->count >= TYPO_TWO_FROM_LETTERS)
                return EDITS_MAX;
            return word->count >= TYPO_ONE_FROM_LETTERS ? 1 : 0;
        }
    return 0;
}

/* --- Distance --- */

/* The empty path. */
static struct path begin(struct walk *walk)
{
    struct path path = {.begun = (uint8_t)(walk->edits_max + 1)};

    walk->all = (UINT64_C(2) << walk->word->count) - 1;
    for (size_t i = 0; i < walk->word->count; i++)
        if (walk->word->letters[i] < ASCII)
            walk->ascii[walk->word->letters[i]] |= UINT64_C(2) << i;
    for (unsigned e = 0; e <= EDITS_MAX; e++)
        path.reach[e] = (UINT64_C(2) << e) - 1; /* e letters left out */
    return path;
}

static uint64_t places_of(const struct walk *walk, uint32_t letter)
{
    uint64_t places = 0;

    if (letter < ASCII)
        return walk->ascii[letter];
    for (size_t i = 0; i < walk->word->count; i++)
        if (walk->word->letters[i] == letter)
            places |= UINT64_C(2) << i;
    return places;
}

/* Fewest edits between the whole word and the path; more than edits_max: too many. */
static unsigned whole_edits(const struct walk *walk, const struct path *path)
{
    const uint64_t last = UINT64_C(1) << walk->word->count;
    unsigned edits = 0;

    if ((path->reach[walk->edits_max] & last) == 0)
        return walk->edits_max + 1;
    while ((path->reach[edits] & last) == 0)
        edits++;
    return edits;
}

/* What `e` edits reach with one letter more; `fewer` is what e - 1 edits then reach. */
static inline uint64_t reach_of(const struct path *path, unsigned e, uint64_t letter,
                                uint64_t fewer)
{
    uint64_t reach = path->reach[e] << 1 & letter;                  /* the letter is right */
    reach |= path->reach[e - 1];                                    /* one too many */
    reach |= path->reach[e - 1] << 1;                               /* another */
    reach |= fewer << 1;                                            /* one left out before it */
    reach |= path->before[e - 1] << 2 & path->letter & letter << 1; /* swapped */
    return reach;
}

/* `path` with one letter more; false: then nothing is left of it, nor of what is longer still.
 * *ret is written only if there is, for most that is tried is not. */
static inline bool lengthen(const struct walk *walk, const struct path *path, uint32_t letter,
                            struct path *ret)
{
    const uint64_t places = places_of(walk, letter);
    const uint64_t exact = path->reach[0] << 1 & places;
    const uint64_t one = reach_of(path, 1, places, exact) & walk->all;
    const uint64_t two = walk->edits_max > 1 ? reach_of(path, 2, places, one) & walk->all : one;

    if (two == 0)
        return false;
    *ret = (struct path){
        .reach = {exact, one,       two},
        .before = {path->reach[0],     path->reach[1]},
        .letter = places,
        .begun = path->begun,
        .first_differs = path->first_differs,
    };
    const unsigned whole = whole_edits(walk, ret);
    if (whole < ret->begun)
        ret->begun = (uint8_t)whole;
    return true;
}

/* What the word may mean with the path taken as one word; false: nothing. */
static bool judge(const struct walk *walk, const struct path *path, struct typo *ret)
{
    const unsigned whole = whole_edits(walk, path);
    const bool by_prefix = walk->prefix && !path->first_differs && path->begun < whole;

    *ret = (struct typo){
        .edits = by_prefix ? path->begun : whole,
        .first_letter = path->first_differs,
        .prefix = by_prefix,
    };
    return ret->edits >= 1 && ret->edits <= walk->edits_max;
}

/* --- Walking --- */

static void offer(const struct walk *walk, const struct path *path, unsigned begun_before)
{
    const uint32_t node = path->at->node;
    struct typo typo;

    if (judge(walk, path, &typo) && !typo.prefix && walk->terms->nodes[node].term != TERM_NONE) {
        typo.node = node;
        walk->fn(walk->arg, &typo);
    }
    if (walk->prefix && !path->first_differs && path->begun < begun_before && path->begun >= 1)
        walk->fn(walk->arg, &(struct typo){.node = node, .edits = path->begun, .prefix = true});
}

/* Can anything that is longer be a match, and with fewer edits than what was found on the way? */
static bool goes_on(const struct walk *walk, const struct path *path)
{
    if (path->reach[walk->edits_max] == 0)
        return false;
    if (!walk->prefix || path->first_differs || path->begun > walk->edits_max)
        return true;
    return path->begun > 0 && path->reach[path->begun] != 0;
}

static struct path *queue_at(const struct walk *walk, size_t at)
{
    return &walk->queue[at & (walk->capacity - 1)];
}

static void queue_up(struct walk *walk, const struct path *path)
{
    const size_t count = walk->tail - walk->head;

    if (count == walk->capacity) {
        struct path *wider = arena_new_array(walk->arena, struct path, 2 * count);

        for (size_t i = 0; i < count; i++)
            wider[i] = *queue_at(walk, walk->head + i);
        walk->queue = wider;
        walk->head = 0;
        walk->tail = count;
        walk->capacity *= 2;
    }
    *queue_at(walk, walk->tail++) = *path;
}

static const struct trie_child *children_of(const struct walk *walk, const struct path *path)
{
    return &walk->terms->children[path->at->children];
}

/* Calls `fn` for what each child means, and queues up those that are worth going on. */
static void try_children(struct walk *walk, const struct path *path)
{
    const struct trie_child *children = children_of(walk, path);
    const bool is_first = path->at->node == NODE_ROOT;

    for (uint32_t i = 0; i < path->at->child_count; i++) {
        struct path next;

        if (!lengthen(walk, path, children[i].letter, &next))
            continue;
        next.at = &children[i];
        if (is_first)
            next.first_differs = children[i].letter != walk->word->letters[0];
        offer(walk, &next, path->begun);
        if (children[i].child_count > 0 && goes_on(walk, &next))
            queue_up(walk, &next);
    }
}

void typo_each(const struct terms *terms, struct arena *arena, const struct word *word, bool prefix,
               void (*fn)(void *arg, const struct typo *typo), void *arg)
{
    const struct trie_child root = {
        .node = NODE_ROOT,
        .children = terms->nodes[NODE_ROOT].children,
        .child_count = terms->nodes[NODE_ROOT].child_count,
    };
    struct walk walk = {
        .terms = terms,
        .word = word,
        .edits_max = typo_edits_max(word),
        .prefix = prefix,
        .fn = fn,
        .arg = arg,
        .arena = arena,
        .capacity = QUEUE_MIN,
    };

    if (walk.edits_max == 0)
        return;
    walk.queue = arena_new_array(arena, struct path, QUEUE_MIN);
    struct path path = begin(&walk);
    path.at = &root;
    queue_up(&walk, &path);
    while (walk.head != walk.tail) {
        if (walk.head + AHEAD < walk.tail)
            __builtin_prefetch(children_of(&walk, queue_at(&walk, walk.head + AHEAD)));
        path = *queue_at(&walk, walk.head++);
        try_children(&walk, &path);
    }
}

bool typo_compare(const struct word *word, const struct word *term, bool prefix, struct typo *ret)
{
    const unsigned edits_max = typo_edits_max(word);

    /* Each letter more or less is an edit. */
    if (edits_max == 0 || term->count + edits_max < word->count ||
        (!prefix && word->count + edits_max < term->count))
        return false;
    struct walk walk = {.word = word, .edits_max = edits_max, .prefix = prefix};
    struct path path = begin(&walk);
    for (size_t i = 0; i < term->count; i++) {
        struct path next;

        if (!lengthen(&walk, &path, term->letters[i], &next)) {
            memset(path.reach, 0, sizeof(path.reach));
            break;
        }
        path = next;
    }
    path.first_differs = word->letters[0] != term->letters[0];
    return judge(&walk, &path, ret);
}
