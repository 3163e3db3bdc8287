/* platform/json/query.c - reads a query string (application/x-www-form-urlencoded) by a shape.
 *
 * The same rows describe a body and a query, so a filter is bounded like a field. A broken
 * escape makes the whole string meaningless, hence ends the reading; everything else is
 * collected. */

#include <assert.h>
#include <string.h>

#include "platform/json/field.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* False if an escape is broken or the result is no UTF-8 (or has a NUL). */
static bool unescape(struct arena *arena, str s, str *ret)
{
    char *text = arena_alloc(arena, s.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < s.size; i++) {
        char c = s.ptr[i];

        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            const int high = i + 2 < s.size ? hex_value(s.ptr[i + 1]) : -1;
            const int low = i + 2 < s.size ? hex_value(s.ptr[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        text[size++] = c;
    }
    *ret = (str){text, size};
    return str_is_utf8(*ret);
}

static err give_malformed(struct arena *arena, str name, struct json_errors *errors)
{
    if (errors != NULL) {
        errors->count = 0;
        faults_add(errors, arena_str(arena, field_name_shown(name)),
                   STR("is not percent-encoded UTF-8"));
    }
    return ERR_MALFORMED;
}

struct query {
    struct arena *arena;
    const struct json_shape *shape;
    char *value;
    uint64_t given; /* a bit for each field */
    struct faults faults;
};

static void take_param(struct query *query, str name, str text)
{
    const size_t i = shape_find(query->shape, name, JSON_READ_ONLY);

    if (i == query->shape->field_count) {
        faults_add(&query->faults.unknown, field_name_shown(name), STR("is not a known parameter"));
        return;
    }
    const struct json_field *field = &query->shape->fields[i];
    if ((query->given >> i & 1) != 0) {
        faults_add(&query->faults.invalid, name, STR("is given twice"));
        return;
    }
    query->given |= UINT64_C(1) << i;
    const str wrong = field_from_query(query->arena, field, text, query->value + field->offset);
    if (wrong.ptr != NULL)
        faults_add(&query->faults.invalid, name, wrong);
}

static void find_missing(struct query *query)
{
    for (size_t i = 0; i < query->shape->field_count; i++) {
        const struct json_field *field = &query->shape->fields[i];

        if ((field->flags & JSON_REQUIRED) != 0 && (query->given >> i & 1) == 0)
            faults_add(&query->faults.invalid, str_of(field->name), STR("is required"));
    }
}

err json_decode_query(struct arena *arena, str query, const struct json_shape *shape, void *value,
                      struct json_errors *errors)
{
    struct query walk = {.arena = arena, .shape = shape, .value = arena_alloc(arena, shape->size)};
    str part;

    memcpy(walk.value, value, shape->size);
    while (str_split(&query, '&', &part)) {
        str raw_value = part;
        str raw_name;
        str name;
        str text;

        if (part.size == 0)
            continue;
        str_split(&raw_value, '=', &raw_name); /* leaves nothing where there is no '=' */
        if (!unescape(arena, raw_name, &name) || !unescape(arena, raw_value, &text))
            return give_malformed(arena, raw_name, errors);
        take_param(&walk, name, text);
    }
    find_missing(&walk);

    const err verdict = faults_give(&walk.faults, errors);
    if (verdict == ERR_OK)
        memcpy(value, walk.value, shape->size);
    return verdict;
}
