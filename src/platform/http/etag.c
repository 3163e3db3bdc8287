/* platform/http/etag.c - compares entity tags as RFC 9110 8.8.3.2 asks: strongly, a weak tag
 * equals nothing. */

#include "platform/http/etag.h"

#include <string.h>

static bool is_weak(str etag)
{
    return str_starts(etag, STR("W/"));
}

static str opaque_part(str etag)
{
    return is_weak(etag) ? str_slice(etag, 2, etag.size) : etag;
}

bool etag_is_valid(str etag)
{
    const str opaque = opaque_part(etag);

    if (opaque.size < 2 || opaque.ptr[0] != '"' || opaque.ptr[opaque.size - 1] != '"')
        return false;
    for (size_t i = 1; i + 1 < opaque.size; i++) {
        const unsigned char c = (unsigned char)opaque.ptr[i];
        if (c <= ' ' || c == '"' || c == 0x7f)
            return false;
    }
    return true;
}

/* The tag at the front of *rest; absent if there is none. A tag may hold commas, so quotes
 * decide. */
static str cut_tag(str *rest)
{
    size_t at = 0;

    while (at < rest->size &&
           (rest->ptr[at] == ' ' || rest->ptr[at] == '\t' || rest->ptr[at] == ','))
        at++;
    const str tail = str_slice(*rest, at, rest->size);
    const size_t quote = is_weak(tail) ? 2 : 0;
    if (quote >= tail.size || tail.ptr[quote] != '"')
        return STR_ABSENT;
    const char *end = memchr(tail.ptr + quote + 1, '"', tail.size - quote - 1);
    if (end == NULL)
        return STR_ABSENT;
    const size_t size = (size_t)(end - tail.ptr) + 1;
    *rest = str_slice(tail, size, tail.size);
    return str_slice(tail, 0, size);
}

bool etag_is_listed(str list, str etag, enum etag_comparison comparison)
{
    str rest = str_trim(list);
    str tag;

    if (str_eq(rest, STR("*")))
        return true;
    while ((tag = cut_tag(&rest)).ptr != NULL) {
        const bool can_equal = comparison == ETAG_WEAKLY || (!is_weak(tag) && !is_weak(etag));
        if (can_equal && str_eq(opaque_part(tag), opaque_part(etag)))
            return true;
    }
    return false;
}
