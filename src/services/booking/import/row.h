/* services/booking/import/row.h - a row between file and event; for import_*.c alone. */
#pragma once

#include "base/arena.h"
#include "services/booking/import/read.h"

enum import_column {
    IMPORT_NAME,
    IMPORT_STARTS_AT,
    IMPORT_ENDS_AT,
    IMPORT_TIMEZONE,
    IMPORT_VENUE,
    IMPORT_ADDRESS,
    IMPORT_CITY,
    IMPORT_COUNTRY,
    IMPORT_TYPE,
    IMPORT_DESCRIPTION,
    IMPORT_URL,
    IMPORT_ONLINE,
    IMPORT_PRICE,
    IMPORT_CURRENCY,
    IMPORT_QUANTITY,
    IMPORT_UID,
    IMPORT_STATUS,
    IMPORT_LAT,
    IMPORT_LON,
    IMPORT_DOORS_AT,
    IMPORT_ARTISTS,
    IMPORT_COLUMNS,
};

/* What the file says, not checked yet. */
struct import_draft {
    size_t line;
    str texts[IMPORT_COLUMNS]; /* of the artists: separated by ";" */
    const str *artists;        /* or as a list */
    size_t artist_count;
    const struct import_offer_draft
        *offers; /* instead of price and quantity; all of one currency */
    size_t offer_count;
    const struct import_terms *terms; /* NULL: the file is not our own API's */
};

struct import_offer_draft {
    str name; /* absent: it has none */
    str price;
    str quantity;
    int64_t sales_start_ms; /* INT64_MIN: not given */
    int64_t sales_end_ms;
    int64_t max_per_order; /* 0: not given */
    bool has_tax_rate;
    int64_t tax_rate_ppm;
};

/* The column's name as it stands in a CSV file and in reasons. */
const char *import_column_name(enum import_column column);

/* What reading a file is about. */
struct import_run {
    const struct import_reader *reader;
    struct arena *arena; /* of the row at hand */
    size_t given;
    size_t refused;
};

/* Were there IMPORT_ROWS_MAX rows already? Then reports that this line and others are left out. */
bool import_is_full(struct import_run *run, size_t line);
/* Checks the draft and gives it to the reader, or reports why not. */
err import_give(struct import_run *run, const struct import_draft *draft);
/* Reports the line and counts it. */
void import_refuse(struct import_run *run, size_t line, const char *why);
/* What a whole run comes to. */
err import_result(const struct import_run *run);

/* An event as our own API shows it: NULL, or what is wrong with it. */
struct json_t;
bool import_is_own(const struct json_t *object);
const char *import_own(struct arena *arena, const struct json_t *object, struct import_draft *ret);
