/* booking/import/ics_zone.c - finds the zones that an iCalendar file names.
 *
 * A name of the IANA database is that zone, whatever the file defines under it: its own definition often knows one year only. So are the names
 * of Windows, and names with a database's name at their end, as several programs write them. Only what is left is made of the
 * file's definition: its observances (RFC 5545 3.6.5), laid out as changes of the offset up to the year LAST_YEAR. */
#include "services/booking/import/ics_zone.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"
#include "services/booking/import/ics_rule.h"

enum {
    LAST_YEAR = 2100,
    CHANGES_MAX = 2048,       /* of one zone */
    OBSERVANCES_MAX = 256,    /* of one zone */
    DEFINITIONS_MAX = 1000,   /* of one file */
    OFFSET_MAX_S = 24 * 3600, /* less than */
    WORK_MAX = 500000,        /* of one observance: see ics_walk_open */
};

struct observance {
    struct observance *next;
    struct ics_when start;
    str rule; /* absent: none */
    str dates;
    int from_s;
    int to_s;
    bool has_start;
    bool has_from;
    bool has_to;
};

struct definition {
    str tzid;
    str location; /* X-LIC-LOCATION: a name of the IANA database */
    struct observance *observances;
    size_t count;
};

struct ics_zones {
    struct zones *zones;
    struct arena *arena;
    struct map *definitions; /* tzid -> struct definition */
    struct map *found;       /* tzid -> struct ics_zone */
    struct definition *open; /* that whose lines come in now */
    bool in_observance;
};

static void forget(void *zone)
{
    zone_free(zone);
}

struct ics_zones *ics_zones_open(struct zones *zones, struct arena *arena)
{
    struct ics_zones *ret = mem_new(struct ics_zones);

    *ret = (struct ics_zones){
        .zones = zones, .arena = arena, .definitions = map_open(), .found = map_open()};
    return ret;
}

void ics_zones_close(struct ics_zones *zones)
{
    if (zones == NULL)
        return;
    map_close(zones->definitions);
    map_close(zones->found);
    mem_free(zones);
}

/* --- Reading definitions --- */

/* "+0200", "-033000" */
static bool parse_offset(str text, int *ret)
{
    int digits[6] = {0};

    if ((text.size != 5 && text.size != 7) || (text.ptr[0] != '+' && text.ptr[0] != '-'))
        return false;
    for (size_t i = 1; i < text.size; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        digits[i - 1] = text.ptr[i] - '0';
    }
    const int s = (digits[0] * 10 + digits[1]) * 3600 + (digits[2] * 10 + digits[3]) * 60 +
                  digits[4] * 10 + digits[5];
    if (s >= OFFSET_MAX_S)
        return false;
    *ret = text.ptr[0] == '-' ? -s : s;
    return true;
}

static void observe(struct ics_zones *zones, const struct ics_line *line)
{
    struct observance *observance = zones->open->observances;
    const str value = str_trim(line->value);

    if (str_eq_nocase(line->name, STR("DTSTART")))
        observance->has_start = ics_when_parse(value, &observance->start);
    else if (str_eq_nocase(line->name, STR("RRULE")))
        observance->rule = value;
    else if (str_eq_nocase(line->name, STR("RDATE")))
        observance->dates = observance->dates.ptr == NULL
                                ? value
                                : arena_printf(zones->arena, "%.*s,%.*s",
                                               STR_ARG(observance->dates), STR_ARG(value));
    else if (str_eq_nocase(line->name, STR("TZOFFSETFROM")))
        observance->has_from = parse_offset(value, &observance->from_s);
    else if (str_eq_nocase(line->name, STR("TZOFFSETTO")))
        observance->has_to = parse_offset(value, &observance->to_s);
}

void ics_zones_line(struct ics_zones *zones, const struct ics_line *line)
{
    const str value = str_trim(line->value);

    if (zones->open == NULL)
        zones->open = arena_new(zones->arena, struct definition);
    struct definition *definition = zones->open;

    if (str_eq_nocase(line->name, STR("END")) && str_eq_nocase(value, STR("VTIMEZONE"))) {
        if (definition->tzid.size > 0 && map_count(zones->definitions) < DEFINITIONS_MAX)
            (void)map_put(zones->definitions, definition->tzid, definition);
        zones->open = NULL;
        zones->in_observance = false;
    } else if (str_eq_nocase(line->name, STR("BEGIN"))) {
        zones->in_observance = definition->count < OBSERVANCES_MAX;
        if (!zones->in_observance)
            return;
        struct observance *observance = arena_new(zones->arena, struct observance);
        observance->next = definition->observances;
        definition->observances = observance;
        definition->count++;
    } else if (str_eq_nocase(line->name, STR("END"))) {
        zones->in_observance = false;
    } else if (zones->in_observance) {
        observe(zones, line);
    } else if (str_eq_nocase(line->name, STR("TZID"))) {
        definition->tzid = ics_text(zones->arena, value);
    } else if (str_eq_nocase(line->name, STR("X-LIC-LOCATION"))) {
        definition->location = ics_text(zones->arena, value);
    }
}

