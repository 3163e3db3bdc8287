/* base/id.h - UUIDv7 (RFC 9562) inside, TypeID (github.com/jetify-com/typeid, spec 0.3) outside.
 *
 * A kind of id is a struct of its own with one member, so that a ticket's id cannot be passed as an
 * order's: `typedef struct order_id { struct uuid uuid; } order_id;` with the prefix "ord". */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/str.h"

enum {
    ID_PREFIX_SIZE_MAX = 8,
    ID_TEXT_SIZE_MAX = ID_PREFIX_SIZE_MAX + 1 + 26, /* prefix _ 26 characters of Crockford base32 */
};

struct uuid {
    uint8_t bytes[16];
};

struct id_text {
    char text[ID_TEXT_SIZE_MAX + 1]; /* NUL-terminated */
};

/* Time-ordered among the ids of one `rng` (which is one per process): 48 bits of ms, 12 bits of
 * a counter, 62 random bits. */
struct uuid uuid_new(struct rng *rng, int64_t now_ms);
bool uuid_eq(struct uuid a, struct uuid b);
bool uuid_is_zero(struct uuid id);
int uuid_compare(struct uuid a, struct uuid b);
uint64_t uuid_hash(struct uuid id);

/* "evt_01h455vb4pex5vsknk084sn02q" for prefix "evt". */
struct id_text id_format(const char *prefix, struct uuid id);
/* False unless `text` is exactly a TypeID of that prefix (lower case, no overflow). */
bool id_parse(const char *prefix, str text, struct uuid *ret);
