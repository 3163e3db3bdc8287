/* booking/import/from_ics_item.c - the times of an event in an iCalendar file (RFC 5545 3.3.4 to 3.3.6, 3.3.9). */

#include "services/booking/import/from_ics.h"

enum { ZONE_TEXT_MAX = 100, NAME_TEXT_MAX = 20 /* bytes that a reason quotes */ };

/* --- Times --- */

bool ics_duration_parse(str text, struct ics_lasting *ret)
{
    static const struct {
        char unit;
        bool in_time;
        int64_t days;
        int64_t ms;
    } units[] = {
        {'W', false, 7, 0      },
        {'D', false, 1, 0      },
        {'H', true,  0, 3600000},
        {'M', true,  0, 60000  },
        {'S', true,  0, 1000   },
    };
    bool in_time = false;
    size_t at = str_starts(text, STR("+")) ? 1 : 0;
    size_t parts = 0;

    *ret = (struct ics_lasting){0};
    if (at >= text.size || text.ptr[at++] != 'P')
        return false;
    while (at < text.size) {
        int64_t number = 0;
        size_t digits = 0;

        if (text.ptr[at] == 'T') {
            in_time = true;
            at++;
            continue;
        }
        for (; at < text.size && text.ptr[at] >= '0' && text.ptr[at] <= '9' && digits < 9;
             at++, digits++)
            number = number * 10 + text.ptr[at] - '0';
        bool known = false;
        for (size_t i = 0; digits > 0 && at < text.size && i < sizeof(units) / sizeof(units[0]);
             i++)
            if (units[i].unit == text.ptr[at] && units[i].in_time == in_time) {
                ret->days += number * units[i].days;
                ret->ms += number * units[i].ms;
                known = true;
            }
        if (!known)
            return false;
        at++;
        parts++;
    }
    return parts > 0;
}

static const char *unknown_zone(struct arena *arena, const struct ics_line *line, str tzid)
{
    const bool can_say = str_is_utf8(tzid) && tzid.size <= ZONE_TEXT_MAX;

    return arena_printf(arena,
                        "%.*s: the time zone%s%.*s%s is unknown, and the file does not define it",
                        STR_ARG(str_slice(line->name, 0, NAME_TEXT_MAX)), can_say ? " \"" : "",
                        STR_ARG(can_say ? tzid : STR("")), can_say ? "\"" : "")
        .ptr;
}

const char *ics_moment_read(struct ics_import *import, const struct ics_line *line, str value,
                            struct ics_moment *ret, const struct ics_zone **ret_zone)
{
    struct arena *arena = import->run->arena;
    const str tzid = ics_param(arena, line, "TZID");
    const struct ics_zone *zone = import->standard;

    *ret = (struct ics_moment){0};
    if (!ics_when_parse(str_trim(value), &ret->when))
        return arena_printf(arena,
                            "%.*s: neither YYYYMMDD nor YYYYMMDDTHHMMSS, or there is no such time",
                            STR_ARG(str_slice(line->name, 0, NAME_TEXT_MAX)))
            .ptr;
    if (ret->when.kind == ICS_WALL && tzid.size > 0) {
        zone = ics_zones_find(import->zones, tzid, &import->work);
        if (zone == NULL)
            return unknown_zone(arena, line, tzid);
    }
    if (ret->when.kind == ICS_WALL)
        ret->zone = zone->zone;
    if (ret_zone != NULL)
        *ret_zone = ret->when.kind == ICS_WALL ? zone : NULL;
    return NULL;
}

/* --- One event of the file --- */

static const char *read_end(struct ics_import *import, struct ics_item *item)
{
    const struct ics_line *end = ics_event_line(item->event, "DTEND");
    const struct ics_line *duration = ics_event_line(item->event, "DURATION");
    struct ics_moment at;

    if (end == NULL && duration == NULL)
        return NULL;
    item->has_end = true;
    if (end == NULL)
        return ics_duration_parse(str_trim(duration->value), &item->lasts)
                   ? NULL
                   : "DURATION: not a duration such as PT2H30M";
    const char *why = ics_moment_read(import, end, end->value, &at, NULL);

    if (why != NULL)
        return why;
    if ((at.when.kind == ICS_DAY) != (item->start.when.kind == ICS_DAY))
        return "DTEND: a day where DTSTART is a time, or the other way round";
    const int64_t ms = ics_instant(&at) - ics_instant(&item->start);
    if (ms < 0)
        return "DTEND: before DTSTART";
    if (at.when.kind == ICS_DAY)
        item->lasts.days = ms / DAY_MS;
    else
        item->lasts.ms = ms;
    return NULL;
}

const char *ics_item_read(struct ics_import *import, const struct ics_event *event,
                          struct ics_item *ret)
{
    const struct ics_line *start = ics_event_line(event, "DTSTART");
    const struct ics_line *recurrence = ics_event_line(event, "RECURRENCE-ID");
    const char *why = "DTSTART: missing";

    *ret = (struct ics_item){.event = event};
    if (start != NULL)
        why = ics_moment_read(import, start, start->value, &ret->start, &ret->zone);
    if (why == NULL)
        why = read_end(import, ret);
    if (why == NULL && recurrence != NULL) {
        why = ics_moment_read(import, recurrence, recurrence->value, &ret->recurrence, NULL);
        ret->recurrence_ms = why == NULL ? ics_instant(&ret->recurrence) : 0;
    }
    return why;
}
