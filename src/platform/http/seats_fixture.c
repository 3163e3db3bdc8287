/* platform/http/seats_fixture.c - see seats_fixture.h. */

#include "platform/http/seats_fixture.h"

#include <string.h>

struct seat {
    str name;
    int64_t count;
};
static const struct json_field seat_fields[] = {
    JSON_F_TEXT("name", struct seat, name, 1, 10, JSON_REQUIRED),
    JSON_F_I64("count", struct seat, count, 1, 9, JSON_OPTIONAL),
};
static const struct json_shape seat_shape = JSON_SHAPE(seat_fields, struct seat);

static err get_seat(struct req *req)
{
    const struct seat seat = {.name = req_param(req, "seat"), .count = 3};

    reply_etag(req, STR("\"v3\""));
    reply_header(req, "cache-control", STR("public, max-age=5"));
    return reply_json(req, 200, &seat_shape, &seat);
}

static err put_seat(struct req *req)
{
    struct seat seat = {.count = 1};

    TRY(req_body(req, &seat_shape, &seat));
    TRY(req_if_match(req, STR("\"v3\"")));
    return reply_json(req, 200, &seat_shape, &seat);
}

static err post_seat(struct req *req)
{
    struct seat seat = {.count = 1};
    uint8_t digest[32];
    str key;

    TRY(req_body(req, &seat_shape, &seat));
    TRY(req_key(req, &key, digest));
    reply_header(req, "x-key", key.ptr != NULL ? key : STR("none"));
    reply_header(req, "x-digest", arena_printf(req->call.arena, "%02x%02x", digest[0], digest[31]));
    return reply_json(req, 201, &seat_shape, &seat);
}

static err get_seats(struct req *req)
{
    struct seat seat = {.name = STR("any"), .count = 1};

    TRY(req_query(req, &seat_shape, &seat));
    return reply_json(req, 200, &seat_shape, &seat);
}

static err delete_seat(struct req *req)
{
    struct uuid id;

    TRY(req_param_id(req, "seat", "seat", &id));
    return reply_empty(req, 204);
}

static err head_seat(struct req *req)
{
    reply_header(req, "seat-status", STR("free"));
    return reply_empty(req, 200);
}

/* Fails in the way that its path names. */
static err get_failure(struct req *req)
{
    static const struct {
        const char *name;
        err e;
    } failures[] = {
        {"sold_out",     ERR_SOLD_OUT     },
        {"rate_limited", ERR_RATE_LIMITED },
        {"unavailable",  ERR_UNAVAILABLE  },
        {"internal",     ERR_INTERNAL     },
        {"duplicate",    ERR_DUPLICATE    },
        {"revoked",      ERR_TOKEN_REVOKED}
    };
    const str how = req_param(req, "how");

    reply_header(req, "idempotency-replayed", STR("true"));
    reply_header(req, "cache-control", STR("public"));
    call_member(&req->call, "left", STR("3"));
    if (str_eq(how, STR("rate_limited")))
        req->call.problem.retry_after_s = 17;
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
        if (str_eq(how, str_of(failures[i].name)))
            return call_explain(&req->call, failures[i].e, "It is \"%s\".", failures[i].name);
    return ERR_OK; /* without a reply */
}

static err get_me(struct req *req)
{
    return reply_text(req, 200, STR("text/plain"),
                      arena_printf(req->call.arena, "role=%d token=%.*s address=%.*s blocks=%d",
                                   (int)req->call.caller.role, STR_ARG(req->authorization),
                                   STR_ARG(req->remote_address), (int)req->call.may_block));
}

/* Blocks only where it may; notes a header and a problem first, which must not show twice. */
static err get_slow(struct req *req)
{
    reply_header(req, "x-once", STR("1"));
    if (!req->call.may_block)
        return call_explain(&req->call, ERR_WOULD_BLOCK, "not here");
    return get_me(req);
}

#define GET(path, handler, auth)                                   \
    {                                                              \
        METHOD_GET, path, handler, auth, NO_BODY, UNKEYED, ON_LOOP \
    }

static const struct route routes[] = {
    GET("/seats", get_seats, AUTH_NONE),
    {METHOD_POST,   "/seats",              post_seat,   AUTH_NONE, BODY(64), KEYED,   ON_WORKER},
    {METHOD_POST,   "/free",               post_seat,   AUTH_NONE, BODY(64), UNKEYED, ON_WORKER},
    GET("/seats/{seat}", get_seat, AUTH_NONE),
    {METHOD_PUT,    "/seats/{seat}",       put_seat,    AUTH_USER, BODY(64), UNKEYED, ON_WORKER},
    {METHOD_DELETE, "/seats/{seat}",       delete_seat, AUTH_NONE, NO_BODY,  UNKEYED, ON_WORKER},
    GET("/seats/{seat}/state", get_seat, AUTH_NONE),
    {METHOD_HEAD,   "/seats/{seat}/state", head_seat,   AUTH_NONE, NO_BODY,  UNKEYED, ON_LOOP  },
    {METHOD_GET,    "/fail/{how}",         get_failure, AUTH_NONE, NO_BODY,  UNKEYED, ON_WORKER},
    GET("/slow", get_slow, AUTH_NONE),
    GET("/me/none", get_me, AUTH_NONE),
    GET("/me/optional", get_me, AUTH_OPTIONAL),
    GET("/me/user", get_me, AUTH_USER),
    GET("/me/customer", get_me, AUTH_CUSTOMER),
    GET("/me/vendor", get_me, AUTH_VENDOR),
    GET("/me/admin", get_me, AUTH_ADMIN),
};

/* Tokens are what they mean; "far" is known only to a database. */
static err authenticate(struct req *req)
{
    static const struct {
        const char *token;
        enum role role;
        err e;
    } tokens[] = {
        {"customer", ROLE_CUSTOMER, ERR_OK           },
        {"vendor",   ROLE_VENDOR,   ERR_OK           },
        {"admin",    ROLE_ADMIN,    ERR_OK           },
        {"far",      ROLE_CUSTOMER, ERR_OK           },
        {"old",      ROLE_CUSTOMER, ERR_TOKEN_EXPIRED}
    };
    const str token = req->authorization;

    if (str_eq(token, STR("far")) && !req->call.may_block)
        return ERR_WOULD_BLOCK;
    for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
        if (str_eq(token, str_of(tokens[i].token))) {
            req->call.caller.role = tokens[i].role;
            return tokens[i].e;
        }
    return ERR_UNAUTHENTICATED;
}

static err admit(struct req *req)
{
    return str_eq(req_header(req, STR("x-greedy")), STR("yes")) ? ERR_RATE_LIMITED : ERR_OK;
}

void seats_open(struct fixture *fixture)
{
    const struct fixture_options options = {
        .authenticate = authenticate, .admit = admit, .access_log = true, .internal = true};

    fixture_open(fixture, routes, sizeof(routes) / sizeof(routes[0]), &options);
}

void seats_open_plain(struct fixture *fixture)
{
    const struct fixture_options options = {0};

    fixture_open(fixture, routes, sizeof(routes) / sizeof(routes[0]), &options);
}
