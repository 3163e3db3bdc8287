/* services/booking/search/unions.h - puts events into the lists of their words, and of what many words begin with. */
#pragma once

#include "services/booking/search/terms.h"

enum { UNION_FROM_POSTINGS = 256 /* fewer are gathered when they are asked for */ };

/* A term with the weightiest field in which an event says it. */
typedef uint32_t said_term;
enum { SAID_FIELD_BITS = 2 };

static inline said_term said_term_of(uint32_t term, unsigned field)
{
    return term << SAID_FIELD_BITS | field;
}

static inline uint32_t said_term_number(said_term said)
{
    return said >> SAID_FIELD_BITS;
}

static inline unsigned said_term_field(said_term said)
{
    return said & ((1u << SAID_FIELD_BITS) - 1);
}

/* The event of `key` (second and slot) says these terms, each once. */
void unions_put(struct terms *terms, const said_term *said, size_t count, posting key,
                const uint32_t *ends_s);
/* And now no more: the very same. Terms that nobody says are forgotten. */
void unions_remove(struct terms *terms, const said_term *said, size_t count, posting key,
                   const uint32_t *ends_s);