/* --- Laying out --- */

struct change {
    struct zone_change change;
    int from_s;
};
struct layout {
    struct change *changes;
    size_t count;
};

static void add_change(struct layout *layout, const struct observance *observance, int64_t wall_ms)
{
    if (layout->count < CHANGES_MAX)
        layout->changes[layout->count++] = (struct change){
            {wall_ms / 1000 - observance->from_s, observance->to_s},
            observance->from_s
        };
}

static void lay_out_rule(struct layout *layout, const struct observance *observance, int64_t *work)
{
    struct ics_rule *rule = mem_new(struct ics_rule);
    struct ics_walk *walk = mem_new(struct ics_walk);
    const char *why = NULL;
    int64_t wall_ms = 0;

    if (ics_rule_parse(observance->rule, rule, &why)) {
        const int64_t budget = *work < WORK_MAX ? *work : WORK_MAX;

        ics_walk_open(walk, rule, observance->start.ms, budget);
        while (layout->count < CHANGES_MAX && ics_walk_next(walk, &wall_ms) &&
               civil_from_ms(wall_ms).year <= LAST_YEAR &&
               (rule->until != ICS_UNTIL_UTC ||
                wall_ms - observance->from_s * INT64_C(1000) <= rule->until_ms))
            if (wall_ms != observance->start.ms)
                add_change(layout, observance, wall_ms);
        *work -= budget - (walk->work > 0 ? walk->work : 0);
    }
    mem_free(walk);
    mem_free(rule);
}

static int compare_changes(const void *a, const void *b)
{
    const struct change *left = a;
    const struct change *right = b;

    return (left->change.at_s > right->change.at_s) - (left->change.at_s < right->change.at_s);
}

static struct zone *zone_of_layout(struct arena *arena, struct layout *layout)
{
    struct zone_change *changes = arena_new_array(arena, struct zone_change, layout->count);
    size_t count = 0;

    qsort(layout->changes, layout->count, sizeof(layout->changes[0]), compare_changes);
    for (size_t i = 0; i < layout->count; i++)
        if (count == 0 || changes[count - 1].at_s < layout->changes[i].change.at_s)
            changes[count++] = layout->changes[i].change;
    return zone_of_changes(layout->changes[0].from_s, changes, count);
}

/* NULL: it defines nothing. */
static const struct zone *make_zone(struct ics_zones *zones, const struct definition *definition,
                                    int64_t *work)
{
    struct layout layout = {.changes = arena_new_array(zones->arena, struct change, CHANGES_MAX)};

    for (const struct observance *at = definition->observances; at != NULL; at = at->next) {
        str dates = at->dates;
        struct ics_when when;
        str date;

        if (!at->has_from || !at->has_to || !at->has_start)
            continue;
        add_change(&layout, at, at->start.ms);
        while (str_split(&dates, ',', &date))
            if (ics_when_parse(str_trim(date), &when))
                add_change(&layout, at, when.ms);
        if (at->rule.ptr != NULL)
            lay_out_rule(&layout, at, work);
    }
    if (layout.count == 0)
        return NULL;
    struct zone *zone = zone_of_layout(zones->arena, &layout);
    arena_on_reset(zones->arena, forget, zone);
    return zone;
}

/* --- Finding --- */

static bool is_known(struct ics_zones *zones, str name, struct ics_zone *ret)
{
    if (name.size == 0 || zone_find(zones->zones, name, &ret->zone) != ERR_OK)
        return false;
    ret->name = arena_str(zones->arena, name);
    return true;
}

/* "/mozilla.org/20050126_1/Europe/Berlin": three parts of the end, two, or one. */
static bool is_known_at_end(struct ics_zones *zones, str tzid, struct ics_zone *ret)
{
    size_t starts[3] = {tzid.size, tzid.size, tzid.size};

    for (size_t i = tzid.size; i > 0; i--)
        if (tzid.ptr[i - 1] == '/') {
            if (starts[2] != tzid.size)
                break;
            starts[starts[0] == tzid.size ? 0 : starts[1] == tzid.size ? 1 : 2] = i;
        }
    for (int i = 2; i >= 0; i--)
        if (is_known(zones, str_slice(tzid, starts[i], tzid.size), ret))
            return true;
    return false;
}

const struct ics_zone *ics_zones_find(struct ics_zones *zones, str tzid, int64_t *work)
{
    struct ics_zone *zone = map_find(zones->found, tzid);

    if (zone != NULL)
        return zone->zone != NULL ? zone : NULL;
    zone = arena_new(zones->arena, struct ics_zone);
    const struct definition *definition = map_find(zones->definitions, tzid);

    if (!is_known(zones, tzid, zone) && !is_known(zones, ics_windows_zone(tzid), zone) &&
        !is_known_at_end(zones, tzid, zone) && definition != NULL &&
        !is_known(zones, definition->location, zone))
        zone->zone = make_zone(zones, definition, work);
    (void)map_put(zones->found, tzid, zone);
    return zone->zone != NULL ? zone : NULL;
}
