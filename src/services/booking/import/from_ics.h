/* services/booking/import/from_ics.h - the parts of reading an iCalendar file; for import_ics*.c alone. */
#pragma once

#include "services/booking/import/ics_events.h"
#include "services/booking/import/ics_series.h"
#include "services/booking/import/row.h"

struct ics_import {
    struct import_run *run; /* its arena: of the row at hand */
    struct arena *arena;    /* of the file */
    struct arena *series;   /* of the series at hand */
    struct ics_zones *zones;
    struct ics_file file;
    const struct ics_zone *standard; /* of times without a zone */
    int64_t work;
};

struct ics_lasting { /* RFC 5545 3.3.6: days are nominal, the rest is exact */
    int64_t days;
    int64_t ms;
};

/* One event of the file with its times. */
struct ics_item {
    const struct ics_event *event;
    struct ics_moment start;
    const struct ics_zone *zone; /* of the start; NULL: a day, or UTC */
    bool has_end;
    struct ics_lasting lasts;
    struct ics_moment recurrence; /* of a changed occurrence */
    int64_t recurrence_ms;
};

/* "P15DT5H0M20S", "P7W"; false for others, also for negative ones: no event lasts them. */
bool ics_duration_parse(str text, struct ics_lasting *ret);
/* The value as a time in the zone that the line names. NULL, or why it is none. `ret_zone` may be NULL. */
const char *ics_moment_read(struct ics_import *import, const struct ics_line *line, str value,
                            struct ics_moment *ret, const struct ics_zone **ret_zone);
/* NULL, or why the event has no times that can be read. */
const char *ics_item_read(struct ics_import *import, const struct ics_event *event,
                          struct ics_item *ret);

/* "2026-05-01", or "2026-05-01T18:30:00Z" of an instant. */
str ics_when_text(struct arena *arena, int64_t ms, bool is_day);
/* Gives one occurrence to the reader. `key`: what the UID is followed by; absent: the event does not repeat. */
err ics_give(struct ics_import *import, const struct ics_item *item,
             const struct ics_occurrence *at, str key);
