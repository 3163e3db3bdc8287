/* booking/event_methods.c - attaches payment methods to events and takes them away again.
 *
 * An event's document names what it takes, with the method's label, so that nobody has to ask
 * payment to show an event. Payment asks here before a method comes or goes, and tells when one
 * has changed. */
#include "services/booking/event_methods.h"

#include <string.h>

#include "services/booking/catalog.h"
#include "services/booking/event_methods.sql.h"
#include "services/booking/event_store.h"
#include "services/booking/state.h"

/* --- Rules: no I/O --- */

static struct event with_room(struct arena *arena, const struct event *event)
{
    struct event copy = *event;

    copy.accepted = arena_new_array(arena, struct booking_accepted, event->accepted_count + 1);
    if (event->accepted_count > 0)
        memcpy(copy.accepted, event->accepted, event->accepted_count * sizeof(*copy.accepted));
    return copy;
}

bool event_methods_add(struct arena *arena, const struct event *event,
                       const struct booking_accepted *method, struct event *ret)
{
    struct event copy = with_room(arena, event);

    for (size_t i = 0; i < copy.accepted_count; i++) {
        struct booking_accepted *accepted = &copy.accepted[i];

        if (!str_eq(accepted->type, method->type))
            continue;
        if (!uuid_is_zero(accepted->payment_method) &&
            !uuid_eq(accepted->payment_method, method->payment_method))
            return false;
        *accepted = *method;
        *ret = copy;
        return true;
    }
    if (copy.accepted_count == EVENT_METHODS_MAX)
        return false;
    copy.accepted[copy.accepted_count++] = *method;
    *ret = copy;
    return true;
}

bool event_methods_remove(struct arena *arena, const struct event *event, struct uuid method,
                          struct event *ret)
{
    struct event copy = with_room(arena, event);

    copy.accepted_count = 0;
    for (size_t i = 0; i < event->accepted_count; i++)
        if (!uuid_eq(event->accepted[i].payment_method, method))
            copy.accepted[copy.accepted_count++] = event->accepted[i];
    *ret = copy;
    return copy.accepted_count < event->accepted_count;
}

static bool owns(const struct call *call, const struct event *event)
{
    return call->caller.role == ROLE_ADMIN ||
           (call->caller.role == ROLE_VENDOR && uuid_eq(call->caller.vendor, event->vendor));
}

/* --- Storage --- */

/* The ids of the vendor's events that take the method, over or not. */
static event_id *events_with(struct call *call, struct uuid vendor, struct uuid method,
                             size_t *ret_count)
{
    struct catalog *catalog = booking_of(call)->catalog;
    size_t count = 0;
    size_t found = 0;

    catalog_read_begin(catalog);
    const struct event *const *events = catalog_by_start(catalog, &count);
    event_id *ids = arena_new_array(call->arena, event_id, count + 1);
    for (size_t i = 0; i < count; i++) {
        bool has = false;

        for (size_t m = 0; m < events[i]->accepted_count; m++)
            has = has || uuid_eq(events[i]->accepted[m].payment_method, method);
        if (has && (uuid_is_zero(vendor) || uuid_eq(events[i]->vendor, vendor)))
            ids[found++] = events[i]->id;
    }
    catalog_read_end(catalog);
    *ret_count = found;
    return ids;
}

static err check_needed(struct tx *tx, struct call *call, const struct event *event,
                        struct uuid method)
{
    for (size_t i = 0; i < event->accepted_count; i++) {
        int64_t needed = 0;

        if (!uuid_eq(event->accepted[i].payment_method, method))
            continue;
        TRY(db_get_i64(tx, &SQL_EVENT_METHODS_NEEDED,
                       ARGS(UUID(event->id.uuid), TEXT(event->accepted[i].type)), &needed));
        if (needed > 0)
            return call_explain(call, ERR_IN_USE, "orders of \"%.*s\" are still to be paid with it",
                                STR_ARG(event->name));
    }
    return ERR_OK;
}

static err detach_one(struct tx *tx, struct call *call, event_id id, struct uuid method)
{
    struct event event;
    struct event changed;

    TRY(event_read(tx, call, id, &event));
    if (event.ends_at_ms <= call->now_ms || event.status == EVENT_CANCELLED ||
        !event_methods_remove(call->arena, &event, method, &changed))
        return ERR_OK;
    TRY(check_needed(tx, call, &event, method));
    if (changed.accepted_count == 0)
        return call_explain(call, ERR_IN_USE, "\"%.*s\" takes nothing else", STR_ARG(event.name));
    return event_update(tx, call, &event, &changed);
}

static err refresh(struct call *call, const event_id *ids, size_t count)
{
    outbox_wake(call->self);
    for (size_t i = 0; i < count; i++)
        TRY(catalog_refresh(call, ids[i]));
    return ERR_OK;
}

/* --- Ops --- */

static err booking_event_accepts_run(struct call *call, const struct booking_event_accepts *in,
                                     struct booking_event_accepted *ret)
{
    CLEANUP(event_release_at)
    const struct event *event = catalog_find(booking_of(call)->catalog, in->event);

