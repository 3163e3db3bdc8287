/* booking/export/get.c - an export over HTTP, in pages.
 *
 * A page has at most 1,000 rows and about 1 MiB of texts, so what a request costs is bounded however much
 * a vendor has sold. Pages of CSV put behind each other are one file: only the first has the row of
 * names. Where it goes on says `next_cursor` in JSON, and a Link (RFC 8288) in both. */
#include "services/booking/export/get.h"

#include <string.h>

#include "services/booking/cursor.h"
#include "services/booking/export/write.h"
#include "services/booking/import/read.h"
#include "services/identity/identity.h"

enum { ANSWER_SIZE_MAX = 64 * 1024 * 1024 };

enum format { FORMAT_CSV, FORMAT_JSON };
static const char *const format_names[] = {"csv", "json", NULL};

struct get_query {
    int table;
    int format;
    int64_t limit;
    str cursor;
};
static const struct json_field query_fields[] = {
    JSON_F_ENUM("table", struct get_query, table, export_table_names, JSON_REQUIRED),
    JSON_F_ENUM("format", struct get_query, format, format_names, JSON_OPTIONAL),
    JSON_F_I64("limit", struct get_query, limit, 1, EXPORT_ROWS_MAX, JSON_OPTIONAL),
    JSON_F_TOKEN("cursor", struct get_query, cursor, 1, 1024, JSON_OPTIONAL),
};
static const struct json_shape query_shape = JSON_SHAPE(query_fields, struct get_query);

/* His own, or anybody's for an admin. */
static err find_vendor(struct req *req, struct uuid *ret)
{
    struct identity_vendor_find find = {0};
    struct identity_vendor_found found = {0};

    TRY(req_param_id(req, "vendor", VENDOR_PREFIX, &find.vendor.uuid));
    *ret = find.vendor.uuid;
    if (req->call.caller.role == ROLE_ADMIN)
        return identity_vendor_find(&req->call, &find, &found);
    return uuid_eq(*ret, req->call.caller.vendor) ? ERR_OK : ERR_NOT_FOUND;
}

/* A cursor is good for the vendor and the table that it was made for. */
static const char *list_name(struct call *call, struct uuid vendor,
                             const struct export_table *table)
{
    return arena_printf(call->arena, "export %s %s", table->name, id_format("vnd", vendor).text)
        .ptr;
}

static err read_cursor(struct call *call, const char *list, str cursor, struct export_position *ret)
{
    str position = STR_ABSENT;

    if (cursor.ptr == NULL)
        return ERR_OK;
    TRY(cursor_read(call, list, cursor, &position));
    if (position.size != sizeof(*ret))
        return ERR_MALFORMED;
    memcpy(ret, position.ptr, sizeof(*ret));
    return ERR_OK;
}

static str next_cursor(struct call *call, const char *list, const struct export_page *page)
{
    if (!page->more)
        return STR_ABSENT;
    return cursor_make(call, list, (str){(const char *)&page->end, sizeof(page->end)});
}

static void write_csv(struct buf *out, const struct export_table *table,
                      const struct export_page *page, bool first)
{
    if (first)
        export_csv_names(out, table);
    for (size_t i = 0; i < page->row_count; i++)
        export_csv_row(out, table, page->cells + i * table->column_count);
}

static void write_json(struct buf *out, const struct export_table *table,
                       const struct export_page *page, str next)
{
    buf_printf(out, "{\"" EXPORT_MARK "\":" EXPORT_VERSION ",\"table\":\"%s\",\"data\":[",
               table->name);
    for (size_t i = 0; i < page->row_count; i++) {
        buf_add_cstr(out, i > 0 ? "," : "");
        if (page->documents != NULL)
            buf_add(out, page->documents[i]);
        else
            export_json_row(out, table, page->cells + i * table->column_count);
    }
    buf_add_cstr(out, "],\"next_cursor\":");
    json_write_text(out, next);
    buf_add_char(out, '}');
}

static err get_export(struct req *req)
{
    struct call *call = &req->call;
    struct get_query query = {.format = FORMAT_CSV, .limit = EXPORT_ROWS_MAX};
    struct export_query from = {.last_order = export_all_orders};
    struct export_page page = {0};
    struct buf out = buf_in(call->arena, ANSWER_SIZE_MAX);

    TRY(find_vendor(req, &from.vendor));
    TRY(req_query(req, &query_shape, &query));
    const struct export_table *table = &export_tables[query.table];
    const char *list = list_name(call, from.vendor, table);
    TRY(read_cursor(call, list, query.cursor, &from.from));
    from.limit = (size_t)query.limit;
    TRY(export_read(call, table, &from, &page));

    const str next = next_cursor(call, list, &page);
    if (query.format == FORMAT_CSV)
        write_csv(&out, table, &page, query.cursor.ptr == NULL);
    else
        write_json(&out, table, &page, next);
    if (out.overflow)
        return ERR_INTERNAL;
    if (next.ptr != NULL)
        reply_header(req, "link",
                     arena_printf(call->arena,
                                  "</vendors/%s/export?table=%s&format=%s&limit=%lld&cursor=%.*s>; "
                                  "rel=\"next\"",
                                  id_format("vnd", from.vendor).text, table->name,
                                  format_names[query.format], (long long)query.limit,
                                  STR_ARG(next)));
    reply_header(req, "cache-control", STR("no-store"));
    return reply_text(req, 200,
                      query.format == FORMAT_CSV ? STR("text/csv; charset=utf-8")
                                                 : STR("application/json"),
                      out.size > 0 ? buf_str(&out) : STR(""));
}

static const struct route routes[] = {
    {METHOD_GET, "/vendors/{vendor}/export", get_export, AUTH_VENDOR, NO_BODY, UNKEYED, ON_WORKER},
};
const struct route_table export_routes = ROUTE_TABLE(routes);
