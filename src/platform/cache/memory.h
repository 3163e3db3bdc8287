/* platform/cache/memory.h - versioned values in this process. For this folder only.
 *
 * Bounded in bytes; what was used longest ago goes first. Thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

struct memory;

struct memory *memory_open(size_t size_max); /* >= CACHE_MEMORY_SIZE_MIN */
void memory_close(struct memory *memory);    /* NULL is accepted */

/* A copy in `arena`; false: none, or expired. */
bool memory_get(struct memory *memory, str key, int64_t now_ms, struct arena *arena, str *ret);
/* False: a newer version is there (also one that has expired, as long as it is remembered). */
bool memory_put(struct memory *memory, str key, uint64_t version, str value, int64_t expires_at_ms);
void memory_remove(struct memory *memory, str key);
void memory_clear(struct memory *memory);
/* Bytes taken, with what each value costs beside itself. */
size_t memory_size(struct memory *memory);
