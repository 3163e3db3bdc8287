/* platform/json/field.h - single fields: their absence, their values, and what is said about bad
 * ones.
 *
 * Private to platform/json: bodies and query strings are read by the same rules. */
#pragma once

#include "platform/json/json.h"
#include "platform/json/tree.h"

/* What was found wrong so far. Unknown fields are kept apart because they win over invalid ones. */
struct faults {
    struct json_errors unknown;
    struct json_errors invalid;
};

/* Keeps the first JSON_ERRORS_MAX. */
void faults_add(struct json_errors *list, str pointer, str detail);
/* The verdict; *ret (may be NULL) gets what is unknown first, then what is invalid. */
err faults_give(const struct faults *faults, struct json_errors *ret);

/* As much of a name from outside as is shown back: its well-formed beginning, at most 64 bytes. */
str field_name_shown(str name);

/* Position of the field with that name and none of the flags in `hidden`; field_count: there is
 * none. */
size_t shape_find(const struct json_shape *shape, str name, unsigned hidden);

/* `at` points to the member, `base` to the struct that holds it. */
bool field_is_absent(const struct json_field *field, const void *at);
void field_clear(const struct json_field *field, void *base);

/* Each sets the member, or gives the detail of what is wrong (absent: nothing). Not for JSON_MONEY,
 * JSON_OBJECT, JSON_LIST and JSON_RAW, and not for null. */
str field_from_json(struct arena *arena, const struct json_field *field, const struct json_t *node,
                    void *at);
/* The same for the text of a query parameter. */
str field_from_query(struct arena *arena, const struct json_field *field, str text, void *at);
