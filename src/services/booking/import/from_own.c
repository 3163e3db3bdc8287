/* booking/import/from_own.c - an event as our own API shows it, GET /events/{event}, and takes it, POST /events.
 *
 * Members that are null or missing are not given; what only the installation knows that wrote it
 * (its vendor, its slug, ids of methods, venues and artists) is not read. */

#include <inttypes.h>
#include <jansson.h>

#include "services/booking/import/row.h"

struct own {
    struct arena *arena;
    const char *why; /* the first that is wrong; NULL: nothing */
};

/* --- Values --- */

static void refuse(struct own *own, const char *member, const char *what)
{
    if (own->why == NULL)
        own->why = arena_printf(own->arena, "%s: %s", member, what).ptr;
}

/* NULL where it is null, missing, or within something that is no object. */
static const json_t *member(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_null(value) ? NULL : value;
}

static str text_at(struct own *own, const json_t *object, const char *name)
{
    const json_t *value = member(object, name);

    if (value == NULL)
        return STR_ABSENT;
    if (!json_is_string(value)) {
        refuse(own, name, "not a text");
        return STR_ABSENT;
    }
    return (str){json_string_value(value), json_string_length(value)};
}

static int64_t whole_at(struct own *own, const json_t *object, const char *name, int64_t least,
                        int64_t most, int64_t absent)
{
    const json_t *value = member(object, name);

    if (value == NULL)
        return absent;
    if (!json_is_integer(value) || json_integer_value(value) < least ||
        json_integer_value(value) > most) {
        refuse(
            own, name,
            arena_printf(own->arena, "not a whole number from %" PRId64 " to %" PRId64, least, most)
                .ptr);
        return absent;
    }
    return json_integer_value(value);
}

static int flag_at(struct own *own, const json_t *object, const char *name, int absent)
{
    const json_t *value = member(object, name);

    if (value == NULL)
        return absent;
    if (!json_is_boolean(value))
        refuse(own, name, "neither true nor false");
    return json_is_true(value);
}

static int64_t instant_at(struct own *own, const json_t *object, const char *name)
{
    const str text = text_at(own, object, name);
    int64_t ms = INT64_MIN;

    if (text.ptr != NULL && !time_parse(text, &ms))
        refuse(own, name, "not a time like 2026-12-05T20:00:00Z");
    return ms;
}

static str degrees_at(struct own *own, const json_t *object, const char *name)
{
    const json_t *value = member(object, name);

    if (value == NULL)
        return STR_ABSENT;
    if (!json_is_number(value)) {
        refuse(own, name, "not a number");
        return STR_ABSENT;
    }
    return arena_printf(own->arena, "%.17g", json_number_value(value));
}

static const json_t *inner_at(struct own *own, const json_t *object, const char *name)
{
    const json_t *value = member(object, name);

    if (value != NULL && !json_is_object(value))
        refuse(own, name, "not an object");
    return json_is_object(value) ? value : NULL;
}

/* As text: whoever knows its members reads it. */
static str object_at(struct own *own, const json_t *object, const char *name)
{
    const json_t *value = inner_at(own, object, name);
    const size_t size = value != NULL ? json_dumpb(value, NULL, 0, JSON_COMPACT) : 0;
    char *text = arena_alloc(own->arena, size + 1);

    if (value == NULL)
        return STR_ABSENT;
    return (str){text, json_dumpb(value, text, size, JSON_COMPACT)};
}

static const json_t *list_at(struct own *own, const json_t *object, const char *name)
{
    const json_t *value = member(object, name);

    if (value != NULL && !json_is_array(value))
        refuse(own, name, "not a list");
    return json_is_array(value) ? value : NULL;
}

/* --- Parts of an event --- */

static void read_place(struct own *own, const json_t *event, struct import_draft *draft)
{
    const json_t *venue = inner_at(own, event, "venue");
    const int online = flag_at(own, event, "online", venue == NULL);

    draft->texts[IMPORT_ONLINE] = online ? STR("true") : STR("false");
    draft->texts[IMPORT_VENUE] = text_at(own, venue, "name");
    draft->texts[IMPORT_CITY] = text_at(own, venue, "city");
    draft->texts[IMPORT_COUNTRY] = text_at(own, venue, "country");
    draft->texts[IMPORT_ADDRESS] = text_at(own, venue, "address");
    draft->texts[IMPORT_LAT] = degrees_at(own, venue, "lat");
    draft->texts[IMPORT_LON] = degrees_at(own, venue, "lon");
    if (!online && str_trim(draft->texts[IMPORT_VENUE]).size == 0)
        refuse(own, "venue", "missing, though it is not online");
}

/* Names, as POST takes them, or objects that have one, as GET shows them. */
static void read_artists(struct own *own, const json_t *event, struct import_draft *draft)
{
    const json_t *list = list_at(own, event, "artists");
    const size_t count = json_array_size(list);
    str *names = arena_new_array(own->arena, str, count + 1);

    for (size_t i = 0; i < count; i++) {
        const json_t *artist = json_array_get(list, i);

        if (json_is_string(artist))
            names[i] = (str){json_string_value(artist), json_string_length(artist)};
        else if (json_is_object(artist))
            names[i] = text_at(own, artist, "name");
        else
            refuse(own, "artists", "one is neither a text nor an object");
    }
    draft->artists = names;
    draft->artist_count = count;
}

