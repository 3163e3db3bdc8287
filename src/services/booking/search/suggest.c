/* booking/search/suggest.c - a second index, of names instead of events.
 *
 * A name has its events in order of their end, so those that are over are a prefix, and the next one is found by halving. In
 * the index a name stands like an event that ends with its last event; where that has "start", a name has its
 * rank: frequent ones first, then the soonest. The rank is that of the name's last change: events that end do not change it. */
#include "services/booking/search/suggest.h"

#include <assert.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "services/booking/search/words.h"

enum {
    KEY_SIZE_MAX = 4096,
    MINUTE_MS = 60 * 1000,
    FREQUENT_SHIFT = 27, /* minutes since 1970 below, for 255 years */
    FREQUENT_MAX = 31,
    EVENTS_MIN = 1,
};

struct name {
    enum suggestion_kind kind;
    struct uuid id;              /* in the index */
    struct uuid of;              /* the artist or venue; zero: a text */
    const struct event **events; /* ascending by end, then by id */
    size_t count;
    size_t capacity;
    /* As it stands in the index: */
    const struct event *shown; /* whose text it is */
    int64_t rank;
    int64_t ends_at_ms;
};

struct suggestions {
    struct search *search;
    struct map *names; /* kind and words, or kind and id */
    struct name **slots;
    size_t slot_count;
    uint64_t last_id;
};

struct suggestions *suggestions_open(void)
{
    struct suggestions *suggestions = mem_new(struct suggestions);

    suggestions->search = search_open();
    suggestions->names = map_open();
    return suggestions;
}

static void free_name(void *arg, [[maybe_unused]] str key, void *value)
{
    struct name *name = value;

    (void)arg;
    mem_free(name->events);
    mem_free(name);
}

void suggestions_close(struct suggestions *suggestions)
{
    if (suggestions == NULL)
        return;
    map_each(suggestions->names, free_name, NULL);
    map_close(suggestions->names);
    search_close(suggestions->search);
    mem_free(suggestions->slots);
    mem_free(suggestions);
}

size_t suggestions_count(const struct suggestions *suggestions)
{
    return map_count(suggestions->names);
}

/* --- What a name is --- */

/* One that is asked about: of which event, and the text. */
struct named {
    enum suggestion_kind kind;
    str text;
    struct uuid id; /* zero: its words tell it */
};

struct key_room {
    char bytes[KEY_SIZE_MAX];
};
struct key {
    char *room; /* KEY_SIZE_MAX */
    size_t size;
};

static void add_bytes(struct key *key, const void *bytes, size_t size)
{
    if (key->size + size > KEY_SIZE_MAX)
        return; /* of a name that is too long, what fits */
    memcpy(key->room + key->size, bytes, size);
    key->size += size;
}

static void add_word(void *arg, const struct word *word,
                     [[maybe_unused]] const struct letter_source *sources, unsigned flags)
{
    if ((flags & WORD_PART) == 0)
        return;
    add_bytes(arg, " ", 1);
    add_bytes(arg, word->letters, word->count * sizeof(word->letters[0]));
}

/* The kind, and the words or the id, in `room`. Absent if it has no word: nobody could find it. */
static str make_key(const struct named *named, struct key_room *room)
{
    struct key key = {.room = room->bytes};
    const uint8_t kind = (uint8_t)named->kind;

    add_bytes(&key, &kind, 1);
    if (named->text.ptr != NULL)
        words_each(named->text, add_word, &key);
    if (key.size == 1)
        return STR_ABSENT;
    if (!uuid_is_zero(named->id)) {
        key.size = 1;
        add_bytes(&key, named->id.bytes, sizeof(named->id.bytes));
    }
    return (str){room->bytes, key.size};
}

static str text_of(const struct name *name, const struct event *event)
{
    switch (name->kind) {
    case SUGGEST_EVENT:
        return event->name;
    case SUGGEST_VENUE:
        return event->venue->name;
    case SUGGEST_CITY:
        return event->venue->city;
    case SUGGEST_ARTIST:
        for (size_t i = 0; i < event->artist_count; i++)
            if (uuid_eq(event->artists[i].id.uuid, name->of))
                return event->artists[i].name;
        break;
    }
    return STR_ABSENT;
}

