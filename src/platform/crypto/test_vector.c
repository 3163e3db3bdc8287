/* platform/crypto/test_vector.c - reads hex, so that vectors stand in tests as they are
 * published. */

#include "platform/crypto/test_vector.h"

#include <assert.h>
#include <string.h>

static unsigned digit_of(char c)
{
    assert((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

str bytes_of_hex(struct arena *arena, const char *hex)
{
    const size_t size = strlen(hex) / 2;
    char *bytes = arena_alloc(arena, size + 1);

    assert(strlen(hex) % 2 == 0);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)(digit_of(hex[2 * i]) << 4 | digit_of(hex[2 * i + 1]));
    return (str){bytes, size};
}
