/* platform/http/guard.c - the strict reading of an HTTP/1.1 head.
 *
 * Everything here only refuses. What passes is read once more by H2O, which takes every head
 * that this file takes and finds the same end, method, target and framing in it: each rule below
 * is at least as narrow as the one of H2O's parser (picohttpparser). Where a head could be read
 * in two ways it is refused, also where RFC 9112 would let a server repair it. */

#include "platform/http/guard.h"

#include <assert.h>
#include <string.h>

#include "platform/http/http.h"

#define WORD_SIZE sizeof(uint64_t)

#define BAD(sentence)           \
    {                           \
        ERR_MALFORMED, sentence \
    }

static const struct refusal bad_control = BAD("A control character stands where none may.");
static const struct refusal bad_lf = BAD("A line ends with LF alone.");
static const struct refusal bad_cr = BAD("CR stands without LF.");
static const struct refusal bad_request_line =
    BAD("The request line is not METHOD TARGET HTTP/1.1.");
static const struct refusal bad_version = BAD("Only HTTP/1.1 and HTTP/1.0 are spoken here.");
static const struct refusal bad_target = BAD("The request target is no path of this host.");
static const struct refusal bad_fold = BAD("A header is folded over two lines.");
static const struct refusal bad_name = BAD("A header name is empty or no token.");
static const struct refusal bad_host = BAD("There must be exactly one valid Host.");
static const struct refusal bad_length = BAD("Content-Length is not one plain number.");
static const struct refusal bad_coding = BAD("Transfer-Encoding is not exactly chunked.");
static const struct refusal bad_framing = BAD("The end of the body is given in two ways.");
static const struct refusal bad_expect_twice = BAD("Expect is given twice.");
static const struct refusal unmet_expectation = {ERR_EXPECTATION_FAILED,
                                                 "Only 100-continue can be expected."};
static const struct refusal head_too_large = {ERR_HEADERS_TOO_LARGE,
                                              "The head may have 16384 bytes and 100 lines."};

/* What a byte may stand in; 16 in a row, so that each is found by its two digits. */
enum {
    IN_TOKEN = 1,  /* RFC 9110 5.6.2 */
    IN_HOST = 2,   /* as H2O wants it */
    IN_TARGET = 4, /* visible ASCII but for '#' */
    IN_HEAD = 8,   /* no control character but HTAB; CR and LF have rules of their own */
};
/* clang-format off */
static const uint8_t places[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, /* 00 */
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 10 */
    8, 15, 12, 9, 15, 15, 15, 15, 14, 14, 15, 15, 14, 15, 15, 12, /* 20 */
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 14, 14, 12, 14, 12, 12, /* 30 */
    12, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, /* 40 */
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 14, 12, 14, 13, 15, /* 50 */
    13, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, /* 60 */
    15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 12, 13, 12, 15, 0, /* 70 */
    8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, /* 80 */
    8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, /* 90 */
    8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, /* a0 */
    8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, /* b0 */
    8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, /* c0 */
    8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, /* d0 */
    8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, /* e0 */
    8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, /* f0 */
};
/* clang-format on */

static bool may_stand(char c, unsigned place)
{
    return (places[(unsigned char)c] & place) != 0;
}

