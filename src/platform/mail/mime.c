/* platform/mail/mime.c - turns text and bytes into the 7-bit lines that mail is made of.
 *
 * Everything leaves here as printable ASCII in short lines, so no server on the way has a reason to
 * change a message, and no text can pretend to be a header or the end of the message. */

#include "platform/mail/mime.h"

#include <assert.h>
#include <string.h>

#include "platform/crypto/crypto.h"
#include "platform/mail/address.h"

enum {
    LINE_SIZE_MAX = 76,
    ENCODED_WORD_OVERHEAD = sizeof("=?UTF-8?B?" /* the text */ "?=") - 1,
    PLAIN_SIZE_MAX = 58, /* header texts and file names up to here are not folded */
    BASE64_LINE_SIZE = 76,
};

/* --- Rules: no I/O --- */

/* How many bytes of `text` are whole code points and at most `size_max`. At least one code
 * point. */
static size_t whole_code_points(str text, size_t size_max)
{
    size_t size = 0;

    while (size < text.size) {
        const size_t next = str_utf8_next(text, size);

        assert(next > 0);
        if (size > 0 && size + next > size_max)
            break;
        size += next;
    }
    return size;
}

static bool is_ascii(str text)
{
    for (size_t i = 0; i < text.size; i++)
        if ((uint8_t)text.ptr[i] > 0x7e)
            return false;
    return true;
}

static bool contains(str text, str part)
{
    for (size_t i = 0; i < text.size; i++)
        if (str_starts(str_slice(text, i, text.size), part))
            return true;
    return false;
}

/* Could it stand in a header as it is and be read as it is? */
static bool is_plain(str text)
{
    return is_ascii(text) && text.size <= PLAIN_SIZE_MAX && !contains(text, STR("=?")) &&
           !contains(text, STR("  ")) && str_trim(text).size == text.size;
}

/* `column` is where the first word begins. */
static void add_encoded_words(struct buf *out, str text, size_t column)
{
    while (text.size > 0) {
        const size_t room = LINE_SIZE_MAX - column - ENCODED_WORD_OVERHEAD;
        const size_t size = whole_code_points(text, room / 4 * 3);

        buf_add_cstr(out, "=?UTF-8?B?");
        buf_add(out, base64_encode(out->arena, str_slice(text, 0, size)));
        buf_add_cstr(out, "?=");
        text = str_slice(text, size, text.size);
        if (text.size > 0)
            buf_add_cstr(out, "\r\n ");
        column = 1;
    }
}

void mime_header(struct buf *out, const char *name, str text)
{
    buf_add_cstr(out, name);
    buf_add_cstr(out, ": ");
    if (is_plain(text))
        buf_add(out, text);
    else
        add_encoded_words(out, text, strlen(name) + 2);
    buf_add_cstr(out, "\r\n");
}

static bool is_atoms(str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (!is_atom_char(text.ptr[i]) && text.ptr[i] != ' ')
            return false;
    return true;
}

static void add_quoted(struct buf *out, str text)
{
    buf_add_char(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            buf_add_char(out, '\\');
        buf_add_char(out, text.ptr[i]);
    }
    buf_add_char(out, '"');
}

void mime_mailbox(struct buf *out, const char *name, str display_name, str address)
{
    const size_t line_size = strlen(name) + display_name.size + address.size + sizeof(": \"\" <>");

    buf_add_cstr(out, name);
    buf_add_cstr(out, ": ");
    if (display_name.size == 0) {
        buf_add(out, address);
        buf_add_cstr(out, "\r\n");
        return;
    }
    if (!is_plain(display_name))
        add_encoded_words(out, display_name, strlen(name) + 2);
    else if (is_atoms(display_name))
        buf_add(out, display_name);
    else
        add_quoted(out, display_name);
    buf_add_cstr(out, is_plain(display_name) && line_size <= LINE_SIZE_MAX ? " <" : "\r\n <");
    buf_add(out, address);
    buf_add_cstr(out, ">\r\n");
}

/* One piece of a value in RFC 2231's own percent-encoding. */
static void add_percent_encoded(struct buf *out, str text)
{
    for (size_t i = 0; i < text.size; i++) {
        const char c = text.ptr[i];

        if (is_letter_or_digit(c) || strchr("-._", c) != NULL)
            buf_add_char(out, c);
        else
            buf_printf(out, "%%%02X", (unsigned)(uint8_t)c);
    }
}

void mime_parameter(struct buf *out, const char *name, str value)
{
    enum { PIECE_SIZE_MAX = 15 }; /* each byte may become three */

    if (is_plain(value)) {
        buf_printf(out, ";\r\n %s=", name);
        add_quoted(out, value);
        return;
    }
    for (unsigned piece = 0; value.size > 0; piece++) {
        const size_t size = whole_code_points(value, PIECE_SIZE_MAX);

        if (piece == 0 && size == value.size)
            buf_printf(out, ";\r\n %s*=UTF-8''", name);
        else
            buf_printf(out, ";\r\n %s*%u*=%s", name, piece, piece == 0 ? "UTF-8''" : "");
        add_percent_encoded(out, str_slice(value, 0, size));
        value = str_slice(value, size, value.size);
    }
}

/* The size of the line end at the beginning of `text`; 0 if there is none. */
static size_t line_end(str text)
{
    if (str_starts(text, STR("\r\n")))
        return 2;
    return str_starts(text, STR("\n")) ? 1 : 0;
}

/* Must the first byte of `text` be encoded? A blank before a line end could get lost on the way. */
static bool must_escape(str text)
{
    const char c = text.ptr[0];

    if (c == ' ' || c == '\t')
        return text.size == 1 || line_end(str_slice(text, 1, text.size)) > 0;
    return c < ' ' || c > '~' || c == '=';
}

void mime_quoted_printable(struct buf *out, str text)
{
    size_t column = 0;

    while (text.size > 0) {
        const size_t end = line_end(text);

        if (end > 0) {
            buf_add_cstr(out, "\r\n");
            column = 0;
            text = str_slice(text, end, text.size);
            continue;
        }
        const bool escape = must_escape(text);
        const size_t size = escape ? 3 : 1;
        if (column + size >
            LINE_SIZE_MAX - 1) { /* the last place is for the "=" of a soft line end */
            buf_add_cstr(out, "=\r\n");
            column = 0;
        }
        if (escape)
            buf_printf(out, "=%02X", (unsigned)(uint8_t)text.ptr[0]);
        else
            buf_add_char(out, text.ptr[0]);
        column += size;
        text = str_slice(text, 1, text.size);
    }
}

void mime_base64(struct buf *out, str data)
{
    str text = base64_encode(out->arena, data);

    while (text.size > 0) {
        buf_add(out, str_slice(text, 0, BASE64_LINE_SIZE));
        buf_add_cstr(out, "\r\n");
        text = str_slice(text, BASE64_LINE_SIZE, text.size);
    }
}

bool mime_is_crlf(str message)
{
    for (size_t i = 0; i < message.size; i++) {
        if (message.ptr[i] == '\n' || message.ptr[i] == '\0')
            return false;
        if (message.ptr[i] == '\r' && (++i == message.size || message.ptr[i] != '\n'))
            return false;
    }
    return true;
}
