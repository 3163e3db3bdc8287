/* platform/mail/address.c - decides what is an address.
 *
 * Stricter than RFC 5321 on purpose: quoted local parts, comments, address literals and UTF-8
 * local parts are read differently by different servers, and nearly nobody has one. Domains in
 * other scripts come as Punycode. What passes needs no quoting in a header and none in an SMTP
 * command. */

#include "platform/mail/address.h"

#include <string.h>

#include "platform/mail/mail.h"

enum {
    ADDRESS_SIZE_MAX = 254, /* RFC 5321 4.5.3.1.3: a path of 256 with its brackets */
    LOCAL_SIZE_MAX = 64,
    LABEL_SIZE_MAX = 63,
};

/* --- Rules: no I/O --- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c);
}

bool is_atom_char(char c)
{
    return is_letter_or_digit(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

bool is_dot_atom(str text)
{
    str atom = STR_ABSENT;

    if (text.size == 0)
        return false;
    while (str_split(&text, '.', &atom)) {
        if (atom.size == 0)
            return false;
        for (size_t i = 0; i < atom.size; i++)
            if (!is_atom_char(atom.ptr[i]))
                return false;
    }
    return true;
}

bool is_header_text(str text)
{
    if (!str_is_utf8(text))
        return false;
    for (size_t i = 0; i < text.size; i++) {
        const str rest = str_slice(text, i, text.size);
        const uint8_t byte = (uint8_t)text.ptr[i];

        if (byte < 0x20 || byte == 0x7f)
            return false;
        if (byte == 0xc2 && (uint8_t)text.ptr[i + 1] < 0xa0) /* U+0080 to U+009F */
            return false;
        if (str_starts(rest, STR("\u2028")) || str_starts(rest, STR("\u2029")))
            return false;
    }
    return true;
}

/* Letters, digits and hyphens, a hyphen at neither end. */
static bool is_label(str label)
{
    if (label.size == 0 || label.size > LABEL_SIZE_MAX)
        return false;
    for (size_t i = 0; i < label.size; i++)
        if (!is_letter_or_digit(label.ptr[i]) && label.ptr[i] != '-')
            return false;
    return label.ptr[0] != '-' && label.ptr[label.size - 1] != '-';
}

static bool is_number(str label)
{
    for (size_t i = 0; i < label.size; i++)
        if (!is_digit(label.ptr[i]))
            return false;
    return true;
}

/* Labels with a dot, or localhost; the last one is not a number, or it would be an IP address. */
static bool is_domain(str domain)
{
    str label = STR_ABSENT;
    size_t label_count = 0;

    for (str rest = domain; str_split(&rest, '.', &label); label_count++)
        if (!is_label(label))
            return false;
    return label_count > 1 ? !is_number(label) : str_eq_nocase(domain, STR("localhost"));
}

err mail_check_address(str address)
{
    str domain = address;
    str local = STR_ABSENT;

    if (address.size == 0 || address.size > ADDRESS_SIZE_MAX)
        return ERR_INVALID;
    if (!str_split(&domain, '@', &local) || domain.ptr == NULL)
        return ERR_INVALID;
    if (local.size > LOCAL_SIZE_MAX || !is_dot_atom(local) || !is_domain(domain))
        return ERR_INVALID;
    return ERR_OK;
}

/* What stands between the quotes of a quoted string; false if it has a quote inside. */
static bool unquote(struct arena *arena, str quoted, str *ret)
{
    char *text = arena_alloc(arena, quoted.size + 1);
    size_t size = 0;

    for (size_t i = 1; i + 1 < quoted.size; i++) {
        if (quoted.ptr[i] == '"')
            return false;
        if (quoted.ptr[i] == '\\' && ++i + 1 >= quoted.size)
            return false;
        text[size++] = quoted.ptr[i];
    }
    *ret = (str){text, size};
    return true;
}

err mailbox_split(struct arena *arena, str mailbox, str *ret_name, str *ret_address)
{
    str name = STR_ABSENT;
    str address = mailbox;

    if (!is_header_text(mailbox))
        return ERR_INVALID;
    if (str_ends(mailbox, STR(">"))) {
        str rest = mailbox;

        /* The last one: a quoted name may have others. */
        while (str_split(&rest, '<', &name) && rest.ptr != NULL)
            address = str_slice(rest, 0, rest.size - 1);
        if (address.ptr == mailbox.ptr)
            return ERR_INVALID;
        name = str_trim((str){mailbox.ptr, (size_t)(address.ptr - 1 - mailbox.ptr)});
        if (name.size >= 2 && name.ptr[0] == '"' && name.ptr[name.size - 1] == '"' &&
            !unquote(arena, name, &name))
            return ERR_INVALID;
    }
    TRY(mail_check_address(address));
    *ret_name = name.size > 0 ? name : STR_ABSENT;
    *ret_address = address;
    return ERR_OK;
}
