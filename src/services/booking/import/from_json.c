/* services/booking/import/from_json.c - events from a JSON document, element by element.
 *
 * The array of events, alone or a member of a list or an export, is cut into its elements before any of them is parsed: so a broken element costs itself
 * alone, has a line to report, and a large file never stands in memory as one tree. What is cut is
 * then read by jansson, which judges whether it is JSON. */

#include <jansson.h>
#include <string.h>

#include "services/booking/import/row.h"

enum { ELEMENT_SIZE_MAX = 1024 * 1024 };

/* --- Cutting --- */

struct cutter {
    str text;
    size_t at;
    size_t line; /* of `at` */
};

static void move_to(struct cutter *cutter, size_t to)
{
    for (; cutter->at < to; cutter->at++)
        cutter->line += cutter->text.ptr[cutter->at] == '\n';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_spaces(struct cutter *cutter)
{
    size_t at = cutter->at;

    while (at < cutter->text.size && is_space(cutter->text.ptr[at]))
        at++;
    move_to(cutter, at);
}

/* Skips spaces and takes `c` if it is next. */
static bool take(struct cutter *cutter, char c)
{
    skip_spaces(cutter);
    if (cutter->at >= cutter->text.size || cutter->text.ptr[cutter->at] != c)
        return false;
    move_to(cutter, cutter->at + 1);
    return true;
}

/* Behind the string that begins at `at`. */
static size_t string_end(str text, size_t at)
{
    for (at++; at < text.size && text.ptr[at] != '"'; at++)
        if (text.ptr[at] == '\\')
            at++;
    return at < text.size ? at + 1 : text.size;
}

static bool is_closing(char c)
{
    return c == ']' || c == '}';
}

/* Behind the element that begins at `at`; brackets are only counted here. */
static size_t element_end(str text, size_t at)
{
    size_t depth = 0;

    while (at < text.size) {
        const char c = text.ptr[at];

        if (depth == 0 && (c == ',' || is_closing(c)))
            return at;
        if (c == '[' || c == '{')
            depth++;
        if (is_closing(c) && --depth == 0)
            return at + 1;
        at = c == '"' ? string_end(text, at) : at + 1;
    }
    return text.size;
}

static str cut_element(struct cutter *cutter)
{
    const size_t start = cutter->at;

    move_to(cutter, element_end(cutter->text, start));
    return str_trim(str_slice(cutter->text, start, cutter->at));
}

/* --- Reading --- */

static const struct {
    const char *name;
    enum import_column column;
} members[] = {
    {"name",        IMPORT_NAME       },
    {"startDate",   IMPORT_STARTS_AT  },
    {"endDate",     IMPORT_ENDS_AT    },
    {"timezone",    IMPORT_TIMEZONE   },
    {"venue",       IMPORT_VENUE      },
    {"address",     IMPORT_ADDRESS    },
    {"city",        IMPORT_CITY       },
    {"country",     IMPORT_COUNTRY    },
    {"type",        IMPORT_TYPE       },
    {"description", IMPORT_DESCRIPTION},
    {"url",         IMPORT_URL        },
    {"artists",     IMPORT_ARTISTS    },
};

static str text_of(const json_t *string)
{
    return (str){json_string_value(string), json_string_length(string)};
}

/* Only the texts of the list: what else stands there is no name. */
static void read_artists(struct arena *arena, const json_t *list, struct import_draft *draft)
{
    const size_t count = json_array_size(list);
    str *artists = arena_new_array(arena, str, count);

    for (size_t i = 0; i < count; i++)
        if (json_is_string(json_array_get(list, i)))
            artists[draft->artist_count++] = text_of(json_array_get(list, i));
    draft->artists = artists;
}

/* NULL, or which member is of the wrong kind. */
static const char *read_members(struct arena *arena, const json_t *object,
                                struct import_draft *draft)
{
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const json_t *value = json_object_get(object, members[i].name);

        if (value == NULL || json_is_null(value))
            continue;
        if (json_is_string(value))
            draft->texts[members[i].column] = text_of(value);
        else if (members[i].column == IMPORT_ARTISTS && json_is_array(value))
            read_artists(arena, value, draft);
        else
            return arena_printf(arena, "%s: not a text", members[i].name).ptr;
    }

    const json_t *online = json_object_get(object, "online");
    if (json_is_boolean(online))
        draft->texts[IMPORT_ONLINE] = json_is_true(online) ? STR("true") : STR("false");
    else if (online != NULL && !json_is_null(online))
        return "online: neither true nor false";
    if (str_trim(draft->texts[IMPORT_TYPE]).size == 0)
        draft->texts[IMPORT_TYPE] = STR("conference");
    return NULL;
}

