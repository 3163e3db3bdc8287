/* platform/json/json.h - JSON <-> struct by descriptors: the layout of a struct and its wire form
 * in one table.
 *
 * One shape serves request bodies, query strings, answers, ops and outbox events. Decoding goes
 * through jansson (duplicate keys, NUL and broken UTF-8 are refused); encoding writes straight into
 * a buffer.
 *
 * Absent values: str with ptr NULL, pointer NULL, int64 JSON_NULL, zero uuid, money without
 * currency, NaN, enum -1. Encoding leaves an absent member out, or writes null if the field is
 * JSON_NULLABLE, or [] if it is a JSON_REQUIRED list. Decoding writes only what was given, so
 * what the caller put into the struct before is the default, and a PUT merges by decoding over
 * the current value (nested objects too; lists are replaced). A nested object that was not
 * there, and each element of a list, begins absent in all its members (booleans false). null
 * makes a JSON_NULLABLE field absent and is refused elsewhere. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define JSON_NULL INT64_MIN /* of an int64 member: absent */

enum {
    JSON_DEPTH_MAX = 16,
    /* Of a JSON_RAW value from outside, so that it fits into whatever holds it later. */
    JSON_RAW_DEPTH_MAX = 8,
    JSON_ERRORS_MAX = 16,
    JSON_FIELDS_MAX = 64, /* of one shape */
};

enum json_type {
    JSON_BOOL, /* bool */
    JSON_I64,  /* int64_t in [min, max]; 1.0 is no whole number */
    JSON_REAL, /* double in [min, max] (whole bounds); NaN: absent */
    JSON_TEXT, /* str of min to max code points, not trimmed; no controls but \n, \t; min > 0: not blank */
    JSON_TOKEN,  /* str of min to max bytes of printable ASCII */
    JSON_ID,     /* one-field id struct (struct uuid) as TypeID of `prefix` */
    JSON_MONEY,  /* struct money; minor in [min, max] */
    JSON_TIME,   /* int64_t ms, RFC 3339 */
    JSON_ENUM,   /* int: index in `names` (NULL-terminated); negative: absent */
    JSON_OBJECT, /* pointer to a struct of `shape` */
    JSON_LIST,   /* pointer to `count` elements in a row; min to max of them */
    JSON_RAW,    /* str: any JSON value as compact text */
};

enum json_flag {
    JSON_OPTIONAL = 0,
    JSON_REQUIRED = 1,  /* decoding: must be given */
    JSON_NULLABLE = 2,  /* null is allowed and means absent; not for JSON_BOOL */
    JSON_READ_ONLY = 4, /* encoded, but unknown to decoding */
    JSON_SECRET = 8,    /* decoded, never encoded */
};

struct json_shape;

struct json_field {
    const char *name;
    enum json_type type;
    unsigned flags;
    size_t offset;
    int64_t min;
    int64_t max;
    const char *prefix;             /* ID */
    const char *const *names;       /* ENUM */
    const struct json_shape *shape; /* OBJECT; LIST of objects */
    const struct json_field *item;  /* LIST of scalars: how one is read; its offset is 0 */
    size_t item_size;               /* LIST */
    size_t count_offset;            /* LIST: of a size_t member */
};

struct json_shape {
    const struct json_field *fields;
    size_t field_count;
    size_t size; /* of the struct */
};

/* Rows of a shape: name, struct, member, then what bounds it, then flags. */
#define JSON_ROW(n, t, s, m, fl, ...)                                                  \
    {                                                                                  \
        .name = (n), .type = (t), .flags = (fl), .offset = offsetof(s, m), __VA_ARGS__ \
    }
#define JSON_F_BOOL(n, s, m, fl)         JSON_ROW(n, JSON_BOOL, s, m, fl, .min = 0)
#define JSON_F_I64(n, s, m, lo, hi, fl)  JSON_ROW(n, JSON_I64, s, m, fl, .min = (lo), .max = (hi))
#define JSON_F_REAL(n, s, m, lo, hi, fl) JSON_ROW(n, JSON_REAL, s, m, fl, .min = (lo), .max = (hi))
#define JSON_F_TEXT(n, s, m, lo, hi, fl) JSON_ROW(n, JSON_TEXT, s, m, fl, .min = (lo), .max = (hi))
#define JSON_F_TOKEN(n, s, m, lo, hi, fl) \
    JSON_ROW(n, JSON_TOKEN, s, m, fl, .min = (lo), .max = (hi))
