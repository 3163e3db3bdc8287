/* platform/http/guard_test.c - the rules of the guard, one table for what passes and one for
 * what does not. */

#include "platform/http/guard.h"

#include <stdio.h>
#include <string.h>

#include "platform/http/http.h"
#include "support/test.h"

/* Scan and head together, as the sentry does. 0: passed; -1: wants more; else the status of the
 * refusal. */
static int judge(str bytes, struct guard_head *ret)
{
    size_t seen = 0;
    size_t size;
    const struct refusal *refusal = guard_scan(bytes.ptr, bytes.size, &seen, &size);

    if (refusal == NULL && size == 0)
        return -1;
    if (refusal == NULL)
        refusal = guard_head((str){bytes.ptr, size}, ret);
    return refusal != NULL ? err_status(refusal->error) : 0;
}

#define GET          "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST         "POST / HTTP/1.1\r\nHost: a\r\n"
#define LENGTH(n)    "Content-Length: " n "\r\n"
#define CODING(c)    "Transfer-Encoding: " c "\r\n"
#define EXPECT(what) "Expect: " what "\r\n"
#define END          "\r\n"

TEST(a_plain_head_passes_with_its_framing)
{
    static const struct {
        const char *text;
        uint64_t length;
        enum guard_body body;
        bool wants_continue;
    } cases[] = {
        {GET END,                                                      0,  GUARD_NO_BODY, false},
        {"GET / HTTP/1.0\r\n\r\n",                                     0,  GUARD_NO_BODY, false},
        {"\r\n" GET END,                                               0,  GUARD_NO_BODY, false},
        {"PATCH /a?b=c/d HTTP/1.1\r\nhost:a:80\r\n\r\n",               0,  GUARD_NO_BODY, false},
        {"GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",                 0,  GUARD_NO_BODY, false},
        {GET "X: \xc3\xa4\t.\r\nY:\r\n" END,                           0,  GUARD_NO_BODY, false},
        {"GET http://a/x HTTP/1.1\r\nHost: A\r\n\r\n",                 0,  GUARD_NO_BODY, false},
        {POST LENGTH("0") END,                                         0,  GUARD_SIZED,   false},
        {POST "content-LENGTH:\t12\r\n" END,                           12, GUARD_SIZED,   false},
        {POST CODING("Chunked") END,                                   0,  GUARD_CHUNKED, false},
        {POST LENGTH("1") EXPECT("100-Continue") END,                  1,  GUARD_SIZED,   true },
        {"POST / HTTP/1.0\r\n" LENGTH("1") EXPECT("100-continue") END, 1,  GUARD_SIZED,   false},
        {GET EXPECT("100-continue") END,                               0,  GUARD_NO_BODY, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct guard_head head = {0};

        CHECK_I64(0, judge(str_of(cases[i].text), &head));
        CHECK_I64((int64_t)strlen(cases[i].text), (int64_t)head.size);
        CHECK_I64(cases[i].body, head.body);
        CHECK_I64((int64_t)cases[i].length, (int64_t)head.content_length);
        CHECK(cases[i].wants_continue == head.wants_continue);
    }
}

static void check_refused(int status, const str *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct guard_head head;
        const int got = judge(texts[i], &head);

        if (got != status)
            print_error("case %zu: %.*s\n", i, STR_ARG(texts[i]));
        CHECK_I64(status, got);
    }
}
#define CHECK_REFUSED(status, texts) \
    check_refused((status), (texts), sizeof(texts) / sizeof((texts)[0]))

