/* booking/event_input.c - the checks of an event.
 *
 * A PUT is decoded over the input of the current event, so one set of checks serves both: what a new event must
 * say is what an event must have. */
#include "services/booking/event_input.h"

#include <math.h>

#include "services/booking/state.h"
#include "services/payment/payment.h"

enum { WALL_TIME_SIZE = 19 }; /* "2026-12-05T20:00:00" */

struct type_input {
    ticket_type_id id;
    str name;
    str price; /* JSON: minor units, or {"amount", "currency"} */
    int64_t quantity;
    int64_t max_per_order;
    int64_t sales_start_ms;
    int64_t sales_end_ms;
    int64_t tax_rate_ppm;
};
struct method_input {
    str type;
    str label;
    str payment_method;
    str config;
};
struct event_input {
    str name;
    int type;
    str description;
    str url;
    str starts_at; /* an instant, or a wall time in `timezone` */
    str ends_at;
    str timezone;
    bool whole_day;
    bool online;
    struct venue *venue;
    str *artists;
    size_t artist_count;
    str currency;
    struct type_input *types;
    size_t type_count;
    struct method_input *methods;
    size_t method_count;
    struct event_policies *policies;
    struct event_limits *limits;
    int64_t checkin_opens_at_ms;
    int status;
    bool unknown_in_price; /* a field that the decoding of the body could not see */
};

static const char *const input_status_names[] = {"draft", "published",
                                                 NULL}; /* as enum event_status begins */

static const struct json_field venue_fields[] = {
    JSON_F_TEXT("name", struct venue, name, 1, 200, JSON_OPTIONAL),
    JSON_F_TEXT("city", struct venue, city, 1, 200, JSON_OPTIONAL),
    JSON_F_TEXT("country", struct venue, country, 1, 200, JSON_OPTIONAL),
    JSON_F_TEXT("address", struct venue, address, 1, 500, JSON_NULLABLE),
    JSON_F_REAL("lat", struct venue, lat, -90, 90, JSON_NULLABLE),
    JSON_F_REAL("lon", struct venue, lon, -180, 180, JSON_NULLABLE),
};
static const struct json_shape venue_shape = JSON_SHAPE(venue_fields, struct venue);

static const struct json_field artist = {.type = JSON_TEXT, .min = 1, .max = 200};

static const struct json_field type_fields[] = {
    JSON_F_ID("id", struct type_input, id, TICKET_TYPE_PREFIX, JSON_OPTIONAL),
    JSON_F_TEXT("name", struct type_input, name, 1, 100, JSON_REQUIRED),
    JSON_F_RAW("price", struct type_input, price, JSON_REQUIRED),
    JSON_F_I64("quantity", struct type_input, quantity, 0, TICKET_TYPE_QUANTITY_MAX, JSON_REQUIRED),
    JSON_F_I64("max_per_order", struct type_input, max_per_order, 1, 1000, JSON_NULLABLE),
    JSON_F_TIME("sales_start", struct type_input, sales_start_ms, JSON_NULLABLE),
    JSON_F_TIME("sales_end", struct type_input, sales_end_ms, JSON_NULLABLE),
    JSON_F_I64("tax_rate_ppm", struct type_input, tax_rate_ppm, 0, TAX_RATE_PPM_MAX, JSON_NULLABLE),
};
static const struct json_shape type_shape = JSON_SHAPE(type_fields, struct type_input);

static const struct json_field method_fields[] = {
    JSON_F_TOKEN("type", struct method_input, type, 1, 40, JSON_OPTIONAL),
    JSON_F_TEXT("label", struct method_input, label, 1, 100, JSON_NULLABLE),
    JSON_F_TOKEN("payment_method_id", struct method_input, payment_method, 1, ID_TEXT_SIZE_MAX,
                 JSON_OPTIONAL),
};
static const struct json_shape method_shape = JSON_SHAPE(method_fields, struct method_input);

