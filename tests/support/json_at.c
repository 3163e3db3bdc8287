/* support/json_at.c - one value out of a JSON text. Alone in its file: jansson's names and
 * json.h's collide. */

#include "support/json_at.h"

#include <jansson.h>
#include <stdlib.h>

#include "support/test.h"

static const json_t *walk(const json_t *at, str pointer)
{
    str part = STR_ABSENT;

    CHECK(str_split(&pointer, '/', &part) && part.size == 0);
    while (at != NULL && str_split(&pointer, '/', &part)) {
        int64_t index = 0;

        if (json_is_array(at))
            at = str_to_i64(part, &index) ? json_array_get(at, (size_t)index) : NULL;
        else
            at = json_object_getn(at, part.ptr, part.size);
    }
    return at;
}

str json_at(struct arena *arena, str text, const char *pointer)
{
    json_t *root = json_loadb(text.ptr, text.size, JSON_DECODE_ANY, NULL);
    const json_t *at = NULL;
    str found = STR_ABSENT;

    if (root == NULL)
        print_error("not JSON: %.*s\n", STR_ARG(text));
    CHECK(root != NULL);
    at = walk(root, str_of(pointer));
    if (json_is_string(at)) {
        found = arena_str(arena, (str){json_string_value(at), json_string_length(at)});
    } else if (at != NULL) {
        char *dump = json_dumps(at, JSON_COMPACT | JSON_ENCODE_ANY);

        found = arena_str(arena, str_of(dump));
        free(dump);
    }
    json_decref(root);
    return found;
}
