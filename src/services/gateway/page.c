/* gateway/page.c - the first pages, written by the server from what booking's ops say; the script
 * beside it buys through the public API.
 *
 * Everything that came from people goes through page_add_text. Scripts and styles are files of ours
 * only, so the policy forbids all others. */
#include "services/gateway/page.h"

#include "platform/config/config.h"
#include "platform/http/files.h"
#include "services/booking/booking.h"
#include "services/gateway/page_ld.h"

enum { PAGE_SLUG_SIZE_MAX = 200, PAGE_SIZE_MAX = 1024 * 1024 };

extern const struct file_table page_files; /* written by tools/embed */

/* --- Rules: no I/O --- */

void page_add_text(struct buf *html, str text)
{
    for (size_t i = 0; i < text.size; i++) {
        const char c = text.ptr[i];

        if (c == '<')
            buf_add_cstr(html, "&lt;");
        else if (c == '>')
            buf_add_cstr(html, "&gt;");
        else if (c == '&')
            buf_add_cstr(html, "&amp;");
        else if (c == '"')
            buf_add_cstr(html, "&quot;");
        else if (c == '\'')
            buf_add_cstr(html, "&#39;");
        else
            buf_add_char(html, c);
    }
}

static void add_element(struct buf *html, const char *open, str text, const char *close)
{
    if (text.size == 0)
        return;
    buf_add_cstr(html, open);
    page_add_text(html, text);
    buf_add_cstr(html, close);
}

