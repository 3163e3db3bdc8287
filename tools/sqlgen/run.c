/* sqlgen/run.c - memory, files and errors of one run of the generator.
 *
 * The generator runs before anything of the project is built, so it leans on libc alone. Its
 * memory is a list of blocks that are freed together at the end. */

#include "sqlgen/run.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_CAPACITY_FIRST = 256 };

struct block {
    struct block *next;
    max_align_t bytes[];
};

/* --- Memory --- */

void *run_alloc(struct run *run, size_t size)
{
    struct block *block = calloc(1, sizeof(*block) + size);

    if (block == NULL)
        abort();
    block->next = run->blocks;
    run->blocks = block;
    return block->bytes;
}

char *run_copy(struct run *run, const char *bytes, size_t size)
{
    char *copy = run_alloc(run, size + 1);

    memcpy(copy, bytes, size);
    return copy;
}

void run_done(struct run *run)
{
    while (run->blocks != NULL) {
        struct block *block = run->blocks;
        run->blocks = block->next;
        free(block);
    }
}

bool run_fail(struct run *run, const char *file, int line, const char *format, ...)
{
    va_list args;
    int size;

    if (run->error[0] != '\0')
        return false;
    if (line > 0)
        size = snprintf(run->error, sizeof(run->error), "%s:%d: ", file, line);
    else
        size = snprintf(run->error, sizeof(run->error), "%s: ", file);
    if (size < 0 || (size_t)size >= sizeof(run->error))
        return false;
    va_start(args, format);
    (void)vsnprintf(run->error + size, sizeof(run->error) - (size_t)size, format, args);
    va_end(args);
    return false;
}

/* --- Text --- */

static void text_reserve(struct text *text, size_t more)
{
    const size_t needed = text->size + more + 1;
    size_t capacity = text->capacity > 0 ? text->capacity : TEXT_CAPACITY_FIRST;
    char *data;

    if (needed <= text->capacity)
        return;
    while (capacity < needed)
        capacity *= 2;
    data = run_alloc(text->run, capacity);
    if (text->size > 0)
        memcpy(data, text->data, text->size);
    text->data = data;
    text->capacity = capacity;
}

void text_add(struct text *text, const char *bytes, size_t size)
{
    text_reserve(text, size);
    memcpy(text->data + text->size, bytes, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void text_char(struct text *text, char c)
{
    text_add(text, &c, 1);
}

void text_printf(struct text *text, const char *format, ...)
{
    va_list args;
    size_t room;
    int size;

    text_reserve(text, TEXT_CAPACITY_FIRST);
    room = text->capacity - text->size;
    va_start(args, format);
    size = vsnprintf(text->data + text->size, room, format, args);
    va_end(args);
    assert(size >= 0);
    if ((size_t)size >= room) {
        text_reserve(text, (size_t)size);
        va_start(args, format);
        (void)vsnprintf(text->data + text->size, (size_t)size + 1, format, args);
        va_end(args);
    }
    text->size += (size_t)size;
}

/* --- Files --- */

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool file_read(struct run *run, const char *path, struct text *ret)
{
    FILE *file = fopen(path, "re");
    char bytes[8192];
    size_t size;
    bool ok;

    if (file == NULL)
        return run_fail(run, path, 0, "cannot be opened");
    *ret = (struct text){.run = run};
    while ((size = fread(bytes, 1, sizeof(bytes), file)) > 0 && ret->size <= FILE_SIZE_MAX)
        text_add(ret, bytes, size);
    ok = ferror(file) == 0;
    (void)fclose(file);
    if (!ok)
        return run_fail(run, path, 0, "cannot be read");
    if (ret->size > FILE_SIZE_MAX)
        return run_fail(run, path, 0, "is larger than %d bytes", FILE_SIZE_MAX);
    if (ret->size > 0 && memchr(ret->data, '\0', ret->size) != NULL)
        return run_fail(run, path, 0, "has a NUL byte in it");
    text_add(ret, "", 0);
    return true;
}

static bool file_says(const char *path, const struct text *text)
{
    struct run run = {0};
    struct text old = {0};
    bool same = false;

    if (file_exists(path) && file_read(&run, path, &old) && old.data != NULL)
        same = old.size == text->size && memcmp(old.data, text->data, old.size) == 0;
    run_done(&run);
    return same;
}

bool file_write(struct run *run, const char *path, const struct text *text)
{
    FILE *file;
    bool ok;

    if (file_says(path, text))
        return true;
    file = fopen(path, "we");
    if (file == NULL)
        return run_fail(run, path, 0, "cannot be opened for writing");
    ok = fwrite(text->data, 1, text->size, file) == text->size;
    if (fclose(file) != 0 || !ok) {
        (void)unlink(path); /* half a file must not look like an answer */
        return run_fail(run, path, 0, "cannot be written");
    }
    return true;
}

const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}
