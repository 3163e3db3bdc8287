/* platform/mail/compose_test.c - the parts of what we compose, as Python's email package reads
 * it (support/mail_check.py, which also refuses any line that mail must not have), and what is
 * refused. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/crypto/crypto.h"
#include "platform/mail/test_reading.h"
#include "support/test.h"

#define ARABIC "\u062d\u0641\u0644\u0629 \u0627\u0644\u0642\u0627\u0647\u0631\u0629"
#define EMOJI  "\U0001F39F\uFE0F"

static const char *sha256_of(struct arena *arena, str data)
{
    uint8_t hash[SHA256_SIZE];

    sha256(data, hash);
    return arena_cstr(arena, hex_encode(arena, (str){(const char *)hash, sizeof(hash)}));
}

/* "size=... sha256=..." as the script tells it. */
static const char *facts_of(struct arena *arena, str data)
{
    return arena_printf(arena, "encoding=base64 size=%zu sha256=%s", data.size,
                        sha256_of(arena, data))
        .ptr;
}

static const char headers[] = "from \"Boxoffice\" \"tickets@example.org\"\n"
                              "to \"\" \"ana@example.org\"\n"
                              "subject \"Your tickets\"\n"
                              "date 2026-11-22T21:22:13+00:00\n"
                              "message-id \"<ord_01h455vb4pex5vsknk084sn02q@example.org>\"\n"
                              "mime-version \"1.0\"\n"
                              "auto-submitted \"auto-generated\"\n";

static const char *lines(struct arena *arena, const char *parts)
{
    return arena_printf(arena, "%s%s", headers, parts).ptr;
}

TEST(text_alone_is_one_part)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const struct mail mail = plain_mail();

    CHECK_STR(
        lines(arena, "0 text/plain encoding=quoted-printable charset=utf-8 text=\"Hello\\n\"\n"),
        description(arena, &mail));
}

TEST(text_and_html_are_alternatives_and_the_html_comes_last)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct mail mail = plain_mail();

    mail.html = STR("<p>Hello</p>");
    CHECK_STR(
        lines(arena,
              "0 multipart/alternative\n"
              "0.0 text/plain encoding=quoted-printable charset=utf-8 text=\"Hello\"\n"
              "0.1 text/html encoding=quoted-printable charset=utf-8 text=\"<p>Hello</p>\"\n"),
        description(arena, &mail));
    mail.text = STR_ABSENT;
    CHECK_STR(lines(arena, "0 text/html encoding=quoted-printable charset=utf-8 "
                           "text=\"<p>Hello</p>\\n\"\n"),
              description(arena, &mail));
}

TEST(a_message_with_everything_has_every_level)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    char bytes[3000];
    struct mail mail = plain_mail();

    rng_fill(rng_system(), bytes, sizeof(bytes));
    const str picture = {bytes, 1000};
    const str pdf = {bytes, sizeof(bytes)};
    mail.html = STR("<img src=\"cid:qr1@example.org\"><img src=\"cid:logo\">");
    mail.inlines[0] = (struct mail_part){
        .content_type = STR("image/png"), .content_id = STR("qr1@example.org"), .body = picture};
    mail.inlines[1] = (struct mail_part){.content_type = STR("image/svg+xml"),
                                         .content_id = STR("logo"),
                                         .file_name = STR("logo.svg"),
                                         .body = STR("<svg/>")};
    mail.inline_count = 2;
    mail.attachments[0] = (struct mail_part){
        .content_type = STR("application/pdf"), .file_name = STR("tickets.pdf"), .body = pdf};
    mail.attachments[1] =
        (struct mail_part){.content_type = STR("text/calendar; charset=utf-8; method=PUBLISH"),
                           .file_name = STR(ARABIC " " EMOJI ".ics"),
                           .body = STR("BEGIN:VCALENDAR\nEND:VCALENDAR\n")};
    mail.attachment_count = 2;

    const str expected = arena_printf(
        arena,
        "%s0 multipart/mixed\n"
        "0.0 multipart/alternative\n"
        "0.0.0 text/plain encoding=quoted-printable charset=utf-8 text=\"Hello\"\n"
        "0.0.1 multipart/related type=text/html\n"
        "0.0.1.0 text/html encoding=quoted-printable charset=utf-8 "
        "text=\"<img src=\\\"cid:qr1@example.org\\\"><img src=\\\"cid:logo\\\">\"\n"
        "0.0.1.1 image/png %s cid=<qr1@example.org> disposition=inline\n"
        "0.0.1.2 image/svg+xml %s cid=<logo> disposition=inline file=\"logo.svg\"\n"
        "0.1 application/pdf %s disposition=attachment file=\"tickets.pdf\"\n"
        "0.2 text/calendar %s disposition=attachment file=\"" ARABIC " " EMOJI ".ics\"\n",
        headers, facts_of(arena, picture), facts_of(arena, mail.inlines[1].body),
        facts_of(arena, pdf), facts_of(arena, mail.attachments[1].body));
    CHECK_STR(expected.ptr, description(arena, &mail));
}

TEST(attachments_go_with_text_alone_too)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct mail mail = plain_mail();

    mail.attachments[0] =
        (struct mail_part){.content_type = STR("application/pdf"), .body = STR("")};
    mail.attachment_count = 1;
    CHECK_STR(lines(arena, arena_printf(arena,
                                        "0 multipart/mixed\n"
                                        "0.0 text/plain encoding=quoted-printable charset=utf-8 "
                                        "text=\"Hello\"\n"
                                        "0.1 application/pdf %s disposition=attachment\n",
                                        facts_of(arena, STR("")))
                               .ptr),
              description(arena, &mail));
}

