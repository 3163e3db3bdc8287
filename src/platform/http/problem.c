/* platform/http/problem.c - makes the problem document (RFC 9457) of a refused request.
 *
 * What failed inside is logged here, once, with the request's id and the trail; the client
 * learns only that id. */

#include "platform/http/internal.h"

enum { PROBLEM_SIZE_MAX = 128 * 1024 };

/* Errors that say something to this process alone. */
static bool is_internal(err e)
{
    return e == ERR_INTERNAL || e == ERR_WOULD_BLOCK || e == ERR_PARKED || e == ERR_DUPLICATE ||
           e == ERR_CRASHED || e == ERR_OK;
}

static void log_failure(struct exchange *exchange, err e)
{
    const struct route *route = exchange->req.route;
    struct call *call = &exchange->req.call;

    log_event(exchange->server->node->log, LOG_ERROR, "http.failed",
              LOG_TEXT("request", call->request_id),
              LOG_CSTR("method", method_name(exchange->req.method)),
              LOG_CSTR("route", route != NULL ? route->path : "none"),
              LOG_TEXT("why", call_failure(call, e)));
}

static void add_errors(struct buf *text, const struct json_errors *errors)
{
    for (size_t i = 0; i < errors->count; i++) {
        buf_add_cstr(text, i == 0 ? ",\"errors\":[{\"pointer\":" : ",{\"pointer\":");
        json_write_text(text, errors->items[i].pointer);
        buf_add_cstr(text, ",\"detail\":");
        json_write_text(text, errors->items[i].detail);
        buf_add_char(text, '}');
    }
    if (errors->count > 0)
        buf_add_char(text, ']');
}

static str problem_text(const struct call *call, err e, const struct problem *problem)
{
    struct buf text = buf_in(call->arena, PROBLEM_SIZE_MAX);

    buf_printf(&text, "{\"type\":\"/problems/%s\",\"title\":", err_name(e));
    json_write_text(&text, str_of(err_title(e)));
    buf_printf(&text, ",\"status\":%d", err_status(e));
    if (problem->detail.ptr != NULL) {
        buf_add_cstr(&text, ",\"detail\":");
        json_write_text(&text, problem->detail);
    }
    buf_printf(&text, ",\"code\":\"%s\"", err_name(e));
    add_errors(&text, &problem->errors);
    buf_add(&text, buf_str(&problem->members));
    buf_add_cstr(&text, ",\"request_id\":");
    json_write_text(&text, call->request_id);
    buf_add_char(&text, '}');
    return buf_str(&text);
}

/* RFC 6750 3: a token that was sent and is not good is told apart from none at all. */
static void add_challenge(struct exchange *exchange, err e)
{
    const bool had_token =
        exchange->req.authorization.ptr != NULL || exchange->authorization_is_malformed;
    const bool is_dead =
        e == ERR_TOKEN_EXPIRED || e == ERR_TOKEN_REVOKED || (e == ERR_UNAUTHENTICATED && had_token);

    reply_header(&exchange->req, "www-authenticate",
                 is_dead ? STR("Bearer error=\"invalid_token\"") : STR("Bearer"));
}

/* What the handler said of a document that does not come: its caching, its tag, its language. */
static void drop_document_headers(struct reply *reply)
{
    static const char *const of_document[] = {"cache-control", "vary", "last-modified",
                                              "content-disposition", "content-language"};
    size_t kept = 0;

    for (size_t i = 0; i < reply->header_count; i++) {
        bool is_dropped = false;
        for (size_t k = 0; k < sizeof(of_document) / sizeof(of_document[0]); k++)
            is_dropped = is_dropped || str_eq(reply->headers[i].name, str_of(of_document[k]));
        if (!is_dropped)
            reply->headers[kept++] = reply->headers[i];
    }
    reply->header_count = kept;
    reply->etag = STR_ABSENT;
}

void problem_reply(struct exchange *exchange, err e)
{
    static const struct problem untold = {
        .detail = STR("Something went wrong on our side. The request id helps us to find it.")};
    struct req *req = &exchange->req;
    const struct problem *problem = &req->call.problem;

    if (is_internal(e)) {
        log_failure(exchange, e);
        problem = &untold;
        e = ERR_INTERNAL;
    }
    if (e == ERR_CONTENDED) /* by now it should have been run again */
        e = ERR_OVERLOADED;
    drop_document_headers(&exchange->reply);
    if (err_status(e) == 401)
        add_challenge(exchange, e);
    if (err_status(e) == 429 || err_status(e) == 503)
        reply_header(req, "retry-after",
                     arena_printf(req->call.arena, "%d",
                                  problem->retry_after_s > 0 ? problem->retry_after_s : 1));
    exchange->reply.status = err_status(e);
    exchange->reply.variant = NULL;
    exchange->reply.content_type = STR("application/problem+json");
    exchange->reply.body = problem_text(&req->call, e, problem);
}
