/* gateway/page.c - the first pages, written by the server from what booking's ops say; the script
 * beside it buys through the public API.
 *
 * Everything that came from people goes through page_add_text. Scripts and styles are files of ours
 * only, so the policy forbids all others. */
#include "services/gateway/page.h"

#include "services/booking/booking.h"

enum { PAGE_SLUG_SIZE_MAX = 200, PAGE_SIZE_MAX = 1024 * 1024 };

extern const char page_css[], page_css_end[], page_js[], page_js_end[]; /* page_assets.S */

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

static void begin_page(struct buf *html, str title)
{
    buf_add_cstr(html, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    add_element(html, "<title>", title, "</title>");
    buf_add_cstr(html, "<link rel=\"stylesheet\" href=\"/assets/page.css\"><script "
                       "src=\"/assets/page.js\" defer></script>");
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

static void add_card(struct buf *html, const struct booking_card *card)
{
    buf_add_cstr(html, "<li><a href=\"/e/");
    page_add_text(html, card->slug);
    buf_add_cstr(html, "\">");
    add_element(html, "<span class=\"name\">", card->name, "</span>");
    add_element(html, "<span class=\"price\">", card->price, "</span>");
    add_element(html, "<span class=\"soft\">", card->when, "</span>");
    add_element(html, "<span class=\"soft price\">", card->place, "</span>");
    buf_add_cstr(html, "</a></li>\n");
}

static err get_list(struct req *req)
{
    struct arena *arena = req->call.arena;
    struct buf html = buf_in(arena, PAGE_SIZE_MAX);
    struct list_query in = {0};
    struct booking_cards found = {0};

    TRY(req_query(req, &list_shape, &in));
    const struct booking_event_cards_in cards = {api_query(arena, &in)};
    TRY(booking_event_cards(&req->call, &cards, &found));
    begin_page(&html, STR("Events"));
    buf_add_cstr(&html,
                 "</head><body><header><a href=\"/\">Boxoffice</a></header><main><h1>Events</h1>");
    if (in.order.size > 0)
        buf_add_cstr(&html, "<section role=\"status\">Thank you. Your tickets come by mail as soon "
                            "as the payment is through.</section>");
    buf_add_cstr(&html, "<form class=\"search\" role=\"search\"><input type=\"search\" "
                        "name=\"search\" aria-label=\"Search\" "
                        "placeholder=\"Artist, event, venue or city\" value=\"");
    page_add_text(&html, in.search);
    buf_add_cstr(&html, "\"><button>Search</button></form><ul class=\"cards\">");
    for (size_t i = 0; i < found.card_count; i++)
        add_card(&html, &found.cards[i]);
    buf_add_cstr(&html, "</ul>");
    if (found.card_count == 0)
        buf_add_cstr(&html, in.search.size > 0
                                ? "<p>Nothing was found. A shorter word may find more.</p>"
                                : "<p>There are no events yet.</p>");
    if (found.next_cursor.size > 0) {
        buf_add_cstr(&html, "<p><a rel=\"next\" href=\"/?search=");
        add_query_value(&html, in.search);
        add_element(&html, "&amp;cursor=", found.next_cursor, "\">More events</a></p>");
    }
    buf_add_cstr(&html, "</main></body></html>\n");
    return reply_page(req, 200, &html);
}

/* --- An event --- */

static void add_meta(struct buf *html, const struct booking_page *event)
{
    add_element(
        html, "<meta property=\"og:type\" content=\"event\"><meta property=\"og:title\" content=\"",
        event->name, "\">");
    buf_add_cstr(html, "<meta name=\"description\" content=\"");
    page_add_text(html, event->when);
    add_element(html, ", ", event->place, "");
    buf_add_cstr(html, "\">");
}

static void add_offer(struct buf *html, const struct booking_offer *offer)
{
    buf_add_cstr(html, "<div class=\"row\"><span>");
    page_add_text(html, offer->name);
    add_element(html, "<br><span class=\"soft\">", offer->price_text, "</span>");
    buf_add_cstr(html, "</span>");
    if (str_eq(offer->status, STR("on_sale"))) {
        buf_printf(html,
                   "<input type=\"number\" min=\"0\" max=\"%lld\" value=\"0\" "
                   "inputmode=\"numeric\" data-type=\"%s\" aria-label=\"Tickets: ",
                   (long long)offer->quantity_max,
                   id_format(TICKET_TYPE_PREFIX, offer->ticket_type.uuid).text);
        page_add_text(html, offer->name);
        buf_add_cstr(html, "\">");
    } else {
        buf_add_cstr(html, str_eq(offer->status, STR("sold_out"))
                               ? "<span class=\"soft\">Sold out</span>"
                               : "<span class=\"soft\">Not on sale</span>");
    }
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
    buf_add_cstr(html, "<section><form id=\"choose\"><h2>Tickets</h2>");
    for (size_t i = 0; i < event->offer_count; i++)
        add_offer(html, &event->offers[i]);
    buf_add_cstr(html, "<p class=\"message\" id=\"choose-message\" role=\"status\"></p>");
    if (any_on_sale(event))
        buf_add_cstr(html, "<button>Book</button>");
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

static void add_checkout(struct buf *html, const struct booking_page *event)
{
    buf_add_cstr(
        html,
        "<form id=\"sign-in\" hidden><h2>Who are the tickets for?</h2><div class=\"fields\">"
        "<label>E-mail<input type=\"email\" name=\"email\" autocomplete=\"email\" required></label>"
        "<label>Password<input type=\"password\" name=\"password\" minlength=\"8\" "
        "autocomplete=\"current-password\" required></label>"
        "<label>Name, if you are new here<input name=\"name\" autocomplete=\"name\" "
        "maxlength=\"100\"></label></div>"
        "<p class=\"message\" id=\"sign-in-message\" role=\"status\"></p>"
        "<button value=\"/login\">Sign in</button> <button value=\"/register\">Create an "
        "account</button></form>"
        "<form id=\"pay\" hidden><h2>Pay <span id=\"total\"></span></h2>"
        "<p class=\"soft\">Held for you until <span id=\"until\"></span>.</p><div "
        "class=\"fields\"><label id=\"methods\">Method<select name=\"method\">");
    for (size_t i = 0; i < event->accepted_count; i++)
        add_method(html, &event->accepted[i]);
    buf_add_cstr(html, "</select></label><span id=\"free\" hidden>Nothing to pay.</span></div>"
                       "<p class=\"message\" id=\"pay-message\" role=\"status\"></p><button>Get "
                       "the tickets</button></form>"
                       "<div id=\"done\" hidden><h2 id=\"done-title\">Your tickets</h2><p "
                       "class=\"message\" id=\"done-message\" role=\"status\"></p>"
                       "<div class=\"tickets\" id=\"tickets\"></div><p><button id=\"pdf\">Open as "
                       "PDF</button></p></div></section>");
}

static err get_event(struct req *req)
{
    struct buf html = buf_in(req->call.arena, PAGE_SIZE_MAX);
    const struct booking_event_page_in in = {req_param(req, "slug")};
    struct booking_page event = {0};

    if (in.slug.size > PAGE_SLUG_SIZE_MAX)
        return ERR_NOT_FOUND;
    TRY(booking_event_page(&req->call, &in, &event));
    begin_page(&html, event.name);
    add_meta(&html, &event);
    buf_printf(&html,
               "</head><body><header><a href=\"/\">Boxoffice</a></header><main data-event=\"%s\">",
               id_format(EVENT_PREFIX, event.event.uuid).text);
    add_element(&html, "<h1>", event.name, "</h1>");
    buf_add_cstr(&html, "<p>");
    page_add_text(&html, event.when);
    add_element(&html, "<br>", event.place, "");
    buf_add_cstr(&html, "</p>");
    if (str_eq(event.status, STR("cancelled")))
        buf_add_cstr(&html, "<section role=\"status\">This event has been cancelled.</section>");
    add_element(&html, "<p class=\"description\">", event.description, "</p>");
    if (str_starts(event.url, STR("https://")) || str_starts(event.url, STR("http://"))) {
        add_element(&html, "<p><a rel=\"noopener noreferrer\" href=\"", event.url, "\">");
        add_element(&html, "", event.url, "</a></p>");
    }
    add_choose(&html, &event);
    add_checkout(&html, &event);
    buf_add_cstr(&html, "</main></body></html>\n");
    return reply_page(req, 200, &html);
}

/* --- Assets --- */

static err reply_asset(struct req *req, str content_type, str body)
{
    reply_header(req, "cache-control", STR("public, max-age=300"));
    reply_etag(req,
               arena_printf(req->call.arena, "\"%016llx\"", (unsigned long long)str_hash(body)));
    return reply_text(req, 200, content_type, body);
}

static err get_css(struct req *req)
{
    return reply_asset(req, STR("text/css; charset=utf-8"),
                       (str){page_css, (size_t)(page_css_end - page_css)});
}

static err get_js(struct req *req)
{
    return reply_asset(req, STR("text/javascript; charset=utf-8"),
                       (str){page_js, (size_t)(page_js_end - page_js)});
}

static const struct route routes[] = {
    {METHOD_GET, "/",                get_list,  AUTH_NONE, NO_BODY, UNKEYED, ON_WORKER},
    {METHOD_GET, "/e/{slug}",        get_event, AUTH_NONE, NO_BODY, UNKEYED, ON_WORKER},
    {METHOD_GET, "/assets/page.css", get_css,   AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP  },
    {METHOD_GET, "/assets/page.js",  get_js,    AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP  },
};
const struct route_table page_routes = ROUTE_TABLE(routes);
