/* services/booking/search/find.c - finds the best events of a query without looking at all that match.
 *
 * Every match of a word has a penalty, and an event has the sum over the words. It is made so that what must be
 * corrected counts first, then what was only begun, then whether the query is the whole name, then in which fields
 * the words stand.
 *
 * A word's events come as runs (runs.h): of one penalty, ascending by start. Walking the runs of the rarest
 * word from the best on meets events in about the order of the answer, and a walk ends where nothing that is still
 * to come in its run can be better than the worst hit of a full page. Whatever walk meets an event, it is offered with
 * its best score over all words and readings, so that no order of walks changes the answer. */

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "services/booking/search/best.h"
#include "services/booking/search/runs.h"

enum {
    NOT_WHOLE = 1 << 8, /* once a query; above the fields, below the cost */
    COST_RESPACED = 2,  /* once a reading */
    SCORE_MAX = 1 << 22,
    WALKED_PART = 16, /* a run that is so much shorter than the rarest word is walked by itself */
    BITS = 64,

    /* The most that can come together. */
    EVENT_COST_MAX = SEARCH_QUERY_WORDS_MAX * WORD_COST_MAX + COST_RESPACED,
    UNCORRECTED_COST_MAX = SEARCH_QUERY_WORDS_MAX * COST_PREFIX + COST_RESPACED,
};

_Static_assert(EVENT_COST_MAX + 1 < SCORE_MAX >> COST_SHIFT, "an event's score is never 0");
_Static_assert(UNCORRECTED_COST_MAX < (int)COST_FIRST_LETTER, "corrections count first");

/* A reading with the places of its words. */
struct sought {
    const struct reading *reading;
    uint64_t hash;
    struct word_runs *words;
    size_t count;
    uint32_t penalty; /* of the reading itself */
};

struct matcher {
    const struct search *search;
    const struct search_query *query;
    uint32_t ended_s; /* what ends in an earlier second is over */
    struct sought soughts[READINGS_MAX];
    size_t sought_count; /* those that can find anything */
    uint64_t *seen;      /* by slot: events that were offered, or may not be found */
    size_t kept_count;   /* events that were offered */
    struct best best;
};

/* --- Scores --- */

/* The best score of the event over all readings. */
static uint32_t score_of(const struct matcher *matcher, posting key)
{
    const struct search_slot *slot = &matcher->search->slots[posting_slot(key)];
    uint32_t best = 0;

    for (size_t i = 0; i < matcher->sought_count; i++) {
        const struct sought *sought = &matcher->soughts[i];
        uint32_t sum = 0;
        size_t at = 0;

        for (; at < sought->count; at++) {
            const uint32_t penalty = runs_penalty(&sought->words[at], key);
            if (penalty == UINT32_MAX)
                break;
            sum += penalty;
        }
        if (at < sought->count)
            continue;
        if (sum > 0 || slot->name_hash != sought->hash)
            sum += NOT_WHOLE;
        if (SCORE_MAX - sum - sought->penalty > best)
            best = SCORE_MAX - sum - sought->penalty;
    }
    return best;
}

/* --- Offering --- */

/* May an event of this score, which starts in this second, still come among the hits? */
static bool may_enter(const struct best *best, uint32_t score, uint32_t second)
{
    if (!best_is_full(best) || best->hits[0].score < score)
        return true;
    return best->hits[0].score == score && second <= search_second(best->hits[0].starts_at_ms);
}

static bool may_be_found(const struct matcher *matcher, uint32_t number)
{
    const struct search_query *query = matcher->query;
    const struct search_slot *slot = &matcher->search->slots[number];

    return slot->starts_at_ms >= query->starts_from_ms &&
           slot->starts_at_ms <= query->starts_to_ms && slot->ends_at_ms > query->ends_after_ms &&
           (query->keep == NULL || query->keep(query->arg, slot->event, number));
}