TEST(a_line_ends_with_crlf_and_holds_no_control_characters)
{
    static const str texts[] = {
        STR("GET / HTTP/1.1\nHost: a\r\n\r\n"),
        STR("GET / HTTP/1.1\r\nHost: a\n\r\n"),
        STR("GET / HTTP/1.1\r\nHost: a\n\n"),
        STR("\n" GET END),
        STR(GET "X: a\rb\r\n" END),
        STR(GET "X: a\0b\r\n" END),
        STR("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
        STR(GET "X: \x7f\r\n" END),
        STR("\x16\x03\x01\x02"),
    };
    CHECK_REFUSED(400, texts);
}

TEST(a_request_line_has_three_parts_and_a_known_version)
{
    static const str texts[] = {
        STR("\r\n\r\n" GET END),
        STR("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        STR("GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
        STR(" " GET END),
        STR("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        STR("GET /\r\n\r\n"),
        STR("G(T / HTTP/1.1\r\nHost: a\r\n\r\n"),
        STR("GETGETGETGETGETGETGETGETGETGETGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        STR("GET / HTTP/1.2\r\nHost: a\r\n\r\n"),
        STR("GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
        STR("GET / http/1.1\r\nHost: a\r\n\r\n"),
        STR("GET / HTTP/1.10\r\nHost: a\r\n\r\n"),
        STR("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    };
    CHECK_REFUSED(400, texts);
}

TEST(a_target_is_a_path_of_this_host)
{
    static const str texts[] = {
        STR("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
        STR("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"),
        STR("GET a HTTP/1.1\r\nHost: a\r\n\r\n"),
        STR("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"),
        STR("GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n"),
        STR("GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        STR("GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n"),
        STR("GET ftp://a/x HTTP/1.1\r\nHost: a\r\n\r\n"),
        STR("GET http://u@a/x HTTP/1.1\r\nHost: a\r\n\r\n"),
        STR("GET http://a/x HTTP/1.0\r\n\r\n"),
    };
    CHECK_REFUSED(400, texts);
}

TEST(a_header_line_is_a_token_a_colon_and_a_value)
{
    static const str texts[] = {
        STR(GET " folded\r\n" END),
        STR(GET "\tfolded\r\n" END),
        STR("GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
        STR("GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
        STR(GET "X\t: b\r\n" END),
        STR(GET ": b\r\n" END),
        STR(GET "no colon\r\n" END),
        STR(GET "X(y: b\r\n" END),
        STR(GET "X\x80: b\r\n" END),
    };
    CHECK_REFUSED(400, texts);
}

TEST(there_is_one_valid_host)
{
    static const str texts[] = {
        STR("GET / HTTP/1.1\r\n\r\n"),
        STR(GET "Host: a\r\n" END),
        STR("GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n"),
        STR("GET / HTTP/1.1\r\nHost:\r\n\r\n"),
        STR("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
        STR("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        STR("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
        STR("GET / HTTP/1.1\r\nHost: a,b\"\r\n\r\n"),
    };
    CHECK_REFUSED(400, texts);
}

TEST(a_body_ends_in_one_way_only)
{
    static const str texts[] = {
        STR(POST LENGTH("1") LENGTH("1") END "x"),
        STR(POST LENGTH("1") LENGTH("2") END "x"),
        STR(POST LENGTH("1, 1") END "x"),
        STR(POST LENGTH("+1") END "x"),
        STR(POST LENGTH("-1") END "x"),
        STR(POST LENGTH("0x1") END "x"),
        STR(POST LENGTH("1 ") END "x"),
        STR(POST LENGTH("") END "x"),
        STR(POST LENGTH("1234567890123456789") END "x"),
        STR(POST LENGTH("5") CODING("chunked") END),
        STR(POST CODING("chunked") LENGTH("5") END),
        STR(POST CODING("gzip, chunked") END),
        STR(POST CODING("chunked, chunked") END),
        STR(POST CODING("chunked") CODING("chunked") END),
        STR(POST CODING("identity") END),
        STR(POST CODING("xchunked") END),
        STR(POST CODING("chunked ") END),
        STR(POST CODING("\"chunked\"") END),
        STR(POST CODING("") END),
        STR("POST / HTTP/1.0\r\n" CODING("chunked") END),
        STR(POST EXPECT("100-continue") EXPECT("100-continue") END),
    };
    static const str unmet[] = {
        STR(POST LENGTH("1") EXPECT("tea") END),
        STR(GET EXPECT("") END),
    };
    CHECK_REFUSED(400, texts);
    CHECK_REFUSED(417, unmet);
}

TEST(a_refusal_or_an_end_is_found_the_same_whatever_the_pieces)
{
    const str good = STR(POST LENGTH("3") END "abc");
    const str bad = STR(GET "X: y\n" END);

    for (size_t cut = 1; cut < good.size; cut++) {
        size_t seen = 0;
        size_t size;
        CHECK(guard_scan(good.ptr, cut, &seen, &size) == NULL);
        if (size == 0)
            CHECK(guard_scan(good.ptr, good.size, &seen, &size) == NULL);
        CHECK_I64((int64_t)good.size - 3, (int64_t)size);
    }
    for (size_t cut = 1; cut < bad.size; cut++) {
        size_t seen = 0;
        size_t size;
        if (guard_scan(bad.ptr, cut, &seen, &size) == NULL)
            CHECK(guard_scan(bad.ptr, bad.size, &seen, &size) != NULL);
        CHECK_I64(0, (int64_t)size);
    }
}

/* Plain text is passed eight bytes at a time; wherever a byte stands, it is seen. */
TEST(every_byte_is_judged_alike_at_every_place)
{
    static const char before[] = GET "X: ";
    char text[sizeof(before) + 32];

    for (unsigned byte = 0; byte < 256; byte++)
        for (size_t at = 0; at < 17; at++) {
            struct guard_head head = {0};
            const bool is_control = (byte < ' ' && byte != '\t') || byte == 0x7f;

            const int size =
                snprintf(text, sizeof(text), "%s%s" END END, before, "plain text, plain");
            text[sizeof(before) - 1 + at] = (char)byte;
            CHECK_I64(is_control ? 400 : 0, judge((str){text, (size_t)size}, &head));
        }
}

TEST(a_head_may_have_16_kib_and_100_lines)
{
    struct buf text = buf_on_heap(64 << 10);
    struct guard_head head;

    buf_add_cstr(&text, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
    while (text.size < HTTP_HEADERS_SIZE_MAX - 4)
        buf_add_char(&text, 'x');
    buf_add_cstr(&text, "\r\n\r\n");
    CHECK_I64(HTTP_HEADERS_SIZE_MAX, (int64_t)text.size);
    CHECK_I64(0, judge(buf_str(&text), &head));

    buf_clear(&text);
    buf_add_cstr(&text, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
    while (text.size <= HTTP_HEADERS_SIZE_MAX)
        buf_add_char(&text, 'x');
    CHECK_I64(431, judge(buf_str(&text), &head));

    for (int lines = GUARD_FIELDS_MAX; lines <= GUARD_FIELDS_MAX + 1; lines++) {
        buf_clear(&text);
        buf_add_cstr(&text, "GET / HTTP/1.1\r\nHost: a\r\n");
        for (int i = 1; i < lines; i++)
            buf_add_cstr(&text, "a: b\r\n");
        buf_add_cstr(&text, "\r\n");
        CHECK_I64(lines == GUARD_FIELDS_MAX ? 0 : 431, judge(buf_str(&text), &head));
    }
    buf_done(&text);
}

TEST(an_absolute_target_gives_its_path)
{
    static const struct {
        const char *target;
        const char *path;
    } cases[] = {
        {"/a/b?c",       "/a/b?c"},
        {"http://h/a?b", "/a?b"  },
        {"HTTPS://h:1",  ""      },
        {"http://h?x",   "?x"    },
        {"//h/a",        "//h/a" },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_STR(cases[i].path, guard_target_path(str_of(cases[i].target)));
}

/* --- Chunks --- */

/* In pieces of `step` bytes. 0: wants more; -1: refused; else how many bytes the body took. */
static int64_t take_chunks(str text, size_t step, struct guard_chunks *chunks)
{
    size_t at = 0;

    *chunks = (struct guard_chunks){0};
    while (at < text.size && !chunks->done) {
        const size_t size = step < text.size - at ? step : text.size - at;
        size_t taken;
        if (guard_chunks(chunks, text.ptr + at, size, &taken) != NULL)
            return -1;
        CHECK(taken == size || chunks->done);
        at += taken;
    }
    return chunks->done ? (int64_t)at : 0;
}

TEST(a_chunked_body_ends_where_its_last_chunk_does)
{
    static const struct {
        str text;
        int64_t taken;
        int64_t decoded;
    } cases[] = {
        {STR("0\r\n\r\n"),                          5,  0 },
        {STR("3\r\nabc\r\n0\r\n\r\nGET"),           13, 3 },
        {STR("1\r\na\r\n00002\r\nbc\r\n0\r\n\r\n"), 22, 3 },
        {STR("A\r\n0123456789\r\n0\r\n\r\n"),       20, 10},
        {STR("1;a=b;c=\"d\"\r\na\r\n0;x\r\n\r\n"),  23, 1 },
        {STR("1 \r\na\r\n0\r\n\r\n"),               12, 1 },
        {STR("0\r\nX: y\r\nZ: w\r\n\r\n."),         17, 0 },
        {STR("3\r\na\r\n"),                         0,  3 },
        {STR("1\r\na\r\n0\r\n"),                    0,  1 },
        {STR("1\r\n\n\r\n0\r\n\r\n"),               11, 1 },
 /* refused */
        {STR("\r\n"),                               -1, 0 },
        {STR("x\r\n"),                              -1, 0 },
        {STR("-1\r\n"),                             -1, 0 },
        {STR("0x1\r\n"),                            -1, 0 },
        {STR(" 1\r\na\r\n"),                        -1, 0 },
        {STR("1\na\r\n0\r\n\r\n"),                  -1, 0 },
        {STR("1\r\ra\r\n"),                         -1, 0 },
        {STR("1;\na\r\n0\r\n\r\n"),                 -1, 0 },
        {STR("1;\rx\na\r\n"),                       -1, 0 },
        {STR("1;\0\r\n"),                           -1, 0 },
        {STR("1\r\nab\r\n0\r\n\r\n"),               -1, 0 },
        {STR("1\r\na\n0\r\n\r\n"),                  -1, 0 },
        {STR("1\r\na\r\r\n0\r\n\r\n"),              -1, 0 },
        {STR("0\r\n\n"),                            -1, 0 },
        {STR("0\r\n\r\r\n"),                        -1, 0 },
        {STR("0\r\nX: y\n\r\n"),                    -1, 0 },
        {STR("0\r\nX: \0\r\n\r\n"),                 -1, 0 },
        {STR("123456789\r\n"),                      -1, 0 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (size_t step = 1; step <= cases[i].text.size; step++) {
            struct guard_chunks chunks;
            CHECK_I64(cases[i].taken, take_chunks(cases[i].text, step, &chunks));
            if (cases[i].taken >= 0)
                CHECK_I64(cases[i].decoded, (int64_t)chunks.decoded);
        }
}

TEST(extensions_and_trailers_have_an_end)
{
    struct buf text = buf_on_heap(64 << 10);
    struct guard_chunks chunks;

    buf_add_cstr(&text, "1;");
    for (int i = 0; i <= GUARD_CHUNK_LINE_MAX; i++)
        buf_add_char(&text, 'x');
    CHECK_I64(-1, take_chunks(buf_str(&text), text.size, &chunks));

    buf_clear(&text);
    buf_add_cstr(&text, "0\r\n");
    while (text.size < (size_t)2 * GUARD_TRAILERS_SIZE_MAX)
        buf_add_cstr(&text, "a: b\r\n");
    CHECK_I64(-1, take_chunks(buf_str(&text), text.size, &chunks));
    buf_done(&text);
}
