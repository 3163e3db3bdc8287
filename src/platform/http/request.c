/* platform/http/request.c - reads what H2O parsed into a struct req, and answers questions about
 * it.
 *
 * Everything is copied into the request's arena: a request outlives its connection where a
 * worker or somebody who parked it still has it. Nothing here refuses; what cannot be read (a
 * bearer token, an id) leaves its mark for the dispatcher. */

#include <assert.h>
#include <string.h>

#include "platform/http/internal.h"

static str str_of_iovec(h2o_iovec_t iovec)
{
    return (str){iovec.base, iovec.len};
}

/* --- The head --- */

static void read_target(struct exchange *exchange, str target)
{
    const str path = guard_target_path(target);
    const char *mark = path.size > 0 ? memchr(path.ptr, '?', path.size) : NULL;
    const size_t end = mark != NULL ? (size_t)(mark - path.ptr) : path.size;
    struct req *req = &exchange->req;

    req->path = end > 0 ? arena_str(req->call.arena, str_slice(path, 0, end)) : STR("/");
    if (mark != NULL)
        req->query = arena_str(req->call.arena, str_slice(path, end + 1, path.size));
}

static struct field *find_field(const struct exchange *exchange, str name)
{
    for (size_t i = 0; i < exchange->field_count; i++)
        if (str_eq(exchange->fields[i].name, name))
            return &exchange->fields[i];
    return NULL;
}

/* A field that comes in several lines is one list (RFC 9110 5.3). What may not be a list (a
 * token, a media type) so becomes something that is none, instead of whichever line somebody
 * looks at first. */
static void add_field(struct exchange *exchange, str name, str value)
{
    struct arena *arena = exchange->req.call.arena;
    struct field *field = find_field(exchange, name);

    if (field == NULL) {
        exchange->fields[exchange->field_count++] =
            (struct field){.name = name, .value = arena_str(arena, value)};
        return;
    }
    field->value = arena_printf(arena, "%.*s%s%.*s", STR_ARG(field->value),
                                str_eq(name, STR("cookie")) ? "; " : ", ", STR_ARG(value));
}

static void read_fields(struct exchange *exchange, const h2o_req_t *h2o)
{
    struct arena *arena = exchange->req.call.arena;

    exchange->fields = arena_new_array(arena, struct field, h2o->headers.size + 2);
    for (size_t i = 0; i < h2o->headers.size; i++) {
        const h2o_header_t *header = &h2o->headers.entries[i];
        str name = str_of_iovec(*header->name);
        if (!h2o_iovec_is_token(header->name)) /* a token is a constant of H2O's */
            name = arena_str(arena, name);
        add_field(exchange, name, str_trim(str_of_iovec(header->value)));
    }
    /* H2O keeps these two apart from the rest. */
    if (h2o->input.authority.base != NULL)
        add_field(exchange, STR("host"), str_trim(str_of_iovec(h2o->input.authority)));
    if (h2o->upgrade.base != NULL && h2o->version >= 0x101) /* RFC 9110 7.8 */
        add_field(exchange, STR("upgrade"), str_trim(str_of_iovec(h2o->upgrade)));
}

/* --- What some of them mean --- */

/* b64token (RFC 6750 2.1). */
static bool is_token68(str s)
{
    size_t i = 0;

    while (i < s.size &&
           ((s.ptr[i] >= 'a' && s.ptr[i] <= 'z') || (s.ptr[i] >= 'A' && s.ptr[i] <= 'Z') ||
            (s.ptr[i] >= '0' && s.ptr[i] <= '9') ||
            (s.ptr[i] != '\0' && strchr("-._~+/", s.ptr[i]) != NULL)))
        i++;
    const size_t characters = i;
    while (i < s.size && s.ptr[i] == '=')
        i++;
    return characters > 0 && i == s.size;
}

static void read_authorization(struct exchange *exchange)
{
    static const str bearer = {"bearer ", 7};
    const str header = req_header(&exchange->req, STR("authorization"));

    if (header.ptr == NULL)
        return;
    const str token = str_trim(str_slice(header, bearer.size, header.size));
    if (str_eq_nocase(str_slice(header, 0, bearer.size), bearer) && is_token68(token))
        exchange->req.authorization = token;
    else
        exchange->authorization_is_malformed = true;
}