    if (event == NULL || (event->status == EVENT_DRAFT && !owns(call, event)))
        return ERR_NOT_FOUND;
    ret->is_own = owns(call, event);
    ret->accepted_count = event->accepted_count;
    ret->accepted =
        arena_new_array(call->arena, struct booking_accepted, event->accepted_count + 1);
    for (size_t i = 0; i < event->accepted_count; i++)
        ret->accepted[i] = (struct booking_accepted){
            .type = arena_str(call->arena, event->accepted[i].type),
            .label = arena_str(call->arena, event->accepted[i].label),
            .payment_method = event->accepted[i].payment_method,
        };
    return ERR_OK;
}

static err attach(struct call *call, const struct booking_method_attach *in)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    struct event event;
    struct event changed;

    TRY(tx_begin(&tx, call_db(call)));
    TRY(event_read(&tx, call, in->event, &event));
    if (!owns(call, &event))
        return ERR_NOT_FOUND;
    if (event.status == EVENT_CANCELLED)
        return call_explain(call, ERR_CONFLICT, "the event is cancelled");
    if (!event_methods_add(call->arena, &event, &in->method, &changed))
        return call_explain(call, ERR_CONFLICT, "the event takes another method of that type");
    TRY(event_update(&tx, call, &event, &changed));
    return tx_commit(&tx);
}

static err booking_method_attach_run(struct call *call, const struct booking_method_attach *in,
                                     struct booking_method_done *ret)
{
    TRY(attach(call, in));
    ret->event_count = 1;
    return refresh(call, &in->event, 1);
}

static err booking_method_detach_run(struct call *call, const struct booking_method_detach *in,
                                     struct booking_method_done *ret)
{
    size_t count = 0;
    const event_id *ids = events_with(call, in->vendor, in->method, &count);

    {
        CLEANUP(tx_rollback) struct tx tx = {0};

        TRY(tx_begin(&tx, call_db(call)));
        for (size_t i = 0; i < count; i++)
            TRY(detach_one(&tx, call, ids[i], in->method));
        TRY(tx_commit(&tx));
    }
    ret->event_count = (int64_t)count;
    return refresh(call, ids, count);
}

static const struct json_field accepts_fields[] = {
    JSON_F_ID("event", struct booking_event_accepts, event, EVENT_PREFIX, JSON_OPTIONAL),
};
static const struct json_shape accepts_shape =
    JSON_SHAPE(accepts_fields, struct booking_event_accepts);
static const struct json_field accepted_fields[] = {
    JSON_F_BOOL("is_own", struct booking_event_accepted, is_own, JSON_OPTIONAL),
    JSON_F_LIST("accepted", struct booking_event_accepted, accepted, accepted_count,
                &event_accepted_shape, 0, EVENT_METHODS_MAX, JSON_OPTIONAL),
};
static const struct json_shape accepted_shape =
    JSON_SHAPE(accepted_fields, struct booking_event_accepted);
static const struct json_field attach_fields[] = {
    JSON_F_ID("event", struct booking_method_attach, event, EVENT_PREFIX, JSON_REQUIRED),
    JSON_F_TOKEN("type", struct booking_method_attach, method.type, 1, 40, JSON_REQUIRED),
    JSON_F_TEXT("label", struct booking_method_attach, method.label, 0, 100, JSON_OPTIONAL),
    JSON_F_ID("method", struct booking_method_attach, method.payment_method, PAYMENT_METHOD_PREFIX,
              JSON_REQUIRED),
};
static const struct json_shape attach_shape =
    JSON_SHAPE(attach_fields, struct booking_method_attach);
static const struct json_field detach_fields[] = {
    JSON_F_ID("vendor", struct booking_method_detach, vendor, "vnd", JSON_OPTIONAL),
    JSON_F_ID("method", struct booking_method_detach, method, PAYMENT_METHOD_PREFIX, JSON_REQUIRED),
};
static const struct json_shape detach_shape =
    JSON_SHAPE(detach_fields, struct booking_method_detach);
static const struct json_field done_fields[] = {
    JSON_F_I64("event_count", struct booking_method_done, event_count, 0, INT64_MAX, JSON_REQUIRED),
};
static const struct json_shape done_shape = JSON_SHAPE(done_fields, struct booking_method_done);

OP_DEFINE("booking", booking_event_accepts, struct booking_event_accepts,
          struct booking_event_accepted, &accepts_shape, &accepted_shape);
OP_DEFINE("booking", booking_method_attach, struct booking_method_attach,
          struct booking_method_done, &attach_shape, &done_shape);
OP_DEFINE("booking", booking_method_detach, struct booking_method_detach,
          struct booking_method_done, &detach_shape, &done_shape);

/* --- News of payment --- */

err event_methods_follow(struct call *call, struct tx *tx, const struct feed_event *news)
{
    struct booking_accepted method = {0};
    size_t count = 0;

    TRY(json_read(call->arena, news->payload, &event_accepted_shape, &method));
    const event_id *ids = events_with(call, (struct uuid){0}, method.payment_method, &count);
    for (size_t i = 0; i < count; i++) {
        struct event event;
        struct event changed;

        TRY(event_read(tx, call, ids[i], &event));
        for (size_t m = 0; m < event.accepted_count; m++)
            if (uuid_eq(event.accepted[m].payment_method, method.payment_method))
                method.type = event.accepted[m].type;
        if (event_methods_add(call->arena, &event, &method, &changed))
            TRY(event_update(tx, call, &event, &changed)); /* the outbox tells the catalog */
    }
    return ERR_OK;
}
