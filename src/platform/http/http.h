/* platform/http/http.h - requests, replies and route tables, on libh2o's event loops (nothing else
 * includes H2O).
 *
 * The way of a request: an event loop parses it, finds its route and asks `authenticate`. A route
 * marked ON_LOOP then runs right there and must not block: where it would, it returns
 * ERR_WOULD_BLOCK and is run again on a worker. All others run on a worker of a bounded pool (full:
 * 503 + Retry-After). A handler that must wait for somebody else returns req_park() and is resumed.
 * What a handler returns other than ERR_OK becomes a problem document (RFC 9457) from the err and
 * call->problem.
 *
 * Checked by the dispatcher, in this order: 404 unknown path, 405 + Allow, 401, 403. Then the
 * handler: 404 of what belongs to somebody else, then req_body (413, 415, 400, 422), then
 * req_if_match (428, 412), then 409. */
#pragma once

#include "platform/json/json.h"
#include "platform/node/node.h"

enum method { METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_PUT, METHOD_DELETE, METHOD_OTHER };

enum auth {
    AUTH_NONE,     /* a token is not even looked at */
    AUTH_OPTIONAL, /* anonymous if none is sent; a dead one is 401 */
    AUTH_USER,     /* anybody signed in */
    AUTH_CUSTOMER,
    AUTH_VENDOR, /* and admins: the handler checks whose */
    AUTH_ADMIN,
};

enum run_on { ON_WORKER, ON_LOOP };
enum idempotency { UNKEYED, KEYED }; /* KEYED: Idempotency-Key is required; see req_key */

struct blob; /* blob.h */
struct req;

struct route {
    enum method method; /* GET serves HEAD too, unless HEAD has a row of its own */
    /* "/events/{event}/tickets": a {name} is one whole segment; "/x/qr.svg" beats "/x/{name}" */
    const char *path;
    err (*handler)(struct req *req);
    enum auth auth;
    size_t body_max; /* bytes; NO_BODY: none is read */
    enum idempotency idempotency;
    enum run_on run_on;
};
#define BODY(bytes) (bytes)
#define NO_BODY     0

struct route_table {
    const struct route *routes;
    size_t count;
};
#define ROUTE_TABLE(rows)                        \
    {                                            \
        (rows), sizeof(rows) / sizeof((rows)[0]) \
    }

enum {
    HTTP_PARAMS_MAX = 4,
    HTTP_BODY_READ_MAX = 12 * 1024 * 1024, /* beyond: 413 and close */
    HTTP_HEADERS_SIZE_MAX = 16 * 1024,
    HTTP_KEY_SIZE_MAX = 255,
};

struct param {
    str name;
    str value; /* percent-decoded */
};

struct req {
    /* may_block, arena, now_ms, caller, request_id, self: the service that owns the route */
    struct call call;
    const struct route *route;
    enum method method;
    str path;           /* as sent, without the query */
    str query;          /* as sent, behind the '?'; absent: none */
    str body;           /* absent: none came, or more than the route takes */
    str authorization;  /* the bearer token alone; absent: none came */
    str remote_address; /* of the peer, without port */
    struct param params[HTTP_PARAMS_MAX];
    size_t param_count;
    void *parked;               /* the handler's, while it is parked */
    const struct json_doc *doc; /* set by req_body */
};

/* --- What came --- */

str req_header(const struct req *req, str name); /* lower-case name; absent: none */
/* The id in the path; ERR_NOT_FOUND if it is no TypeID of that prefix. */
err req_param_id(struct req *req, const char *name, const char *prefix, struct uuid *ret);
str req_param(const struct req *req, const char *name);
/* Decodes the JSON body over *value (defaults); checks 413, 415, then that a KEYED route has its
 * key, 400, 422. */
err req_body(struct req *req, const struct json_shape *shape, void *value);
/* Decodes the query string over *value: 400 unknown, 422 invalid. */
err req_query(struct req *req, const struct json_shape *shape, void *value);
/* The Idempotency-Key (absent on UNKEYED routes that have none) and the digest of the body. Call
 * after req_body. */
err req_key(struct req *req, str *ret_key, uint8_t ret_digest[32]);
/* 428 without If-Match; 412 if it names none of our current entity tag, nor a compressed variant's
 * of it (blob.h). "*" matches. `etag` with its quotes. */
err req_if_match(struct req *req, str etag);

/* --- What goes back: return one of these from a handler --- */

err reply_json(struct req *req, int status, const struct json_shape *shape, const void *value);
/* `body`: in req's arena or static. */
err reply_text(struct req *req, int status, str content_type, str body);
err reply_empty(struct req *req, int status);
/* A document in the coding that the client prefers, with its ETag, Cache-Control and Vary; an
 * If-None-Match that names it is answered 304 (`status` 200). Nothing is copied: the reply holds
 * the blob. On a loop, a large body whose variant was never asked for before gives
 * ERR_WOULD_BLOCK: reply before anything is changed, and return what this gives. */
err reply_blob(struct req *req, int status, struct blob *blob);
/* Before the reply. `name` lower case. CR or LF in `value` is asserted against. */
void reply_header(struct req *req, const char *name, str value);
/* ETag; GET and HEAD that carry it in If-None-Match are answered 304. `etag` with its quotes. */
void reply_etag(struct req *req, str etag);

/* --- Parking --- */

/* In a handler: `return req_park(req)` (ERR_PARKED). From then on the request belongs to whoever
 * resumes it, even if the client has gone. Arrange for the resume before: it may come before the
 * handler has returned. */
err req_park(struct req *req);
/* Exactly once per park, from any thread: runs `then` as the handler from here on (it may reply,
 * fail, or park again). ON_LOOP must not block. Hand-overs to a loop are batched per wake-up. */
void req_resume(struct req *req, err (*then)(struct req *), enum run_on where);

/* --- The server --- */

struct http_server;

struct http_options {
    struct node *node;
    const char *address; /* "127.0.0.1" */
    int port;            /* 0: any free one */
    /* Fills call.caller from the request, or fails with 401; ERR_WOULD_BLOCK: run it again on a
     * worker. */
    err (*authenticate)(struct req *req);
    /* Before the handler, after authenticate: rate limits. ERR_WOULD_BLOCK as there. May be NULL. */
    err (*admit)(struct req *req);
    int loop_count;   /* 0: as many as cores */
    int worker_count; /* 0: 8 */
    int waiting_max;  /* requests waiting for a worker; 0: 1024 */
    bool access_log;
    bool internal; /* true: this listener also serves /metrics of the node */
};

/* Listens and serves the routes of every instance of the node. ERR_UNAVAILABLE with *ret_why:
 * cannot listen; ERR_INVALID: two routes have one method and path. */
err http_open(const struct http_options *options, struct arena *arena, struct http_server **ret,
              str *ret_why);
int http_port(const struct http_server *server);
/* Stops listening, finishes requests in flight (at most `grace_ms`), closes idle connections,
 * joins all threads. A request that is still parked then is freed by its req_resume. */
void http_close(struct http_server *server, int64_t grace_ms);

/* The route that serves `method` and `path`, for tests and documents. ERR_NOT_FOUND, or
 * ERR_METHOD_NOT_ALLOWED with *ret_allow. */
err route_find(const struct node *node, enum method method, str path, const struct route **ret,
               str *ret_allow, struct arena *arena);
