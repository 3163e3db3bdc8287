/* booking/export/export.c - all that a vendor has here, table after table, to whoever keeps it.
 *
 * A page is read, written and forgotten, so the size of what is exported does not show in memory. The
 * tables are not of one instant: each page has a transaction of its own, and nobody who sells waits for
 * it. But all speak of the orders that were there when the export began, and so belong together. */
#include "services/booking/booking.h"

#include "services/booking/export/write.h"
#include "services/booking/import/read.h"
#include "services/identity/identity.h"

enum { TEXT_SIZE_MAX = 64 * 1024 * 1024 };

struct export
{
    struct call *call;
    const struct booking_export *in;
    struct buf text; /* of a page */
    struct export_query query;
};

/* No order of a later millisecond has a smaller id (UUIDv7). The time is that of the ids, which
 * goes on for a while where the clock is set back. */
static struct uuid last_id_of_now(const struct call *call)
{
    struct uuid id = call_uuid(call);

    for (size_t i = 6; i < sizeof(id.bytes); i++)
        id.bytes[i] = 0xff;
    return id;
}

static err give(struct export *export, const char *table)
{
    if (export->text.overflow)
        return ERR_TOO_LARGE;
    if (!export->in->write(export->in->arg, export->in->json ? NULL : table,
                           buf_str(&export->text)))
        return call_explain(export->call, ERR_UNAVAILABLE, "it cannot be written");
    buf_clear(&export->text);
    return ERR_OK;
}

static void add_row(struct export *export, const struct export_table *table,
                    const struct export_page *page, size_t row)
{
    const struct value *cells = page->cells + row * table->column_count;

    if (!export->in->json)
        export_csv_row(&export->text, table, cells);
    else if (page->documents != NULL)
        buf_add(&export->text, page->documents[row]);
    else
        export_json_row(&export->text, table, cells);
}

static err export_table(struct export *export, const struct export_table *table)
{
    struct export_page page = {.more = true};
    bool any = false;

    export->query.from = (struct export_position){0};
    if (export->in->json)
        buf_printf(&export->text, ",\n\"%s\":[", table->name);
    else
        export_csv_names(&export->text, table);
    while (page.more) {
        TRY(export_read(export->call, table, &export->query, &page));
        for (size_t i = 0; i < page.row_count; i++) {
            if (export->in->json)
                buf_add_cstr(&export->text, any ? ",\n" : "\n");
            any = true;
            add_row(export, table, &page, i);
        }
        export->query.from = page.end;
        TRY(give(export, table->name));
        call_next(export->call);
    }
    buf_add_cstr(&export->text, export->in->json ? "\n]" : "");
    return ERR_OK;
}

static err begin_document(struct export *export)
{
    const struct identity_vendor_find find = {.vendor = {export->in->vendor}};
    struct identity_vendor_found vendor = {0};

    TRY(identity_vendor_find(export->call, &find, &vendor));
    if (!export->in->json)
        return ERR_OK;
    buf_printf(&export->text, "{\"" EXPORT_MARK "\":" EXPORT_VERSION ",\n\"exported_at\":\"%s\",\n",
               time_format(export->call->now_ms).text);
    buf_printf(&export->text,
               "\"vendor\":{\"id\":\"%s\",\"name\":", id_format("vnd", export->in->vendor).text);
    json_write_text(&export->text, vendor.name);
    buf_add_cstr(&export->text, "}");
    return ERR_OK;
}

err booking_export(struct call *call, const struct booking_export *in)
{
    struct export export = {
        .call = call,
        .in = in,
        .text = buf_on_heap(TEXT_SIZE_MAX),
        .query = {.vendor = in->vendor,
                  .last_order = last_id_of_now(call),
                  .limit = EXPORT_ROWS_MAX},
    };
    err e = begin_document(&export);

    for (size_t i = 0; e == ERR_OK && export_tables[i].name != NULL; i++)
        e = export_table(&export, &export_tables[i]);
    if (e == ERR_OK && in->json) {
        buf_add_cstr(&export.text, "}\n");
        e = give(&export, NULL);
    }
    buf_done(&export.text);
    return e;
}
