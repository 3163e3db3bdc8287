/* booking/event_list.c - lists of events, answered from memory.
 *
 * In order of their start the catalog's own array is walked from the cursor on; any other order picks the best `limit` of all that pass the
 * filters. A cursor holds the sort key of the last event shown, so a page goes on where it stopped, whatever has changed since. */
#include "services/booking/event_list.h"

#include <string.h>

#include "base/mem.h"
#include "services/booking/catalog.h"
#include "services/booking/cursor.h"
#include "services/booking/search/event.h"
#include "services/booking/slug.h"
#include "services/booking/state.h"
#include "services/booking/stock.h"

/* The query, understood. */
struct filter {
    const struct event_query *query;
    struct stock *stock;
    const struct catalog *catalog;
    int64_t now_ms;
    int64_t from_ms; /* JSON_NULL: no bound */
    int64_t to_ms;
    struct uuid vendor; /* zero: any */
    bool own;           /* the caller's own: drafts and past ones too */
    struct uuid artist; /* zero: by name */
    struct uuid venue;
    str artist_name; /* folded */
    str venue_name;
    str city;
    struct list_basis *basis; /* what is looked at is noted here */
};

/* --- Rules: no I/O --- */

/* The page may be another one from then on. */
static void note_moment(const struct filter *filter, int64_t ms)
{
    if (ms > filter->now_ms && ms < filter->basis->until_ms)
        filter->basis->until_ms = ms;
}

/* What is on sale, and with it the price, may change then. */
static void note_sales(const struct filter *filter, const struct event *event)
{
    for (size_t i = 0; i < event->ticket_type_count; i++) {
        note_moment(filter, event->ticket_types[i].sales_start_ms); /* JSON_NULL is long past */
        note_moment(filter, event->ticket_types[i].sales_end_ms);
    }
    note_moment(filter, event->ends_at_ms);
}

int64_t event_price_minor(const struct event *event, int64_t now_ms)
{
    int64_t cheapest = INT64_MAX;
    int64_t cheapest_on_sale = INT64_MAX;

    for (size_t i = 0; i < event->ticket_type_count; i++) {
        const struct ticket_type *type = &event->ticket_types[i];

        if (type->all_in.minor < cheapest)
            cheapest = type->all_in.minor;
        if (type->all_in.minor < cheapest_on_sale && ticket_type_on_sale(event, type, now_ms))
            cheapest_on_sale = type->all_in.minor;
    }
    return cheapest_on_sale != INT64_MAX ? cheapest_on_sale : cheapest != INT64_MAX ? cheapest : 0;
}

static int64_t price_of(const struct filter *filter, const struct event *event)
{
    note_sales(filter, event);
    return event_price_minor(event, filter->now_ms);
}

static int64_t remaining(const struct filter *filter, const struct ticket_type *type)
{
    int64_t left = 0;

    filter->basis->uses_stock = true;
    return stock_hint(filter->stock, type->id, &left) ? left : 0;
}

static bool is_available(const struct filter *filter, const struct event *event)
{
    note_sales(filter, event);
    for (size_t i = 0; i < event->ticket_type_count; i++)
        if (ticket_type_on_sale(event, &event->ticket_types[i], filter->now_ms) &&
            remaining(filter, &event->ticket_types[i]) > 0)
            return true;
    return false;
}

static int64_t sold_count(const struct filter *filter, const struct event *event)
{
    int64_t sold = 0;

    for (size_t i = 0; i < event->ticket_type_count; i++)
        sold += event->ticket_types[i].total - remaining(filter, &event->ticket_types[i]);
    return sold;
}

static bool has_artist(const struct filter *filter, const struct event *event)
{
    const struct event_folded *folded = event_folded(event);

    for (size_t i = 0; i < event->artist_count; i++)
        if (uuid_is_zero(filter->artist) ? name_begins_with(folded->artists[i], filter->artist_name)
                                         : uuid_eq(event->artists[i].id.uuid, filter->artist))
            return true;
    return false;
}