/* Minor units, as readers of files want them: "12.50". */
static str amount_text(struct own *own, int64_t minor, str currency)
{
    struct money money = {.minor = minor};

    if (!currency_parse(currency, &money.currency)) {
        refuse(own, "currency", "no currency of ISO 4217");
        return STR_ABSENT;
    }
    const str text = arena_str(own->arena, str_of(money_format(money).text));
    return str_slice(text, CURRENCY_CODE_SIZE + 1, text.size);
}

/* The event's currency is its own, else that of its first price. */
static str read_price(struct own *own, const json_t *type, struct import_draft *draft)
{
    const json_t *price = member(type, "price");
    const json_t *holder = json_is_object(price) ? price : type;
    const int64_t minor =
        whole_at(own, holder, json_is_object(price) ? "amount" : "price", 0, MONEY_MINOR_MAX, -1);
    const str currency = json_is_object(price) ? text_at(own, price, "currency") : STR_ABSENT;
    str *common = &draft->texts[IMPORT_CURRENCY];

    if (minor < 0)
        return STR_ABSENT;
    if (common->ptr == NULL)
        *common = currency;
    if (common->ptr == NULL)
        refuse(own, "price", "without a currency");
    else if (currency.ptr != NULL && !str_eq(currency, *common))
        refuse(own, "price", "in another currency than the event");
    return own->why == NULL ? amount_text(own, minor, *common) : STR_ABSENT;
}

static void read_types(struct own *own, const json_t *event, struct import_draft *draft)
{
    const json_t *list = list_at(own, event, "ticket_types");
    const size_t count = json_array_size(list);
    struct import_offer_draft *types =
        arena_new_array(own->arena, struct import_offer_draft, count + 1);

    if (count > IMPORT_OFFERS_MAX)
        refuse(own, "ticket_types", "too many");
    for (size_t i = 0; i < count && own->why == NULL; i++) {
        const json_t *type = json_array_get(list, i);
        const int64_t quantity = whole_at(own, type, "quantity", 0, IMPORT_QUANTITY_MAX, -1);

        if (!json_is_object(type))
            refuse(own, "ticket_types", "one is not an object");
        types[i] = (struct import_offer_draft){
            .name = text_at(own, type, "name"),
            .price = read_price(own, type, draft),
            .sales_start_ms = instant_at(own, type, "sales_start"),
            .sales_end_ms = instant_at(own, type, "sales_end"),
            .max_per_order = whole_at(own, type, "max_per_order", 1, IMPORT_QUANTITY_MAX, 0),
        };
        types[i].has_tax_rate = member(type, "tax_rate_ppm") != NULL;
        types[i].tax_rate_ppm = whole_at(own, type, "tax_rate_ppm", 0, IMPORT_TAX_RATE_MAX, 0);
        if (quantity >= 0)
            types[i].quantity = arena_printf(own->arena, "%" PRId64, quantity);
    }
    draft->offers = types;
    draft->offer_count = count;
}

static void read_methods(struct own *own, const json_t *event, struct import_terms *terms)
{
    const json_t *list = list_at(own, event, "payment_methods");
    const size_t count = json_array_size(list);
    str *types = arena_new_array(own->arena, str, count + 1);

    if (count > IMPORT_METHODS_MAX)
        refuse(own, "payment_methods", "too many");
    for (size_t i = 0; i < count; i++) {
        types[i] = text_at(own, json_array_get(list, i), "type");
        if (types[i].ptr == NULL)
            refuse(own, "payment_methods", "one has no type");
    }
    terms->methods = types;
    terms->method_count = count;
}

static struct import_terms *read_terms(struct own *own, const json_t *event)
{
    struct import_terms *terms = arena_new(own->arena, struct import_terms);

    terms->whole_day = flag_at(own, event, "whole_day", false) != 0;
    terms->policies = object_at(own, event, "policies");
    terms->limits = object_at(own, event, "limits");
    read_methods(own, event, terms);
    return terms;
}

/* --- The event --- */

bool import_is_own(const json_t *object)
{
    return json_object_get(object, "starts_at") != NULL;
}

const char *import_own(struct arena *arena, const json_t *object, struct import_draft *ret)
{
    static const struct {
        const char *name;
        enum import_column column;
    } texts[] = {
        {"id",               IMPORT_UID        },
        {"name",             IMPORT_NAME       },
        {"starts_at",        IMPORT_STARTS_AT  },
        {"ends_at",          IMPORT_ENDS_AT    },
        {"timezone",         IMPORT_TIMEZONE   },
        {"type",             IMPORT_TYPE       },
        {"description",      IMPORT_DESCRIPTION},
        {"url",              IMPORT_URL        },
        {"status",           IMPORT_STATUS     },
        {"checkin_opens_at", IMPORT_DOORS_AT   },
        {"currency",         IMPORT_CURRENCY   },
    };
    struct own own = {.arena = arena};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        ret->texts[texts[i].column] = text_at(&own, object, texts[i].name);
    read_place(&own, object, ret);
    read_artists(&own, object, ret);
    read_types(&own, object, ret);
    ret->terms = read_terms(&own, object);
    return own.why;
}
