/* platform/mail/mime_test.c - the encodings by themselves; compose_test.c has them read back. */

#include "platform/mail/mime.h"

#include "support/test.h"

#define DIGITS_25 "1234567890123456789012345"
#define DIGITS_73 DIGITS_25 DIGITS_25 "12345678901234567890123"

static void check_quoted_printable(const char *expected, const char *text)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct buf out = buf_in(arena, 4096);

    buf_add_cstr(&out, ""); /* present, though nothing may follow */
    mime_quoted_printable(&out, str_of(text));
    CHECK_STR(expected, buf_str(&out));
}

TEST(quoted_printable_is_what_rfc_2045_says)
{
    check_quoted_printable("", "");
    check_quoted_printable("a=3Db", "a=b");
    check_quoted_printable("caf=C3=A9", "caf\xc3\xa9");
    check_quoted_printable("a=20\r\nb=09\r\nc=20", "a \nb\t\r\nc ");
    check_quoted_printable("a  b\tc", "a  b\tc");
    check_quoted_printable("a=0Db", "a\rb");
    check_quoted_printable("~=7F", "~\x7f");
}

TEST(quoted_printable_lines_have_76_characters_at_most)
{
    check_quoted_printable(DIGITS_73 "12", DIGITS_73 "12");
    check_quoted_printable(DIGITS_73 "12=\r\n3", DIGITS_73 "123");
    check_quoted_printable(DIGITS_73 "=\r\n=3D", DIGITS_73 "="); /* an escape is not cut */
    check_quoted_printable(DIGITS_73 "12\r\n3", DIGITS_73 "12\n3");
}

TEST(base64_lines_have_76_characters)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct buf out = buf_in(arena, 4096);

    mime_base64(&out, (str){arena_alloc(arena, 115), 115});
    CHECK_STR("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n"
              "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n"
              "AA==\r\n",
              buf_str(&out));
}

TEST(headers_are_plain_where_they_can_be)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct buf out = buf_in(arena, 4096);

    mime_header(&out, "Subject", STR("Your tickets: 2 x \"Hamlet\""));
    mime_header(&out, "Subject", STR("\xc3\xa9"));
    mime_mailbox(&out, "To", STR_ABSENT, STR("a@b.co"));
    mime_mailbox(&out, "To", STR("Ana Sol"), STR("a@b.co"));
    mime_mailbox(&out, "To", STR("Sol, Ana \"A\""), STR("a@b.co"));
    mime_mailbox(&out, "To", STR("\xc3\xa9"), STR("a@b.co"));
    buf_add_cstr(&out, "X: y");
    mime_parameter(&out, "name", STR("a \"b\".pdf"));
    mime_parameter(&out, "name", STR("\xc3\xa9 =.pdf"));
    CHECK_STR("Subject: Your tickets: 2 x \"Hamlet\"\r\n"
              "Subject: =?UTF-8?B?w6k=?=\r\n"
              "To: a@b.co\r\n"
              "To: Ana Sol <a@b.co>\r\n"
              "To: \"Sol, Ana \\\"A\\\"\" <a@b.co>\r\n"
              "To: =?UTF-8?B?w6k=?=\r\n <a@b.co>\r\n"
              "X: y;\r\n name=\"a \\\"b\\\".pdf\";\r\n name*=UTF-8''%C3%A9%20%3D.pdf",
              buf_str(&out));
}

TEST(only_crlf_ends_a_line)
{
    static const struct {
        const char *text;
        bool expected;
    } cases[] = {
        {"",         true },
        {"a",        true },
        {"a\r\n",    true },
        {"\r\n\r\n", true },
        {"\n",       false},
        {"\r",       false},
        {"a\r\r\n",  false},
        {"a\n\r\n",  false},
        {"a\r\nb\n", false},
        {"a\r\nb\r", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK(mime_is_crlf(str_of(cases[i].text)) == cases[i].expected);
    CHECK(!mime_is_crlf((str){"a\0", 2}));
}