static bool has_venue(const struct filter *filter, const struct event *event)
{
    if (event->venue == NULL)
        return false;
    return uuid_is_zero(filter->venue)
               ? name_begins_with(event_folded(event)->venue, filter->venue_name)
               : uuid_eq(event->venue->id.uuid, filter->venue);
}

static bool shows_ended(const struct filter *filter)
{
    return filter->own || filter->from_ms != JSON_NULL || filter->to_ms != JSON_NULL;
}

static bool is_listed(const struct filter *filter, const struct event *event)
{
    const struct event_query *query = filter->query;

    if (!uuid_is_zero(filter->vendor) && !uuid_eq(event->vendor, filter->vendor))
        return false;
    if (!filter->own && event->status != EVENT_PUBLISHED)
        return false;
    if (!shows_ended(filter)) { /* what has ended leaves the list */
        if (event->ends_at_ms <= filter->now_ms)
            return false;
        note_moment(filter, event->ends_at_ms);
    }
    if (filter->from_ms != JSON_NULL && event->starts_at_ms < filter->from_ms)
        return false;
    if (filter->to_ms != JSON_NULL && event->starts_at_ms > filter->to_ms)
        return false;
    return query->type == EVENT_NO_FILTER || event->type == query->type;
}

static bool passes(const struct filter *filter, const struct event *event)
{
    const struct event_query *query = filter->query;

    if (!is_listed(filter, event))
        return false;
    if (query->artist.ptr != NULL && !has_artist(filter, event))
        return false;
    if (query->venue.ptr != NULL && !has_venue(filter, event))
        return false;
    if (query->city.ptr != NULL && !name_begins_with(event_folded(event)->city, filter->city))
        return false;
    if (query->price_min != JSON_NULL || query->price_max != JSON_NULL) {
        const int64_t price = price_of(filter, event);

        if (price < query->price_min || (query->price_max != JSON_NULL && price > query->price_max))
            return false;
    }
    return query->available == EVENT_NO_FILTER ||
           is_available(filter, event) == (query->available == 1);
}

/* --- Reading the query --- */

/* A date is a whole day in UTC: its first instant, or its last. */
static err read_date(struct call *call, str text, const char *name, bool last, int64_t *ret)
{
    struct civil day = {0};

    *ret = JSON_NULL;
    if (text.ptr == NULL || time_parse(text, ret))
        return ERR_OK;
    if (!date_parse(text, &day))
        return call_invalid(call, name,
                            "must be a date like 2026-12-05, or a time like 2026-12-05T20:00:00Z");
    *ret = civil_to_ms(&day) + (last ? DAY_MS - 1 : 0);
    return ERR_OK;
}

static err read_vendor(struct call *call, const struct event_query *query, struct filter *filter)
{
    if (query->vendor.ptr == NULL)
        return ERR_OK;
    if (!str_eq(query->vendor, STR("me")))
        return id_parse("vnd", query->vendor, &filter->vendor)
                   ? ERR_OK
                   : call_invalid(call, "vendor", "must be the id of a vendor, or me");
    if (call->caller.role == ROLE_ANONYMOUS)
        return ERR_UNAUTHENTICATED;
    if (uuid_is_zero(call->caller.vendor))
        return ERR_FORBIDDEN;
    filter->vendor = call->caller.vendor;
    filter->own = true;
    return ERR_OK;
}

static err read_filter(struct call *call, const struct event_query *query, struct list_basis *basis,
                       struct filter *ret)
{
    struct booking *booking = booking_of(call);
    struct filter filter = {.query = query,
                            .stock = booking->stock,
                            .catalog = booking->catalog,
                            .now_ms = call->now_ms,
                            .basis = basis};

    TRY(read_vendor(call, query, &filter));
    TRY(read_date(call, query->date_from, "date_from", false, &filter.from_ms));
    TRY(read_date(call, query->date_to, "date_to", true, &filter.to_ms));
    if (query->artist.ptr != NULL && !id_parse(ARTIST_PREFIX, query->artist, &filter.artist))
        filter.artist_name = name_fold(call->arena, query->artist);
    if (query->venue.ptr != NULL && !id_parse(VENUE_PREFIX, query->venue, &filter.venue))
        filter.venue_name = name_fold(call->arena, query->venue);
    if (query->city.ptr != NULL)
        filter.city = name_fold(call->arena, query->city);
    *ret = filter;
    return ERR_OK;
}

