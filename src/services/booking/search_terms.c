/* services/booking/search_terms.c - grows and shrinks the trie of words.
 *
 * One structure serves all kinds of match: a word is a path, what begins with it is a subtree, and
 * the misspelt is a walk that gives up early (search_typo.c). Nodes and terms are numbers in two
 * arrays, so that growing moves them in one piece; freed ones are kept in a list and used again. */

#include "services/booking/search_terms.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

enum { CAPACITY_MIN = 64 };

void terms_init(struct terms *terms)
{
    *terms = (struct terms){
        .terms_end = 1, /* number 0 is none */
        .terms_capacity = CAPACITY_MIN,
        .nodes_end = 1,
        .nodes_capacity = CAPACITY_MIN,
        .unions_end = 1,
        .unions_capacity = CAPACITY_MIN,
    };
    terms->unions = mem_alloc(CAPACITY_MIN * sizeof(terms->unions[0]));
    terms->terms = mem_alloc(CAPACITY_MIN * sizeof(terms->terms[0]));
    terms->nodes = mem_alloc(CAPACITY_MIN * sizeof(terms->nodes[0]));
}

void terms_done(struct terms *terms)
{
    for (uint32_t i = 1; i < terms->terms_end; i++)
        list_done(&terms->terms[i].list);
    for (uint32_t i = 1; i < terms->unions_end; i++)
        list_done(&terms->unions[i].list);
    mem_free(terms->unions);
    mem_free(terms->terms);
    mem_free(terms->nodes);
}

/* --- The trie --- */

static uint32_t first_sibling(const struct terms *terms, uint32_t parent, uint32_t letter)
{
    return parent == NODE_NONE ? terms->roots[letter % TERM_ROOTS] : terms->nodes[parent].child;
}

static void set_first_sibling(struct terms *terms, uint32_t parent, uint32_t letter, uint32_t node)
{
    if (parent == NODE_NONE)
        terms->roots[letter % TERM_ROOTS] = node;
    else
        terms->nodes[parent].child = node;
}

/* The child of that letter, or NODE_NONE; *ret_before is the sibling before its place. */
static uint32_t find_child(const struct terms *terms, uint32_t parent, uint32_t letter,
                           uint32_t *ret_before)
{
    uint32_t before = NODE_NONE;
    uint32_t node = first_sibling(terms, parent, letter);

    while (node != NODE_NONE && terms->nodes[node].letter < letter) {
        before = node;
        node = terms->nodes[node].next;
    }
    *ret_before = before;
    return node != NODE_NONE && terms->nodes[node].letter == letter ? node : NODE_NONE;
}

uint32_t terms_find_node(const struct terms *terms, const struct word *word)
{
    uint32_t node = NODE_NONE;

    for (size_t i = 0; i < word->count; i++) {
        uint32_t before;
        node = find_child(terms, node, word->letters[i], &before);
        if (node == NODE_NONE)
            return NODE_NONE;
    }
    return node;
}

uint32_t terms_next_beside(const struct terms *terms, uint32_t top, uint32_t node)
{
    while (node != top) {
        if (terms->nodes[node].next != NODE_NONE)
            return terms->nodes[node].next;
        node = terms->nodes[node].parent;
    }
    return NODE_NONE;
}

uint32_t terms_next_below(const struct terms *terms, uint32_t top, uint32_t node)
{
    const uint32_t child = terms->nodes[node].child;

    return child != NODE_NONE ? child : terms_next_beside(terms, top, node);
}

uint32_t terms_settle(const struct terms *terms, uint32_t node)
{
    for (;;) {
        const uint32_t child = terms->nodes[node].child;

        if (terms->nodes[node].term != TERM_NONE || child == NODE_NONE ||
            terms->nodes[child].next != NODE_NONE)
            return node;
        node = child;
    }
}

static uint32_t take_node(struct terms *terms)
{
    const uint32_t free_node = terms->free_node;

    if (free_node != NODE_NONE) {
        terms->free_node = terms->nodes[free_node].next;
        return free_node;
    }
    if (terms->nodes_end == terms->nodes_capacity) {
        terms->nodes_capacity *= 2;
        terms->nodes = mem_resize(terms->nodes, terms->nodes_capacity * sizeof(terms->nodes[0]));
    }
    return terms->nodes_end++;
}

static uint32_t add_child(struct terms *terms, uint32_t parent, uint32_t letter)
{
    uint32_t before;
    uint32_t node = find_child(terms, parent, letter, &before);

    if (node != NODE_NONE)
        return node;
    node = take_node(terms);
    terms->nodes[node] = (struct trie_node){.letter = letter, .parent = parent};
    if (before == NODE_NONE) {
        terms->nodes[node].next = first_sibling(terms, parent, letter);
        set_first_sibling(terms, parent, letter, node);
    } else {
        terms->nodes[node].next = terms->nodes[before].next;
        terms->nodes[before].next = node;
    }
    return node;
}

/* Removes `node` and the letters before it, as far as nothing else needs them. */
static void prune(struct terms *terms, uint32_t node)
{
    while (node != NODE_NONE && terms->nodes[node].child == NODE_NONE &&
           terms->nodes[node].term == TERM_NONE) {
        const struct trie_node gone = terms->nodes[node];
        assert(gone.count == 0 && gone.union_number == UNION_NONE);
        uint32_t before;

        (void)find_child(terms, gone.parent, gone.letter, &before);
        if (before == NODE_NONE)
            set_first_sibling(terms, gone.parent, gone.letter, gone.next);
        else
            terms->nodes[before].next = gone.next;
        terms->nodes[node].next = terms->free_node;
        terms->free_node = node;
        node = gone.parent;
    }
}

/* --- Terms --- */

static uint32_t take_term(struct terms *terms)
{
    const uint32_t free_term = terms->free_term;

    terms->term_count++;
    if (free_term != TERM_NONE) {
        terms->free_term = terms->terms[free_term].node;
        return free_term;
    }
    if (terms->terms_end == terms->terms_capacity) {
        terms->terms_capacity *= 2;
        terms->terms = mem_resize(terms->terms, terms->terms_capacity * sizeof(terms->terms[0]));
    }
    return terms->terms_end++;
}

uint32_t terms_add(struct terms *terms, const struct word *word)
{
    uint32_t node = NODE_NONE;

    assert(word->count > 0);
    for (size_t i = 0; i < word->count; i++)
        node = add_child(terms, node, word->letters[i]);
    if (terms->nodes[node].term == TERM_NONE) {
        const uint32_t term = take_term(terms);
        terms->terms[term] = (struct term){.node = node};
        terms->nodes[node].term = term;
    }
    return terms->nodes[node].term;
}

void terms_forget(struct terms *terms, uint32_t number)
{
    struct term *term = &terms->terms[number];
    const uint32_t node = term->node;

    assert(term->list.count == 0);
    *term = (struct term){.node = terms->free_term};
    terms->free_term = number;
    terms->term_count--;
    terms->nodes[node].term = TERM_NONE;
    prune(terms, node);
}