static const struct json_field input_fields[] = {
    JSON_F_TEXT("name", struct event_input, name, 1, 200, JSON_OPTIONAL),
    JSON_F_ENUM("type", struct event_input, type, event_type_names, JSON_OPTIONAL),
    JSON_F_TEXT("description", struct event_input, description, 0, 20000, JSON_NULLABLE),
    JSON_F_TEXT("url", struct event_input, url, 1, 2000, JSON_NULLABLE),
    JSON_F_TOKEN("starts_at", struct event_input, starts_at, 1, 40, JSON_OPTIONAL),
    JSON_F_TOKEN("ends_at", struct event_input, ends_at, 1, 40, JSON_OPTIONAL),
    JSON_F_TOKEN("timezone", struct event_input, timezone, 1, 63, JSON_OPTIONAL),
    JSON_F_BOOL("whole_day", struct event_input, whole_day, JSON_OPTIONAL),
    JSON_F_BOOL("online", struct event_input, online, JSON_OPTIONAL),
    JSON_F_OBJECT("venue", struct event_input, venue, &venue_shape, JSON_NULLABLE),
    JSON_F_SCALARS("artists", struct event_input, artists, artist_count, &artist, 0,
                   EVENT_ARTISTS_MAX, JSON_OPTIONAL),
    JSON_F_TOKEN("currency", struct event_input, currency, 3, 3, JSON_OPTIONAL),
    JSON_F_LIST("ticket_types", struct event_input, types, type_count, &type_shape, 1,
                EVENT_TICKET_TYPES_MAX, JSON_OPTIONAL),
    JSON_F_LIST("payment_methods", struct event_input, methods, method_count, &method_shape, 1,
                EVENT_METHODS_MAX, JSON_OPTIONAL),
    JSON_F_OBJECT("policies", struct event_input, policies, &event_policies_shape, JSON_OPTIONAL),
    JSON_F_OBJECT("limits", struct event_input, limits, &event_limits_shape, JSON_OPTIONAL),
    JSON_F_TIME("checkin_opens_at", struct event_input, checkin_opens_at_ms, JSON_NULLABLE),
    JSON_F_ENUM("status", struct event_input, status, input_status_names, JSON_OPTIONAL),
};
const struct json_shape event_input_shape = JSON_SHAPE(input_fields, struct event_input);

/* --- The input that says nothing new --- */

static void take_types(struct call *call, struct event_input *input, const struct event *current)
{
    input->types = arena_new_array(call->arena, struct type_input, current->ticket_type_count);
    input->type_count = current->ticket_type_count;
    for (size_t i = 0; i < current->ticket_type_count; i++) {
        const struct ticket_type *type = &current->ticket_types[i];

        input->types[i] = (struct type_input){
            .id = type->id,
            .name = type->name,
            .price = arena_printf(call->arena, "%lld", (long long)type->price.minor),
            .quantity = type->total,
            .max_per_order = type->max_per_order,
            .sales_start_ms = type->sales_start_ms,
            .sales_end_ms = type->sales_end_ms,
            .tax_rate_ppm = type->tax_rate_ppm,
        };
    }
}

static str method_text(struct arena *arena, struct uuid method)
{
    return uuid_is_zero(method)
               ? STR_ABSENT
               : arena_str(arena, str_of(id_format(PAYMENT_METHOD_PREFIX, method).text));
}

static void take_current(struct call *call, struct event_input *input, const struct event *current)
{
    input->name = current->name;
    input->type = current->type;
    input->description = current->description;
    input->url = current->url;
    input->starts_at = arena_str(call->arena, str_of(time_format(current->starts_at_ms).text));
    input->ends_at = arena_str(call->arena, str_of(time_format(current->ends_at_ms).text));
    input->timezone = current->timezone;
    input->whole_day = current->whole_day;
    input->online = current->online;
    input->currency = str_of(current->currency.code);
    input->checkin_opens_at_ms = current->checkin_opens_at_ms;
    input->status = current->status;
    *input->policies = current->policies;
    if (current->policies.tax != NULL) { /* what is decoded over it is not everybody's */
        input->policies->tax = arena_new(call->arena, struct event_tax);
        *input->policies->tax = *current->policies.tax;
    }
    *input->limits = current->limits;
    if (current->venue != NULL) {
        input->venue = arena_new(call->arena, struct venue);
        *input->venue = *current->venue;
    }
    input->artists = arena_new_array(call->arena, str, current->artist_count);
    input->artist_count = current->artist_count;
    for (size_t i = 0; i < current->artist_count; i++)
        input->artists[i] = current->artists[i].name;
    input->methods = arena_new_array(call->arena, struct method_input, current->accepted_count);
    input->method_count = current->accepted_count;
    for (size_t i = 0; i < current->accepted_count; i++)
        input->methods[i] = (struct method_input){
            .type = current->accepted[i].type,
            .label = current->accepted[i].label,
            .payment_method = method_text(call->arena, current->accepted[i].payment_method),
        };
    take_types(call, input, current);
}

