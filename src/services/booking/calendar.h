/* booking/calendar.h - one event as an iCalendar file (RFC 5545). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"

enum { CALENDAR_SIZE_MAX = 256 * 1024 };

struct calendar_event {
    str id;   /* with `host` behind an '@' it is the UID, the same in every copy */
    str host; /* of the public URL */
    str name;
    str description;       /* may be absent, like location and url */
    str location;          /* "Cairo Opera House, El Borg Gezira, Cairo, Egypt" */
    str url;               /* of the event's page; left out if it is no URI */
    int64_t changed_at_ms; /* DTSTAMP: when this version came to be */
    int64_t version;       /* SEQUENCE: grows with every change */
    int64_t starts_at_ms;
    int64_t ends_at_ms; /* left out if it is not after the start */
    bool whole_day;     /* then the two days count, in the event's zone, both included */
    struct civil first_day;
    struct civil last_day;
    bool cancelled;
    bool has_position;
    double lat; /* degrees, WGS 84; left out if it is not on the globe */
    double lon;
};

/* Times are in UTC, so that no VTIMEZONE has to repeat the zone's rules: every calendar shows them
 * in its reader's own zone. Texts are escaped, lines folded at 75 octets. ERR_TOO_LARGE beyond
 * CALENDAR_SIZE_MAX. */
err calendar_ics(struct arena *arena, const struct calendar_event *event, str *ret);
