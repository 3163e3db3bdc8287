/* platform/http/route.c - builds the tree of routes at start and walks it for every request.
 *
 * A node is a path; its children are the segments that may follow: literal ones by name, and at
 * most one {param}. A literal beats a {param}, segment by segment from the left; where the
 * literal leads nowhere the walk comes back and takes the {param}. The tree is built once and
 * then only read, by all loops. */

#include "platform/http/route_table.h"

#include <assert.h>
#include <string.h>

enum { LITERAL_BUCKETS = 16 }; /* the root has dozens of children */

struct node_of_path {
    str segment;               /* "events"; empty: a {param} */
    struct node_of_path *next; /* sibling in its bucket */
    struct node_of_path *literals[LITERAL_BUCKETS];
    struct node_of_path *param;
    struct route_entry *rows[ROUTE_ROWS_MAX];
    str allow; /* empty: no route ends here */
};

struct route_table_index {
    struct arena *arena;
    struct node_of_path root;
    struct route_entry unmatched;
    struct route_entry **entries;
    size_t entry_count;
    size_t entry_room;
};

static const char *const method_names[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "OTHER"};

const char *method_name(enum method method)
{
    return method_names[method];
}

enum method method_of(str text)
{
    for (int i = 0; i < METHOD_OTHER; i++)
        if (str_eq(text, str_of(method_names[i])))
            return (enum method)i;
    return METHOD_OTHER;
}

/* --- Building --- */

static bool is_param(str segment)
{
    return segment.size > 2 && segment.ptr[0] == '{' && segment.ptr[segment.size - 1] == '}';
}

/* Cheap, and no secret: routes are few and known. */
static size_t bucket_of(str segment)
{
    size_t sum = segment.size;

    if (segment.size > 0)
        sum += 3 * (size_t)(unsigned char)segment.ptr[0] +
               (unsigned char)segment.ptr[segment.size - 1];
    return sum % LITERAL_BUCKETS;
}

static struct node_of_path *find_literal(const struct node_of_path *node, str segment)
{
    for (struct node_of_path *child = node->literals[bucket_of(segment)]; child != NULL;
         child = child->next)
        if (child->segment.size == segment.size &&
            memcmp(child->segment.ptr, segment.ptr, segment.size) == 0)
            return child;
    return NULL;
}

static struct node_of_path *add_child(struct arena *arena, struct node_of_path *node, str segment)
{
    if (is_param(segment)) {
        if (node->param == NULL)
            node->param = arena_new(arena, struct node_of_path);
        return node->param;
    }
    struct node_of_path *child = find_literal(node, segment);
    if (child == NULL) {
        child = arena_new(arena, struct node_of_path);
        child->segment = segment;
        struct node_of_path **bucket = &node->literals[bucket_of(segment)];
        child->next = *bucket;
        *bucket = child;
    }
    return child;
}

/* "DELETE, GET, HEAD": sorted by name; HEAD where GET is. */
static str allow_of(struct arena *arena, const struct node_of_path *node)
{
    static const enum method sorted[] = {METHOD_DELETE, METHOD_GET, METHOD_HEAD, METHOD_POST,
                                         METHOD_PUT};
    struct buf text = buf_in(arena, 64);

    for (size_t i = 0; i < sizeof(sorted) / sizeof(sorted[0]); i++) {
        const bool by_get = sorted[i] == METHOD_HEAD && node->rows[METHOD_GET] != NULL;
        if (node->rows[sorted[i]] == NULL && !by_get)
            continue;
        if (text.size > 0)
            buf_add_cstr(&text, ", ");
        buf_add_cstr(&text, method_names[sorted[i]]);
    }
    return buf_str(&text);
}