/* Calls `fn` for each name of the event. */
static void each_named(struct suggestions *suggestions, const struct event *event, int64_t now_ms,
                       void (*fn)(struct suggestions *suggestions, const struct named *named,
                                  const struct event *event, int64_t now_ms))
{
    fn(suggestions, &(struct named){.kind = SUGGEST_EVENT, .text = event->name}, event, now_ms);
    for (size_t i = 0; i < event->artist_count; i++) {
        const struct artist *artist = &event->artists[i];
        fn(suggestions, &(struct named){SUGGEST_ARTIST, artist->name, artist->id.uuid}, event,
           now_ms);
    }
    if (event->venue == NULL)
        return;
    fn(suggestions, &(struct named){SUGGEST_VENUE, event->venue->name, event->venue->id.uuid},
       event, now_ms);
    fn(suggestions, &(struct named){.kind = SUGGEST_CITY, .text = event->venue->city}, event,
       now_ms);
}

/* --- Events of a name --- */

static int compare_ends(const struct event *a, const struct event *b)
{
    if (a->ends_at_ms != b->ends_at_ms)
        return a->ends_at_ms < b->ends_at_ms ? -1 : 1;
    return uuid_compare(a->id.uuid, b->id.uuid);
}

/* The first event that does not come before `event`. */
static size_t place_of(const struct name *name, const struct event *event)
{
    size_t low = 0;
    size_t high = name->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compare_ends(name->events[middle], event) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The first that is not over. */
static size_t first_current(const struct name *name, int64_t now_ms)
{
    const struct event ended = {.ends_at_ms =
                                    now_ms + 1}; /* the least id: before all that end then */

    return place_of(name, &ended);
}

static bool has_event(const struct name *name, size_t at, const struct event *event)
{
    return at < name->count && uuid_eq(name->events[at]->id.uuid, event->id.uuid);
}

/* --- In the index --- */

static int64_t rank_of(const struct name *name, int64_t now_ms)
{
    const size_t first = first_current(name, now_ms);
    const size_t count = name->count - first;
    int64_t soonest_ms = INT64_MAX;
    int64_t frequent = 0;

    for (size_t n = count; n > 1 && frequent < FREQUENT_MAX; n /= 2)
        frequent++;
    if (count > 0)
        soonest_ms = name->events[first]->starts_at_ms;
    int64_t minute = soonest_ms / MINUTE_MS;
    if (minute < 0)
        minute = 0;
    if (minute >= INT64_C(1) << FREQUENT_SHIFT)
        minute = (INT64_C(1) << FREQUENT_SHIFT) - 1;
    return (FREQUENT_MAX - frequent) << FREQUENT_SHIFT | minute;
}

static void set_slot(struct suggestions *suggestions, size_t slot, struct name *name)
{
    if (slot >= suggestions->slot_count) {
        suggestions->slot_count = 2 * slot + EVENTS_MIN;
        suggestions->slots =
            mem_resize(suggestions->slots, suggestions->slot_count * sizeof(struct name *));
    }
    suggestions->slots[slot] = name;
}

/* Puts the name as it is now, unless it stands like that already. */
static void refresh(struct suggestions *suggestions, struct name *name, int64_t now_ms)
{
    const size_t first = first_current(name, now_ms);
    const struct event *next = name->events[first < name->count ? first : name->count - 1];
    const int64_t rank = rank_of(name, now_ms);
    const int64_t ends_at_ms = name->events[name->count - 1]->ends_at_ms;
    size_t slot = 0;

    if (name->shown == next && name->rank == rank && name->ends_at_ms == ends_at_ms)
        return;
    const struct search_event said = {
        .name = text_of(name, next),
        .starts_at_ms = rank * 1000,
        .ends_at_ms = ends_at_ms,
    };
    if (search_put(suggestions->search, name->id, &said, &slot) != ERR_OK)
        return; /* beyond the limit of the index it is not suggested */
    set_slot(suggestions, slot, name);
    name->shown = next;
    name->rank = rank;
    name->ends_at_ms = ends_at_ms;
}

/* --- Putting and removing --- */

static struct name *new_name(struct suggestions *suggestions, const struct named *named)
{
    struct name *name = mem_new(struct name);
    const uint64_t number = ++suggestions->last_id;

    name->kind = named->kind;
    name->of = named->id;
    name->id.bytes[0] = (uint8_t)named->kind; /* of equal rank, kinds come in this order */
    for (size_t i = 0; i < sizeof(number); i++)
        name->id.bytes[sizeof(name->id.bytes) - 1 - i] = (uint8_t)(number >> 8 * i);
    return name;
}

static void put_named(struct suggestions *suggestions, const struct named *named,
                      const struct event *event, int64_t now_ms)
{
    struct key_room room;
    const str key = make_key(named, &room);

    if (key.ptr == NULL)
        return;
    struct name *name = map_find(suggestions->names, key);
    if (name == NULL) {
        name = new_name(suggestions, named);
        (void)map_put(suggestions->names, key, name);
    }
    const size_t at = place_of(name, event);
    if (has_event(name, at, event))
        return; /* it says the name twice */
    if (name->count == name->capacity) {
        name->capacity = name->capacity > 0 ? 2 * name->capacity : EVENTS_MIN;
        name->events = mem_resize(name->events, name->capacity * sizeof(struct event *));
    }
    memmove(name->events + at + 1, name->events + at, (name->count - at) * sizeof(struct event *));
    name->events[at] = event;
    name->count++;
    refresh(suggestions, name, now_ms);
}

static void remove_named(struct suggestions *suggestions, const struct named *named,
                         const struct event *event, int64_t now_ms)
{
    struct key_room room;
    const str key = make_key(named, &room);

    if (key.ptr == NULL)
        return;
    struct name *name = map_find(suggestions->names, key);
    const size_t at = name != NULL ? place_of(name, event) : 0;
    if (name == NULL || !has_event(name, at, event))
        return;
    memmove(name->events + at, name->events + at + 1,
            (name->count - at - 1) * sizeof(struct event *));
    name->count--;
    if (name->count > 0) {
        refresh(suggestions, name, now_ms);
        return;
    }
    search_remove(suggestions->search, name->id);
    (void)map_remove(suggestions->names, key);
    free_name(NULL, key, name);
}

void suggestions_put(struct suggestions *suggestions, const struct event *event, int64_t now_ms)
{
    if (event->status == EVENT_PUBLISHED)
        each_named(suggestions, event, now_ms, put_named);
}

void suggestions_remove(struct suggestions *suggestions, const struct event *event, int64_t now_ms)
{
    if (event->status == EVENT_PUBLISHED)
        each_named(suggestions, event, now_ms, remove_named);
}

/* --- Finding --- */

static bool is_same(const struct suggestion *a, const struct suggestion *b)
{
    return a->kind == b->kind && str_eq_nocase(a->text, b->text) &&
           (a->kind != SUGGEST_VENUE || str_eq(a->event->venue->city, b->event->venue->city));
}

static bool is_there(const struct suggestion *suggestions, size_t count,
                     const struct suggestion *suggestion)
{
    for (size_t i = 0; i < count; i++)
        if (is_same(&suggestions[i], suggestion))
            return true;
    return false;
}

static void mark(const struct search_pattern *pattern, struct arena *arena,
                 struct suggestion *suggestion)
{
    const struct search_highlight *highlights = NULL;
    const struct search_event said = {.name = suggestion->text};

    if (search_highlights(pattern, arena, &said, &highlights) == 0)
        return;
    suggestion->ranges = highlights[0].ranges;
    suggestion->range_count = highlights[0].range_count;
}

size_t suggestions_find(const struct suggestions *suggestions, struct arena *arena, str text,
                        int64_t now_ms, size_t limit, struct suggestion ret[])
{
    const struct search_query query = {
        .text = text,
        .limit = 2 * limit, /* some may be called alike */
        .starts_from_ms = SEARCH_ALWAYS,
        .starts_to_ms = SEARCH_FOREVER,
        .ends_after_ms = now_ms,
    };
    size_t count = 0;

    assert(limit >= 1 && limit <= SUGGESTIONS_MAX);
    const struct search_hits hits = search_find(suggestions->search, arena, &query);
    const struct search_pattern *pattern = search_pattern_new(suggestions->search, arena, text);
    for (size_t i = 0; i < hits.count && count < limit; i++) {
        const struct name *name = suggestions->slots[hits.hits[i].slot];
        const size_t first = first_current(name, now_ms);
        struct suggestion found = {
            .kind = name->kind,
            .text = text_of(name, name->shown),
            .of = name->of,
            .event = name->events[first],
            .event_count = name->count - first,
        };

        if (is_there(ret, count, &found))
            continue;
        mark(pattern, arena, &found);
        ret[count++] = found;
    }
    return count;
}
