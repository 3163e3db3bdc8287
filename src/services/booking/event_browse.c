/* booking/event_browse.c - GET /events: from the query to an answer that lies ready, or is made.
 *
 * An answer is a blob under the query's key, true for as long as nothing that it was made of has
 * changed (list_cache.c), so browsing costs one look into a table. What has to be made and takes
 * longer, a worker makes: the loop has others to serve. What only its vendor sees is never kept. */

#include "services/booking/event_browse.h"

#include <assert.h>

#include "platform/crypto/crypto.h"
#include "platform/http/blob.h"
#include "services/booking/catalog.h"
#include "services/booking/event_list.h"
#include "services/booking/list_cache.h"
#include "services/booking/search/event.h"
#include "services/booking/state.h"
#include "services/booking/stock.h"

enum {
    ANSWER_SIZE_MAX = 4 * 1024 * 1024,
    SHOWN_SIZE_MAX = 16384,
    ETAG_DIGEST_SIZE = 8,
    PAGE_FRAME_SIZE = 256, /* what stands around the events */
    HIGHLIGHTS_SIZE = 200, /* of an event, mostly */
    QUICK_EVENTS_MAX = 4096,
};

/* --- Making an answer --- */

/* As much as a page mostly has. Growing to it step by step would copy most of it once more. */
static size_t expected_size(const struct event_page *page)
{
    size_t size = PAGE_FRAME_SIZE;

    for (size_t i = 0; i < page->count; i++)
        size += page->events[i]->json.size + (page->pattern != NULL ? HIGHLIGHTS_SIZE : 1);
    return size;
}

static err write_page(struct call *call, const struct event_page *page, struct buf *out)
{
    (void)buf_room(out, expected_size(page));
    buf_add_cstr(out, "{\"data\":[");
    for (size_t i = 0; i < page->count; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        if (page->pattern != NULL)
            search_event_write(out, call->arena, page->events[i], page->pattern);
        else
            buf_add(out, page->events[i]->json);
    }
    buf_add_cstr(out, "],\"next_cursor\":");
    json_write_text(out, page->next_cursor);
    buf_add_char(out, '}');
    return out->overflow ? ERR_INTERNAL : ERR_OK;
}

/* Of what is shown, and not of its bytes: those are many, and each event's were counted when it
 * was rendered. */
static str etag_of(struct call *call, const struct event_query *query,
                   const struct event_page *page)
{
    struct buf shown = buf_in(call->arena, SHOWN_SIZE_MAX);
    struct buf etag = buf_in(call->arena, 2 * ETAG_DIGEST_SIZE + 2);
    uint8_t digest[SHA256_SIZE];

    buf_add_cstr(&shown, event_query_name(call, query));
    buf_add_char(&shown, '\0');
    buf_add(&shown, page->next_cursor);
    buf_add_char(&shown, '\0');
    for (size_t i = 0; i < page->count; i++)
        buf_add(&shown, (str){(const char *)&page->events[i]->digest, sizeof(uint64_t)});
    assert(!shown.overflow);
    sha256(buf_str(&shown), digest);
    buf_add_char(&etag, '"');
    buf_add(&etag, hex_encode(call->arena, (str){(const char *)digest, ETAG_DIGEST_SIZE}));
    buf_add_char(&etag, '"');
    return buf_str(&etag);
}

static err make(struct call *call, const struct event_query *query, struct list_basis *ret_basis,
                struct blob **ret)
{
    CLEANUP(event_page_done) struct event_page page = {0};
    CLEANUP(buf_done) struct buf body = buf_on_heap(ANSWER_SIZE_MAX);

    TRY(event_list(call, query, &page));
    TRY(write_page(call, &page, &body));
    const struct blob_options options = {
        .content_type = STR("application/json"),
        .body = buf_str(&body),
        .etag = etag_of(call, query, &page),
        .cache_control = STR("public, max-age=5, stale-while-revalidate=30"),
        .cache_control_known = STR("private, no-cache"),
    };
    *ret = blob_new(&options);
    *ret_basis = page.basis;
    return ERR_OK;
}

static err make_and_keep(struct call *call, const struct event_query *query, str key,
                         struct blob **ret)
{
    struct list_cache *lists = booking_of(call)->lists;
    struct list_basis basis;
    const err e = make(call, query, &basis, ret);

    if (e == ERR_OK)
        list_cache_put(lists, key, &basis, *ret);
    else
        list_cache_give_up(lists, key);
    return e;
}

/* --- Finding one --- */

/* May it be made right here? A loop looks at all events only while they are few. */
static bool may_make(const struct call *call, const struct event_query *query)
{
    return call->may_block || event_query_is_ordered(query) ||
           catalog_event_count(booking_of(call)->catalog) <= QUICK_EVENTS_MAX;
}

static err find_or_make(struct call *call, const struct event_query *query, str key,
                        struct blob **ret)
{
    const struct booking *booking = booking_of(call);
    const struct list_basis now = {
        .catalog = catalog_version(booking->catalog),
        .stock = stock_version(booking->stock),
        .from_ms = call->now_ms,
    };
    struct list_basis unused;

    for (;;)
        switch (list_cache_find(booking->lists, key, &now, may_make(call, query), ret)) {
        case LIST_FOUND:
            return ERR_OK;
        case LIST_MAKE:
            return make_and_keep(call, query, key, ret);
        case LIST_BUSY:
            if (call->may_block)
                list_cache_wait(booking->lists, key);
            else if (may_make(call, query))
                return make(call, query, &unused, ret);
            else
                return ERR_WOULD_BLOCK;
        }
}

/* --- Handlers --- */

static err get_own_events(struct req *req, const struct event_query *query)
{
    CLEANUP(event_page_done) struct event_page page = {0};
    struct buf body = buf_in(req->call.arena, ANSWER_SIZE_MAX);

    TRY(event_list(&req->call, query, &page));
    TRY(write_page(&req->call, &page, &body));
    return reply_text(req, 200, STR("application/json"), buf_str(&body));
}

static err get_events(struct req *req)
{
    CLEANUP(blob_release_at) struct blob *answer = NULL;
    struct event_query *query = event_query_new(req->call.arena);
    struct list_basis unused;

    TRY(req_query(req, &event_query_shape, query));
    const str key = event_query_key(&req->call, query);
    if (key.ptr == NULL)
        return get_own_events(req, query);
    if (key.size <= LIST_CACHE_KEY_SIZE_MAX)
        TRY(find_or_make(&req->call, query, key, &answer));
    else
        TRY(make(&req->call, query, &unused, &answer));
    return reply_blob(req, 200, answer);
}

static const struct route routes[] = {
    {METHOD_GET, "/events", get_events, AUTH_OPTIONAL, NO_BODY, UNKEYED, ON_LOOP},
};
const struct route_table event_browse_routes = ROUTE_TABLE(routes);