struct event_input *event_input_of(struct call *call, const struct event *current)
{
    struct event_input *input = arena_new(call->arena, struct event_input);

    *input = (struct event_input){
        .type = EVENT_OTHER, .checkin_opens_at_ms = JSON_NULL, .status = EVENT_DRAFT};
    input->policies = arena_new(call->arena, struct event_policies);
    input->limits = arena_new(call->arena, struct event_limits);
    *input->policies = EVENT_POLICIES_STANDARD;
    *input->limits =
        (struct event_limits){.per_order = EVENT_PER_ORDER_STANDARD, .per_user = JSON_NULL};
    if (current != NULL)
        take_current(call, input, current);
    return input;
}

/* --- Checks --- */

static void require(struct call *call, bool given, const char *pointer)
{
    if (!given)
        (void)!call_invalid(call, pointer, "is required");
}

/* An instant with an offset, or a wall time in the event's zone; a wall time that clocks jump over does not exist. */
static int64_t read_time(struct call *call, const struct zone *zone, str text, const char *pointer)
{
    struct civil civil = {0};
    int64_t ms = 0;

    if (text.ptr == NULL || time_parse(text, &ms))
        return ms;
    const bool wall = text.size == WALL_TIME_SIZE &&
                      time_parse(arena_printf(call->arena, "%.*sZ", STR_ARG(text)), &ms);
    if (!wall) {
        (void)!call_invalid(call, pointer,
                            "must be a time like 2026-12-05T20:00:00+02:00, or 2026-12-05T20:00:00 "
                            "in the event's time zone");
        return 0;
    }
    if (zone == NULL)
        return 0;
    civil = civil_from_ms(ms);
    if (zone_to_utc(zone, &civil, &ms) == ZONE_GAP)
        (void)!call_invalid(call, pointer,
                            "does not exist in that time zone: the clocks jump over it");
    else if (ms <= TIME_MS_MIN || ms >= TIME_MS_MAX) /* clamped: UTC has no year 0 or 10000 here */
        (void)!call_invalid(call, pointer, "is outside of the years 1 to 9999");
    return ms;
}

static void read_times(struct call *call, const struct event_input *input, struct event *event)
{
    const struct zone *zone = NULL;

    require(call, input->timezone.ptr != NULL, "/timezone");
    require(call, input->starts_at.ptr != NULL, "/starts_at");
    require(call, input->ends_at.ptr != NULL, "/ends_at");
    if (input->timezone.ptr != NULL &&
        zone_find(booking_of(call)->zones, input->timezone, &zone) != ERR_OK)
        (void)!call_invalid(call, "/timezone", "must be an IANA time zone, like Africa/Cairo");
    event->timezone = input->timezone;
    event->starts_at_ms = read_time(call, zone, input->starts_at, "/starts_at");
    event->ends_at_ms = read_time(call, zone, input->ends_at, "/ends_at");
    if (call->problem.errors.count == 0 && event->ends_at_ms < event->starts_at_ms)
        (void)!call_invalid(call, "/ends_at", "must not be before starts_at");
}

struct price_object {
    struct money money;
};

/* A price as an object: its faults are told below the price's own pointer. */
static int64_t read_price_object(struct call *call, struct event_input *input,
                                 const struct event *event, str text, const char *pointer)
{
    static const struct json_field fields[] = {
        JSON_F_MONEY("money", struct price_object, money, 0, MONEY_MINOR_MAX, JSON_REQUIRED),
    };
    static const struct json_shape shape = JSON_SHAPE(fields, struct price_object);
    static const str wrapper = {"/money", 6};
    struct price_object price = {0};
    struct json_errors errors = {0};
    struct json_doc *doc = NULL;
    str detail = STR_ABSENT;

    if (json_parse(call->arena, arena_printf(call->arena, "{\"money\":%.*s}", STR_ARG(text)), &doc,
                   &detail) != ERR_OK)
        return 0; /* cannot be: it was read from a document */
    const err e = json_decode(call->arena, doc, &shape, &price, &errors);
    for (size_t i = 0; i < errors.count; i++) {
        const str below =
            str_slice(errors.items[i].pointer, wrapper.size, errors.items[i].pointer.size);

        (void)!call_invalid(call, arena_printf(call->arena, "%s%.*s", pointer, STR_ARG(below)).ptr,
                            "%.*s", STR_ARG(errors.items[i].detail));
    }
    if (e == ERR_UNKNOWN_FIELD)
        input->unknown_in_price = true;
    if (e == ERR_OK && !currency_eq(price.money.currency, event->currency))
        (void)!call_invalid(call, pointer, "is in another currency than the event");
    return e == ERR_OK ? price.money.minor : 0;
}

