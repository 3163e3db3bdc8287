/* booking/import/ics_events.h - the events of an iCalendar file as it has them: their lines, and which changes an occurrence of which. */
#pragma once

#include "services/booking/import/ics.h"
#include "services/booking/import/ics_zone.h"

enum {
    ICS_EVENTS_MAX = 200000,    /* of one file */
    ICS_EVENT_LINES_MAX = 4096, /* of one event: what is beyond is not read */
};

struct ics_event {
    struct ics_event *next;      /* in the order of the file */
    struct ics_event *overrides; /* of a series: changed occurrences, newest first */
    struct ics_event *next_override;
    struct ics_event *series; /* of a changed occurrence; NULL: the file has it alone */
    size_t line;
    str uid; /* absent: none */
    int64_t sequence;
    bool changes_occurrence; /* has a RECURRENCE-ID */
    bool outdated;           /* the file has a later version of it */
    struct ics_line *lines;
    size_t line_count;
    size_t line_capacity;
};

struct ics_file {
    struct ics_event *events;
    str timezone;       /* X-WR-TIMEZONE; absent: none */
    bool cancels;       /* METHOD:CANCEL */
    bool is_calendar;   /* there was a VCALENDAR */
    bool is_cut;        /* it ends within an event: that one is not among them */
    size_t broken_line; /* the first that is no content line; 0: none */
    size_t broken_count;
};

/* Reads the file; what it gives lives in `arena` and in `text`. Definitions of zones go to `zones`. */
void ics_events_read(str text, struct arena *arena, struct ics_zones *zones, struct ics_file *ret);

/* The first line of that name; NULL: none. */
const struct ics_line *ics_event_line(const struct ics_event *event, const char *name);
