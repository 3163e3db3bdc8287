/* platform/zone/tzif.h - one zone as data: which stretch of time follows which offset. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "platform/zone/zone.h"

enum {
    ZONE_S_PER_HOUR = 3600,
    ZONE_S_PER_DAY = 86400,
    ZONE_OFFSET_MAX_S = 26 * ZONE_S_PER_HOUR, /* RFC 9636 3.2 */
};

struct zone_type {
    int32_t offset_s;
    bool is_dst;
    char abbreviation[ZONE_ABBREVIATION_MAX + 1];
};

/* [from_s, until_s) all have one type. Nothing before: INT64_MIN; nothing after: INT64_MAX. */
struct zone_span {
    int64_t from_s;
    int64_t until_s;
    const struct zone_type *type;
};

/* --- The rule behind the last transition: a TZ string (POSIX.1-2017 8.3, RFC 9636 3.3) --- */

struct tz_date {
    enum { TZ_JULIAN, TZ_DAY, TZ_WEEKDAY } kind; /* Jn: 29 February is not counted; n; Mm.w.d */
    int month;
    int week; /* 5: the last */
    int day;
    int32_t time_s; /* since local midnight; may be negative or beyond the day */
};

struct tz_rule {
    struct zone_type standard;
    struct zone_type dst;
    bool has_dst;
    struct tz_date start; /* of dst, in standard time */
    struct tz_date end;   /* of dst, in dst */
};

/* False unless `text` is such a string and says when daylight saving begins and ends. */
bool tz_rule_parse(str text, struct tz_rule *ret);
struct zone_span tz_rule_span(const struct tz_rule *rule, int64_t at_s);

/* --- The file --- */

struct zone {
    size_t transition_count;
    int64_t *transitions_s;  /* ascending */
    uint8_t *types_after;    /* index of the type from that transition on */
    struct zone_type *types; /* the first one also rules before the first transition */
    bool has_rule;
    struct tz_rule rule;
};

/* The zone in the bytes of a TZif file; NULL if they are not one that we can use. */
struct zone *tzif_parse(str file);
/* A zone that has always followed `rule`. */
struct zone *tzif_of_rule(const struct tz_rule *rule);
void tzif_free(struct zone *zone); /* NULL is accepted */

struct zone_span tzif_span(const struct zone *zone, int64_t at_s);
