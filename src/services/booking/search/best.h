/* services/booking/search/best.h - the best hits so far. */
#pragma once

#include "services/booking/search/search.h"

struct best {
    struct search_hit *hits; /* a heap with the worst on top */
    size_t count;
    size_t limit;
};

void best_add(struct best *best, const struct search_hit *hit); /* the worst may fall out */
void best_sort(struct best *best);                              /* ends it: best first */

static inline bool best_is_full(const struct best *best)
{
    return best->count == best->limit;
}
