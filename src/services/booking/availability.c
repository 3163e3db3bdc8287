/* booking/availability.c - the small, volatile document beside an event's: what remains of its
 * tickets.
 *
 * Answered on the event loop from memory: the catalog knows what is offered, the hints what
 * remains. Only a type that this process has never seen stock of sends the request to a worker,
 * to read it. */

#include "services/booking/availability.h"

#include "services/booking/catalog.h"
#include "services/booking/state.h"
#include "services/booking/stock.h"

enum { NUMBER_SIZE_MAX = 20 };
enum sale_status { SALE_ON, SALE_SOLD_OUT, SALE_OFF, SALE_ENDED };
static const char *const sale_status_names[] = {"on_sale", "sold_out", "not_on_sale", "ended",
                                                NULL};

struct type_view {
    ticket_type_id id;
    str name;
    struct money price;
    struct money all_in;
    int64_t total;
    int64_t available;
    int status; /* enum sale_status */
    int64_t max_per_order;
    int64_t sales_start_ms;
    int64_t sales_end_ms;
};
static const struct json_field type_fields[] = {
    JSON_F_ID("id", struct type_view, id, TICKET_TYPE_PREFIX, JSON_OPTIONAL),
    JSON_F_TEXT("name", struct type_view, name, 0, 0, JSON_OPTIONAL),
    JSON_F_MONEY("price", struct type_view, price, 0, 0, JSON_OPTIONAL),
    JSON_F_MONEY("all_in", struct type_view, all_in, 0, 0, JSON_OPTIONAL),
    JSON_F_I64("total", struct type_view, total, 0, 0, JSON_OPTIONAL),
    JSON_F_I64("available", struct type_view, available, 0, 0, JSON_OPTIONAL),
    JSON_F_ENUM("status", struct type_view, status, sale_status_names, JSON_OPTIONAL),
    JSON_F_I64("max_per_order", struct type_view, max_per_order, 0, 0, JSON_OPTIONAL),
    JSON_F_TIME("sales_start", struct type_view, sales_start_ms, JSON_NULLABLE),
    JSON_F_TIME("sales_end", struct type_view, sales_end_ms, JSON_NULLABLE),
};
static const struct json_shape type_shape = JSON_SHAPE(type_fields, struct type_view);

struct availability {
    event_id event;
    struct type_view *types;
    size_t type_count;
    int64_t on_sale; /* what remains of the types on sale */
    int status;      /* enum sale_status */
};
static const struct json_field availability_fields[] = {
    JSON_F_ID("event_id", struct availability, event, EVENT_PREFIX, JSON_OPTIONAL),
    JSON_F_LIST("ticket_types", struct availability, types, type_count, &type_shape, 0, 0,
                JSON_OPTIONAL),
};
static const struct json_shape availability_shape =
    JSON_SHAPE(availability_fields, struct availability);

static enum sale_status status_of(const struct event *event, bool on_sale, int64_t remaining,
                                  int64_t now_ms)
{
    if (now_ms >= event->ends_at_ms)
        return SALE_ENDED;
    if (!on_sale || event->status != EVENT_PUBLISHED)
        return SALE_OFF;
    return remaining > 0 ? SALE_ON : SALE_SOLD_OUT;
}

/* The limit that an order meets first. */
static int64_t max_per_order(const struct event *event, const struct ticket_type *type)
{
    const int64_t per_order = event->limits.per_order;

    return type->max_per_order != JSON_NULL && type->max_per_order < per_order ? type->max_per_order
                                                                               : per_order;
}

static err find_remaining(struct call *call, const struct event *event, ticket_type_id type,
                          int64_t *ret)
{
    struct stock *stock = booking_of(call)->stock;

    if (stock_hint(stock, type, ret))
        return ERR_OK;
    TRY(stock_load(call, stock, &event->id));
    if (!stock_hint(stock, type, ret))
        *ret = 0; /* on offer, but never opened: nothing can be sold of it */
    return ERR_OK;
}

static err collect(struct call *call, const struct event *event, struct availability *ret)
{
    bool any_on_sale = false;

    ret->event = event->id;
    ret->types = arena_new_array(call->arena, struct type_view, event->ticket_type_count + 1);
    ret->type_count = event->ticket_type_count;
    for (size_t i = 0; i < event->ticket_type_count; i++) {
        const struct ticket_type *type = &event->ticket_types[i];
        const bool on_sale = ticket_type_on_sale(event, type, call->now_ms);
        int64_t remaining = 0;

        TRY(find_remaining(call, event, type->id, &remaining));
        ret->types[i] = (struct type_view){
            .id = type->id,
            .name = type->name,
            .price = type->price,
            .all_in = type->all_in,
            .total = type->total,
            .available = remaining,
            .status = (int)status_of(event, on_sale, remaining, call->now_ms),
            .max_per_order = max_per_order(event, type),
            .sales_start_ms = type->sales_start_ms,
            .sales_end_ms = type->sales_end_ms,
        };
        if (ret->types[i].status == SALE_ON)
            ret->on_sale += remaining;
        any_on_sale |= on_sale;
    }
    ret->status = (int)status_of(event, any_on_sale, ret->on_sale, call->now_ms);
    return ERR_OK;
}

/* With printf it would be an eighth of what HEAD costs here. */
static str number_text(struct arena *arena, int64_t number)
{
    struct buf text = buf_in(arena, NUMBER_SIZE_MAX);

    buf_add_i64(&text, number);
    return buf_str(&text);
}

static err get_tickets(struct req *req)
{
    struct call *call = &req->call;
    const struct caller *caller = &call->caller;
    CLEANUP(event_release_at) const struct event *event = NULL;
    struct availability availability = {0};
    event_id id;

    TRY(req_param_id(req, "event", EVENT_PREFIX, &id.uuid));
    event = catalog_find(booking_of(call)->catalog, id);
    if (event == NULL || (event->status == EVENT_DRAFT && caller->role != ROLE_ADMIN &&
                          !uuid_eq(event->vendor, caller->vendor)))
        return ERR_NOT_FOUND;
    TRY(collect(call, event, &availability));

    reply_header(req, "tickets-available", number_text(call->arena, availability.on_sale));
    reply_header(req, "tickets-status", str_of(sale_status_names[availability.status]));
    /* A second is what other instances may lag behind; who is signed in may be about to buy. */
    reply_header(req, "vary", STR("Authorization"));
    reply_header(req, "cache-control",
                 caller->role == ROLE_ANONYMOUS ? STR("public, max-age=1") : STR("no-store"));
    if (req->method == METHOD_HEAD)
        return reply_empty(req, 200);
    return reply_json(req, 200, &availability_shape, &availability);
}

static const struct route routes[] = {
    {METHOD_HEAD, "/events/{event}/tickets", get_tickets, AUTH_OPTIONAL, NO_BODY, UNKEYED, ON_LOOP},
    {METHOD_GET,  "/events/{event}/tickets", get_tickets, AUTH_OPTIONAL, NO_BODY, UNKEYED, ON_LOOP},
};
const struct route_table availability_routes = ROUTE_TABLE(routes);