static void release(json_t **json)
{
    json_decref(*json);
}

static err read_element(struct import_run *run, str element, size_t line)
{
    struct import_draft draft = {.line = line};
    json_error_t fault;

    if (element.size > ELEMENT_SIZE_MAX) {
        import_refuse(run, line, "larger than 1 MiB");
        return ERR_OK;
    }
    CLEANUP(release)
    json_t *object =
        json_loadb(element.ptr, element.size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &fault);
    if (object == NULL) {
        /* What jansson quotes may end within a character. */
        import_refuse(run, line,
                      str_is_utf8(str_of(fault.text))
                          ? arena_printf(run->arena, "not JSON: %s", fault.text).ptr
                          : "not JSON");
        return ERR_OK;
    }
    if (!json_is_object(object)) {
        import_refuse(run, line, "not an object");
        return ERR_OK;
    }
    const char *why = import_is_own(object) ? import_own(run->arena, object, &draft)
                                            : read_members(run->arena, object, &draft);
    if (why != NULL) {
        import_refuse(run, line, why);
        return ERR_OK;
    }
    return import_give(run, &draft);
}

static err read_elements(struct import_run *run, struct cutter *cutter)
{
    while (!take(cutter, ']')) {
        const size_t line = cutter->line;

        arena_reset(run->arena);
        if (cutter->at >= cutter->text.size) {
            import_refuse(run, line, "the list is not closed");
            return ERR_OK;
        }
        if (import_is_full(run, line))
            return ERR_OK;
        TRY(read_element(run, cut_element(cutter), line));
        if (take(cutter, '}'))
            run->reader->ignored(run->reader->arg, cutter->line, "a bracket too many");
        (void)take(cutter, ','); /* one that is missing is no reason to drop what follows */
    }
    return ERR_OK;
}

static err read_list(struct import_run *run, struct cutter *cutter)
{
    TRY(read_elements(run, cutter));
    skip_spaces(cutter);
    if (cutter->at < cutter->text.size)
        run->reader->ignored(run->reader->arg, cutter->line, "what stands behind the list");
    return ERR_OK;
}

/* The name of the member that is next, with its quotes; behind it and its colon. Empty: there is none. */
static str cut_name(struct cutter *cutter)
{
    skip_spaces(cutter);
    const size_t start = cutter->at;

    if (start >= cutter->text.size || cutter->text.ptr[start] != '"')
        return STR("");
    move_to(cutter, string_end(cutter->text, start));
    const str name = str_slice(cutter->text, start, cutter->at);
    return take(cutter, ':') ? name : STR("");
}

/* The list that an object carries, or the object itself as the only event. What an export holds
 * behind its events is not looked at: it may be large, and cut off. */
static err read_object(struct import_run *run, struct cutter *cutter)
{
    const struct cutter whole = *cutter;
    str name;

    (void)take(cutter, '{');
    while ((name = cut_name(cutter)).size > 0) {
        const bool lists = str_eq(name, STR("\"data\"")) || str_eq(name, STR("\"events\""));
        const size_t line = cutter->line;

        if (lists && take(cutter, '['))
            return read_elements(run, cutter);
        skip_spaces(cutter);
        const str value = cut_element(cutter);
        if (str_eq(name, STR("\"" EXPORT_MARK "\"")) && !str_eq(value, STR(EXPORT_VERSION))) {
            import_refuse(run, line, "an export of another version than " EXPORT_VERSION);
            return ERR_OK;
        }
        if (!take(cutter, ','))
            break;
    }
    *cutter = whole;
    const size_t line = cutter->line;
    return read_element(run, cut_element(cutter), line);
}

err import_read_json(str text, const struct import_reader *reader)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct import_run run = {.reader = reader, .arena = arena};
    struct cutter cutter = {.text = text, .line = 1};
    const str mark = STR("\xEF\xBB\xBF");

    if (text.size > IMPORT_FILE_SIZE_MAX)
        return ERR_TOO_LARGE;
    if (str_starts(text, mark))
        cutter.at = mark.size;
    skip_spaces(&cutter);
    if (cutter.at < text.size && text.ptr[cutter.at] == '{') {
        TRY(read_object(&run, &cutter));
    } else if (take(&cutter, '[')) {
        TRY(read_list(&run, &cutter));
    } else {
        import_refuse(&run, cutter.line, "not a list of events");
        return ERR_MALFORMED;
    }
    return import_result(&run);
}
