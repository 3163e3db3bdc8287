/* gateway/page_ld.c - writes schema.org's Event (https://schema.org/Event) from what the page shows.
 *
 * In a script element a text ends at the first "</script", whatever JSON thinks of it: so the
 * three characters that HTML knows are escaped as JSON allows. */
#include "services/gateway/page_ld.h"

#include <assert.h>

#include "platform/json/json.h"

enum { LD_SIZE_MAX = 512 * 1024 };

struct address {
    str type;
    str city;
    str country;
};
static const struct json_field address_fields[] = {
    JSON_F_TEXT("@type", struct address, type, 0, 0, JSON_OPTIONAL),
    JSON_F_TEXT("addressLocality", struct address, city, 0, 0, JSON_OPTIONAL),
    JSON_F_TEXT("addressCountry", struct address, country, 0, 0, JSON_OPTIONAL),
};
static const struct json_shape address_shape = JSON_SHAPE(address_fields, struct address);

struct location {
    str type;
    str name;
    str url;
    struct address *address;
};
static const struct json_field location_fields[] = {
    JSON_F_TEXT("@type", struct location, type, 0, 0, JSON_OPTIONAL),
    JSON_F_TEXT("name", struct location, name, 0, 0, JSON_OPTIONAL),
    JSON_F_TEXT("url", struct location, url, 0, 0, JSON_OPTIONAL),
    JSON_F_OBJECT("address", struct location, address, &address_shape, JSON_OPTIONAL),
};
static const struct json_shape location_shape = JSON_SHAPE(location_fields, struct location);

struct offer {
    str type;
    str name;
    str price;
    str currency;
    str availability;
    str url;
};
static const struct json_field offer_fields[] = {
    JSON_F_TEXT("@type", struct offer, type, 0, 0, JSON_OPTIONAL),
    JSON_F_TEXT("name", struct offer, name, 0, 0, JSON_OPTIONAL),
    JSON_F_TEXT("price", struct offer, price, 0, 0, JSON_OPTIONAL),
    JSON_F_TEXT("priceCurrency", struct offer, currency, 0, 0, JSON_OPTIONAL),
    JSON_F_TEXT("availability", struct offer, availability, 0, 0, JSON_OPTIONAL),
    JSON_F_TEXT("url", struct offer, url, 0, 0, JSON_OPTIONAL),
};
static const struct json_shape offer_shape = JSON_SHAPE(offer_fields, struct offer);

struct performer {
    str type;
    str name;
};
static const struct json_field performer_fields[] = {
    JSON_F_TEXT("@type", struct performer, type, 0, 0, JSON_OPTIONAL),
    JSON_F_TEXT("name", struct performer, name, 0, 0, JSON_OPTIONAL),
};
static const struct json_shape performer_shape = JSON_SHAPE(performer_fields, struct performer);

struct document {
    str context;
    str type;
    str name;
    str description;
    str url;
    str status;
    str attendance;
    int64_t starts_at_ms;
    int64_t ends_at_ms;
    struct location *location;
    struct performer *performer;
    struct offer *offers;
    size_t offer_count;
};
static const struct json_field document_fields[] = {
    JSON_F_TEXT("@context", struct document, context, 0, 0, JSON_OPTIONAL),
    JSON_F_TEXT("@type", struct document, type, 0, 0, JSON_OPTIONAL),
    JSON_F_TEXT("name", struct document, name, 0, 0, JSON_OPTIONAL),
    JSON_F_TEXT("description", struct document, description, 0, 0, JSON_OPTIONAL),
    JSON_F_TEXT("url", struct document, url, 0, 0, JSON_OPTIONAL),
    JSON_F_TIME("startDate", struct document, starts_at_ms, JSON_OPTIONAL),
    JSON_F_TIME("endDate", struct document, ends_at_ms, JSON_OPTIONAL),
    JSON_F_TEXT("eventStatus", struct document, status, 0, 0, JSON_OPTIONAL),
    JSON_F_TEXT("eventAttendanceMode", struct document, attendance, 0, 0, JSON_OPTIONAL),
    JSON_F_OBJECT("location", struct document, location, &location_shape, JSON_OPTIONAL),
    JSON_F_OBJECT("performer", struct document, performer, &performer_shape, JSON_OPTIONAL),
    JSON_F_LIST("offers", struct document, offers, offer_count, &offer_shape, 0, 0, JSON_OPTIONAL),
};
static const struct json_shape document_shape = JSON_SHAPE(document_fields, struct document);

