/* booking/list_cache.h - pages of lists as they were answered, by their query, for as long as they
 * are true. Thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct blob;
struct list_cache;

enum { LIST_CACHE_KEY_SIZE_MAX = 512 };

/* What a page was made of, and so what has to be the same for it to be true still. */
struct list_basis {
    uint64_t catalog; /* catalog_version */
    uint64_t stock;   /* stock_version; counts only if uses_stock */
    bool uses_stock;  /* what remains decides who is on the page, or in which order */
    int64_t from_ms;  /* the time that it was made for */
    int64_t until_ms; /* exclusive: an event ends, a sale begins or ends; INT64_MAX: never */
};

struct list_cache *list_cache_open(size_t size_max); /* bytes of all pages together */
void list_cache_close(struct list_cache *cache);     /* NULL is accepted */

enum list_found {
    LIST_FOUND, /* *ret is the page; also one that is being made anew right now */
    LIST_MAKE,  /* the caller makes it: list_cache_put or list_cache_give_up must follow soon */
    LIST_BUSY,  /* there is none, and the caller does not make it, or somebody does already */
};
/* `now`: catalog, stock and from_ms as they are. A page that was found is the caller's to release.
 */
enum list_found list_cache_find(struct list_cache *cache, str key, const struct list_basis *now,
                                bool may_make, struct blob **ret);
/* After LIST_BUSY, on a thread that may block: until it is made or given up. */
void list_cache_wait(struct list_cache *cache, str key);
/* Keeps a reference of its own. */
void list_cache_put(struct list_cache *cache, str key, const struct list_basis *basis,
                    struct blob *page);
void list_cache_give_up(struct list_cache *cache, str key);

size_t list_cache_size(struct list_cache *cache);
