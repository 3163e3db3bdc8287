/* platform/http/multipart.c - cuts a form's body at its boundaries and reads the heads of its parts.
 *
 *   body   = "--" boundary CRLF part *(CRLF "--" boundary CRLF part) CRLF "--" boundary "--" [CRLF]
 *   part   = *(header CRLF) CRLF bytes */

#include "platform/http/multipart.h"

#include <assert.h>
#include <string.h>

/* What the header lines of a part say; absent: not said. */
struct head {
    str name;
    str filename;
    str content_type;
};

struct reader {
    struct arena *arena;
    struct form *form;
};

static err fail(struct reader *reader, err e, str name, const char *detail)
{
    reader->form->fault = (struct part_fault){.name = name, .detail = detail};
    return e;
}

static err malformed(struct reader *reader, const char *detail)
{
    return fail(reader, ERR_MALFORMED, STR_ABSENT, detail);
}

/* --- Parameters: "; name=value" and "; name="value"" (RFC 9110 5.6.6) --- */

/* The end of a quoted text that begins behind its '"'; SIZE_MAX: it has none. */
static size_t end_of_quoted(str text, size_t at)
{
    for (; at < text.size; at++) {
        if (text.ptr[at] == '"')
            return at;
        if (text.ptr[at] == '\\' && at + 1 < text.size &&
            (text.ptr[at + 1] == '"' || text.ptr[at + 1] == '\\'))
            at++;
    }
    return SIZE_MAX;
}

/* Cuts the next parameter off *rest, which begins with its ';'. False: it is broken. The value of
 * a quoted one is given with its escapes. */
static bool cut_param(str *rest, str *ret_name, str *ret_value)
{
    size_t at = 1;

    while (at < rest->size && (rest->ptr[at] == ' ' || rest->ptr[at] == '\t'))
        at++;
    const size_t name_at = at;
    while (at < rest->size && rest->ptr[at] != '=')
        at++;
    *ret_name = str_slice(*rest, name_at, at);
    if (rest->ptr[0] != ';' || at == name_at || at + 1 >= rest->size)
        return false;
    at++;
    if (rest->ptr[at] == '"') {
        const size_t end = end_of_quoted(*rest, at + 1);
        if (end == SIZE_MAX)
            return false;
        *ret_value = str_slice(*rest, at + 1, end);
        at = end + 1;
    } else {
        const size_t value_at = at;
        while (at < rest->size && rest->ptr[at] != ';' && rest->ptr[at] != '"')
            at++;
        *ret_value = str_trim(str_slice(*rest, value_at, at));
    }
    while (at < rest->size && (rest->ptr[at] == ' ' || rest->ptr[at] == '\t'))
        at++;
    *rest = str_slice(*rest, at, rest->size);
    return rest->size == 0 || rest->ptr[0] == ';';
}

/* "type/subtype" and the rest with its ';'. */
static str cut_type(str value, str *ret_rest)
{
    const char *mark = value.size > 0 ? memchr(value.ptr, ';', value.size) : NULL;
    const size_t end = mark != NULL ? (size_t)(mark - value.ptr) : value.size;

    *ret_rest = str_slice(value, end, value.size);
    return str_trim(str_slice(value, 0, end));
}

/* The value of that parameter; absent: there is none. False: broken, or there are two. */
static bool find_param(str params, str wanted, str *ret)
{
    str name;
    str value;

    *ret = STR_ABSENT;
    while (params.size > 0) {
        if (!cut_param(&params, &name, &value))
            return false;
        if (!str_eq_nocase(name, wanted))
            continue;
        if (ret->ptr != NULL)
            return false;
        *ret = value;
    }
    return true;
}

/* --- The boundary --- */

static bool is_boundary(str text)
{
    for (size_t i = 0; i < text.size; i++) {
        const char c = text.ptr[i];
        const bool is_letter =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && (c == '\0' || strchr("'()+_,-./:=? ", c) == NULL))
            return false;
    }
    return text.size > 0 && text.size <= MULTIPART_BOUNDARY_MAX && text.ptr[text.size - 1] != ' ';
}

static err read_type(struct reader *reader, str content_type, str *ret_boundary)
{
    str params;

    if (!str_eq_nocase(cut_type(content_type, &params), STR("multipart/form-data")))
        return fail(reader, ERR_UNSUPPORTED_MEDIA_TYPE, STR_ABSENT,
                    "The body must be multipart/form-data.");
    if (!find_param(params, STR("boundary"), ret_boundary) || !is_boundary(*ret_boundary))
        return malformed(reader, "The Content-Type has no valid boundary.");
    return ERR_OK;
}

/* --- The head of a part --- */

