/* booking/import/import.c - puts events of a file into the catalog: what is new is made, what has changed is updated, the rest is left alone.
 *
 * An event is known again by its vendor and its UID where the file has one; else by its url and the year it starts in (a yearly event keeps its url), or
 * without a url by its name and start.
 * Rows are written IMPORT_ROWS_EACH at a time, so that a server that sells beside it never waits long. */

#include "services/booking/booking.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "services/booking/event_store.h"
#include "services/booking/import/format.h"
#include "services/booking/import/keep.h"
#include "services/booking/import/read.h"
#include "services/booking/slug.h"
#include "services/booking/state.h"

enum { ROWS_EACH = 50, HOURS_STANDARD = 3 };
#define TYPE_NAME_STANDARD "Standard"

struct import {
    struct call *call;
    const struct booking_import *in;
    struct booking_imported *done;
    struct tx tx;
    int rows;         /* in the open transaction */
    struct map *keys; /* given in this run: import key -> the start that has it */
};

/* --- From a row to an event --- */

static void report(struct import *import, size_t line, const char *text)
{
    if (import->in->report != NULL)
        import->in->report(import->in->arg, (int)line, text);
}

static err refuse(struct import *import, const struct import_event *row, const char *reason)
{
    report(import, row->line, reason);
    import->done->refused++;
    return ERR_INVALID;
}

/* The instant of a start, or of an end (the end of its day). False: clocks jump over it. */
static bool instant_of(const struct zone *zone, const struct import_when *when, bool end,
                       int64_t *ret)
{
    struct civil civil = when->civil;
    int64_t ms = 0;

    if (when->kind == IMPORT_INSTANT) {
        *ret = when->at_ms;
        return true;
    }
    if (when->kind == IMPORT_DAY && end)
        civil = civil_from_ms(civil_to_ms(&civil) + DAY_MS);
    const enum zone_kind kind = zone_to_utc(zone, &civil, &ms);
    *ret = ms;
    return kind != ZONE_GAP ||
           when->kind ==
               IMPORT_DAY; /* a day that has no midnight begins when the clocks are back */
}

static err fill_times(struct import *import, const struct import_event *row, struct event *event)
{
    const struct zone *zone = NULL;

    event->timezone = row->timezone.ptr != NULL          ? row->timezone
                      : import->in->timezone.ptr != NULL ? import->in->timezone
                                                         : STR("UTC");
    if (zone_find(booking_of(import->call)->zones, event->timezone, &zone) != ERR_OK)
        return refuse(import, row, "its time zone is unknown");
    event->whole_day = (row->terms != NULL && row->terms->whole_day) ||
                       (row->starts.kind == IMPORT_DAY &&
                        (row->ends.kind == IMPORT_DAY || row->ends.kind == IMPORT_UNKNOWN));
    if (!instant_of(zone, &row->starts, false, &event->starts_at_ms))
        return refuse(import, row, "its start does not exist: the clocks jump over it");
    if (row->ends.kind == IMPORT_UNKNOWN && !event->whole_day)
        event->ends_at_ms = event->starts_at_ms + HOURS_STANDARD * INT64_C(3600000);
    else if (!instant_of(zone, row->ends.kind == IMPORT_UNKNOWN ? &row->starts : &row->ends, true,
                         &event->ends_at_ms))
        return refuse(import, row, "its end does not exist: the clocks jump over it");
    if (event->ends_at_ms < event->starts_at_ms)
        return refuse(import, row, "it ends before it starts");
    if (row->doors.kind != IMPORT_UNKNOWN &&
        (!instant_of(zone, &row->doors, false, &event->checkin_opens_at_ms) ||
         event->checkin_opens_at_ms > event->ends_at_ms))
        return refuse(import, row, "its doors open when the clocks jump, or when it is over");
    return ERR_OK;
}

static err fill_type(struct import *import, const struct import_event *row, struct event *event)
{
    event->type = EVENT_OTHER;
    if (row->type.ptr == NULL)
        return ERR_OK;
    for (int type = 0; event_type_names[type] != NULL; type++)
        if (str_eq_nocase(row->type, str_of(event_type_names[type]))) {
            event->type = type;
            return ERR_OK;
        }
    return refuse(import, row,
                  "its type is none of concert, conference, gaming, educational, sports, theatre, "
                  "festival, other");
}

