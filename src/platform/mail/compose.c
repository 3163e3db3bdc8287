/* platform/mail/compose.c - puts a message together.
 *
 *   multipart/mixed            if there are attachments
 *     multipart/alternative    if there are text and html
 *       text/plain
 *       multipart/related      if the html has pictures of its own
 *         text/html
 *         image/...            one each
 *     application/...          one each
 *
 * Levels that would hold one part only are left out. Everything that others wrote is either checked
 * before it goes into a header or encoded, so that nothing of it can begin a line of its own. */

#include <assert.h>
#include <string.h>

#include "base/time.h"
#include "platform/crypto/crypto.h"
#include "platform/mail/address.h"
#include "platform/mail/mail.h"
#include "platform/mail/mime.h"

enum {
    BOUNDARY_BYTES = 16,
    ID_SIZE_MAX = 250,
    TYPE_SIZE_MAX = 128,
};

struct composer {
    const struct mail *mail;
    struct buf out;
    str boundary; /* random; a letter in front of it tells the levels apart */
    str from_name;
    str from_address;
};

/* --- Rules: no I/O --- */

/* "left@right" or, for a picture, "left" alone. */
static bool is_message_id(str id, bool needs_right)
{
    str right = id;
    str left = STR_ABSENT;

    if (id.size > ID_SIZE_MAX || !str_split(&right, '@', &left) || !is_dot_atom(left))
        return false;
    return right.ptr == NULL ? !needs_right : is_dot_atom(right);
}

/* restricted-name of RFC 6838 4.2. */
static bool is_type_name(str name)
{
    for (size_t i = 0; i < name.size; i++)
        if (!is_letter_or_digit(name.ptr[i]) && strchr("!#$&-^_.+", name.ptr[i]) == NULL)
            return false;
    return name.size > 0 && is_letter_or_digit(name.ptr[0]);
}

/* "type/subtype", perhaps with parameters; of one part, since composing is done here. */
static bool is_content_type(str text)
{
    str parameters = text;
    str subtype = STR_ABSENT;
    str type = STR_ABSENT;

    for (size_t i = 0; i < text.size; i++)
        if (text.ptr[i] < ' ' || text.ptr[i] > '~')
            return false;
    if (text.size > TYPE_SIZE_MAX || !str_split(&parameters, ';', &subtype) ||
        !str_split(&subtype, '/', &type) || !is_type_name(type) || !is_type_name(subtype))
        return false;
    return !str_eq_nocase(type, STR("multipart")) && !str_eq_nocase(type, STR("message"));
}

static err check_parts(const struct mail_part *parts, size_t count, bool is_inline)
{
    if (count > MAIL_ATTACHMENTS_MAX)
        return ERR_INVALID;
    for (size_t i = 0; i < count; i++) {
        if (!is_content_type(parts[i].content_type) || !is_header_text(parts[i].file_name))
            return ERR_INVALID;
        if (is_inline && !is_message_id(parts[i].content_id, false))
            return ERR_INVALID;
        if (parts[i].body.size > MAIL_SIZE_MAX)
            return ERR_TOO_LARGE;
    }
    return ERR_OK;
}

static err check_mail(const struct mail *mail)
{
    TRY(mail_check_address(mail->to_address));
    if (!is_header_text(mail->to_name) || !is_header_text(mail->subject) ||
        !is_message_id(mail->message_id, true))
        return ERR_INVALID;
    if (!str_is_utf8(mail->text) || !str_is_utf8(mail->html))
        return ERR_INVALID;
    if (mail->at_ms < TIME_MS_MIN || mail->at_ms > TIME_MS_MAX)
        return ERR_INVALID;
    if (mail->inline_count > 0 && mail->html.ptr == NULL)
        return ERR_INVALID;
    TRY(check_parts(mail->inlines, mail->inline_count, true));
    return check_parts(mail->attachments, mail->attachment_count, false);
}

static void add_top_headers(struct composer *composer)
{
    const struct mail *mail = composer->mail;
    struct buf *out = &composer->out;
    const struct time_text date = time_format_mail(mail->at_ms);

    buf_printf(out, "Date: %s\r\n", date.text);
    mime_mailbox(out, "From", composer->from_name, composer->from_address);
    mime_mailbox(out, "To", mail->to_name, mail->to_address);
    mime_header(out, "Subject", mail->subject);
    buf_printf(out, "Message-ID: <%.*s>\r\n", STR_ARG(mail->message_id));
    buf_add_cstr(out, "MIME-Version: 1.0\r\n");
    buf_add_cstr(out, "Auto-Submitted: auto-generated\r\n"); /* RFC 3834: no vacation answers */
}

