/* booking/import/ics_series.h - the occurrences of an event that repeats (RFC 5545 3.8.5): its rules and dates, less the exceptions. */
#pragma once

#include "base/arena.h"
#include "platform/zone/zone.h"
#include "services/booking/import/ics_rule.h"

enum {
    ICS_OCCURRENCES_MAX = 1000, /* of one series */
    ICS_AHEAD_DAYS = 731,       /* how far a series without an end is taken */
    ICS_DATES_MAX = 10000,      /* RDATE and EXDATE of one series */
    ICS_RULES_MAX = 8,
};

/* A time as a property says it, with the zone that its wall time is one of. A day has none. */
struct ics_moment {
    struct ics_when when;
    const struct zone *zone;
};
/* The instant; of a day its midnight in UTC. A wall time that clocks jump over is reckoned with the offset before (3.3.5). */
int64_t ics_instant(const struct ics_moment *moment);

struct ics_date {
    struct ics_moment at;
    int64_t at_ms;    /* ics_instant of it */
    int64_t lasts_ms; /* of a PERIOD; -1: as long as all */
};

struct ics_series {
    struct ics_moment start;
    int64_t lasts_ms; /* about: a series without an end begins with what is not over */
    const struct ics_rule *const *rules;
    size_t rule_count;
    const struct ics_date *dates;
    size_t date_count;
    const struct ics_date *exceptions;
    size_t exception_count;
    int64_t now_ms;
    int64_t work; /* see ics_walk_open; what is left */
};

struct ics_occurrence {
    int64_t wall_ms; /* in the zone of the start */
    int64_t at_ms;   /* the instant, as ics_instant */
    int64_t lasts_ms;
};

enum ics_extent {
    ICS_WHOLE,
    ICS_CUT, /* only what is not over yet, ICS_AHEAD_DAYS ahead, ICS_OCCURRENCES_MAX at most */
    ICS_EXHAUSTED, /* the search took too long: what was found */
};

/* All occurrences in order, the start first (unless it is excepted). A series with an end is taken whole, if it is not too long. */
enum ics_extent ics_series_expand(struct ics_series *series, struct arena *arena,
                                  struct ics_occurrence **ret, size_t *ret_count);
