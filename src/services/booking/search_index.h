/* services/booking/search_index.h - what a struct search is made of; for search*.c alone. */
#pragma once

#include "base/map.h"
#include "services/booking/search.h"
#include "services/booking/search_terms.h"

/* What must be taken out of the vocabulary when the event goes. */
struct search_said {
    uint32_t slot;
    uint32_t term_count;
    uint32_t terms[]; /* ascending */
};

/* The part of an event that ranking reads: side by side in one array. */
struct search_slot {
    struct uuid event;
    int64_t starts_at_ms;
    uint64_t name_hash;       /* of the name's sequence of parts */
    struct search_said *said; /* NULL: free */
    uint32_t next_free;
};

enum { SLOT_NONE = UINT32_MAX };

struct search {
    struct terms terms;
    struct map *by_event; /* 16 bytes of uuid to struct search_said */
    struct search_slot *slots;
    uint32_t slots_end;
    uint32_t slots_capacity;
    uint32_t free_slot; /* SLOT_NONE: none */
};