/* Each with one field that could begin a line of its own, or is no text. */
TEST(what_would_begin_another_header_is_refused)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    static const char *const poisons[] = {
        "a\r\nBcc: b@c.co",
        "a\nBcc: b@c.co",
        "a\rBcc: b@c.co",
        "a\r\n\r\n<script>",
        "a\r\n",
        "a\tb",
        "a\vb",
        "a\x7f",
        "a\xc2\x85 b",
        "a\u2028b",
        "a\u2029b",
        "a\x1b[31m",
        "a\xff",
        "a\xc0\x8d\xc0\x8a b",
    };
    str ret = STR("untouched");

    for (size_t i = 0; i < sizeof(poisons) / sizeof(poisons[0]); i++) {
        const str poison = str_of(poisons[i]);
        const struct mail_part good = {.content_type = STR("image/png"),
                                       .content_id = STR("a"),
                                       .file_name = STR("a"),
                                       .body = STR("b")};
        struct mail mails[10];

        for (size_t j = 0; j < 10; j++) {
            mails[j] = plain_mail();
            mails[j].html = STR("<p>");
            mails[j].inlines[0] = good;
            mails[j].attachments[0] = good;
            mails[j].inline_count = 1;
            mails[j].attachment_count = 1;
        }
        mails[0].from = arena_printf(arena, "%s <a@b.co>", poisons[i]);
        mails[1].from = arena_printf(arena, "A <a@b.co%s>", poisons[i]);
        mails[2].to_name = poison;
        mails[3].to_address = arena_printf(arena, "a@b.co%s", poisons[i]);
        mails[4].subject = poison;
        mails[5].message_id = arena_printf(arena, "%s@b.co", poisons[i]);
        mails[6].inlines[0].content_id = poison;
        mails[7].inlines[0].content_type = arena_printf(arena, "image/%s", poisons[i]);
        mails[8].attachments[0].file_name = poison;
        mails[9].attachments[0].content_type = poison;
        for (size_t j = 0; j < 10; j++)
            CHECK_ERR(ERR_INVALID, mail_compose(arena, &mails[j], rng_system(), &ret));
    }
    struct mail mail = plain_mail();
    mail.subject = (str){"a\0b", 3};
    CHECK_ERR(ERR_INVALID, mail_compose(arena, &mail, rng_system(), &ret));
    CHECK_STR("untouched", ret);
}

TEST(what_is_no_message_is_refused)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    static const char *const types[] = {"",           "image",       "image/",
                                        "/png",       "multipart/x", "Message/rfc822",
                                        "image//png", "ima ge/png",  "image/png\xc3\xa9"};
    static const char *const ids[] = {"", "a", "@b", "a@", "a@b@c", "<a@b>", "a b@c", "a..b@c"};
    str ret = STR_ABSENT;
    struct mail mail = plain_mail();

    mail.attachment_count = 1;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        mail.attachments[0] = (struct mail_part){.content_type = str_of(types[i])};
        CHECK_ERR(ERR_INVALID, mail_compose(arena, &mail, rng_system(), &ret));
    }
    mail = plain_mail();
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        mail.message_id = str_of(ids[i]);
        CHECK_ERR(ERR_INVALID, mail_compose(arena, &mail, rng_system(), &ret));
    }

    struct mail mails[8];
    for (size_t i = 0; i < 8; i++)
        mails[i] = plain_mail();
    mails[0].to_address = STR_ABSENT;
    mails[1].from = STR_ABSENT;
    mails[2].text = STR("\xff");
    mails[3].html = STR("\xed\xa0\x80"); /* a surrogate */
    mails[4].inline_count = 1;           /* a picture without html */
    mails[4].inlines[0] =
        (struct mail_part){.content_type = STR("image/png"), .content_id = STR("a")};
    mails[5].attachment_count = MAIL_ATTACHMENTS_MAX + 1;
    mails[6].at_ms = INT64_MAX;
    mails[7].at_ms = INT64_MIN;
    for (size_t i = 0; i < 8; i++)
        CHECK_ERR(ERR_INVALID, mail_compose(arena, &mails[i], rng_system(), &ret));
}

TEST(a_message_over_the_limit_is_refused)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const size_t size = (size_t)MAIL_SIZE_MAX / 4 * 3;
    char *bytes = calloc(1, MAIL_SIZE_MAX + 1);
    str ret = STR_ABSENT;
    struct mail mail = plain_mail();

    CHECK(bytes != NULL);
    mail.attachment_count = 1;
    mail.attachments[0] = (struct mail_part){.content_type = STR("application/pdf")};
    mail.attachments[0].body = (str){bytes, size};
    CHECK_ERR(ERR_TOO_LARGE, mail_compose(arena, &mail, rng_system(), &ret));
    mail.attachments[0].body = (str){bytes, MAIL_SIZE_MAX + 1};
    CHECK_ERR(ERR_TOO_LARGE, mail_compose(arena, &mail, rng_system(), &ret));
    mail.attachments[0].body = (str){bytes, size / 2};
    CHECK_OK(mail_compose(arena, &mail, rng_system(), &ret));
    free(bytes);
}

TEST(the_same_mail_with_other_random_bytes_differs_in_its_boundaries_only)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct mail mail = plain_mail();
    str one = STR_ABSENT;
    str two = STR_ABSENT;

    CHECK_OK(mail_compose(arena, &mail, rng_system(), &one));
    CHECK_OK(mail_compose(arena, &mail, rng_system(), &two));
    CHECK(str_eq(one, two)); /* no parts, no boundaries */
    mail.html = STR("<p>");
    CHECK_OK(mail_compose(arena, &mail, rng_system(), &one));
    CHECK_OK(mail_compose(arena, &mail, rng_system(), &two));
    CHECK(!str_eq(one, two));
    CHECK_I64((int64_t)one.size, (int64_t)two.size);
}
