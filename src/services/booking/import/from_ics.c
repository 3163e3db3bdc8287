/* booking/import/from_ics.c - events from iCalendar files (RFC 5545).
 *
 * The whole file is read first, because zones are defined and occurrences changed anywhere in it. An event that repeats becomes one event for
 * each occurrence, known again by its UID and the start that its rule gave it: so an occurrence that was moved stays the same event. Wall
 * times become instants here, with the zone kept beside them for showing. */

#include "services/booking/import/from_ics.h"

enum { OVERRIDES_MAX = 2 * ICS_OCCURRENCES_MAX };

/* --- Series --- */

struct plan {
    struct ics_item item;
    const struct ics_rule **rules;
    size_t rule_count;
    struct ics_date *dates;
    size_t date_count;
    struct ics_date *exceptions;
    size_t exception_count;
    struct ics_item *overrides;
    size_t override_count;
};

static const char *add_rule(struct ics_import *import, const struct ics_line *line,
                            struct plan *plan)
{
    struct ics_rule *rule = arena_new(import->series, struct ics_rule);
    const char *why = NULL;

    if (plan->rule_count == ICS_RULES_MAX)
        return "RRULE: too many";
    if (!ics_rule_parse(line->value, rule, &why))
        return arena_printf(import->run->arena, "RRULE: %s", why).ptr;
    plan->rules[plan->rule_count++] = rule;
    return NULL;
}

/* "start/end" or "start/duration" (3.3.9). */
static const char *period_of(struct ics_import *import, const struct ics_line *line, str text,
                             struct ics_date *ret)
{
    struct ics_moment end;
    struct ics_lasting lasts;
    str start;

    (void)str_split(&text, '/', &start);
    const char *why = ics_moment_read(import, line, start, &ret->at, NULL);

    if (why != NULL)
        return why;
    ret->at_ms = ics_instant(&ret->at);
    ret->lasts_ms = -1;
    if (text.ptr == NULL)
        return NULL;
    if (ics_duration_parse(str_trim(text), &lasts)) {
        ret->lasts_ms = lasts.days * DAY_MS + lasts.ms;
        return NULL;
    }
    why = ics_moment_read(import, line, text, &end, NULL);
    if (why == NULL && ics_instant(&end) >= ret->at_ms)
        ret->lasts_ms = ics_instant(&end) - ret->at_ms;
    return why;
}

static const char *add_dates(struct ics_import *import, const struct ics_line *line,
                             struct ics_date *dates, size_t *count)
{
    str rest = line->value;
    str part;

    while (str_split(&rest, ',', &part)) {
        if (str_trim(part).size == 0)
            continue;
        if (*count == ICS_DATES_MAX)
            return "RDATE and EXDATE: too many";
        const char *why = period_of(import, line, part, &dates[*count]);
        if (why != NULL)
            return why;
        ++*count;
    }
    return NULL;
}

static size_t date_places(const struct ics_event *event, const char *name)
{
    size_t places = 0;

    for (size_t i = 0; i < event->line_count; i++)
        if (str_eq_nocase(event->lines[i].name, str_of(name))) {
            places++;
            for (size_t at = 0; at < event->lines[i].value.size; at++)
                places += event->lines[i].value.ptr[at] == ',';
        }
    return places < ICS_DATES_MAX ? places : ICS_DATES_MAX;
}

static const char *plan_of(struct ics_import *import, struct plan *plan)
{
    const struct ics_event *event = plan->item.event;
    const char *why = NULL;

    plan->rules = arena_new_array(import->series, const struct ics_rule *, ICS_RULES_MAX);
    plan->dates = arena_new_array(import->series, struct ics_date, date_places(event, "RDATE"));
    plan->exceptions =
        arena_new_array(import->series, struct ics_date, date_places(event, "EXDATE"));
    for (size_t i = 0; why == NULL && i < event->line_count; i++) {
        const struct ics_line *line = &event->lines[i];

        if (str_eq_nocase(line->name, STR("RRULE")))
            why = add_rule(import, line, plan);
        else if (str_eq_nocase(line->name, STR("EXRULE")))
            why = "EXRULE: RFC 5545 has done away with it; EXDATE says which days are left out";
        else if (str_eq_nocase(line->name, STR("RDATE")))
            why = add_dates(import, line, plan->dates, &plan->date_count);
        else if (str_eq_nocase(line->name, STR("EXDATE")))
            why = add_dates(import, line, plan->exceptions, &plan->exception_count);
    }
    return why;
}

