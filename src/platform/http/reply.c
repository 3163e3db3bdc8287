/* platform/http/reply.c - what a handler gives back, and how it goes out through H2O.
 *
 * Handlers fill exchange->reply, on whatever thread they run. exchange_send is the loop's: it
 * gives H2O pointers into the request's arena, which stays as it is until H2O disposes of its
 * request. */

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "platform/http/etag.h"
#include "platform/http/internal.h"

/* --- For handlers --- */

err reply_text(struct req *req, int status, str content_type, str body)
{
    struct reply *reply = &exchange_of(req)->reply;

    assert(status >= 200 && status <= 599);
    reply->status = status;
    reply->content_type = content_type;
    reply->body = body;
    if (reply->variant != NULL)
        reply->etag = STR_ABSENT;
    reply->variant = NULL;
    return ERR_OK;
}

static void release_blob(void *blob)
{
    blob_release(blob);
}

err reply_blob(struct req *req, int status, struct blob *blob)
{
    struct reply *reply = &exchange_of(req)->reply;
    const enum coding coding = coding_wanted(req_header(req, STR("accept-encoding")));
    const struct variant *variant = blob_variant(blob, coding, req->call.may_block);

    assert(status >= 200 && status <= 599);
    if (variant == NULL)
        return ERR_WOULD_BLOCK;
    arena_on_reset(req->call.arena, release_blob, blob_hold(blob));
    reply->status = status;
    reply->variant = variant;
    reply->body = variant->body;
    reply->etag = variant->etag;
    reply->cache_control = blob_cache_control(blob, req->call.caller.role != ROLE_ANONYMOUS);
    return ERR_OK;
}

err reply_json(struct req *req, int status, const struct json_shape *shape, const void *value)
{
    return reply_text(req, status, STR("application/json"),
                      json_encode(req->call.arena, shape, value));
}

err reply_empty(struct req *req, int status)
{
    return reply_text(req, status, STR_ABSENT, STR_ABSENT);
}

void reply_header(struct req *req, const char *name, str value)
{
    struct reply *reply = &exchange_of(req)->reply;

    assert(reply->header_count < HTTP_REPLY_HEADERS_MAX);
    assert(value.ptr != NULL);
    assert(memchr(value.ptr, '\r', value.size) == NULL);
    assert(memchr(value.ptr, '\n', value.size) == NULL);
    reply->headers[reply->header_count++] = (struct field){.name = str_of(name), .value = value};
}

void reply_etag(struct req *req, str etag)
{
    assert(etag_is_valid(etag));
    exchange_of(req)->reply.etag = etag;
}

void reply_finish(struct exchange *exchange)
{
    const struct req *req = &exchange->req;
    struct reply *reply = &exchange->reply;

    if (reply->status != 200 || reply->etag.ptr == NULL ||
        (req->method != METHOD_GET && req->method != METHOD_HEAD))
        return;
    const str wanted = req_header(req, STR("if-none-match"));
    if (wanted.ptr == NULL || !etag_is_listed(wanted, reply->etag, ETAG_WEAKLY))
        return;
    reply->status = 304;
    reply->content_type = STR_ABSENT;
    reply->body = STR_ABSENT;
}

/* --- To H2O --- */

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"                    },
        {201, "Created"               },
        {202, "Accepted"              },
        {204, "No Content"            },
        {206, "Partial Content"       },
        {301, "Moved Permanently"     },
        {302, "Found"                 },
        {303, "See Other"             },
        {304, "Not Modified"          },
        {307, "Temporary Redirect"    },
        {308, "Permanent Redirect"    },
        {400, "Bad Request"           },
        {401, "Unauthorized"          },
        {402, "Payment Required"      },
        {403, "Forbidden"             },
        {404, "Not Found"             },
        {405, "Method Not Allowed"    },
        {409, "Conflict"              },
        {410, "Gone"                  },
        {412, "Precondition Failed"   },
        {413, "Content Too Large"     },
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable" },
        {422, "Unprocessable Content" },
        {426, "Upgrade Required"      },
        {428, "Precondition Required" },
        {429, "Too Many Requests"     },
        {500, "Internal Server Error" },
        {503, "Service Unavailable"   },
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unnamed";
}

/* Names of headers that every answer has, which so need no copy. */
#define NAME(text) ((h2o_iovec_t){(char[]){text}, sizeof(text) - 1})
static const h2o_iovec_t request_id_name = NAME("x-request-id");
static const h2o_iovec_t traceparent_name = NAME("traceparent");
static const h2o_iovec_t nosniff_name = NAME("x-content-type-options");
static const h2o_iovec_t referrer_name = NAME("referrer-policy");

