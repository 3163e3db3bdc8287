/* booking/event_store.c - events as rows. The whole event is written in one transaction, with its stock and the news of it. */
#include "services/booking/event_store.h"

#include <math.h>
#include <stdio.h>

#include "services/booking/event_store.sql.h"
#include "services/booking/slug.h"
#include "services/booking/state.h"
#include "services/booking/stock.h"

enum { EVENTS_MAX = 1000000, SLUG_TRIES_MAX = 1000 };

struct accepted_list { /* the column event_document.payment_methods */
    struct booking_accepted *items;
    size_t count;
};
static const struct json_field accepted_fields[] = {
    JSON_F_LIST("items", struct accepted_list, items, count, &event_accepted_shape, 0,
                EVENT_METHODS_MAX, JSON_OPTIONAL),
};
static const struct json_shape accepted_list_shape =
    JSON_SHAPE(accepted_fields, struct accepted_list);

/* --- Reading --- */

static struct venue *read_venue(struct call *call, const struct rows *rows)
{
    if (row_is_null(rows, 19))
        return NULL;
    struct venue *venue = arena_new(call->arena, struct venue);
    *venue = (struct venue){
        .id = {row_uuid(rows, 19)},
        .name = row_text(rows, 20),
        .city = row_text(rows, 21),
        .country = row_text(rows, 22),
        .address = row_text(rows, 23),
        .lat = row_is_null(rows, 24) ? (double)NAN : row_real(rows, 24),
        .lon = row_is_null(rows, 25) ? (double)NAN : row_real(rows, 25),
    };
    return venue;
}

static err read_document(struct tx *tx, struct call *call, struct event *event)
{
    CLEANUP(rows_done) struct rows rows = {0};
    struct accepted_list accepted = {0};

    TRY(rows_first(&rows, tx, &SQL_EVENT_READ, ARGS(UUID(event->id.uuid)), call->arena));
    event->vendor = row_uuid(&rows, 0);
    event->status = (int)row_i64(&rows, 1);
    event->version = row_i64(&rows, 2);
    event->starts_at_ms = row_i64(&rows, 3);
    event->ends_at_ms = row_i64(&rows, 4);
    event->slug = row_text(&rows, 5);
    event->type = (int)row_i64(&rows, 6);
    event->name = row_text(&rows, 7);
    event->description = row_text(&rows, 8);
    event->url = row_text(&rows, 9);
    event->timezone = row_text(&rows, 10);
    event->whole_day = row_i64(&rows, 11) != 0;
    event->online = row_i64(&rows, 12) != 0;
    if (!currency_parse(row_text(&rows, 13), &event->currency))
        return ERR_INTERNAL;
    TRY(json_read(call->arena, row_text(&rows, 14), &accepted_list_shape, &accepted));
    TRY(json_read(call->arena, row_text(&rows, 15), &event_policies_shape, &event->policies));
    TRY(json_read(call->arena, row_text(&rows, 16), &event_limits_shape, &event->limits));
    event->checkin_opens_at_ms = row_i64_or(&rows, 17, JSON_NULL);
    event->created_at_ms = row_i64(&rows, 18);
    event->venue = read_venue(call, &rows);
    event->accepted = accepted.items;
    event->accepted_count = accepted.count;
    return rows_close(&rows);
}

static err read_artists(struct tx *tx, struct call *call, struct event *event)
{
    CLEANUP(rows_done) struct rows rows = {0};

    event->artists = arena_new_array(call->arena, struct artist, EVENT_ARTISTS_MAX);
    TRY(rows_open(&rows, tx, &SQL_EVENT_READ_ARTISTS, ARGS(UUID(event->id.uuid)), call->arena));
    while (event->artist_count < EVENT_ARTISTS_MAX && rows_next(&rows))
        event->artists[event->artist_count++] =
            (struct artist){{row_uuid(&rows, 0)}, row_text(&rows, 1)};
    return rows_close(&rows);
}

static err read_types(struct tx *tx, struct call *call, struct event *event)
{
    CLEANUP(rows_done) struct rows rows = {0};

    event->ticket_types = arena_new_array(call->arena, struct ticket_type, EVENT_TICKET_TYPES_MAX);
    TRY(rows_open(&rows, tx, &SQL_EVENT_READ_TYPES, ARGS(UUID(event->id.uuid)), call->arena));
    while (event->ticket_type_count < EVENT_TICKET_TYPES_MAX && rows_next(&rows))
        event->ticket_types[event->ticket_type_count++] = (struct ticket_type){
            .id = {row_uuid(&rows, 0)             },
            .name = row_text(&rows, 1),
            .price = { row_i64(&rows,            2), event->currency},
            .max_per_order = row_i64_or(&rows, 3, JSON_NULL),
            .sales_start_ms = row_i64_or(&rows, 4, JSON_NULL),
            .sales_end_ms = row_i64_or(&rows, 5, JSON_NULL),
            .total = row_i64(&rows, 6),
            .tax_rate_ppm = row_i64_or(&rows, 7, JSON_NULL),
        };
    return rows_close(&rows);
}