/* What browsers escape in names as %22, %0D, %0A (HTML, 4.10.22.8), and curl as \" and \\. */
static str unescape(struct arena *arena, str text)
{
    char *plain = arena_alloc(arena, text.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        const str here = str_slice(text, i, i + 3);
        if (str_eq(here, STR("%22"))) {
            plain[size++] = '"';
            i += 2;
        } else if (str_eq_nocase(here, STR("%0d")) || str_eq_nocase(here, STR("%0a"))) {
            plain[size++] = ' ';
            i += 2;
        } else {
            if (text.ptr[i] == '\\' && i + 1 < text.size &&
                (text.ptr[i + 1] == '"' || text.ptr[i + 1] == '\\'))
                i++;
            plain[size++] = text.ptr[i];
        }
    }
    return (str){plain, size};
}

static err read_disposition(struct reader *reader, str value, struct head *head)
{
    str params;
    str other;

    if (head->name.ptr != NULL)
        return malformed(reader, "A part has two Content-Dispositions.");
    if (!str_eq_nocase(cut_type(value, &params), STR("form-data")) ||
        !find_param(params, STR("name"), &head->name) || head->name.ptr == NULL ||
        !find_param(params, STR("filename"), &head->filename) ||
        !find_param(params, STR("filename*"), &other) || other.ptr != NULL)
        return malformed(reader, "A part's Content-Disposition is not form-data with a name.");
    head->name = unescape(reader->arena, head->name);
    if (head->filename.ptr != NULL)
        head->filename = unescape(reader->arena, head->filename);
    return ERR_OK;
}

static bool is_token(str name)
{
    for (size_t i = 0; i < name.size; i++)
        if (name.ptr[i] <= ' ' || name.ptr[i] >= 0x7f ||
            strchr("()<>@,;:\\\"/[]?={}", name.ptr[i]) != NULL)
            return false;
    return name.size > 0;
}

/* RFC 7578 4.8: other fields are ignored, and 4.7: nobody encodes for transfer any more. */
static err read_field(struct reader *reader, str line, struct head *head)
{
    str value = line;
    str name;

    (void)str_split(&value, ':', &name);
    if (value.ptr == NULL || !is_token(name))
        return malformed(reader, "A line above a part's content is no header.");
    value = str_trim(value);
    for (size_t i = 0; i < value.size; i++)
        if (((unsigned char)value.ptr[i] < ' ' && value.ptr[i] != '\t') || value.ptr[i] == 0x7f)
            return malformed(reader, "A header of a part has control characters.");
    if (str_eq_nocase(name, STR("content-disposition")))
        return read_disposition(reader, value, head);
    if (str_eq_nocase(name, STR("content-transfer-encoding")) &&
        !str_eq_nocase(value, STR("binary")) && !str_eq_nocase(value, STR("8bit")) &&
        !str_eq_nocase(value, STR("7bit")))
        return malformed(reader, "A part is encoded for transfer, which forms are not.");
    if (str_eq_nocase(name, STR("content-type"))) {
        if (head->content_type.ptr != NULL)
            return malformed(reader, "A part has two Content-Types.");
        head->content_type = value;
    }
    return ERR_OK;
}

/* Cuts the header lines and the empty one off *rest. */
static err read_head(struct reader *reader, str *rest, struct head *ret)
{
    const str begin = *rest;

    *ret = (struct head){0};
    for (;;) {
        const str window = str_slice(*rest, 0, MULTIPART_HEAD_MAX);
        const char *end = memmem(window.ptr, window.size, "\r\n", 2);
        if (end == NULL || (size_t)(end - begin.ptr) > MULTIPART_HEAD_MAX)
            return malformed(reader, "The headers of a part do not end.");
        const str line = str_slice(window, 0, (size_t)(end - window.ptr));
        *rest = str_slice(*rest, line.size + 2, rest->size);
        if (line.size == 0)
            break;
        TRY(read_field(reader, line, ret));
    }
    if (ret->name.ptr == NULL)
        return malformed(reader, "A part has no name.");
    return ERR_OK;
}

/* --- What a part may be --- */

static bool is_utf8_charset(str content_type)
{
    str params;
    str charset;

    (void)cut_type(content_type, &params);
    return find_param(params, STR("charset"), &charset) &&
           (charset.ptr == NULL || str_eq_nocase(charset, STR("utf-8")) ||
            str_eq_nocase(charset, STR("us-ascii")));
}

static err take_text(struct reader *reader, const struct part_rule *rule, const struct head *head,
                     str value)
{
    if (!is_utf8_charset(head->content_type))
        return fail(reader, ERR_UNSUPPORTED_MEDIA_TYPE, head->name, "must be in UTF-8");
    if (value.size > rule->size_max)
        return fail(reader, ERR_INVALID, head->name, "is too long");
    if (!str_is_utf8(value))
        return fail(reader, ERR_INVALID, head->name, "is not text in UTF-8");
    return ERR_OK;
}

