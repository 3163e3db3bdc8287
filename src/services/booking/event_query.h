/* booking/event_query.h - what may be asked of a list of events. */
#pragma once

#include "platform/json/json.h"
#include "platform/node/node.h"

enum { LIST_LIMIT_MAX = 100, LIST_LIMIT_STANDARD = 20, EVENT_NO_FILTER = -1 };

enum event_sort {
    EVENT_SORT_NONE,
    EVENT_SORT_DATE_ASC,
    EVENT_SORT_DATE_DESC,
    EVENT_SORT_PRICE_ASC,
    EVENT_SORT_PRICE_DESC,
    EVENT_SORT_POPULAR,
    EVENT_SORT_NEWEST
};
struct event_query {
    str search;
    str artist;
    str venue;
    str city;
    str vendor;
    int type; /* enum event_type or EVENT_NO_FILTER */
    str date_from;
    str date_to;
    int64_t price_min; /* JSON_NULL: no bound */
    int64_t price_max;
    int available; /* 0, 1 or EVENT_NO_FILTER */
    int sort;      /* enum event_sort */
    str cursor;
    int64_t limit;
};
extern const struct json_shape event_query_shape;

/* A query with its defaults, for json_decode_query. */
struct event_query *event_query_new(struct arena *arena);
/* What a cursor belongs to: all of the query but limit and cursor themselves. */
const char *event_query_name(struct call *call, const struct event_query *query);
/* Queries with the same key are answered alike. Absent: by who asks (vendor=me). */
str event_query_key(struct call *call, const struct event_query *query);
/* Is a page of it read off the order of starts, without a look at every event? */
bool event_query_is_ordered(const struct event_query *query);
