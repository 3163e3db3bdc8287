/* booking/event_list.h - GET /events: filters, orders, pages. */
#pragma once

#include "platform/http/http.h"
#include "services/booking/event.h"

enum { LIST_LIMIT_MAX = 100, LIST_LIMIT_STANDARD = 20 };

/* What a list holds: references that event_page_done gives back. */
struct event_page {
    const struct event *events[LIST_LIMIT_MAX];
    size_t count;
    str next_cursor;                      /* absent: this was the last page */
    const struct search_pattern *pattern; /* of the search, for highlights; NULL: there was none */
};
void event_page_done(struct event_page *page); /* for CLEANUP */

struct event_query;
extern const struct json_shape event_query_shape;
/* A query with its defaults, for json_decode_query. */
struct event_query *event_query_new(struct arena *arena);
/* The page that the query asks for. ERR_INVALID, ERR_MALFORMED (cursor), ERR_UNAUTHENTICATED, ERR_FORBIDDEN (vendor=me). Memory only. */
err event_list(struct call *call, const struct event_query *query, struct event_page *ret);

/* The cheapest price on sale, or of all types where none is. Pure. */
int64_t event_price_minor(const struct event *event, int64_t now_ms);

extern const struct route_table event_list_routes;
