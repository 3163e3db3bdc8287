/* platform/zone/zone.h - wall time in the world's time zones, without the C library's TZ.
 *
 * Zones come from compiled TZif files (RFC 9636, version 2 or later) of the IANA database. libc has
 * one zone a process, taken from the environment; here any thread asks for any zone. What was found
 * stays valid and unchanged until zones_close, so converting takes no lock. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "base/time.h"

enum {
    ZONES_MAX = 1024,   /* names that one struct zones keeps: the database has about 600 */
    ZONE_NAME_MAX = 63, /* bytes */
    ZONE_ABBREVIATION_MAX = 15,
};

struct zones; /* thread-safe */
struct zone;

/* `directory` holds the compiled files; NULL: /usr/share/zoneinfo. Opens nothing yet. */
struct zones *zones_open(const char *directory);
void zones_close(struct zones *zones); /* NULL is accepted */

/* The zone "Europe/Berlin". ERR_NOT_FOUND: there is none, the name is not one (only letters, digits
 * and "_+-/"), or its file is unusable (version 1, leap seconds counted, corrupt). "UTC" is found
 * without any file. ERR_UNAVAILABLE: reading failed. ERR_OVERLOADED: ZONES_MAX reached. */
err zone_find(struct zones *zones, str name, const struct zone **ret);

struct zone_local {
    struct civil civil;
    int offset_s;             /* east of Greenwich is positive */
    const char *abbreviation; /* "CEST"; lives as long as the zone */
    bool is_dst;
};

/* Clamped to the years 1 to 9999. */
struct zone_local zone_to_local(const struct zone *zone, int64_t ms);

enum zone_kind {
    ZONE_EXACT,
    ZONE_GAP,       /* clocks jump over this wall time: it does not exist */
    ZONE_AMBIGUOUS, /* clocks show it twice: the first time is taken */
};

/* The instant of a valid wall time. In a gap it is reckoned with the offset before the jump, as
 * RFC 5545 3.3.5 wants it; whoever takes a time from a person refuses it instead. Clamped to
 * TIME_MS_MIN, TIME_MS_MAX. */
enum zone_kind zone_to_utc(const struct zone *zone, const struct civil *civil, int64_t *ret_ms);

/* --- A zone of one's own, such as a calendar file defines (RFC 5545 3.6.5) --- */

struct zone_change {
    int64_t at_s;
    int offset_s; /* from then on; less than 26 hours either way (asserted) */
};
/* `first_offset_s` until the first change; changes ascend strictly (asserted), and none takes effect beyond 250 different offsets. The caller
 * frees it. */
struct zone *zone_of_changes(int first_offset_s, const struct zone_change *changes, size_t count);
void zone_free(struct zone *zone); /* only what zone_of_changes gave; NULL is accepted */