static void fill_place(struct import *import, const struct import_event *row, struct event *event)
{
    struct arena *arena = import->call->arena;

    event->online = row->online;
    if (!row->online) {
        event->venue = arena_new(arena, struct venue);
        *event->venue = (struct venue){
            .name = row->venue.ptr != NULL ? row->venue : row->city,
            .city = row->city,
            .country = row->country,
            .address = row->address,
            .lat = row->lat,
            .lon = row->lon,
        };
    }
    event->artists = arena_new_array(arena, struct artist, row->artist_count + 1);
    event->artist_count = row->artist_count;
    for (size_t i = 0; i < row->artist_count; i++)
        event->artists[i].name = row->artists[i];
}

/* What neither the file nor a flag says is -1 and stays as it was: see keep.h. */
static struct ticket_type ticket_type_of(struct import *import, const struct import_offer *offer,
                                         struct currency currency)
{
    const struct booking_import *in = import->in;

    return (struct ticket_type){
        .id = {.uuid = call_uuid(import->call)},
        .name = offer->name.ptr != NULL ? offer->name : STR(TYPE_NAME_STANDARD),
        .price = { offer->price_minor >= 0 ? offer->price_minor : in->price_minor,                       currency},
        .total = offer->quantity >= 0 ? offer->quantity : in->quantity,
        .max_per_order = offer->max_per_order > 0 ? offer->max_per_order : JSON_NULL,
        .sales_start_ms = offer->sales_start_ms,
        .sales_end_ms = offer->sales_end_ms,
        .tax_rate_ppm = offer->tax_rate_ppm,
    };
}

static void fill_offers(struct import *import, const struct import_event *row, struct event *event)
{
    const struct booking_import *in = import->in;
    struct arena *arena = import->call->arena;
    bool own_price = false;

    for (size_t i = 0; i < row->offer_count; i++)
        own_price |= row->offers[i].price_minor >= 0;
    if (row->currency.code[0] != '\0' && (own_price || in->price_minor < 0))
        event->currency = row->currency;
    else
        event->currency = in->currency; /* may be none yet */
    event->ticket_types = arena_new_array(arena, struct ticket_type, EVENT_TICKET_TYPES_MAX);
    event->ticket_type_count = row->offer_count;
    for (size_t i = 0; i < row->offer_count; i++)
        event->ticket_types[i] = ticket_type_of(import, &row->offers[i], event->currency);
}

static int status_of(const struct import *import, const struct import_event *row)
{
    if (row->status == IMPORT_CANCELLED)
        return EVENT_CANCELLED;
    return import->in->publish && row->status != IMPORT_DRAFT ? EVENT_PUBLISHED : EVENT_DRAFT;
}

static err event_of_row(struct import *import, const struct import_event *row, struct event *ret)
{
    struct event event = {
        .id = {.uuid = call_uuid(import->call)},
        .vendor = import->in->vendor,
        .status = status_of(import, row),
        .version = 1,
        .name = row->name,
        .description = row->description,
        .url = row->url,
        .policies = EVENT_POLICIES_STANDARD,
        .limits = { .per_order = EVENT_PER_ORDER_STANDARD,          .per_user = JSON_NULL},
        .checkin_opens_at_ms = JSON_NULL,
        .created_at_ms = import->call->now_ms,
    };

    TRY(fill_times(import, row, &event));
    TRY(fill_type(import, row, &event));
    fill_place(import, row, &event);
    fill_offers(import, row, &event);
    if (!import_terms_apply(import->call->arena, row->terms, &event))
        return refuse(import, row, "its policies or limits are none that POST /events takes");
    if (!import_methods(import->call->arena, row->terms, &event))
        return refuse(import, row, "one of its payment methods is of an unknown type");
    *ret = event;
    return ERR_OK;
}

/* --- Known again --- */

enum known { KEY_NEW, KEY_SAME, KEY_OTHER };

/* Whose the key is in this run: nobody's (then this event's from now on), this same event's, or another one's. */
static enum known claim_key(struct import *import, str key, const struct event *event)
{
    int64_t *start = map_find(import->keys, key);

    if (start != NULL)
        return *start == event->starts_at_ms ? KEY_SAME : KEY_OTHER;
    start = mem_new(int64_t);
    *start = event->starts_at_ms;
    (void)map_put(import->keys, key, start);
    return KEY_NEW;
}

