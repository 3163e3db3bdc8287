/* platform/http/files.c - answers with files that are part of the program: which variant, which part,
 * or that the client has it already.
 *
 * A range is always one of the identity: clients that ask for parts (of pictures, of sound) want to
 * put them together. Several ranges at once are answered with the whole, which RFC 9110 14.2
 * allows. */

#include "platform/http/files.h"

#include "platform/http/encoding.h"
#include "platform/http/etag.h"

/* --- Rules --- */

const struct file *file_find(const struct file_table *table, str path)
{
    size_t low = 0;
    size_t high = table->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = str_compare(path, str_of(table->files[middle].path));
        if (order == 0)
            return &table->files[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

enum range { RANGE_NONE, RANGE_ONE, RANGE_NOWHERE };

/* "bytes=0-99", "bytes=100-", "bytes=-50". What cannot be read, or is more than one, is none. */
static enum range read_range(str text, size_t size, size_t *ret_from, size_t *ret_to)
{
    static const str unit = {"bytes=", 6};
    str rest = str_slice(text, unit.size, text.size);
    int64_t first = 0;
    int64_t last = 0;
    str left;

    if (!str_eq_nocase(str_slice(text, 0, unit.size), unit) || !str_split(&rest, '-', &left) ||
        rest.ptr == NULL || (left.size == 0 && rest.size == 0))
        return RANGE_NONE;
    if ((left.size > 0 && (!str_to_i64(left, &first) || first < 0)) ||
        (rest.size > 0 && (!str_to_i64(rest, &last) || last < 0)))
        return RANGE_NONE;
    if (left.size == 0) { /* the last so many */
        *ret_from = (uint64_t)last < size ? size - (size_t)last : 0;
        *ret_to = size;
    } else {
        if (rest.size > 0 && last < first)
            return RANGE_NONE;
        *ret_from = (size_t)first;
        *ret_to = rest.size > 0 && (uint64_t)last < size ? (size_t)last + 1 : size;
    }
    return *ret_from < *ret_to ? RANGE_ONE : RANGE_NOWHERE;
}

/* --- Answers --- */

static str etag_of(struct req *req, const struct file *file, enum coding coding)
{
    struct arena *arena = req->call.arena;

    if (coding == CODING_IDENTITY)
        return arena_printf(arena, "\"%s\"", file->etag);
    return arena_printf(arena, "\"%s-%.*s\"", file->etag, STR_ARG(coding_name(coding)));
}

static void add_caching(struct req *req, const struct file *file, str etag)
{
    reply_header(req, "cache-control",
                 file->is_immutable ? STR("public, max-age=31536000, immutable")
                                    : STR("public, max-age=300"));
    reply_header(req, "vary", STR("Accept-Encoding"));
    reply_etag(req, etag);
}

static err reply_whole(struct req *req, const struct file *file)
{
    const str known = req_header(req, STR("if-none-match"));
    enum coding coding = coding_wanted(req_header(req, STR("accept-encoding")));

    if (file->variants[coding].ptr == NULL)
        coding = CODING_IDENTITY;
    const str etag = etag_of(req, file, coding);
    add_caching(req, file, etag);
    if (known.ptr != NULL && etag_is_listed(known, etag, ETAG_WEAKLY))
        return reply_empty(req, 304);
    if (coding != CODING_IDENTITY)
        reply_header(req, "content-encoding", coding_name(coding));
    else
        reply_header(req, "accept-ranges", STR("bytes"));
    return reply_text(req, 200, str_of(file->content_type), file->variants[coding]);
}

static err reply_part(struct req *req, const struct file *file, size_t from, size_t to)
{
    const str whole = file->variants[CODING_IDENTITY];

    add_caching(req, file, etag_of(req, file, CODING_IDENTITY));
    reply_header(req, "content-range",
                 arena_printf(req->call.arena, "bytes %zu-%zu/%zu", from, to - 1, whole.size));
    return reply_text(req, 206, str_of(file->content_type), str_slice(whole, from, to));
}

static err refuse_range(struct req *req, const struct file *file)
{
    const size_t size = file->variants[CODING_IDENTITY].size;

    reply_header(req, "content-range", arena_printf(req->call.arena, "bytes */%zu", size));
    return call_explain(&req->call, ERR_RANGE_NOT_SATISFIABLE, "It has %zu bytes.", size);
}

/* RFC 9110 13.2.2: If-None-Match comes first, then If-Range says whether Range counts. */
static enum range range_of(const struct req *req, str etag, size_t size, size_t *ret_from,
                           size_t *ret_to)
{
    const str wanted = req_header(req, STR("range"));
    const str only_if = req_header(req, STR("if-range"));
    const str known = req_header(req, STR("if-none-match"));

    if (wanted.ptr == NULL || req->method != METHOD_GET ||
        (only_if.ptr != NULL && !str_eq(only_if, etag)) ||
        (known.ptr != NULL && etag_is_listed(known, etag, ETAG_WEAKLY)))
        return RANGE_NONE;
    return read_range(wanted, size, ret_from, ret_to);
}

err reply_file(struct req *req, const struct file_table *table)
{
    const struct file *file = file_find(table, req->path);
    size_t from = 0;
    size_t to = 0;

    if (file == NULL)
        return ERR_NOT_FOUND;
    switch (range_of(req, etag_of(req, file, CODING_IDENTITY), file->variants[CODING_IDENTITY].size,
                     &from, &to)) {
    case RANGE_ONE:
        return reply_part(req, file, from, to);
    case RANGE_NOWHERE:
        return refuse_range(req, file);
    case RANGE_NONE:
        break;
    }
    return reply_whole(req, file);
}
