/* services/booking/search_find.c - matches a query's words with events and ranks what matches.
 *
 * Every match of a word has a penalty, and an event has the sum over the words. It is made so that
 * what must be corrected counts first, then what was only begun, then whether the query is the
 * whole name, then in which fields the words stand.
 *
 * A query is evaluated word by word, over arrays with a number for each slot: reading each posting
 * once, and adding up, is all the work. */

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "services/booking/search_index.h"
#include "services/booking/search_query.h"
#include "services/booking/search_typo.h"

enum {
    /* A word's penalty: the cost shifted, plus that of the field. */
    COST_SHIFT = 9,
    NOT_WHOLE = 1 << 8, /* once a query; above the fields, below the cost */
    COST_PREFIX = 2,
    COST_LAST_PREFIX = 1, /* still being typed */
    COST_RESPACED = 2,    /* once a reading */
    COST_EDIT = 128,
    COST_FIRST_LETTER = 64, /* more than all that is only begun or respaced */
    WORD_SCORE_MAX = 1 << 18,
    SCORE_MAX = 1 << 22,

    /* The most that can come together. */
    WORD_COST_MAX = 2 * COST_EDIT + COST_FIRST_LETTER + COST_PREFIX,
    EVENT_COST_MAX = SEARCH_QUERY_WORDS_MAX * WORD_COST_MAX + COST_RESPACED,
    UNCORRECTED_COST_MAX = SEARCH_QUERY_WORDS_MAX * COST_PREFIX + COST_RESPACED,
};

_Static_assert(WORD_COST_MAX + 1 < WORD_SCORE_MAX >> COST_SHIFT, "a word's score is never 0");
_Static_assert(EVENT_COST_MAX + 1 < SCORE_MAX >> COST_SHIFT, "nor is an event's");
_Static_assert(UNCORRECTED_COST_MAX < COST_FIRST_LETTER, "corrections count first");

/* --- Matching --- */

/* What an event has reached in the reading at hand; 0: it does not match. */
struct tally {
    uint32_t word; /* its best score for the word at hand */
    uint32_t sum;  /* of the words before */
};

struct matcher {
    const struct search *search;
    bool with_typos;
    struct tally *tallies; /* by slot */
    uint32_t *scores;      /* of the best reading, by slot; 0: none matches */
    uint32_t *candidates;  /* slots that match all words so far, ascending */
    size_t candidate_count;
    bool is_first; /* word of the reading */
    bool is_last;
};

static void matcher_init(struct matcher *matcher, const struct search *search, bool with_typos)
{
    const size_t count = search->slots_end;

    *matcher = (struct matcher){
        .search = search,
        .with_typos = with_typos,
        .tallies = mem_alloc(count * sizeof(matcher->tallies[0])),
        .scores = mem_alloc(count * sizeof(matcher->scores[0])),
        .candidates = mem_alloc(count * sizeof(matcher->candidates[0])),
    };
}

static void matcher_done(const struct matcher *matcher)
{
    mem_free(matcher->tallies);
    mem_free(matcher->scores);
    mem_free(matcher->candidates);
}

static uint32_t field_penalty(uint32_t fields)
{
    static const uint8_t penalties[FIELD_COUNT] = {0, 4, 6, 7};

    return penalties[__builtin_ctz(fields)]; /* the weightiest is the lowest bit */
}

/* All events that say the term match the word at that cost. */
static void match_term(struct matcher *matcher, uint32_t number, uint32_t cost)
{
    const struct term *term = &matcher->search->terms.terms[number];

    for (uint32_t i = 0; i < term->count; i++) {
        const uint32_t slot = term->postings[i] >> POSTING_SLOT_SHIFT;
        const uint32_t penalty =
            (cost << COST_SHIFT) + field_penalty(term->postings[i] & POSTING_FIELDS);
        const uint32_t score = WORD_SCORE_MAX - penalty;

        struct tally *tally = &matcher->tallies[slot];

        if (score > tally->word && (matcher->is_first || tally->sum > 0))
            tally->word = score;
    }
}

static uint32_t prefix_cost(const struct matcher *matcher)
{
    return matcher->is_last ? COST_LAST_PREFIX : COST_PREFIX;
}

static void match_typo(void *arg, const struct typo *typo)
{
    struct matcher *matcher = arg;

    match_term(matcher, typo->term,
               typo->edits * COST_EDIT + (typo->first_letter ? COST_FIRST_LETTER : 0) +
                   (typo->prefix ? prefix_cost(matcher) : 0));
}

static void match_word(struct matcher *matcher, const struct word *word, bool respaced)
{
    const struct terms *terms = &matcher->search->terms;
    const uint32_t top = terms_find_node(terms, word);

    for (uint32_t node = top; node != NODE_NONE; node = terms_next_below(terms, top, node))
        if (terms->nodes[node].term != TERM_NONE)
            match_term(matcher, terms->nodes[node].term, node == top ? 0 : prefix_cost(matcher));
    if (matcher->with_typos && !respaced)
        typo_each(terms, word, matcher->is_last, match_typo, matcher);
}

/* The candidates are those that match the first word. They are collected by slot, not as they were
 * met: going through memory in order is worth looking at every slot. */
static void join_first_word(struct matcher *matcher)
{
    size_t count = 0;

    for (uint32_t slot = 0; slot < matcher->search->slots_end; slot++) {
        struct tally *tally = &matcher->tallies[slot];

        if (tally->word == 0)
            continue;
        tally->sum = tally->word;
        tally->word = 0;
        matcher->candidates[count++] = slot;
    }
    matcher->candidate_count = count;
}

