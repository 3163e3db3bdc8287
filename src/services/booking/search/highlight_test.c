/* services/booking/search/highlight_test.c - what is marked, down to the letter of the original. */
#include "services/booking/search/highlight.h"

#include "base/buf.h"
#include "services/booking/search/search_lab.h"

/* "name[0,4] city[2,3 8,1]" */
static void show(const struct search *search, struct buf *out, const struct search_event *said,
                 const char *query)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const struct search_highlight *highlights = NULL;
    const size_t count = search_highlights(search_pattern_new(search, arena, str_of(query)), arena,
                                           said, &highlights);

    for (size_t i = 0; i < count; i++) {
        buf_printf(out, "%s%s[", i > 0 ? " " : "", highlights[i].field);
        for (size_t j = 0; j < highlights[i].range_count; j++)
            buf_printf(out, "%s%u,%u", j > 0 ? " " : "", highlights[i].ranges[j].start,
                       highlights[i].ranges[j].length);
        buf_add_char(out, ']');
    }
}

struct marked {
    const char *name;
    const char *query;
    const char *marks;
};

static void check_names(const struct marked *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct row row = {1, 1, cases[i].name, NULL, NULL, NULL};
        CLEANUP(lab_close) struct search *search = lab_search(&row, 1);
        CLEANUP(buf_done) struct buf out = buf_on_heap(4096);

        show(search, &out, &(struct search_event){.name = str_of(cases[i].name)}, cases[i].query);
        if (!str_eq(str_of(cases[i].marks), out.size > 0 ? buf_str(&out) : STR("")))
            print_error("%s in %s\n", cases[i].query, cases[i].name);
        CHECK_STR(cases[i].marks, out.size > 0 ? buf_str(&out) : STR(""));
    }
}
#define CHECK_NAMES(cases) check_names((cases), sizeof(cases) / sizeof((cases)[0]))

TEST(a_beginning_marks_what_was_typed_and_a_misspelling_the_whole_word)
{
    static const struct marked cases[] = {
        {"Jazz Night",       "jazz",       "name[0,4]"    },
        {"Jazz Night",       "nig",        "name[5,3]"    },
        {"Jazz Night",       "n j",        "name[0,1 5,1]"},
        {"Jazz jazz",        "jaz",        "name[0,3 5,3]"},
        {"Jazz Night",       "jzaz",       "name[0,4]"    },
        {"Kubernetes Day",   "kubrn",      "name[0,10]"   },
        {"Rust or Trust",    "rust",       "name[0,4]"    },
        {"Rust or Trust",    "rust trsut", "name[0,4 8,5]"},
        {"Berlin Berlinale", "berlin",     "name[0,6 7,6]"},
        {"Jazz Night",       "rock",       ""             },
        {"Jazz Night",       "jazz rock",  ""             },
        {"Jazz Night",       "",           ""             },
        {"",                 "jazz",       ""             },
    };
    CHECK_NAMES(cases);
}

TEST(ranges_count_utf_16_units_of_the_text_as_it_was_written)
{
    static const struct marked cases[] = {
        {"Zürich Öffnet",                "zurich off", "name[0,6 7,3]"},
        {"Zu\xCC\x88rich",                 "zur",        "name[0,4]"    }, /* the mark is two */
        {"Zu\xCC\x88rich",                 "zu",         "name[0,3]"    }, /* goes with its letter */
        {"😀 Zürich 😀 Jazz",         "jazz",       "name[13,4]"   },
        {"\xF0\x9D\x94\x98 Jazz",          "jazz",       "name[3,4]"    },
        {"Große Straße",                 "strasse",    "name[6,6]"    },
        {"Große Straße",                 "stras",      "name[6,5]"    }, /* half of an ß is it */
        {"Große Straße",                 "gros",       "name[0,4]"    },
        {"\xEF\xAC\x81nal \xEF\xAC\x81ne", "final",      "name[0,4]"    }, /* a ligature */
        {"\xEF\xAC\x81nal",                "f",          "name[0,1]"    },
        {"Œuvre Ægir",                   "oeuv aegir", "name[0,3 6,4]"},
        {"İstanbul",                      "istan",      "name[0,5]"    },
        {"東京ジャズ",                "京",        "name[1,1]"    },
        {"\xEF\xAC\x64\x81 jazz",          "jazz",       "name[4,4]"    }, /* broken UTF-8: two U+FFFD round a d */
        {"２０２６ Ｊａｚｚ",      "2026 jazz",  "name[0,4 5,4]"},
    };
    CHECK_NAMES(cases);
}

