/* base/err_test.c */
#include "support/test.h"

#include <string.h>

TEST(every_error_has_a_status_a_name_and_a_title)
{
    for (int e = ERR_OK; e <= ERR_CRASHED; e++) {
        const int status = err_status((err)e);

        CHECK(status == 200 || (status >= 400 && status <= 599));
        CHECK(strlen(err_name((err)e)) > 0);
        CHECK(strlen(err_title((err)e)) > 0);
    }
}

TEST(names_on_the_wire_are_unique)
{
    for (int a = ERR_OK; a <= ERR_CRASHED; a++)
        for (int b = a + 1; b <= ERR_CRASHED; b++)
            CHECK(strcmp(err_name((err)a), err_name((err)b)) != 0);
}

TEST(an_error_knows_its_status_and_names)
{
    CHECK_I64(409, err_status(ERR_SOLD_OUT));
    CHECK_STR("sold_out", str_of(err_name(ERR_SOLD_OUT)));
    CHECK_STR("Sold out", str_of(err_title(ERR_SOLD_OUT)));
    CHECK_I64(200, err_status(ERR_OK));
}

static err fail_below(void)
{
    TRY(ERR_OK);
    TRY(ERR_STALE);
    return ERR_OK;
}

static err fail_above(void)
{
    TRY(fail_below());
    return ERR_OK;
}

TEST(try_passes_an_error_on_and_notes_where_it_came_through)
{
    CHECK_STR("", str_of(err_trail_take()));
    CHECK_ERR(ERR_STALE, fail_above());
    const char *trail = err_trail_take();
#ifdef NDEBUG_TRAIL
    CHECK_STR("", str_of(trail));
#else
    const char *first = strstr(trail, "src/base/err_test.c:");
    CHECK(first == trail);
    CHECK(first != NULL && strstr(first + 1, " src/base/err_test.c:") != NULL);
#endif
    CHECK_STR("", str_of(err_trail_take()));
}

TEST(a_trail_keeps_the_newest_places_in_order)
{
    for (int line = 1; line <= 100; line++)
        err_trail_push(ERR_STALE, "../../a.c", line);
    CHECK_STR("a.c:85 a.c:86 a.c:87 a.c:88 a.c:89 a.c:90 a.c:91 a.c:92 "
              "a.c:93 a.c:94 a.c:95 a.c:96 a.c:97 a.c:98 a.c:99 a.c:100",
              str_of(err_trail_take()));
}

TEST(a_trail_with_long_names_is_cut_at_a_whole_place)
{
    static char name[700];

    memset(name, 'x', sizeof(name) - 1);
    err_trail_push(ERR_STALE, name, 1);
    err_trail_push(ERR_STALE, name, 2);
    const str trail = str_of(err_trail_take());
    CHECK(str_ends(trail, STR("x:1")));
}