/* Offers an event whose score is not below `score`. */
static void offer(struct matcher *matcher, posting key, uint32_t score)
{
    const uint32_t number = posting_slot(key);
    const struct search_slot *slot = &matcher->search->slots[number];
    const uint64_t bit = UINT64_C(1) << number % BITS;

    if ((matcher->seen[number / BITS] & bit) != 0 ||
        !may_enter(&matcher->best, score, posting_second(key)))
        return;
    matcher->seen[number / BITS] |= bit;
    if (!may_be_found(matcher, number))
        return;
    matcher->kept_count++;

    const struct search_hit hit = {
        .event = slot->event,
        .slot = number,
        .starts_at_ms = slot->starts_at_ms,
        .score = score_of(matcher, key),
    };
    assert(hit.score >= score);
    if (matcher->query->after == NULL || search_hit_compare(matcher->query->after, &hit) < 0)
        best_add(&matcher->best, &hit);
}

/* --- Walking --- */

/* The sum of the other words' penalties, or UINT32_MAX. Keys ascend. */
static uint32_t others_penalty(const struct sought *sought, size_t word, posting key)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < sought->count; i++) {
        if (i == word)
            continue;
        const uint32_t penalty = runs_penalty_next(&sought->words[i], key);
        if (penalty == UINT32_MAX)
            return UINT32_MAX;
        sum += penalty;
    }
    return sum;
}

/* The least that the other words can cost in what no walk has been through; UINT32_MAX: nothing is left. */
static uint32_t others_least(const struct sought *sought, size_t word)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < sought->count; i++) {
        const struct word_runs *runs = &sought->words[i];
        size_t at = 0;

        if (i == word)
            continue;
        while (at < runs->count && runs->runs[at].walked)
            at++;
        if (at == runs->count)
            return UINT32_MAX;
        sum += runs->runs[at].penalty;
    }
    return sum;
}

static void walk(struct matcher *matcher, const struct sought *sought, size_t word,
                 const struct run *run)
{
    const uint32_t least = others_least(sought, word);
    const uint32_t own = SCORE_MAX - sought->penalty - NOT_WHOLE - run->penalty;
    const uint32_t *ends_s = matcher->search->ends_s;
    uint32_t at = run->begin.at;

    if (least == UINT32_MAX)
        return;
    for (size_t i = 0; i < sought->count; i++)
        runs_rewind(&sought->words[i]);
    for (uint32_t i = run->begin.leaf; i < list_leaf_count(run->list); i++, at = 0) {
        const struct leaf leaf = list_leaf(run->list, i);

        if (leaf.ends_max_s < matcher->ended_s && leaf.first <= run->last)
            continue;
        for (; at < leaf.count; at++) {
            const posting item = leaf.items[at];

            if (item > run->last || !may_enter(&matcher->best, own - least, posting_second(item)))
                return;
            if (ends_s[posting_slot(item)] < matcher->ended_s)
                continue;
            const uint32_t others = others_penalty(sought, word, item & POSTING_KEY_MASK);
            if (others != UINT32_MAX)
                offer(matcher, item & POSTING_KEY_MASK, own - others);
        }
    }
}

/* Events whose name is the query: first of all, so that the walks need not wait for one. */
static void walk_names(struct matcher *matcher, const struct sought *sought)
{
    const struct search *search = matcher->search;

    for (uint32_t number = search_first_named(search, sought->hash); number != SLOT_NONE;
         number = search->slots[number].next) {
        const struct search_slot *slot = &search->slots[number];
        const posting key = posting_of(0, search_second(slot->starts_at_ms), number);

        if (slot->name_hash != sought->hash || search->ends_s[number] < matcher->ended_s)
            continue;
        const uint32_t score = score_of(matcher, key);
        if (score > 0)
            offer(matcher, key, score);
    }
}

static size_t rarest_word(const struct sought *sought)
{
    size_t rarest = 0;

    for (size_t i = 1; i < sought->count; i++)
        if (sought->words[i].total < sought->words[rarest].total)
            rarest = i;
    return rarest;
}

