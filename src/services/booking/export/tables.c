/* booking/export/tables.c - what is in an export, table by table: its columns, and how they are read. */
#include "services/booking/export/reading.h"

#include <assert.h>

#include "services/booking/event.h"
#include "services/booking/export/export.sql.h"
#include "services/booking/ticket.h"
#include "services/payment/payment.h"

/* --- Payment methods: payment's --- */

static const struct export_column method_columns[] = {
    C_ID("id", PAYMENT_METHOD_PREFIX),
    C_WORD("type"),
    C_TEXT("label"),
};

static err read_methods(struct call *call, const struct export_table *table,
                        const struct export_query *query, struct export_page *ret)
{
    const struct payment_methods_find find = {query->vendor};
    struct payment_methods_found found = {0};

    export_page_open(call, table, query, ret);
    TRY(payment_methods_find(call, &find, &found));
    for (size_t i = 0; i < found.method_count; i++) {
        struct value *cells = export_page_next(table, ret);

        if (uuid_compare(found.methods[i].payment_method, query->from.first) <= 0)
            continue;
        ret->more = export_page_is_full(query, ret);
        if (ret->more)
            break;
        cells[0] = UUID(found.methods[i].payment_method);
        cells[1] = TEXT(found.methods[i].type);
        cells[2] = TEXT(found.methods[i].label);
        ret->end.first = found.methods[i].payment_method;
        ret->row_count++;
    }
    return ERR_OK;
}

/* --- The others --- */

static const struct export_column type_columns[] = {
    C_ID("id", TICKET_TYPE_PREFIX),
    C_ID("event_id", EVENT_PREFIX),
    C_I64("position"),
    C_TEXT("name"),
    C_I64("price"),
    C_WORD("currency"),
    C_I64("max_per_order"),
    C_TIME("sales_start"),
    C_TIME("sales_end"),
    C_I64("total"),
    C_I64("available"),
    C_I64("tax_rate_ppm"),
};
static const struct export_column event_artist_columns[] = {
    C_ID("artist_id", ARTIST_PREFIX),
    C_ID("event_id", EVENT_PREFIX),
    C_I64("position"),
};
static const struct export_column venue_columns[] = {
    C_ID("id", VENUE_PREFIX), C_TEXT("name"), C_TEXT("city"), C_TEXT("country"),
    C_TEXT("address"),        C_REAL("lat"),  C_REAL("lon"),
};
static const struct export_column artist_columns[] = {C_ID("id", ARTIST_PREFIX), C_TEXT("name")};
static const struct export_column item_columns[] = {
    C_ID("order_id", ORDER_PREFIX),
    C_ID("ticket_type_id", TICKET_TYPE_PREFIX),
    C_ID("event_id", EVENT_PREFIX),
    C_I64("quantity"),
    C_I64("unit_price"),
    C_I64("discount"),
    C_I64("buyer_fee"),
    C_I64("vendor_fee"),
    C_I64("tax"),
    C_I64("tax_included"),
    C_WORD("currency"),
};
static const struct export_column ticket_columns[] = {
    C_ID("order_id", ORDER_PREFIX),
    C_ID("id", TICKET_PREFIX),
    C_ID("event_id", EVENT_PREFIX),
    C_ID("ticket_type_id", TICKET_TYPE_PREFIX),
    C_NAME("status", ticket_status_names),
    C_TEXT("attendee_name"),
    C_I64("price"),
    C_WORD("currency"),
    C_TIME("checked_in_at"),
    C_TEXT("checked_in_by"),
};
static const struct export_column refund_columns[] = {
    C_ID("order_id", ORDER_PREFIX),
    C_ID("id", REFUND_PREFIX),
    C_ID("event_id", EVENT_PREFIX),
    C_NAME("status", refund_status_names),
    C_I64("amount"),
    C_WORD("currency"),
    C_TEXT("reason"),
    C_TIME("created_at"),
};

#define TABLE(n, list, how, statement, by_pair)                                           \
    {                                                                                     \
        .name = (n), .columns = (list), .column_count = sizeof(list) / sizeof((list)[0]), \
        .read = (how), .sql = (statement), .pairs = (by_pair)                             \
    }
const struct export_table export_tables[] = {
    TABLE("events", export_event_columns, export_events, NULL, false),
    TABLE("ticket_types", type_columns, export_of_events, &SQL_EXPORT_TICKET_TYPES, false),
    TABLE("event_artists", event_artist_columns, export_of_events, &SQL_EXPORT_EVENT_ARTISTS,
          false),
    TABLE("venues", venue_columns, export_of_vendor, &SQL_EXPORT_VENUES, false),
    TABLE("artists", artist_columns, export_of_vendor, &SQL_EXPORT_ARTISTS, false),
    TABLE("payment_methods", method_columns, read_methods, NULL, false),
    TABLE("orders", export_order_columns, export_orders, &SQL_EXPORT_ORDERS, false),
    TABLE("order_items", item_columns, export_of_events, &SQL_EXPORT_ORDER_ITEMS, true),
    TABLE("attendees", export_attendee_columns, export_attendees, &SQL_EXPORT_ATTENDEES, false),
    TABLE("tickets", ticket_columns, export_of_events, &SQL_EXPORT_TICKETS, true),
    TABLE("refunds", refund_columns, export_of_events, &SQL_EXPORT_REFUNDS, true),
    {.name = NULL},
};
const char *const export_table_names[] = {
    "events", "ticket_types", "event_artists", "venues",  "artists", "payment_methods",
    "orders", "order_items",  "attendees",     "tickets", "refunds", NULL};

err export_read(struct call *call, const struct export_table *table,
                const struct export_query *query, struct export_page *ret)
{
    assert(query->limit >= 1 && query->limit <= EXPORT_ROWS_MAX);
    return table->read(call, table, query, ret);
}
