/* booking/catalog.c - events in memory.
 *
 * An event's value never changes: a change makes a new value and swaps the pointer under the writer's lock, while readers keep the one they hold. One
 * array in order of their start serves lists; maps serve ids and slugs; the search index holds what is published. */
#include "services/booking/catalog.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "platform/http/blob.h"
#include "services/booking/event_store.h"
#include "services/booking/search/event.h"
#include "services/booking/slug.h"
#include "services/booking/state.h"
#include "services/booking/stock.h"

enum { EVENT_CHUNK_SIZE = 4096 };

struct box {
    struct event event; /* first: a pointer to it is one to the box */
    struct event_folded folded;
    struct arena *arena;
    _Atomic int references;
};

struct catalog {
    pthread_rwlock_t lock;
    struct map *by_id;
    struct map *by_slug;
    const struct event **by_start;
    size_t count;
    size_t capacity;
    struct search *search;
    struct suggestions *suggestions;
    const struct event **slots;
    size_t slot_count;
    _Atomic uint64_t version;
    int64_t longest_ms; /* no event that was ever in lasts longer */
};

/* --- Values --- */

static struct box *box_of(const struct event *event)
{
    return (struct box *)mem_unconst(event);
}

void event_release(const struct event *event)
{
    if (event == NULL || --box_of(event)->references > 0)
        return;
    struct arena *arena = box_of(event)->arena;
    blob_release(event->document);
    arena_close(arena); /* the box lies in it */
}

const struct event *event_hold(const struct event *event)
{
    box_of(event)->references++;
    return event;
}

void event_release_at(const struct event **event)
{
    event_release(*event);
    *event = NULL;
}

const struct event_folded *event_folded(const struct event *event)
{
    return &box_of(event)->folded;
}

/* The event's document. Nothing in it changes with the clock, so it is good until the next version.
 * Who is signed in may have made that version himself and is never shown an older one. */
static struct blob *render(const struct event *event)
{
    CLEANUP(arena_close_at) struct arena *scratch = arena_open(EVENT_CHUNK_SIZE);
    const bool is_draft = event->status == EVENT_DRAFT;
    const struct blob_options options = {
        .content_type = STR("application/json"),
        .body = event_render(scratch, event),
        .etag = event_etag(scratch, event),
        .cache_control =
            is_draft ? STR("no-store")
                     : STR("public, max-age=30, stale-while-revalidate=300, stale-if-error=600"),
        .cache_control_known = is_draft ? STR("no-store") : STR("private, no-cache"),
    };

    return blob_new(&options);
}

/* A copy of the event in an arena of its own. The texts of *read lie in the call's arena, so each is copied. */
static const struct event *box_new(const struct event *read)
{
    struct arena *arena = arena_open(EVENT_CHUNK_SIZE);
    struct box *box = arena_new(arena, struct box);
    struct event *event = &box->event;

    *box = (struct box){.event = *read, .arena = arena, .references = 1};
    str *const texts[] = {&event->slug, &event->name, &event->description, &event->url,
                          &event->timezone};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        *texts[i] = arena_str(arena, *texts[i]);
    if (read->venue != NULL) {
        event->venue = arena_new(arena, struct venue);
        *event->venue = *read->venue;
        str *const parts[] = {&event->venue->name, &event->venue->city, &event->venue->country,
                              &event->venue->address};
        for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
            *parts[i] = arena_str(arena, *parts[i]);
        box->folded.venue = name_fold(arena, event->venue->name);
        box->folded.city =
            event->venue->city.ptr != NULL ? name_fold(arena, event->venue->city) : STR("");
    }
    if (read->policies.tax != NULL) {
        event->policies.tax = arena_new(arena, struct event_tax);
        *event->policies.tax = *read->policies.tax;
        event->policies.tax->name = arena_str(arena, read->policies.tax->name);
    }
    str *folded = arena_new_array(arena, str, read->artist_count + 1);
    event->artists = arena_new_array(arena, struct artist, read->artist_count + 1);
    for (size_t i = 0; i < read->artist_count; i++) {
        event->artists[i] =
            (struct artist){read->artists[i].id, arena_str(arena, read->artists[i].name)};
        folded[i] = name_fold(arena, event->artists[i].name);
    }
    box->folded.artists = folded;
    event->ticket_types = arena_new_array(arena, struct ticket_type, read->ticket_type_count + 1);
    for (size_t i = 0; i < read->ticket_type_count; i++) {
        event->ticket_types[i] = read->ticket_types[i];
        event->ticket_types[i].name = arena_str(arena, read->ticket_types[i].name);
    }
    event->accepted = arena_new_array(arena, struct booking_accepted, read->accepted_count + 1);
    for (size_t i = 0; i < read->accepted_count; i++) {
        event->accepted[i] = read->accepted[i];
        event->accepted[i].type = arena_str(arena, read->accepted[i].type);
        event->accepted[i].label = arena_str(arena, read->accepted[i].label);
    }
    event->document = render(event);
    event->json = blob_body(event->document);
    event->digest = str_hash(event->json);
    return event;
}