/* Walks the runs of other words that are very short: without them, more is known of what is left. */
static void walk_short_runs(struct matcher *matcher, const struct sought *sought, size_t rarest)
{
    const size_t most = sought->words[rarest].total / WALKED_PART;

    for (size_t i = 0; i < sought->count; i++)
        for (size_t j = 0; i != rarest && j < sought->words[i].count; j++) {
            struct run *run = &sought->words[i].runs[j];

            if (run->count > most)
                continue;
            walk(matcher, sought, i, run);
            run->walked = true;
        }
}

static void walk_reading(struct matcher *matcher, const struct sought *sought)
{
    const size_t rarest = rarest_word(sought);
    const struct word_runs *runs = &sought->words[rarest];

    walk_names(matcher, sought);
    walk_short_runs(matcher, sought, rarest);
    for (size_t i = 0; i < runs->count; i++)
        walk(matcher, sought, rarest, &runs->runs[i]);
}

/* --- All --- */

/* False if one of its words is nowhere. */
static bool seek_reading(const struct runs_query *query, const struct reading *reading,
                         struct sought *ret)
{
    struct runs_query own = *query;

    own.with_typos = query->with_typos && !reading->respaced;
    *ret = (struct sought){
        .reading = reading,
        .hash = reading_hash(reading),
        .words = arena_new_array(query->arena, struct word_runs, reading->count),
        .count = reading->count,
        .penalty = reading->respaced ? COST_RESPACED << COST_SHIFT : 0,
    };
    for (size_t i = 0; i < reading->count; i++) {
        runs_of(&own, &reading->words[i], i + 1 == reading->count, &ret->words[i]);
        if (ret->words[i].count == 0)
            return false;
    }
    return true;
}

static void find(struct matcher *matcher, const struct readings *readings, struct arena *arena,
                 bool with_typos)
{
    const struct search_query *query = matcher->query;
    const struct runs_query runs = {
        .search = matcher->search,
        .arena = arena,
        .from_s = search_second(query->starts_from_ms),
        .to_s = search_second(query->starts_to_ms),
        .with_typos = with_typos,
    };

    memset(matcher->seen, 0, (matcher->search->slots_end / BITS + 1) * sizeof(uint64_t));
    matcher->best.count = 0;
    matcher->kept_count = 0;
    matcher->sought_count = 0;
    for (size_t i = 0; i < readings->count; i++)
        if (seek_reading(&runs, &readings->list[i], &matcher->soughts[matcher->sought_count]))
            matcher->sought_count++;
    for (size_t i = 0; i < matcher->sought_count; i++)
        walk_reading(matcher, &matcher->soughts[i]);
}

struct search_hits search_find(const struct search *search, struct arena *arena,
                               const struct search_query *query)
{
    UNINITIALIZED struct readings readings;
    struct matcher matcher = {
        .search = search,
        .query = query,
        .ended_s = search_second(query->ends_after_ms),
        /* Never so few that a full page hides whether enough is found. */
        .best.limit = query->limit > SEARCH_ENOUGH ? query->limit : SEARCH_ENOUGH,
    };

    assert(query->limit >= 1 && query->limit <= SEARCH_HITS_MAX);
    readings_of(&search->terms, query->text, &readings);
    if (readings.count == 0 || search->slots_end == 0)
        return (struct search_hits){0};
    matcher.best.hits = arena_new_array(arena, struct search_hit, matcher.best.limit);
    matcher.seen = arena_new_array(arena, uint64_t, search->slots_end / BITS + 1);
    find(&matcher, &readings, arena, false);
    if (matcher.kept_count < SEARCH_ENOUGH)
        find(&matcher, &readings, arena, true);
    best_sort(&matcher.best);
    return (struct search_hits){
        matcher.best.hits, matcher.best.count < query->limit ? matcher.best.count : query->limit};
}