/* --- Positions: what a cursor holds --- */

struct position {
    int64_t key;
    int64_t starts_at_ms;
    struct uuid id;
};

static err read_position(struct call *call, const struct event_query *query, struct position *ret,
                         bool *ret_given)
{
    str text = STR_ABSENT;

    *ret_given = query->cursor.ptr != NULL;
    if (!*ret_given)
        return ERR_OK;
    TRY(cursor_read(call, event_query_name(call, query), query->cursor, &text));
    if (text.size != sizeof(*ret))
        return ERR_MALFORMED;
    memcpy(ret, text.ptr, sizeof(*ret));
    return ERR_OK;
}

/* --- Picking --- */

static int64_t key_of(const struct filter *filter, enum event_sort sort, const struct event *event)
{
    switch (sort) {
    case EVENT_SORT_PRICE_ASC:
        return price_of(filter, event);
    case EVENT_SORT_PRICE_DESC:
        return -price_of(filter, event);
    case EVENT_SORT_POPULAR:
        return -sold_count(filter, event);
    case EVENT_SORT_NEWEST:
        return -event->created_at_ms;
    case EVENT_SORT_DATE_DESC:
        return -event->starts_at_ms;
    case EVENT_SORT_NONE:
    case EVENT_SORT_DATE_ASC:
        break;
    }
    return event->starts_at_ms;
}

static int compare_positions(const struct position *a, const struct position *b)
{
    if (a->key != b->key)
        return a->key < b->key ? -1 : 1;
    if (a->starts_at_ms != b->starts_at_ms)
        return a->starts_at_ms < b->starts_at_ms ? -1 : 1;
    return uuid_compare(a->id, b->id);
}

struct
    pick { /* the best so far, ascending; one more than the page, to know whether there is more */
    struct position positions[LIST_LIMIT_MAX + 1];
    const struct event *events[LIST_LIMIT_MAX + 1];
    size_t count;
    size_t wanted;
};

static void offer(struct pick *pick, const struct position *position, const struct event *event)
{
    size_t at = pick->count;

    if (pick->count == pick->wanted) {
        if (compare_positions(position, &pick->positions[at - 1]) >= 0)
            return;
        at--;
    } else {
        pick->count++;
    }
    for (; at > 0 && compare_positions(position, &pick->positions[at - 1]) < 0; at--) {
        pick->positions[at] = pick->positions[at - 1];
        pick->events[at] = pick->events[at - 1];
    }
    pick->positions[at] = *position;
    pick->events[at] = event;
}

static void pick_sorted(const struct filter *filter, enum event_sort sort,
                        const struct position *after, struct pick *pick)
{
    size_t count = 0;
    const struct event *const *events = catalog_by_start(filter->catalog, &count);
    const bool in_order = sort == EVENT_SORT_DATE_ASC;
    int64_t from_ms = filter->from_ms != JSON_NULL ? filter->from_ms : INT64_MIN;

    if (in_order && after != NULL && after->starts_at_ms > from_ms)
        from_ms = after->starts_at_ms;
    size_t first = catalog_first_from(filter->catalog, from_ms);
    if (!shows_ended(filter) && catalog_first_current(filter->catalog, filter->now_ms) > first)
        first = catalog_first_current(filter->catalog, filter->now_ms);
    for (size_t i = first; i < count; i++) {
        const struct event *event = events[i];

        if (in_order && (pick->count == pick->wanted ||
                         (filter->to_ms != JSON_NULL && event->starts_at_ms > filter->to_ms)))
            return;
        if (!passes(filter, event))
            continue;
        const struct position position = {key_of(filter, sort, event), event->starts_at_ms,
                                          event->id.uuid};
        if (after == NULL || compare_positions(&position, after) > 0)
            offer(pick, &position, event);
    }
}

