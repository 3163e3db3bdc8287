/* booking/import/ics_zone.h - the time zones of an iCalendar file: names of the IANA database, names that Windows knows, and the file's own definitions. */
#pragma once

#include "base/arena.h"
#include "platform/zone/zone.h"
#include "services/booking/import/ics.h"

struct ics_zones;

struct ics_zone {
    const struct zone *zone;
    str name; /* in the IANA database; absent: this file alone knows it */
};

/* The texts of lines must outlive it; what is allocated lives in `arena`. */
struct ics_zones *ics_zones_open(struct zones *zones, struct arena *arena);
void ics_zones_close(struct ics_zones *zones); /* NULL is accepted */

/* Takes the lines of a VTIMEZONE (3.6.5), from behind its BEGIN to its END. */
void ics_zones_line(struct ics_zones *zones, const struct ics_line *line);
/* The zone that a TZID names. NULL: nobody knows it, or its definition says nothing. Ask when the whole file was read. Takes from *work as
 * ics_walk does. */
const struct ics_zone *ics_zones_find(struct ics_zones *zones, str tzid, int64_t *work);
/* The IANA name of what Windows calls "W. Europe Standard Time"; absent: it does not. */
str ics_windows_zone(str name);
