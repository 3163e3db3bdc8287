/* booking/event_query.c - reads what is asked of a list of events, and names it.
 *
 * The name is of what was understood, not of the text that was sent: two queries that differ in
 * the order of their parameters alone share their cursors and their kept answers. */

#include "services/booking/event_query.h"

#include "services/booking/event.h"

static const char *const sort_names[] = {"",           "date_asc", "date_desc", "price_asc",
                                         "price_desc", "popular",  "newest",    NULL};
static const char *const available_names[] = {"false", "true", NULL};

static const struct json_field query_fields[] = {
    JSON_F_TEXT("search", struct event_query, search, 1, 200, JSON_OPTIONAL),
    JSON_F_TEXT("artist", struct event_query, artist, 1, 200, JSON_OPTIONAL),
    JSON_F_TEXT("venue", struct event_query, venue, 1, 200, JSON_OPTIONAL),
    JSON_F_TEXT("city", struct event_query, city, 1, 200, JSON_OPTIONAL),
    JSON_F_TOKEN("vendor", struct event_query, vendor, 1, ID_TEXT_SIZE_MAX, JSON_OPTIONAL),
    JSON_F_ENUM("type", struct event_query, type, event_type_names, JSON_OPTIONAL),
    JSON_F_TOKEN("date_from", struct event_query, date_from, 1, 40, JSON_OPTIONAL),
    JSON_F_TOKEN("date_to", struct event_query, date_to, 1, 40, JSON_OPTIONAL),
    JSON_F_I64("price_min", struct event_query, price_min, 0, MONEY_MINOR_MAX, JSON_OPTIONAL),
    JSON_F_I64("price_max", struct event_query, price_max, 0, MONEY_MINOR_MAX, JSON_OPTIONAL),
    JSON_F_ENUM("available", struct event_query, available, available_names, JSON_OPTIONAL),
    JSON_F_ENUM("sort", struct event_query, sort, sort_names, JSON_OPTIONAL),
    JSON_F_TOKEN("cursor", struct event_query, cursor, 1, 2000, JSON_OPTIONAL),
    JSON_F_I64("limit", struct event_query, limit, 1, LIST_LIMIT_MAX, JSON_OPTIONAL),
};
const struct json_shape event_query_shape = JSON_SHAPE(query_fields, struct event_query);

struct event_query *event_query_new(struct arena *arena)
{
    struct event_query *query = arena_new(arena, struct event_query);

    *query = (struct event_query){.type = EVENT_NO_FILTER,
                                  .available = EVENT_NO_FILTER,
                                  .price_min = JSON_NULL,
                                  .price_max = JSON_NULL,
                                  .limit = LIST_LIMIT_STANDARD};
    return query;
}

const char *event_query_name(struct call *call, const struct event_query *query)
{
    const str parts[] = {query->search, query->artist,    query->venue,  query->city,
                         query->vendor, query->date_from, query->date_to};
    struct buf name = buf_in(call->arena, 4096);

    buf_printf(&name, "events %d %d %d %lld %lld", query->sort, query->type, query->available,
               (long long)query->price_min, (long long)query->price_max);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        buf_printf(&name, " %zu:%.*s", parts[i].size, STR_ARG(parts[i]));
    return buf_str(&name).ptr;
}

str event_query_key(struct call *call, const struct event_query *query)
{
    if (query->vendor.ptr != NULL && str_eq(query->vendor, STR("me")))
        return STR_ABSENT;
    return arena_printf(call->arena, "%lld %.*s %s", (long long)query->limit,
                        STR_ARG(query->cursor), event_query_name(call, query));
}

bool event_query_is_ordered(const struct event_query *query)
{
    return (query->sort == EVENT_SORT_NONE || query->sort == EVENT_SORT_DATE_ASC) &&
           query->search.ptr == NULL && query->artist.ptr == NULL && query->venue.ptr == NULL &&
           query->city.ptr == NULL && query->vendor.ptr == NULL && query->type == EVENT_NO_FILTER &&
           query->price_min == JSON_NULL && query->price_max == JSON_NULL &&
           query->available == EVENT_NO_FILTER;
}
