/* base/buf.h - a text that grows up to a maximum. Overflow is sticky: check it once, at the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

struct buf {
    struct arena *arena; /* NULL: the memory is malloc's and buf_done frees it */
    char *data;          /* NUL-terminated as soon as anything was added */
    size_t size;
    size_t capacity;
    size_t size_max;
    bool overflow; /* something did not fit; data holds what did */
};

/* Empty buffers. `size_max` bounds what they can ever hold. */
struct buf buf_in(struct arena *arena, size_t size_max);
struct buf buf_on_heap(size_t size_max);
void buf_done(struct buf *buf); /* for CLEANUP too */

/* What does not fit is left out whole, and so is everything after it. */
void buf_add(struct buf *buf, str s);
void buf_add_char(struct buf *buf, char c);
void buf_add_cstr(struct buf *buf, const char *s);
void buf_add_i64(struct buf *buf, int64_t n);
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_clear(struct buf *buf); /* keeps the memory; clears overflow */
/* For writers that know their size: room for `size` more bytes (NULL: overflow), of which buf_took
 * then counts in what was written. */
char *buf_room(struct buf *buf, size_t size);
void buf_took(struct buf *buf, size_t size);
str buf_str(const struct buf *buf);
