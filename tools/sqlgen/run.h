/* sqlgen/run.h - one run of the generator: its memory, its files and the error that ended it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { RUN_ERROR_SIZE = 512, FILE_SIZE_MAX = 4 << 20 };

struct block;

/* Starts zeroed. Everything that it gives lives until run_done. */
struct run {
    struct block *blocks;
    char error[RUN_ERROR_SIZE]; /* "hold.sql:3: ...", or "" */
};

void run_done(struct run *run);
void *run_alloc(struct run *run, size_t size);                   /* zeroed; exhaustion aborts */
char *run_copy(struct run *run, const char *bytes, size_t size); /* with a NUL behind it */

/* Notes the first error, as the compilers write it; line 0 leaves the line out. Always false. */
bool run_fail(struct run *run, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* A text that grows. */
struct text {
    struct run *run;
    char *data; /* NUL-terminated as soon as anything was added */
    size_t size;
    size_t capacity;
};

void text_add(struct text *text, const char *bytes, size_t size);
void text_char(struct text *text, char c);
void text_printf(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

bool file_exists(const char *path);
bool file_read(struct run *run, const char *path, struct text *ret);
/* Leaves a file alone that says the same already, so that nothing is compiled again for it. */
bool file_write(struct run *run, const char *path, const struct text *text);
/* The part behind the last '/'. */
const char *path_base(const char *path);
