/* payment/sales.c - adds a vendor's sales up.
 *
 * The database sums what the chore has counted by day (sales_day); the few transactions that it has
 * not come to are added here, from the same snapshot. So a report is exact at every moment, and what
 * it costs does not grow with the number of tickets, but with days, events and ticket types. */
#include "services/payment/sales.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "services/payment/sales.sql.h"

/* --- Rules: no I/O --- */

/* Groups by their keys, while they are added up. */
struct groups {
    struct arena *arena;
    struct map *map; /* -> struct sales_group */
};
struct adding {
    const struct sales_query *query;
    struct sales_report *report;
    struct groups series;
    struct groups events;
    bool overflow;
};

static struct sales_group *find_group(struct groups *groups, const struct sales_group *key)
{
    char bytes[2 * sizeof(struct uuid) + sizeof(int64_t)];
    const str name = {bytes, sizeof(bytes)};

    memcpy(bytes, &key->event, sizeof(struct uuid));
    memcpy(bytes + sizeof(struct uuid), &key->ticket_type, sizeof(struct uuid));
    memcpy(bytes + 2 * sizeof(struct uuid), &key->day, sizeof(int64_t));
    struct sales_group *group = map_find(groups->map, name);
    if (group == NULL) {
        group = arena_new(groups->arena, struct sales_group);
        *group = *key;
        group->figures = (struct sales_figures){0};
        (void)map_put(groups->map, name, group);
    }
    return group;
}

static bool plus(int64_t *sum, int64_t n)
{
    return minor_add(*sum, n, sum);
}

static bool add_figures(struct sales_figures *sum, const struct sales_figures *more)
{
    return plus(&sum->gross.minor, more->gross.minor) && plus(&sum->fees.minor, more->fees.minor) &&
           plus(&sum->refunds.minor, more->refunds.minor) &&
           plus(&sum->tickets_sold, more->tickets_sold) &&
           plus(&sum->tickets_refunded, more->tickets_refunded);
}

static void add_event(struct adding *adding, const struct sales_group *part)
{
    const struct sales_group of_event = {.event = part->event};

    adding->overflow |=
        !add_figures(&adding->report->totals, &part->figures) ||
        !add_figures(&find_group(&adding->events, &of_event)->figures, &part->figures);
}

static void add_series(struct adding *adding, const struct sales_group *part)
{
    const struct sales_group of_event = {.event = part->event};
    const struct sales_group of_day = {.day = part->day};
    const struct sales_group of_type = {.event = part->event, .ticket_type = part->ticket_type};
    const struct sales_group *key = adding->query->group_by == SALES_BY_DAY     ? &of_day
                                    : adding->query->group_by == SALES_BY_EVENT ? &of_event
                                                                                : &of_type;

    adding->overflow |= !add_figures(&find_group(&adding->series, key)->figures, &part->figures);
}

static int compare_groups(const void *a, const void *b)
{
    const struct sales_group *left = a;
    const struct sales_group *right = b;
    const int by_event = uuid_compare(left->event, right->event);

    if (left->day != right->day)
        return left->day < right->day ? -1 : 1;
    return by_event != 0 ? by_event : uuid_compare(left->ticket_type, right->ticket_type);
}

/* Says what the amounts are of, and what is left of them. */
static bool finish(struct sales_figures *figures, struct currency currency)
{
    int64_t net = figures->gross.minor;

    if (!plus(&net, -figures->refunds.minor) || !plus(&net, -figures->fees.minor))
        return false;
    figures->net.minor = net;
    figures->gross.currency = currency;
    figures->fees.currency = currency;
    figures->refunds.currency = currency;
    figures->net.currency = currency;
    return true;
}

struct listing {
    struct sales_group *groups;
    size_t count;
};

static void list_one(void *arg, [[maybe_unused]] str key, void *value)
{
    struct listing *listing = arg;
    const struct sales_group *group = value;

    listing->groups[listing->count++] = *group;
}

static bool list(struct groups *groups, struct currency currency, struct sales_group **ret,
                 size_t *ret_count)
{
    struct listing listing = {
        .groups = arena_new_array(groups->arena, struct sales_group, map_count(groups->map) + 1)};
    bool fits = true;

    map_each(groups->map, list_one, &listing);
    qsort(listing.groups, listing.count, sizeof(*listing.groups), compare_groups);
    for (size_t i = 0; i < listing.count; i++) {
        struct sales_group *group = &listing.groups[i];

        fits = finish(&group->figures, currency) && fits;
        if (group->day != 0)
            group->date = arena_printf(groups->arena, "%04d-%02d-%02d", (int)(group->day / 10000),
                                       (int)(group->day / 100 % 100), (int)(group->day % 100));
    }
    *ret = listing.groups;
    *ret_count = listing.count;
    return fits;
}

/* --- Storage --- */

#define QUERY_ARGS(query)                                                                     \
    ARGS(UUID((query)->vendor), TEXT(str_of((query)->currency.code)), I64((query)->from_day), \
         I64((query)->to_day), UUID_OR_NIL((query)->event))

/* What a statement gives: the sixth column is the day or the ticket type. */
struct source {
    const struct sql *sql;
    struct args args;
    bool has_day;
    bool has_type;
    bool to_events; /* does it count for totals and events? */
    bool to_series;
};

