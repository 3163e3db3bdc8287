/* platform/http/etag_test.c - RFC 9110 8.8.3.2's table of comparisons, and lists as clients send
 * them. */

#include "platform/http/etag.h"
#include "support/test.h"

TEST(entity_tags_compare_strongly_and_weakly)
{
    static const struct {
        const char *list;
        const char *etag;
        bool strongly;
        bool weakly;
    } cases[] = {
        {"W/\"1\"",                "W/\"1\"", false, true },
        {"W/\"1\"",                "W/\"2\"", false, false},
        {"W/\"1\"",                "\"1\"",   false, true },
        {"\"1\"",                  "W/\"1\"", false, true },
        {"\"1\"",                  "\"1\"",   true,  true },
        {"*",                      "\"1\"",   true,  true },
        {" * ",                    "W/\"1\"", true,  true },
        {"\"a\", \"1\"",           "\"1\"",   true,  true },
        {"\"a\",W/\"b\" ,\t\"1\"", "\"1\"",   true,  true },
        {"\"a,b\"",                "\"a,b\"", true,  true },
        {"\"a\", , \"1\"",         "\"1\"",   true,  true },
        {"1",                      "\"1\"",   false, false},
        {"\"1",                    "\"1\"",   false, false},
        {"w/\"1\"",                "\"1\"",   false, false},
        {"\"\"",                   "\"1\"",   false, false},
        {"",                       "\"1\"",   false, false},
        {"\"a\" *",                "\"1\"",   false, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const str list = str_of(cases[i].list);
        const str etag = str_of(cases[i].etag);
        CHECK(cases[i].strongly == etag_is_listed(list, etag, ETAG_STRONGLY));
        CHECK(cases[i].weakly == etag_is_listed(list, etag, ETAG_WEAKLY));
    }
}

TEST(an_entity_tag_has_its_quotes)
{
    static const char *const good[] = {"\"\"", "\"1\"", "W/\"a,b\"", "\"\xc3\xa4\""};
    static const char *const bad[] = {"",   "1",       "\"",       "\"1",     "W/1",
                                      "W/", "\"a b\"", "\"a\"b\"", "\"\x7f\""};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        CHECK(etag_is_valid(str_of(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK(!etag_is_valid(str_of(bad[i])));
}
