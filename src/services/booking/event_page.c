/* booking/event_page.c - events in words, for pages that other services write. */
#include "services/booking/event_page.h"

#include <assert.h>

#include "services/booking/catalog.h"
#include "services/booking/event_list.h"
#include "services/booking/state.h"
#include "services/booking/stock.h"

enum {
    CARDS_MAX = LIST_LIMIT_MAX,
    OFFER_QUANTITY_MAX = 1000,
    ARTISTS_SIZE_MAX = EVENT_ARTISTS_MAX * 1024, /* their names have at most 200 characters */
};

/* --- In words --- */

static const char *offer_status(struct call *call, const struct event *event,
                                const struct ticket_type *type)
{
    int64_t left = 0;

    assert(type != NULL);
    if (!ticket_type_on_sale(event, type, call->now_ms))
        return "not_on_sale";
    return stock_hint(booking_of(call)->stock, type->id, &left) && left > 0 ? "on_sale"
                                                                            : "sold_out";
}

str price_words(struct arena *arena, struct money price)
{
    return price.minor == 0 ? STR("Free") : arena_str(arena, str_of(money_format(price).text));
}

str event_price_text(struct call *call, const struct event *event)
{
    const struct ticket_type *cheapest = NULL;
    bool sold_out = false;
    bool differ = false;

    for (size_t i = 0; i < event->ticket_type_count; i++) {
        const struct ticket_type *type = &event->ticket_types[i];
        const str status = str_of(offer_status(call, event, type));

        sold_out = sold_out || str_eq(status, STR("sold_out"));
        if (!str_eq(status, STR("on_sale")))
            continue;
        differ = differ || (cheapest != NULL && cheapest->all_in.minor != type->all_in.minor);
        if (cheapest == NULL || type->all_in.minor < cheapest->all_in.minor)
            cheapest = type;
    }
    if (cheapest == NULL)
        return sold_out ? STR("Sold out") : STR("Not on sale");
    const str price = price_words(call->arena, cheapest->all_in);
    return differ && cheapest->all_in.minor > 0
               ? arena_printf(call->arena, "from %.*s", STR_ARG(price))
               : price;
}

/* --- booking_event_cards --- */

static const struct json_field cards_in_fields[] = {
    JSON_F_TEXT("query", struct booking_event_cards_in, query, 0, 4096, JSON_OPTIONAL),
};
static const struct json_shape cards_in_shape =
    JSON_SHAPE(cards_in_fields, struct booking_event_cards_in);
static const struct json_field card_fields[] = {
    JSON_F_TEXT("slug", struct booking_card, slug, 0, 200, JSON_OPTIONAL),
    JSON_F_TEXT("name", struct booking_card, name, 0, 200, JSON_OPTIONAL),
    JSON_F_TEXT("when", struct booking_card, when, 0, 400, JSON_OPTIONAL),
    JSON_F_TEXT("place", struct booking_card, place, 0, 2048, JSON_OPTIONAL),
    JSON_F_TEXT("price", struct booking_card, price, 0, 100, JSON_OPTIONAL),
};
static const struct json_shape card_shape = JSON_SHAPE(card_fields, struct booking_card);
static const struct json_field cards_fields[] = {
    JSON_F_LIST("cards", struct booking_cards, cards, card_count, &card_shape, 0, CARDS_MAX,
                JSON_OPTIONAL),
    JSON_F_TOKEN("next_cursor", struct booking_cards, next_cursor, 0, 2000, JSON_OPTIONAL),
};
static const struct json_shape cards_shape = JSON_SHAPE(cards_fields, struct booking_cards);

static err booking_event_cards_run(struct call *call, const struct booking_event_cards_in *in,
                                   struct booking_cards *ret)
{
    CLEANUP(event_page_done) struct event_page page = {0};
    struct event_query *query = event_query_new(call->arena);

    TRY(json_decode_query(call->arena, in->query, &event_query_shape, query,
                          &call->problem.errors));
    TRY(event_list(call, query, &page));
    ret->cards = arena_new_array(call->arena, struct booking_card, page.count + 1);
    ret->card_count = page.count;
    for (size_t i = 0; i < page.count; i++)
        ret->cards[i] = (struct booking_card){
            .slug = arena_str(call->arena, page.events[i]->slug),
            .name = arena_str(call->arena, page.events[i]->name),
            .when = event_when(call, page.events[i]),
            .place = arena_str(call->arena, event_place(call->arena, page.events[i])),
            .price = event_price_text(call, page.events[i]),
        };
    ret->next_cursor = page.next_cursor;
    return ERR_OK;
}
OP_DEFINE("booking", booking_event_cards, struct booking_event_cards_in, struct booking_cards,
          &cards_in_shape, &cards_shape);

/* --- booking_event_page --- */

static const struct json_field page_in_fields[] = {
    JSON_F_TEXT("slug", struct booking_event_page_in, slug, 0, 200, JSON_REQUIRED),
};
static const struct json_shape page_in_shape =
    JSON_SHAPE(page_in_fields, struct booking_event_page_in);