/* --- Rules: no I/O --- */

static str given(str text)
{
    return text.size > 0 ? text : STR_ABSENT;
}

static struct location *location_of(struct arena *arena, str address,
                                    const struct booking_page *event)
{
    struct location *location = arena_new(arena, struct location);

    if (event->online) {
        *location = (struct location){.type = STR("VirtualLocation"), .url = address};
        return location;
    }
    *location = (struct location){.type = STR("Place"),
                                  .name = given(event->venue_name),
                                  .address = arena_new(arena, struct address)};
    *location->address = (struct address){
        .type = STR("PostalAddress"),
        .city = given(event->city),
        .country = given(event->country),
    };
    return location;
}

/* "28.00": what people read, without the currency before it. */
static str plain_amount(struct arena *arena, struct money price)
{
    const str text = arena_str(arena, str_of(money_format(price).text));

    assert(text.size > CURRENCY_CODE_SIZE + 1);
    return str_slice(text, CURRENCY_CODE_SIZE + 1, text.size);
}

static struct offer offer_of(struct arena *arena, str address, const struct booking_offer *from)
{
    return (struct offer){
        .type = STR("Offer"),
        .name = given(from->name),
        .price = plain_amount(arena, from->price),
        .currency = arena_str(arena, str_of(from->price.currency.code)),
        .availability = str_eq(from->status, STR("on_sale"))    ? STR("https://schema.org/InStock")
                        : str_eq(from->status, STR("sold_out")) ? STR("https://schema.org/SoldOut")
                                                                : STR_ABSENT,
        .url = address,
    };
}

static str for_script(struct arena *arena, str json)
{
    struct buf out = buf_in(arena, LD_SIZE_MAX);

    for (size_t i = 0; i < json.size; i++) {
        const char c = json.ptr[i];

        if (c == '<' || c == '>' || c == '&')
            buf_printf(&out, "\\u%04x", (unsigned)c);
        else
            buf_add_char(&out, c);
    }
    return out.overflow ? STR_ABSENT : buf_str(&out);
}

str page_ld(struct arena *arena, str address, const struct booking_page *event)
{
    struct document document = {
        .context = STR("https://schema.org"),
        .type = STR("Event"),
        .name = event->name,
        .description = given(event->description),
        .url = address,
        .status = str_eq(event->status, STR("cancelled"))
                      ? STR("https://schema.org/EventCancelled")
                      : STR("https://schema.org/EventScheduled"),
        .attendance = event->online ? STR("https://schema.org/OnlineEventAttendanceMode")
                                    : STR("https://schema.org/OfflineEventAttendanceMode"),
        .starts_at_ms = event->starts_at_ms,
        .ends_at_ms = event->ends_at_ms,
        .location = location_of(arena, address, event),
        .offers = arena_new_array(arena, struct offer, event->offer_count + 1),
        .offer_count = event->offer_count,
    };

    if (event->artists.size > 0) {
        document.performer = arena_new(arena, struct performer);
        *document.performer = (struct performer){STR("PerformingGroup"), event->artists};
    }
    for (size_t i = 0; i < event->offer_count; i++)
        document.offers[i] = offer_of(arena, address, &event->offers[i]);
    return for_script(arena, json_encode(arena, &document_shape, &document));
}