/* The "=_" in every boundary stands in no quoted-printable and no base64 text (RFC 2045 6.7). */
static void add_multipart(struct composer *composer, const char *type, char level)
{
    buf_printf(&composer->out, "Content-Type: multipart/%s;\r\n boundary=\"=_%c%.*s\"\r\n\r\n",
               type, level, STR_ARG(composer->boundary));
}

static void begin_part(struct composer *composer, char level)
{
    buf_printf(&composer->out, "--=_%c%.*s\r\n", level, STR_ARG(composer->boundary));
}

static void end_multipart(struct composer *composer, char level)
{
    buf_printf(&composer->out, "--=_%c%.*s--\r\n", level, STR_ARG(composer->boundary));
}

/* The line end behind the text belongs to the boundary, or ends the message. */
static void add_text(struct composer *composer, const char *subtype, str text)
{
    buf_printf(&composer->out,
               "Content-Type: text/%s; charset=utf-8\r\n"
               "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
               subtype);
    mime_quoted_printable(&composer->out, text);
    buf_add_cstr(&composer->out, "\r\n");
}

static void add_file(struct composer *composer, const struct mail_part *part,
                     const char *disposition)
{
    struct buf *out = &composer->out;

    buf_printf(out, "Content-Type: %.*s\r\nContent-Transfer-Encoding: base64\r\n",
               STR_ARG(part->content_type));
    if (part->content_id.size > 0)
        buf_printf(out, "Content-ID: <%.*s>\r\n", STR_ARG(part->content_id));
    buf_printf(out, "Content-Disposition: %s", disposition);
    if (part->file_name.size > 0)
        mime_parameter(out, "filename", part->file_name);
    buf_add_cstr(out, "\r\n\r\n");
    mime_base64(out, part->body);
}

static void add_html(struct composer *composer)
{
    const struct mail *mail = composer->mail;

    if (mail->inline_count == 0) {
        add_text(composer, "html", mail->html);
        return;
    }
    add_multipart(composer, "related;\r\n type=\"text/html\"", 'r');
    begin_part(composer, 'r');
    add_text(composer, "html", mail->html);
    for (size_t i = 0; i < mail->inline_count; i++) {
        begin_part(composer, 'r');
        add_file(composer, &mail->inlines[i], "inline");
    }
    end_multipart(composer, 'r');
}

static void add_content(struct composer *composer)
{
    const struct mail *mail = composer->mail;

    if (mail->html.ptr == NULL) {
        add_text(composer, "plain", mail->text);
        return;
    }
    if (mail->text.ptr == NULL) {
        add_html(composer);
        return;
    }
    add_multipart(composer, "alternative", 'a');
    begin_part(composer, 'a');
    add_text(composer, "plain", mail->text);
    begin_part(composer, 'a'); /* the last one is the best one (RFC 2046 5.1.4) */
    add_html(composer);
    end_multipart(composer, 'a');
}

static void add_message(struct composer *composer)
{
    const struct mail *mail = composer->mail;

    add_top_headers(composer);
    if (mail->attachment_count == 0) {
        add_content(composer);
        return;
    }
    add_multipart(composer, "mixed", 'm');
    begin_part(composer, 'm');
    add_content(composer);
    for (size_t i = 0; i < mail->attachment_count; i++) {
        begin_part(composer, 'm');
        add_file(composer, &mail->attachments[i], "attachment");
    }
    end_multipart(composer, 'm');
}

err mail_compose(struct arena *arena, const struct mail *mail, struct rng *rng, str *ret)
{
    struct composer composer = {.mail = mail, .out = buf_in(arena, MAIL_SIZE_MAX)};
    char random[BOUNDARY_BYTES];

    TRY(check_mail(mail));
    TRY(mailbox_split(arena, mail->from, &composer.from_name, &composer.from_address));
    rng_fill(rng, random, sizeof(random));
    composer.boundary = hex_encode(arena, (str){random, sizeof(random)});

    add_message(&composer);
    if (composer.out.overflow)
        return ERR_TOO_LARGE;
    const str message = buf_str(&composer.out);
    assert(mime_is_crlf(message) && str_ends(message, STR("\r\n")));
    *ret = message;
    return ERR_OK;
}
