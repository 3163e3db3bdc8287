/* booking/export/tables.h - the tables that a vendor's data are exported as, and how a page of one is read. */
#pragma once

#include "platform/db/db.h"
#include "platform/node/call.h"

enum {
    EXPORT_ROWS_MAX = 1000,             /* of a page */
    EXPORT_PAGE_TEXT_MAX = 1024 * 1024, /* a page ends with the row whose texts reach this */
    EXPORT_COLUMNS_MAX = 32,
};

enum export_kind {
    EXPORT_ID,   /* of `prefix` */
    EXPORT_TEXT, /* what people wrote */
    EXPORT_WORD, /* what we wrote: a currency, a time zone */
    EXPORT_I64,
    EXPORT_REAL,
    EXPORT_BOOL,
    EXPORT_TIME,
    EXPORT_NAME, /* one of `names` */
};
struct export_column {
    const char *name;
    enum export_kind kind;
    const char *prefix;
    const char *const *names;
};

/* Where a page begins: behind this row. All zero: at the start. */
struct export_position {
    struct uuid event; /* that is being read; zero in tables that no event divides */
    struct uuid first;
    struct uuid second;
};

struct export_page {
    struct value *cells; /* row by row; a missing value is VALUE_NULL */
    str *documents;      /* of `events`: each row as JSON, nested; NULL elsewhere */
    size_t row_count;
    size_t text_size;
    bool more;
    struct export_position end;
};

struct export_query {
    struct uuid vendor;
    struct uuid last_order; /* nothing of later ones; export_all_orders: no limit */
    size_t limit;           /* rows; 1 to EXPORT_ROWS_MAX */
    struct export_position from;
};
extern const struct uuid export_all_orders; /* above all ids */

struct export_table {
    const char *name;
    const struct export_column *columns;
    size_t column_count;
    err (*read)(struct call *call, const struct export_table *table,
                const struct export_query *query, struct export_page *ret);
    const struct sql *sql; /* NULL: it is not rows of booking's own */
    bool pairs;            /* its key is its first two columns; else the first alone */
};

/* All of them, `events` first; a NULL name ends them. */
extern const struct export_table export_tables[];
extern const char *const export_table_names[]; /* the same order; ends with NULL */

/* A page in call's arena; `attendees` may have more rows than `limit`, which counts orders there. Not
 * within a transaction. A page may be empty and yet not the last. */
err export_read(struct call *call, const struct export_table *table,
                const struct export_query *query, struct export_page *ret);
