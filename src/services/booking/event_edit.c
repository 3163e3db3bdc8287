/* booking/event_edit.c - what vendors do with their events.
 *
 *   draft ──published──▶ published ──cancelled──▶ cancelled
 *     └──deleted (the rows vanish)
 *
 * A draft becomes public by PUT status; back it goes only while nobody has booked. Cancelled is for good: orders are refunded by a job. */
#include "services/booking/event_edit.h"

#include <math.h>

#include "services/booking/calendar.h"
#include "services/booking/catalog.h"
#include "services/booking/event_input.h"
#include "services/booking/event_store.h"
#include "services/booking/state.h"

enum { EDIT_BODY_MAX = 262144 };

/* --- Who may see and change what --- */

static bool owns(const struct call *call, const struct event *event)
{
    return call->caller.role == ROLE_ADMIN ||
           (call->caller.role == ROLE_VENDOR && uuid_eq(call->caller.vendor, event->vendor));
}

/* The event in the path, if the caller may see it: drafts are their vendor's. */
static err visible_event(struct req *req, const struct event **ret)
{
    event_id id = {0};

    TRY(req_param_id(req, "event", EVENT_PREFIX, &id.uuid));
    const struct event *event = catalog_find(booking_of(&req->call)->catalog, id);
    if (event == NULL)
        return ERR_NOT_FOUND;
    if (event->status == EVENT_DRAFT && !owns(&req->call, event)) {
        event_release(event);
        return ERR_NOT_FOUND;
    }
    *ret = event;
    return ERR_OK;
}

static err own_event(struct req *req, const struct event **ret)
{
    const struct event *event = NULL;

    TRY(visible_event(req, &event));
    if (!owns(&req->call, event)) {
        event_release(event);
        return ERR_NOT_FOUND;
    }
    *ret = event;
    return ERR_OK;
}

/* --- Storage --- */

static err make_public(struct call *call, event_id id)
{
    outbox_wake(call->self);
    return catalog_refresh(call, id);
}

static err insert(struct call *call, struct event *event)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, call_db(call)));
    TRY(event_insert(&tx, call, event, STR_ABSENT));
    TRY(tx_commit(&tx));
    return make_public(call, event->id);
}

/* What may not change any more once somebody has booked. */
static err check_booked(struct tx *tx, struct call *call, const struct event *old,
                        const struct event *event)
{
    const bool withdrawn = old->status == EVENT_PUBLISHED && event->status == EVENT_DRAFT;
    bool booked = false;

    if (!withdrawn && currency_eq(old->currency, event->currency))
        return ERR_OK;
    TRY(event_has_orders(tx, old->id, &booked));
    if (!booked)
        return ERR_OK;
    return call_explain(call, ERR_CONFLICT,
                        withdrawn ? "people have booked: the event can be cancelled, not withdrawn"
                                  : "people have booked: the currency stays as it is");
}

static err update(struct call *call, const struct event *old, struct event *event)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, call_db(call)));
    TRY(check_booked(&tx, call, old, event));
    TRY(event_update(&tx, call, old, event));
    TRY(tx_commit(&tx));
    return make_public(call, event->id);
}

/* Drafts vanish; the rest is cancelled, and its orders with it. */
static err end(struct call *call, const struct event *event, bool *ret_orders)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, call_db(call)));
    TRY(event_has_orders(&tx, event->id, ret_orders));
    if (event->status == EVENT_DRAFT && !*ret_orders) {
        TRY(event_delete(&tx, call, event));
    } else {
        struct event cancelled = *event;
        const struct id_text id = id_format(EVENT_PREFIX, event->id.uuid);

        cancelled.status = EVENT_CANCELLED;
        TRY(event_update(&tx, call, event, &cancelled));
        if (*ret_orders)
            TRY(job_add(&tx, call, "cancel_event_orders", str_of(id.text), call->now_ms,
                        arena_printf(call->arena, "{\"event_id\":\"%s\"}", id.text)));
    }
    TRY(tx_commit(&tx));
    jobs_wake(call->self);
    return make_public(call, event->id);
}

/* --- Handlers --- */

static err reply_event(struct req *req, int status, const struct event *event)
{
    reply_etag(req, event_etag(req->call.arena, event));
    return reply_text(req, status, STR("application/json"),
                      arena_str(req->call.arena, event->json));
}

static err reply_current(struct req *req, int status, event_id id)
{
    CLEANUP(event_release_at)
    const struct event *event = catalog_find(booking_of(&req->call)->catalog, id);

    return event != NULL ? reply_event(req, status, event) : ERR_NOT_FOUND;
}

static err get_event(struct req *req)
{
    CLEANUP(event_release_at) const struct event *event = NULL;

    TRY(visible_event(req, &event));
    return reply_blob(req, 200, event->document);
}

