/* booking/event_query.c - reads what is asked of a list of events, and names it.
 *
 * The name is of what was understood, not of the text that was sent: two queries that differ in
 * the order of their parameters alone share their cursors and their kept answers. */

#include "services/booking/event_query.h"

#include <assert.h>

#include "services/booking/event.h"

/* Texts of a query have 200 code points at most, its cursor 2000 bytes. */
enum { NAME_SIZE_MAX = 8192 };

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

/* What stands at its default is not named. Printing this with printf took as long as all else that
 * a kept list costs. */
static void name_number(struct buf *name, char what, int64_t value, int64_t standard)
{
    if (value == standard)
        return;
    buf_add_char(name, what);
    buf_add_i64(name, value);
}

static void name_text(struct buf *name, char what, str text)
{
    if (text.ptr == NULL)
        return;
    buf_add_char(name, what);
    buf_add_i64(name, (int64_t)text.size);
    buf_add_char(name, ':');
    buf_add(name, text);
}

const char *event_query_name(struct call *call, const struct event_query *query)
{
    struct buf name = buf_in(call->arena, NAME_SIZE_MAX);

    buf_add_cstr(&name, "events");
    name_number(&name, 'o', query->sort, EVENT_SORT_NONE);
    name_number(&name, 't', query->type, EVENT_NO_FILTER);
    name_number(&name, 'a', query->available, EVENT_NO_FILTER);
    name_number(&name, 'm', query->price_min, JSON_NULL);
    name_number(&name, 'M', query->price_max, JSON_NULL);
    name_text(&name, 's', query->search);
    name_text(&name, 'p', query->artist);
    name_text(&name, 'v', query->venue);
    name_text(&name, 'c', query->city);
    name_text(&name, 'w', query->vendor);
    name_text(&name, 'f', query->date_from);
    name_text(&name, 'u', query->date_to);
    assert(!name.overflow);
    return buf_str(&name).ptr;
}

str event_query_key(struct call *call, const struct event_query *query)
{
    if (query->vendor.ptr != NULL && str_eq(query->vendor, STR("me")))
        return STR_ABSENT;
    struct buf key = buf_in(call->arena, NAME_SIZE_MAX);

    buf_add_cstr(&key, event_query_name(call, query));
    name_number(&key, 'l', query->limit, LIST_LIMIT_STANDARD);
    name_text(&key, 'k', query->cursor);
    assert(!key.overflow);
    return buf_str(&key);
}

bool event_query_is_ordered(const struct event_query *query)
{
    return (query->sort == EVENT_SORT_NONE || query->sort == EVENT_SORT_DATE_ASC) &&
           query->search.ptr == NULL && query->artist.ptr == NULL && query->venue.ptr == NULL &&
           query->city.ptr == NULL && query->vendor.ptr == NULL && query->type == EVENT_NO_FILTER &&
           query->price_min == JSON_NULL && query->price_max == JSON_NULL &&
           query->available == EVENT_NO_FILTER;
}