/* What the file's own key says: whatever else changes, it is the same event. */
static bool key_of_uid(struct import *import, const struct event *event, str uid, str *ret)
{
    const struct id_text vendor = id_format("vnd", event->vendor);

    *ret = arena_printf(import->call->arena, "%s|uid|%.*s", vendor.text, STR_ARG(uid));
    return claim_key(import, *ret, event) == KEY_NEW;
}

/* Two events of one file with one url in one year are told apart by their names, then by their starts. False: the file has said this one before. */
static bool key_of(struct import *import, const struct event *event, str *ret)
{
    struct arena *arena = import->call->arena;
    const struct id_text vendor = id_format("vnd", event->vendor);
    const str name = name_fold(arena, event->name);
    const struct time_text start = time_format(event->starts_at_ms);
    const str by_url =
        arena_printf(arena, "%s|%.*s|%.4s", vendor.text, STR_ARG(event->url), start.text);
    const str keys[] = {
        by_url,
        arena_printf(arena, "%.*s|%.*s", STR_ARG(by_url), STR_ARG(name)),
        arena_printf(arena, "%s|%.*s|%s", vendor.text, STR_ARG(name), start.text),
    };

    for (size_t i = event->url.ptr != NULL ? 0 : 2; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const enum known known = claim_key(import, keys[i], event);

        *ret = keys[i];
        if (known != KEY_OTHER)
            return known == KEY_NEW;
    }
    return false;
}

/* --- Writing --- */

static err commit(struct import *import)
{
    if (import->rows == 0)
        return ERR_OK;
    import->rows = 0;
    TRY(tx_commit(&import->tx));
    call_next(import->call);
    return ERR_OK;
}

/* Money never moves because of a file: an event that has orders is cancelled by its vendor. */
static err cancel(struct import *import, const struct import_event *row, const struct event *old,
                  struct event *event)
{
    bool has_orders = false;

    TRY(event_has_orders(&import->tx, old->id, &has_orders));
    if (has_orders) {
        (void)refuse(
            import, row,
            "is cancelled in the file, but has orders here: cancel it with DELETE /events/{event}");
        return ERR_OK;
    }
    TRY(event_update(&import->tx, import->call, old, event));
    import->done->updated++;
    return ERR_OK;
}

static err insert(struct import *import, const struct import_event *row, struct event *event,
                  str key)
{
    if (event->status == EVENT_CANCELLED) {
        report(import, row->line, "is cancelled: left out");
        import->done->unchanged++;
        return ERR_OK;
    }
    import_complete(event);
    TRY(event_insert(&import->tx, import->call, event, key));
    import->done->created++;
    return ERR_OK;
}

/* The event that the row is known as: by its key, or by its own id, as an export has it. ERR_NOT_FOUND. */
static err find_old(struct import *import, const struct import_event *row, str key,
                    struct event *ret)
{
    event_id id = {0};
    str uid = row->uid;
    str own;

    (void)str_split(&uid, '@', &own);
    if (own.ptr != NULL && id_parse(EVENT_PREFIX, own, &id.uuid)) {
        const err e = event_read(&import->tx, import->call, id, ret);

        if (e != ERR_NOT_FOUND && (e != ERR_OK || uuid_eq(ret->vendor, import->in->vendor)))
            return e;
        *ret = (struct event){0};
    }
    TRY(event_of_import(&import->tx, import->call, key, &id));
    return event_read(&import->tx, import->call, id, ret);
}

static err upsert(struct import *import, const struct import_event *row, struct event *event,
                  str key)
{
    struct event old = {0};
    const bool says_offers = row->offer_count > 1 || row->offers[0].price_minor >= 0 ||
                             row->offers[0].quantity >= 0 || row->offers[0].name.ptr != NULL;
    const err e = find_old(import, row, key, &old);

    if (e == ERR_NOT_FOUND)
        return insert(import, row, event, key);
    TRY(e);
    import_keep(&old, event, says_offers);
    (void)import_terms_apply(import->call->arena, row->terms, event); /* it was, on a new one */
    event_set_prices(&booking_of(import->call)->platform,
                     event); /* it is compared as it is shown */
    if (old.status == EVENT_CANCELLED || import_is_same(import->call->arena, &old, event)) {
        import->done->unchanged++;
        return ERR_OK;
    }
    if (event->status == EVENT_CANCELLED)
        return cancel(import, row, &old, event);
    if (!currency_eq(old.currency, event->currency)) {
        bool has_orders = false;

        TRY(event_has_orders(&import->tx, old.id, &has_orders));
        if (has_orders || event->ticket_type_count > row->offer_count)
            return call_explain(import->call, ERR_CONFLICT, "it is sold in %s already",
                                old.currency.code);
    }
    TRY(event_update(&import->tx, import->call, &old, event));
    import->done->updated++;
    return ERR_OK;
}

