/* base/map.h - a hash table from bytes to a pointer. Keys are copied; values are the caller's. */
#pragma once

#include <stddef.h>

#include "base/str.h"

struct map; /* not thread-safe */

struct map *map_open(void);
void map_close(struct map *map);                /* NULL is accepted; values are left alone */
void *map_find(const struct map *map, str key); /* NULL if absent */
/* Puts or replaces; gives the value that was there before, or NULL. `value` is not NULL. */
void *map_put(struct map *map, str key, void *value);
void *map_remove(struct map *map, str key); /* what was there, or NULL */
size_t map_count(const struct map *map);
/* Visits all, in no order; fn must not change the map. */
void map_each(const struct map *map, void (*fn)(void *arg, str key, void *value), void *arg);
