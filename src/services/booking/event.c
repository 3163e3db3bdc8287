/* booking/event.c - the rules of an event, and how it is shown. */
#include "services/booking/event.h"

#include <math.h>

#include "services/booking/state.h"
#include "services/booking/when_text.h"

const char *const event_status_names[] = {[EVENT_DRAFT] = "draft",
                                          [EVENT_PUBLISHED] = "published",
                                          [EVENT_CANCELLED] = "cancelled",
                                          NULL};
const char *const event_type_names[] = {[EVENT_CONCERT] = "concert",
                                        [EVENT_CONFERENCE] = "conference",
                                        [EVENT_GAMING] = "gaming",
                                        [EVENT_EDUCATIONAL] = "educational",
                                        [EVENT_SPORTS] = "sports",
                                        [EVENT_THEATRE] = "theatre",
                                        [EVENT_FESTIVAL] = "festival",
                                        [EVENT_OTHER] = "other",
                                        NULL};

/* --- Rules: no I/O --- */

bool ticket_type_on_sale(const struct event *event, const struct ticket_type *type, int64_t now_ms)
{
    const int64_t until_ms =
        type->sales_end_ms != JSON_NULL ? type->sales_end_ms : event->ends_at_ms;

    return event->status == EVENT_PUBLISHED && now_ms < event->ends_at_ms && now_ms < until_ms &&
           (type->sales_start_ms == JSON_NULL || now_ms >= type->sales_start_ms);
}

const struct ticket_type *event_ticket_type(const struct event *event, ticket_type_id id)
{
    for (size_t i = 0; i < event->ticket_type_count; i++)
        if (uuid_eq(event->ticket_types[i].id.uuid, id.uuid))
            return &event->ticket_types[i];
    return NULL;
}

bool event_method_is_known(str type)
{
    static const char *const known[] = {"card",          "visa", "mastercard", "cash_on_arrival",
                                        "bank_transfer", "free"};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (str_eq(type, str_of(known[i])))
            return true;
    return false;
}

bool event_tax_complete(struct event_tax *tax)
{
    if (tax->rounding < 0)
        tax->rounding = PRICE_HALF_UP;
    if (tax->per < 0)
        tax->per = PRICE_PER_ORDER;
    return tax->rate_ppm != JSON_NULL;
}

int64_t event_tax_rate(const struct event *event, const struct ticket_type *type)
{
    if (event->policies.tax == NULL)
        return 0;
    return type->tax_rate_ppm != JSON_NULL ? type->tax_rate_ppm : event->policies.tax->rate_ppm;
}

void event_set_prices(const struct price_platform *platform, struct event *event)
{
    const struct event_tax *tax = event->policies.tax;
    const int bearer =
        event->policies.fee_bearer >= 0 ? event->policies.fee_bearer : platform->fee_bearer;
    struct price_rules rules = {
        .fee_basis_points = platform->fee_basis_points,
        .vendor_bears = bearer == BEARER_VENDOR,
        .tax_on_top = tax != NULL && tax->on_top,
        .tax_rounding = tax != NULL ? tax->rounding : PRICE_HALF_UP,
        .tax_per = tax != NULL ? tax->per : PRICE_PER_ORDER,
    };

    (void)price_fixed_fee(platform->fee_fixed, event->currency, &rules.fee_fixed_minor);
    event->rules = rules;
    for (size_t i = 0; i < event->ticket_type_count; i++) {
        struct ticket_type *type = &event->ticket_types[i];

        type->all_in = (struct money){
            price_all_in(&rules, event_tax_rate(event, type), type->price.minor), event->currency};
    }
}

/* The fee is the platform's, so a change of it is one of the event without a new version. */
str event_etag(struct arena *arena, const struct event *event)
{
    const struct price_rules *rules = &event->rules;

    if (rules->fee_fixed_minor > 0 || rules->fee_basis_points > 0)
        return arena_printf(arena, "\"%lld-%lld-%lld-%d\"", (long long)event->version,
                            (long long)rules->fee_fixed_minor, (long long)rules->fee_basis_points,
                            rules->vendor_bears);
    return arena_printf(arena, "\"%lld\"", (long long)event->version);
}

/* --- As JSON --- */

