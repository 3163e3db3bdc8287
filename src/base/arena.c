/* base/arena.c - a list of chunks that are given out from front to back.
 *
 * The arena and its first chunk are one piece of memory, so a short request costs one malloc, or
 * none after a reset. What is larger than a quarter of a chunk gets a chunk of its own and
 * leaves the current one in use. Under AddressSanitizer everything not given out is poisoned,
 * and a gap is left behind each piece: running over the end and use after a reset are caught as
 * with malloc. */

#include "base/arena.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#endif

#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
enum { GAP_SIZE = 16 };
#else
#define ASAN_POISON_MEMORY_REGION(ptr, size)   ((void)(ptr), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(ptr, size) ((void)(ptr), (void)(size))
enum { GAP_SIZE = 0 };
#endif

enum {
    ALIGNMENT = 16,
    CHUNK_SIZE_STANDARD = 8 * 1024,
    CHUNK_SIZE_MIN = 256,
    PRINT_SIZE_STANDARD = 256,
};

struct chunk {
    struct chunk *next; /* older */
    size_t size;        /* of bytes */
    _Alignas(ALIGNMENT) char bytes[];
};

struct on_reset {
    struct on_reset *next; /* older */
    void (*fn)(void *);
    void *ptr;
};

struct arena {
    struct chunk *chunks; /* what was added to `first`, newest first */
    char *free;           /* the rest of the current chunk */
    size_t free_size;
    size_t chunk_size;
    size_t used;
    struct on_reset *on_reset;
    struct chunk first; /* last member: its bytes follow the struct */
};

static size_t round_up(size_t size)
{
    return (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

static void use_chunk(struct arena *arena, struct chunk *chunk)
{
    arena->free = chunk->bytes;
    arena->free_size = chunk->size;
    ASAN_POISON_MEMORY_REGION(chunk->bytes, chunk->size);
}

struct arena *arena_open(size_t chunk_size)
{
    if (chunk_size == 0)
        chunk_size = CHUNK_SIZE_STANDARD;
    if (chunk_size < CHUNK_SIZE_MIN)
        chunk_size = CHUNK_SIZE_MIN;
    chunk_size = round_up(chunk_size);

    struct arena *arena = malloc(sizeof(*arena) + chunk_size);
    if (arena == NULL)
        abort();
    memset(arena, 0, sizeof(*arena));
    arena->chunk_size = chunk_size;
    arena->first.size = chunk_size;
    use_chunk(arena, &arena->first);
    return arena;
}

static void run_on_reset(struct arena *arena)
{
    while (arena->on_reset != NULL) {
        const struct on_reset *callback = arena->on_reset;

        arena->on_reset = callback->next; /* before the call: it may register another */
        callback->fn(callback->ptr);
    }
}

static void free_chunks(struct arena *arena)
{
    while (arena->chunks != NULL) {
        struct chunk *chunk = arena->chunks;

        arena->chunks = chunk->next;
        ASAN_UNPOISON_MEMORY_REGION(chunk->bytes, chunk->size);
        free(chunk);
    }
}

void arena_reset(struct arena *arena)
{
    run_on_reset(arena);
    free_chunks(arena);
    arena->used = 0;
    use_chunk(arena, &arena->first);
}

void arena_close(struct arena *arena)
{
    if (arena == NULL)
        return;
    run_on_reset(arena);
    free_chunks(arena);
    ASAN_UNPOISON_MEMORY_REGION(arena->first.bytes, arena->first.size);
    free(arena);
}

void arena_close_at(struct arena **arena)
{
    arena_close(*arena);
    *arena = NULL;
}

/* A further chunk. calloc: what is large comes zeroed from the kernel for free. */
static struct chunk *add_chunk(struct arena *arena, size_t size)
{
    struct chunk *chunk = calloc(1, sizeof(*chunk) + size);

    if (chunk == NULL)
        abort();
    chunk->size = size;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    return chunk;
}

/* A chunk that holds nothing else; the current one stays current. */
static void *alloc_alone(struct arena *arena, size_t size, size_t taken)
{
    struct chunk *chunk = add_chunk(arena, taken);

    ASAN_POISON_MEMORY_REGION(chunk->bytes + size, taken - size);
    return chunk->bytes;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    assert(size <= PTRDIFF_MAX / 2);
    /* At least one step, so that two empty pieces have addresses of their own. */
    const size_t taken = round_up(size > 0 ? size : 1) + GAP_SIZE;

    arena->used += taken - GAP_SIZE;
    if (taken > arena->free_size) {
        if (taken > arena->chunk_size / 4)
            return alloc_alone(arena, size, taken);
        use_chunk(arena, add_chunk(arena, arena->chunk_size));
    }

    void *ptr = arena->free;
    arena->free += taken;
    arena->free_size -= taken;
    ASAN_UNPOISON_MEMORY_REGION(ptr, size);
    return memset(ptr, 0, size);
}

void *arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total))
        abort();
    return arena_alloc(arena, total);
}

bool arena_extend(struct arena *arena, void *ptr, size_t size, size_t new_size)
{
    assert(new_size >= size && new_size <= PTRDIFF_MAX / 2);
    const size_t taken = round_up(size > 0 ? size : 1) + GAP_SIZE;
    const size_t more = round_up(new_size > 0 ? new_size : 1) + GAP_SIZE - taken;

    if ((char *)ptr + taken != arena->free || more > arena->free_size)
        return false;
    arena->free += more;
    arena->free_size -= more;
    arena->used += more;
    ASAN_UNPOISON_MEMORY_REGION(ptr, new_size);
    memset((char *)ptr + size, 0, new_size - size);
    return true;
}

void arena_on_reset(struct arena *arena, void (*fn)(void *), void *ptr)
{
    struct on_reset *callback = arena_new(arena, struct on_reset);

    *callback = (struct on_reset){.next = arena->on_reset, .fn = fn, .ptr = ptr};
    arena->on_reset = callback;
}

size_t arena_used(const struct arena *arena)
{
    return arena->used;
}

/* --- Text --- */

str arena_str(struct arena *arena, str s)
{
    if (s.ptr == NULL)
        return s;

    char *copy = arena_alloc(arena, s.size + 1);
    if (s.size > 0)
        memcpy(copy, s.ptr, s.size);
    return (str){copy, s.size};
}

const char *arena_cstr(struct arena *arena, str s)
{
    return arena_str(arena, s).ptr;
}

str arena_printf(struct arena *arena, const char *format, ...)
{
    char text[PRINT_SIZE_STANDARD];
    va_list args;

    va_start(args, format);
    const int size = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    assert(size >= 0);
    if ((size_t)size < sizeof(text))
        return arena_str(arena, (str){text, (size_t)size});

    char *longer = arena_alloc(arena, (size_t)size + 1);
    va_start(args, format);
    const int again = vsnprintf(longer, (size_t)size + 1, format, args);
    va_end(args);
    assert(again == size);
    return (str){longer, (size_t)again};
}
