/* platform/http/encoding.h - content codings: which one a client wants, and the bytes of it (RFC
 * 9110 8.4.1, 12.5.3; gzip: RFC 1952; br: RFC 7932). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* Ascending in how much we like them: where a client likes two alike, the later one is sent. */
enum coding { CODING_IDENTITY, CODING_GZIP, CODING_BROTLI, CODING_COUNT };

/* "identity", "gzip", "br". */
str coding_name(enum coding coding);

/* The coding that an Accept-Encoding asks for. Absent, empty, or nothing that we have: identity,
 * also where that is refused, because a server may disregard the field and 406 helps nobody. An
 * item that cannot be read asks for nothing. */
enum coding coding_wanted(str accept_encoding);

/* `body` in a coding other than identity, of malloc; false if it would not have less than
 * `size_max` bytes. Takes some 20 to 100 ns a byte. */
bool coding_compress(enum coding coding, str body, size_t size_max, char **ret, size_t *ret_size);
