/* platform/http/files.h - files that are part of the program, sent as they lie in it.
 *
 * tools/embed writes the tables. A name with a hash in it never changes its content and may be
 * cached for ever (RFC 8246); others are asked for again after five minutes. Only what a table names
 * exists, so no path leads anywhere else. */
#pragma once

#include "platform/http/http.h"

enum { FILE_VARIANTS = 3 }; /* as enum coding: identity, gzip, brotli */

struct file {
    const char *path; /* of the request: "/assets/page.css" */
    const char *content_type;
    const char *etag; /* without its quotes and the name of a coding */
    bool is_immutable;
    str variants[FILE_VARIANTS]; /* absent: not worth it */
};

struct file_table {
    const struct file *files; /* by path, ascending */
    size_t count;
};

/* NULL: there is none. */
const struct file *file_find(const struct file_table *table, str path);
/* The file of the request's path: 404, 304, 416, one range of it (RFC 9110 14; If-Range), or all of
 * it in the coding that the client likes best. Never blocks. */
err reply_file(struct req *req, const struct file_table *table);
