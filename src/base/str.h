/* base/str.h - text as pointer and length: not owned, not NUL-terminated unless said so. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct str {
    const char *ptr; /* NULL: absent, which an empty text is not */
    size_t size;     /* bytes */
} str;

#define STR(literal) ((str){(literal), sizeof(literal) - 1})
#define STR_ABSENT   ((str){NULL, 0})
/* For printf's "%.*s". */
#define STR_ARG(s) (int)(s).size, (s).ptr

str str_of(const char *nul_terminated); /* NULL gives STR_ABSENT */
bool str_eq(str a, str b);              /* an absent text equals only an absent one */
bool str_eq_nocase(str a, str b);       /* ASCII only */
int str_compare(str a, str b);          /* bytewise, as memcmp */
bool str_starts(str s, str prefix);
bool str_ends(str s, str suffix);
str str_slice(str s, size_t from, size_t to); /* clamped to s */
str str_trim(str s);                          /* without ASCII white space at both ends */
/* Cuts the part before the first `separator` off *rest and gives it; false once *rest is absent. */
bool str_split(str *rest, char separator, str *ret_part);
/* Decimal, whole text, no sign but a leading '-'; false if it is not a number or does not fit. */
bool str_to_i64(str s, int64_t *ret);
/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms) without NUL. */
bool str_is_utf8(str s);
/* Size of the well-formed sequence at byte `at` < s.size; 0 if it is broken or NUL. */
size_t str_utf8_next(str s, size_t at);
/* Number of code points of well-formed UTF-8. */
size_t str_code_points(str s);
/* FNV-1a with a final mix: for hash tables, not against an attacker. */
uint64_t str_hash(str s);
