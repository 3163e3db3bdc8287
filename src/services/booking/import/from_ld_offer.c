/* booking/import/from_ld_offer.c - the offers of a schema.org event as ticket types.
 *
 * An event has one currency: that of its first offer. What is sold out elsewhere says nothing about how many tickets are ours to sell, so it is not
 * taken; an event of which nothing else is left becomes a draft, never a free one. */
#include "services/booking/import/from_ld.h"

struct offers {
    struct import_run *run;
    struct import_draft *draft;
    struct import_offer_draft *items;
    size_t count;
    size_t sold_out;
    size_t foreign; /* of another currency */
};

/* "28,00" as people write it. */
static str amount_of(struct arena *arena, str text)
{
    if (text.size < 3 || (text.ptr[text.size - 3] != ',' && text.ptr[text.size - 2] != ','))
        return text;
    char *copy = arena_alloc(arena, text.size + 1);

    for (size_t i = 0; i < text.size; i++) {
        copy[i] = text.ptr[i];
        if (copy[i] == ',' && i + 3 >= text.size)
            copy[i] = '.';
    }
    return (str){copy, text.size};
}

static int64_t instant_of(struct arena *arena, const json_t *value)
{
    const str text = ld_when(arena, ld_text(arena, value));
    int64_t ms = 0;

    return text.ptr != NULL && time_parse(text, &ms) ? ms : INT64_MIN;
}

/* Types are known again by their names, so each has one of its own. */
static str name_of(const struct offers *offers, const json_t *offer)
{
    struct arena *arena = offers->run->arena;
    str name = ld_text(arena, json_object_get(offer, "name"));
    size_t same = 1;

    if (name.ptr == NULL && offers->count == 0)
        return STR_ABSENT;
    if (name.ptr == NULL)
        name = STR("Standard");
    for (size_t i = 0; i < offers->count; i++) {
        const str other =
            offers->items[i].name.ptr != NULL ? offers->items[i].name : STR("Standard");

        same += str_eq(str_slice(other, 0, name.size), name) &&
                (other.size == name.size || other.ptr[name.size] == ' ');
    }
    return same > 1 ? arena_printf(arena, "%.*s %zu", STR_ARG(name), same) : name;
}

static void add_offer(struct offers *offers, const json_t *offer)
{
    struct arena *arena = offers->run->arena;
    const json_t *specification = json_object_get(offer, "priceSpecification");
    str price = ld_text(arena, json_object_get(offer, "price"));
    str currency = ld_text(arena, json_object_get(offer, "priceCurrency"));
    const str available = ld_word(ld_text(arena, json_object_get(offer, "availability")));
    str *common = &offers->draft->texts[IMPORT_CURRENCY];

    if (json_is_array(specification))
        specification = json_array_get(specification, 0);
    if (price.ptr == NULL)
        price = ld_text(arena, json_object_get(offer, "lowPrice"));
    if (price.ptr == NULL)
        price = ld_text(arena, json_object_get(specification, "price"));
    if (currency.ptr == NULL)
        currency = ld_text(arena, json_object_get(specification, "priceCurrency"));
    if (str_eq(available, STR("SoldOut")) || str_eq(available, STR("OutOfStock")) ||
        str_eq(available, STR("Discontinued"))) {
        offers->sold_out++;
        return;
    }
    if (common->ptr == NULL)
        *common = currency;
    else if (currency.ptr != NULL && !str_eq_nocase(currency, *common)) {
        offers->foreign++;
        return;
    }
    offers->items[offers->count] = (struct import_offer_draft){
        .name = name_of(offers, offer),
        .price = amount_of(arena, price),
        .quantity = ld_text(arena, json_object_get(offer, "inventoryLevel")),
        .sales_start_ms = instant_of(arena, json_object_get(offer, "validFrom")),
        .sales_end_ms =
            instant_of(arena, json_object_get(offer, json_object_get(offer, "validThrough") != NULL
                                                         ? "validThrough"
                                                         : "availabilityEnds")),
    };
    offers->count++;
}

/* The list of an AggregateOffer stands for it. */
static void add_all(struct offers *offers, const json_t *list)
{
    for (size_t i = 0; i < (json_is_array(list) ? json_array_size(list) : 1); i++) {
        const json_t *offer = json_is_array(list) ? json_array_get(list, i) : list;
        const json_t *inner = json_object_get(offer, "offers");

        if (json_is_object(inner) && offers->count < IMPORT_OFFERS_MAX)
            add_offer(offers, inner);
        for (size_t at = 0; at < json_array_size(inner) && offers->count < IMPORT_OFFERS_MAX; at++)
            add_offer(offers, json_array_get(inner, at));
        if (inner == NULL && json_is_object(offer) && offers->count < IMPORT_OFFERS_MAX)
            add_offer(offers, offer);
    }
}

const char *ld_offers_read(struct import_run *run, const json_t *event, struct import_draft *draft)
{
    const json_t *list = json_object_get(event, "offers");
    struct offers offers = {
        .run = run,
        .draft = draft,
        .items = arena_new_array(run->arena, struct import_offer_draft, IMPORT_OFFERS_MAX),
    };

    if (list == NULL)
        return NULL;
    add_all(&offers, list);
    if (offers.foreign > 0)
        run->reader->ignored(run->reader->arg, draft->line,
                             "offers of another currency than the first one's are left out");
    if (offers.sold_out > 0 && offers.count > 0)
        run->reader->ignored(run->reader->arg, draft->line,
                             "offers that are sold out there are left out");
    if (offers.sold_out > 0 && offers.count == 0 && draft->texts[IMPORT_STATUS].ptr == NULL) {
        draft->texts[IMPORT_STATUS] = STR("draft");
        run->reader->ignored(run->reader->arg, draft->line,
                             "is sold out there: a draft, if it is new");
    }
    draft->offers = offers.items;
    draft->offer_count = offers.count;
    return NULL;
}