static void note_entry(struct route_table_index *index, struct route_entry *entry)
{
    if (index->entry_count == index->entry_room) {
        const size_t room = index->entry_room > 0 ? index->entry_room * 2 : 64;
        struct route_entry **grown = arena_new_array(index->arena, struct route_entry *, room);
        if (index->entry_count > 0)
            memcpy(grown, index->entries, index->entry_count * sizeof(struct route_entry *));
        index->entries = grown;
        index->entry_room = room;
    }
    index->entries[index->entry_count++] = entry;
}

static err add_route(struct route_table_index *index, const struct route *route, size_t instance,
                     str *ret_why)
{
    struct route_entry *entry = arena_new(index->arena, struct route_entry);
    struct node_of_path *node = &index->root;
    str rest = str_of(route->path);
    str segment;
    size_t depth = 0;

    *ret_why = arena_printf(index->arena, "route %s %s is not a path", method_name(route->method),
                            route->path);
    if (route->method >= METHOD_OTHER || !str_split(&rest, '/', &segment) || segment.size != 0)
        return ERR_INVALID;
    entry->route = route;
    entry->instance = instance;
    while (str_split(&rest, '/', &segment)) {
        const bool is_root = depth == 0 && segment.size == 0 && rest.ptr == NULL;
        if (++depth > ROUTE_SEGMENTS_MAX || (segment.size == 0 && !is_root))
            return ERR_INVALID;
        if (is_param(segment)) {
            if (entry->name_count == HTTP_PARAMS_MAX)
                return ERR_INVALID;
            entry->names[entry->name_count++] = str_slice(segment, 1, segment.size - 1);
        }
        node = add_child(index->arena, node, segment);
    }
    if (depth == 0)
        return ERR_INVALID;
    if (node->rows[route->method] != NULL) {
        *ret_why = arena_printf(index->arena, "route %s %s is there twice",
                                method_name(route->method), route->path);
        return ERR_INVALID;
    }
    node->rows[route->method] = entry;
    node->allow = allow_of(index->arena, node);
    note_entry(index, entry);
    return ERR_OK;
}

static err add_tables(struct route_table_index *index, const struct route_table *const *tables,
                      size_t instance, str *ret_why)
{
    for (size_t i = 0; tables != NULL && tables[i] != NULL; i++)
        for (size_t k = 0; k < tables[i]->count; k++)
            TRY(add_route(index, &tables[i]->routes[k], instance, ret_why));
    return ERR_OK;
}

err routes_index(const struct node *node, const struct route_table *const *own, struct arena *arena,
                 struct route_table_index **ret, str *ret_why)
{
    struct route_table_index *index = arena_new(arena, struct route_table_index);

    index->arena = arena;
    note_entry(index, &index->unmatched);
    TRY(add_tables(index, own, ROUTE_OWN, ret_why));
    for (size_t i = 0; i < node->instance_count; i++)
        TRY(add_tables(index, node->instances[i].service->routes, i, ret_why));
    *ret_why = STR_ABSENT;
    *ret = index;
    return ERR_OK;
}

void routes_each(struct route_table_index *index, void (*fn)(void *arg, struct route_entry *entry),
                 void *arg)
{
    for (size_t i = 0; i < index->entry_count; i++)
        fn(arg, index->entries[i]);
}

/* --- Matching --- */

/* The segments of a path; false if it has too many to be a route's. */
static bool split_path(str path, str segments[ROUTE_SEGMENTS_MAX], size_t *ret_count)
{
    size_t count = 0;
    str rest = path;
    str segment;

    if (path.size == 0 || path.ptr[0] != '/')
        return false;
    rest = str_slice(path, 1, path.size);
    while (str_split(&rest, '/', &segment)) {
        if (count == ROUTE_SEGMENTS_MAX)
            return false;
        segments[count++] = segment;
    }
    *ret_count = count;
    return true;
}

static bool can_be_value(str segment)
{
    return segment.size > 0 && !str_eq(segment, STR(".")) && !str_eq(segment, STR(".."));
}

/* One place of the walk: the node there, and what was tried below it. */
struct step {
    struct node_of_path *node;
    bool tried_literal;
    bool took_param;
};

