/* booking/import/from_ld_event.c - what an event of schema.org says of itself.
 *
 * Values come as anything that JSON-LD allows: a text, a text with its language, an object with a name, or a list of these; of a list the
 * first counts, where one is wanted. */
#include "services/booking/import/from_ld.h"

#include "services/booking/import/words.h"

enum { DEPTH_MAX = 4 };

/* --- Values --- */

static str string_of(const json_t *string)
{
    return (str){json_string_value(string), json_string_length(string)};
}

/* Without the zeros at its end. */
static str real_of(struct arena *arena, double real)
{
    str text = arena_printf(arena, "%.4f", real);

    while (str_ends(text, STR("0")))
        text.size--;
    return str_ends(text, STR(".")) ? str_slice(text, 0, text.size - 1) : text;
}

/* What an object or a list says in one word. */
static const json_t *inner_of(const json_t *value)
{
    static const char *const names[] = {"@value", "value", "name", "url"};

    if (json_is_array(value))
        return json_array_get(value, 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (json_object_get(value, names[i]) != NULL)
            return json_object_get(value, names[i]);
    return NULL;
}

str ld_text(struct arena *arena, const json_t *value)
{
    str text = STR_ABSENT;

    for (int depth = 0; depth < DEPTH_MAX && (json_is_array(value) || json_is_object(value));
         depth++)
        value = inner_of(value);
    if (json_is_string(value))
        text = str_trim(string_of(value));
    if (json_is_integer(value))
        text = arena_printf(arena, "%lld", (long long)json_integer_value(value));
    if (json_is_real(value))
        text = real_of(arena, json_real_value(value));
    return text.size > 0 ? text : STR_ABSENT;
}

str ld_word(str text)
{
    size_t at = text.size;

    while (at > 0 && text.ptr[at - 1] != '/' && text.ptr[at - 1] != '#' && text.ptr[at - 1] != ':')
        at--;
    return str_slice(text, at, text.size);
}

static bool is_digits(str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return true;
}

str ld_when(struct arena *arena, str text)
{
    const size_t size = text.size;

    if (size > 16 && (text.ptr[size - 5] == '+' || text.ptr[size - 5] == '-') &&
        is_digits(str_slice(text, size - 4, size)))
        return arena_printf(arena, "%.*s:%.*s", STR_ARG(str_slice(text, 0, size - 2)),
                            STR_ARG(str_slice(text, size - 2, size)));
    if (size > 13 &&
        (text.ptr[size - 3] == '+' || (text.ptr[size - 3] == '-' && text.ptr[10] == 'T')) &&
        is_digits(str_slice(text, size - 2, size)))
        return arena_printf(arena, "%.*s:00", STR_ARG(text)); /* "+02" */
    return text;
}

/* --- Types --- */

static const json_t *type_at(const json_t *node, size_t index)
{
    const json_t *type = json_object_get(node, "@type");

    if (json_is_array(type))
        return json_array_get(type, index);
    return index == 0 ? type : NULL;
}

static bool is_event_type(str word)
{
    static const char *const others[] = {"Festival", "Hackathon", "CourseInstance"};

    if (str_ends(word, STR("Event")))
        return true;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (str_eq(word, str_of(others[i])))
            return true;
    return false;
}

bool ld_is_event(const json_t *node)
{
    if (!json_is_object(node))
        return false;
    for (size_t i = 0; type_at(node, i) != NULL; i++)
        if (json_is_string(type_at(node, i)) && is_event_type(ld_word(string_of(type_at(node, i)))))
            return true;
    return false;
}

static str type_of(const json_t *event)
{
    for (size_t i = 0; type_at(event, i) != NULL; i++) {
        const str type = json_is_string(type_at(event, i))
                             ? import_type(ld_word(string_of(type_at(event, i))))
                             : STR_ABSENT;

        if (type.ptr != NULL)
            return type;
    }
    return STR("other");
}

/* --- Where --- */

static void read_address(struct arena *arena, const json_t *address, struct import_draft *draft)
{
    if (!json_is_object(address)) {
        struct import_draft parts = {0};
        const str line = import_one_line(arena, ld_text(arena, address));

        /* The line has no venue in it, which import_place expects first. */
        import_place(arena, arena_printf(arena, "-, %.*s", STR_ARG(line)), &parts);
        draft->texts[IMPORT_ADDRESS] = parts.texts[IMPORT_ADDRESS];
        draft->texts[IMPORT_CITY] = parts.texts[IMPORT_CITY];
        draft->texts[IMPORT_COUNTRY] = parts.texts[IMPORT_COUNTRY];
        return;
    }
    const str street =
        import_one_line(arena, ld_text(arena, json_object_get(address, "streetAddress")));
    const str code = import_one_line(arena, ld_text(arena, json_object_get(address, "postalCode")));
    const str region =
        import_one_line(arena, ld_text(arena, json_object_get(address, "addressRegion")));
    const str city =
        import_one_line(arena, ld_text(arena, json_object_get(address, "addressLocality")));

    draft->texts[IMPORT_ADDRESS] =
        street.ptr != NULL && code.ptr != NULL
            ? arena_printf(arena, "%.*s, %.*s", STR_ARG(street), STR_ARG(code))
            : street;
    draft->texts[IMPORT_CITY] = city.ptr != NULL ? city : region;
    draft->texts[IMPORT_COUNTRY] =
        import_one_line(arena, ld_text(arena, json_object_get(address, "addressCountry")));
}

static bool is_virtual(const json_t *location)
{
    return str_eq(ld_word(string_of(type_at(location, 0))), STR("VirtualLocation")) ||
           (json_is_string(location) && import_is_web(string_of(location)));
}

static void read_location(struct arena *arena, const json_t *location, struct import_draft *draft)
{
    const json_t *geo = json_object_get(location, "geo");

    if (is_virtual(location)) {
        const str url =
            ld_text(arena, json_is_string(location) ? location : json_object_get(location, "url"));

        if (draft->texts[IMPORT_VENUE].ptr == NULL)
            draft->texts[IMPORT_ONLINE] = STR("true");
        if (draft->texts[IMPORT_URL].ptr == NULL && import_is_web(url))
            draft->texts[IMPORT_URL] = url;
        return;
    }
    if (draft->texts[IMPORT_VENUE].ptr != NULL)
        return; /* the first counts */
    draft->texts[IMPORT_ONLINE] = STR_ABSENT;
    if (json_is_string(location)) {
        import_place(arena, import_one_line(arena, ld_text(arena, location)), draft);
        return;
    }
    draft->texts[IMPORT_VENUE] =
        import_one_line(arena, ld_text(arena, json_object_get(location, "name")));
    if (json_object_get(location, "address") != NULL)
        read_address(arena, json_object_get(location, "address"), draft);
    draft->texts[IMPORT_LAT] = ld_text(arena, json_object_get(geo, "latitude"));
    draft->texts[IMPORT_LON] = ld_text(arena, json_object_get(geo, "longitude"));
    if (draft->texts[IMPORT_LAT].ptr == NULL || draft->texts[IMPORT_LON].ptr == NULL)
        draft->texts[IMPORT_LAT] = draft->texts[IMPORT_LON] = STR_ABSENT;
}

static void read_place(struct arena *arena, const json_t *event, struct import_draft *draft)
{
    const json_t *location = json_object_get(event, "location");
    const str mode = ld_word(ld_text(arena, json_object_get(event, "eventAttendanceMode")));

    if (!json_is_array(location) && location != NULL)
        read_location(arena, location, draft);
    for (size_t i = 0; i < json_array_size(location); i++)
        read_location(arena, json_array_get(location, i), draft);
    if (str_eq(mode, STR("OnlineEventAttendanceMode")))
        draft->texts[IMPORT_ONLINE] = STR("true");
    if (str_eq(draft->texts[IMPORT_ONLINE], STR("true")))
        draft->texts[IMPORT_VENUE] = draft->texts[IMPORT_CITY] = draft->texts[IMPORT_COUNTRY] =
            draft->texts[IMPORT_ADDRESS] = draft->texts[IMPORT_LAT] = draft->texts[IMPORT_LON] =
                STR_ABSENT;
}

/* --- Who --- */

static void read_artists(struct arena *arena, const json_t *event, struct import_draft *draft)
{
    const json_t *performer = json_object_get(event, "performer");

    if (performer == NULL)
        performer = json_object_get(event, "performers");
    const size_t count = json_is_array(performer) ? json_array_size(performer) : performer != NULL;
    str *artists = arena_new_array(arena, str, count);

    for (size_t i = 0; i < count; i++) {
        const str name = import_one_line(
            arena,
            ld_text(arena, json_is_array(performer) ? json_array_get(performer, i) : performer));

        if (name.ptr != NULL)
            artists[draft->artist_count++] = name;
    }
    draft->artists = artists;
}

/* --- The event --- */

static void read_status(struct import_run *run, const json_t *event, struct import_draft *draft)
{
    const str status = ld_word(ld_text(run->arena, json_object_get(event, "eventStatus")));

    if (str_eq(status, STR("EventCancelled"))) {
        draft->texts[IMPORT_STATUS] = STR("cancelled");
    } else if (str_eq(status, STR("EventPostponed"))) {
        draft->texts[IMPORT_STATUS] = STR("draft");
        run->reader->ignored(run->reader->arg, draft->line, "is postponed: a draft, if it is new");
    } else if (str_eq(status, STR("EventMovedOnline"))) {
        draft->texts[IMPORT_ONLINE] = STR("true");
    }
}

static void read_ids(struct arena *arena, const json_t *event, struct import_draft *draft)
{
    const str url = ld_text(arena, json_object_get(event, "url"));
    const str id = ld_text(arena, json_object_get(event, "@id"));
    const str identifier = ld_text(arena, json_object_get(event, "identifier"));

    if (import_is_web(url))
        draft->texts[IMPORT_URL] = url;
    else if (import_is_web(id))
        draft->texts[IMPORT_URL] = id;
    if (identifier.ptr != NULL)
        draft->texts[IMPORT_UID] = identifier;
    else if (id.ptr != NULL && !str_starts(id, STR("_:")))
        draft->texts[IMPORT_UID] = id;
}

const char *ld_event_read(struct import_run *run, const json_t *event, struct import_draft *draft)
{
    struct arena *arena = run->arena;
    const str doors = ld_when(arena, ld_text(arena, json_object_get(event, "doorTime")));

    draft->texts[IMPORT_NAME] =
        import_one_line(arena, ld_text(arena, json_object_get(event, "name")));
    draft->texts[IMPORT_DESCRIPTION] = ld_text(arena, json_object_get(event, "description"));
    draft->texts[IMPORT_STARTS_AT] =
        ld_when(arena, ld_text(arena, json_object_get(event, "startDate")));
    draft->texts[IMPORT_ENDS_AT] =
        ld_when(arena, ld_text(arena, json_object_get(event, "endDate")));
    if (doors.size > 10) /* not a mere time of day */
        draft->texts[IMPORT_DOORS_AT] = doors;
    draft->texts[IMPORT_TYPE] = type_of(event);
    read_ids(arena, event, draft);
    read_place(arena, event, draft);
    read_artists(arena, event, draft);
    read_status(run, event, draft);
    return ld_offers_read(run, event, draft);
}
