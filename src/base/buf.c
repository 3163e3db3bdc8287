/* base/buf.c - a text that grows by doubling, in an arena or on the heap, up to its maximum.
 *
 * What does not fit is left out whole, and so is everything after it: a text that was cut has no
 * holes. In an arena the newest piece grows in place, which is the usual case while an answer is
 * written. */

#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum {
    CAPACITY_MIN = 256,
    DIGITS_MAX = 20, /* of an int64_t with its sign */
};

struct buf buf_in(struct arena *arena, size_t size_max)
{
    assert(arena != NULL);
    return (struct buf){.arena = arena, .size_max = size_max};
}

struct buf buf_on_heap(size_t size_max)
{
    return (struct buf){.size_max = size_max};
}

void buf_done(struct buf *buf)
{
    if (buf->arena == NULL)
        mem_free(buf->data);
    *buf = (struct buf){.arena = buf->arena, .size_max = buf->size_max};
}

/* `capacity` counts the NUL. */
static void grow_to(struct buf *buf, size_t capacity)
{
    if (buf->arena == NULL) {
        buf->data = mem_resize(buf->data, capacity);
    } else if (buf->data == NULL || !arena_extend(buf->arena, buf->data, buf->capacity, capacity)) {
        char *moved = arena_alloc(buf->arena, capacity);
        if (buf->data != NULL)
            memcpy(moved, buf->data, buf->size);
        buf->data = moved;
    }
    buf->capacity = capacity;
}

char *buf_room(struct buf *buf, size_t size)
{
    if (buf->overflow || size > buf->size_max - buf->size) {
        buf->overflow = true;
        return NULL;
    }
    const size_t needed = buf->size + size + 1;
    if (needed > buf->capacity) {
        size_t capacity = buf->capacity > 0 ? buf->capacity : CAPACITY_MIN;
        while (capacity < needed)
            capacity *= 2;
        grow_to(buf, capacity);
    }
    return buf->data + buf->size;
}

void buf_took(struct buf *buf, size_t size)
{
    assert(buf->size + size < buf->capacity);
    buf->size += size;
    buf->data[buf->size] = '\0';
}

void buf_add(struct buf *buf, str s)
{
    char *room = buf_room(buf, s.size);

    if (room == NULL)
        return;
    if (s.size > 0)
        memcpy(room, s.ptr, s.size);
    buf_took(buf, s.size);
}

void buf_add_char(struct buf *buf, char c)
{
    char *room = buf_room(buf, 1);

    if (room == NULL)
        return;
    *room = c;
    buf_took(buf, 1);
}

void buf_add_cstr(struct buf *buf, const char *s)
{
    buf_add(buf, str_of(s));
}

void buf_add_i64(struct buf *buf, int64_t n)
{
    char digits[DIGITS_MAX];
    size_t at = sizeof(digits);
    /* Negated in unsigned, where INT64_MIN has a counterpart. */
    uint64_t rest = n < 0 ? -(uint64_t)n : (uint64_t)n;

    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (n < 0)
        digits[--at] = '-';
    buf_add(buf, (str){digits + at, sizeof(digits) - at});
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;

    if (buf->overflow)
        return;
    const size_t left = buf->capacity > buf->size ? buf->capacity - buf->size : 0;
    va_start(args, format);
    const int size = vsnprintf(left > 0 ? buf->data + buf->size : NULL, left, format, args);
    va_end(args);
    assert(size >= 0);

    char *room = buf_room(buf, (size_t)size);
    if (room == NULL) {
        if (buf->data != NULL)
            buf->data[buf->size] = '\0'; /* takes back what was cut */
        return;
    }
    if ((size_t)size >= left) {
        va_start(args, format);
        const int again = vsnprintf(room, (size_t)size + 1, format, args);
        va_end(args);
        assert(again == size);
    }
    buf_took(buf, (size_t)size);
}

void buf_clear(struct buf *buf)
{
    buf->size = 0;
    buf->overflow = false;
    if (buf->data != NULL)
        buf->data[0] = '\0';
}

str buf_str(const struct buf *buf)
{
    return (str){buf->data != NULL ? buf->data : "", buf->size};
}
