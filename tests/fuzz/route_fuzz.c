/* fuzz/route_fuzz.c - the tree of routes finds what a plain comparison with every row finds, and what it
 * gives for a {param} is the decoded text of that segment and nothing else. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "platform/http/route_table.h"

enum { INPUT_MAX = 4096 };

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static err nothing(struct req *req)
{
    (void)req;
    return ERR_OK;
}

static const struct route routes[] = {
    {METHOD_GET,    "/",                nothing, AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP},
    {METHOD_GET,    "/a",               nothing, AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP},
    {METHOD_POST,   "/a",               nothing, AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP},
    {METHOD_GET,    "/a/{b}",           nothing, AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP},
    {METHOD_DELETE, "/a/{b}",           nothing, AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP},
    {METHOD_GET,    "/a/c",             nothing, AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP},
    {METHOD_GET,    "/a/{b}/c",         nothing, AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP},
    {METHOD_PUT,    "/a/c/{d}",         nothing, AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP},
    {METHOD_GET,    "/{x}/b/{y}/d",     nothing, AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP},
    {METHOD_GET,    "/{x}/{y}/{z}/{w}", nothing, AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP},
};
static const struct route_table table = ROUTE_TABLE(routes);

static bool is_value(str segment)
{
    return segment.size > 0 && !str_eq(segment, STR(".")) && !str_eq(segment, STR(".."));
}

static bool fits(const char *pattern, str path)
{
    str left = str_of(pattern);
    str right = path;
    str want;
    str got;

    while (str_split(&left, '/', &want)) {
        if (!str_split(&right, '/', &got))
            return false;
        if (str_starts(want, STR("{")) ? !is_value(got) : !str_eq(want, got))
            return false;
    }
    return right.ptr == NULL;
}

static void check_match(struct route_table_index *index, enum method method, str path)
{
    struct route_match match;
    bool is_known = false;

    for (size_t i = 0; i < table.count; i++)
        is_known = is_known || fits(routes[i].path, path);
    const err e = routes_match(index, method, path, &match);
    assert(is_known == (e != ERR_NOT_FOUND));
    if (e == ERR_METHOD_NOT_ALLOWED)
        assert(match.allow.size > 0);
    if (e != ERR_OK)
        return;
    assert(fits(match.entry->route->path, path));
    assert(match.entry->route->method == method ||
           (method == METHOD_HEAD && match.entry->route->method == METHOD_GET));
    for (size_t i = 0; i < match.value_count; i++)
        assert(match.values[i].ptr > path.ptr && is_value(match.values[i]) &&
               match.values[i].ptr + match.values[i].size <= path.ptr + path.size);
}

/* Escaped whole and decoded again, it is the same. */
static void check_segment(struct arena *arena, str segment)
{
    str decoded;
    str again;

    if (segment_decode(arena, segment, &decoded) != ERR_OK)
        return;
    assert(is_value(decoded) && str_is_utf8(decoded) && decoded.size <= segment.size);
    assert(memchr(decoded.ptr, '/', decoded.size) == NULL);
    struct buf escaped = buf_in(arena, INPUT_MAX * 3);
    for (size_t i = 0; i < decoded.size; i++)
        buf_printf(&escaped, "%%%02x", (unsigned)(unsigned char)decoded.ptr[i]);
    const err e = segment_decode(arena, buf_str(&escaped), &again);
    assert(e == ERR_OK && str_eq(decoded, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct route_table *const own[] = {&table, NULL};
    static const struct node node;
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct route_table_index *index;
    str why;

    if (size < 1 || size > INPUT_MAX)
        return 0;
    const err e = routes_index(&node, own, arena, &index, &why);
    assert(e == ERR_OK);
    const str path = {(const char *)data + 1, size - 1};
    check_match(index, (enum method)(data[0] % (METHOD_OTHER + 1)), path);
    str rest = path;
    str segment;
    while (str_split(&rest, '/', &segment))
        check_segment(arena, segment);
    return 0;
}