err event_read(struct tx *tx, struct call *call, event_id id, struct event *ret)
{
    struct event event = {
        .id = id, .limits = {.per_user = JSON_NULL}, .policies = EVENT_POLICIES_STANDARD};

    TRY(read_document(tx, call, &event));
    TRY(read_artists(tx, call, &event));
    TRY(read_types(tx, call, &event));
    event_set_prices(&booking_of(call)->platform, &event);
    *ret = event;
    return ERR_OK;
}

err event_ids(struct tx *tx, struct call *call, event_id **ret, size_t *ret_count)
{
    CLEANUP(rows_done) struct rows rows = {0};
    size_t capacity = 1024;
    event_id *ids = arena_new_array(call->arena, event_id, capacity);
    size_t count = 0;

    TRY(rows_open(&rows, tx, &SQL_EVENT_IDS, NO_ARGS, call->arena));
    while (count < EVENTS_MAX && rows_next(&rows)) {
        if (count == capacity) {
            event_id *wider = arena_new_array(call->arena, event_id, capacity * 2);

            for (size_t i = 0; i < count; i++)
                wider[i] = ids[i];
            ids = wider;
            capacity *= 2;
        }
        ids[count++].uuid = row_uuid(&rows, 0);
    }
    TRY(rows_close(&rows));
    *ret = ids;
    *ret_count = count;
    return ERR_OK;
}

err event_has_orders(struct tx *tx, event_id id, bool *ret)
{
    int64_t has = 0;

    TRY(db_get_i64(tx, &SQL_EVENT_HAS_ORDERS, ARGS(UUID(id.uuid)), &has));
    *ret = has != 0;
    return ERR_OK;
}

static err find_id(struct tx *tx, struct call *call, const struct sql *sql, str key,
                   struct uuid *ret)
{
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(rows_first(&rows, tx, sql, ARGS(TEXT(key)), call->arena));
    *ret = row_uuid(&rows, 0);
    return rows_close(&rows);
}

err event_of_import(struct tx *tx, struct call *call, str key, event_id *ret)
{
    return find_id(tx, call, &SQL_EVENT_OF_IMPORT, key, &ret->uuid);
}

/* --- Writing --- */

static struct value real_or_nil(double x)
{
    return isnan(x) ? NIL : REAL(x);
}

static err place_venue(struct tx *tx, struct call *call, struct venue *venue)
{
    const str folded =
        name_fold(call->arena, arena_printf(call->arena, "%.*s|%.*s|%.*s", STR_ARG(venue->name),
                                            STR_ARG(venue->city), STR_ARG(venue->country)));
    const err e = find_id(tx, call, &SQL_VENUE_FIND, folded, &venue->id.uuid);

    if (e == ERR_OK)
        return db_exec(tx, &SQL_VENUE_COMPLETE,
                       ARGS(UUID(venue->id.uuid), TEXT(venue->address), real_or_nil(venue->lat),
                            real_or_nil(venue->lon)));
    if (e != ERR_NOT_FOUND)
        return e;
    venue->id.uuid = call_uuid(call);
    return db_exec(tx, &SQL_VENUE_INSERT,
                   ARGS(UUID(venue->id.uuid), TEXT(venue->name), TEXT(venue->city),
                        TEXT(venue->country), TEXT(venue->address), real_or_nil(venue->lat),
                        real_or_nil(venue->lon), TEXT(folded)));
}

static err place_artist(struct tx *tx, struct call *call, struct artist *artist)
{
    const str folded = name_fold(call->arena, artist->name);
    const err e = find_id(tx, call, &SQL_ARTIST_FIND, folded, &artist->id.uuid);

    if (e != ERR_NOT_FOUND)
        return e;
    artist->id.uuid = call_uuid(call);
    return db_exec(tx, &SQL_ARTIST_INSERT,
                   ARGS(UUID(artist->id.uuid), TEXT(artist->name), TEXT(folded)));
}

static err place_artists(struct tx *tx, struct call *call, const struct event *event)
{
    TRY(db_exec(tx, &SQL_EVENT_ARTIST_CLEAR, ARGS(UUID(event->id.uuid))));
    for (size_t i = 0; i < event->artist_count; i++) {
        TRY(place_artist(tx, call, &event->artists[i]));
        TRY(db_exec(tx, &SQL_EVENT_ARTIST_INSERT,
                    ARGS(UUID(event->id.uuid), I64((int64_t)i), UUID(event->artists[i].id.uuid))));
    }
    return ERR_OK;
}

