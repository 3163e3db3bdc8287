/* services/booking/search/search.c - puts events into the index and takes them out again.
 *
 * An event remembers its terms, so that removing it costs what putting it did and leaves nothing
 * behind: no tombstones, no rebuilding, and words that nobody says any more are forgotten. */

#include "services/booking/search/search.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "services/booking/search/index.h"

enum { SLOTS_MIN = 64 };

/* --- Slots --- */

uint32_t search_second(int64_t ms)
{
    const int64_t second = ms >= 0 ? ms / 1000 : 0;

    return second < UINT32_MAX ? (uint32_t)second : UINT32_MAX;
}

static uint32_t *chain_of(const struct search *search, uint64_t name_hash)
{
    return &search->names[name_hash >> 32 & (search->slots_capacity - 1)];
}

uint32_t search_first_named(const struct search *search, uint64_t name_hash)
{
    return *chain_of(search, name_hash);
}

static void link_name(struct search *search, uint32_t number)
{
    struct search_slot *slot = &search->slots[number];
    uint32_t *first = chain_of(search, slot->name_hash);

    slot->before = SLOT_NONE;
    slot->next = *first;
    if (slot->next != SLOT_NONE)
        search->slots[slot->next].before = number;
    *first = number;
}

static void unlink_name(struct search *search, uint32_t number)
{
    const struct search_slot *slot = &search->slots[number];

    if (slot->before == SLOT_NONE)
        *chain_of(search, slot->name_hash) = slot->next;
    else
        search->slots[slot->before].next = slot->next;
    if (slot->next != SLOT_NONE)
        search->slots[slot->next].before = slot->before;
}

static uint32_t *id_chain_of(const struct search *search, struct uuid event)
{
    return &search->ids[uuid_hash(event) & (search->slots_capacity - 1)];
}

/* Where the event's slot is noted: the head of its chain, or the link before it. Holds SLOT_NONE if it is not in. */
static uint32_t *find_id(struct search *search, struct uuid event)
{
    uint32_t *link = id_chain_of(search, event);

    while (*link != SLOT_NONE && !uuid_eq(search->slots[*link].event, event))
        link = &search->slots[*link].next_by_id;
    return link;
}

static void link_id(struct search *search, uint32_t number)
{
    uint32_t *first = id_chain_of(search, search->slots[number].event);

    search->slots[number].next_by_id = *first;
    *first = number;
}

/* Only while all slots are taken. */
static void widen(struct search *search, uint32_t capacity)
{
    search->slots = mem_resize(search->slots, capacity * sizeof(search->slots[0]));
    search->ends_s = mem_resize(search->ends_s, capacity * sizeof(search->ends_s[0]));
    search->ids = mem_resize(search->ids, capacity * sizeof(search->ids[0]));
    search->names = mem_resize(search->names, capacity * sizeof(search->names[0]));
    search->slots_capacity = capacity;
    memset(search->ids, 0xFF, capacity * sizeof(search->ids[0])); /* SLOT_NONE */
    memset(search->names, 0xFF, capacity * sizeof(search->names[0]));
    for (uint32_t i = 0; i < search->slots_end; i++) {
        link_id(search, i);
        link_name(search, i);
    }
}

static uint32_t take_slot(struct search *search)
{
    const uint32_t slot = search->free_slot;

    if (slot != SLOT_NONE) {
        search->free_slot = search->slots[slot].next;
        return slot;
    }
    if (search->slots_end == search->slots_capacity)
        widen(search, search->slots_capacity * 2);
    return search->slots_end++;
}

/* --- All --- */

struct search *search_open(void)
{
    struct search *search = mem_new(struct search);

    terms_init(&search->terms);
    search->free_slot = SLOT_NONE;
    widen(search, SLOTS_MIN);
    return search;
}

void search_close(struct search *search)
{
    if (search == NULL)
        return;
    for (uint32_t i = 0; i < search->slots_end; i++)
        mem_free(search->slots[i].said);
    mem_free(search->slots);
    mem_free(search->ends_s);
    mem_free(search->ids);
    mem_free(search->names);
    terms_done(&search->terms);
    mem_free(search);
}

size_t search_event_count(const struct search *search)
{
    return search->event_count;
}

