/* services/booking/search/terms.c - grows and shrinks the trie of words.
 *
 * One structure serves all kinds of match: a word is a path, what begins with it is a subtree, and
 * the misspelt is a walk that gives up early (typo.c). Nodes and terms are numbers in two
 * arrays, so that growing moves them in one piece; freed ones are kept in a list and used again. */

#include "services/booking/search/terms.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

enum { CAPACITY_MIN = 64, CHILDREN_NONE = 0 };

void terms_init(struct terms *terms)
{
    *terms = (struct terms){
        .terms_end = 1, /* number 0 is none, or the root */
        .terms_capacity = CAPACITY_MIN,
        .nodes_end = 1,
        .nodes_capacity = CAPACITY_MIN,
        .children_end = 1,
        .children_capacity = CAPACITY_MIN,
        .unions_end = 1,
        .unions_capacity = CAPACITY_MIN,
    };
    terms->terms = mem_alloc(CAPACITY_MIN * sizeof(terms->terms[0]));
    terms->nodes = mem_alloc(CAPACITY_MIN * sizeof(terms->nodes[0]));
    terms->children = mem_alloc(CAPACITY_MIN * sizeof(terms->children[0]));
    terms->unions = mem_alloc(CAPACITY_MIN * sizeof(terms->unions[0]));
}

void terms_done(struct terms *terms)
{
    for (uint32_t i = 1; i < terms->terms_end; i++)
        list_done(&terms->terms[i].list);
    for (uint32_t i = 1; i < terms->unions_end; i++)
        list_done(&terms->unions[i].list);
    mem_free(terms->children);
    mem_free(terms->unions);
    mem_free(terms->terms);
    mem_free(terms->nodes);
}

/* --- The trie --- */