static err place_slug(struct tx *tx, struct call *call, struct event *event)
{
    const struct id_text id = id_format(EVENT_PREFIX, event->id.uuid);
    const str base = slug_of(call->arena, event->name, arena_str(call->arena, str_of(id.text)));
    int64_t taken = 0;

    event->slug = base;
    for (int i = 2; i < SLUG_TRIES_MAX; i++) {
        const err e = db_get_i64(tx, &SQL_EVENT_SLUG_TAKEN, ARGS(TEXT(event->slug)), &taken);

        if (e == ERR_NOT_FOUND)
            return ERR_OK;
        TRY(e);
        event->slug = arena_printf(call->arena, "%.*s-%d", STR_ARG(base), i);
    }
    event->slug = arena_str(call->arena, str_of(id.text));
    return ERR_OK;
}

/* The wall time that was meant: "2026-12-05T20:00:00" in the event's zone. */
static str wall_time(struct call *call, const struct event *event, int64_t ms)
{
    const struct zone *zone = NULL;

    if (zone_find(booking_of(call)->zones, event->timezone, &zone) != ERR_OK)
        return STR("");
    const struct civil at = zone_to_local(zone, ms).civil;
    return arena_printf(call->arena, "%04d-%02d-%02dT%02d:%02d:%02d", at.year, at.month, at.day,
                        at.hour, at.minute, at.second);
}

static str accepted_json(struct call *call, const struct event *event)
{
    const struct accepted_list list = {event->accepted, event->accepted_count};

    return json_encode(call->arena, &accepted_list_shape, &list);
}

static err write_type(struct tx *tx, struct call *call, const struct event *event, size_t position,
                      const struct ticket_type *old)
{
    const struct ticket_type *type = &event->ticket_types[position];

    if (old == NULL) {
        TRY(db_exec(tx, &SQL_TICKET_TYPE_INSERT,
                    ARGS(UUID(type->id.uuid), UUID(event->id.uuid), I64((int64_t)position),
                         TEXT(type->name), I64(type->price.minor), I64_OR_NIL(type->max_per_order),
                         I64_OR_NIL(type->sales_start_ms), I64_OR_NIL(type->sales_end_ms),
                         I64_OR_NIL(type->tax_rate_ppm))));
        return stock_open_type(tx, call, event->id, type->id, type->total);
    }
    TRY(db_exec(tx, &SQL_TICKET_TYPE_UPDATE,
                ARGS(UUID(type->id.uuid), I64((int64_t)position), TEXT(type->name),
                     I64(type->price.minor), I64_OR_NIL(type->max_per_order),
                     I64_OR_NIL(type->sales_start_ms), I64_OR_NIL(type->sales_end_ms),
                     I64_OR_NIL(type->tax_rate_ppm))));
    if (type->total == old->total)
        return ERR_OK;
    const err e = stock_set_total(tx, call, type->id, type->total);
    return e == ERR_CONFLICT
               ? call_explain(call, e,
                              "more than %lld tickets of \"%.*s\" are held or sold already",
                              (long long)type->total, STR_ARG(type->name))
               : e;
}

static err close_types(struct tx *tx, struct call *call, const struct event *old,
                       const struct event *event)
{
    for (size_t i = 0; i < old->ticket_type_count; i++) {
        const struct ticket_type *type = &old->ticket_types[i];

        if (event != NULL && event_ticket_type(event, type->id) != NULL)
            continue;
        const err e = stock_close_type(tx, call, type->id);
        if (e == ERR_CONFLICT)
            return call_explain(call, e,
                                "tickets of \"%.*s\" were held or sold: it cannot be removed",
                                STR_ARG(type->name));
        TRY(e);
        TRY(db_exec(tx, &SQL_TICKET_TYPE_DELETE, ARGS(UUID(type->id.uuid))));
    }
    return ERR_OK;
}

static err tell(struct tx *tx, struct call *call, const char *kind, event_id id)
{
    return outbox_add(
        tx, call, kind,
        arena_printf(call->arena, "{\"event_id\":\"%s\"}", id_format(EVENT_PREFIX, id.uuid).text));
}

static err place_all(struct tx *tx, struct call *call, struct event *event)
{
    if (event->venue != NULL)
        TRY(place_venue(tx, call, event->venue));
    return place_artists(tx, call, event);
}

static str policies_json(struct call *call, const struct event *event)
{
    return json_encode(call->arena, &event_policies_shape, &event->policies);
}

/* The policies are in force from this version on. */
static err write_terms(struct tx *tx, struct call *call, const struct event *event)
{
    return db_exec(
        tx, &SQL_EVENT_TERMS_INSERT,
        ARGS(UUID(event->id.uuid), I64(event->version), TEXT(policies_json(call, event))));
}

