/* platform/json/tree.c - text to tree, by jansson, behind a guard.
 *
 * jansson descends by recursion, so depth is bounded before it sees a text. It also refuses a
 * whole document because of one integer beyond int64; since that is a wrong field and no broken
 * JSON, such integers are then marked as reals, and the field that wanted a whole number says
 * so. */

#include "platform/json/tree.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <openssl/sha.h>

#include "base/buf.h"

enum {
    DIGEST_STACK_SIZE = 2048,
    LOAD_FLAGS = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
    DUMP_FLAGS = JSON_COMPACT | JSON_ENCODE_ANY,
};

/* --- Parsing --- */

static void free_tree(void *ptr)
{
    json_decref(ptr);
}

/* Where the string that begins at `at` ends: behind its closing quote, or with the text. */
static size_t skip_string(str text, size_t at)
{
    for (at++; at < text.size; at++) {
        if (text.ptr[at] == '\\')
            at++;
        else if (text.ptr[at] == '"')
            return at + 1;
    }
    return text.size;
}

/* Brackets are not matched here: what does not match is jansson's to refuse, and it never gets
 * deeper than the brackets that open. */
bool tree_is_deeper(str text, size_t depth_max)
{
    size_t depth = 0;

    for (size_t at = 0; at < text.size;) {
        const char c = text.ptr[at];

        if (c == '"') {
            at = skip_string(text, at);
            continue;
        }
        if ((c == '{' || c == '[') && ++depth > depth_max)
            return true;
        if ((c == '}' || c == ']') && depth > 0)
            depth--;
        at++;
    }
    return false;
}

static bool is_number_char(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

/* A copy in which every integer that no int64 holds has ".0" behind it. */
static str mark_big_integers(struct arena *arena, str text)
{
    struct buf buf = buf_in(arena, 2 * text.size + 2);

    for (size_t at = 0; at < text.size;) {
        size_t end = at + 1;
        const char c = text.ptr[at];
        int64_t n;

        if (c == '"') {
            end = skip_string(text, at);
            buf_add(&buf, str_slice(text, at, end));
        } else if (c == '-' || (c >= '0' && c <= '9')) {
            while (end < text.size && is_number_char(text.ptr[end]))
                end++;
            const str number = str_slice(text, at, end);
            const bool whole = memchr(number.ptr, '.', number.size) == NULL &&
                               memchr(number.ptr, 'e', number.size) == NULL &&
                               memchr(number.ptr, 'E', number.size) == NULL;
            buf_add(&buf, number);
            if (whole && !str_to_i64(number, &n))
                buf_add_cstr(&buf, ".0");
        } else {
            buf_add_char(&buf, c);
        }
        at = end;
    }
    return buf_str(&buf);
}

static json_t *load(struct arena *arena, str text, json_error_t *ret_error)
{
    json_t *root = json_loadb(text.ptr, text.size, LOAD_FLAGS, ret_error);

    if (root != NULL || json_error_code(ret_error) != json_error_numeric_overflow)
        return root;
    const str marked = mark_big_integers(arena, text);
    return json_loadb(marked.ptr, marked.size, LOAD_FLAGS, ret_error);
}

err tree_parse(struct arena *arena, str text, size_t depth_max, struct json_t **ret,
               str *ret_detail)
{
    json_error_t error;

    if (text.ptr == NULL || text.size == 0) {
        *ret_detail = STR("line 1 column 1: there is no JSON");
        return ERR_MALFORMED;
    }
    if (tree_is_deeper(text, depth_max)) {
        *ret_detail = arena_printf(arena, "nested deeper than %zu", depth_max);
        return ERR_MALFORMED;
    }
    json_t *root = load(arena, text, &error);
    if (root == NULL) {
        *ret_detail =
            arena_printf(arena, "line %d column %d: %s", error.line, error.column, error.text);
        return ERR_MALFORMED;
    }
    arena_on_reset(arena, free_tree, root);
    *ret = root;
    return ERR_OK;
}

bool tree_parse_real(str text, double *ret)
{
    json_t *node = json_loadb(text.ptr, text.size, JSON_DECODE_ANY, NULL);
    const bool good = json_is_number(node);

    if (good)
        *ret = json_number_value(node);
    json_decref(node);
    return good;
}

/* --- Reading --- */

enum tree_kind tree_kind(const json_t *node)
{
    if (node == NULL)
        return TREE_NONE;
    switch (json_typeof(node)) {
    case JSON_OBJECT:
        return TREE_OBJECT;
    case JSON_ARRAY:
        return TREE_LIST;
    case JSON_STRING:
        return TREE_TEXT;
    case JSON_INTEGER:
        return TREE_WHOLE;
    case JSON_REAL:
        return TREE_REAL;
    case JSON_TRUE:
    case JSON_FALSE:
        return TREE_BOOL;
    case JSON_NULL:
        return TREE_NULL;
    }
    abort();
}

bool tree_bool(const json_t *node)
{
    return json_is_true(node);
}

int64_t tree_whole(const json_t *node)
{
    return json_integer_value(node);
}

double tree_real(const json_t *node)
{
    return json_number_value(node);
}

str tree_text(const json_t *node)
{
    return (str){json_string_value(node), json_string_length(node)};
}

size_t tree_count(const json_t *list)
{
    return json_array_size(list);
}

json_t *tree_at(const json_t *list, size_t index)
{
    return json_array_get(list, index);
}

json_t *tree_find(const json_t *object, const char *name)
{
    return json_object_get(object, name);
}

bool tree_next(json_t *object, struct tree_member *member)
{
    member->position = member->position == NULL ? json_object_iter(object)
                                                : json_object_iter_next(object, member->position);
    if (member->position == NULL)
        return false;
    member->name =
        (str){json_object_iter_key(member->position), json_object_iter_key_len(member->position)};
    member->value = json_object_iter_value(member->position);
    return true;
}

/* --- Writing --- */

/* Into `room`; else, where that is too small, into the arena. */
static str dump(struct arena *arena, const json_t *node, size_t flags, char *room, size_t room_size)
{
    const size_t size = json_dumpb(node, room, room_size, flags);

    assert(size > 0);
    if (size <= room_size)
        return (str){room, size};
    char *text = arena_alloc(arena, size + 1);
    const size_t again = json_dumpb(node, text, size, flags);
    assert(again == size);
    return (str){text, again};
}

str tree_compact(struct arena *arena, const json_t *node)
{
    return dump(arena, node, DUMP_FLAGS, NULL, 0);
}

void tree_digest(struct arena *arena, const json_t *node, uint8_t ret[32])
{
    char room[DIGEST_STACK_SIZE];
    const str text = dump(arena, node, DUMP_FLAGS | JSON_SORT_KEYS, room, sizeof(room));
    const unsigned char *digest = SHA256((const unsigned char *)text.ptr, text.size, ret);

    assert(digest != NULL);
}