/* Keeps the candidates that match one more word. */
static void join_word(struct matcher *matcher)
{
    size_t kept = 0;

    for (size_t i = 0; i < matcher->candidate_count; i++) {
        const uint32_t slot = matcher->candidates[i];
        struct tally *tally = &matcher->tallies[slot];

        tally->sum = tally->word > 0 ? tally->sum + tally->word : 0;
        tally->word = 0;
        if (tally->sum > 0)
            matcher->candidates[kept++] = slot;
    }
    matcher->candidate_count = kept;
}

/* Adds what one reading of the query matches, and leaves the arrays ready for another. */
static void match_reading(struct matcher *matcher, const struct reading *reading)
{
    const uint32_t words_max = (uint32_t)reading->count * WORD_SCORE_MAX;
    const uint64_t hash = reading_hash(reading);
    const uint32_t respaced = reading->respaced ? COST_RESPACED << COST_SHIFT : 0;

    for (size_t i = 0; i < reading->count; i++) {
        matcher->is_first = i == 0;
        matcher->is_last = i + 1 == reading->count;
        match_word(matcher, &reading->words[i], reading->respaced);
        if (matcher->is_first)
            join_first_word(matcher);
        else
            join_word(matcher);
        if (matcher->candidate_count == 0)
            return;
    }
    for (size_t i = 0; i < matcher->candidate_count; i++) {
        const uint32_t slot = matcher->candidates[i];
        const uint32_t sum = matcher->tallies[slot].sum;
        /* Only where each word is one of the name's: looking at every event would take longest. */
        const bool is_whole = sum == words_max && matcher->search->slots[slot].name_hash == hash;
        const uint32_t penalty = words_max - sum + respaced + (is_whole ? 0 : NOT_WHOLE);
        const uint32_t score = SCORE_MAX - penalty;

        if (score > matcher->scores[slot])
            matcher->scores[slot] = score;
        matcher->tallies[slot].sum = 0;
    }
}

/* --- Ranking --- */

static uint64_t distance(int64_t a, int64_t b)
{
    return a > b ? (uint64_t)a - (uint64_t)b : (uint64_t)b - (uint64_t)a;
}

int search_hit_compare(const struct search_hit *a, const struct search_hit *b, int64_t near_ms)
{
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    if (a->starts_at_ms != b->starts_at_ms) {
        const uint64_t x = distance(a->starts_at_ms, near_ms);
        const uint64_t y = distance(b->starts_at_ms, near_ms);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return uuid_compare(a->event, b->event);
}

/* The best so far, as a heap with the worst on top. */
struct best {
    const struct search_query *query;
    struct search_hit *hits;
    size_t count;
    size_t limit;
    size_t total;
};

static bool is_worse(const struct best *best, size_t a, size_t b)
{
    return search_hit_compare(&best->hits[a], &best->hits[b], best->query->near_ms) > 0;
}

static void swap_hits(struct best *best, size_t a, size_t b)
{
    const struct search_hit hit = best->hits[a];

    best->hits[a] = best->hits[b];
    best->hits[b] = hit;
}

static void sift_up(struct best *best, size_t at)
{
    while (at > 0 && is_worse(best, at, (at - 1) / 2)) {
        swap_hits(best, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

static void sift_down(struct best *best, size_t count)
{
    for (size_t at = 0;;) {
        size_t worst = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++)
            if (is_worse(best, child, worst))
                worst = child;
        if (worst == at)
            return;
        swap_hits(best, at, worst);
        at = worst;
    }
}

static void offer(struct best *best, const struct search_hit *hit)
{
    const struct search_query *query = best->query;

    best->total++;
    if (best->count == best->limit && hit->score < best->hits[0].score)
        return;
    if (query->after != NULL && search_hit_compare(query->after, hit, query->near_ms) >= 0)
        return;
    if (best->count < best->limit) {
        best->hits[best->count] = *hit;
        sift_up(best, best->count++);
    } else if (search_hit_compare(hit, &best->hits[0], query->near_ms) < 0) {
        best->hits[0] = *hit;
        sift_down(best, best->count);
    }
}

/* Takes the worst off the heap again and again, which leaves them sorted. */
static void sort(struct best *best)
{
    for (size_t end = best->count; end > 1; end--) {
        swap_hits(best, 0, end - 1);
        sift_down(best, end - 1);
    }
}

static void find(const struct search *search, const struct readings *readings, bool with_typos,
                 struct best *best)
{
    CLEANUP(matcher_done) struct matcher matcher = {0};
    const struct search_query *query = best->query;

    best->count = 0;
    best->total = 0;
    matcher_init(&matcher, search, with_typos);
    for (size_t i = 0; i < readings->count; i++)
        match_reading(&matcher, &readings->list[i]);
    for (uint32_t number = 0; number < search->slots_end; number++) {
        const struct search_slot *slot = &search->slots[number];

        if (matcher.scores[number] == 0)
            continue;
        if (query->keep == NULL || query->keep(query->arg, slot->event, number))
            offer(best, &(struct search_hit){
                            .event = slot->event,
                            .slot = number,
                            .starts_at_ms = slot->starts_at_ms,
                            .score = matcher.scores[number],
                        });
    }
    sort(best);
}

struct search_hits search_find(const struct search *search, struct arena *arena,
                               const struct search_query *query)
{
    struct readings readings;
    struct best best = {.query = query, .limit = query->limit};

    assert(query->limit >= 1 && query->limit <= SEARCH_HITS_MAX);
    readings_of(&search->terms, query->text, &readings);
    if (readings.count == 0 || search->slots_end == 0)
        return (struct search_hits){0};
    best.hits = arena_new_array(arena, struct search_hit, query->limit);
    find(search, &readings, false, &best);
    if (best.total < SEARCH_ENOUGH)
        find(search, &readings, true, &best);
    return (struct search_hits){best.hits, best.count, best.total};
}