static bool is_safe_id(str id)
{
    for (size_t i = 0; i < id.size; i++) {
        const char c = id.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == '-'))
            return false;
    }
    return id.size > 0 && id.size <= HTTP_REQUEST_ID_SIZE_MAX;
}

static void put_hex(char *to, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        to[i * 2] = digits[bytes[i] >> 4];
        to[i * 2 + 1] = digits[bytes[i] & 15];
    }
}

/* RFC 9562 4: 8-4-4-4-12. */
static str uuid_text(struct arena *arena, struct uuid id)
{
    static const struct {
        size_t from, size, to;
    } parts[] = {
        {0,  4, 0 },
        {4,  2, 9 },
        {6,  2, 14},
        {8,  2, 19},
        {10, 6, 24}
    };
    char text[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        put_hex(text + parts[i].to, id.bytes + parts[i].from, parts[i].size);
    return arena_str(arena, (str){text, sizeof(text) - 1});
}

static void read_request_id(struct exchange *exchange)
{
    struct call *call = &exchange->req.call;
    const str sent = req_header(&exchange->req, STR("x-request-id"));

    if (is_safe_id(sent))
        call->request_id = sent;
    else
        call->request_id = uuid_text(call->arena, uuid_new(&exchange->loop->ids.rng, call->now_ms));
}

/* `size` lower-case hex digits from `at`, not all zero. */
static bool is_hex_part(str s, size_t at, size_t size)
{
    bool is_zero = true;

    for (size_t i = at; i < at + size; i++) {
        const char c = s.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
        is_zero = is_zero && c == '0';
    }
    return !is_zero;
}

/* W3C Trace Context, version 00: "00-" trace id "-" parent id "-" flags. */
static bool is_traceparent(str s)
{
    if (s.size != HTTP_TRACEPARENT_SIZE || !str_starts(s, STR("00-")) || s.ptr[35] != '-' ||
        s.ptr[52] != '-')
        return false;
    const bool has_flags = is_hex_part(s, 53, 2) || str_ends(s, STR("-00"));
    return is_hex_part(s, 3, 32) && is_hex_part(s, 36, 16) && has_flags;
}

static void read_traceparent(struct exchange *exchange)
{
    struct call *call = &exchange->req.call;
    const str sent = req_header(&exchange->req, STR("traceparent"));

    if (is_traceparent(sent)) {
        call->traceparent = sent;
        exchange->traceparent = sent;
        return;
    }
    char text[] = "00-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-00";
    uint8_t random[24];
    rng_fill(&exchange->loop->ids.rng, random, sizeof(random));
    random[0] |= 1; /* neither id may be zero */
    random[16] |= 1;
    put_hex(text + 3, random, 16);
    put_hex(text + 36, random + 16, 8);
    exchange->traceparent = arena_str(call->arena, (str){text, sizeof(text) - 1});
}

void request_read(struct exchange *exchange, const struct sentry *sentry)
{
    const h2o_req_t *h2o = exchange->h2o;
    struct req *req = &exchange->req;

    req->call.now_ms = clock_now_ms(exchange->server->node->clock);
    req->method = method_of(str_of_iovec(h2o->input.method));
    read_target(exchange, str_of_iovec(h2o->input.path));
    read_fields(exchange, h2o);
    req->remote_address = arena_str(req->call.arena, sentry_remote(sentry));
    exchange->body_size = h2o->entity.base != NULL ? h2o->entity.len : 0;
    read_request_id(exchange);
    read_traceparent(exchange);
    read_authorization(exchange);
}

void request_read_body(struct exchange *exchange)
{
    struct req *req = &exchange->req;

    if (exchange->body_size > 0 && exchange->body_size <= req->route->body_max)
        req->body = arena_str(req->call.arena, str_of_iovec(exchange->h2o->entity));
}

/* --- Questions --- */

str req_header(const struct req *req, str name)
{
    const struct field *field = find_field(const_exchange_of(req), name);

    return field != NULL ? field->value : STR_ABSENT;
}

str req_param(const struct req *req, const char *name)
{
    size_t i = 0;

    while (i < req->param_count && !str_eq(req->params[i].name, str_of(name)))
        i++;
    assert(i < req->param_count); /* else the route has no such {param} */
    return req->params[i].value;
}

err req_param_id(struct req *req, const char *name, const char *prefix, struct uuid *ret)
{
    return id_parse(prefix, req_param(req, name), ret) ? ERR_OK : ERR_NOT_FOUND;
}