/* A changed occurrence that cannot be read is refused by itself; the series keeps the occurrence as it was. */
static void read_overrides(struct ics_import *import, struct plan *plan)
{
    plan->overrides = arena_new_array(import->series, struct ics_item, OVERRIDES_MAX);
    for (const struct ics_event *at = plan->item.event->overrides; at != NULL;
         at = at->next_override) {
        struct ics_item *item = &plan->overrides[plan->override_count];
        const char *why = plan->override_count == OVERRIDES_MAX ? "too many changed occurrences"
                                                                : ics_item_read(import, at, item);

        if (why != NULL)
            import_refuse(import->run, at->line, why);
        else
            plan->override_count++;
    }
}

static bool is_for_following(const struct ics_item *override)
{
    const struct ics_line *line = ics_event_line(override->event, "RECURRENCE-ID");
    const char range[] = "RANGE=THISANDFUTURE";

    for (size_t i = 0; line != NULL && i + sizeof(range) - 1 <= line->params.size; i++)
        if (str_eq_nocase(str_slice(line->params, i, i + sizeof(range) - 1), STR(range)))
            return true;
    return false;
}

/* What changes this occurrence: the override of just this one, else the last one before it that is for all that follow; NULL: none. The latest version counts. */
static const struct ics_item *override_of(const struct plan *plan, const struct ics_occurrence *at)
{
    const struct ics_item *following = NULL;
    const struct ics_item *exact = NULL;

    for (size_t i = 0; i < plan->override_count; i++) {
        const struct ics_item *override = &plan->overrides[i];

        if (override->recurrence_ms == at->at_ms) {
            if (exact == NULL || override->event->sequence > exact->event->sequence)
                exact = override;
        } else if (override->recurrence_ms < at->at_ms && is_for_following(override) &&
                   (following == NULL || override->recurrence_ms > following->recurrence_ms)) {
            following = override;
        }
    }
    return exact != NULL ? exact : following;
}

static err give_occurrence(struct ics_import *import, const struct plan *plan,
                           const struct ics_occurrence *at)
{
    const struct ics_item *override = override_of(plan, at);

    arena_reset(import->run->arena);
    const str key =
        ics_when_text(import->run->arena, at->at_ms, plan->item.start.when.kind == ICS_DAY);

    if (override == NULL)
        return ics_give(import, &plan->item, at, key);
    struct ics_moment start = override->start;
    /* RANGE=THISANDFUTURE: those that follow are moved as far as the first was. */
    if (override->recurrence_ms != at->at_ms)
        start.when.ms += at->wall_ms - plan->item.start.when.ms -
                         (override->recurrence.when.ms - plan->item.start.when.ms);
    if (start.when.ms < TIME_MS_MIN || start.when.ms > TIME_MS_MAX)
        return ERR_OK;
    const struct ics_occurrence changed = {start.when.ms, ics_instant(&start), -1};
    return ics_give(import, override, &changed, key);
}

static void say_extent(struct ics_import *import, const struct plan *plan, enum ics_extent extent,
                       size_t count)
{
    const struct import_reader *reader = import->run->reader;

    if (extent == ICS_CUT)
        reader->ignored(reader->arg, plan->item.event->line,
                        arena_printf(import->run->arena,
                                     "repeats for very long: taken are %zu occurrences, from now "
                                     "to at most %d days ahead",
                                     count, ICS_AHEAD_DAYS)
                            .ptr);
    if (extent == ICS_EXHAUSTED)
        import_refuse(
            import->run, plan->item.event->line,
            arena_printf(
                import->run->arena,
                "RRULE: gives too little for how long it is searched; taken are %zu occurrences",
                count)
                .ptr);
}

