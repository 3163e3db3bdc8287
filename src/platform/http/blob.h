/* platform/http/blob.h - a document that many ask for: rendered once, immutable, counted, with its
 * headers and its compressed variants.
 *
 * A blob is made when what it shows changes, and swapped for the one before; whoever still sends
 * the old one keeps it. Each variant has an entity tag of its own, because a strong tag names
 * bytes (RFC 9110 8.8.3.3): "7" is sent as "7-gzip" and "7-br"; req_if_match knows them all. */
#pragma once

#include <stdbool.h>

#include "base/str.h"

enum {
    /* Below, a compressed body would fill no packet less (1,460 bytes with the headers). */
    BLOB_COMPRESSED_FROM = 1024,
    /* Above, a variant is made on a worker, and nothing waits for it: see reply_blob. */
    BLOB_COMPRESSED_ON_LOOP = 16384,
};

struct blob; /* may be held, released and sent by any thread */

struct blob_options {
    str content_type;
    str body;
    str etag;                /* strong or weak, with quotes; absent: made of the body */
    str cache_control;       /* for an anonymous caller */
    str cache_control_known; /* for one who is signed in, which Vary then says; absent: the same */
};

/* A copy of all of it, and one reference. */
struct blob *blob_new(const struct blob_options *options);
struct blob *blob_hold(struct blob *blob); /* one reference more */
void blob_release(struct blob *blob);      /* NULL is accepted */
void blob_release_at(struct blob **blob);  /* for CLEANUP */

str blob_body(const struct blob *blob); /* identity; as long as the reference */
str blob_etag(const struct blob *blob); /* identity's */
/* What it takes in memory at most, once all variants are made. */
size_t blob_size_max(const struct blob *blob);
