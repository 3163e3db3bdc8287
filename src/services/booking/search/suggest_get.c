/* booking/search/suggest_get.c - GET /events/suggest: what somebody may be typing, answered from memory.
 *
 * Asked for at every key that is pressed, so it runs on the loop and nothing is stored. Nothing typed yet is no mistake. */
#include "services/booking/catalog.h"
#include "services/booking/search/event.h"
#include "services/booking/state.h"

enum { ANSWER_SIZE_MAX = 64 * 1024, TEXT_LETTERS_MAX = 200 };

struct suggest_query {
    str q;
    int64_t limit;
};
static const struct json_field query_fields[] = {
    JSON_F_TEXT("q", struct suggest_query, q, 0, TEXT_LETTERS_MAX, JSON_OPTIONAL),
    JSON_F_I64("limit", struct suggest_query, limit, 1, SUGGESTIONS_MAX, JSON_OPTIONAL),
};
static const struct json_shape query_shape = JSON_SHAPE(query_fields, struct suggest_query);

/* "q=" is a field that nothing was typed into yet; other empty values are mistakes. */
static str without_empty_q(struct arena *arena, str query)
{
    struct buf out = buf_in(arena, query.size + 1);
    str part = STR_ABSENT;

    while (str_split(&query, '&', &part)) {
        if (str_eq(part, STR("q=")))
            continue;
        buf_add_cstr(&out, out.size > 0 ? "&" : "");
        buf_add(&out, part);
    }
    return out.size > 0 ? buf_str(&out) : STR_ABSENT;
}

/* --- Writing --- */

static void write_id(struct buf *out, const char *name, const char *prefix, struct uuid id)
{
    buf_printf(out, ",\"%s\":\"%s\"", name, id_format(prefix, id).text);
}

static void write_member(struct buf *out, const char *name, str text)
{
    buf_printf(out, ",\"%s\":", name);
    json_write_text(out, text);
}

static void write_whose(struct buf *out, const struct suggestion *suggestion)
{
    const struct event *event = suggestion->event;

    switch (suggestion->kind) {
    case SUGGEST_EVENT:
        write_id(out, "id", EVENT_PREFIX, event->id.uuid);
        write_member(out, "slug", event->slug);
        break;
    case SUGGEST_ARTIST:
        write_id(out, "id", ARTIST_PREFIX, suggestion->of);
        break;
    case SUGGEST_VENUE:
        write_id(out, "id", VENUE_PREFIX, suggestion->of);
        write_member(out, "city", event->venue->city);
        break;
    case SUGGEST_CITY:
        break;
    }
}

static void write_suggestion(struct buf *out, const struct suggestion *suggestion)
{
    static const char *const kinds[] = {"event", "artist", "venue", "city"};

    buf_printf(out, "{\"kind\":\"%s\"", kinds[suggestion->kind]);
    write_member(out, "text", suggestion->text);
    write_whose(out, suggestion);
    buf_printf(out, ",\"events\":%zu,\"ranges\":", suggestion->event_count);
    search_ranges_write(out, suggestion->ranges, suggestion->range_count);
    buf_add_char(out, '}');
}

/* --- Handlers --- */

static err get_suggestions(struct req *req)
{
    struct suggest_query query = {.limit = SUGGESTIONS_STANDARD};
    struct catalog *catalog = booking_of(&req->call)->catalog;
    struct buf out = buf_in(req->call.arena, ANSWER_SIZE_MAX);
    struct suggestion found[SUGGESTIONS_MAX];
    size_t count = 0;

    if (req->query.ptr != NULL)
        req->query = without_empty_q(req->call.arena, req->query);
    TRY(req_query(req, &query_shape, &query));
    buf_add_cstr(&out, "{\"data\":[");
    catalog_read_begin(catalog);
    if (query.q.ptr != NULL)
        count = suggestions_find(catalog_suggestions(catalog), req->call.arena, query.q,
                                 req->call.now_ms, (size_t)query.limit, found);
    for (size_t i = 0; i < count; i++) {
        buf_add_cstr(&out, i > 0 ? "," : "");
        write_suggestion(&out, &found[i]);
    }
    catalog_read_end(catalog);
    buf_add_cstr(&out, "]}");
    if (out.overflow)
        return ERR_INTERNAL;
    reply_header(req, "cache-control", STR("public, max-age=10"));
    return reply_text(req, 200, STR("application/json"), buf_str(&out));
}

static const struct route routes[] = {
    {METHOD_GET, "/events/suggest", get_suggestions, AUTH_NONE, NO_BODY, UNKEYED, ON_LOOP},
};
const struct route_table suggest_routes = ROUTE_TABLE(routes);
