/* booking/qr_test.c - QR codes as an independent reader sees them. */

#include "services/booking/qr.h"

#include <string.h>

#include "support/test.h"
#include "support/tool.h"

/* As long as a ticket's code, and every character of the alphabet. */
#define CODE                                                                          \
    "T1:0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:0123456789ABCDEFGHIJKLMNOPQRSTU" \
    "VWXYZ $%*+-./:0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:0123456789ABCDEFGHIJKLMNOPQRS"

static struct qr qr_of(struct arena *arena, const char *text)
{
    struct qr qr = {0};

    CHECK_OK(qr_make(arena, str_of(text), &qr));
    return qr;
}

TEST(a_ticket_code_is_a_code_of_version_seven)
{
    struct arena *arena = arena_open(0);
    const struct qr qr = qr_of(arena, CODE);

    CHECK_I64(167, (int64_t)strlen(CODE));
    CHECK_I64(17 + 4 * 7, qr.width);
    /* A finder: a dark ring, a light one, a dark heart. */
    CHECK(qr_is_dark(&qr, 0, 0));
    CHECK(qr_is_dark(&qr, 6, 6));
    CHECK(!qr_is_dark(&qr, 1, 1));
    CHECK(qr_is_dark(&qr, 3, 3));
    CHECK(!qr_is_dark(&qr, 7, 7));
    arena_close(arena);
}

TEST(runs_are_the_dark_modules_and_no_others)
{
    struct arena *arena = arena_open(0);
    const struct qr qr = qr_of(arena, CODE);

    for (int y = 0; y < qr.width; y++) {
        int x = 0;
        int start = 0;
        int length = 0;
        int at = 0;

        while (qr_next_run(&qr, y, &x, &start, &length)) {
            for (; at < start; at++)
                CHECK(!qr_is_dark(&qr, at, y));
            for (; at < start + length; at++)
                CHECK(qr_is_dark(&qr, at, y));
        }
        for (; at < qr.width; at++)
            CHECK(!qr_is_dark(&qr, at, y));
    }
    arena_close(arena);
}

TEST(only_the_alphabet_is_taken)
{
    static const struct {
        const char *text;
        err expected;
    } cases[] = {
        {"T1:ABC",    ERR_OK     },
        {"A",         ERR_OK     },
        {" $%*+-./:", ERR_OK     },
        {"",          ERR_INVALID},
        {"t1:abc",    ERR_INVALID},
        {"A_B",       ERR_INVALID},
        {"A\nB",      ERR_INVALID},
        {"\xd8\xa3",  ERR_INVALID},
        {"\xff",      ERR_INVALID},
    };
    struct arena *arena = arena_open(0);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct qr qr = {0};

        CHECK_ERR(cases[i].expected, qr_make(arena, str_of(cases[i].text), &qr));
        CHECK((qr.width > 0) == (cases[i].expected == ERR_OK));
    }
    arena_close(arena);
}

TEST(the_length_is_bounded)
{
    char text[QR_TEXT_SIZE_MAX + 1];
    struct arena *arena = arena_open(0);
    struct qr qr = {0};

    memset(text, 'X', sizeof(text));
    CHECK_ERR(ERR_TOO_LARGE, qr_make(arena, (str){text, sizeof(text)}, &qr));
    CHECK_I64(0, qr.width);
    CHECK_OK(qr_make(arena, (str){text, sizeof(text) - 1}, &qr));
    CHECK_I64(73, qr.width);
    arena_close(arena);
}

TEST(a_reader_reads_the_png)
{
    static const char *const texts[] = {"A", "T1:HELLO WORLD", CODE};
    struct arena *arena = arena_open(0);

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const struct qr qr = qr_of(arena, texts[i]);
        str png = STR_ABSENT;

        CHECK_OK(qr_png(arena, &qr, &png));
        CHECK(png.size < 4096);
        CHECK_I64(1, png.ptr[24]); /* bits a pixel */
        CHECK_STR(arena_cstr(arena, arena_printf(arena, "%s\n", texts[i])),
                  tool_output(arena, "zbarimg --nodbus -Sdisable -Sqrcode.enable -q --raw %s",
                              tool_file(arena, png, "code.png")));
    }
    arena_close(arena);
}

/* Width and height are big-endian, behind the signature and the head of the first chunk. */
static int64_t png_number(str png, size_t at)
{
    const uint8_t *bytes = (const uint8_t *)png.ptr + at;

    CHECK(png.size > at + 4);
    return (int64_t)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

TEST(a_png_is_wide_enough_whatever_the_text)
{
    char text[QR_TEXT_SIZE_MAX];
    struct arena *arena = arena_open(0);

    memset(text, 'X', sizeof(text));
    for (size_t size = 1; size <= sizeof(text); size += 7) {
        struct qr qr = {0};
        str png = STR_ABSENT;
        int64_t width = 0;

        CHECK_OK(qr_make(arena, (str){text, size}, &qr));
        CHECK_OK(qr_png(arena, &qr, &png));
        width = png_number(png, 16);
        CHECK_I64(width, png_number(png, 20));
        CHECK(width >= 330);
        CHECK(width < 330 + qr.width + 8);
        CHECK_I64(0, width % (qr.width + 8));
        arena_reset(arena);
    }
    arena_close(arena);
}

TEST(a_reader_reads_the_rendered_svg)
{
    static const char *const texts[] = {"A", "T1:HELLO WORLD", CODE};
    struct arena *arena = arena_open(0);

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const struct qr qr = qr_of(arena, texts[i]);
        const char *svg = tool_file(arena, qr_svg(arena, &qr, STR("Ticket")), "code.svg");

        CHECK_STR(arena_cstr(arena, arena_printf(arena, "%s\n", texts[i])),
                  tool_output(arena,
                              "rsvg-convert -w 400 %s | zbarimg --nodbus -Sdisable -Sqrcode.enable "
                              "-q --raw PNG:-",
                              svg));
    }
    arena_close(arena);
}

TEST(the_title_of_an_svg_cannot_leave_its_element)
{
    struct arena *arena = arena_open(0);
    const struct qr qr = qr_of(arena, "A");
    const str svg = qr_svg(arena, &qr, STR("</title><script>&\n"));
    const char *text = arena_cstr(arena, svg);

    CHECK(strstr(text, "<title>&lt;/title&gt;&lt;script&gt;&amp; </title>") != NULL);
    CHECK(strstr(text, "viewBox=\"0 0 29 29\" role=\"img\"") != NULL);
    CHECK(strstr(text, "<path") != NULL);
    CHECK(strstr(strstr(text, "<path") + 1, "<path") == NULL);
    arena_close(arena);
}