static bool keep_hit(void *arg, [[maybe_unused]] struct uuid id, size_t slot)
{
    const struct filter *filter = arg;
    const struct event *event = catalog_at_slot(filter->catalog, slot);

    return event != NULL && passes(filter, event);
}

/* Best first: the position's key is the score. With a sort, all hits are sorted by it. */
static void pick_found(struct call *call, const struct filter *filter, enum event_sort sort,
                       const struct position *after, struct pick *pick)
{
    const struct search_hit last = after != NULL && sort == EVENT_SORT_NONE
                                       ? (struct search_hit){.event = after->id,
                                                             .starts_at_ms = after->starts_at_ms,
                                                             .score = (uint32_t)-after->key}
                                       : (struct search_hit){0};
    const struct search_query query = {
        .text = filter->query->search,
        .limit = sort == EVENT_SORT_NONE ? pick->wanted : SEARCH_HITS_MAX,
        .keep = keep_hit,
        .arg = mem_unconst(filter),
        .starts_from_ms = filter->from_ms != JSON_NULL ? filter->from_ms : SEARCH_ALWAYS,
        .starts_to_ms = filter->to_ms != JSON_NULL ? filter->to_ms : SEARCH_FOREVER,
        .ends_after_ms = shows_ended(filter) ? SEARCH_ALWAYS : filter->now_ms,
        .after = after != NULL && sort == EVENT_SORT_NONE ? &last : NULL,
    };
    const struct search_hits hits =
        search_find(catalog_search(filter->catalog), call->arena, &query);

    for (size_t i = 0; i < hits.count; i++) {
        const struct event *event = catalog_at_slot(filter->catalog, hits.hits[i].slot);
        const int64_t key =
            sort == EVENT_SORT_NONE ? -(int64_t)hits.hits[i].score : key_of(filter, sort, event);
        const struct position position = {key, event->starts_at_ms, event->id.uuid};

        if (sort == EVENT_SORT_NONE) {
            pick->positions[pick->count] = position;
            pick->events[pick->count++] = event;
        } else if (after == NULL || compare_positions(&position, after) > 0) {
            offer(pick, &position, event);
        }
    }
}

err event_list(struct call *call, const struct event_query *query, struct event_page *ret)
{
    struct catalog *catalog = booking_of(call)->catalog;
    struct filter filter = {0};
    struct position after = {0};
    bool given = false;
    struct pick *pick = arena_new(call->arena, struct pick);

    ret->basis = (struct list_basis){.from_ms = call->now_ms, .until_ms = INT64_MAX};
    TRY(read_filter(call, query, &ret->basis, &filter));
    TRY(read_position(call, query, &after, &given));
    pick->wanted = (size_t)query->limit + 1;
    catalog_read_begin(catalog);
    ret->basis.catalog = catalog_version(catalog);
    ret->basis.stock = stock_version(filter.stock);
    ret->pattern = query->search.ptr != NULL
                       ? search_pattern_new(catalog_search(catalog), call->arena, query->search)
                       : NULL;
    if (query->search.ptr != NULL)
        pick_found(call, &filter, (enum event_sort)query->sort, given ? &after : NULL, pick);
    else
        pick_sorted(&filter,
                    query->sort == EVENT_SORT_NONE ? EVENT_SORT_DATE_ASC
                                                   : (enum event_sort)query->sort,
                    given ? &after : NULL, pick);
    ret->count = pick->count == pick->wanted ? pick->count - 1 : pick->count;
    for (size_t i = 0; i < ret->count; i++)
        ret->events[i] = event_hold(pick->events[i]);
    catalog_read_end(catalog);
    ret->next_cursor = STR_ABSENT;
    if (pick->count == pick->wanted)
        ret->next_cursor = cursor_make(
            call, event_query_name(call, query),
            (str){(const char *)&pick->positions[ret->count - 1], sizeof(struct position)});
    return ERR_OK;
}

void event_page_done(struct event_page *page)
{
    for (size_t i = 0; i < page->count; i++)
        event_release(page->events[i]);
    page->count = 0;
}
