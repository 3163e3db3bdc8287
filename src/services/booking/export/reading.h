/* booking/export/reading.h - what the tables of an export are made of; for this folder alone. */
#pragma once

#include "services/booking/export/tables.h"

#define C_ID(n, p)                                    \
    {                                                 \
        .name = (n), .kind = EXPORT_ID, .prefix = (p) \
    }
#define C_TEXT(n)                        \
    {                                    \
        .name = (n), .kind = EXPORT_TEXT \
    }
#define C_WORD(n)                        \
    {                                    \
        .name = (n), .kind = EXPORT_WORD \
    }
#define C_I64(n)                        \
    {                                   \
        .name = (n), .kind = EXPORT_I64 \
    }
#define C_REAL(n)                        \
    {                                    \
        .name = (n), .kind = EXPORT_REAL \
    }
#define C_BOOL(n)                        \
    {                                    \
        .name = (n), .kind = EXPORT_BOOL \
    }
#define C_TIME(n)                        \
    {                                    \
        .name = (n), .kind = EXPORT_TIME \
    }
#define C_NAME(n, w)                                   \
    {                                                  \
        .name = (n), .kind = EXPORT_NAME, .names = (w) \
    }

/* An empty page that begins where the query does, with room for its limit of rows. */
void export_page_open(struct call *call, const struct export_table *table,
                      const struct export_query *query, struct export_page *page);
bool export_page_is_full(const struct export_query *query, const struct export_page *page);
/* The row that is to be filled; the page has room for it. */
struct value *export_page_next(const struct export_table *table, const struct export_page *page);
/* Moves to the event behind, at its start. ERR_NOT_FOUND: there is none. */
err export_next_event(struct call *call, struct tx *tx, const struct export_query *query,
                      struct export_position *at);

/* Readers of tables: of one statement that asks by the vendor, or by event after event. */
err export_of_vendor(struct call *call, const struct export_table *table,
                     const struct export_query *query, struct export_page *ret);
err export_of_events(struct call *call, const struct export_table *table,
                     const struct export_query *query, struct export_page *ret);
/* Whole events, with their documents. */
err export_events(struct call *call, const struct export_table *table,
                  const struct export_query *query, struct export_page *ret);
/* Orders with their buyers' names, and attendees. */
err export_orders(struct call *call, const struct export_table *table,
                  const struct export_query *query, struct export_page *ret);
err export_attendees(struct call *call, const struct export_table *table,
                     const struct export_query *query, struct export_page *ret);

enum { EXPORT_EVENT_COLUMNS = 30, EXPORT_ORDER_COLUMNS = 14, EXPORT_ATTENDEE_COLUMNS = 4 };
extern const struct export_column export_event_columns[EXPORT_EVENT_COLUMNS];
extern const struct export_column export_order_columns[EXPORT_ORDER_COLUMNS];
extern const struct export_column export_attendee_columns[EXPORT_ATTENDEE_COLUMNS];
