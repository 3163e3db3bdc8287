/* booking/slug_test.c - names folded and made into addresses, by table. */
#include "services/booking/slug.h"

#include "support/test.h"

TEST(spellings_of_one_name_fold_to_the_same)
{
    static const struct {
        const char *name;
        const char *folded;
    } cases[] = {
        {"Jazz im Park!",     "jazz im park"   },
        {"  JAZZ   im  park", "jazz im park"   },
        {"Zürich",           "zurich"         },
        {"Zu\u0308rich",      "zurich"         },
        {"Straße",           "strasse"        },
        {"أم كلثوم",   "ام كلثوم"},
        {"!?",                ""               },
        {"",                  ""               },
    };
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_STR(cases[i].folded, name_fold(arena, str_of(cases[i].name)));
}

TEST(a_prefix_is_made_of_whole_words)
{
    CHECK(name_begins_with(STR("opera house"), STR("opera")));
    CHECK(name_begins_with(STR("opera house"), STR("opera house")));
    CHECK(!name_begins_with(STR("opera house"), STR("oper")));
    CHECK(!name_begins_with(STR("opera"), STR("opera house")));
    CHECK(!name_begins_with(STR("opera"), STR("")));
}

TEST(a_slug_is_plain_letters_digits_and_hyphens)
{
    static const struct {
        const char *name;
        const char *slug;
    } cases[] = {
        {"Jazz im Park!",       "jazz-im-park"},
        {"C++ & Rust / 2026",   "c-rust-2026" },
        {"Ya Leil يا ليل", "ya-leil"     },
        {"يا ليل",         "fallback"    },
        {"--x--",               "x"           },
    };
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK_STR(cases[i].slug, slug_of(arena, str_of(cases[i].name), STR("fallback")));
}

TEST(a_long_name_makes_a_bounded_slug)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    char name[600];

    for (size_t i = 0; i < sizeof(name); i++)
        name[i] = (char)(i % 7 == 6 ? ' ' : 'a');
    const str slug = slug_of(arena, (str){name, sizeof(name)}, STR("f"));
    CHECK(slug.size <= SLUG_SIZE_MAX && slug.size > SLUG_SIZE_MAX / 2);
}
