/* platform/http/route_table.h - all routes of a node as a tree of path segments. */
#pragma once

#include <stdatomic.h>

#include "platform/http/http.h"

enum {
    ROUTE_SEGMENTS_MAX = 10,
    ROUTE_ROWS_MAX = 5, /* GET, HEAD, POST, PUT, DELETE */
    ROUTE_STATUS_CLASSES = 6,
};
#define ROUTE_OWN SIZE_MAX

/* Time series of one route, looked up once. [1]: HEAD that its GET row serves. */
struct route_meter {
    _Atomic(struct metric *) requests[2][ROUTE_STATUS_CLASSES];
    struct metric *seconds;
};

struct route_entry {
    const struct route *route; /* NULL: of requests that match none */
    size_t instance;           /* whose route it is: node->instances[]; ROUTE_OWN: the server's */
    str names[HTTP_PARAMS_MAX];
    size_t name_count;
    struct route_meter meter;
};

struct route_match {
    struct route_entry *entry;
    str allow;                   /* with ERR_METHOD_NOT_ALLOWED */
    str values[HTTP_PARAMS_MAX]; /* as sent */
    size_t value_count;
};

struct route_table_index;

/* In `arena`, and as long as that. ERR_INVALID with *ret_why: two rows for one method and path,
 * or a path that is none. `own` (NULL-terminated) are routes of no service. */
err routes_index(const struct node *node, const struct route_table *const *own, struct arena *arena,
                 struct route_table_index **ret, str *ret_why);
/* ERR_NOT_FOUND; ERR_METHOD_NOT_ALLOWED with ret->allow. ret->entry is never NULL. */
err routes_match(struct route_table_index *index, enum method method, str path,
                 struct route_match *ret);
/* Visits every entry, the one of requests without a route too. */
void routes_each(struct route_table_index *index, void (*fn)(void *arg, struct route_entry *entry),
                 void *arg);

/* "GET"; "OTHER" where H2O's text said something else. */
const char *method_name(enum method method);
enum method method_of(str text);

/* Percent-decodes one path segment. ERR_NOT_FOUND: a broken escape, '/', NUL, no UTF-8. */
err segment_decode(struct arena *arena, str segment, str *ret);
