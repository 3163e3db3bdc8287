/* booking/event_list.h - GET /events: filters, orders, pages. */
#pragma once

#include "services/booking/event.h"
#include "services/booking/event_query.h"
#include "services/booking/list_cache.h"

/* What a list holds: references that event_page_done gives back. */
struct event_page {
    const struct event *events[LIST_LIMIT_MAX];
    size_t count;
    str next_cursor;                      /* absent: this was the last page */
    const struct search_pattern *pattern; /* of the search, for highlights; NULL: there was none */
    struct list_basis basis;              /* for as long as what it says holds, so does the page */
};
void event_page_done(struct event_page *page); /* for CLEANUP */

/* The page that the query asks for. ERR_INVALID, ERR_MALFORMED (cursor), ERR_UNAUTHENTICATED, ERR_FORBIDDEN (vendor=me). Memory only. */
err event_list(struct call *call, const struct event_query *query, struct event_page *ret);

/* The cheapest price on sale, or of all types where none is. Pure. */
int64_t event_price_minor(const struct event *event, int64_t now_ms);