static err give_series(struct ics_import *import, struct plan *plan)
{
    struct ics_occurrence *occurrences = NULL;
    size_t count = 0;
    const char *why = plan_of(import, plan);

    if (why != NULL) {
        import_refuse(import->run, plan->item.event->line, why);
        return ERR_OK;
    }
    read_overrides(import, plan);
    struct ics_series series = {
        .start = plan->item.start,
        .lasts_ms = plan->item.lasts.days * DAY_MS + plan->item.lasts.ms,
        .rules = plan->rules,
        .rule_count = plan->rule_count,
        .dates = plan->dates,
        .date_count = plan->date_count,
        .exceptions = plan->exceptions,
        .exception_count = plan->exception_count,
        .now_ms = import->run->reader->now_ms,
        .work = import->work,
    };
    const enum ics_extent extent = ics_series_expand(&series, import->series, &occurrences, &count);
    import->work = series.work;
    say_extent(import, plan, extent, count);
    for (size_t i = 0; i < count; i++) {
        if (import_is_full(import->run, plan->item.event->line))
            return ERR_OK;
        TRY(give_occurrence(import, plan, &occurrences[i]));
    }
    return ERR_OK;
}

/* --- The file --- */

static err give_alone(struct ics_import *import, const struct ics_item *item)
{
    const bool is_day = item->recurrence.when.kind == ICS_DAY;
    const int64_t at_ms = ics_instant(&item->start);
    const struct ics_occurrence at = {item->start.when.ms, at_ms, -1};

    return ics_give(import, item, &at,
                    item->event->changes_occurrence
                        ? ics_when_text(import->run->arena, item->recurrence_ms, is_day)
                        : STR_ABSENT);
}

static bool is_repeated(const struct ics_event *event)
{
    return ics_event_line(event, "RRULE") != NULL || ics_event_line(event, "RDATE") != NULL;
}

static err give_event(struct ics_import *import, const struct ics_event *event)
{
    struct plan plan = {0};

    if (event->outdated) {
        import->run->reader->ignored(import->run->reader->arg, event->line,
                                     "the file has a later version of this event");
        return ERR_OK;
    }
    const char *why = ics_item_read(import, event, &plan.item);
    if (why != NULL) {
        import_refuse(import->run, event->line, why);
        return ERR_OK;
    }
    arena_reset(import->series);
    return is_repeated(event) ? give_series(import, &plan) : give_alone(import, &plan.item);
}

static err give_events(struct ics_import *import)
{
    for (const struct ics_event *event = import->file.events; event != NULL; event = event->next) {
        arena_reset(import->run->arena);
        if (import_is_full(import->run, event->line))
            return ERR_OK;
        /* Given with its series, if that repeats. */
        if (event->series != NULL && is_repeated(event->series))
            continue;
        TRY(give_event(import, event));
    }
    return ERR_OK;
}

static err read_all(struct ics_import *import, str text)
{
    const struct import_reader *reader = import->run->reader;
    const str zone = reader->timezone.ptr != NULL ? reader->timezone : STR("UTC");

    ics_events_read(text, import->arena, import->zones, &import->file);
    if (!import->file.is_calendar) {
        import_refuse(import->run, 1, "not an iCalendar file: BEGIN:VCALENDAR is missing");
        return ERR_MALFORMED;
    }
    import->standard = import->file.timezone.ptr != NULL
                           ? ics_zones_find(import->zones, import->file.timezone, &import->work)
                           : NULL;
    if (import->standard == NULL)
        import->standard = ics_zones_find(import->zones, zone, &import->work);
    if (import->standard == NULL) {
        import_refuse(import->run, 1, "the time zone of what has none is unknown");
        return ERR_MALFORMED;
    }
    TRY(give_events(import));
    if (import->file.broken_count > 0)
        reader->ignored(reader->arg, import->file.broken_line,
                        arena_printf(import->run->arena,
                                     "no line of iCalendar, as are %zu in all: left out",
                                     import->file.broken_count)
                            .ptr);
    if (import->file.is_cut)
        import_refuse(import->run, 1, "the file ends within an event: that one is left out");
    return import_result(import->run);
}

err import_read_ics(str text, const struct import_reader *reader)
{
    CLEANUP(arena_close_at) struct arena *row = arena_open(0);
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    CLEANUP(arena_close_at) struct arena *series = arena_open(0);
    struct import_run run = {.reader = reader, .arena = row};
    struct ics_import import = {
        .run = &run,
        .arena = arena,
        .series = series,
        .work = reader->work > 0 ? reader->work : IMPORT_WORK_STANDARD,
    };

    if (text.size > IMPORT_FILE_SIZE_MAX)
        return ERR_TOO_LARGE;
    import.zones = ics_zones_open(reader->zones, arena);
    const err e = read_all(&import, text);
    ics_zones_close(import.zones);
    return e;
}
