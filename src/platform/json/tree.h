/* platform/json/tree.h - parsed JSON, without the names of the library that parsed it.
 *
 * Private to platform/json. jansson's JSON_OBJECT, JSON_REAL and JSON_NULL are not ours, so
 * tree.c alone includes both worlds' headers. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct json_t; /* a node; NULL is accepted where one is asked what it is */

enum tree_kind {
    TREE_NONE,
    TREE_NULL,
    TREE_BOOL,
    TREE_WHOLE,
    TREE_REAL,
    TREE_TEXT,
    TREE_LIST,
    TREE_OBJECT,
};

/* The tree goes when the arena is reset. ERR_MALFORMED with *ret_detail set. */
err tree_parse(struct arena *arena, str text, size_t depth_max, struct json_t **ret,
               str *ret_detail);
/* True if more brackets than that are open anywhere in `text`. */
bool tree_is_deeper(str text, size_t depth_max);
/* A number by JSON's grammar, which knows no "inf", no hexadecimals and no locale. */
bool tree_parse_real(str text, double *ret);

enum tree_kind tree_kind(const struct json_t *node);
bool tree_bool(const struct json_t *node);
int64_t tree_whole(const struct json_t *node);
double tree_real(const struct json_t *node); /* of a whole number too */
str tree_text(const struct json_t *node);    /* absent of anything else; the tree's memory */
size_t tree_count(const struct json_t *list);
struct json_t *tree_at(const struct json_t *list, size_t index);
struct json_t *tree_find(const struct json_t *object, const char *name); /* NULL: none */

struct tree_member {
    void *position; /* NULL: before the first */
    str name;
    struct json_t *value;
};
/* Moves on to the next member; false behind the last one. */
bool tree_next(struct json_t *object, struct tree_member *member);

str tree_compact(struct arena *arena, const struct json_t *node);
/* SHA-256 of the compact text with sorted names. */
void tree_digest(struct arena *arena, const struct json_t *node, uint8_t ret[32]);
