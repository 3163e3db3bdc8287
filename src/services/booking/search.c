/* services/booking/search.c - puts events into the index and takes them out again.
 *
 * An event remembers its terms, so that removing it costs what putting it did and leaves nothing
 * behind: no tombstones, no rebuilding, and words that nobody says any more are forgotten. */

#include "services/booking/search.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "services/booking/search_index.h"

enum { SLOTS_MIN = 64 };

struct search *search_open(void)
{
    struct search *search = mem_new(struct search);

    terms_init(&search->terms);
    search->by_event = map_open();
    search->slots_capacity = SLOTS_MIN;
    search->slots = mem_alloc(SLOTS_MIN * sizeof(search->slots[0]));
    search->free_slot = SLOT_NONE;
    return search;
}

void search_close(struct search *search)
{
    if (search == NULL)
        return;
    for (uint32_t i = 0; i < search->slots_end; i++)
        mem_free(search->slots[i].said);
    mem_free(search->slots);
    map_close(search->by_event);
    terms_done(&search->terms);
    mem_free(search);
}

size_t search_event_count(const struct search *search)
{
    return map_count(search->by_event);
}

size_t search_term_count(const struct search *search)
{
    return search->terms.term_count;
}

size_t search_slots_end(const struct search *search)
{
    return search->slots_end;
}

/* --- Slots --- */

static str key_of(const struct uuid *event)
{
    return (str){(const char *)event->bytes, sizeof(event->bytes)};
}

static uint32_t take_slot(struct search *search)
{
    const uint32_t slot = search->free_slot;

    if (slot != SLOT_NONE) {
        search->free_slot = search->slots[slot].next_free;
        return slot;
    }
    if (search->slots_end == search->slots_capacity) {
        search->slots_capacity *= 2;
        search->slots =
            mem_resize(search->slots, search->slots_capacity * sizeof(search->slots[0]));
    }
    return search->slots_end++;
}

/* --- Collecting --- */

struct said_term {
    uint32_t term;
    uint32_t fields;
};

/* The words of one event on their way into the vocabulary. */
struct collector {
    struct search *search;
    enum field field;
    uint64_t name_hash;
    size_t count;
    struct said_term said[SEARCH_EVENT_WORDS_MAX];
};

static void collect_word(void *arg, const struct word *word,
                         [[maybe_unused]] const struct letter_source *sources, unsigned flags)
{
    struct collector *collector = arg;

    if (collector->field == FIELD_NAME && (flags & WORD_PART) != 0)
        collector->name_hash = word_hash(word, collector->name_hash);
    if (collector->count < SEARCH_EVENT_WORDS_MAX)
        collector->said[collector->count++] = (struct said_term){
            .term = terms_add(&collector->search->terms, word),
            .fields = 1u << collector->field,
        };
}

static void collect(struct collector *collector, enum field field, str text)
{
    collector->field = field;
    words_each(text, collect_word, collector);
}

static int compare_terms(const void *a, const void *b)
{
    const struct said_term *x = a;
    const struct said_term *y = b;

    return (x->term > y->term) - (x->term < y->term);
}

/* Sorts, and makes one of each term. */
static void merge(struct collector *collector)
{
    size_t kept = 0;

    qsort(collector->said, collector->count, sizeof(collector->said[0]), compare_terms);
    for (size_t i = 0; i < collector->count; i++)
        if (kept > 0 && collector->said[kept - 1].term == collector->said[i].term)
            collector->said[kept - 1].fields |= collector->said[i].fields;
        else
            collector->said[kept++] = collector->said[i];
    collector->count = kept;
}

/* --- Putting and removing --- */

static void take_out(struct search *search, struct search_said *said)
{
    for (uint32_t i = 0; i < said->term_count; i++)
        terms_remove_posting(&search->terms, said->terms[i], said->slot);
    search->slots[said->slot].said = NULL;
    mem_free(said);
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

    struct search_said *kept = mem_alloc(sizeof(*kept) + collector.count * sizeof(kept->terms[0]));
    kept->slot = slot;
    kept->term_count = (uint32_t)collector.count;
    for (size_t i = 0; i < collector.count; i++) {
        kept->terms[i] = collector.said[i].term;
        terms_put_posting(&search->terms, kept->terms[i], slot, collector.said[i].fields);
    }
    search->slots[slot] = (struct search_slot){
        .event = event,
        .starts_at_ms = said->starts_at_ms,
        .name_hash = collector.name_hash,
        .said = kept,
    };
    (void)map_put(search->by_event, key_of(&event), kept);
}

err search_put(struct search *search, struct uuid event, const struct search_event *said,
               size_t *ret_slot)
{
    struct search_said *before = map_find(search->by_event, key_of(&event));
    uint32_t slot;

    if (before != NULL) {
        slot = before->slot;
        take_out(search, before);
    } else {
        if (map_count(search->by_event) >= SEARCH_EVENTS_MAX)
            return ERR_LIMIT_EXCEEDED;
        slot = take_slot(search);
    }
    put_in(search, slot, event, said);
    *ret_slot = slot;
    return ERR_OK;
}

void search_remove(struct search *search, struct uuid event)
{
    struct search_said *said = map_remove(search->by_event, key_of(&event));

    if (said == NULL)
        return;
    const uint32_t slot = said->slot;
    take_out(search, said);
    search->slots[slot].next_free = search->free_slot;
    search->free_slot = slot;
}
