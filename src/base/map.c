/* base/map.c - open addressing with linear probing; a removal moves its followers back.
 *
 * Without tombstones a table that is written all day stays as fast as on its first. Keys are copied
 * into memory of their own, so a slot is small and growing moves no text. */

#include "base/map.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

enum { SLOTS_MIN = 16 }; /* a power of two, as every slot count */

struct slot {
    void *value; /* NULL: free */
    char *key;
    size_t key_size;
    uint64_t hash;
};

struct map {
    struct slot *slots;
    size_t slot_count;
    size_t count;
};

struct map *map_open(void)
{
    struct map *map = mem_new(struct map);

    map->slot_count = SLOTS_MIN;
    map->slots = mem_alloc(map->slot_count * sizeof(map->slots[0]));
    return map;
}

void map_close(struct map *map)
{
    if (map == NULL)
        return;
    for (size_t i = 0; i < map->slot_count; i++)
        mem_free(map->slots[i].key);
    mem_free(map->slots);
    mem_free(map);
}

/* The slot that holds `key`, or the free one where it belongs. */
static struct slot *slot_of(const struct map *map, str key, uint64_t hash)
{
    const size_t mask = map->slot_count - 1;

    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct slot *slot = &map->slots[i];

        if (slot->value == NULL)
            return slot;
        if (slot->hash == hash && slot->key_size == key.size &&
            (key.size == 0 || memcmp(slot->key, key.ptr, key.size) == 0))
            return slot;
    }
}

void *map_find(const struct map *map, str key)
{
    return slot_of(map, key, str_hash(key))->value;
}

static void grow(struct map *map)
{
    struct slot *old = map->slots;
    const size_t old_count = map->slot_count;

    map->slot_count = old_count * 2;
    map->slots = mem_alloc(map->slot_count * sizeof(map->slots[0]));
    for (size_t i = 0; i < old_count; i++)
        if (old[i].value != NULL)
            *slot_of(map, (str){old[i].key, old[i].key_size}, old[i].hash) = old[i];
    mem_free(old);
}

void *map_put(struct map *map, str key, void *value)
{
    assert(value != NULL);
    const uint64_t hash = str_hash(key);
    struct slot *slot = slot_of(map, key, hash);

    if (slot->value != NULL) {
        void *before = slot->value;
        slot->value = value;
        return before;
    }
    if ((map->count + 1) * 4 > map->slot_count * 3) {
        grow(map);
        slot = slot_of(map, key, hash);
    }
    *slot = (struct slot){.value = value, .key_size = key.size, .hash = hash};
    slot->key = mem_alloc(key.size);
    if (key.size > 0)
        memcpy(slot->key, key.ptr, key.size);
    map->count++;
    return NULL;
}

void *map_remove(struct map *map, str key)
{
    const size_t mask = map->slot_count - 1;
    struct slot *slot = slot_of(map, key, str_hash(key));
    void *removed = slot->value;

    if (removed == NULL)
        return NULL;
    mem_free(slot->key);
    map->count--;

    /* Whoever stands behind the hole, and may stand in it, moves up; that leaves the next hole. */
    size_t hole = (size_t)(slot - map->slots);
    for (size_t i = (hole + 1) & mask; map->slots[i].value != NULL; i = (i + 1) & mask) {
        const size_t home = map->slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            map->slots[hole] = map->slots[i];
            hole = i;
        }
    }
    map->slots[hole] = (struct slot){0};
    return removed;
}

size_t map_count(const struct map *map)
{
    return map->count;
}

void map_each(const struct map *map, void (*fn)(void *arg, str key, void *value), void *arg)
{
    for (size_t i = 0; i < map->slot_count; i++) {
        const struct slot *slot = &map->slots[i];
        if (slot->value != NULL)
            fn(arg, (str){slot->key, slot->key_size}, slot->value);
    }
}
