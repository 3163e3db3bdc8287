/* services/booking/search/list.h - a sorted list of postings that is cheap to change in the middle.
 *
 * A posting is one number: in which field of which event a word stands. Numbers ascend by field,
 * then by the event's start, then by its slot, so the postings of one field are a range, and
 * reading it yields events in the order in which equal hits are shown. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a word stands, in order of weight. */
enum field {
    FIELD_NAME,
    FIELD_ARTIST,
    FIELD_VENUE,
    FIELD_CITY,
    FIELD_COUNT,
};

/* field, 2 bits | start in seconds, 32 bits | slot, 28 bits */
typedef uint64_t posting;

enum {
    POSTING_SLOT_BITS = 28,
    POSTING_KEY_BITS = 60, /* second and slot */
    LEAF_POSTINGS_MAX = 128,
};
#define POSTING_KEY_MASK (((posting)1 << POSTING_KEY_BITS) - 1)

static inline posting posting_of(unsigned field, uint32_t second, uint32_t slot)
{
    return (posting)field << POSTING_KEY_BITS | (posting)second << POSTING_SLOT_BITS | slot;
}

static inline uint32_t posting_slot(posting item)
{
    return (uint32_t)item & ((1u << POSTING_SLOT_BITS) - 1);
}

static inline uint32_t posting_second(posting item)
{
    return (uint32_t)(item >> POSTING_SLOT_BITS);
}

/* A run of neighbours. */
struct leaf {
    posting first;
    posting *items;
    uint32_t count;
    uint32_t ends_max_s; /* no event of these ends later; may be too high, never too low */
};

/* Zeroed: empty. Few postings are one flat array, more are leaves. */
struct list {
    union {
        posting *flat;
        struct leaf *leaves;
    };
    uint32_t count;      /* postings */
    uint32_t capacity;   /* of `flat` or `leaves` */
    uint32_t leaf_count; /* 0: flat */
};

void list_done(struct list *list);
/* `posting` is not there yet. `ends_s` tells by slot when an event ends; it is not kept. */
void list_put(struct list *list, posting item, const uint32_t *ends_s);
void list_remove(struct list *list, posting item, const uint32_t *ends_s); /* it is there */

/* --- Reading --- */

static inline uint32_t list_leaf_count(const struct list *list)
{
    return list->leaf_count > 0 ? list->leaf_count : list->count > 0;
}

static inline struct leaf list_leaf(const struct list *list, uint32_t at)
{
    if (list->leaf_count > 0)
        return list->leaves[at];
    return (struct leaf){list->flat[0], list->flat, list->count, UINT32_MAX};
}

/* A place in a list: before a posting, or behind the last (leaf == list_leaf_count). */
struct list_place {
    uint32_t leaf;
    uint32_t at;
};

/* The first posting from `place` on that is not below `item`; quick where it is near. */
struct list_place list_seek(const struct list *list, struct list_place place, posting item);
bool list_has(const struct list *list, posting item);
