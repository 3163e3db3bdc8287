/* services/booking/search/terms.h - a trie of all words, each with the events that say it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "services/booking/search/list.h"
#include "services/booking/search/words.h"

enum {
    TERM_NONE = 0,
    NODE_ROOT = 0, /* of the empty word */
    NODE_NONE = 0, /* what is no node: nothing leads to the root */
    UNION_NONE = 0,
    TERM_CHILDREN_CLASSES = 24,
};

struct term {
    struct list list; /* the events that say it, each once, with the weightiest field */
    uint32_t node;    /* the last letter; of a free one: the next free one */
};

struct trie_node {
    uint32_t letter;
    uint32_t parent;       /* of a free one: the next free one */
    uint32_t term;         /* that ends here, or TERM_NONE */
    uint32_t count;        /* of the postings of all terms that begin here */
    uint32_t union_number; /* the list of them all (unions.h), or UNION_NONE */
    uint32_t children;     /* the first in terms->children: side by side, ascending by letter */
    uint32_t child_count;
};

/* What a walk needs of a node, beside its siblings: most siblings end in their letter, so few nodes
 * are entered, and none is touched. */
struct trie_child {
    uint32_t letter;
    uint32_t node;
    uint32_t children; /* the node's */
    uint32_t child_count;
};

/* The events of all terms that begin alike, each once, with the weightiest field. */
struct term_union {
    struct list list;
    uint64_t change; /* the last that it has seen: see unions.c */
    uint32_t next_free;
};

struct terms {
    struct term *terms;
    uint32_t terms_end;
    uint32_t terms_capacity;
    uint32_t free_term;
    uint32_t term_count;
    struct trie_node *nodes;
    uint32_t nodes_end;
    uint32_t nodes_capacity;
    uint32_t free_node;
    struct trie_child *children;
    uint32_t children_end;
    uint32_t children_capacity;
    uint32_t
        free_children[TERM_CHILDREN_CLASSES]; /* room for 1, 2, 4, ... of them; CHILDREN_NONE */
    struct term_union *unions;
    uint32_t unions_end;
    uint32_t unions_capacity;
    uint32_t free_union;
    uint64_t change; /* counts the events put and removed */
};

void terms_init(struct terms *terms);
void terms_done(struct terms *terms);

/* The node of the word's last letter, or NODE_NONE: no term begins like that. */
uint32_t terms_find_node(const struct terms *terms, const struct word *word);
/* The first node from `node` on where anything is decided: a term ends, or paths part. The terms
 * that begin there are those that begin at `node`. */
uint32_t terms_settle(const struct terms *terms, uint32_t node);
/* Calls `fn` for each term that begins at `node`. */
void terms_each_below(const struct terms *terms, uint32_t node,
                      void (*fn)(void *arg, uint32_t term), void *arg);

/* The number of the word's term, a new one if need be: that must get a posting. */
uint32_t terms_add(struct terms *terms, const struct word *word);
/* The term is nobody's any more: its list is empty. */
void terms_forget(struct terms *terms, uint32_t number);
