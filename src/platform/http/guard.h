/* platform/http/guard.h - which bytes may reach H2O's parser at all. Pure: no I/O, no memory of its
 * own.
 *
 * H2O 2.2.5 reads more than RFC 9112 allows (bare LF, folded headers, two Content-Lengths, one
 * beside Transfer-Encoding), and a server in front that reads such bytes differently can be made
 * to smuggle a request past itself. The guard takes a strict subset of what H2O takes, so on
 * everything that passes both agree where a request ends. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum {
    GUARD_FIELDS_MAX = 100, /* header lines; H2O's own limit */
    GUARD_METHOD_SIZE_MAX = 32,
    GUARD_CHUNK_LINE_MAX = 256, /* size, extensions */
    GUARD_TRAILERS_SIZE_MAX = 4096,
};

/* Why a connection is refused: answered with a bare problem, then closed. */
struct refusal {
    err error; /* its status, code and title */
    const char *detail;
};

enum guard_body { GUARD_NO_BODY, GUARD_SIZED, GUARD_CHUNKED };

struct guard_head {
    size_t size; /* with the empty line that ends it */
    size_t method_size;
    size_t target_size;
    enum guard_body body;
    uint64_t content_length; /* GUARD_SIZED */
    size_t expect_at;        /* where the name of an Expect line begins; 0: there is none */
    bool wants_continue;
};

/* Looks for the end of a head in what has come so far. `*seen` is 0 for a new request and is
 * kept by the caller between calls, so every byte is looked at once. *ret_size is 0 while more
 * is needed. NULL, or why it is refused at once. */
const struct refusal *guard_scan(const char *bytes, size_t size, size_t *seen, size_t *ret_size);

/* Reads a whole head (RFC 9112 2 to 6) strictly. */
const struct refusal *guard_head(str head, struct guard_head *ret);

/* The chunked body (RFC 9112 7.1), in pieces as it comes; zeroed at its begin. */
struct guard_chunks {
    int state;
    int digits;
    size_t line_size;
    size_t trailers_size;
    uint64_t left;    /* of the current chunk */
    uint64_t decoded; /* bytes of all chunks so far */
    bool done;
};

/* Goes on with `size` more bytes; *ret_taken is how many of them belong to the body. */
const struct refusal *guard_chunks(struct guard_chunks *chunks, const char *bytes, size_t size,
                                   size_t *ret_taken);

/* The part of a request target that passed guard_head from its path on: "/x?a=b"; "?a=b" and ""
 * of an absolute form without a path. */
str guard_target_path(str target);
