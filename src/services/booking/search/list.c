/* services/booking/search/list.c - leaves of up to 128 postings under one directory.
 *
 * Putting moves at most one leaf and the directory: 1 KiB and, of a list of 100,000 postings,
 * some 30 KiB. The directory also says when the events of a leaf have all ended, so that what is
 * over is passed by in one step. */

#include "services/booking/search/list.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

enum { FLAT_MIN = 1, DIRECTORY_MIN = 4 };

void list_done(struct list *list)
{
    for (uint32_t i = 0; i < list->leaf_count; i++)
        mem_free(list->leaves[i].items);
    mem_free(list->leaf_count > 0 ? (void *)list->leaves : (void *)list->flat);
    *list = (struct list){0};
}

/* --- Finding --- */

/* The first index in [low, high) whose posting is not below `item`, else `high`. */
static uint32_t bisect(const posting *items, uint32_t low, uint32_t high, posting item)
{
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (items[middle] < item)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The same, in steps that double from `low` on. */
static uint32_t gallop(const posting *items, uint32_t low, uint32_t end, posting item)
{
    uint32_t step = 1;

    while (low + step < end && items[low + step] < item) {
        low += step;
        step *= 2;
    }
    return bisect(items, low, low + step < end ? low + step : end, item);
}

/* The last leaf from `low` on that begins at or below `posting`, else `low`. */
static uint32_t gallop_leaf(const struct list *list, uint32_t low, posting item)
{
    uint32_t step = 1;

    while (low + step < list->leaf_count && list->leaves[low + step].first <= item) {
        low += step;
        step *= 2;
    }
    uint32_t high = low + step < list->leaf_count ? low + step : list->leaf_count;
    while (low + 1 < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (list->leaves[middle].first <= item)
            low = middle;
        else
            high = middle;
    }
    return low;
}

struct list_place list_seek(const struct list *list, struct list_place place, posting item)
{
    if (place.leaf >= list_leaf_count(list))
        return place;
    if (list->leaf_count == 0) {
        place.at = gallop(list->flat, place.at, list->count, item);
        return place.at < list->count ? place : (struct list_place){1, 0};
    }
    const uint32_t leaf = gallop_leaf(list, place.leaf, item);
    const uint32_t from = leaf == place.leaf ? place.at : 0;
    const struct leaf *found = &list->leaves[leaf];
    const uint32_t at = gallop(found->items, from, found->count, item);

    return at < found->count ? (struct list_place){leaf, at} : (struct list_place){leaf + 1, 0};
}

bool list_has(const struct list *list, posting item)
{
    const struct list_place place = list_seek(list, (struct list_place){0}, item);

    return place.leaf < list_leaf_count(list) &&
           list_leaf(list, place.leaf).items[place.at] == item;
}

/* --- Changing --- */

static void insert(posting *items, uint32_t count, uint32_t at, posting item)
{
    memmove(items + at + 1, items + at, (count - at) * sizeof(items[0]));
    items[at] = item;
}

static void erase(posting *items, uint32_t count, uint32_t at)
{
    memmove(items + at, items + at + 1, (count - at - 1) * sizeof(items[0]));
}

static void put_flat(struct list *list, posting item)
{
    const uint32_t at = bisect(list->flat, 0, list->count, item);

    if (list->count == list->capacity) {
        list->capacity = list->capacity > 0 ? list->capacity * 2 : FLAT_MIN;
        list->flat = mem_resize(list->flat, list->capacity * sizeof(posting));
    }
    insert(list->flat, list->count, at, item);
}

static void measure_ends(struct leaf *leaf, const uint32_t *ends_s)
{
    leaf->ends_max_s = 0;
    for (uint32_t i = 0; i < leaf->count; i++) {
        const uint32_t one_s = ends_s[posting_slot(leaf->items[i])];
        if (one_s > leaf->ends_max_s)
            leaf->ends_max_s = one_s;
    }
}

/* A full flat array, which holds exactly a leaf, becomes the first leaf. */
static void grow_directory(struct list *list, const uint32_t *ends_s)
{
    posting *items = list->flat;

    list->leaves = mem_alloc(DIRECTORY_MIN * sizeof(list->leaves[0]));
    list->leaves[0] = (struct leaf){.first = items[0], .items = items, .count = list->count};
    measure_ends(&list->leaves[0], ends_s);
    list->leaf_count = 1;
    list->capacity = DIRECTORY_MIN;
}

static void add_leaf(struct list *list, uint32_t at, const struct leaf *leaf)
{
    if (list->leaf_count == list->capacity) {
        list->capacity *= 2;
        list->leaves = mem_resize(list->leaves, list->capacity * sizeof(list->leaves[0]));
    }
    memmove(list->leaves + at + 1, list->leaves + at,
            (list->leaf_count - at) * sizeof(list->leaves[0]));
    list->leaves[at] = *leaf;
    list->leaf_count++;
}

/* Makes room in the full leaf `at`: its upper half moves to a new one, but nothing where
 * `posting` comes behind everything, so that what is put in order fills its leaves. */
static void split_leaf(struct list *list, uint32_t at, posting item, const uint32_t *ends_s)
{
    struct leaf *full = &list->leaves[at];
    const bool behind = at + 1 == list->leaf_count && item > full->items[full->count - 1];
    const uint32_t kept = behind ? full->count : full->count / 2;
    struct leaf leaf = {
        .first = behind ? item : full->items[kept],
        .items = mem_alloc(LEAF_POSTINGS_MAX * sizeof(leaf.items[0])),
        .count = full->count - kept,
    };

    memcpy(leaf.items, full->items + kept, leaf.count * sizeof(leaf.items[0]));
    full->count = kept;
    measure_ends(full, ends_s);
    measure_ends(&leaf, ends_s);
    add_leaf(list, at + 1, &leaf);
}

static void put_in_leaf(struct list *list, posting item, const uint32_t *ends_s)
{
    const uint32_t one_s = ends_s[posting_slot(item)];
    uint32_t at = gallop_leaf(list, 0, item);

    if (list->leaves[at].count == LEAF_POSTINGS_MAX) {
        split_leaf(list, at, item, ends_s);
        at += item >= list->leaves[at + 1].first;
    }
    struct leaf *leaf = &list->leaves[at];
    insert(leaf->items, leaf->count, bisect(leaf->items, 0, leaf->count, item), item);
    leaf->count++;
    leaf->first = leaf->items[0];
    if (one_s > leaf->ends_max_s)
        leaf->ends_max_s = one_s;
}

void list_put(struct list *list, posting item, const uint32_t *ends_s)
{
    if (list->leaf_count == 0 && list->count == LEAF_POSTINGS_MAX)
        grow_directory(list, ends_s);
    if (list->leaf_count == 0)
        put_flat(list, item);
    else
        put_in_leaf(list, item, ends_s);
    list->count++;
}

/* The last leaf becomes a flat array again. */
static void drop_directory(struct list *list)
{
    struct leaf *leaves = list->leaves;

    list->flat = leaves[0].items;
    list->capacity = LEAF_POSTINGS_MAX;
    list->leaf_count = 0;
    mem_free(leaves);
}

static void remove_leaf(struct list *list, uint32_t at)
{
    struct leaf *leaf = &list->leaves[at];

    mem_free(leaf->items);
    list->leaf_count--;
    memmove(leaf, leaf + 1, (list->leaf_count - at) * sizeof(*leaf));
}

/* Two neighbours that are half empty together become one. */
static void join_next(struct list *list, uint32_t at, const uint32_t *ends_s)
{
    struct leaf *leaf = &list->leaves[at];
    const struct leaf *next = leaf + 1;

    if (at + 1 >= list->leaf_count || leaf->count + next->count > LEAF_POSTINGS_MAX / 2)
        return;
    memcpy(leaf->items + leaf->count, next->items, next->count * sizeof(leaf->items[0]));
    leaf->count += next->count;
    leaf->first = leaf->items[0];
    measure_ends(leaf, ends_s);
    remove_leaf(list, at + 1);
}

static void remove_from_leaf(struct list *list, posting item, const uint32_t *ends_s)
{
    const uint32_t at = gallop_leaf(list, 0, item);
    struct leaf *leaf = &list->leaves[at];
    const uint32_t index = bisect(leaf->items, 0, leaf->count, item);

    assert(index < leaf->count && leaf->items[index] == item);
    erase(leaf->items, leaf->count, index);
    leaf->count--;
    if (leaf->count == 0) {
        remove_leaf(list, at);
        return;
    }
    leaf->first = leaf->items[0];
    join_next(list, at, ends_s);
}

void list_remove(struct list *list, posting item, const uint32_t *ends_s)
{
    assert(list->count > 0);
    if (list->leaf_count > 0) {
        remove_from_leaf(list, item, ends_s);
        if (list->leaf_count == 1)
            drop_directory(list);
    } else {
        const uint32_t at = bisect(list->flat, 0, list->count, item);

        assert(at < list->count && list->flat[at] == item);
        erase(list->flat, list->count, at);
    }
    list->count--;
    if (list->count == 0)
        list_done(list);
}