static const struct json_field venue_fields[] = {
    JSON_F_ID("id", struct venue, id, VENUE_PREFIX, JSON_OPTIONAL),
    JSON_F_TEXT("name", struct venue, name, 0, 200, JSON_OPTIONAL),
    JSON_F_TEXT("city", struct venue, city, 0, 200, JSON_NULLABLE),
    JSON_F_TEXT("country", struct venue, country, 0, 200, JSON_NULLABLE),
    JSON_F_TEXT("address", struct venue, address, 0, 500, JSON_NULLABLE),
    JSON_F_REAL("lat", struct venue, lat, -90, 90, JSON_NULLABLE),
    JSON_F_REAL("lon", struct venue, lon, -180, 180, JSON_NULLABLE),
};
static const struct json_shape venue_shape = JSON_SHAPE(venue_fields, struct venue);

static const struct json_field artist_fields[] = {
    JSON_F_ID("id", struct artist, id, ARTIST_PREFIX, JSON_OPTIONAL),
    JSON_F_TEXT("name", struct artist, name, 0, 200, JSON_OPTIONAL),
};
static const struct json_shape artist_shape = JSON_SHAPE(artist_fields, struct artist);

static const struct json_field type_fields[] = {
    JSON_F_ID("id", struct ticket_type, id, TICKET_TYPE_PREFIX, JSON_OPTIONAL),
    JSON_F_TEXT("name", struct ticket_type, name, 0, 200, JSON_OPTIONAL),
    JSON_F_MONEY("price", struct ticket_type, price, 0, MONEY_MINOR_MAX, JSON_OPTIONAL),
    JSON_F_MONEY("all_in", struct ticket_type, all_in, 0, INT64_MAX, JSON_OPTIONAL),
    JSON_F_I64("tax_rate_ppm", struct ticket_type, tax_rate_ppm, 0, TAX_RATE_PPM_MAX,
               JSON_NULLABLE),
    JSON_F_I64("max_per_order", struct ticket_type, max_per_order, 0, INT64_MAX, JSON_NULLABLE),
    JSON_F_TIME("sales_start", struct ticket_type, sales_start_ms, JSON_NULLABLE),
    JSON_F_TIME("sales_end", struct ticket_type, sales_end_ms, JSON_NULLABLE),
};
static const struct json_shape type_shape = JSON_SHAPE(type_fields, struct ticket_type);
static const struct json_field counted_fields[] = {
    JSON_F_ID("id", struct ticket_type, id, TICKET_TYPE_PREFIX, JSON_OPTIONAL),
    JSON_F_TEXT("name", struct ticket_type, name, 0, 200, JSON_OPTIONAL),
    JSON_F_MONEY("price", struct ticket_type, price, 0, MONEY_MINOR_MAX, JSON_OPTIONAL),
    JSON_F_I64("quantity", struct ticket_type, total, 0, INT64_MAX, JSON_OPTIONAL),
    JSON_F_I64("tax_rate_ppm", struct ticket_type, tax_rate_ppm, 0, TAX_RATE_PPM_MAX,
               JSON_NULLABLE),
    JSON_F_I64("max_per_order", struct ticket_type, max_per_order, 0, INT64_MAX, JSON_NULLABLE),
    JSON_F_TIME("sales_start", struct ticket_type, sales_start_ms, JSON_NULLABLE),
    JSON_F_TIME("sales_end", struct ticket_type, sales_end_ms, JSON_NULLABLE),
};
static const struct json_shape counted_shape = JSON_SHAPE(counted_fields, struct ticket_type);

static const struct json_field accepted_fields[] = {
    JSON_F_TOKEN("type", struct booking_accepted, type, 0, 40, JSON_OPTIONAL),
    JSON_F_TEXT("label", struct booking_accepted, label, 0, 100, JSON_OPTIONAL),
    JSON_F_ID("payment_method_id", struct booking_accepted, payment_method, PAYMENT_METHOD_PREFIX,
              JSON_OPTIONAL),
};
const struct json_shape event_accepted_shape = JSON_SHAPE(accepted_fields, struct booking_accepted);

static const char *const rounding_names[] = {
    [PRICE_HALF_UP] = "half_up", [PRICE_HALF_EVEN] = "half_even", [PRICE_DOWN] = "down", NULL};
