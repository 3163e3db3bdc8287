/* platform/http/body.c - decodes bodies and queries, and the preconditions that come with them.
 *
 * The order in which req_body refuses is part of the API: 413, 415, a missing Idempotency-Key,
 * then what is wrong with the text itself, then with its fields. */

#include <inttypes.h>

#include "platform/http/etag.h"
#include "platform/http/internal.h"

/* --- The body --- */

/* "application/json", and no charset but UTF-8; other parameters say nothing to us. */
static bool is_json(str content_type)
{
    str rest = content_type;
    str part;

    if (!str_split(&rest, ';', &part) || !str_eq_nocase(str_trim(part), STR("application/json")))
        return false;
    while (str_split(&rest, ';', &part)) {
        str value = part;
        str name;
        (void)str_split(&value, '=', &name);
        if (!str_eq_nocase(str_trim(name), STR("charset")))
            continue;
        value = str_trim(value);
        if (!str_eq_nocase(value, STR("utf-8")) && !str_eq_nocase(value, STR("\"utf-8\"")))
            return false;
    }
    return true;
}

static err check_key(struct req *req, str key)
{
    if (key.ptr == NULL)
        return req->route->idempotency == KEYED
                   ? call_explain(&req->call, ERR_KEY_REQUIRED,
                                  "This needs an Idempotency-Key header.")
                   : ERR_OK;
    bool is_printable = true;
    for (size_t i = 0; i < key.size; i++)
        is_printable = is_printable && key.ptr[i] > ' ' && key.ptr[i] < 0x7f;
    if (key.size == 0 || key.size > HTTP_KEY_SIZE_MAX || !is_printable)
        return call_explain(&req->call, ERR_MALFORMED,
                            "An Idempotency-Key is 1 to %d printable ASCII characters.",
                            HTTP_KEY_SIZE_MAX);
    return ERR_OK;
}

static err parse_body(struct req *req, struct json_doc **ret)
{
    str detail = STR_ABSENT;

    if (req->body.size == 0)
        return call_explain(&req->call, ERR_MALFORMED, "A JSON body is required.");
    const err e = json_parse(req->call.arena, req->body, ret, &detail);
    if (e == ERR_MALFORMED && detail.ptr != NULL)
        return call_explain(&req->call, e, "%.*s", STR_ARG(detail));
    return e;
}

err req_body(struct req *req, const struct json_shape *shape, void *value)
{
    struct call *call = &req->call;
    struct json_doc *doc = NULL;

    if (exchange_of(req)->body_size > req->route->body_max)
        return call_explain(call, ERR_TOO_LARGE, "The body may have at most %zu bytes.",
                            req->route->body_max);
    if (!is_json(req_header(req, STR("content-type"))))
        return call_explain(call, ERR_UNSUPPORTED_MEDIA_TYPE,
                            "The body must be application/json in UTF-8.");
    TRY(check_key(req, req_header(req, STR("idempotency-key"))));
    TRY(parse_body(req, &doc));
    req->doc = doc;
    return json_decode(call->arena, doc, shape, value, &call->problem.errors);
}

err req_query(struct req *req, const struct json_shape *shape, void *value)
{
    const str query = req->query.ptr != NULL ? req->query : STR("");

    return json_decode_query(req->call.arena, query, shape, value, &req->call.problem.errors);
}

/* --- Preconditions --- */

err req_key(struct req *req, str *ret_key, uint8_t ret_digest[32])
{
    static const uint8_t no_body_digest[32];
    const str key = req_header(req, STR("idempotency-key"));

    TRY(check_key(req, key));
    *ret_key = key;
    if (req->doc != NULL)
        json_digest(req->doc, ret_digest);
    else
        memcpy(ret_digest, no_body_digest, sizeof(no_body_digest));
    return ERR_OK;
}

/* Whoever saw the document compressed has seen the same document. */
static bool names_variant(struct req *req, str wanted, str etag)
{
    for (int i = CODING_GZIP; i < CODING_COUNT; i++)
        if (etag_is_listed(wanted,
                           arena_printf(req->call.arena, "%.*s-%.*s\"", (int)etag.size - 1,
                                        etag.ptr, STR_ARG(coding_name((enum coding)i))),
                           ETAG_STRONGLY))
            return true;
    return false;
}

err req_if_match(struct req *req, str etag)
{
    const str wanted = req_header(req, STR("if-match"));

    if (wanted.ptr == NULL)
        return call_explain(&req->call, ERR_PRECONDITION_REQUIRED,
                            "Send the ETag that you have seen as If-Match.");
    if (!etag_is_listed(wanted, etag, ETAG_STRONGLY) && !names_variant(req, wanted, etag))
        return call_explain(&req->call, ERR_STALE, "It is %.*s now.", STR_ARG(etag));
    return ERR_OK;
}