/* Some clients send a whole path. */
static str last_component(str path)
{
    size_t at = path.size;

    while (at > 0 && path.ptr[at - 1] != '/' && path.ptr[at - 1] != '\\')
        at--;
    return str_slice(path, at, path.size);
}

static bool is_filename(str name)
{
    for (size_t i = 0; i < name.size; i++)
        if ((unsigned char)name.ptr[i] < ' ' || name.ptr[i] == 0x7f)
            return false;
    return name.size > 0 && name.size <= MULTIPART_FILENAME_MAX && str_is_utf8(name) &&
           !str_eq(name, STR(".")) && !str_eq(name, STR(".."));
}

static err take_file(struct reader *reader, const struct part_rule *rule, const struct head *head,
                     str value)
{
    if (head->filename.ptr == NULL || !is_filename(last_component(head->filename)))
        return fail(reader, ERR_INVALID, head->name, "must be a file with a name");
    if (value.size > rule->size_max)
        return fail(reader, ERR_TOO_LARGE, head->name, "is too large");
    return ERR_OK;
}

/* RFC 7578 4.6: how older browsers name the encoding of the rest. */
static err take_charset(struct reader *reader, str value)
{
    return str_eq_nocase(value, STR("utf-8"))
               ? ERR_OK
               : fail(reader, ERR_UNSUPPORTED_MEDIA_TYPE, STR("_charset_"), "must be utf-8");
}

static err take_part(struct reader *reader, const struct head *head, str value)
{
    size_t i = 0;

    while (i < reader->form->count && !str_eq(head->name, str_of(reader->form->rules[i].name)))
        i++;
    if (i == reader->form->count && str_eq(head->name, STR("_charset_")))
        return take_charset(reader, value);
    if (i == reader->form->count)
        return fail(reader, ERR_UNKNOWN_FIELD, head->name, "is not known here");
    const struct part_rule *rule = &reader->form->rules[i];
    if (reader->form->parts[i].is_there)
        return fail(reader, ERR_INVALID, head->name, "comes twice");
    TRY(rule->kind == PART_FILE ? take_file(reader, rule, head, value)
                                : take_text(reader, rule, head, value));
    reader->form->parts[i] = (struct part){
        .is_there = true,
        .value = value,
        .content_type = head->content_type,
        .filename = rule->kind == PART_FILE ? last_component(head->filename) : STR_ABSENT};
    return ERR_OK;
}

/* --- The body --- */

/* Behind a delimiter: true with *rest behind its CRLF, or with *rest empty at the very end. */
static bool cut_delimiter_end(str *rest)
{
    if (str_starts(*rest, STR("\r\n"))) {
        *rest = str_slice(*rest, 2, rest->size);
        return rest->size > 0;
    }
    if (!str_eq(*rest, STR("--")) && !str_eq(*rest, STR("--\r\n")))
        return false;
    *rest = STR("");
    return true;
}

static err read_parts(struct reader *reader, str boundary, str body)
{
    const str delimiter = arena_printf(reader->arena, "\r\n--%.*s", STR_ARG(boundary));
    const str first = str_slice(delimiter, 2, delimiter.size);
    str rest = body;
    struct head head;

    if (!str_starts(rest, first))
        return malformed(reader, "The body does not begin with its boundary.");
    rest = str_slice(rest, first.size, rest.size);
    if (!cut_delimiter_end(&rest))
        return malformed(reader, "A boundary is not alone in its line.");
    while (rest.size > 0) {
        TRY(read_head(reader, &rest, &head));
        const char *end =
            rest.size > 0 ? memmem(rest.ptr, rest.size, delimiter.ptr, delimiter.size) : NULL;
        if (end == NULL)
            return malformed(reader, "The body does not end with its boundary.");
        const str value = str_slice(rest, 0, (size_t)(end - rest.ptr));
        rest = str_slice(rest, value.size + delimiter.size, rest.size);
        if (!cut_delimiter_end(&rest))
            return malformed(reader, "A boundary is not alone in its line.");
        TRY(take_part(reader, &head, value));
    }
    return ERR_OK;
}

static err check_required(struct reader *reader)
{
    for (size_t i = 0; i < reader->form->count; i++)
        if (reader->form->rules[i].is_required && !reader->form->parts[i].is_there)
            return fail(reader, ERR_INVALID, str_of(reader->form->rules[i].name), "is required");
    return ERR_OK;
}

err multipart_read(struct arena *arena, str content_type, str body, struct form *form)
{
    struct reader reader = {.arena = arena, .form = form};
    str boundary;

    assert(form->count <= MULTIPART_RULES_MAX);
    form->fault = (struct part_fault){0};
    memset(form->parts, 0, form->count * sizeof(form->parts[0]));
    TRY(read_type(&reader, content_type, &boundary));
    TRY(read_parts(&reader, boundary, body));
    return check_required(&reader);
}