/* There is room: reply_add_headers has reserved it. A value of several lines is written as it is. */
static void add_header(h2o_headers_t *headers, const h2o_iovec_t *name, str value)
{
    if (value.ptr != NULL)
        headers->entries[headers->size++] = (h2o_header_t){
            .name = mem_unconst(name), .value = {mem_unconst(value.ptr), value.size}
        };
}

static void add_token(h2o_headers_t *headers, const h2o_token_t *token, str value)
{
    add_header(headers, &token->buf, value);
}

/* What the handler has added. True: Cache-Control was among them. */
static bool add_own(h2o_req_t *h2o, struct reply *reply)
{
    bool has_cache_control = false;

    for (size_t i = 0; i < reply->header_count; i++) {
        const struct field *field = &reply->headers[i];

        reply->names[i] = (h2o_iovec_t){mem_unconst(field->name.ptr), field->name.size};
        add_header(&h2o->res.headers, &reply->names[i], field->value);
        has_cache_control = has_cache_control || str_eq(field->name, STR("cache-control"));
    }
    return has_cache_control;
}

/* The lines that were written when the blob was made; a 304 has those that are not about the
 * body alone (RFC 9110 15.4.5). */
static void add_variant(h2o_headers_t *headers, const struct reply *reply)
{
    const struct variant *variant = reply->variant;

    if (reply->status == 304)
        add_token(headers, H2O_TOKEN_VARY,
                  str_slice(variant->head, variant->common_at, variant->head.size));
    else
        add_token(headers, H2O_TOKEN_CONTENT_TYPE, variant->head);
}

void reply_add_headers(struct exchange *exchange)
{
    struct reply *reply = &exchange->reply;
    h2o_req_t *h2o = exchange->h2o;
    h2o_headers_t *headers = &h2o->res.headers;

    h2o_vector_reserve(&h2o->pool, headers, headers->size + reply->header_count + 8);
    const bool has_cache_control = add_own(h2o, reply);
    if (!has_cache_control)
        add_token(headers, H2O_TOKEN_CACHE_CONTROL,
                  reply->variant != NULL ? reply->cache_control : STR("no-store"));
    if (reply->variant != NULL) {
        add_variant(headers, reply);
    } else {
        add_token(headers, H2O_TOKEN_CONTENT_TYPE, reply->content_type);
        add_token(headers, H2O_TOKEN_ETAG, reply->etag);
        add_header(headers, &nosniff_name, STR("nosniff"));
        add_header(headers, &referrer_name, STR("no-referrer"));
    }
    add_header(headers, &request_id_name, exchange->req.call.request_id);
    add_header(headers, &traceparent_name, exchange->traceparent);
}

static void log_access(const struct exchange *exchange)
{
    const struct req *req = &exchange->req;
    const int64_t ns = clock_stopwatch_ns() - exchange->begun_ns;

    log_event(exchange->server->node->log, LOG_INFO, "http.request",
              LOG_TEXT("request", req->call.request_id),
              LOG_CSTR("method", method_name(req->method)),
              LOG_CSTR("route", req->route != NULL ? req->route->path : "none"),
              LOG_I64("status", exchange->reply.status), LOG_I64("ms", ns / 1000000));
}

void exchange_send(struct exchange *exchange)
{
    static h2o_generator_t generator; /* H2O only compares its address and finds no callbacks */
    const struct reply *reply = &exchange->reply;
    h2o_req_t *h2o = exchange->h2o;

    meter_count(exchange);
    if (exchange->server->access_log)
        log_access(exchange);
    if (h2o == NULL) {
        exchange_give_back(exchange);
        return;
    }
    if (reply->status == 101) {
        ws_upgrade(exchange);
        return;
    }
    struct sentry *sentry = sentry_of(h2o);
    const bool has_no_body = reply->status == 204 || reply->status == 304;
    if (atomic_load_explicit(&exchange->server->stopping, memory_order_relaxed))
        h2o->http1_is_persistent = 0;
    h2o->res.status = reply->status;
    h2o->res.reason = reason_of(reply->status);
    h2o->res.content_length = has_no_body ? SIZE_MAX : reply->body.size;
    reply_add_headers(exchange);
    exchange->answered_ms = h2o_now(exchange->loop->context.loop);
    exchange->answered = true; /* from here on H2O's disposal gives it back */

    h2o_iovec_t body = h2o_iovec_init(reply->body.ptr, reply->body.size);
    const bool sends_body =
        !has_no_body && exchange->req.method != METHOD_HEAD && reply->body.size > 0;
    h2o_start_response(h2o, &generator);
    h2o_send(h2o, &body, sends_body ? 1 : 0, H2O_SEND_STATE_FINAL);
    sentry_answering(sentry);
}
