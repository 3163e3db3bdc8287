/* services/booking/search/runs.c - a word's terms, and those that it begins or misspells, as few ranges of lists.
 *
 * Long lists are read where they are. The many short ones of equal cost are gathered into one, so that whoever
 * asks for an event asks few lists. */

#include "services/booking/search/runs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "services/booking/search/typo.h"

enum { SOURCES_MIN = 16, RUNS_MIN = 8, GATHERED_MAX = UNION_FROM_POSTINGS };

/* A list with the cost of a match in it. */
struct source {
    const struct list *list;
    uint32_t cost;
};

struct builder {
    const struct runs_query *query;
    struct source *sources;
    size_t count;
    size_t capacity;
    uint32_t prefix_cost;
    uint32_t but; /* of add_node */
    uint32_t cost;
    struct word_runs *ret;
    size_t runs_capacity;
};

/* --- Lists of the word --- */

static void add_source(struct builder *builder, const struct list *list, uint32_t cost)
{
    if (builder->count == builder->capacity) {
        const size_t capacity = builder->capacity > 0 ? builder->capacity * 2 : SOURCES_MIN;
        struct source *wider = arena_new_array(builder->query->arena, struct source, capacity);

        if (builder->count > 0)
            memcpy(wider, builder->sources, builder->count * sizeof(wider[0]));
        builder->sources = wider;
        builder->capacity = capacity;
    }
    builder->sources[builder->count++] = (struct source){list, cost};
}

static void add_term(void *arg, uint32_t term)
{
    struct builder *builder = arg;

    if (term != builder->but)
        add_source(builder, &builder->query->search->terms.terms[term].list, builder->cost);
}

/* All terms that begin at the node, but not the one `but`, or TERM_NONE. */
static void add_node(struct builder *builder, uint32_t node, uint32_t but, uint32_t cost)
{
    const struct terms *terms = &builder->query->search->terms;
    const struct trie_node *top = &terms->nodes[terms_settle(terms, node)];

    if (top->union_number != UNION_NONE && top->child_count > 0) {
        add_source(builder, &terms->unions[top->union_number].list, cost);
        return;
    }
    builder->but = but;
    builder->cost = cost;
    terms_each_below(terms, terms_settle(terms, node), add_term, builder);
}

static void add_typo(void *arg, const struct typo *typo)
{
    struct builder *builder = arg;
    const uint32_t cost =
        typo->edits * COST_EDIT + (typo->first_letter ? (uint32_t)COST_FIRST_LETTER : 0);
    const struct terms *terms = &builder->query->search->terms;

    if (typo->prefix)
        add_node(builder, typo->node, TERM_NONE, cost + builder->prefix_cost);
    else
        add_source(builder, &terms->terms[terms->nodes[typo->node].term].list, cost);
}

/* --- Ranges of lists --- */

static uint32_t field_penalty(unsigned field)
{
    static const uint8_t penalties[FIELD_COUNT] = {0, 4, 6, 7};

    return penalties[field];
}

static uint32_t count_between(const struct list *list, struct list_place from, struct list_place to)
{
    if (from.leaf == to.leaf)
        return to.at - from.at;
    if (list->leaf_count == 0)
        return list->count - from.at;
    return (to.leaf - from.leaf) * (list->count / list->leaf_count) + 1;
}

static void add_run(struct builder *builder, const struct run *run)
{
    struct word_runs *ret = builder->ret;

    if (ret->count == builder->runs_capacity) {
        const size_t capacity = builder->runs_capacity > 0 ? builder->runs_capacity * 2 : RUNS_MIN;
        struct run *wider = arena_new_array(builder->query->arena, struct run, capacity);

        if (ret->count > 0)
            memcpy(wider, ret->runs, ret->count * sizeof(wider[0]));
        ret->runs = wider;
        builder->runs_capacity = capacity;
    }
    ret->runs[ret->count++] = *run;
    ret->total += run->count;
}

static void add_ranges(struct builder *builder, const struct list *list, uint32_t cost)
{
    const struct runs_query *query = builder->query;
    struct list_place place = {0};

    for (unsigned field = 0; field < FIELD_COUNT; field++) {
        struct run run = {
            .list = list,
            .first = posting_of(field, query->from_s, 0),
            .last = posting_of(field, query->to_s, (1u << POSTING_SLOT_BITS) - 1),
            .penalty = (cost << COST_SHIFT) + field_penalty(field),
        };

        place = list_seek(list, place, run.first);
        if (place.leaf == list_leaf_count(list))
            return;
        if (list_leaf(list, place.leaf).items[place.at] > run.last)
            continue;
        run.begin = place;
        place = list_seek(list, place, run.last + 1);
        run.count = count_between(list, run.begin, place);
        add_run(builder, &run);
    }
}