err event_policies_at(struct tx *tx, struct call *call, event_id id, int64_t version,
                      struct event_policies *ret)
{
    CLEANUP(rows_done) struct rows rows = {0};
    struct event_policies policies = EVENT_POLICIES_STANDARD;

    TRY(rows_first(&rows, tx, &SQL_EVENT_TERMS_FIND, ARGS(UUID(id.uuid), I64(version)),
                   call->arena));
    const str json = row_text(&rows, 0);
    TRY(rows_close(&rows));
    TRY(json_read(call->arena, json, &event_policies_shape, &policies));
    *ret = policies;
    return ERR_OK;
}

err event_insert(struct tx *tx, struct call *call, struct event *event, str import_key)
{
    TRY(place_all(tx, call, event));
    TRY(place_slug(tx, call, event));
    TRY(db_exec(tx, &SQL_EVENT_KEY_INSERT,
                ARGS(UUID(event->id.uuid), UUID(event->vendor), I64(event->status),
                     I64(event->version), I64(event->starts_at_ms), I64(event->ends_at_ms))));
    TRY(db_exec(tx, &SQL_EVENT_DOCUMENT_INSERT,
                ARGS(UUID(event->id.uuid), TEXT(event->slug), TEXT(import_key), I64(event->type),
                     TEXT(event->name), TEXT(event->description), TEXT(event->url),
                     TEXT(event->timezone), TEXT(wall_time(call, event, event->starts_at_ms)),
                     TEXT(wall_time(call, event, event->ends_at_ms)), I64(event->whole_day),
                     I64(event->online), event->venue != NULL ? UUID(event->venue->id.uuid) : NIL,
                     TEXT(str_of(event->currency.code)), TEXT(accepted_json(call, event)),
                     TEXT(policies_json(call, event)),
                     TEXT(json_encode(call->arena, &event_limits_shape, &event->limits)),
                     I64_OR_NIL(event->checkin_opens_at_ms), I64(call->now_ms))));
    for (size_t i = 0; i < event->ticket_type_count; i++)
        TRY(write_type(tx, call, event, i, NULL));
    TRY(write_terms(tx, call, event));
    return tell(tx, call, "event.created", event->id);
}

err event_update(struct tx *tx, struct call *call, const struct event *old, struct event *event)
{
    int64_t changed = 0;

    event->version = old->version + 1;
    TRY(db_exec_count(tx, &SQL_EVENT_KEY_UPDATE,
                      ARGS(UUID(event->id.uuid), I64(old->version), I64(event->status),
                           I64(event->version), I64(event->starts_at_ms), I64(event->ends_at_ms)),
                      &changed));
    if (changed == 0)
        return ERR_STALE;
    TRY(place_all(tx, call, event));
    TRY(db_exec(tx, &SQL_EVENT_DOCUMENT_UPDATE,
                ARGS(UUID(event->id.uuid), I64(event->type), TEXT(event->name),
                     TEXT(event->description), TEXT(event->url), TEXT(event->timezone),
                     TEXT(wall_time(call, event, event->starts_at_ms)),
                     TEXT(wall_time(call, event, event->ends_at_ms)), I64(event->whole_day),
                     I64(event->online), event->venue != NULL ? UUID(event->venue->id.uuid) : NIL,
                     TEXT(str_of(event->currency.code)), TEXT(accepted_json(call, event)),
                     TEXT(policies_json(call, event)),
                     TEXT(json_encode(call->arena, &event_limits_shape, &event->limits)),
                     I64_OR_NIL(event->checkin_opens_at_ms), I64(call->now_ms))));
    if (!str_eq(policies_json(call, old), policies_json(call, event)))
        TRY(write_terms(tx, call, event));
    TRY(close_types(tx, call, old, event));
    for (size_t i = 0; i < event->ticket_type_count; i++)
        TRY(write_type(tx, call, event, i, event_ticket_type(old, event->ticket_types[i].id)));
    return tell(tx, call,
                event->status == EVENT_CANCELLED && old->status != EVENT_CANCELLED
                    ? "event.cancelled"
                    : "event.updated",
                event->id);
}

err event_delete(struct tx *tx, struct call *call, const struct event *event)
{
    int64_t deleted = 0;

    TRY(close_types(tx, call, event, NULL));
    TRY(db_exec(tx, &SQL_EVENT_ARTIST_CLEAR, ARGS(UUID(event->id.uuid))));
    TRY(db_exec(tx, &SQL_EVENT_TERMS_DELETE, ARGS(UUID(event->id.uuid))));
    TRY(db_exec(tx, &SQL_EVENT_DOCUMENT_DELETE, ARGS(UUID(event->id.uuid))));
    TRY(db_exec_count(tx, &SQL_EVENT_KEY_DELETE, ARGS(UUID(event->id.uuid), I64(event->version)),
                      &deleted));
    return deleted == 0 ? ERR_STALE : tell(tx, call, "event.deleted", event->id);
}
