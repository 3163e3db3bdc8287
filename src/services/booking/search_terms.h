/* services/booking/search_terms.h - a trie of all words, each with the events that say it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "services/booking/search_words.h"

enum {
    TERM_NONE = 0,
    NODE_NONE = 0,
    TERM_ROOTS = 256, /* first letters are hashed: Han alone has thousands */
};

/* Where a word stands, in order of weight. */
enum field {
    FIELD_NAME,
    FIELD_ARTIST,
    FIELD_VENUE,
    FIELD_CITY,
    FIELD_COUNT,
};

/* An event that says the term: its slot above, one bit for each field below. */
typedef uint32_t posting;
enum { POSTING_SLOT_SHIFT = FIELD_COUNT, POSTING_FIELDS = (1 << FIELD_COUNT) - 1 };

struct term {
    posting *postings; /* ascending by slot */
    uint32_t count;
    uint32_t capacity;
    uint32_t node; /* the last letter; of a free one: the next free one */
};

struct trie_node {
    uint32_t letter;
    uint32_t parent; /* NODE_NONE: a first letter */
    uint32_t child;  /* the first of its children, which are ascending by letter */
    uint32_t next;   /* sibling; of a free one: the next free one */
    uint32_t term;   /* that ends here, or TERM_NONE */
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
    uint32_t roots[TERM_ROOTS]; /* siblings of the same low byte */
};

void terms_init(struct terms *terms);
void terms_done(struct terms *terms);

/* The node of the word's last letter, or NODE_NONE: no term begins like that. */
uint32_t terms_find_node(const struct terms *terms, const struct word *word);
/* The next node below `top` in preorder, or NODE_NONE after the last; starts behind `top`. */
uint32_t terms_next_below(const struct terms *terms, uint32_t top, uint32_t node);
/* The same, but passing over what is below `node`. */
uint32_t terms_next_beside(const struct terms *terms, uint32_t top, uint32_t node);

/* The number of the word's term, a new one if need be: that must get a posting. */
uint32_t terms_add(struct terms *terms, const struct word *word);
void terms_put_posting(struct terms *terms, uint32_t number, uint32_t slot, uint32_t fields);
/* Removes the posting of `slot`, and the term with its last one. */
void terms_remove_posting(struct terms *terms, uint32_t number, uint32_t slot);