static int compare_postings(const void *a, const void *b)
{
    const posting x = *(const posting *)a;
    const posting y = *(const posting *)b;

    return (x > y) - (x < y);
}

/* The short ones of sources [at, end) as one list of its own. */
static void add_gathered(struct builder *builder, size_t at, size_t end)
{
    struct list *gathered = arena_new(builder->query->arena, struct list);
    size_t room = 0;

    for (size_t i = at; i < end; i++)
        if (builder->sources[i].list->count <= GATHERED_MAX)
            room += builder->sources[i].list->count;
    if (room == 0)
        return;
    gathered->flat = arena_new_array(builder->query->arena, posting, room);
    for (size_t i = at; i < end; i++) {
        const struct list *list = builder->sources[i].list;
        if (list->count > GATHERED_MAX)
            continue;
        for (uint32_t j = 0; j < list_leaf_count(list); j++) {
            const struct leaf leaf = list_leaf(list, j);
            memcpy(gathered->flat + gathered->count, leaf.items, leaf.count * sizeof(posting));
            gathered->count += leaf.count;
        }
    }
    qsort(gathered->flat, gathered->count, sizeof(posting), compare_postings);
    add_ranges(builder, gathered, builder->sources[at].cost);
}

static int compare_sources(const void *a, const void *b)
{
    const struct source *x = a;
    const struct source *y = b;

    return (x->cost > y->cost) - (x->cost < y->cost);
}

static int compare_runs(const void *a, const void *b)
{
    const struct run *x = a;
    const struct run *y = b;

    return (x->penalty > y->penalty) - (x->penalty < y->penalty);
}

static void add_sources(struct builder *builder)
{
    const struct source *sources = builder->sources;

    qsort(builder->sources, builder->count, sizeof(sources[0]), compare_sources);
    for (size_t at = 0, end; at < builder->count; at = end) {
        for (end = at; end < builder->count && sources[end].cost == sources[at].cost; end++)
            if (sources[end].list->count > GATHERED_MAX)
                add_ranges(builder, sources[end].list, sources[end].cost);
        if (end - at > 1)
            add_gathered(builder, at, end);
        else if (sources[at].list->count <= GATHERED_MAX)
            add_ranges(builder, sources[at].list, sources[at].cost);
    }
    if (builder->ret->count > 1)
        qsort(builder->ret->runs, builder->ret->count, sizeof(struct run), compare_runs);
}

void runs_of(const struct runs_query *query, const struct word *word, bool is_last,
             struct word_runs *ret)
{
    const struct terms *terms = &query->search->terms;
    const uint32_t node = terms_find_node(terms, word);
    struct builder builder = {
        .query = query,
        .prefix_cost = is_last ? COST_LAST_PREFIX : COST_PREFIX,
        .ret = ret,
    };

    *ret = (struct word_runs){0};
    if (node != NODE_NONE) {
        const uint32_t term = terms->nodes[node].term;
        if (term != TERM_NONE)
            add_source(&builder, &terms->terms[term].list, 0);
        add_node(&builder, node, term, builder.prefix_cost);
    }
    if (query->with_typos)
        typo_each(terms, query->arena, word, is_last, add_typo, &builder);
    if (builder.count > 0)
        add_sources(&builder);
}

/* --- Asking --- */

uint32_t runs_penalty(const struct word_runs *runs, posting key)
{
    for (size_t i = 0; i < runs->count; i++) {
        const struct run *run = &runs->runs[i];
        if (list_has(run->list, (run->first & ~POSTING_KEY_MASK) | key))
            return run->penalty;
    }
    return UINT32_MAX;
}

uint32_t runs_penalty_next(struct word_runs *runs, posting key)
{
    for (size_t i = 0; i < runs->count; i++) {
        struct run *run = &runs->runs[i];
        const posting sought = (run->first & ~POSTING_KEY_MASK) | key;

        run->place = list_seek(run->list, run->place, sought);
        if (run->place.leaf < list_leaf_count(run->list) &&
            list_leaf(run->list, run->place.leaf).items[run->place.at] == sought)
            return run->penalty;
    }
    return UINT32_MAX;
}

void runs_rewind(struct word_runs *runs)
{
    for (size_t i = 0; i < runs->count; i++)
        runs->runs[i].place = runs->runs[i].begin;
}
