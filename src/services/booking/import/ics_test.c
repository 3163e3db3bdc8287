/* booking/import/ics_test.c - content lines: unfolded, cut, decoded. */
#include "services/booking/import/ics.h"

#include "base/buf.h"
#include "support/test.h"

static void check_lines(str text, const char *expected)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    CLEANUP(buf_done) struct buf buf = buf_on_heap(1 << 16);
    struct ics_line line;
    struct ics ics;

    ics_open(&ics, text);
    for (enum ics_result result = ics_next(&ics, arena, &line); result != ICS_END;
         result = ics_next(&ics, arena, &line))
        if (result == ICS_LINE)
            buf_printf(&buf, "%zu %.*s [%.*s] %.*s\n", line.line, STR_ARG(line.name),
                       STR_ARG(line.params), STR_ARG(line.value));
        else
            buf_printf(&buf, "%zu broken\n", line.line);
    CHECK_STR(expected, buf_str(&buf));
}

TEST(lines_are_unfolded_and_cut)
{
    check_lines(STR("BEGIN:VEVENT\r\nSUMMARY:A\r\n  long\r\n\t one\r\nX:\r\n"),
                "1 BEGIN [] VEVENT\n2 SUMMARY [] A long one\n5 X [] \n");
    check_lines(STR("\xEF\xBB\xBF"
                    "A:1\nB:2"),
                "1 A [] 1\n2 B [] 2\n");
    /* A fold within a UTF-8 sequence. */
    check_lines(STR("A:\xC3\r\n \xA9\r\n"), "1 A [] \xC3\xA9\n");
    check_lines(STR("DTSTART;TZID=\"a:b;c\";VALUE=DATE-TIME:20260101T000000\n"),
                "1 DTSTART [TZID=\"a:b;c\";VALUE=DATE-TIME] 20260101T000000\n");
    check_lines(STR("A;P=\"open:x\n\n\nB:2\n"), "1 A [P=\"open] x\n4 B [] 2\n");
    check_lines(STR("no line\n:x\nA\nB C:1\nD:4\n"),
                "1 broken\n2 broken\n3 broken\n4 broken\n5 D [] 4\n");
    check_lines(STR(" starts folded\n"), "1 broken\n");
    check_lines(STR(""), "");
}

TEST(parameters_lose_their_quotes)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const struct ics_line line = {
        .params = STR("tzid=\"Custom: one\";X=a,b;CN=O^'Hara^nJr^^;LAST=;BROKEN")};

    CHECK_STR("Custom: one", ics_param(arena, &line, "TZID"));
    CHECK_STR("a", ics_param(arena, &line, "X"));
    CHECK_STR("O\"Hara\nJr^", ics_param(arena, &line, "CN"));
    CHECK_STR("", ics_param(arena, &line, "LAST"));
    CHECK(ics_param(arena, &line, "BROKEN").ptr == NULL);
    CHECK(ics_param(arena, &line, "NONE").ptr == NULL);
}

TEST(texts_lose_their_escapes)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    str rest = STR("a\\,b,c\\\\,d\\");
    str part;

    CHECK_STR("a, b; c\\ \nd\n\\", ics_text(arena, STR("a\\, b\\; c\\\\ \\nd\\N\\")));
    CHECK(ics_split(&rest, &part));
    CHECK_STR("a\\,b", part);
    CHECK(ics_split(&rest, &part));
    CHECK_STR("c\\\\", part);
    CHECK(ics_split(&rest, &part));
    CHECK_STR("d\\", part);
    CHECK(!ics_split(&rest, &part));
}
