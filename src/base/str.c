/* base/str.c - text as pointer and length.
 *
 * An absent text (ptr NULL) takes part in everything: it has no bytes, equals only itself and sorts
 * before the empty one. memcmp and memcpy must not see its pointer, hence the size checks. */

#include "base/str.h"

#include <string.h>

enum {
    ASCII_MAX = 0x7f,
    CASE_BIT = 0x20,
    WORD_SIZE = 8,
};

str str_of(const char *nul_terminated)
{
    if (nul_terminated == NULL)
        return STR_ABSENT;
    return (str){nul_terminated, strlen(nul_terminated)};
}

static bool is_absent(str s)
{
    return s.ptr == NULL;
}

bool str_eq(str a, str b)
{
    if (a.size != b.size || is_absent(a) != is_absent(b))
        return false;
    return a.size == 0 || memcmp(a.ptr, b.ptr, a.size) == 0;
}

static char lower(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c | CASE_BIT);
    return c;
}

bool str_eq_nocase(str a, str b)
{
    if (a.size != b.size || is_absent(a) != is_absent(b))
        return false;
    for (size_t i = 0; i < a.size; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

int str_compare(str a, str b)
{
    const size_t size = a.size < b.size ? a.size : b.size;
    const int order = size > 0 ? memcmp(a.ptr, b.ptr, size) : 0;

    if (order != 0)
        return order < 0 ? -1 : 1;
    if (a.size != b.size)
        return a.size < b.size ? -1 : 1;
    return (int)is_absent(b) - (int)is_absent(a);
}

bool str_starts(str s, str prefix)
{
    if (prefix.size > s.size)
        return false;
    return prefix.size == 0 || memcmp(s.ptr, prefix.ptr, prefix.size) == 0;
}

bool str_ends(str s, str suffix)
{
    if (suffix.size > s.size)
        return false;
    return suffix.size == 0 || memcmp(s.ptr + (s.size - suffix.size), suffix.ptr, suffix.size) == 0;
}

str str_slice(str s, size_t from, size_t to)
{
    if (is_absent(s))
        return s;
    if (to > s.size)
        to = s.size;
    if (from > to)
        from = to;
    return (str){s.ptr + from, to - from};
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

str str_trim(str s)
{
    size_t from = 0;
    size_t to = s.size;

    while (from < to && is_space(s.ptr[from]))
        from++;
    while (to > from && is_space(s.ptr[to - 1]))
        to--;
    return str_slice(s, from, to);
}

bool str_split(str *rest, char separator, str *ret_part)
{
    if (is_absent(*rest))
        return false;

    const char *found = rest->size > 0 ? memchr(rest->ptr, separator, rest->size) : NULL;
    if (found == NULL) {
        *ret_part = *rest;
        *rest = STR_ABSENT;
        return true;
    }
    const size_t at = (size_t)(found - rest->ptr);
    *ret_part = str_slice(*rest, 0, at);
    *rest = str_slice(*rest, at + 1, rest->size);
    return true;
}

bool str_to_i64(str s, int64_t *ret)
{
    const bool negative = s.size > 0 && s.ptr[0] == '-';
    int64_t n = 0; /* kept negative: that side reaches further */

    if (s.size == (size_t)negative)
        return false;
    for (size_t i = negative; i < s.size; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_sub_overflow(n, s.ptr[i] - '0', &n))
            return false;
    }
    if (!negative && n == INT64_MIN)
        return false;
    *ret = negative ? n : -n;
    return true;
}

/* Size of the sequence at `s` (at most `left` bytes); 0 if it is malformed. RFC 3629, section 4. */
static size_t utf8_sequence(const unsigned char *s, size_t left)
{
    unsigned low = 0x80;
    unsigned high = 0xbf;
    size_t size;

    if (s[0] <= ASCII_MAX)
        return s[0] != 0;
    if (s[0] >= 0xc2 && s[0] <= 0xdf)
        size = 2;
    else if (s[0] >= 0xe0 && s[0] <= 0xef)
        size = 3;
    else if (s[0] >= 0xf0 && s[0] <= 0xf4)
        size = 4;
    else
        return 0;
    if (size > left)
        return 0;

    /* The second byte is what rules out overlong forms, surrogates and what is beyond U+10FFFF. */
    if (s[0] == 0xe0)
        low = 0xa0;
    else if (s[0] == 0xed)
        high = 0x9f;
    else if (s[0] == 0xf0)
        low = 0x90;
    else if (s[0] == 0xf4)
        high = 0x8f;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return size;
}

size_t str_utf8_next(str s, size_t at)
{
    return utf8_sequence((const unsigned char *)s.ptr + at, s.size - at);
}

/* True if the next eight bytes are all ASCII and none is NUL: most text is, and goes fast. */
static bool is_ascii_word(const char *s)
{
    const uint64_t high_bits = UINT64_C(0x8080808080808080);
    const uint64_t low_bits = UINT64_C(0x0101010101010101);
    uint64_t word;

    memcpy(&word, s, sizeof(word));
    return ((word | (word - low_bits)) & high_bits) == 0;
}

bool str_is_utf8(str s)
{
    size_t at = 0;

    while (at < s.size) {
        if (s.size - at >= WORD_SIZE && is_ascii_word(s.ptr + at)) {
            at += WORD_SIZE;
            continue;
        }
        const size_t size = str_utf8_next(s, at);
        if (size == 0)
            return false;
        at += size;
    }
    return true;
}

size_t str_code_points(str s)
{
    size_t count = 0;

    for (size_t i = 0; i < s.size; i++)
        count += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
    return count;
}

uint64_t str_hash(str s)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < s.size; i++)
        hash = (hash ^ (unsigned char)s.ptr[i]) * UINT64_C(0x100000001b3);

    /* FNV's low bits depend on little of the text; tables index by them. */
    hash ^= hash >> 32;
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ (hash >> 29);
}
