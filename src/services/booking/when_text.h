/* booking/when_text.h - an event's time span in words, as people in its zone would say it. */
#pragma once

#include <stdbool.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/time.h"

/* Wall-clock times in the event's zone; `end` is not before `start` in real time. */
struct when {
    struct civil start;
    struct civil end; /* of a whole-day event: its last day, included */
    bool whole_day;   /* the hours and the zone are then of no interest */
    str zone_name;    /* "Africa/Cairo", or absent */
    /* "EET", or tzdata's numeric "+03"; differ where the clocks change in between. Or absent. */
    str start_abbreviation;
    str end_abbreviation;
};

/* Pure, in English:
 *   Saturday, 5 December 2026, 20:00 – 23:00 (EET, Africa/Cairo)
 *   Thursday, 31 December 2026, 22:00 – Friday, 1 January 2027, 04:00 (EET, Africa/Cairo)
 *   Sunday, 25 October 2026, 01:30 CEST – 02:15 CET (Europe/Berlin)
 *   Saturday, 5 December 2026
 *   Saturday, 5 – Monday, 7 December 2026 */
str when_text(struct arena *arena, const struct when *when);