static err post_event(struct req *req)
{
    struct call *call = &req->call;
    struct event event = {0};

    if (uuid_is_zero(call->caller.vendor))
        return call_explain(call, ERR_FORBIDDEN, "events belong to vendors");
    TRY(event_input_read(req, event_input_of(call, NULL), NULL, &event));
    TRY(insert(call, &event));
    reply_header(
        req, "location",
        arena_printf(call->arena, "/events/%s", id_format(EVENT_PREFIX, event.id.uuid).text));
    return reply_current(req, 201, event.id);
}

static err put_event(struct req *req)
{
    CLEANUP(event_release_at) const struct event *current = NULL;
    struct call *call = &req->call;
    struct event event = {0};

    TRY(own_event(req, &current));
    TRY(event_input_read(req, event_input_of(call, current), current, &event));
    TRY(req_if_match(req, event_etag(call->arena, current)));
    if (current->status == EVENT_CANCELLED)
        return call_explain(call, ERR_CONFLICT, "the event is cancelled");
    TRY(update(call, current, &event));
    return reply_current(req, 200, event.id);
}

static err delete_event(struct req *req)
{
    CLEANUP(event_release_at) const struct event *event = NULL;
    bool orders = false;

    TRY(own_event(req, &event));
    if (event->status == EVENT_CANCELLED)
        return call_explain(&req->call, ERR_CONFLICT, "the event is cancelled already");
    TRY(end(&req->call, event, &orders));
    return orders ? reply_current(req, 202, event->id) : reply_empty(req, 204);
}

/* "https://tickets.example.org/x" -> "tickets.example.org" */
static str host_of(str url)
{
    for (size_t i = 0; i + 3 < url.size; i++)
        if (str_starts(str_slice(url, i, url.size), STR("://"))) {
            url = str_slice(url, i + 3, url.size);
            break;
        }
    for (size_t i = 0; i < url.size; i++)
        if (url.ptr[i] == '/' || url.ptr[i] == ':')
            return str_slice(url, 0, i);
    return url.size > 0 ? url : STR("localhost");
}

err event_calendar(struct call *call, const struct event *event, str *ret)
{
    const str site = config_text(call->self->node->config, "public.url");
    const struct zone *zone = NULL;
    struct calendar_event calendar = {
        .id = arena_str(call->arena, str_of(id_format(EVENT_PREFIX, event->id.uuid).text)),
        .host = host_of(site),
        .name = event->name,
        .description = event->description,
        .location = event_place(call->arena, event),
        .url = arena_printf(call->arena, "%.*s/e/%.*s", STR_ARG(site), STR_ARG(event->slug)),
        .changed_at_ms = event->created_at_ms,
        .version = event->version,
        .starts_at_ms = event->starts_at_ms,
        .ends_at_ms = event->ends_at_ms,
        .cancelled = event->status == EVENT_CANCELLED,
    };

    if (event->whole_day && zone_find(booking_of(call)->zones, event->timezone, &zone) == ERR_OK) {
        calendar.whole_day = true;
        calendar.first_day = zone_to_local(zone, event->starts_at_ms).civil;
        calendar.last_day =
            zone_to_local(zone, event->ends_at_ms > event->starts_at_ms ? event->ends_at_ms - 1
                                                                        : event->ends_at_ms)
                .civil;
    }
    if (event->venue != NULL && !isnan(event->venue->lat)) {
        calendar.has_position = true;
        calendar.lat = event->venue->lat;
        calendar.lon = event->venue->lon;
    }
    return calendar_ics(call->arena, &calendar, ret);
}

static err get_calendar(struct req *req)
{
    CLEANUP(event_release_at) const struct event *event = NULL;
    str ics = STR_ABSENT;

    TRY(visible_event(req, &event));
    TRY(event_calendar(&req->call, event, &ics));
    reply_etag(req, event_etag(req->call.arena, event));
    reply_header(
        req, "content-disposition",
        arena_printf(req->call.arena, "attachment; filename=\"%.*s.ics\"", STR_ARG(event->slug)));
    return reply_text(req, 200, STR("text/calendar; charset=utf-8"), ics);
}

static const struct route routes[] = {
    {METHOD_POST,   "/events",                      post_event,   AUTH_VENDOR,   BODY(EDIT_BODY_MAX), UNKEYED, ON_WORKER},
    {METHOD_GET,    "/events/{event}",              get_event,    AUTH_OPTIONAL, NO_BODY,             UNKEYED, ON_LOOP  },
    {METHOD_PUT,    "/events/{event}",              put_event,    AUTH_VENDOR,   BODY(EDIT_BODY_MAX), UNKEYED,
     ON_WORKER                                                                                                          },
    {METHOD_DELETE, "/events/{event}",              delete_event, AUTH_VENDOR,   NO_BODY,             UNKEYED, ON_WORKER},
    {METHOD_GET,    "/events/{event}/calendar.ics", get_calendar, AUTH_OPTIONAL, NO_BODY,             UNKEYED,
     ON_WORKER                                                                                                          },
};
const struct route_table event_routes = ROUTE_TABLE(routes);