TEST(arabic_is_marked_through_its_forms_its_vowels_and_its_article)
{
    static const struct marked cases[] = {
        {"أحمد سعد",         "احمد",       "name[0,4]"},
        {"القاهرة",          "القاهره", "name[0,7]"},
        {"القاهرة",          "قاهرة",     "name[2,5]"},
        {"القاهرة",          "قاه",         "name[2,3]"},
        {"مُحَمَّد علي", "محمد",       "name[0,8]"},
        {"كـــتاب",          "كتا",         "name[0,6]"},
        {"مهرجان ٢٠٢٦",   "2026",           "name[7,4]"},
    };
    CHECK_NAMES(cases);
}

TEST(compounds_and_signs_are_marked_where_they_stand)
{
    static const struct marked cases[] = {
        {"The Node.js Conf",   "nodejs",      "name[4,7]"        },
        {"The Node.js Conf",   "node js",     "name[4,4 9,2]"    },
        {"Learn C++ now",      "c++",         "name[6,3]"        },
        {"Learn C++ now",      "cpp",         "name[6,3]"        },
        {"Learn C# now",       "csharp",      "name[6,2]"        },
        {"The .NET Days",      "dotnet",      "name[4,4]"        },
        {"The .NET Days",      "net",         "name[5,3]"        },
        {"ASP.NET Day",        "dotnet",      "name[3,4]"        },
        {"Data & AI",          "data and ai", "name[0,4 5,1 7,2]"},
        {"VoxxedDays",         "days",        "name[6,4]"        },
        {"VoxxedDays Zürich", "voxx zur",    "name[0,4 11,3]"   },
        {"R&B",                "r&b",         "name[0,3]"        },
    };
    CHECK_NAMES(cases);
}

TEST(another_space_is_seen_through)
{
    static const struct row rows[] = {
        {1, 100, "Devopsdays Oslo",    NULL, NULL, NULL},
        {2, 200, "DevOps Days Berlin", NULL, NULL, NULL},
    };
    CLEANUP(lab_close) struct search *search = SEARCH_OF(rows);
    static const struct {
        const char *name;
        const char *query;
        const char *marks;
    } cases[] = {
        {"Devopsdays Oslo",    "devops days",       "name[0,10]"        },
        {"DevOps Days Berlin", "devopsdays",        "name[0,6 7,4]"     },
        {"DevOps Days Berlin", "devopsdays berlin", "name[0,6 7,4 12,6]"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(buf_done) struct buf out = buf_on_heap(4096);

        show(search, &out, &(struct search_event){.name = str_of(cases[i].name)}, cases[i].query);
        CHECK_STR(cases[i].marks, buf_str(&out));
    }
}

TEST(each_field_says_what_was_found_in_it)
{
    CLEANUP(lab_close) struct search *search = search_open();
    CLEANUP(buf_done) struct buf out = buf_on_heap(4096);
    const str artists[] = {STR("Amr Diab"), STR("Nobody"), STR("Diab & Sons")};
    const struct search_event said = {
        .name = STR("Night in Cairo"),
        .venue = STR("Cairo Opera"),
        .city = STR("القاهرة"),
        .artists = artists,
        .artist_count = 3,
    };
    size_t slot;

    CHECK_OK(search_put(search, lab_id(1), &said, &slot));
    show(search, &out, &said, "diab cairo");
    CHECK_STR("name[9,5] artist[4,4] artist[0,4] venue[0,5]", buf_str(&out));
    buf_clear(&out);
    show(search, &out, &said, "القاهره");
    CHECK_STR("city[0,7]", buf_str(&out));
}

TEST(an_event_that_repeats_a_word_without_end_has_bounded_marks)
{
    CLEANUP(lab_close) struct search *search = search_open();
    CLEANUP(buf_done) struct buf name = buf_on_heap(100000);
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const struct search_highlight *highlights = NULL;

    for (int i = 0; i < 1000; i++)
        buf_add_cstr(&name, "la ");
    const struct search_event said = {.name = buf_str(&name)};
    const size_t count =
        search_highlights(search_pattern_new(search, arena, STR("la")), arena, &said, &highlights);
    CHECK_I64(1, count);
    CHECK_I64(HIGHLIGHT_RANGES_MAX, highlights[0].range_count);
}
