/* platform/mail/text_test.c - subjects, names, file names and texts come back as they were,
 * whatever script they are in and wherever their lines end. */

#include <string.h>

#include "base/buf.h"
#include "platform/mail/test_reading.h"
#include "support/test.h"

#define ARABIC  "\u062d\u0641\u0644\u0629 \u0627\u0644\u0642\u0627\u0647\u0631\u0629"
#define EMOJI   "\U0001F39F\uFE0F"
#define CONCERT "\u6771\u4eac\u30b3\u30f3\u30b5\u30fc\u30c8"

static struct mail_part pdf_named(str file_name)
{
    return (struct mail_part){
        .content_type = STR("application/pdf"), .file_name = file_name, .body = STR("%PDF")};
}

static const char *quoted(struct arena *arena, const char *text)
{
    return arena_printf(arena, "\"%s\"", text).ptr;
}

TEST(subjects_and_names_come_back_in_every_script)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    static const char *const texts[] = {
        "Plain words",
        ARABIC,
        EMOJI " " ARABIC " " EMOJI,
        /* Family of four, joined by ZWJ: 25 bytes that are one picture. */
        "\U0001F468\u200D\U0001F469\u200D\U0001F467\u200D\U0001F466 for 4",
        "Caf\u00e9 Th\u00e9\u00e2tre \u2013 \u00fc\u00f1\u00ee",
        CONCERT " " CONCERT " " CONCERT " " CONCERT,
        "A long name in plain letters that goes on and on until it no longer fits a line of mail",
        "Semi; colon: comma, <angle> (round) [square] @ dot.",
        "looks like =?UTF-8?B?SGFja2Vk?= a word",
        "ends in =?",
        "a  b   c",
    };

    struct batch batch = batch_of(arena);

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct mail mail = plain_mail();

        mail.subject = str_of(texts[i]);
        mail.to_name = str_of(texts[i]);
        mail.from = arena_printf(arena, "%s <tickets@example.org>", texts[i]);
        batch_add(&batch, &mail);
    }
    str rest = batch_read(&batch);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const str told = next_description(&rest);

        CHECK_STR(quoted(arena, texts[i]), value_of(told, "subject "));
        CHECK_STR(arena_printf(arena, "\"%s\" \"ana@example.org\"", texts[i]).ptr,
                  value_of(told, "to "));
        CHECK_STR(arena_printf(arena, "\"%s\" \"tickets@example.org\"", texts[i]).ptr,
                  value_of(told, "from "));
    }
}

TEST(quotes_and_blanks_at_the_ends_of_texts_come_back)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct mail mail = plain_mail();

    mail.subject = STR("");
    CHECK_STR("\"\"", value_of(description(arena, &mail), "subject "));
    mail.subject = STR(" \"Hamlet\" \\ ");
    mail.to_name = STR("Ana \"Anita\" \\ Sol");
    mail.from = STR("\"The \\\"Globe\\\"\" <tickets@example.org>");
    const str told = description(arena, &mail);
    CHECK_STR("\" \\\"Hamlet\\\" \\\\ \"", value_of(told, "subject "));
    CHECK_STR("\"Ana \\\"Anita\\\" \\\\ Sol\" \"ana@example.org\"", value_of(told, "to "));
    CHECK_STR("\"The \\\"Globe\\\"\" \"tickets@example.org\"", value_of(told, "from "));
}

/* A text of so many code points, of one to four bytes each. */
static const char *mixed_text(struct arena *arena, size_t count)
{
    static const char *const pieces[] = {"\U0001F3AB", "\u062d", "\u6771", "x"};
    struct buf text = buf_in(arena, 512);

    for (size_t i = 0; i < count; i++)
        buf_add_cstr(&text, pieces[(i * 7 + count) % 4]);
    return text.data;
}