/* --- Tables: the writer's lock is held --- */

static str id_key(const event_id *id)
{
    return (str){(const char *)id->uuid.bytes, sizeof(id->uuid.bytes)};
}

static int compare_start(const struct event *a, const struct event *b)
{
    if (a->starts_at_ms != b->starts_at_ms)
        return a->starts_at_ms < b->starts_at_ms ? -1 : 1;
    return uuid_compare(a->id.uuid, b->id.uuid);
}

/* Where the event stands, or would stand, in by_start. */
static size_t place_of(const struct catalog *catalog, const struct event *event)
{
    size_t low = 0;
    size_t high = catalog->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (compare_start(catalog->by_start[middle], event) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void list_insert(struct catalog *catalog, const struct event *event)
{
    const size_t at = place_of(catalog, event);

    if (catalog->count == catalog->capacity) {
        catalog->capacity = catalog->capacity > 0 ? catalog->capacity * 2 : 256;
        catalog->by_start =
            mem_resize(catalog->by_start, catalog->capacity * sizeof(const struct event *));
    }
    memmove(&catalog->by_start[at + 1], &catalog->by_start[at],
            (catalog->count - at) * sizeof(const struct event *));
    catalog->by_start[at] = event;
    catalog->count++;
}

static void list_remove(struct catalog *catalog, const struct event *event)
{
    const size_t at = place_of(catalog, event);

    assert(at < catalog->count && catalog->by_start[at] == event);
    memmove(&catalog->by_start[at], &catalog->by_start[at + 1],
            (catalog->count - at - 1) * sizeof(const struct event *));
    catalog->count--;
}

static void set_slot(struct catalog *catalog, size_t slot, const struct event *event)
{
    if (slot >= catalog->slot_count) {
        const size_t wider = slot * 2 + 64;

        catalog->slots = mem_resize(catalog->slots, wider * sizeof(const struct event *));
        memset(&catalog->slots[catalog->slot_count], 0,
               (wider - catalog->slot_count) * sizeof(const struct event *));
        catalog->slot_count = wider;
    }
    catalog->slots[slot] = event;
}

static void index_words(struct catalog *catalog, const struct event *event)
{
    str artists[EVENT_ARTISTS_MAX];
    const struct search_event words = search_event_of(event, artists);
    size_t slot = 0;

    /* Beyond its limit an event is not found by words; lists show it all the same. */
    if (search_put(catalog->search, event->id.uuid, &words, &slot) == ERR_OK)
        set_slot(catalog, slot, event);
}

static void take_out(struct catalog *catalog, event_id id, int64_t now_ms)
{
    const struct event *event = map_remove(catalog->by_id, id_key(&id));

    if (event == NULL)
        return;
    (void)map_remove(catalog->by_slug, event->slug);
    list_remove(catalog, event);
    search_remove(catalog->search, id.uuid);
    suggestions_remove(catalog->suggestions, event, now_ms);
    catalog->version++;
    event_release(event);
}

static void put_in(struct catalog *catalog, const struct event *event, int64_t now_ms)
{
    take_out(catalog, event->id, now_ms);
    (void)map_put(catalog->by_id, id_key(&event->id), mem_unconst(event));
    (void)map_put(catalog->by_slug, event->slug, mem_unconst(event));
    list_insert(catalog, event);
    index_words(catalog, event);
    suggestions_put(catalog->suggestions, event, now_ms);
    if (event->ends_at_ms - event->starts_at_ms > catalog->longest_ms)
        catalog->longest_ms = event->ends_at_ms - event->starts_at_ms;
    catalog->version++;
}

/* --- Loading --- */

static struct catalog *catalog_new(void)
{
    struct catalog *catalog = mem_new(struct catalog);

    /* Readers come without a pause, and must not keep a change out for ever. */
    pthread_rwlockattr_t attributes;
    (void)pthread_rwlockattr_init(&attributes);
    (void)pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    (void)pthread_rwlock_init(&catalog->lock, &attributes);
    (void)pthread_rwlockattr_destroy(&attributes);
    catalog->by_id = map_open();
    catalog->by_slug = map_open();
    catalog->search = search_open();
    catalog->suggestions = suggestions_open();
    return catalog;
}

void catalog_close(struct catalog *catalog)
{
    if (catalog == NULL)
        return;
    for (size_t i = 0; i < catalog->count; i++)
        event_release(catalog->by_start[i]);
    mem_free(catalog->by_start);
    mem_free(catalog->slots);
    map_close(catalog->by_id);
    map_close(catalog->by_slug);
    search_close(catalog->search);
    suggestions_close(catalog->suggestions);
    (void)pthread_rwlock_destroy(&catalog->lock);
    mem_free(catalog);
}

static err read_all(struct call *call, struct tx *tx, struct catalog *catalog)
{
    event_id *ids = NULL;
    size_t count = 0;
    struct event event;

    TRY(event_ids(tx, call, &ids, &count));
    for (size_t i = 0; i < count; i++) {
        TRY(event_read(tx, call, ids[i], &event));
        put_in(catalog, box_new(&event), call->now_ms);
    }
    return ERR_OK;
}

err catalog_load(struct call *call, struct catalog **ret, struct outbox_position *ret_end)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct catalog *catalog = catalog_new();

    err e = tx_read(&tx, call_db(call));
    if (e == ERR_OK)
        e = outbox_last(&tx, ret_end);
    if (e == ERR_OK)
        e = read_all(call, &tx, catalog);
    if (e != ERR_OK) {
        catalog_close(catalog);
        return e;
    }
    *ret = catalog;
    return ERR_OK;
}

err catalog_refresh(struct call *call, event_id id)
{
    struct booking *booking = booking_of(call);
    struct event event;
    err e = ERR_OK;

    {
        CLEANUP(tx_rollback) struct tx tx = {0};

        TRY(tx_read(&tx, call_db(call)));
        e = event_read(&tx, call, id, &event);
        if (e != ERR_OK && e != ERR_NOT_FOUND)
            return e;
    }
    /* Stock first: whoever finds the event finds its hints. */
    TRY(stock_load(call, booking->stock, &id));
    const struct event *value = e == ERR_OK ? box_new(&event) : NULL;
    (void)pthread_rwlock_wrlock(&booking->catalog->lock);
    const struct event *there = map_find(booking->catalog->by_id, id_key(&id));
    const bool older = value != NULL && there != NULL &&
                       there->version > value->version; /* somebody read later than we did */
    if (value == NULL)
        take_out(booking->catalog, id, call->now_ms);
    else if (!older)
        put_in(booking->catalog, value, call->now_ms);
    (void)pthread_rwlock_unlock(&booking->catalog->lock);
    if (older)
        event_release(value);
    return ERR_OK;
}

struct event_news {
    event_id event;
};

err catalog_follow(struct call *call, [[maybe_unused]] struct tx *tx,
                   const struct feed_event *event)
{
    static const struct json_field fields[] = {
        JSON_F_ID("event_id", struct event_news, event, EVENT_PREFIX, JSON_REQUIRED),
    };
    static const struct json_shape shape = JSON_SHAPE(fields, struct event_news);
    struct event_news news = {0};

    TRY(json_read(call->arena, event->payload, &shape, &news));
    return catalog_refresh(call, news.event);
}

/* --- Finding --- */

static const struct event *find(struct catalog *catalog, const struct map *map, str key)
{
    (void)pthread_rwlock_rdlock(&catalog->lock);
    const struct event *event = map_find(map, key);
    if (event != NULL)
        event = event_hold(event);
    (void)pthread_rwlock_unlock(&catalog->lock);
    return event;
}

const struct event *catalog_find(struct catalog *catalog, event_id id)
{
    return find(catalog, catalog->by_id, id_key(&id));
}

const struct event *catalog_find_slug(struct catalog *catalog, str slug)
{
    return find(catalog, catalog->by_slug, slug);
}

/* --- Lists --- */

void catalog_read_begin(struct catalog *catalog)
{
    (void)pthread_rwlock_rdlock(&catalog->lock);
}

void catalog_read_end(struct catalog *catalog)
{
    (void)pthread_rwlock_unlock(&catalog->lock);
}

const struct event *const *catalog_by_start(const struct catalog *catalog, size_t *ret_count)
{
    *ret_count = catalog->count;
    return catalog->by_start;
}

size_t catalog_first_from(const struct catalog *catalog, int64_t ms)
{
    const struct event earliest = {.starts_at_ms = ms};

    return place_of(catalog, &earliest);
}

size_t catalog_first_current(const struct catalog *catalog, int64_t now_ms)
{
    return catalog_first_from(catalog, now_ms - catalog->longest_ms);
}

size_t catalog_event_count(struct catalog *catalog)
{
    catalog_read_begin(catalog);
    const size_t count = catalog->count;
    catalog_read_end(catalog);
    return count;
}

uint64_t catalog_version(const struct catalog *catalog)
{
    return catalog->version;
}

const struct event *catalog_at_slot(const struct catalog *catalog, size_t slot)
{
    return slot < catalog->slot_count ? catalog->slots[slot] : NULL;
}

const struct search *catalog_search(const struct catalog *catalog)
{
    return catalog->search;
}

const struct suggestions *catalog_suggestions(const struct catalog *catalog)
{
    return catalog->suggestions;
}