static err read_source(struct tx *tx, struct call *call, struct adding *adding,
                       const struct source *source)
{
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(rows_open(&rows, tx, source->sql, source->args, call->arena));
    while (rows_next(&rows)) {
        const struct sales_group part = {
            .event = row_uuid(&rows, 0),
            .day = source->has_day ? row_i64(&rows, 6) : 0,
            .ticket_type = source->has_type ? row_uuid(&rows, 6) : (struct uuid){{0}},
            .figures = { .gross = {.minor = row_i64(&rows, 1)},
                                                                                 .refunds = {.minor = row_i64(&rows, 2)},
                                                                                 .fees = {.minor = row_i64(&rows, 3)},
                                                                                 .tickets_sold = row_i64(&rows, 4),
                                                                                 .tickets_refunded = row_i64(&rows, 5)},
        };

        if (source->to_events)
            add_event(adding, &part);
        if (source->to_series)
            add_series(adding, &part);
    }
    return rows_close(&rows);
}

/* From the smallest tables that can answer. */
static err read_counted(struct tx *tx, struct call *call, struct adding *adding)
{
    const struct sales_query *query = adding->query;
    const bool by_day = query->group_by == SALES_BY_DAY;
    const bool all_days = query->from_day == 0 && query->to_day >= SALES_LAST_DAY;
    const bool days_alone = by_day && uuid_is_zero(query->event);
    const struct value vendor = UUID(query->vendor);
    const struct value currency = TEXT(str_of(query->currency.code));
    const struct value event = UUID_OR_NIL(query->event);
    const struct value from = I64(query->from_day);
    const struct value to = I64(query->to_day);
    const struct source dates = {
        &SQL_SALES_OF_DATES, ARGS(vendor, currency, from, to), true, false, false, true};
    const struct source events = {
        &SQL_SALES_OF_EVENTS, ARGS(vendor, currency, event), false, true, true, !by_day};
    const struct source by_event_day = {
        &SQL_SALES_BY_EVENT_DAY, QUERY_ARGS(query), true, false, !all_days, true};
    const struct source by_event = {
        &SQL_SALES_BY_EVENT, QUERY_ARGS(query), false, false, true, !by_day};
    const struct source by_type = {
        &SQL_SALES_BY_EVENT_TYPE, QUERY_ARGS(query), false, true, true, true};

    if (all_days)
        TRY(read_source(tx, call, adding, &events));
    else if (query->group_by == SALES_BY_TICKET_TYPE)
        TRY(read_source(tx, call, adding, &by_type));
    else if (query->group_by == SALES_BY_EVENT || days_alone)
        TRY(read_source(tx, call, adding, &by_event));
    if (days_alone)
        return read_source(tx, call, adding, &dates);
    return by_day ? read_source(tx, call, adding, &by_event_day) : ERR_OK;
}

static err read_waiting(struct tx *tx, struct call *call, struct adding *adding)
{
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(rows_open(&rows, tx, &SQL_SALES_WAITING, QUERY_ARGS(adding->query), call->arena));
    while (rows_next(&rows)) {
        const int64_t purpose = row_i64(&rows, 3);
        const int64_t quantity = row_i64(&rows, 4);
        const int64_t minor = row_i64(&rows, 5);
        const struct sales_group part = {
            .event = row_uuid(&rows, 0),
            .day = row_i64(&rows, 1),
            .ticket_type = row_uuid(&rows, 2),
            .figures = {.gross = {.minor = purpose == PURPOSE_SALE ? -minor : 0},
                        .refunds = {.minor = purpose == PURPOSE_REFUND ? minor : 0},
                        .fees = {.minor = purpose == PURPOSE_FEE ? minor : 0},
                        .tickets_sold = purpose == PURPOSE_SALE ? quantity : 0,
                        .tickets_refunded = purpose == PURPOSE_REFUND ? quantity : 0},
        };

        add_event(adding, &part);
        add_series(adding, &part);
    }
    return rows_close(&rows);
}

static err read_all(struct call *call, struct adding *adding)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct sales_report *report = adding->report;
    const struct currency currency = adding->query->currency;

    TRY(tx_read(&tx, call_db(call)));
    TRY(read_counted(&tx, call, adding));
    TRY(read_waiting(&tx, call, adding));
    const bool fits = list(&adding->series, currency, &report->series, &report->series_count) &&
                      list(&adding->events, currency, &report->events, &report->event_count) &&
                      finish(&report->totals, currency);
    return fits && !adding->overflow ? ERR_OK : ERR_INTERNAL;
}

err sales_read(struct call *call, const struct sales_query *query, struct sales_report *ret)
{
    struct sales_report report = {0};
    struct adding adding = {
        .query = query,
        .report = &report,
        .series = {call->arena, map_open()},
        .events = {call->arena, map_open()},
    };

    const err e = read_all(call, &adding);
    map_close(adding.series.map);
    map_close(adding.events.map);
    if (e == ERR_OK)
        *ret = report;
    return e;
}

/* The least text of a column; absent: there is none. */
static err least(struct tx *tx, struct call *call, const struct sql *sql, struct args args,
                 str *ret)
{
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(rows_first(&rows, tx, sql, args, call->arena));
    *ret = row_text(&rows, 0);
    return rows_close(&rows);
}

err sales_currencies(struct call *call, struct uuid vendor, str ret[SALES_CURRENCIES_MAX],
                     size_t *ret_count)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    str counted = STR_ABSENT;
    str waiting = STR_ABSENT;
    str last = STR("");

    *ret_count = 0;
    TRY(tx_read(&tx, call_db(call)));
    while (*ret_count < SALES_CURRENCIES_MAX) {
        const struct args args = ARGS(UUID(vendor), TEXT(last));

        TRY(least(&tx, call, &SQL_SALES_CURRENCY, args, &counted));
        TRY(least(&tx, call, &SQL_SALES_CURRENCY_WAITING, args, &waiting));
        if (counted.ptr == NULL && waiting.ptr == NULL)
            break;
        last = counted.ptr == NULL || (waiting.ptr != NULL && str_compare(waiting, counted) < 0)
                   ? waiting
                   : counted;
        ret[(*ret_count)++] = last;
    }
    return ERR_OK;
}