static const char *const per_names[] = {
    [PRICE_PER_ORDER] = "order", [PRICE_PER_LINE] = "line", [PRICE_PER_TICKET] = "ticket", NULL};
const char *const event_bearer_names[] = {
    [BEARER_BUYER] = "buyer", [BEARER_VENDOR] = "vendor", NULL};

static const struct json_field tax_fields[] = {
    JSON_F_TEXT("name", struct event_tax, name, 1, 40, JSON_NULLABLE),
    JSON_F_I64("rate_ppm", struct event_tax, rate_ppm, 0, TAX_RATE_PPM_MAX, JSON_OPTIONAL),
    JSON_F_BOOL("on_top", struct event_tax, on_top, JSON_OPTIONAL),
    JSON_F_ENUM("rounding", struct event_tax, rounding, rounding_names, JSON_OPTIONAL),
    JSON_F_ENUM("per", struct event_tax, per, per_names, JSON_OPTIONAL),
};
static const struct json_shape tax_shape = JSON_SHAPE(tax_fields, struct event_tax);

static const struct json_field policies_fields[] = {
    JSON_F_BOOL("refundable", struct event_policies, refundable, JSON_OPTIONAL),
    JSON_F_TIME("refund_until", struct event_policies, refund_until_ms, JSON_NULLABLE),
    JSON_F_I64("refund_hours_before", struct event_policies, refund_hours, 0, REFUND_HOURS_MAX,
               JSON_NULLABLE),
    JSON_F_I64("refund_percent", struct event_policies, refund_percent, 1, 100, JSON_OPTIONAL),
    JSON_F_BOOL("refund_fees", struct event_policies, refund_fees, JSON_OPTIONAL),
    JSON_F_ENUM("fee_bearer", struct event_policies, fee_bearer, event_bearer_names, JSON_NULLABLE),
    JSON_F_OBJECT("tax", struct event_policies, tax, &tax_shape, JSON_NULLABLE),
};
const struct json_shape event_policies_shape = JSON_SHAPE(policies_fields, struct event_policies);

static const struct json_field limits_fields[] = {
    JSON_F_I64("per_order", struct event_limits, per_order, 1, 1000, JSON_OPTIONAL),
    JSON_F_I64("per_user", struct event_limits, per_user, 1, 1000000, JSON_NULLABLE),
    JSON_F_BOOL("one_active_hold", struct event_limits, one_active_hold, JSON_OPTIONAL),
};
const struct json_shape event_limits_shape = JSON_SHAPE(limits_fields, struct event_limits);

struct event_view {
    struct event event;
    struct uuid vendor;
    str currency;
    const struct event_policies *policies;
    const struct event_limits *limits;
    str venue; /* JSON: an object, or null where there is none */
    str images;
};
static const struct json_field event_fields[] = {
    JSON_F_ID("id", struct event_view, event.id, EVENT_PREFIX, JSON_OPTIONAL),
    JSON_F_TEXT("slug", struct event_view, event.slug, 0, 200, JSON_OPTIONAL),
    JSON_F_TEXT("name", struct event_view, event.name, 0, 200, JSON_OPTIONAL),
    JSON_F_ENUM("type", struct event_view, event.type, event_type_names, JSON_OPTIONAL),
    JSON_F_ENUM("status", struct event_view, event.status, event_status_names, JSON_OPTIONAL),
    JSON_F_TEXT("description", struct event_view, event.description, 0, 20000, JSON_NULLABLE),
    JSON_F_TEXT("url", struct event_view, event.url, 0, 2000, JSON_NULLABLE),
    JSON_F_TIME("starts_at", struct event_view, event.starts_at_ms, JSON_OPTIONAL),
    JSON_F_TIME("ends_at", struct event_view, event.ends_at_ms, JSON_OPTIONAL),
    JSON_F_TEXT("timezone", struct event_view, event.timezone, 0, 64, JSON_OPTIONAL),
    JSON_F_BOOL("whole_day", struct event_view, event.whole_day, JSON_OPTIONAL),
    JSON_F_BOOL("online", struct event_view, event.online, JSON_OPTIONAL),
    JSON_F_RAW("venue", struct event_view, venue, JSON_OPTIONAL),
    JSON_F_LIST("artists", struct event_view, event.artists, event.artist_count, &artist_shape, 0,
                EVENT_ARTISTS_MAX, JSON_OPTIONAL),
    JSON_F_TOKEN("currency", struct event_view, currency, 0, 3, JSON_OPTIONAL),
    JSON_F_LIST("ticket_types", struct event_view, event.ticket_types, event.ticket_type_count,
                &type_shape, 0, EVENT_TICKET_TYPES_MAX, JSON_OPTIONAL),
    JSON_F_LIST("payment_methods", struct event_view, event.accepted, event.accepted_count,
                &event_accepted_shape, 0, EVENT_METHODS_MAX, JSON_OPTIONAL),
    JSON_F_OBJECT("policies", struct event_view, policies, &event_policies_shape, JSON_OPTIONAL),
    JSON_F_OBJECT("limits", struct event_view, limits, &event_limits_shape, JSON_OPTIONAL),
    JSON_F_TIME("checkin_opens_at", struct event_view, event.checkin_opens_at_ms, JSON_NULLABLE),
    JSON_F_RAW("images", struct event_view, images, JSON_OPTIONAL),
    JSON_F_ID("vendor_id", struct event_view, vendor, "vnd", JSON_OPTIONAL),
    JSON_F_I64("version", struct event_view, event.version, 0, INT64_MAX, JSON_OPTIONAL),
    JSON_F_TIME("created_at", struct event_view, event.created_at_ms, JSON_OPTIONAL),
};
static const struct json_shape event_shape = JSON_SHAPE(event_fields, struct event_view);

