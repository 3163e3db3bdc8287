/* services/booking/import/read.h - reads files of events, as vendors have them, into plain rows.
 *
 * Pure: no database, no clock. Each row is checked by itself, given to a callback and
 * forgotten after it; what is refused is reported with its line, and the rest goes on. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/money.h"
#include "base/str.h"
#include "base/time.h"

/* The first member of what `boxoffice export` writes, and its value: the version of its schema. */
#define EXPORT_MARK    "boxoffice_export"
#define EXPORT_VERSION "1"

enum {
    IMPORT_FILE_SIZE_MAX = 64 * 1024 * 1024,
    IMPORT_ROWS_MAX = 100000,
    IMPORT_ARTISTS_MAX = 50,
    /* code points */
    IMPORT_NAME_MAX = 200,      /* of events, venues, artists */
    IMPORT_PLACE_MAX = 200,     /* of cities and countries */
    IMPORT_TYPE_NAME_MAX = 100, /* of ticket types */
    IMPORT_ADDRESS_MAX = 500,
    IMPORT_DESCRIPTION_MAX = 20000,
    IMPORT_TYPE_MAX = 32,
    IMPORT_ZONE_MAX = 63,
    IMPORT_URL_MAX = 2000,
    IMPORT_QUANTITY_MAX = 10000000,
    IMPORT_UID_MAX = 1000,
    IMPORT_OFFERS_MAX = 50,
    IMPORT_METHODS_MAX = 20,
    IMPORT_TAX_RATE_MAX = 1000000, /* millionths */
};

enum import_when_kind {
    IMPORT_UNKNOWN, /* the file does not say: only of an end */
    IMPORT_DAY,     /* a whole day in the event's zone; as an end it is included */
    IMPORT_LOCAL,   /* a wall time in the event's zone */
    IMPORT_INSTANT, /* it had an offset of its own */
};

struct import_when {
    enum import_when_kind kind;
    struct civil civil; /* of a day and a wall time */
    int64_t at_ms;      /* of an instant */
};

enum import_status { IMPORT_ANY_STATUS, IMPORT_DRAFT, IMPORT_PUBLISHED, IMPORT_CANCELLED };

/* One ticket type. */
struct import_offer {
    str name;               /* absent: not given */
    int64_t price_minor;    /* -1: not given */
    int64_t quantity;       /* -1: not given */
    int64_t sales_start_ms; /* INT64_MIN: not given */
    int64_t sales_end_ms;
    int64_t max_per_order; /* 0: not given */
    int64_t tax_rate_ppm;  /* INT64_MIN: not given */
};

/* What only our own API says of an event. */
struct import_terms {
    bool whole_day; /* though its times are instants */
    str policies;   /* JSON objects, as the API takes them; absent: not given */
    str limits;
    const str *methods; /* types of payment methods, as written */
    size_t method_count;
};

/* Texts that the file does not give are absent; none is empty, and all are UTF-8 without control
 * characters, but for the line ends and tabs of a description. */
struct import_event {
    str name;
    str url; /* http or https */
    str city;
    str country;
    str venue;
    str address;
    const str *artists;
    size_t artist_count;
    str type; /* as written; "conference" in a JSON file that does not say */
    str description;
    bool online; /* as written, else without city and venue */
    struct import_when starts;
    struct import_when ends;     /* not before `starts`, as far as that shows without the zone */
    struct import_when doors;    /* when people are let in; never a day */
    str timezone;                /* as written: whether it exists is for the caller to find out */
    struct currency currency;    /* of the prices, or as written; zeroed: none */
    struct import_offer *offers; /* one at least, which may say nothing */
    size_t offer_count;
    str uid; /* what the event is known by, where the file has such a thing */
    enum import_status status;
    double lat; /* NaN: not given */
    double lon;
    const struct import_terms *terms; /* NULL: none given */
    size_t line;
};

struct import_reader {
    /* An error ends the reading, which gives it on. The row's texts last until this returns. */
    err (*row)(void *arg, const struct import_event *event);
    /* A line that was refused, or (line 1) a column that is ignored; NUL-terminated. */
    void (*refused)(void *arg, size_t line, const char *reason);
    void (*ignored)(void *arg, size_t line, const char *what);
    void *arg;
    struct currency currency; /* of prices whose row names none; zeroed: such rows are refused */
    struct zones *zones;      /* of .ics files alone, whose rules need them; so do these: */
    str timezone;             /* of times without one; absent: UTC */
    int64_t now_ms;           /* where a series without an end begins */
    int64_t
        work; /* days of calendars that rules may be searched through; 0: IMPORT_WORK_STANDARD */
};
#define IMPORT_WORK_STANDARD INT64_C(100000000)

/* Objects with name, startDate, and perhaps endDate, url, city, country, online, venue,
 * address, artists, type, description, timezone; or, where they have starts_at instead, events as our
 * own API shows and takes them (its id is the uid). Other members are ignored. The objects stand in
 * an array, as the member `data` of a list or `events` of an export (docs/export.md), or it is one alone.
 * ERR_TOO_LARGE: more than IMPORT_FILE_SIZE_MAX. ERR_MALFORMED: it is no such file, or all of it
 * was refused; the reason was reported. */
err import_read_json(str text, const struct import_reader *reader);

/* Comma-separated values with a row of names on top: name, starts_at, and perhaps ends_at,
 * timezone, venue, address, city, country, artists (separated by ";"), type, description, url,
 * online, price, currency, quantity, uid, status, lat, lon, doors_at. The same errors. */
err import_read_csv(str text, const struct import_reader *reader);

/* An iCalendar file (RFC 5545): its VEVENTs, with recurrences expanded: see ics_series.h for how far. The same errors. */
err import_read_ics(str text, const struct import_reader *reader);

/* Events of schema.org in JSON-LD, alone, in a list or a graph, or in the scripts of an HTML page. The same errors; ERR_MALFORMED also where there is none. */
err import_read_ld(str text, const struct import_reader *reader);
