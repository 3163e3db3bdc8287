/* booking/calendar.c - writes an event as an iCalendar file (RFC 5545).
 *
 * A file to keep or to subscribe to, not an invitation: so there is no METHOD, no ORGANIZER and no
 * ATTENDEE, which would make calendars ask for an answer. UID, SEQUENCE and DTSTAMP let a calendar
 * that fetches it again replace what it has, and strike through what was cancelled. */

#include "services/booking/calendar.h"

#include <assert.h>

#include "base/buf.h"

/* RFC 5545 3.1: without its line break; what goes on begins with a space. */
enum { LINE_SIZE_MAX = 75 };

/* --- Rules: no I/O --- */

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* How much of `line` fits into `room` octets without cutting a character of UTF-8 in two. */
static size_t fold_at(str line, size_t room)
{
    size_t size = room;

    if (line.size <= room)
        return line.size;
    while (size > 1 && is_continuation(line.ptr[size]))
        size--;
    return size;
}

static void add_folded(struct buf *out, str line)
{
    size_t room = LINE_SIZE_MAX;

    for (;;) {
        const size_t size = fold_at(line, room);

        buf_add(out, str_slice(line, 0, size));
        buf_add_cstr(out, "\r\n");
        line = str_slice(line, size, line.size);
        if (line.size == 0)
            return;
        buf_add_char(out, ' ');
        room = LINE_SIZE_MAX - 1;
    }
}

/* RFC 5545 3.3.11, TEXT. Control characters but the tab are not allowed at all. */
static void add_escaped(struct buf *line, str text)
{
    for (size_t i = 0; i < text.size; i++) {
        const char c = text.ptr[i];

        if (c == '\\' || c == ';' || c == ',') {
            buf_add_char(line, '\\');
            buf_add_char(line, c);
        } else if (c == '\n' || (c == '\r' && (i + 1 == text.size || text.ptr[i + 1] != '\n'))) {
            buf_add_cstr(line, "\\n");
        } else if (c == '\t' || ((unsigned char)c >= ' ' && c != 0x7F)) {
            buf_add_char(line, c);
        }
    }
}

/* RFC 3986 2: what a URI is made of. Anything else could end the line or start another. */
static bool is_uri(str text)
{
    if (!str_starts(text, STR("https://")) && !str_starts(text, STR("http://")))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        const char c = text.ptr[i];

        if (c <= ' ' || c >= 0x7F || c == '"' || c == '<' || c == '>' || c == '\\')
            return false;
    }
    return true;
}

static bool is_on_globe(double lat, double lon)
{
    return lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180; /* false for NaN */
}

static int64_t day_ms(const struct civil *civil)
{
    const struct civil day = {.year = civil->year, .month = civil->month, .day = civil->day};

    return civil_to_ms(&day);
}

/* The lines are built in `line` and folded into `out`. */
struct writer {
    struct buf out;
    struct buf line;
};

static void end_line(struct writer *writer)
{
    writer->out.overflow |= writer->line.overflow;
    add_folded(&writer->out, buf_str(&writer->line));
    buf_clear(&writer->line);
}

static void put_text(struct writer *writer, const char *name, str text)
{
    if (text.size == 0)
        return;
    buf_add_cstr(&writer->line, name);
    buf_add_char(&writer->line, ':');
    add_escaped(&writer->line, text);
    end_line(writer);
}

static void put_plain(struct writer *writer, const char *line)
{
    buf_add_cstr(&writer->line, line);
    end_line(writer);
}

/* Form 2 of RFC 5545 3.3.5: "19970714T173000Z". */
static void put_time(struct writer *writer, const char *name, int64_t at_ms)
{
    const struct civil at = civil_from_ms(at_ms);

    buf_printf(&writer->line, "%s:%04d%02d%02dT%02d%02d%02dZ", name, at.year, at.month, at.day,
               at.hour, at.minute, at.second);
    end_line(writer);
}

static void put_date(struct writer *writer, const char *name, const struct civil *day)
{
    buf_printf(&writer->line, "%s;VALUE=DATE:%04d%02d%02d", name, day->year, day->month, day->day);
    end_line(writer);
}

/* DTEND is the first moment, or day, that is not part of the event any more. */
static void put_days(struct writer *writer, const struct calendar_event *event)
{
    const int64_t end_ms = day_ms(&event->last_day) + DAY_MS;
    const bool has_end = end_ms > day_ms(&event->first_day) && end_ms <= TIME_MS_MAX;

    put_date(writer, "DTSTART", &event->first_day);
    if (has_end) {
        const struct civil end = civil_from_ms(end_ms);

        put_date(writer, "DTEND", &end);
    }
}

static void put_times(struct writer *writer, const struct calendar_event *event)
{
    put_time(writer, "DTSTART", event->starts_at_ms);
    if (event->ends_at_ms > event->starts_at_ms)
        put_time(writer, "DTEND", event->ends_at_ms);
}

static void put_event(struct writer *writer, const struct calendar_event *event)
{
    put_plain(writer, "BEGIN:VEVENT");
    buf_add_cstr(&writer->line, "UID:");
    add_escaped(&writer->line, event->id);
    buf_add_char(&writer->line, '@');
    add_escaped(&writer->line, event->host);
    end_line(writer);
    put_time(writer, "DTSTAMP", event->changed_at_ms);
    if (event->whole_day)
        put_days(writer, event);
    else
        put_times(writer, event);
    put_text(writer, "SUMMARY", event->name);
    put_text(writer, "LOCATION", event->location);
    put_text(writer, "DESCRIPTION", event->description);
    if (is_uri(event->url)) {
        buf_add_cstr(&writer->line, "URL:");
        buf_add(&writer->line, event->url);
        end_line(writer);
    }
    if (event->has_position && is_on_globe(event->lat, event->lon)) {
        buf_printf(&writer->line, "GEO:%.6f;%.6f", event->lat, event->lon);
        end_line(writer);
    }
    put_plain(writer, event->cancelled ? "STATUS:CANCELLED" : "STATUS:CONFIRMED");
    buf_printf(&writer->line, "SEQUENCE:%lld", (long long)event->version);
    end_line(writer);
    put_plain(writer, "END:VEVENT");
}

err calendar_ics(struct arena *arena, const struct calendar_event *event, str *ret)
{
    struct writer writer = {
        .out = buf_in(arena, CALENDAR_SIZE_MAX),
        .line = buf_in(arena, CALENDAR_SIZE_MAX),
    };

    assert(event->id.size > 0 && event->host.size > 0);

    put_plain(&writer, "BEGIN:VCALENDAR");
    put_plain(&writer, "VERSION:2.0");
    put_plain(&writer, "PRODID:-//Boxoffice//Boxoffice//EN");
    put_plain(&writer, "CALSCALE:GREGORIAN");
    put_event(&writer, event);
    put_plain(&writer, "END:VCALENDAR");
    if (writer.out.overflow)
        return ERR_TOO_LARGE;
    *ret = buf_str(&writer.out);
    return ERR_OK;
}
