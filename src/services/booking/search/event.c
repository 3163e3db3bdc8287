/* booking/search/event.c - events as the search sees them.
 *
 * The one place that says which texts of an event are searched, for the index and for the highlights alike. An event's JSON is rendered once
 * (event_render); highlights are put behind its last member. */
#include "services/booking/search/event.h"

#include <assert.h>

#include "platform/json/json.h"

struct search_event search_event_of(const struct event *event, str artists[EVENT_ARTISTS_MAX])
{
    assert(event->artist_count <= EVENT_ARTISTS_MAX);
    for (size_t i = 0; i < event->artist_count; i++)
        artists[i] = event->artists[i].name;
    return (struct search_event){
        .name = event->name,
        .venue = event->venue != NULL ? event->venue->name : STR_ABSENT,
        .city = event->venue != NULL ? event->venue->city : STR_ABSENT,
        .artists = artists,
        .artist_count = event->artist_count,
        .starts_at_ms = event->starts_at_ms,
        .ends_at_ms = event->ends_at_ms,
    };
}

void search_ranges_write(struct buf *out, const struct search_range *ranges, size_t count)
{
    buf_add_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        buf_add_cstr(out, i > 0 ? ",[" : "[");
        buf_add_i64(out, ranges[i].start);
        buf_add_char(out, ',');
        buf_add_i64(out, ranges[i].length);
        buf_add_char(out, ']');
    }
    buf_add_char(out, ']');
}

void search_event_write(struct buf *out, struct arena *arena, const struct event *event,
                        const struct search_pattern *pattern)
{
    const struct search_highlight *highlights = NULL;
    str artists[EVENT_ARTISTS_MAX];
    const struct search_event said = search_event_of(event, artists);
    const size_t count = search_highlights(pattern, arena, &said, &highlights);

    assert(str_ends(event->json, STR("}")) && event->json.size > 2);
    buf_add(out, str_slice(event->json, 0, event->json.size - 1));
    buf_add_cstr(out, ",\"highlights\":[");
    for (size_t i = 0; i < count; i++) {
        buf_add_cstr(out, i > 0 ? ",{\"field\":\"" : "{\"field\":\"");
        buf_add_cstr(out, highlights[i].field);
        buf_add_cstr(out, "\",\"text\":");
        json_write_text(out, highlights[i].text);
        buf_add_cstr(out, ",\"ranges\":");
        search_ranges_write(out, highlights[i].ranges, highlights[i].range_count);
        buf_add_char(out, '}');
    }
    buf_add_cstr(out, "]}");
}