/* The head is left open: a page adds what it says about itself, then calls begin_body. */
static void begin_page(struct buf *html, str title)
{
    buf_add_cstr(html, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    add_element(html, "<title>", title, "</title>");
    buf_add_cstr(html, "<link rel=\"stylesheet\" href=\"/assets/page.css\"><link rel=\"icon\" "
                       "href=\"/assets/page.svg\"><script "
                       "src=\"/assets/page.js\" defer></script>");
}

static void begin_body(struct buf *html)
{
    buf_add_cstr(html, "</head><body><header><a href=\"/\">Boxoffice</a><button id=\"sign-out\" "
                       "class=\"quiet\" hidden>Sign out</button></header>");
}

static void end_page(struct buf *html)
{
    buf_add_cstr(html, "</main></body></html>\n");
}

/* Where an order's tickets appear, on either page. */
static void add_done(struct buf *html, const char *message)
{
    buf_add_cstr(html, "<h2 id=\"done-title\" tabindex=\"-1\">Thank you</h2><p class=\"message\" "
                       "id=\"done-message\" role=\"status\">");
    buf_add_cstr(html, message);
    buf_add_cstr(html, "</p><div class=\"tickets\" id=\"tickets\"></div><button id=\"pdf\" "
                       "hidden>Download as PDF</button>");
}

static err reply_page(struct req *req, int status, const struct buf *html)
{
    if (html->overflow)
        return ERR_INTERNAL;
    reply_header(req, "content-security-policy",
                 STR("default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' "
                     "blob:; connect-src 'self'; "
                     "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"));
    return reply_text(req, status, STR("text/html; charset=utf-8"), buf_str(html));
}

/* --- The list --- */

struct list_query {
    str search;
    str cursor;
    str order; /* where a payment's redirect comes back to */
};
static const struct json_field list_fields[] = {
    JSON_F_TEXT("search", struct list_query, search, 0, 200, JSON_OPTIONAL),
    JSON_F_TOKEN("cursor", struct list_query, cursor, 1, 500, JSON_OPTIONAL),
    JSON_F_TOKEN("order", struct list_query, order, 1, 40, JSON_OPTIONAL),
};
static const struct json_shape list_shape = JSON_SHAPE(list_fields, struct list_query);

/* RFC 3986: everything but unreserved characters is escaped. */
static void add_query_value(struct buf *out, str text)
{
    for (size_t i = 0; i < text.size; i++) {
        const unsigned char c = (unsigned char)text.ptr[i];
        const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                           (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.';

        if (plain)
            buf_add_char(out, (char)c);
        else
            buf_printf(out, "%%%02X", c);
    }
}

static str api_query(struct arena *arena, const struct list_query *in)
{
    struct buf query = buf_in(arena, 4096);

    buf_add_cstr(&query, "limit=20");
    if (in->search.size > 0) {
        buf_add_cstr(&query, "&search=");
        add_query_value(&query, in->search);
    }
    if (in->cursor.size > 0) {
        buf_add_cstr(&query, "&cursor=");
        add_query_value(&query, in->cursor);
    }
    return buf_str(&query);
}

/* What other sites append to a link, and a search for nothing, is no reason to refuse a page. */
static str known_query(struct arena *arena, str query)
{
    struct buf known = buf_in(arena, query.size + 2);
    str part = STR_ABSENT;

    while (str_split(&query, '&', &part))
        for (size_t i = 0; i < list_shape.field_count; i++) {
            const str name = str_of(list_shape.fields[i].name);

            if (str_starts(part, name) && part.size > name.size + 1 && part.ptr[name.size] == '=') {
                buf_add_cstr(&known, known.size > 0 ? "&" : "");
                buf_add(&known, part);
            }
        }
    return known.size > 0 ? buf_str(&known) : STR_ABSENT;
}

static void add_thanks(struct buf *html, str order)
{
    if (order.size == 0)
        return;
    buf_add_cstr(html, "<section><form id=\"done\" data-order=\"");
    page_add_text(html, order);
    buf_add_cstr(html, "\">");
    add_done(html, "Your tickets come by mail as soon as the payment is through.");
    buf_add_cstr(html, "</form></section>");
}

static void add_search(struct buf *html, str search)
{
    buf_add_cstr(html, "<form class=\"search\" role=\"search\"><input type=\"search\" "
                       "name=\"search\" aria-label=\"Search\" maxlength=\"200\" "
                       "placeholder=\"Artist, event, venue or city\" value=\"");
    page_add_text(html, search);
    buf_add_cstr(html, "\"><button>Search</button></form>");
}

static void add_more(struct buf *html, const struct list_query *in, str cursor)
{
    if (cursor.size == 0)
        return;
    buf_add_cstr(html, "<p><a rel=\"next\" href=\"/?search=");
    add_query_value(html, in->search);
    buf_add_cstr(html, "&amp;cursor=");
    add_query_value(html, cursor);
    buf_add_cstr(html, "\">More events</a></p>");
}

static void add_card(struct buf *html, const struct booking_card *card)
{
    buf_add_cstr(html, "<li><a href=\"/e/");
    page_add_text(html, card->slug);
    buf_add_cstr(html, "\">");
    add_element(html, "<bdi class=\"name\">", card->name, "</bdi>");
    add_element(html, "<span class=\"price\">", card->price, "</span>");
    add_element(html, "<span class=\"soft\">", card->when, "</span>");
    add_element(html, "<span class=\"soft price\"><bdi>", card->place, "</bdi></span>");
    buf_add_cstr(html, "</a></li>\n");
}

static err get_list(struct req *req)
{
    struct arena *arena = req->call.arena;
    struct buf html = buf_in(arena, PAGE_SIZE_MAX);
    struct list_query in = {0};
    struct booking_cards found = {0};

    TRY(json_decode_query(arena, known_query(arena, req->query), &list_shape, &in,
                          &req->call.problem.errors));
    const struct booking_event_cards_in cards = {api_query(arena, &in)};
    TRY(booking_event_cards(&req->call, &cards, &found));
    begin_page(&html, STR("Events"));
    begin_body(&html);
    buf_add_cstr(&html, "<main>");
    add_thanks(&html, in.order);
    buf_add_cstr(&html, "<h1>Events</h1>");
    add_search(&html, in.search);
    buf_add_cstr(&html, "<ul class=\"cards\">");
    for (size_t i = 0; i < found.card_count; i++)
        add_card(&html, &found.cards[i]);
    buf_add_cstr(&html, "</ul>");
    if (found.card_count == 0)
        buf_add_cstr(&html, in.search.size > 0
                                ? "<p>Nothing was found. A shorter word may find more. <a "
                                  "href=\"/\">All events</a></p>"
                                : "<p>There are no events yet.</p>");
    add_more(&html, &in, found.next_cursor);
    end_page(&html);
    return reply_page(req, 200, &html);
}

/* --- An event --- */

/* What those who link to the page show of it: https://ogp.me, https://schema.org. */
static void add_meta(struct req *req, struct buf *html, str address,
                     const struct booking_page *event)
{
    struct buf about = buf_in(req->call.arena, PAGE_SIZE_MAX);

    buf_add(&about, event->when);
    buf_add_cstr(&about, ", ");
    buf_add(&about, event->place);
    if (event->artists.size > 0) {
        buf_add_cstr(&about, ", ");
        buf_add(&about, event->artists);
    }
    add_element(html, "<meta name=\"description\" content=\"", buf_str(&about), "\">");
    add_element(html, "<meta property=\"og:description\" content=\"", buf_str(&about), "\">");
    add_element(html, "<meta property=\"og:title\" content=\"", event->name, "\">");
    add_element(html, "<meta property=\"og:url\" content=\"", address, "\">");
    add_element(html, "<link rel=\"canonical\" href=\"", address, "\">");
    buf_add_cstr(html, "<meta property=\"og:type\" content=\"website\"><script "
                       "type=\"application/ld+json\">");
    buf_add(html, page_ld(req->call.arena, address, event));
    buf_add_cstr(html, "</script>");
}

static void add_quantity(struct buf *html, const struct booking_offer *offer, bool only)
{
    buf_printf(html,
               "<input type=\"number\" min=\"0\" max=\"%lld\" value=\"%d\" "
               "inputmode=\"numeric\" data-type=\"%s\" data-price=\"%lld\" aria-label=\"Tickets: ",
               (long long)offer->quantity_max, only ? 1 : 0,
               id_format(TICKET_TYPE_PREFIX, offer->ticket_type.uuid).text,
               (long long)offer->price.minor);
    page_add_text(html, offer->name);
    buf_add_cstr(html, "\">");
}

static void add_offer(struct buf *html, const struct booking_offer *offer, bool only)
{
    buf_add_cstr(html, "<div class=\"row\"><span><bdi>");
    page_add_text(html, offer->name);
    add_element(html, "</bdi><br><span class=\"soft\">", offer->price_text,
                "</span> <output class=\"soft\"></output>");
    buf_add_cstr(html, "</span>");
    if (str_eq(offer->status, STR("on_sale")))
        add_quantity(html, offer, only);
    else
        buf_add_cstr(html, str_eq(offer->status, STR("sold_out"))
                               ? "<span class=\"soft\">Sold out</span>"
                               : "<span class=\"soft\">Not on sale</span>");
    buf_add_cstr(html, "</div>\n");
}

static bool any_on_sale(const struct booking_page *event)
{
    for (size_t i = 0; i < event->offer_count; i++)
        if (str_eq(event->offers[i].status, STR("on_sale")))
            return true;
    return false;
}

static void add_choose(struct buf *html, const struct booking_page *event)
{
    buf_add_cstr(html, "<form id=\"choose\"><h2 tabindex=\"-1\">Tickets</h2>");
    for (size_t i = 0; i < event->offer_count; i++)
        add_offer(html, &event->offers[i], event->offer_count == 1);
    if (event->offer_count == 0)
        buf_add_cstr(html, "<p class=\"soft\">There are no tickets yet.</p>");
    if (any_on_sale(event))
        buf_add_cstr(html, "<p class=\"row total\" id=\"sum\" hidden><span>Total</span><output "
                           "id=\"sum-amount\"></output></p><p class=\"message\" "
                           "id=\"choose-message\" role=\"status\"></p><button>Book</button>"
                           "<noscript><p>Booking needs JavaScript.</p></noscript>");
    buf_add_cstr(html, "</form>");
}

static void add_method(struct buf *html, const struct booking_accepted *method)
{
    if (str_eq(method->type, STR("cash_on_arrival")))
        buf_add_cstr(html, "<option value=\"cash_on_arrival\">Cash on arrival</option>");
    else if (str_eq(method->type, STR("bank_transfer")))
        buf_add_cstr(html, "<option value=\"bank_transfer\">Bank transfer</option>");
    else if (str_eq(method->type, STR("mastercard")))
        buf_add_cstr(html, "<option value=\"card:tok_mastercard\">Mastercard (sandbox)</option>");
    else if (str_eq(method->type, STR("card")) || str_eq(method->type, STR("visa")))
        buf_add_cstr(html,
                     "<option value=\"card:tok_visa\">Visa (sandbox)</option><option "
                     "value=\"card:tok_declined\">A card that is declined (sandbox)</option>"
                     "<option value=\"card:tok_3ds\">A card with 3-D Secure (sandbox)</option>");
}

static void add_sign_in(struct buf *html)
{
    buf_add_cstr(
        html, "<form id=\"sign-in\" hidden><h2 tabindex=\"-1\">Who are the tickets for?</h2><div "
              "class=\"fields\"><label>E-mail<input type=\"email\" name=\"email\" "
              "autocomplete=\"email\" required></label>"
              "<label>Password<input type=\"password\" name=\"password\" minlength=\"8\" "
              "autocomplete=\"current-password\" required></label>"
              "<label>Name, if you are new here<input name=\"name\" autocomplete=\"name\" "
              "maxlength=\"100\"></label></div>"
              "<p class=\"message\" id=\"sign-in-message\" role=\"status\"></p>"
              "<div class=\"buttons\"><button value=\"/login\">Sign in</button><button "
              "value=\"/register\" class=\"quiet\">Create an account</button></div></form>");
}

static void add_checkout(struct buf *html, const struct booking_page *event)
{
    add_sign_in(html);
    buf_add_cstr(html, "<form id=\"pay\" hidden><h2 tabindex=\"-1\">Pay</h2>"
                       "<div id=\"lines\"></div>"
                       "<p class=\"soft\">Held for you until <span id=\"until\"></span>.</p><div "
                       "class=\"fields\"><label id=\"methods\">Method<select name=\"method\">");
    for (size_t i = 0; i < event->accepted_count; i++)
        add_method(html, &event->accepted[i]);
    buf_add_cstr(html, "</select></label></div><p class=\"message\" id=\"pay-message\" "
                       "role=\"status\"></p><div class=\"buttons\"><button>Get the "
                       "tickets</button><button type=\"button\" class=\"quiet\" "
                       "id=\"again\">Choose again</button></div></form>"
                       "<form id=\"done\" hidden>");
    add_done(html, "");
    buf_add_cstr(html, "</form>");
}

/* All of the head stands on the side where the event's name begins. */
static void add_about(struct buf *html, const struct booking_page *event)
{
    add_element(html, "<div dir=\"auto\"><h1>", event->name, "</h1>");
    add_element(html, "<p class=\"artists\"><bdi>", event->artists, "</bdi></p>");
    add_element(html, "<p><bdi>", event->when, "</bdi>");
    add_element(html, "<br><bdi>", event->place, "</bdi>");
    buf_add_cstr(html, "</p></div>");
    add_element(html, "<p class=\"description\" dir=\"auto\">", event->description, "</p>");
    if (str_starts(event->url, STR("https://")) || str_starts(event->url, STR("http://"))) {
        add_element(html, "<p class=\"link\"><a rel=\"noopener noreferrer\" href=\"", event->url,
                    "\">");
        add_element(html, "", event->url, "</a></p>");
    }
}

/* The script counts in the event's currency. */
static void begin_event(struct buf *html, const struct booking_page *event)
{
    buf_printf(html, "<main data-event=\"%s\"", id_format(EVENT_PREFIX, event->event.uuid).text);
    if (event->offer_count > 0)
        buf_printf(html, " data-currency=\"%s\" data-digits=\"%d\"",
                   event->offers[0].price.currency.code,
                   currency_exponent(event->offers[0].price.currency));
    buf_add_cstr(html, ">");
}

static err reply_no_event(struct req *req)
{
    struct buf html = buf_in(req->call.arena, PAGE_SIZE_MAX);

    begin_page(&html, STR("Not found"));
    begin_body(&html);
    buf_add_cstr(&html, "<main><h1>There is no such event</h1><p><a href=\"/\">All events</a></p>");
    end_page(&html);
    return reply_page(req, 404, &html);
}

static err get_event(struct req *req)
{
    struct arena *arena = req->call.arena;
    struct buf html = buf_in(arena, PAGE_SIZE_MAX);
    const struct booking_event_page_in in = {req_param(req, "slug")};
    const str site = config_text(req->call.self->node->config, "public.url");
    struct booking_page event = {0};

    const err e = in.slug.size > PAGE_SLUG_SIZE_MAX ? ERR_NOT_FOUND
                                                    : booking_event_page(&req->call, &in, &event);
    if (e == ERR_NOT_FOUND)
        return reply_no_event(req);
    TRY(e);
    begin_page(&html, event.name);
    add_meta(req, &html, arena_printf(arena, "%.*s/e/%.*s", STR_ARG(site), STR_ARG(in.slug)),
             &event);
    begin_body(&html);
    begin_event(&html, &event);
    add_about(&html, &event);
    buf_add_cstr(&html, "<section>");
    if (str_eq(event.status, STR("cancelled")))
        buf_add_cstr(&html, "<p role=\"status\">This event has been cancelled.</p>");
    else
        add_choose(&html, &event);
    add_checkout(&html, &event);
    buf_add_cstr(&html, "</section>");
    end_page(&html);
    return reply_page(req, 200, &html);
}

/* --- Assets --- */

static err get_asset(struct req *req)
{
    return reply_file(req, &page_files);
}

static const struct route routes[] = {
    {METHOD_GET, "/",                get_list,  AUTH_NONE, NO_BODY, UNKEYED, ON_WORKER},
    {METHOD_GET, "/e/{slug}",        get_event, AUTH_NONE, NO_BODY, UNKEYED, ON_WORKER},
    {METHOD_GET, "/assets/page.css", get_asset, AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP  },
    {METHOD_GET, "/assets/page.js",  get_asset, AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP  },
    {METHOD_GET, "/assets/page.svg", get_asset, AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP  },
};
const struct route_table page_routes = ROUTE_TABLE(routes);