#define JSON_F_ID(n, s, m, pre, fl) JSON_ROW(n, JSON_ID, s, m, fl, .prefix = (pre))
#define JSON_F_MONEY(n, s, m, lo, hi, fl) \
    JSON_ROW(n, JSON_MONEY, s, m, fl, .min = (lo), .max = (hi))
#define JSON_F_TIME(n, s, m, fl)       JSON_ROW(n, JSON_TIME, s, m, fl, .min = 0)
#define JSON_F_ENUM(n, s, m, nm, fl)   JSON_ROW(n, JSON_ENUM, s, m, fl, .names = (nm))
#define JSON_F_OBJECT(n, s, m, sh, fl) JSON_ROW(n, JSON_OBJECT, s, m, fl, .shape = (sh))
#define JSON_F_RAW(n, s, m, fl)        JSON_ROW(n, JSON_RAW, s, m, fl, .min = 0)
/* A list of objects, and one of scalars read like `row`. `m` points to the elements, `c` counts
 * them. */
#define JSON_F_LIST(n, s, m, c, sh, lo, hi, fl)                                        \
    JSON_ROW(n, JSON_LIST, s, m, fl, .shape = (sh), .item_size = sizeof(*((s *)0)->m), \
             .min = (lo), .max = (hi), .count_offset = offsetof(s, c))
#define JSON_F_SCALARS(n, s, m, c, row, lo, hi, fl)                                    \
    JSON_ROW(n, JSON_LIST, s, m, fl, .item = (row), .item_size = sizeof(*((s *)0)->m), \
             .min = (lo), .max = (hi), .count_offset = offsetof(s, c))
#define JSON_SHAPE(rows, s)                                                                  \
    {                                                                                        \
        .fields = (rows), .field_count = sizeof(rows) / sizeof((rows)[0]), .size = sizeof(s) \
    }

/* What was wrong with an input, for a problem document's `errors`. */
struct json_error {
    str pointer; /* RFC 6901, e.g. "/items/0/quantity"; of a query parameter its name */
    str detail;
};
struct json_errors {
    struct json_error items[JSON_ERRORS_MAX];
    size_t count;
};

/* A parsed document, alive as long as its arena. */
struct json_doc;

/* ERR_MALFORMED with *ret_detail set ("line 1 column 7: ..."). */
err json_parse(struct arena *arena, str text, struct json_doc **ret, str *ret_detail);
/* Over *value, which holds the defaults and stays as it was on failure. ERR_UNKNOWN_FIELD (first
 * of all), ERR_INVALID; `errors` (may be NULL) says where. What *value then points to lives in
 * `arena`. */
err json_decode(struct arena *arena, const struct json_doc *doc, const struct json_shape *shape,
                void *value, struct json_errors *errors);
/* Both in one, for text that we wrote ourselves (outbox, ops, columns): JSON_READ_ONLY fields
 * are read too, and unknown ones skipped, because the writer may be newer than the reader. */
err json_read(struct arena *arena, str text, const struct json_shape *shape, void *value);
/* Makes every member absent (booleans false): what *value should be before optional members are
 * decoded over it. */
void json_clear(const struct json_shape *shape, void *value);
/* SHA-256 of the document with sorted keys and no white space: equal for bodies that parse
 * equal. */
void json_digest(const struct json_doc *doc, uint8_t ret[32]);
/* "a=1&b=x%20y" by the same shapes (scalars only): ERR_MALFORMED for broken escapes,
 * ERR_UNKNOWN_FIELD, ERR_INVALID also for doubled names and empty values. JSON_TIME takes a date
 * too (midnight UTC). */
err json_decode_query(struct arena *arena, str query, const struct json_shape *shape, void *value,
                      struct json_errors *errors);

/* JSON_SECRET fields are left out. Broken UTF-8 becomes U+FFFD. */
void json_write(struct buf *buf, const struct json_shape *shape, const void *value);
void json_write_text(struct buf *buf, str text); /* quoted and escaped; "null" if absent */
/* Absent if it were larger than 64 MiB. */
str json_encode(struct arena *arena, const struct json_shape *shape, const void *value);
