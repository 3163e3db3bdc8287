/* booking/import/keep.c - what a file does not say of an event that is there already stays as it is. */
#include "services/booking/import/keep.h"

#include <math.h>

enum { QUANTITY_STANDARD = 100 };

/* The old type that this one is: by its name (of equal ones the first that is left), or as the only
 * one on both sides. -1: none. */
static int old_type_of(const struct event *old, const struct event *event, size_t index,
                       const bool *kept)
{
    for (size_t i = 0; i < old->ticket_type_count; i++)
        if (!kept[i] && str_eq(old->ticket_types[i].name, event->ticket_types[index].name))
            return (int)i;
    return old->ticket_type_count == 1 && event->ticket_type_count == 1 ? 0 : -1;
}

void import_complete(struct event *event)
{
    if (event->currency.code[0] == '\0')
        (void)currency_parse(STR("EUR"), &event->currency);
    for (size_t i = 0; i < event->ticket_type_count; i++) {
        struct ticket_type *type = &event->ticket_types[i];

        type->price.minor = type->price.minor >= 0 ? type->price.minor : 0;
        type->price.currency = event->currency;
        type->total = type->total >= 0 ? type->total : QUANTITY_STANDARD;
    }
}

/* What the file does not say of a type. */
static void keep_type(const struct ticket_type *was, struct ticket_type *type)
{
    type->id = was->id;
    type->name = was->name;
    type->price.minor = type->price.minor >= 0 ? type->price.minor : was->price.minor;
    type->total = type->total >= 0 ? type->total : was->total;
    if (type->max_per_order == JSON_NULL)
        type->max_per_order = was->max_per_order;
    if (type->sales_start_ms == JSON_NULL)
        type->sales_start_ms = was->sales_start_ms;
    if (type->sales_end_ms == JSON_NULL)
        type->sales_end_ms = was->sales_end_ms;
    if (type->tax_rate_ppm == JSON_NULL)
        type->tax_rate_ppm = was->tax_rate_ppm;
}

/* Types of the file change theirs; types that the vendor has made himself stay, behind them. */
static void keep_offers(const struct event *old, struct event *event, bool says_offers)
{
    struct ticket_type *types = event->ticket_types;
    bool kept[EVENT_TICKET_TYPES_MAX] = {false};

    if (!says_offers && old->ticket_type_count != 1) {
        event->ticket_types = old->ticket_types; /* the vendor has made an offer of his own */
        event->ticket_type_count = old->ticket_type_count;
        event->currency = old->currency;
        return;
    }
    if (event->currency.code[0] == '\0')
        event->currency = old->currency;
    for (size_t i = 0; i < event->ticket_type_count; i++) {
        const int at = old_type_of(old, event, i, kept);

        if (at < 0)
            continue;
        kept[at] = true;
        keep_type(&old->ticket_types[at], &types[i]);
    }
    for (size_t i = 0; i < old->ticket_type_count; i++)
        if (!kept[i] && event->ticket_type_count < EVENT_TICKET_TYPES_MAX)
            types[event->ticket_type_count++] = old->ticket_types[i];
    import_complete(event);
}

void import_keep(const struct event *old, struct event *event, bool says_offers)
{
    event->id = old->id;
    event->slug = old->slug;
    event->created_at_ms = old->created_at_ms;
    event->version = old->version;
    event->policies = old->policies;
    event->limits = old->limits;
    if (event->checkin_opens_at_ms == JSON_NULL)
        event->checkin_opens_at_ms = old->checkin_opens_at_ms;
    event->accepted = old->accepted;
    event->accepted_count = old->accepted_count;
    if (old->status != EVENT_DRAFT && event->status != EVENT_CANCELLED)
        event->status = old->status;
    keep_offers(old, event, says_offers);
}

bool import_terms_apply(struct arena *arena, const struct import_terms *terms, struct event *event)
{
    if (terms != NULL && terms->policies.ptr != NULL &&
        json_read(arena, terms->policies, &event_policies_shape, &event->policies) != ERR_OK)
        return false;
    if (terms != NULL && terms->limits.ptr != NULL &&
        json_read(arena, terms->limits, &event_limits_shape, &event->limits) != ERR_OK)
        return false;
    return event->policies.tax == NULL || event_tax_complete(event->policies.tax);
}

static bool accepts(const struct event *event, str type)
{
    for (size_t i = 0; i < event->accepted_count; i++)
        if (str_eq(event->accepted[i].type, type))
            return true;
    return false;
}

bool import_methods(struct arena *arena, const struct import_terms *terms, struct event *event)
{
    const size_t count = terms != NULL ? terms->method_count : 0;

    event->accepted = arena_new_array(arena, struct booking_accepted, count + 1);
    event->accepted_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (!event_method_is_known(terms->methods[i]))
            return false;
        if (!accepts(event, terms->methods[i]))
            event->accepted[event->accepted_count++].type = terms->methods[i];
    }
    if (count == 0)
        event->accepted[event->accepted_count++].type = STR("card");
    return true;
}

bool import_is_same(struct arena *arena, const struct event *old, struct event *event)
{
    struct event shown = *event;
    struct venue venue;

    if ((old->venue == NULL) != (event->venue == NULL) || old->artist_count != event->artist_count)
        return false;
    if (event->venue != NULL) {
        venue = *event->venue;
        venue.id = old->venue->id;
        venue.address = venue.address.ptr != NULL ? venue.address : old->venue->address;
        venue.lat = isnan(venue.lat) ? old->venue->lat : venue.lat;
        venue.lon = isnan(venue.lon) ? old->venue->lon : venue.lon;
        shown.venue = &venue;
    }
    for (size_t i = 0; i < event->artist_count; i++)
        event->artists[i].id = old->artists[i].id;
    if (old->ticket_type_count != event->ticket_type_count)
        return false;
    for (size_t i = 0; i < event->ticket_type_count; i++)
        if (event->ticket_types[i].total != old->ticket_types[i].total)
            return false;
    return str_eq(event_render(arena, old), event_render(arena, &shown));
}
