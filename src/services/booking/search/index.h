/* services/booking/search/index.h - what a struct search is made of; for search*.c alone. */
#pragma once

#include "services/booking/search/search.h"
#include "services/booking/search/unions.h"

/* What must be taken out of the vocabulary when the event goes. */
struct search_said {
    uint32_t term_count;
    said_term terms[];
};

/* What ranking reads of an event: side by side in one array. */
struct search_slot {
    struct uuid event;
    int64_t starts_at_ms;
    int64_t ends_at_ms;
    uint64_t name_hash;       /* of the name's sequence of parts */
    struct search_said *said; /* NULL: free */
    uint32_t
        next; /* of a free one: the next free one; else the next whose name_hash falls together */
    uint32_t before;
    uint32_t next_by_id; /* whose id falls together with this one's */
};

enum { SLOT_NONE = UINT32_MAX };

struct search {
    struct terms terms;
    struct search_slot *slots;
    uint32_t *ends_s; /* by slot: of ends_at_ms; small, because it is read for every posting */
    uint32_t slots_end;
    uint32_t slots_capacity; /* a power of two */
    uint32_t free_slot;      /* SLOT_NONE: none */
    uint32_t event_count;
    uint32_t *ids;   /* slots_capacity chains: the first slot by the event's id, or SLOT_NONE */
    uint32_t *names; /* the same by name_hash */
};

/* An instant as postings know it: ascending with it, but not beyond what 32 bits hold. */
uint32_t search_second(int64_t ms);
/* The first slot of the chain in which names of this hash are. */
uint32_t search_first_named(const struct search *search, uint64_t name_hash);
