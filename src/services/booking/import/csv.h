/* services/booking/import/csv.h - reads comma-separated values (RFC 4180), record by record.
 *
 * Taken as they come: a byte order mark, LF as well as CRLF, a last line without its end. What
 * breaks the rules costs one record: reading goes on with the line behind that where it began. */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"

enum {
    CSV_FIELDS_MAX = 64,
    CSV_FIELD_SIZE_MAX = 1024 * 1024, /* bytes */
};

struct csv {
    str rest;
    size_t line; /* of the first byte of rest; the first is 1 */
};

struct csv_record {
    size_t line; /* where it begins */
    size_t count;
    str fields[CSV_FIELDS_MAX]; /* slices of the text, or in the arena where quotes were doubled */
};

enum csv_result {
    CSV_RECORD,
    CSV_BROKEN, /* only ret->line is set */
    CSV_END,
};

void csv_open(struct csv *csv, str text);
/* The next record that is not an empty line. *ret_fault says what is wrong with a broken one. */
enum csv_result csv_next(struct csv *csv, struct arena *arena, struct csv_record *ret,
                         const char **ret_fault);