static bool all_may_stand(str text, unsigned place)
{
    for (size_t i = 0; i < text.size; i++)
        if (!may_stand(text.ptr[i], place))
            return false;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* --- Where the head ends --- */

/* Eight bytes of visible ASCII and blanks, as most of a head is: no rule below is about them. */
static bool is_plain_word(const char *bytes)
{
    const uint64_t tops = UINT64_C(0x8080808080808080);
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t word;

    memcpy(&word, bytes, sizeof(word));
    const uint64_t controls = (word - ones * ' ') & ~word;
    const uint64_t deletes = (word & ~tops) + ones; /* 0x7f becomes 0x80 */
    return ((controls | deletes | word) & tops) == 0;
}

const struct refusal *guard_scan(const char *bytes, size_t size, size_t *seen, size_t *ret_size)
{
    char before = '\0';

    *ret_size = 0;
    if (*seen > 0)
        before = bytes[*seen - 1];
    for (size_t i = *seen; i < size; before = bytes[i++]) {
        const char c = bytes[i];

        if (before != '\r' && size - i >= WORD_SIZE && i + WORD_SIZE <= HTTP_HEADERS_SIZE_MAX &&
            is_plain_word(bytes + i)) {
            i += WORD_SIZE - 1;
            continue;
        }
        if (i >= HTTP_HEADERS_SIZE_MAX)
            return &head_too_large;
        if (before == '\r' && c != '\n')
            return &bad_cr;
        if (may_stand(c, IN_HEAD) || c == '\r')
            continue;
        if (c != '\n')
            return &bad_control;
        if (before != '\r')
            return &bad_lf;
        if (i >= 3 && bytes[i - 2] == '\n') {
            *seen = i + 1;
            *ret_size = i + 1;
            return NULL;
        }
    }
    *seen = size;
    return NULL;
}

/* --- The request line --- */

/* Cuts the part before the first `separator` off *rest; absent if there is none. */
static str cut(str *rest, char separator)
{
    const char *end = memchr(rest->ptr, separator, rest->size);

    if (end == NULL)
        return STR_ABSENT;
    const str part = {rest->ptr, (size_t)(end - rest->ptr)};
    rest->ptr += part.size + 1;
    rest->size -= part.size + 1;
    return part;
}

/* The next line without its CRLF. guard_scan saw to it that CR and LF come in pairs only. */
static str cut_line(str *rest)
{
    str line = cut(rest, '\n');

    assert(line.size > 0 && line.ptr[line.size - 1] == '\r');
    line.size--;
    return line;
}

/* "http://host" of an absolute form; absent if the target is none. */
static str target_authority(str target)
{
    const size_t scheme_size = str_eq_nocase(str_slice(target, 0, 7), STR("http://")) ? 7 : 8;

    if (scheme_size == 8 && !str_eq_nocase(str_slice(target, 0, 8), STR("https://")))
        return STR_ABSENT;
    size_t end = scheme_size;
    while (end < target.size && target.ptr[end] != '/' && target.ptr[end] != '?')
        end++;
    return str_slice(target, scheme_size, end);
}

str guard_target_path(str target)
{
    const str authority = target_authority(target);

    if (authority.ptr == NULL)
        return target;
    return str_slice(target, (size_t)(authority.ptr + authority.size - target.ptr), target.size);
}

static bool target_is_valid(str target)
{
    return target.size > 0 && all_may_stand(target, IN_TARGET) &&
           (target.ptr[0] == '/' || target_authority(target).size > 0);
}

static const struct refusal *read_request_line(str line, struct guard_head *head, str *ret_target,
                                               bool *ret_is_1_0)
{
    const str method = cut(&line, ' ');
    const str target = cut(&line, ' ');

    if (method.size == 0 || method.size > GUARD_METHOD_SIZE_MAX || target.ptr == NULL)
        return &bad_request_line;
    if (!all_may_stand(method, IN_TOKEN))
        return &bad_request_line;
    if (!str_eq(line, STR("HTTP/1.1")) && !str_eq(line, STR("HTTP/1.0")))
        return &bad_version;
    if (!target_is_valid(target))
        return &bad_target;
    head->method_size = method.size;
    head->target_size = target.size;
    *ret_target = target;
    *ret_is_1_0 = str_eq(line, STR("HTTP/1.0"));
    return NULL;
}

/* --- The headers --- */

/* What the lines say about the framing; absent: not said. */
struct fields {
    str host;
    str content_length;
    str transfer_encoding;
    str expect;
};

/* Notes a field that may come once; `refusal` if it came before. */
static const struct refusal *note_once(str *slot, str value, const struct refusal *refusal)
{
    if (slot->ptr != NULL)
        return refusal;
    *slot = value;
    return NULL;
}

static const struct refusal *read_field(str line, struct fields *fields)
{
    if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
        return &bad_fold;
    const str name = cut(&line, ':');
    if (name.size == 0 || !all_may_stand(name, IN_TOKEN))
        return &bad_name;

    const str value = str_trim(line);
    /* H2O keeps blanks behind a value and then refuses these two, so they are part of it here
     * too. */
    const str exact = {value.ptr, (size_t)(line.ptr + line.size - value.ptr)};
    if (str_eq_nocase(name, STR("host")))
        return note_once(&fields->host, value, &bad_host);
    if (str_eq_nocase(name, STR("content-length")))
        return note_once(&fields->content_length, exact, &bad_length);
    if (str_eq_nocase(name, STR("transfer-encoding")))
        return note_once(&fields->transfer_encoding, exact, &bad_coding);
    if (str_eq_nocase(name, STR("expect")))
        return note_once(&fields->expect, value, &bad_expect_twice);
    return NULL;
}

static const struct refusal *read_length(str text, uint64_t *ret)
{
    uint64_t length = 0;

    if (text.size == 0 || text.size > 18) /* 18 digits cannot overflow */
        return &bad_length;
    for (size_t i = 0; i < text.size; i++) {
        if (!is_digit(text.ptr[i]))
            return &bad_length;
        length = length * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    *ret = length;
    return NULL;
}

static const struct refusal *read_framing(const struct fields *fields, bool is_1_0,
                                          struct guard_head *head)
{
    if (fields->transfer_encoding.ptr != NULL) {
        if (fields->content_length.ptr != NULL)
            return &bad_framing;
        if (is_1_0 || !str_eq_nocase(fields->transfer_encoding, STR("chunked")))
            return &bad_coding;
        head->body = GUARD_CHUNKED;
    } else if (fields->content_length.ptr != NULL) {
        head->body = GUARD_SIZED;
        return read_length(fields->content_length, &head->content_length);
    }
    return NULL;
}

static const struct refusal *check_host(const struct fields *fields, str target, bool is_1_0)
{
    const str authority = target_authority(target);

    if (fields->host.ptr == NULL)
        return is_1_0 && authority.ptr == NULL ? NULL : &bad_host;
    if (fields->host.size == 0 || !all_may_stand(fields->host, IN_HOST))
        return &bad_host;
    /* RFC 9112 3.2.2 lets the target win over Host; two names are a riddle, so they must agree. */
    if (authority.ptr != NULL && !str_eq_nocase(authority, fields->host))
        return &bad_target;
    return NULL;
}

const struct refusal *guard_head(str head, struct guard_head *ret)
{
    struct fields fields = {0};
    const struct refusal *refusal = NULL;
    str rest = head;
    str target;
    bool is_1_0;

    *ret = (struct guard_head){.size = head.size};
    if (str_starts(rest, STR("\r\n"))) /* some clients end a body with it (RFC 9112 2.2) */
        rest = str_slice(rest, 2, rest.size);
    if ((refusal = read_request_line(cut_line(&rest), ret, &target, &is_1_0)) != NULL)
        return refusal;

    for (size_t count = 0;; count++) {
        const str line = cut_line(&rest);
        if (line.size == 0)
            break;
        if (count == GUARD_FIELDS_MAX)
            return &head_too_large;
        const bool had_expect = fields.expect.ptr != NULL;
        if ((refusal = read_field(line, &fields)) != NULL)
            return refusal;
        if (!had_expect && fields.expect.ptr != NULL)
            ret->expect_at = (size_t)(line.ptr - head.ptr);
    }
    assert(rest.size == 0);

    if ((refusal = check_host(&fields, target, is_1_0)) != NULL)
        return refusal;
    if ((refusal = read_framing(&fields, is_1_0, ret)) != NULL)
        return refusal;
    if (fields.expect.ptr != NULL && !str_eq_nocase(fields.expect, STR("100-continue")))
        return &unmet_expectation;
    ret->wants_continue = fields.expect.ptr != NULL && !is_1_0 && ret->body != GUARD_NO_BODY;
    return NULL;
}
