/* platform/cache/memory.c - the driver `memory:`, and what remains while Redis is away.
 *
 * Shards by the key's hash, each with a lock, a map and a list in order of use. A value that has
 * expired keeps its place until it is the oldest or is asked for: its version still counts. */
#include "platform/cache/memory.h"

#include <pthread.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

enum { SHARDS = 16, ENTRY_COST = 128 /* of the entry, its key in the map, and malloc's own */ };

struct entry {
    struct entry *newer;
    struct entry *older;
    uint64_t version;
    int64_t expires_at_ms;
    str key;
    str value;
    char bytes[]; /* key, value */
};

struct shard {
    pthread_mutex_t lock;
    struct map *entries;
    struct entry *newest;
    struct entry *oldest;
    size_t size;
};

struct memory {
    size_t shard_size_max;
    struct shard shards[SHARDS];
};

static struct shard *shard_of(struct memory *memory, str key)
{
    return &memory->shards[(str_hash(key) >> 32) % SHARDS];
}

static size_t cost_of(const struct entry *entry)
{
    return ENTRY_COST + 2 * entry->key.size + entry->value.size;
}

/* --- The list of one shard; its lock is held --- */

static void unlink_entry(struct shard *shard, struct entry *entry)
{
    if (entry->newer != NULL)
        entry->newer->older = entry->older;
    else
        shard->newest = entry->older;
    if (entry->older != NULL)
        entry->older->newer = entry->newer;
    else
        shard->oldest = entry->newer;
}

static void link_newest(struct shard *shard, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = shard->newest;
    if (shard->newest != NULL)
        shard->newest->newer = entry;
    else
        shard->oldest = entry;
    shard->newest = entry;
}

static void drop(struct shard *shard, struct entry *entry)
{
    (void)map_remove(shard->entries, entry->key);
    unlink_entry(shard, entry);
    shard->size -= cost_of(entry);
    mem_free(entry);
}

static struct entry *make_entry(str key, uint64_t version, str value, int64_t expires_at_ms)
{
    struct entry *entry = mem_alloc(sizeof(*entry) + key.size + value.size);

    entry->version = version;
    entry->expires_at_ms = expires_at_ms;
    memcpy(entry->bytes, key.ptr, key.size);
    if (value.size > 0)
        memcpy(entry->bytes + key.size, value.ptr, value.size);
    entry->key = (str){entry->bytes, key.size};
    entry->value = (str){entry->bytes + key.size, value.size};
    return entry;
}

/* --- The whole --- */

struct memory *memory_open(size_t size_max)
{
    struct memory *memory = mem_new(struct memory);

    memory->shard_size_max = size_max / SHARDS;
    for (size_t i = 0; i < SHARDS; i++) {
        (void)pthread_mutex_init(&memory->shards[i].lock, NULL);
        memory->shards[i].entries = map_open();
    }
    return memory;
}

void memory_clear(struct memory *memory)
{
    for (size_t i = 0; i < SHARDS; i++) {
        struct shard *shard = &memory->shards[i];

        (void)pthread_mutex_lock(&shard->lock);
        while (shard->oldest != NULL)
            drop(shard, shard->oldest);
        (void)pthread_mutex_unlock(&shard->lock);
    }
}

void memory_close(struct memory *memory)
{
    if (memory == NULL)
        return;
    memory_clear(memory);
    for (size_t i = 0; i < SHARDS; i++) {
        map_close(memory->shards[i].entries);
        (void)pthread_mutex_destroy(&memory->shards[i].lock);
    }
    mem_free(memory);
}

bool memory_get(struct memory *memory, str key, int64_t now_ms, struct arena *arena, str *ret)
{
    struct shard *shard = shard_of(memory, key);
    bool found = false;

    (void)pthread_mutex_lock(&shard->lock);
    struct entry *entry = map_find(shard->entries, key);
    if (entry != NULL && entry->expires_at_ms > now_ms) {
        unlink_entry(shard, entry);
        link_newest(shard, entry);
        *ret = arena_str(arena, entry->value);
        found = true;
    }
    (void)pthread_mutex_unlock(&shard->lock);
    return found;
}

bool memory_put(struct memory *memory, str key, uint64_t version, str value, int64_t expires_at_ms)
{
    struct shard *shard = shard_of(memory, key);
    bool put = false;

    (void)pthread_mutex_lock(&shard->lock);
    struct entry *there = map_find(shard->entries, key);
    if (there == NULL || there->version <= version) {
        struct entry *entry = make_entry(key, version, value, expires_at_ms);

        if (there != NULL)
            drop(shard, there);
        (void)map_put(shard->entries, entry->key, entry);
        link_newest(shard, entry);
        shard->size += cost_of(entry);
        while (shard->size > memory->shard_size_max && shard->oldest != NULL)
            drop(shard, shard->oldest);
        put = true;
    }
    (void)pthread_mutex_unlock(&shard->lock);
    return put;
}

void memory_remove(struct memory *memory, str key)
{
    struct shard *shard = shard_of(memory, key);

    (void)pthread_mutex_lock(&shard->lock);
    struct entry *entry = map_find(shard->entries, key);
    if (entry != NULL)
        drop(shard, entry);
    (void)pthread_mutex_unlock(&shard->lock);
}

size_t memory_size(struct memory *memory)
{
    size_t size = 0;

    for (size_t i = 0; i < SHARDS; i++) {
        (void)pthread_mutex_lock(&memory->shards[i].lock);
        size += memory->shards[i].size;
        (void)pthread_mutex_unlock(&memory->shards[i].lock);
    }
    return size;
}
