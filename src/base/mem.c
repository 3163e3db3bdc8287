/* base/mem.c - malloc for what lives longer than a request; exhaustion ends the process.
 *
 * A server that cannot get memory can do nothing sensible per call site: it stops, its supervisor
 * starts it anew, and what was acknowledged is on disk. */

#include "base/mem.h"

#include <stdlib.h>

void *mem_alloc(size_t size)
{
    void *ptr = calloc(1, size > 0 ? size : 1);

    if (ptr == NULL)
        abort();
    return ptr;
}

void *mem_resize(void *ptr, size_t size)
{
    void *moved = realloc(ptr, size > 0 ? size : 1);

    if (moved == NULL)
        abort();
    return moved;
}

void mem_free(void *ptr)
{
    free(ptr);
}

void *mem_unconst(const void *ptr)
{
    union {
        const void *constant;
        void *plain;
    } both = {ptr};

    return both.plain;
}
