/* base/mem_test.c */
#include "support/test.h"

#include <string.h>

#include "base/mem.h"

TEST(owned_memory_comes_zeroed_and_keeps_its_bytes_when_resized)
{
    struct pair {
        int64_t a;
        int64_t b;
    } *pair = mem_new(struct pair);
    char *bytes = mem_alloc(100);

    CHECK(pair->a == 0 && pair->b == 0);
    for (int i = 0; i < 100; i++)
        CHECK(bytes[i] == 0);
    memset(bytes, 'x', 100);
    bytes = mem_resize(bytes, 5000);
    for (int i = 0; i < 100; i++)
        CHECK(bytes[i] == 'x');
    mem_free(bytes);
    mem_free(pair);
}

TEST(nothing_is_still_an_address)
{
    void *a = mem_alloc(0);
    void *b = mem_resize(NULL, 0);

    CHECK(a != NULL && b != NULL);
    mem_free(a);
    mem_free(b);
    mem_free(NULL);
}