/* The child to go on with from `step`, if one is left. */
static struct node_of_path *next_child(struct step *step, str segment)
{
    if (!step->tried_literal) {
        step->tried_literal = true;
        struct node_of_path *literal = find_literal(step->node, segment);
        if (literal != NULL)
            return literal;
    }
    if (step->took_param || step->node->param == NULL || !can_be_value(segment))
        return NULL;
    step->took_param = true;
    return step->node->param;
}

/* The deepest node for all segments at which a route ends; the steps say where a {param} was
 * taken. */
static const struct node_of_path *walk(struct node_of_path *root, const str *segments, size_t count,
                                       struct step steps[ROUTE_SEGMENTS_MAX + 1])
{
    size_t depth = 0;

    steps[0] = (struct step){.node = root};
    for (;;) {
        if (depth == count && steps[depth].node->allow.size > 0)
            return steps[depth].node;
        struct node_of_path *child =
            depth < count ? next_child(&steps[depth], segments[depth]) : NULL;
        if (child != NULL)
            steps[++depth] = (struct step){.node = child};
        else if (depth-- == 0)
            return NULL;
    }
}

err routes_match(struct route_table_index *index, enum method method, str path,
                 struct route_match *ret)
{
    struct step steps[ROUTE_SEGMENTS_MAX + 1];
    str segments[ROUTE_SEGMENTS_MAX];
    size_t count;

    *ret = (struct route_match){.entry = &index->unmatched};
    if (!split_path(path, segments, &count))
        return ERR_NOT_FOUND;
    const struct node_of_path *node = walk(&index->root, segments, count, steps);
    if (node == NULL)
        return ERR_NOT_FOUND;

    struct route_entry *entry = method < METHOD_OTHER ? node->rows[method] : NULL;
    if (entry == NULL && method == METHOD_HEAD)
        entry = node->rows[METHOD_GET];
    if (entry == NULL) {
        ret->allow = node->allow;
        return ERR_METHOD_NOT_ALLOWED;
    }
    ret->entry = entry;
    for (size_t i = 0; i < count; i++)
        if (steps[i].took_param)
            ret->values[ret->value_count++] = segments[i];
    assert(ret->value_count == entry->name_count);
    return ERR_OK;
}

err route_find(const struct node *node, enum method method, str path, const struct route **ret,
               str *ret_allow, struct arena *arena)
{
    struct route_table_index *index;
    struct route_match match;
    str why;

    TRY(routes_index(node, NULL, arena, &index, &why));
    const err e = routes_match(index, method, path, &match);
    if (e == ERR_OK)
        *ret = match.entry->route;
    else if (e == ERR_METHOD_NOT_ALLOWED)
        *ret_allow = match.allow;
    return e;
}

/* --- What a {param} caught --- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The text that an encoded segment stands for. */
static err percent_decode(struct arena *arena, str segment, str *ret)
{
    char *text = arena_alloc(arena, segment.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < segment.size; i++) {
        char c = segment.ptr[i];
        if (c == '%') {
            const int high = i + 2 < segment.size ? hex_value(segment.ptr[i + 1]) : -1;
            const int low = high >= 0 ? hex_value(segment.ptr[i + 2]) : -1;
            if (low < 0)
                return ERR_NOT_FOUND;
            c = (char)(high * 16 + low);
            if (c == '/')
                return ERR_NOT_FOUND;
            i += 2;
        }
        text[size++] = c;
    }
    *ret = (str){text, size};
    return ERR_OK;
}

err segment_decode(struct arena *arena, str segment, str *ret)
{
    str decoded = segment; /* ids, which most are, have nothing to decode */

    if (segment.size > 0 && memchr(segment.ptr, '%', segment.size) != NULL)
        TRY(percent_decode(arena, segment, &decoded));
    if (!str_is_utf8(decoded) || !can_be_value(decoded))
        return ERR_NOT_FOUND;
    *ret = decoded;
    return ERR_OK;
}
