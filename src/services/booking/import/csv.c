/* services/booking/import/csv.c - cuts a text into records and fields.
 *
 * A quote opens a field only at its very beginning, as RFC 4180 has it; anywhere else it is a
 * fault, because guessing what was meant shifts columns silently. */

#include "services/booking/import/csv.h"

#include <string.h>

void csv_open(struct csv *csv, str text)
{
    const str mark = STR("\xEF\xBB\xBF");

    if (str_starts(text, mark))
        text = str_slice(text, mark.size, text.size);
    *csv = (struct csv){.rest = text, .line = 1};
}

/* Bytes of the line end at `at`: 0 if there is none. */
static size_t line_end_size(str text, size_t at)
{
    if (at < text.size && text.ptr[at] == '\n')
        return 1;
    return at + 1 < text.size && text.ptr[at] == '\r' && text.ptr[at + 1] == '\n' ? 2 : 0;
}

/* Does a field end at `at`? */
static bool is_field_end(str text, size_t at)
{
    return at >= text.size || text.ptr[at] == ',' || line_end_size(text, at) > 0;
}

/* The text between quotes, each "" of it as one quote. */
static str unescape(struct arena *arena, str quoted)
{
    char *copy = arena_alloc(arena, quoted.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < quoted.size; i++) {
        copy[size++] = quoted.ptr[i];
        if (quoted.ptr[i] == '"')
            i++;
    }
    return (str){copy, size};
}

/* Reads the field that begins at *at with a quote, and leaves *at behind it. */
static const char *read_quoted(str text, struct arena *arena, size_t *at, str *ret)
{
    const size_t start = *at + 1;
    size_t end = start;
    bool escaped = false;

    for (;;) {
        const char *quote = end < text.size ? memchr(text.ptr + end, '"', text.size - end) : NULL;
        if (quote == NULL)
            return "a quote is never closed";
        end = (size_t)(quote - text.ptr);
        if (end + 1 >= text.size || text.ptr[end + 1] != '"')
            break;
        escaped = true;
        end += 2;
    }
    if (!is_field_end(text, end + 1))
        return "something stands behind a closing quote";
    *ret = str_slice(text, start, end);
    if (escaped)
        *ret = unescape(arena, *ret);
    *at = end + 1;
    return NULL;
}

static const char *read_plain(str text, size_t *at, str *ret)
{
    const size_t start = *at;
    size_t end = start;

    while (!is_field_end(text, end))
        if (text.ptr[end++] == '"')
            return "a quote stands inside a field that does not begin with one";
    *ret = str_slice(text, start, end);
    *at = end;
    return NULL;
}

/* Reads fields until the line ends at *at, which is left there. */
static const char *read_record(str text, struct arena *arena, size_t *at, struct csv_record *record)
{
    for (;;) {
        const bool quoted = *at < text.size && text.ptr[*at] == '"';
        str field = STR_ABSENT;

        if (record->count == CSV_FIELDS_MAX)
            return "there are too many fields";
        const char *fault =
            quoted ? read_quoted(text, arena, at, &field) : read_plain(text, at, &field);
        if (fault != NULL)
            return fault;
        if (field.size > CSV_FIELD_SIZE_MAX)
            return "a field is too long";
        record->fields[record->count++] = field;
        if (*at >= text.size || text.ptr[*at] != ',')
            return NULL;
        (*at)++;
    }
}

static size_t count_lines(str text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.size; i++)
        count += text.ptr[i] == '\n';
    return count;
}

/* Moves on by `size` bytes. */
static void skip(struct csv *csv, size_t size)
{
    csv->line += count_lines(str_slice(csv->rest, 0, size));
    csv->rest = str_slice(csv->rest, size, csv->rest.size);
}

static size_t first_line_size(str text)
{
    const char *end = memchr(text.ptr, '\n', text.size);

    return end != NULL ? (size_t)(end - text.ptr) + 1 : text.size;
}

enum csv_result csv_next(struct csv *csv, struct arena *arena, struct csv_record *ret,
                         const char **ret_fault)
{
    size_t at = 0;

    while (csv->rest.size > 0 && line_end_size(csv->rest, 0) > 0)
        skip(csv, line_end_size(csv->rest, 0));
    if (csv->rest.size == 0)
        return CSV_END;

    ret->line = csv->line;
    ret->count = 0;
    const char *fault = read_record(csv->rest, arena, &at, ret);
    if (fault != NULL) {
        *ret_fault = fault;
        skip(csv, first_line_size(csv->rest));
        return CSV_BROKEN;
    }
    skip(csv, at + line_end_size(csv->rest, at));
    return CSV_RECORD;
}