static const struct json_field offer_fields[] = {
    JSON_F_ID("ticket_type", struct booking_offer, ticket_type, TICKET_TYPE_PREFIX, JSON_OPTIONAL),
    JSON_F_TEXT("name", struct booking_offer, name, 0, 200, JSON_OPTIONAL),
    JSON_F_MONEY("price", struct booking_offer, price, 0, MONEY_MINOR_MAX, JSON_OPTIONAL),
    JSON_F_TEXT("price_text", struct booking_offer, price_text, 0, 100, JSON_OPTIONAL),
    JSON_F_TOKEN("status", struct booking_offer, status, 0, 20, JSON_OPTIONAL),
    JSON_F_I64("quantity_max", struct booking_offer, quantity_max, 0, OFFER_QUANTITY_MAX,
               JSON_OPTIONAL),
};
static const struct json_shape offer_shape = JSON_SHAPE(offer_fields, struct booking_offer);
static const struct json_field page_fields[] = {
    JSON_F_ID("event", struct booking_page, event, EVENT_PREFIX, JSON_OPTIONAL),
    JSON_F_TEXT("name", struct booking_page, name, 0, 200, JSON_OPTIONAL),
    JSON_F_TEXT("description", struct booking_page, description, 0, 20000, JSON_OPTIONAL),
    JSON_F_TEXT("url", struct booking_page, url, 0, 2000, JSON_OPTIONAL),
    JSON_F_TEXT("when", struct booking_page, when, 0, 400, JSON_OPTIONAL),
    JSON_F_TEXT("place", struct booking_page, place, 0, 2048, JSON_OPTIONAL),
    JSON_F_TEXT("artists", struct booking_page, artists, 0, ARTISTS_SIZE_MAX, JSON_OPTIONAL),
    JSON_F_TEXT("venue_name", struct booking_page, venue_name, 0, 200, JSON_OPTIONAL),
    JSON_F_TEXT("city", struct booking_page, city, 0, 200, JSON_OPTIONAL),
    JSON_F_TEXT("country", struct booking_page, country, 0, 200, JSON_OPTIONAL),
    JSON_F_TOKEN("status", struct booking_page, status, 0, 20, JSON_OPTIONAL),
    JSON_F_TIME("starts_at", struct booking_page, starts_at_ms, JSON_OPTIONAL),
    JSON_F_TIME("ends_at", struct booking_page, ends_at_ms, JSON_OPTIONAL),
    JSON_F_BOOL("online", struct booking_page, online, JSON_OPTIONAL),
    JSON_F_LIST("offers", struct booking_page, offers, offer_count, &offer_shape, 0,
                EVENT_TICKET_TYPES_MAX, JSON_OPTIONAL),
    JSON_F_LIST("accepted", struct booking_page, accepted, accepted_count, &event_accepted_shape, 0,
                EVENT_METHODS_MAX, JSON_OPTIONAL),
};
static const struct json_shape page_shape = JSON_SHAPE(page_fields, struct booking_page);

static void fill_offers(struct call *call, const struct event *event, struct booking_page *ret)
{
    ret->offers = arena_new_array(call->arena, struct booking_offer, event->ticket_type_count + 1);
    ret->offer_count = event->ticket_type_count;
    for (size_t i = 0; i < event->ticket_type_count; i++) {
        const struct ticket_type *type = &event->ticket_types[i];
        const int64_t limit =
            type->max_per_order != JSON_NULL && type->max_per_order < event->limits.per_order
                ? type->max_per_order
                : event->limits.per_order;

        ret->offers[i] = (struct booking_offer){
            .ticket_type = type->id,
            .name = arena_str(call->arena, type->name),
            .price = type->all_in,
            .price_text = price_words(call->arena, type->all_in),
            .status = str_of(offer_status(call, event, type)),
            .quantity_max = limit,
        };
    }
}

static str artist_names(struct arena *arena, const struct event *event)
{
    struct buf names = buf_in(arena, ARTISTS_SIZE_MAX);

    for (size_t i = 0; i < event->artist_count; i++) {
        buf_add_cstr(&names, i > 0 ? ", " : "");
        buf_add(&names, event->artists[i].name);
    }
    return names.size > 0 ? buf_str(&names) : STR("");
}

static err booking_event_page_run(struct call *call, const struct booking_event_page_in *in,
                                  struct booking_page *ret)
{
    CLEANUP(event_release_at)
    const struct event *event = catalog_find_slug(booking_of(call)->catalog, in->slug);
    struct arena *arena = call->arena;

    if (event == NULL || event->status == EVENT_DRAFT)
        return ERR_NOT_FOUND;
    *ret = (struct booking_page){
        .event = event->id,
        .name = arena_str(arena, event->name),
        .description = arena_str(arena, event->description),
        .url = arena_str(arena, event->url),
        .when = event_when(call, event),
        .place = arena_str(arena, event_place(arena, event)),
        .artists = artist_names(arena, event),
        .status = str_of(event_status_names[event->status]),
        .starts_at_ms = event->starts_at_ms,
        .ends_at_ms = event->ends_at_ms,
        .online = event->online,
    };
    if (event->venue != NULL) {
        ret->venue_name = arena_str(arena, event->venue->name);
        ret->city = arena_str(arena, event->venue->city);
        ret->country = arena_str(arena, event->venue->country);
    }
    fill_offers(call, event, ret);
    ret->accepted = arena_new_array(arena, struct booking_accepted, event->accepted_count + 1);
    ret->accepted_count = event->accepted_count;
    for (size_t i = 0; i < event->accepted_count; i++)
        ret->accepted[i] = (struct booking_accepted){
            .type = arena_str(arena, event->accepted[i].type),
            .label = arena_str(arena, event->accepted[i].label),
        };
    return ERR_OK;
}
OP_DEFINE("booking", booking_event_page, struct booking_event_page_in, struct booking_page,
          &page_in_shape, &page_shape);
