/* scenarios/vars.c - variables of a scenario, and JSON patterns that set and test them. */
#include "scenario.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"

enum { TEXT_SIZE_MAX = 4 * 1024 * 1024 };

static size_t name_size(const char *at, const char *end)
{
    size_t size = 0;

    while (at + size < end && (isalnum((unsigned char)at[size]) || at[size] == '_'))
        size++;
    return size;
}

static void add_value(struct buf *out, json_t *value, bool quoted)
{
    if (json_is_string(value) && !quoted) {
        buf_add_cstr(out, json_string_value(value));
        return;
    }
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    buf_add_cstr(out, text);
    free(text);
}

str vars_expand(struct scenario *scenario, str text, bool json)
{
    struct buf out = buf_in(scenario->arena, TEXT_SIZE_MAX);
    const char *end = text.ptr + text.size;
    bool in_quotes = false;

    for (const char *at = text.ptr; at < end; at++) {
        const size_t size = *at == '$' ? name_size(at + 1, end) : 0;
        char name[64];

        if (json && *at == '"' && (at == text.ptr || at[-1] != '\\'))
            in_quotes = !in_quotes;
        if (size == 0 || size >= sizeof(name)) {
            buf_add_char(&out, *at);
            continue;
        }
        memcpy(name, at + 1, size);
        name[size] = '\0';
        json_t *value = json_object_get(scenario->vars, name);
        if (value != NULL)
            add_value(&out, value, json && !in_quotes);
        else if (json && !in_quotes)
            buf_printf(&out, "\"$%s\"", name); /* a pattern's capture */
        else
            buf_printf(&out, "$%s", name);
        at += size;
    }
    return buf_str(&out);
}

static bool differs(struct scenario *scenario, str *ret_where, str below, const char *step)
{
    *ret_where = arena_printf(scenario->arena, "/%s%.*s", step, STR_ARG(below));
    return false;
}

static bool object_matches(struct scenario *scenario, json_t *want, json_t *got, str *ret_where)
{
    const char *name;
    json_t *member;

    if (!json_is_object(got))
        return false;
    json_object_foreach(want, name, member)
    {
        json_t *there = json_object_get(got, name);
        str below = STR("");

        if (there == NULL || !pattern_matches(scenario, member, there, &below))
            return differs(scenario, ret_where, below, name);
    }
    return true;
}

static bool list_matches(struct scenario *scenario, json_t *want, json_t *got, str *ret_where)
{
    if (!json_is_array(got))
        return false;
    for (size_t i = 0; i < json_array_size(want); i++) {
        str below = STR("");
        json_t *there = json_array_get(got, i);

        if (there == NULL || !pattern_matches(scenario, json_array_get(want, i), there, &below))
            return differs(scenario, ret_where, below, arena_printf(scenario->arena, "%zu", i).ptr);
    }
    /* An empty list in a pattern means an empty list. */
    return json_array_size(want) > 0 || json_array_size(got) == 0;
}

bool pattern_matches(struct scenario *scenario, json_t *want, json_t *got,
                     str *ret_where) /* NOLINT(misc-no-recursion) */
{
    *ret_where = STR("");
    if (json_is_object(want))
        return object_matches(scenario, want, got, ret_where);
    if (json_is_array(want))
        return list_matches(scenario, want, got, ret_where);
    if (json_is_string(want)) {
        const char *text = json_string_value(want);

        if (strcmp(text, "*") == 0)
            return true;
        if (text[0] == '$' && text[1] != '\0') {
            json_object_set(scenario->vars, text + 1, got);
            return true;
        }
    }
    return json_equal(want, got);
}
