/* platform/json/field.c - reads one value into one member and words what is wrong with it.
 *
 * The details are for the people behind a client: they say what is wanted, never how we store
 * it. */

#include "platform/json/field.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/money.h"
#include "base/time.h"

enum {
    DETAIL_SIZE_MAX = 512,
    NAME_SHOWN_SIZE_MAX = 64, /* a longer name came from nobody who needs it back whole */
};

/* --- Faults --- */

void faults_add(struct json_errors *list, str pointer, str detail)
{
    if (list->count < JSON_ERRORS_MAX)
        list->items[list->count++] = (struct json_error){.pointer = pointer, .detail = detail};
}

err faults_give(const struct faults *faults, struct json_errors *ret)
{
    if (ret != NULL) {
        ret->count = 0;
        for (size_t i = 0; i < faults->unknown.count; i++)
            faults_add(ret, faults->unknown.items[i].pointer, faults->unknown.items[i].detail);
        for (size_t i = 0; i < faults->invalid.count; i++)
            faults_add(ret, faults->invalid.items[i].pointer, faults->invalid.items[i].detail);
    }
    if (faults->unknown.count > 0)
        return ERR_UNKNOWN_FIELD;
    return faults->invalid.count > 0 ? ERR_INVALID : ERR_OK;
}

/* --- Members --- */

str field_name_shown(str name)
{
    size_t size = 0;

    while (size < name.size) {
        const size_t next = str_utf8_next(name, size);

        if (next == 0 || size + next > NAME_SHOWN_SIZE_MAX)
            break;
        size += next;
    }
    return str_slice(name, 0, size);
}

size_t shape_find(const struct json_shape *shape, str name, unsigned hidden)
{
    assert(shape->field_count <= JSON_FIELDS_MAX);
    for (size_t i = 0; i < shape->field_count; i++) {
        const struct json_field *field = &shape->fields[i];

        if (strncmp(field->name, name.ptr, name.size) == 0 && field->name[name.size] == '\0' &&
            (field->flags & hidden) == 0)
            return i;
    }
    return shape->field_count;
}

/* By memcpy: the member is a pointer of some other type, which may not be read as void *. */
static const void *pointer_at(const void *at)
{
    const void *ptr;

    memcpy(&ptr, at, sizeof(ptr));
    return ptr;
}

bool field_is_absent(const struct json_field *field, const void *at)
{
    switch (field->type) {
    case JSON_BOOL:
        return false;
    case JSON_I64:
    case JSON_TIME:
        return *(const int64_t *)at == JSON_NULL;
    case JSON_REAL:
        return !isfinite(*(const double *)at); /* JSON has no word for infinity either */
    case JSON_TEXT:
    case JSON_TOKEN:
        return ((const str *)at)->ptr == NULL;
    case JSON_RAW:
        return ((const str *)at)->size == 0; /* an empty text is no JSON value */
    case JSON_ID:
        return uuid_is_zero(*(const struct uuid *)at);
    case JSON_MONEY:
        return ((const struct money *)at)->currency.code[0] == '\0';
    case JSON_ENUM:
        return *(const int *)at < 0;
    case JSON_OBJECT:
    case JSON_LIST:
        return pointer_at(at) == NULL;
    }
    abort();
}

void field_clear(const struct json_field *field, void *base)
{
    void *at = (char *)base + field->offset;

    switch (field->type) {
    case JSON_BOOL:
        *(bool *)at = false;
        return;
    case JSON_I64:
    case JSON_TIME:
        *(int64_t *)at = JSON_NULL;
        return;
    case JSON_REAL:
        *(double *)at = (double)NAN;
        return;
    case JSON_TEXT:
    case JSON_TOKEN:
    case JSON_RAW:
        *(str *)at = STR_ABSENT;
        return;
    case JSON_ID:
        *(struct uuid *)at = (struct uuid){0};
        return;
    case JSON_MONEY:
        *(struct money *)at = (struct money){0};
        return;
    case JSON_ENUM:
        *(int *)at = -1;
        return;
    case JSON_LIST:
        *(size_t *)(void *)((char *)base + field->count_offset) = 0;
        memset(at, 0, sizeof(void *));
        return;
    case JSON_OBJECT:
        memset(at, 0, sizeof(void *));
        return;
    }
    abort();
}