static str render(struct arena *arena, const struct json_shape *shape, const struct event *event)
{
    const struct event_view view = {
        .event = *event,
        .vendor = event->vendor,
        .currency = str_of(event->currency.code),
        .policies = &event->policies,
        .limits = &event->limits,
        .venue =
            event->venue != NULL ? json_encode(arena, &venue_shape, event->venue) : STR("null"),
        .images = STR("[]"),
    };

    return json_encode(arena, shape, &view);
}

str event_render(struct arena *arena, const struct event *event)
{
    return render(arena, &event_shape, event);
}

str event_render_counted(struct arena *arena, const struct event *event)
{
    struct json_field fields[sizeof(event_fields) / sizeof(event_fields[0])];
    struct json_shape shape = event_shape;

    shape.fields = fields;
    for (size_t i = 0; i < shape.field_count; i++) {
        fields[i] = event_fields[i];
        if (fields[i].shape == &type_shape)
            fields[i].shape = &counted_shape;
    }
    return render(arena, &shape, event);
}

/* --- For people --- */

str event_when(struct call *call, const struct event *event)
{
    const struct zone *zone = NULL;

    if (zone_find(booking_of(call)->zones, event->timezone, &zone) != ERR_OK)
        return arena_str(call->arena, str_of(time_format(event->starts_at_ms).text));
    /* A whole day ends at the midnight behind it: its last day is the one before. */
    const int64_t last_ms = event->whole_day && event->ends_at_ms > event->starts_at_ms
                                ? event->ends_at_ms - 1
                                : event->ends_at_ms;
    const struct zone_local start = zone_to_local(zone, event->starts_at_ms);
    const struct zone_local end = zone_to_local(zone, last_ms);
    const struct when when = {
        .start = start.civil,
        .end = end.civil,
        .whole_day = event->whole_day,
        .zone_name = event->timezone,
        .start_abbreviation = str_of(start.abbreviation),
        .end_abbreviation = str_of(end.abbreviation),
    };
    return when_text(call->arena, &when);
}

str event_place(struct arena *arena, const struct event *event)
{
    struct buf out = buf_in(arena, 2048);

    if (event->online || event->venue == NULL)
        return STR("Online");
    const str parts[] = {event->venue->name, event->venue->city, event->venue->country};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        /* An imported event knows its city alone, and then calls the venue by it. */
        if (parts[i].size == 0 || (i > 0 && str_eq(parts[i], parts[i - 1])))
            continue;
        if (out.size > 0)
            buf_add_cstr(&out, ", ");
        buf_add(&out, parts[i]);
    }
    return buf_str(&out);
}