/* The first child of the node whose letter is not below `letter`, or behind the last. */
static uint32_t find_place(const struct terms *terms, uint32_t node, uint32_t letter)
{
    uint32_t low = terms->nodes[node].children;
    uint32_t high = low + terms->nodes[node].child_count;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (terms->children[middle].letter < letter)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint32_t find_child(const struct terms *terms, uint32_t parent, uint32_t letter)
{
    const struct trie_node *node = &terms->nodes[parent];
    const uint32_t at = find_place(terms, parent, letter);

    return at < node->children + node->child_count && terms->children[at].letter == letter
               ? terms->children[at].node
               : NODE_NONE;
}

uint32_t terms_find_node(const struct terms *terms, const struct word *word)
{
    uint32_t node = NODE_ROOT;

    for (size_t i = 0; i < word->count; i++) {
        node = find_child(terms, node, word->letters[i]);
        if (node == NODE_NONE)
            return NODE_NONE;
    }
    return node;
}

uint32_t terms_settle(const struct terms *terms, uint32_t node)
{
    while (terms->nodes[node].term == TERM_NONE && terms->nodes[node].child_count == 1)
        node = terms->children[terms->nodes[node].children].node;
    return node;
}

void terms_each_below(const struct terms *terms, uint32_t node,
                      void (*fn)(void *arg, uint32_t term), void *arg)
{
    struct {
        uint32_t at;
        uint32_t end;
    } stack[WORD_LETTERS_MAX + 1];
    size_t depth = 0;

    for (;;) {
        const struct trie_node *entered = &terms->nodes[node];

        if (entered->term != TERM_NONE)
            fn(arg, entered->term);
        stack[depth].at = entered->children;
        stack[depth].end = stack[depth].at + entered->child_count;
        while (stack[depth].at == stack[depth].end)
            if (depth-- == 0)
                return;
        node = terms->children[stack[depth].at++].node;
        depth++;
        assert(depth <= WORD_LETTERS_MAX);
    }
}

static uint32_t take_node(struct terms *terms)
{
    const uint32_t free_node = terms->free_node;

    if (free_node != NODE_NONE) {
        terms->free_node = terms->nodes[free_node].parent;
        return free_node;
    }
    if (terms->nodes_end == terms->nodes_capacity) {
        terms->nodes_capacity *= 2;
        terms->nodes = mem_resize(terms->nodes, terms->nodes_capacity * sizeof(terms->nodes[0]));
    }
    return terms->nodes_end++;
}

static bool is_power_of_two(uint32_t n)
{
    return (n & (n - 1)) == 0;
}

/* Room for `count` children, a power of two. */
static uint32_t take_children(struct terms *terms, uint32_t count)
{
    uint32_t *free_children = &terms->free_children[__builtin_ctz(count)];
    const uint32_t children = *free_children;

    if (children != CHILDREN_NONE) {
        *free_children = terms->children[children].node;
        return children;
    }
    while (terms->children_end + count > terms->children_capacity) {
        terms->children_capacity *= 2;
        terms->children =
            mem_resize(terms->children, terms->children_capacity * sizeof(terms->children[0]));
    }
    terms->children_end += count;
    return terms->children_end - count;
}

static void give_children(struct terms *terms, uint32_t children, uint32_t count)
{
    uint32_t *free_children = &terms->free_children[__builtin_ctz(count)];

    terms->children[children].node = *free_children;
    *free_children = children;
}

/* Moves the node's children to where there is room for `room` of them. */
static void move_children(struct terms *terms, uint32_t number, uint32_t room, uint32_t had)
{
    const uint32_t to = take_children(terms, room);
    struct trie_node *node = &terms->nodes[number];

    memcpy(&terms->children[to], &terms->children[node->children],
           node->child_count * sizeof(struct trie_child));
    give_children(terms, node->children, had);
    node->children = to;
}

/* Tells the parent's entry where the node's children are. */
static void note_children(struct terms *terms, uint32_t number)
{
    const struct trie_node *node = &terms->nodes[number];

    if (number == NODE_ROOT)
        return;
    struct trie_child *entry = &terms->children[find_place(terms, node->parent, node->letter)];
    entry->children = node->children;
    entry->child_count = node->child_count;
}

static void insert_child(struct terms *terms, uint32_t parent, uint32_t letter, uint32_t child)
{
    const uint32_t count = terms->nodes[parent].child_count;

    if (count == 0)
        terms->nodes[parent].children = take_children(terms, 1);
    else if (is_power_of_two(count))
        move_children(terms, parent, 2 * count, count);

    struct trie_node *node = &terms->nodes[parent];
    const uint32_t at = find_place(terms, parent, letter);
    memmove(&terms->children[at + 1], &terms->children[at],
            (node->children + count - at) * sizeof(struct trie_child));
    terms->children[at] = (struct trie_child){.letter = letter, .node = child};
    node->child_count++;
    note_children(terms, parent);
}

static void erase_child(struct terms *terms, uint32_t parent, uint32_t letter)
{
    struct trie_node *node = &terms->nodes[parent];
    const uint32_t at = find_place(terms, parent, letter);
    const uint32_t count = --node->child_count;

    memmove(&terms->children[at], &terms->children[at + 1],
            (node->children + count - at) * sizeof(struct trie_child));
    if (count == 0)
        give_children(terms, node->children, 1);
    else if (is_power_of_two(count))
        move_children(terms, parent, count, 2 * count);
    note_children(terms, parent);
}

static uint32_t add_child(struct terms *terms, uint32_t parent, uint32_t letter)
{
    const uint32_t there = find_child(terms, parent, letter);

    if (there != NODE_NONE)
        return there;
    const uint32_t node = take_node(terms);

    terms->nodes[node] = (struct trie_node){.letter = letter, .parent = parent};
    insert_child(terms, parent, letter, node);
    return node;
}

/* Removes `node` and the letters before it, as far as nothing else needs them. */
static void prune(struct terms *terms, uint32_t node)
{
    while (node != NODE_ROOT && terms->nodes[node].child_count == 0 &&
           terms->nodes[node].term == TERM_NONE) {
        const struct trie_node gone = terms->nodes[node];

        assert(gone.count == 0 && gone.union_number == UNION_NONE);
        erase_child(terms, gone.parent, gone.letter);
        terms->nodes[node] = (struct trie_node){.parent = terms->free_node};
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
    uint32_t node = NODE_ROOT;

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
