/* booking/list_cache.c - answers of lists, kept while nothing that they were made of has changed.
 *
 * Nothing is thrown away when an event changes: a page carries the versions that it was made of,
 * and is looked at again when it is asked for. The first who finds it outdated makes it, and
 * whoever comes while he does gets the old one, so a change costs one rendering a page and no
 * herd. That is no more than 50 ms of delay, because then the next one makes it too. Where there
 * is no old one, those who may wait wait: a maker is never held up, for lists are made of memory.
 * What was not asked for longest goes first when the pages outgrow their bound. */

#include "services/booking/list_cache.h"

#include <assert.h>
#include <pthread.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "platform/http/blob.h"

enum { MAKING_MAX_MS = 50, NS_PER_MS = 1000000 };

struct entry {
    struct entry *newer; /* by when it was asked for */
    struct entry *older;
    struct blob *page; /* NULL: the first is being made */
    struct list_basis basis;
    size_t size;
    int64_t making_since_ns; /* 0: nobody makes it. Real time: it bounds a delay, it is no rule */
    size_t key_size;
    char key[];
};

struct list_cache {
    pthread_mutex_t lock;
    pthread_cond_t made;
    struct map *entries;
    struct entry *newest;
    struct entry *oldest;
    size_t size;
    size_t size_max;
};

/* --- Rules --- */

static bool is_true(const struct entry *entry, const struct list_basis *now)
{
    const struct list_basis *basis = &entry->basis;

    return entry->page != NULL && basis->catalog == now->catalog &&
           (!basis->uses_stock || basis->stock == now->stock) && now->from_ms >= basis->from_ms &&
           now->from_ms < basis->until_ms;
}

static bool is_being_made(const struct entry *entry)
{
    return entry->making_since_ns != 0 &&
           clock_stopwatch_ns() - entry->making_since_ns < (int64_t)MAKING_MAX_MS * NS_PER_MS;
}

/* --- Its entries: the lock is held --- */

static str key_of(const struct entry *entry)
{
    return (str){entry->key, entry->key_size};
}

static void unlink_entry(struct list_cache *cache, struct entry *entry)
{
    *(entry->newer != NULL ? &entry->newer->older : &cache->newest) = entry->older;
    *(entry->older != NULL ? &entry->older->newer : &cache->oldest) = entry->newer;
}

static void link_newest(struct list_cache *cache, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = cache->newest;
    *(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = entry;
    cache->newest = entry;
}

static void remove_entry(struct list_cache *cache, struct entry *entry)
{
    unlink_entry(cache, entry);
    (void)map_remove(cache->entries, key_of(entry));
    cache->size -= entry->size;
    blob_release(entry->page);
    mem_free(entry);
}

static void shrink(struct list_cache *cache, const struct entry *kept)
{
    while (cache->size > cache->size_max && cache->oldest != NULL && cache->oldest != kept)
        remove_entry(cache, cache->oldest);
}

static size_t entry_size(const struct entry *entry)
{
    /* Twice the key: the map has a copy. */
    return sizeof(*entry) + 2 * entry->key_size +
           (entry->page != NULL ? blob_size_max(entry->page) : 0);
}

static void resize(struct list_cache *cache, struct entry *entry)
{
    cache->size -= entry->size;
    entry->size = entry_size(entry);
    cache->size += entry->size;
}

/* NULL: there is none. */
static struct entry *find_entry(struct list_cache *cache, str key)
{
    struct entry *entry = map_find(cache->entries, key);

    if (entry != NULL && entry != cache->newest) {
        unlink_entry(cache, entry);
        link_newest(cache, entry);
    }
    return entry;
}

static struct entry *get_entry(struct list_cache *cache, str key)
{
    struct entry *entry = find_entry(cache, key);

    if (entry == NULL) {
        entry = mem_alloc(sizeof(*entry) + key.size);
        entry->key_size = key.size;
        for (size_t i = 0; i < key.size; i++)
            entry->key[i] = key.ptr[i];
        (void)map_put(cache->entries, key, entry);
        link_newest(cache, entry);
        resize(cache, entry);
        shrink(cache, entry);
    }
    return entry;
}

/* --- For everybody --- */

struct list_cache *list_cache_open(size_t size_max)
{
    struct list_cache *cache = mem_new(struct list_cache);

    (void)pthread_mutex_init(&cache->lock, NULL);
    (void)pthread_cond_init(&cache->made, NULL);
    cache->entries = map_open();
    cache->size_max = size_max;
    return cache;
}

void list_cache_close(struct list_cache *cache)
{
    if (cache == NULL)
        return;
    while (cache->oldest != NULL)
        remove_entry(cache, cache->oldest);
    assert(cache->size == 0);
    map_close(cache->entries);
    (void)pthread_cond_destroy(&cache->made);
    (void)pthread_mutex_destroy(&cache->lock);
    mem_free(cache);
}

enum list_found list_cache_find(struct list_cache *cache, str key, const struct list_basis *now,
                                bool may_make, struct blob **ret)
{
    enum list_found found = LIST_FOUND;

    assert(key.size <= LIST_CACHE_KEY_SIZE_MAX);
    (void)pthread_mutex_lock(&cache->lock);
    struct entry *entry = may_make ? get_entry(cache, key) : find_entry(cache, key);
    if (entry != NULL && (is_true(entry, now) || (entry->page != NULL && is_being_made(entry)))) {
        *ret = blob_hold(entry->page);
    } else if (entry == NULL || !may_make || is_being_made(entry)) {
        found = LIST_BUSY;
    } else {
        entry->making_since_ns = clock_stopwatch_ns();
        found = LIST_MAKE;
    }
    (void)pthread_mutex_unlock(&cache->lock);
    return found;
}

void list_cache_wait(struct list_cache *cache, str key)
{
    (void)pthread_mutex_lock(&cache->lock);
    const struct entry *entry = map_find(cache->entries, key);
    while (entry != NULL && entry->page == NULL) {
        (void)pthread_cond_wait(&cache->made, &cache->lock);
        entry = map_find(cache->entries, key);
    }
    (void)pthread_mutex_unlock(&cache->lock);
}

void list_cache_put(struct list_cache *cache, str key, const struct list_basis *basis,
                    struct blob *page)
{
    (void)pthread_mutex_lock(&cache->lock);
    struct entry *entry = get_entry(cache, key);
    struct blob *before = entry->page;
    entry->page = blob_hold(page);
    entry->basis = *basis;
    entry->making_since_ns = 0;
    resize(cache, entry);
    shrink(cache, NULL);
    (void)pthread_cond_broadcast(&cache->made);
    (void)pthread_mutex_unlock(&cache->lock);
    blob_release(before);
}

void list_cache_give_up(struct list_cache *cache, str key)
{
    (void)pthread_mutex_lock(&cache->lock);
    struct entry *entry = map_find(cache->entries, key);

    if (entry != NULL && entry->page == NULL)
        remove_entry(cache, entry);
    else if (entry != NULL)
        entry->making_since_ns = 0;
    (void)pthread_cond_broadcast(&cache->made);
    (void)pthread_mutex_unlock(&cache->lock);
}

size_t list_cache_size(struct list_cache *cache)
{
    (void)pthread_mutex_lock(&cache->lock);
    const size_t size = cache->size;
    (void)pthread_mutex_unlock(&cache->lock);
    return size;
}
