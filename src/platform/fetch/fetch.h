/* platform/fetch/fetch.h - HTTP requests to other people's servers, by libcurl.
 *
 * One call is one request: it follows no redirect, keeps no cookie, obeys no proxy of the
 * environment and repeats nothing. When and how often to try again is the caller's policy; what he
 * needs for it is in the answer (status, Retry-After) and in `sent`. TLS is 1.2 or newer and always
 * verified; in the clear only to this machine. Connections are kept for the next request. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { FETCH_HEADERS_MAX = 32, FETCH_ANSWER_SIZE_MAX = 4 * 1024 * 1024 };

struct fetch_header {
    str name; /* of an answer: lower case */
    str value;
};

struct fetch_request {
    const char *method; /* "GET", "POST" */
    str url;
    struct fetch_header headers[FETCH_HEADERS_MAX];
    size_t header_count;
    str body; /* absent: none */
};

struct fetch_answer {
    int status;                                     /* 0: none came */
    struct fetch_header headers[FETCH_HEADERS_MAX]; /* the first so many */
    size_t header_count;
    str body;
    bool sent; /* false: not a byte of the request has left us */
};

/* A seam: how requests leave. */
struct fetcher {
    /* From any thread; blocks, for `timeout_ms` at most. ERR_OK: a whole answer came, whatever its
     * status; it lives in `arena`. ERR_UNAVAILABLE: none came; *ret then has only `sent`, and *ret_why
     * (may be NULL) a static text. ERR_TOO_LARGE: more than `answer_size_max`. ERR_INVALID: the url is
     * none that this one asks, or a header has a line end; nothing was sent. */
    err (*send)(struct fetcher *fetcher, struct arena *arena, const struct fetch_request *request,
                struct fetch_answer *ret, const char **ret_why);
    void (*close)(struct fetcher *fetcher);
};

struct fetcher_options {
    const char *ca_file;        /* NULL: what this machine trusts */
    int64_t connect_timeout_ms; /* 0: 5000 */
    int64_t timeout_ms;         /* of the whole exchange; 0: 20000 */
    size_t answer_size_max;     /* bytes; 0: FETCH_ANSWER_SIZE_MAX */
};
/* ERR_UNAVAILABLE: libcurl cannot be had. */
err fetcher_open(const struct fetcher_options *options, struct fetcher **ret);

/* Adds a header. Asserts that there is room. */
void fetch_add_header(struct fetch_request *request, str name, str value);
/* `name` in lower case; absent: none. */
str fetch_header(const struct fetch_answer *answer, str name);
/* "https://host[:port][/path]", or http to this machine, without name, password, query or fragment:
 * what a setting may say. */
bool fetch_is_base_url(str url);
/* Seconds that a Retry-After (RFC 9110 10.2.3) asks for; 0: none, or a date. */
int64_t fetch_retry_after_s(const struct fetch_answer *answer);
/* Adds "name=value&...", percent-encoded (application/x-www-form-urlencoded). */
void fetch_add_form(struct buf *form, str name, str value);