static int64_t read_price(struct call *call, struct event_input *input, const struct event *event,
                          str text, const char *pointer)
{
    int64_t minor = 0;

    if (str_starts(text, STR("{")))
        return read_price_object(call, input, event, text, pointer);
    if (str_to_i64(text, &minor) && minor >= 0 && minor <= MONEY_MINOR_MAX)
        return minor;
    (void)!call_invalid(call, pointer, "must be a whole number of minor units from 0 to %lld",
                        (long long)MONEY_MINOR_MAX);
    return 0;
}

static const char *item_pointer(struct call *call, const char *list, size_t index,
                                const char *member)
{
    return arena_printf(call->arena, "/%s/%zu/%s", list, index, member).ptr;
}

static void read_type(struct call *call, struct event_input *input, size_t index,
                      const struct event *current, struct event *event)
{
    const struct type_input *in = &input->types[index];
    struct ticket_type *type = &event->ticket_types[index];

    *type = (struct ticket_type){
        .id = in->id,
        .name = in->name,
        .price = {read_price(call, input, event, in->price,
                  item_pointer(call, "ticket_types", index, "price")),
                  event->currency},
        .total = in->quantity,
        .max_per_order = in->max_per_order,
        .sales_start_ms = in->sales_start_ms,
        .sales_end_ms = in->sales_end_ms,
        .tax_rate_ppm = in->tax_rate_ppm,
    };
    if (in->tax_rate_ppm != JSON_NULL && event->policies.tax == NULL)
        (void)!call_invalid(call, item_pointer(call, "ticket_types", index, "tax_rate_ppm"),
                            "needs policies.tax, whose rate it replaces");
    if (type->sales_start_ms != JSON_NULL && type->sales_end_ms != JSON_NULL &&
        type->sales_end_ms <= type->sales_start_ms)
        (void)!call_invalid(call, item_pointer(call, "ticket_types", index, "sales_end"),
                            "must be after sales_start");
    if (uuid_is_zero(in->id.uuid))
        type->id.uuid = call_uuid(call);
    else if (current == NULL || event_ticket_type(current, in->id) == NULL)
        (void)!call_invalid(call, item_pointer(call, "ticket_types", index, "id"),
                            "is no ticket type of this event");
    for (size_t i = 0; i < index; i++)
        if (uuid_eq(event->ticket_types[i].id.uuid, type->id.uuid))
            (void)!call_invalid(call, item_pointer(call, "ticket_types", index, "id"),
                                "is there twice");
}

/* One that is named by its id: the event has it already, or it is asked for. */
static err find_method(struct call *call, const struct event *current,
                       const struct method_input *in, struct booking_accepted *ret)
{
    struct payment_method_find find = {.vendor = call->caller.vendor};
    struct payment_method_found found = {0};

    if (current != NULL)
        find.vendor = current->vendor;
    if (!id_parse(PAYMENT_METHOD_PREFIX, in->payment_method, &find.method))
        return ERR_NOT_FOUND;
    for (size_t i = 0; current != NULL && i < current->accepted_count; i++)
        if (uuid_eq(current->accepted[i].payment_method, find.method)) {
            *ret = current->accepted[i];
            return ERR_OK;
        }
    TRY(payment_method_find(call, &find, &found));
    *ret = (struct booking_accepted){found.type, found.label, find.method};
    return ERR_OK;
}

static err read_method(struct call *call, const struct event *current,
                       const struct method_input *in, size_t index, struct booking_accepted *ret)
{
    *ret = (struct booking_accepted){.type = in->type, .label = in->label};
    if (in->payment_method.ptr == NULL) {
        if (!event_method_is_known(in->type))
            (void)!call_invalid(
                call, item_pointer(call, "payment_methods", index, "type"),
                "must be one of card, visa, mastercard, cash_on_arrival, bank_transfer, free");
        return ERR_OK;
    }
    const err e = find_method(call, current, in, ret);
    if (err_status(e) >= 500)
        return e;
    if (e != ERR_OK)
        (void)!call_invalid(call, item_pointer(call, "payment_methods", index, "payment_method_id"),
                            "is no payment method of this vendor");
    else if (in->type.ptr != NULL && !str_eq(in->type, ret->type))
        (void)!call_invalid(call, item_pointer(call, "payment_methods", index, "type"),
                            "is not that of the payment method");
    return ERR_OK;
}

