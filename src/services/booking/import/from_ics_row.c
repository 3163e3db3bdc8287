/* booking/import/from_ics_row.c - makes a row of an event in an iCalendar file and one of its occurrences. */

#include "services/booking/import/from_ics.h"
#include "services/booking/import/words.h"

/* --- From an occurrence to a row --- */

/* Names have one line. */
static str text_of(struct arena *arena, const struct ics_event *event, const char *name,
                   bool many_lines)
{
    const struct ics_line *line = ics_event_line(event, name);

    if (line == NULL)
        return STR_ABSENT;
    const str text = ics_text(arena, line->value);
    return many_lines ? text : import_one_line(arena, text);
}

static void put_place(struct arena *arena, const struct ics_event *event,
                      struct import_draft *draft)
{
    const struct ics_line *geo = ics_event_line(event, "GEO");
    const struct ics_line *conference = ics_event_line(event, "CONFERENCE"); /* RFC 7986 5.11 */
    const str location = str_trim(text_of(arena, event, "LOCATION", false));

    if (import_is_web(location)) {
        draft->texts[IMPORT_ONLINE] = STR("true");
        if (draft->texts[IMPORT_URL].ptr == NULL)
            draft->texts[IMPORT_URL] = location;
    } else {
        import_place(arena, location, draft);
    }
    if (location.size == 0 && conference != NULL && import_is_web(str_trim(conference->value)) &&
        draft->texts[IMPORT_URL].ptr == NULL)
        draft->texts[IMPORT_URL] = str_trim(conference->value);
    if (geo != NULL) {
        draft->texts[IMPORT_LON] = geo->value;
        (void)str_split(&draft->texts[IMPORT_LON], ';', &draft->texts[IMPORT_LAT]);
    }
}

static str type_of(struct arena *arena, const struct ics_event *event)
{
    for (size_t i = 0; i < event->line_count; i++) {
        str rest = event->lines[i].value;
        str category;

        if (!str_eq_nocase(event->lines[i].name, STR("CATEGORIES")))
            continue;
        while (ics_split(&rest, &category)) {
            const str type = import_type(str_trim(ics_text(arena, category)));

            if (type.ptr != NULL)
                return type;
        }
    }
    return STR("other");
}

static str status_of(const struct ics_import *import, const struct ics_event *event)
{
    const struct ics_line *status = ics_event_line(event, "STATUS");

    if (import->file.cancels ||
        (status != NULL && str_eq_nocase(str_trim(status->value), STR("CANCELLED"))))
        return STR("cancelled");
    return status != NULL && str_eq_nocase(str_trim(status->value), STR("TENTATIVE")) ? STR("draft")
                                                                                      : STR_ABSENT;
}

str ics_when_text(struct arena *arena, int64_t ms, bool is_day)
{
    ms = ms < TIME_MS_MIN ? TIME_MS_MIN : ms > TIME_MS_MAX ? TIME_MS_MAX : ms;
    const str text = arena_str(arena, str_of(time_format(ms).text));

    return is_day ? str_slice(text, 0, 10) : text;
}

/* The end of what begins at `wall_ms`, which is `at_ms`. Days end with the last that is included. */
static int64_t end_of(const struct ics_item *item, int64_t wall_ms, int64_t at_ms, int64_t lasts_ms)
{
    const bool is_day = item->start.when.kind == ICS_DAY;
    struct ics_moment end = item->start;

    if (lasts_ms >= 0)
        return at_ms + (is_day && lasts_ms >= DAY_MS ? lasts_ms - DAY_MS : lasts_ms);
    if (is_day)
        return wall_ms + (item->lasts.days > 0 ? item->lasts.days - 1 : 0) * DAY_MS;
    if (item->lasts.days == 0)
        return at_ms + item->lasts.ms;
    end.when.ms = wall_ms + item->lasts.days * DAY_MS;
    if (end.when.ms > TIME_MS_MAX)
        return TIME_MS_MAX;
    return ics_instant(&end) + item->lasts.ms;
}

err ics_give(struct ics_import *import, const struct ics_item *item,
             const struct ics_occurrence *at, str key)
{
    struct arena *arena = import->run->arena;
    const struct ics_event *event = item->event;
    const struct ics_line *url = ics_event_line(event, "URL");
    const bool is_day = item->start.when.kind == ICS_DAY;
    struct import_draft draft = {.line = event->line};

    draft.texts[IMPORT_NAME] = text_of(arena, event, "SUMMARY", false);
    draft.texts[IMPORT_DESCRIPTION] = text_of(arena, event, "DESCRIPTION", true);
    draft.texts[IMPORT_TYPE] = type_of(arena, event);
    draft.texts[IMPORT_STATUS] = status_of(import, event);
    if (url != NULL && import_is_web(str_trim(url->value)))
        draft.texts[IMPORT_URL] = str_trim(url->value);
    put_place(arena, event, &draft);
    draft.texts[IMPORT_STARTS_AT] = ics_when_text(arena, at->at_ms, is_day);
    if (item->has_end || is_day || at->lasts_ms >= 0)
        draft.texts[IMPORT_ENDS_AT] =
            ics_when_text(arena, end_of(item, at->wall_ms, at->at_ms, at->lasts_ms), is_day);
    if (item->zone != NULL)
        draft.texts[IMPORT_TIMEZONE] = item->zone->name;
    if (draft.texts[IMPORT_TIMEZONE].ptr == NULL)
        draft.texts[IMPORT_TIMEZONE] = import->standard->name;
    if (event->uid.ptr != NULL)
        draft.texts[IMPORT_UID] =
            key.ptr != NULL ? arena_printf(arena, "%.*s|%.*s", STR_ARG(event->uid), STR_ARG(key))
                            : event->uid;
    return import_give(import->run, &draft);
}
