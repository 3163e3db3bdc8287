/* services/booking/search/unions.c - lists of events for beginnings that very many words share.
 *
 * A node of the trie under which many postings stand has a list of its own, the union of those of
 * its terms; so "s" is answered as quickly as a whole word. Nodes on the way to a single
 * term need none (terms_settle). An event puts one posting into a union, whatever number of its words
 * begin so: it is the first that is seen in a change, as terms are visited by weight of field. */

#include "services/booking/search/unions.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* --- Gathering --- */

struct gathered {
    const struct terms *terms;
    posting *postings;
    size_t count;
};

static void gather(void *arg, uint32_t term)
{
    struct gathered *gathered = arg;
    const struct list *list = &gathered->terms->terms[term].list;

    for (uint32_t i = 0; i < list_leaf_count(list); i++) {
        const struct leaf leaf = list_leaf(list, i);
        memcpy(gathered->postings + gathered->count, leaf.items, leaf.count * sizeof(posting));
        gathered->count += leaf.count;
    }
}

/* --- Making and dropping --- */

static bool is_worth_a_union(const struct terms *terms, uint32_t node)
{
    const struct trie_node *at = &terms->nodes[node];

    return at->count > UNION_FROM_POSTINGS && at->union_number == UNION_NONE &&
           at->child_count > 0 && terms_settle(terms, node) == node;
}

static uint32_t take_union(struct terms *terms)
{
    const uint32_t free_union = terms->free_union;

    if (free_union != UNION_NONE) {
        terms->free_union = terms->unions[free_union].next_free;
        return free_union;
    }
    if (terms->unions_end == terms->unions_capacity) {
        terms->unions_capacity *= 2;
        terms->unions =
            mem_resize(terms->unions, terms->unions_capacity * sizeof(terms->unions[0]));
    }
    return terms->unions_end++;
}

static int compare_postings(const void *a, const void *b)
{
    const posting x = *(const posting *)a;
    const posting y = *(const posting *)b;

    return (x > y) - (x < y);
}

/* By event, and then by field: the number turned round. */
static posting turn(posting item)
{
    return (item & POSTING_KEY_MASK) << SAID_FIELD_BITS | item >> POSTING_KEY_BITS;
}

static posting turn_back(posting turned)
{
    return (turned & ((1u << SAID_FIELD_BITS) - 1)) << POSTING_KEY_BITS | turned >> SAID_FIELD_BITS;
}

static void make_union(struct terms *terms, uint32_t node, const uint32_t *ends_s)
{
    const uint32_t number = take_union(terms);
    struct term_union *made = &terms->unions[number];
    posting *postings = mem_alloc(terms->nodes[node].count * sizeof(posting));
    struct gathered gathered = {.terms = terms, .postings = postings};
    size_t kept = 0;

    *made = (struct term_union){.change = terms->change};
    terms_each_below(terms, node, gather, &gathered);
    const size_t count = gathered.count;
    for (size_t i = 0; i < count; i++)
        postings[i] = turn(postings[i]);
    qsort(postings, count, sizeof(posting), compare_postings);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 ||
            (turn_back(postings[kept - 1]) & POSTING_KEY_MASK) != postings[i] >> SAID_FIELD_BITS)
            postings[kept++] = postings[i];
    for (size_t i = 0; i < kept; i++)
        postings[i] = turn_back(postings[i]);
    qsort(postings, kept, sizeof(posting), compare_postings);
    for (size_t i = 0; i < kept; i++)
        list_put(&made->list, postings[i], ends_s);
    mem_free(postings);
    terms->nodes[node].union_number = number;
}

static void drop_union(struct terms *terms, uint32_t node)
{
    const uint32_t number = terms->nodes[node].union_number;

    list_done(&terms->unions[number].list);
    terms->unions[number].next_free = terms->free_union;
    terms->free_union = number;
    terms->nodes[node].union_number = UNION_NONE;
}

/* --- Changing --- */

/* The union of the node, if this change has not been there yet. */
static struct list *union_of(struct terms *terms, uint32_t node)
{
    struct term_union *at = &terms->unions[terms->nodes[node].union_number];

    if (terms->nodes[node].union_number == UNION_NONE || at->change == terms->change)
        return NULL;
    at->change = terms->change;
    return &at->list;
}

static void put_term(struct terms *terms, said_term said, posting key, const uint32_t *ends_s)
{
    struct term *term = &terms->terms[said_term_number(said)];
    const posting item = (uint64_t)said_term_field(said) << POSTING_KEY_BITS | key;

    list_put(&term->list, item, ends_s);
    for (uint32_t node = term->node; node != NODE_NONE; node = terms->nodes[node].parent) {
        struct list *list = union_of(terms, node);
        if (list != NULL)
            list_put(list, item, ends_s);
        terms->nodes[node].count++;
    }
}

void unions_put(struct terms *terms, const said_term *said, size_t count, posting key,
                const uint32_t *ends_s)
{
    terms->change++;
    for (unsigned field = 0; field < FIELD_COUNT; field++)
        for (size_t i = 0; i < count; i++)
            if (said_term_field(said[i]) == field)
                put_term(terms, said[i], key, ends_s);
    for (size_t i = 0; i < count; i++)
        for (uint32_t node = terms->terms[said_term_number(said[i])].node; node != NODE_NONE;
             node = terms->nodes[node].parent)
            if (is_worth_a_union(terms, node))
                make_union(terms, node, ends_s);
}

static void remove_term(struct terms *terms, said_term said, posting key, const uint32_t *ends_s)
{
    struct term *term = &terms->terms[said_term_number(said)];
    const posting item = (uint64_t)said_term_field(said) << POSTING_KEY_BITS | key;

    for (uint32_t node = term->node; node != NODE_NONE; node = terms->nodes[node].parent) {
        struct list *list = union_of(terms, node);
        if (list != NULL)
            list_remove(list, item, ends_s);
        terms->nodes[node].count--;
        if (terms->nodes[node].union_number != UNION_NONE &&
            terms->nodes[node].count < UNION_FROM_POSTINGS / 2)
            drop_union(terms, node);
    }
    list_remove(&term->list, item, ends_s);
    if (term->list.count == 0)
        terms_forget(terms, said_term_number(said));
}

void unions_remove(struct terms *terms, const said_term *said, size_t count, posting key,
                   const uint32_t *ends_s)
{
    terms->change++;
    for (unsigned field = 0; field < FIELD_COUNT; field++)
        for (size_t i = 0; i < count; i++)
            if (said_term_field(said[i]) == field)
                remove_term(terms, said[i], key, ends_s);
}
