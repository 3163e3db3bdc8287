/* services/booking/search/best.c - a heap of as many hits as are asked for. */

#include "services/booking/search/best.h"

int search_hit_compare(const struct search_hit *a, const struct search_hit *b)
{
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    if (a->starts_at_ms != b->starts_at_ms)
        return a->starts_at_ms < b->starts_at_ms ? -1 : 1;
    return uuid_compare(a->event, b->event);
}

static bool is_worse(const struct best *best, size_t a, size_t b)
{
    return search_hit_compare(&best->hits[a], &best->hits[b]) > 0;
}

static void swap_hits(struct best *best, size_t a, size_t b)
{
    const struct search_hit hit = best->hits[a];

    best->hits[a] = best->hits[b];
    best->hits[b] = hit;
}

static void sift_up(struct best *best, size_t at)
{
    while (at > 0 && is_worse(best, at, (at - 1) / 2)) {
        swap_hits(best, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

static void sift_down(struct best *best, size_t count)
{
    for (size_t at = 0;;) {
        size_t worst = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++)
            if (is_worse(best, child, worst))
                worst = child;
        if (worst == at)
            return;
        swap_hits(best, at, worst);
        at = worst;
    }
}

void best_add(struct best *best, const struct search_hit *hit)
{
    if (!best_is_full(best)) {
        best->hits[best->count] = *hit;
        sift_up(best, best->count++);
    } else if (search_hit_compare(hit, &best->hits[0]) < 0) {
        best->hits[0] = *hit;
        sift_down(best, best->count);
    }
}

/* Takes the worst off the heap again and again, which leaves them sorted. */
void best_sort(struct best *best)
{
    for (size_t end = best->count; end > 1; end--) {
        swap_hits(best, 0, end - 1);
        sift_down(best, end - 1);
    }
}
