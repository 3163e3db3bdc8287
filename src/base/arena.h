/* base/arena.h - memory that lives as long as one request, job or message.
 *
 * Never gives NULL: limits on bodies, rows and pages bound what is asked for; real exhaustion
 * aborts. Not thread-safe: an arena belongs to whoever runs its request at the moment. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct arena;

/* A new arena; `chunk_size` bytes are taken at a time (0: 8 KiB). */
struct arena *arena_open(size_t chunk_size);
/* Runs what arena_on_reset registered, newest first, and keeps one chunk for reuse. */
void arena_reset(struct arena *arena);
void arena_close(struct arena *arena);     /* NULL is accepted */
void arena_close_at(struct arena **arena); /* for CLEANUP */

/* Zeroed, aligned to 16. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_alloc_array(struct arena *arena, size_t count, size_t size); /* checks the product */
#define arena_new(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define arena_new_array(arena, type, count) \
    ((type *)arena_alloc_array((arena), (count), sizeof(type)))

/* Grows a piece where it stands; false (and nothing changed) unless it is the newest and has
 * room. */
bool arena_extend(struct arena *arena, void *ptr, size_t size, size_t new_size);

/* `fn` runs before any memory goes, so it may use what it was allocated with. */
void arena_on_reset(struct arena *arena, void (*fn)(void *), void *ptr);
size_t arena_used(const struct arena *arena); /* bytes given out since the last reset */

str arena_str(struct arena *arena, str s); /* a copy, with a NUL behind it; absent stays absent */
const char *arena_cstr(struct arena *arena, str s);
str arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