static err read_methods(struct call *call, const struct event_input *input,
                        const struct event *current, struct event *event)
{
    static const struct method_input standard = {
        .type = {"card", 4}
    };
    const struct method_input *methods = input->method_count > 0 ? input->methods : &standard;
    const size_t count = input->method_count > 0 ? input->method_count : 1;

    event->accepted = arena_new_array(call->arena, struct booking_accepted, count);
    event->accepted_count = count;
    for (size_t i = 0; i < count; i++) {
        TRY(read_method(call, current, &methods[i], i, &event->accepted[i]));
        for (size_t j = 0; j < i; j++)
            if (str_eq(event->accepted[j].type, event->accepted[i].type))
                (void)!call_invalid(call, item_pointer(call, "payment_methods", i, "type"),
                                    "is there twice");
    }
    return ERR_OK;
}

static void read_place(struct call *call, const struct event_input *input, struct event *event)
{
    event->online = input->online;
    event->venue = input->venue;
    if (!input->online && input->venue == NULL)
        (void)!call_invalid(call, "/venue", "is required unless the event is online");
    if (input->online)
        event->venue = NULL;
    if (event->venue != NULL) {
        require(call, event->venue->name.ptr != NULL, "/venue/name");
        require(call, event->venue->city.ptr != NULL, "/venue/city");
        require(call, event->venue->country.ptr != NULL, "/venue/country");
        if (isnan(event->venue->lat) != isnan(event->venue->lon))
            (void)!call_invalid(call, "/venue/lat", "must come with lon");
    }
    event->artists = arena_new_array(call->arena, struct artist, input->artist_count);
    event->artist_count = input->artist_count;
    for (size_t i = 0; i < input->artist_count; i++)
        event->artists[i].name = input->artists[i];
}

static void read_types(struct call *call, struct event_input *input, const struct event *current,
                       struct event *event)
{
    require(call, input->currency.ptr != NULL, "/currency");
    require(call, input->type_count > 0, "/ticket_types");
    if (input->currency.ptr != NULL && !currency_parse(input->currency, &event->currency))
        (void)!call_invalid(call, "/currency", "must be an ISO 4217 code, like EGP");
    event->ticket_types = arena_new_array(call->arena, struct ticket_type, input->type_count);
    event->ticket_type_count = input->type_count;
    for (size_t i = 0; i < input->type_count; i++)
        read_type(call, input, i, current, event);
}

static void read_policies(struct call *call, const struct event_input *input, struct event *event)
{
    struct event_tax *tax = input->policies->tax;

    event->policies = *input->policies;
    if (tax != NULL)
        require(call, event_tax_complete(tax), "/policies/tax/rate_ppm");
}

err event_input_read(struct req *req, struct event_input *input, const struct event *current,
                     struct event *ret)
{
    struct call *call = &req->call;
    struct event event = {0};

    TRY(req_body(req, &event_input_shape, input));
    if (current != NULL)
        event = *current;
    else
        event = (struct event){.id = {call_uuid(call)},
                               .vendor = call->caller.vendor,
                               .version = 1,
                               .created_at_ms = call->now_ms};
    require(call, input->name.ptr != NULL, "/name");
    event.name = input->name;
    event.type = input->type;
    event.description = input->description;
    event.url = input->url;
    if (input->url.ptr != NULL && !str_starts(input->url, STR("https://")) &&
        !str_starts(input->url, STR("http://")))
        (void)!call_invalid(call, "/url",
                            "must be an address that begins with https:// or http://");
    event.status = input->status;
    read_policies(call, input, &event);
    event.limits = *input->limits;
    event.checkin_opens_at_ms = input->checkin_opens_at_ms;
    read_times(call, input, &event);
    read_place(call, input, &event);
    read_types(call, input, current, &event);
    TRY(read_methods(call, input, current, &event));
    if (call->problem.errors.count > 0)
        return input->unknown_in_price ? ERR_UNKNOWN_FIELD : ERR_INVALID;
    *ret = event;
    return ERR_OK;
}
