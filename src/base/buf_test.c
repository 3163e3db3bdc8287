/* base/buf_test.c */
#include "support/test.h"

#include <string.h>

#include "base/buf.h"

TEST(a_buffer_grows_piece_by_piece_in_an_arena_and_on_the_heap)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct buf bufs[] = {buf_in(arena, 100000), buf_on_heap(100000)};

    for (size_t i = 0; i < 2; i++) {
        struct buf *buf = &bufs[i];
        for (int n = 0; n < 10000; n++) {
            buf_add_char(buf, (char)('a' + n % 26));
            if (n % 1000 == 0)
                arena_alloc(arena, 1); /* in the way of growing in place */
        }
        CHECK(!buf->overflow);
        CHECK_I64(10000, (int64_t)buf_str(buf).size);
        for (int n = 0; n < 10000; n++)
            CHECK_I64('a' + n % 26, buf->data[n]);
        CHECK(buf->data[10000] == '\0');
        buf_done(buf);
        CHECK_STR("", buf_str(buf));
    }
}

TEST(an_unused_buffer_is_an_empty_text)
{
    CLEANUP(buf_done) struct buf buf = buf_on_heap(10);

    CHECK_STR("", buf_str(&buf));
    buf_clear(&buf);
    CHECK_STR("", buf_str(&buf));
}

TEST(pieces_of_every_kind_are_added)
{
    CLEANUP(buf_done) struct buf buf = buf_on_heap(200);

    buf_add(&buf, STR("a"));
    buf_add(&buf, STR_ABSENT);
    buf_add_cstr(&buf, "b");
    buf_add_i64(&buf, 0);
    buf_add_i64(&buf, INT64_MIN);
    buf_add_i64(&buf, INT64_MAX);
    buf_printf(&buf, "%c%d", 'z', 5);
    CHECK_STR("ab0-92233720368547758089223372036854775807z5", buf_str(&buf));
}

TEST(the_maximum_fits_and_one_more_does_not)
{
    CLEANUP(buf_done) struct buf buf = buf_on_heap(4);

    buf_add(&buf, STR("1234"));
    CHECK(!buf.overflow);
    buf_add_char(&buf, '5');
    CHECK(buf.overflow);
    CHECK_STR("1234", buf_str(&buf));
}

TEST(overflow_is_sticky_and_leaves_no_holes)
{
    CLEANUP(buf_done) struct buf buf = buf_on_heap(4);

    buf_add(&buf, STR("12"));
    buf_add(&buf, STR("345"));
    buf_add(&buf, STR("6"));
    buf_printf(&buf, "%d", 7);
    CHECK(buf.overflow);
    CHECK_STR("12", buf_str(&buf));
    buf_clear(&buf);
    CHECK(!buf.overflow);
    buf_add(&buf, STR("345"));
    CHECK_STR("345", buf_str(&buf));
}

TEST(a_print_that_does_not_fit_is_taken_back)
{
    CLEANUP(buf_done) struct buf buf = buf_on_heap(6);

    buf_add(&buf, STR("abc"));
    buf_printf(&buf, "%s", "defg");
    CHECK(buf.overflow);
    CHECK_STR("abc", buf_str(&buf));
    CHECK_I64(3, (int64_t)strlen(buf.data));
}

TEST(a_long_print_makes_room_for_itself)
{
    CLEANUP(buf_done) struct buf buf = buf_on_heap(5000);

    buf_add(&buf, STR("x"));
    buf_printf(&buf, "%04000d", 1);
    CHECK_I64(4001, (int64_t)buf.size);
    CHECK(buf.data[4000] == '1' && buf.data[4001] == '\0');
}

TEST(room_is_given_and_counted)
{
    CLEANUP(buf_done) struct buf buf = buf_on_heap(8);
    char *room = buf_room(&buf, 8);

    CHECK(room != NULL);
    if (room != NULL)
        memset(room, 'a', 3);
    buf_took(&buf, 3);
    CHECK_STR("aaa", buf_str(&buf));
    CHECK(buf_room(&buf, 6) == NULL);
    CHECK(buf.overflow);
}

TEST(a_huge_request_overflows_instead_of_wrapping)
{
    CLEANUP(buf_done) struct buf buf = buf_on_heap(100);

    buf_add(&buf, STR("a"));
    CHECK(buf_room(&buf, SIZE_MAX) == NULL);
    CHECK(buf.overflow);
}