static err take_row(void *arg, const struct import_event *row)
{
    struct import *import = arg;
    struct event event = {0};
    str key = STR_ABSENT;

    if (event_of_row(import, row, &event) != ERR_OK)
        return ERR_OK; /* refused and reported */
    if (!(row->uid.ptr != NULL ? key_of_uid(import, &event, row->uid, &key)
                               : key_of(import, &event, &key))) {
        report(import, row->line, "is in the file before: left alone");
        import->done->unchanged++;
        return ERR_OK;
    }
    if (import->rows == 0)
        TRY(tx_begin(&import->tx, call_db(import->call)));
    import->rows++;
    TRY(tx_savepoint(&import->tx));
    const err e = upsert(import, row, &event, key);
    if (e == ERR_OK) {
        TRY(tx_keep(&import->tx));
    } else {
        TRY(tx_undo(&import->tx));
        if (err_status(e) >= 500)
            return e;
        (void)refuse(import, row,
                     import->call->problem.detail.size > 0
                         ? arena_cstr(import->call->arena, import->call->problem.detail)
                         : err_title(e));
        import->call->problem = (struct problem){0};
    }
    return import->rows >= ROWS_EACH ? commit(import) : ERR_OK;
}

static void take_refusal(void *arg, size_t line, const char *reason)
{
    struct import *import = arg;

    report(import, line, reason);
    import->done->refused++;
}

static void take_note(void *arg, size_t line, const char *what)
{
    report(arg, line, what);
}

/* --- Reading --- */

static err read_file(struct call *call, const char *path, struct buf *ret)
{
    char block[65536];
    size_t size = 0;
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return call_explain(call, ERR_MALFORMED, "%s: %s", path, strerrordesc_np(errno));
    while ((size = fread(block, 1, sizeof(block), file)) > 0)
        buf_add(ret, (str){block, size});
    const bool failed = ferror(file) != 0;
    (void)fclose(file);
    if (failed)
        return call_explain(call, ERR_MALFORMED, "%s cannot be read", path);
    /* Of an export only its events are read, which stand in front. */
    return ret->overflow && !str_starts(buf_str(ret), STR("{\"" EXPORT_MARK "\":"))
               ? call_explain(call, ERR_MALFORMED, "%s is larger than %d MiB", path,
                              IMPORT_FILE_SIZE_MAX / 1024 / 1024)
               : ERR_OK;
}

static void free_start([[maybe_unused]] void *arg, [[maybe_unused]] str key, void *value)
{
    mem_free(value);
}

static err read_rows(struct import *import, str text)
{
    const struct import_reader reader = {
        .row = take_row,
        .refused = take_refusal,
        .ignored = take_note,
        .arg = import,
        .currency = import->in->currency,
        .zones = booking_of(import->call)->zones,
        .timezone = import->in->timezone,
        .now_ms = import->call->now_ms,
    };
    import_read *read = import_format(str_of(import->in->path), text);

    if (read == NULL)
        return call_explain(
            import->call, ERR_MALFORMED,
            "%s: neither its name nor its text says what it is; .csv, .json, .jsonld, "
            ".html and .ics files are understood",
            import->in->path);
    TRY(read(text, &reader));
    return commit(import);
}

err booking_import_events(struct call *call, const struct booking_import *in,
                          struct booking_imported *ret)
{
    CLEANUP(buf_done) struct buf text = buf_on_heap(IMPORT_FILE_SIZE_MAX);
    struct import import = {.call = call, .in = in, .done = ret, .keys = map_open()};

    *ret = (struct booking_imported){0};
    err e = read_file(call, in->path, &text);
    if (e == ERR_OK)
        e = read_rows(&import, buf_str(&text));
    tx_rollback(&import.tx);
    map_each(import.keys, free_start, NULL);
    map_close(import.keys);
    return e;
}