/* So that every place to fold comes up. */
TEST(texts_of_every_size_fold_between_code_points)
{
    enum { COUNT_MAX = 40 };
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct batch batch = batch_of(arena);
    struct mail mail = plain_mail();

    for (size_t count = 1; count <= COUNT_MAX; count++) {
        mail.subject = str_of(mixed_text(arena, count));
        mail.to_name = mail.subject;
        mail.attachments[0] = pdf_named(mail.subject);
        mail.attachment_count = 1;
        batch_add(&batch, &mail);
    }
    str rest = batch_read(&batch);
    for (size_t count = 1; count <= COUNT_MAX; count++) {
        const char *text = mixed_text(arena, count);
        const str told = next_description(&rest);

        CHECK_STR(quoted(arena, text), value_of(told, "subject "));
        CHECK(str_ends(value_of(told, "0.1 "), arena_printf(arena, " file=\"%s\"", text)));
    }
}

TEST(file_names_come_back)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    static const char *const names[] = {
        "ticket.pdf",
        "my ticket (1).pdf",
        "100% *real* 'ticket';a=b.pdf",
        ARABIC ".pdf",
        "A long name in plain letters that goes on and on until it no longer fits a line.pdf",
        "=?UTF-8?B?SGFja2Vk?=.pdf",
        CONCERT CONCERT ".pdf",
    };
    struct batch batch = batch_of(arena);
    struct mail mail = plain_mail();

    mail.attachment_count = 1;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        mail.attachments[0] = pdf_named(str_of(names[i]));
        batch_add(&batch, &mail);
    }
    str rest = batch_read(&batch);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        CHECK(str_ends(value_of(next_description(&rest), "0.1 "),
                       arena_printf(arena, " file=\"%s\"", names[i])));
}

/* The line of a message's only part, without the line end that every message has. */
static const char *text_line(struct arena *arena, const char *json)
{
    return arena_printf(arena, "text/plain encoding=quoted-printable charset=utf-8 text=\"%s\\n\"",
                        json)
        .ptr;
}

TEST(texts_come_back_whatever_their_lines_are)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    static const struct {
        const char *text;
        const char *read; /* as JSON */
    } cases[] = {
        {"",                          ""                           },
        {"one\ntwo\r\nthree\n\nfour", "one\\ntwo\\nthree\\n\\nfour"},
        {".\n..\n.a",                 ".\\n..\\n.a"                },
        {"From here\nFrom there",     "From here\\nFrom there"     },
        {"blank \ntab\t\nend ",       "blank \\ntab\\t\\nend "     },
        {"a=b ==3D =",                "a=b ==3D ="                 },
        {ARABIC "\n" EMOJI,           ARABIC "\\n" EMOJI           },
        {"old\rmac",                  "old\\rmac"                  },
        {"bell\a del\x7f",            "bell\\u0007 del\x7f"        },
        {"--=_m\n--=_a00--\n--",      "--=_m\\n--=_a00--\\n--"     },
        {"\n\n",                      "\\n\\n"                     },
    };
    struct batch batch = batch_of(arena);
    struct mail mail = plain_mail();

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mail.text = str_of(cases[i].text);
        batch_add(&batch, &mail);
    }
    str rest = batch_read(&batch);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_STR(text_line(arena, cases[i].read), value_of(next_description(&rest), "0 "));
}

TEST(long_lines_are_folded_and_come_back)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    static const char *const pieces[] = {"x", "\u062d", "=", "\U0001F3AB", "word "};
    struct mail mail = plain_mail();

    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        struct buf text = buf_in(arena, 8192);
        str line = STR_ABSENT;

        while (text.size < 3000)
            buf_add_cstr(&text, pieces[i]);
        buf_add_char(&text, '.');
        mail.text = buf_str(&text);
        str rest = compose(arena, &mail);
        while (str_split(&rest, '\n', &line))
            CHECK(line.size <= 79); /* 78 and a CR */
        CHECK_STR(text_line(arena, text.data), value_of(description(arena, &mail), "0 "));
    }
}