size_t search_term_count(const struct search *search)
{
    return search->terms.term_count;
}

size_t search_slots_end(const struct search *search)
{
    return search->slots_end;
}

/* --- Collecting --- */

/* The words of one event on their way into the vocabulary. */
struct collector {
    struct search *search;
    enum field field;
    uint64_t name_hash;
    size_t count;
    said_term said[SEARCH_EVENT_WORDS_MAX];
};

static void collect_word(void *arg, const struct word *word,
                         [[maybe_unused]] const struct letter_source *sources, unsigned flags)
{
    struct collector *collector = arg;

    if (collector->field == FIELD_NAME && (flags & WORD_PART) != 0)
        collector->name_hash = word_hash(word, collector->name_hash);
    if (collector->count < SEARCH_EVENT_WORDS_MAX)
        collector->said[collector->count++] =
            said_term_of(terms_add(&collector->search->terms, word), collector->field);
}

static void collect(struct collector *collector, enum field field, str text)
{
    collector->field = field;
    words_each(text, collect_word, collector);
}

static int compare_said(const void *a, const void *b)
{
    const said_term x = *(const said_term *)a;
    const said_term y = *(const said_term *)b;

    return (x > y) - (x < y);
}

/* Sorts, and keeps of each term the one in the weightiest field. */
static void merge(struct collector *collector)
{
    said_term *said = collector->said;
    size_t kept = 0;

    qsort(said, collector->count, sizeof(said[0]), compare_said);
    for (size_t i = 0; i < collector->count; i++)
        if (kept == 0 || said_term_number(said[kept - 1]) != said_term_number(said[i]))
            said[kept++] = said[i];
    collector->count = kept;
}

/* --- Putting and removing --- */

static posting posting_key(const struct search *search, uint32_t slot)
{
    return posting_of(0, search_second(search->slots[slot].starts_at_ms), slot);
}

static void take_out(struct search *search, uint32_t number)
{
    struct search_slot *slot = &search->slots[number];
    const struct search_said *said = slot->said;

    unions_remove(&search->terms, said->terms, said->term_count, posting_key(search, number),
                  search->ends_s);
    *find_id(search, slot->event) = slot->next_by_id;
    unlink_name(search, number);
    mem_free(slot->said);
    slot->said = NULL;
}

static void put_in(struct search *search, uint32_t slot, struct uuid event,
                   const struct search_event *said)
{
    struct collector collector = {.search = search};

    collect(&collector, FIELD_NAME, said->name);
    for (size_t i = 0; i < said->artist_count; i++)
        collect(&collector, FIELD_ARTIST, said->artists[i]);
    collect(&collector, FIELD_VENUE, said->venue);
    collect(&collector, FIELD_CITY, said->city);
    merge(&collector);

    const size_t size = collector.count * sizeof(said_term);
    struct search_said *kept = mem_alloc(sizeof(*kept) + size);
    kept->term_count = (uint32_t)collector.count;
    memcpy(kept->terms, collector.said, size);
    search->slots[slot] = (struct search_slot){
        .event = event,
        .starts_at_ms = said->starts_at_ms,
        .ends_at_ms = said->ends_at_ms,
        .name_hash = collector.name_hash,
        .said = kept,
    };
    search->ends_s[slot] = search_second(said->ends_at_ms);
    link_id(search, slot);
    link_name(search, slot);
    unions_put(&search->terms, kept->terms, kept->term_count, posting_key(search, slot),
               search->ends_s);
}

err search_put(struct search *search, struct uuid event, const struct search_event *said,
               size_t *ret_slot)
{
    uint32_t slot = *find_id(search, event);

    if (slot != SLOT_NONE) {
        take_out(search, slot);
    } else {
        if (search->event_count >= SEARCH_EVENTS_MAX)
            return ERR_LIMIT_EXCEEDED;
        slot = take_slot(search);
        search->event_count++;
    }
    put_in(search, slot, event, said);
    *ret_slot = slot;
    return ERR_OK;
}

void search_remove(struct search *search, struct uuid event)
{
    const uint32_t slot = *find_id(search, event);

    if (slot == SLOT_NONE)
        return;
    take_out(search, slot);
    search->slots[slot].next = search->free_slot;
    search->free_slot = slot;
    search->event_count--;
}