/* --- What is said --- */

/* "from 1 to 10", "of at least 1", "of at most 10", "". */
static str range_text(struct arena *arena, int64_t min, int64_t max)
{
    const bool open_below = min <= INT64_MIN + 1;

    if (open_below && max == INT64_MAX)
        return STR("");
    if (max == INT64_MAX)
        return arena_printf(arena, " of at least %" PRId64, min);
    if (open_below)
        return arena_printf(arena, " of at most %" PRId64, max);
    return arena_printf(arena, " from %" PRId64 " to %" PRId64, min, max);
}

static str number_detail(struct arena *arena, const struct json_field *field)
{
    const str range = range_text(arena, field->min, field->max);

    return arena_printf(arena, "must be a %s%.*s",
                        field->type == JSON_REAL ? "number" : "whole number", STR_ARG(range));
}

static str length_detail(struct arena *arena, const struct json_field *field)
{
    const char *unit = field->type == JSON_TEXT ? "characters" : "printable ASCII characters";

    if (field->min == field->max)
        return arena_printf(arena, "must have exactly %" PRId64 " %s", field->min, unit);
    if (field->max == INT64_MAX)
        return arena_printf(arena, "must have at least %" PRId64 " %s", field->min, unit);
    return arena_printf(arena, "must have %" PRId64 " to %" PRId64 " %s", field->min, field->max,
                        unit);
}

static str enum_detail(struct arena *arena, const char *const *names)
{
    struct buf buf = buf_in(arena, DETAIL_SIZE_MAX);

    buf_add_cstr(&buf, "must be one of ");
    for (size_t i = 0; names[i] != NULL; i++) {
        if (i > 0)
            buf_add_cstr(&buf, ", ");
        buf_add_cstr(&buf, names[i]);
    }
    return buf_str(&buf);
}

/* --- Values --- */

static str take_i64(struct arena *arena, const struct json_field *field, int64_t n, void *at)
{
    /* JSON_NULL would read as absent later, whatever the bounds say. */
    if (n == JSON_NULL || n < field->min || n > field->max)
        return number_detail(arena, field);
    *(int64_t *)at = n;
    return STR_ABSENT;
}

static str take_real(struct arena *arena, const struct json_field *field, double n, void *at)
{
    if (!(n >= (double)field->min && n <= (double)field->max))
        return number_detail(arena, field);
    *(double *)at = n;
    return STR_ABSENT;
}

/* C0, DEL and C1, but for line feed and tab. `s` is well-formed. */
static bool has_controls(str s)
{
    for (size_t i = 0; i < s.size; i++) {
        const unsigned char c = (unsigned char)s.ptr[i];

        if ((c < ' ' && c != '\n' && c != '\t') || c == 0x7f)
            return true;
        if (c == 0xc2 && (unsigned char)s.ptr[i + 1] <= 0x9f)
            return true;
    }
    return false;
}

static str take_text(struct arena *arena, const struct json_field *field, str text, void *at)
{
    const int64_t length = (int64_t)str_code_points(text);

    if (length < field->min || length > field->max)
        return length_detail(arena, field);
    if (has_controls(text))
        return STR("must not contain control characters");
    if (field->min > 0 && str_trim(text).size == 0)
        return STR("must not be blank");
    *(str *)at = arena_str(arena, text);
    return STR_ABSENT;
}

static str take_token(struct arena *arena, const struct json_field *field, str text, void *at)
{
    if ((int64_t)text.size < field->min || (int64_t)text.size > field->max)
        return length_detail(arena, field);
    for (size_t i = 0; i < text.size; i++)
        if (text.ptr[i] < ' ' || text.ptr[i] > '~')
            return length_detail(arena, field);
    *(str *)at = arena_str(arena, text);
    return STR_ABSENT;
}

