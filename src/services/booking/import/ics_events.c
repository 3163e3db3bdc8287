/* booking/import/ics_events.c - sorts the lines of an iCalendar file into its components.
 *
 * Only VEVENT and VTIMEZONE are read; what else there is, and what stands within an event (alarms), is passed over. Occurrences that were
 * changed stand beside their series under the same UID, in any order: so events are put together only when all were read. */
#include "services/booking/import/ics_events.h"

#include "base/map.h"

/* --- Components --- */

struct reading {
    struct arena *arena;
    struct ics_zones *zones;
    struct ics_file *file;
    struct ics_event **last;
    struct ics_event *event; /* open */
    size_t count;
    int depth; /* of components that are passed over */
    bool in_zone;
};

static bool is(str text, const char *name)
{
    return str_eq_nocase(str_trim(text), str_of(name));
}

static void keep_line(struct reading *reading, const struct ics_line *line)
{
    struct ics_event *event = reading->event;

    if (event->line_count == ICS_EVENT_LINES_MAX)
        return;
    if (event->line_count == event->line_capacity) {
        const size_t capacity = event->line_capacity > 0 ? event->line_capacity * 2 : 16;
        struct ics_line *wider = arena_new_array(reading->arena, struct ics_line, capacity);

        for (size_t i = 0; i < event->line_count; i++)
            wider[i] = event->lines[i];
        event->lines = wider;
        event->line_capacity = capacity;
    }
    event->lines[event->line_count++] = *line;
}

static void close_event(struct reading *reading)
{
    struct ics_event *event = reading->event;
    const struct ics_line *uid = ics_event_line(event, "UID");
    const struct ics_line *sequence = ics_event_line(event, "SEQUENCE");

    if (uid != NULL && str_trim(uid->value).size > 0)
        event->uid = str_trim(ics_text(reading->arena, uid->value));
    if (sequence != NULL && !str_to_i64(str_trim(sequence->value), &event->sequence))
        event->sequence = 0;
    event->changes_occurrence = ics_event_line(event, "RECURRENCE-ID") != NULL;
    reading->event = NULL;
    if (reading->count == ICS_EVENTS_MAX)
        return;
    *reading->last = event;
    reading->last = &event->next;
    reading->count++;
}

static void take_event_line(struct reading *reading, const struct ics_line *line)
{
    if (is(line->name, "BEGIN"))
        reading->depth++;
    else if (is(line->name, "END") && reading->depth > 0)
        reading->depth--;
    else if (is(line->name, "END"))
        close_event(reading);
    else if (reading->depth == 0)
        keep_line(reading, line);
}

static void begin(struct reading *reading, const struct ics_line *line)
{
    if (reading->depth == 0 && is(line->value, "VCALENDAR")) {
        reading->file->is_calendar = true;
    } else if (reading->depth == 0 && is(line->value, "VEVENT")) {
        reading->event = arena_new(reading->arena, struct ics_event);
        reading->event->line = line->line;
    } else if (reading->depth == 0 && is(line->value, "VTIMEZONE")) {
        reading->in_zone = true;
    } else {
        reading->depth++;
    }
}

static void take_line(struct reading *reading, const struct ics_line *line)
{
    if (reading->event != NULL) {
        take_event_line(reading, line);
    } else if (reading->in_zone) {
        ics_zones_line(reading->zones, line);
        reading->in_zone = !(is(line->name, "END") && is(line->value, "VTIMEZONE"));
    } else if (is(line->name, "BEGIN")) {
        begin(reading, line);
    } else if (is(line->name, "END")) {
        reading->depth -= reading->depth > 0;
    } else if (reading->depth == 0 && is(line->name, "X-WR-TIMEZONE")) {
        reading->file->timezone = str_trim(ics_text(reading->arena, line->value));
    } else if (reading->depth == 0 && is(line->name, "METHOD")) {
        reading->file->cancels = is(line->value, "CANCEL");
    }
}

/* --- Series and what changes them --- */

/* Of several versions of one event the latest counts. */
static void put_version(struct map *by_uid, struct ics_event *event)
{
    struct ics_event *other = map_find(by_uid, event->uid);

    if (other != NULL && other->sequence > event->sequence) {
        event->outdated = true;
        return;
    }
    if (other != NULL)
        other->outdated = true;
    (void)map_put(by_uid, event->uid, event);
}

static void put_together(struct ics_file *file)
{
    struct map *by_uid = map_open();

    for (struct ics_event *event = file->events; event != NULL; event = event->next)
        if (event->uid.ptr != NULL && !event->changes_occurrence)
            put_version(by_uid, event);
    for (struct ics_event *event = file->events; event != NULL; event = event->next) {
        struct ics_event *series = event->changes_occurrence && event->uid.ptr != NULL
                                       ? map_find(by_uid, event->uid)
                                       : NULL;
        if (series == NULL)
            continue;
        event->series = series;
        event->next_override = series->overrides;
        series->overrides = event;
    }
    map_close(by_uid);
}

void ics_events_read(str text, struct arena *arena, struct ics_zones *zones, struct ics_file *ret)
{
    struct reading reading = {.arena = arena, .zones = zones, .file = ret, .last = &ret->events};
    struct ics_line line;
    struct ics ics;

    *ret = (struct ics_file){0};
    ics_open(&ics, text);
    for (;;) {
        const enum ics_result result = ics_next(&ics, arena, &line);

        if (result == ICS_END)
            break;
        if (result == ICS_LINE) {
            take_line(&reading, &line);
        } else {
            ret->broken_count++;
            ret->broken_line = ret->broken_line > 0 ? ret->broken_line : line.line;
        }
    }
    ret->is_cut = reading.event != NULL;
    put_together(ret);
}

const struct ics_line *ics_event_line(const struct ics_event *event, const char *name)
{
    for (size_t i = 0; i < event->line_count; i++)
        if (str_eq_nocase(event->lines[i].name, str_of(name)))
            return &event->lines[i];
    return NULL;
}
