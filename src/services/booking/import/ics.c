/* booking/import/ics.c - cuts an iCalendar file into content lines.
 *
 * Files are as programs write them: lines end with LF as well as CRLF, folds come in the middle of a UTF-8 sequence, parameters are quoted or
 * not. What is no line at all costs itself. */
#include "services/booking/import/ics.h"

#include <string.h>

#include "base/buf.h"

/* --- Lines --- */

void ics_open(struct ics *ics, str text)
{
    const str mark = STR("\xEF\xBB\xBF");

    *ics = (struct ics){
        .rest = str_starts(text, mark) ? str_slice(text, mark.size, text.size) : text,
        .line = 1,
    };
}

/* Cuts one physical line off, without its end. */
static str cut_line(struct ics *ics)
{
    const char *end = memchr(ics->rest.ptr, '\n', ics->rest.size);
    size_t size = end != NULL ? (size_t)(end - ics->rest.ptr) : ics->rest.size;
    str line = str_slice(ics->rest, 0, size);

    ics->rest = str_slice(ics->rest, size + (end != NULL), ics->rest.size);
    ics->line++;
    if (str_ends(line, STR("\r")))
        line.size--;
    return line;
}

static bool is_folded(const struct ics *ics)
{
    return ics->rest.size > 0 && (ics->rest.ptr[0] == ' ' || ics->rest.ptr[0] == '\t');
}

static bool cut_unfolded(struct ics *ics, struct arena *arena, str *ret)
{
    *ret = cut_line(ics);
    if (!is_folded(ics))
        return ret->size <= ICS_LINE_SIZE_MAX;
    struct buf buf = buf_in(arena, ICS_LINE_SIZE_MAX);

    buf_add(&buf, *ret);
    while (is_folded(ics)) {
        const str more = cut_line(ics);

        buf_add(&buf, str_slice(more, 1, more.size));
    }
    *ret = buf.size > 0 ? buf_str(&buf) : STR("");
    return !buf.overflow;
}

static bool is_name_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

/* Behind the first `stop` that is in no quotes; text.size if there is none. */
static size_t find_unquoted(str text, size_t at, char stop)
{
    bool quoted = false;

    for (; at < text.size; at++) {
        if (text.ptr[at] == '"')
            quoted = !quoted;
        else if (text.ptr[at] == stop && !quoted)
            return at;
    }
    return text.size;
}

static bool parse_line(str text, struct ics_line *line)
{
    size_t size = 0;

    while (size < text.size && is_name_char(text.ptr[size]))
        size++;
    if (size == 0 || size == text.size || (text.ptr[size] != ':' && text.ptr[size] != ';'))
        return false;
    size_t colon = find_unquoted(text, size, ':');
    if (colon == text.size) { /* a quote that is never closed: the first colon then */
        const char *first = memchr(text.ptr + size, ':', text.size - size);

        if (first == NULL)
            return false;
        colon = (size_t)(first - text.ptr);
    }
    line->name = str_slice(text, 0, size);
    line->params = colon > size ? str_slice(text, size + 1, colon) : STR("");
    line->value = str_slice(text, colon + 1, text.size);
    return true;
}

enum ics_result ics_next(struct ics *ics, struct arena *arena, struct ics_line *ret)
{
    while (ics->rest.size > 0) {
        str text;

        *ret = (struct ics_line){.line = ics->line};
        if (!cut_unfolded(ics, arena, &text))
            return ICS_BROKEN;
        if (str_trim(text).size == 0)
            continue;
        return parse_line(text, ret) ? ICS_LINE : ICS_BROKEN;
    }
    return ICS_END;
}

/* --- Parameters --- */

/* RFC 6868: what cannot stand in a parameter. */
static str decode_carets(struct arena *arena, str text)
{
    char *to = arena_alloc(arena, text.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        const bool escapes = text.ptr[i] == '^' && i + 1 < text.size;
        const int next = escapes ? text.ptr[i + 1] : 0;

        if (next == 'n' || next == '^' || next == '\'') {
            to[size] = '"';
            if (next == '^')
                to[size] = '^';
            if (next == 'n')
                to[size] = '\n';
            size++;
            i++;
        } else {
            to[size++] = text.ptr[i];
        }
    }
    return (str){to, size};
}

str ics_param(struct arena *arena, const struct ics_line *line, const char *name)
{
    for (size_t at = 0; at < line->params.size;) {
        const size_t end = find_unquoted(line->params, at, ';');
        str value = str_slice(line->params, at, end);
        str given;

        at = end + 1;
        (void)str_split(&value, '=', &given);
        if (value.ptr == NULL || !str_eq_nocase(str_trim(given), str_of(name)))
            continue;
        value = str_slice(value, 0, find_unquoted(value, 0, ','));
        if (value.size >= 2 && value.ptr[0] == '"' && value.ptr[value.size - 1] == '"')
            value = str_slice(value, 1, value.size - 1);
        return decode_carets(arena, value);
    }
    return STR_ABSENT;
}

/* --- Values --- */

str ics_text(struct arena *arena, str value)
{
    char *to = arena_alloc(arena, value.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < value.size; i++) {
        char c = value.ptr[i];

        if (c == '\\' && i + 1 < value.size) {
            c = value.ptr[++i];
            if (c == 'n' || c == 'N')
                c = '\n';
        }
        to[size++] = c;
    }
    return (str){to, size};
}

bool ics_split(str *rest, str *ret_part)
{
    size_t at = 0;

    if (rest->ptr == NULL)
        return false;
    while (at < rest->size && rest->ptr[at] != ',')
        at += rest->ptr[at] == '\\' ? 2 : 1;
    at = at < rest->size ? at : rest->size;
    *ret_part = str_slice(*rest, 0, at);
    *rest = at < rest->size ? str_slice(*rest, at + 1, rest->size) : STR_ABSENT;
    return true;
}