static str take_id(struct arena *arena, const struct json_field *field, str text, void *at)
{
    struct uuid id;

    /* Zero is how absence looks inside: nobody may send it. */
    if (!id_parse(field->prefix, text, &id) || uuid_is_zero(id))
        return arena_printf(arena, "must be an id that begins with %s_", field->prefix);
    *(struct uuid *)at = id;
    return STR_ABSENT;
}

static str take_enum(struct arena *arena, const struct json_field *field, str text, void *at)
{
    for (int i = 0; field->names[i] != NULL; i++)
        if (str_eq(text, str_of(field->names[i]))) {
            *(int *)at = i;
            return STR_ABSENT;
        }
    return enum_detail(arena, field->names);
}

static str take_string(struct arena *arena, const struct json_field *field, str text, void *at)
{
    if (field->type == JSON_TEXT)
        return take_text(arena, field, text, at);
    if (field->type == JSON_TOKEN)
        return take_token(arena, field, text, at);
    if (field->type == JSON_ID)
        return take_id(arena, field, text, at);
    if (field->type == JSON_ENUM)
        return take_enum(arena, field, text, at);
    assert(field->type == JSON_TIME);
    return time_parse(text, at) ? STR_ABSENT : STR("must be a time like 2026-11-22T21:22:13Z");
}

/* --- From JSON --- */

str field_from_json(struct arena *arena, const struct json_field *field, const struct json_t *node,
                    void *at)
{
    switch (field->type) {
    case JSON_BOOL:
        if (tree_kind(node) != TREE_BOOL)
            return STR("must be true or false");
        *(bool *)at = tree_bool(node);
        return STR_ABSENT;
    case JSON_I64:
        /* 1.0 is none: who sends it has computed with reals, and money is next. */
        if (tree_kind(node) != TREE_WHOLE)
            return number_detail(arena, field);
        return take_i64(arena, field, tree_whole(node), at);
    case JSON_REAL:
        if (tree_kind(node) != TREE_WHOLE && tree_kind(node) != TREE_REAL)
            return number_detail(arena, field);
        return take_real(arena, field, tree_real(node), at);
    case JSON_TEXT:
    case JSON_TOKEN:
    case JSON_ID:
    case JSON_TIME:
    case JSON_ENUM:
        if (tree_kind(node) != TREE_TEXT)
            return STR("must be a text");
        return take_string(arena, field, tree_text(node), at);
    case JSON_RAW:
    case JSON_MONEY:
    case JSON_OBJECT:
    case JSON_LIST:
        break;
    }
    abort();
}

/* --- From a query --- */

static str time_from_query(str text, void *at)
{
    struct civil civil;

    if (time_parse(text, at))
        return STR_ABSENT;
    if (!date_parse(text, &civil))
        return STR("must be a time like 2026-11-22T21:22:13Z or a date like 2026-11-22");
    *(int64_t *)at = civil_to_ms(&civil);
    return STR_ABSENT;
}

str field_from_query(struct arena *arena, const struct json_field *field, str text, void *at)
{
    int64_t n;
    double real;

    if (text.size == 0)
        return STR("must not be empty");
    switch (field->type) {
    case JSON_BOOL:
        if (!str_eq(text, STR("true")) && !str_eq(text, STR("false")))
            return STR("must be true or false");
        *(bool *)at = text.ptr[0] == 't';
        return STR_ABSENT;
    case JSON_I64:
        return str_to_i64(text, &n) ? take_i64(arena, field, n, at) : number_detail(arena, field);
    case JSON_REAL:
        return tree_parse_real(text, &real) ? take_real(arena, field, real, at)
                                            : number_detail(arena, field);
    case JSON_TIME:
        return time_from_query(text, at);
    case JSON_TEXT:
    case JSON_TOKEN:
    case JSON_ID:
    case JSON_ENUM:
        return take_string(arena, field, text, at);
    case JSON_MONEY:
    case JSON_OBJECT:
    case JSON_LIST:
    case JSON_RAW:
        break;
    }
    abort();
}
