/* services/booking/search/rank_test.c - in which order, page by page, and after changes. */
#include "services/booking/search/search_lab.h"

#include "base/buf.h"

/* --- In which order --- */

TEST(a_whole_name_comes_first_then_fields_by_weight_then_the_earliest)
{
    static const struct row rows[] = {
        {1, 100, "Night",        NULL,     NULL,     "Berlin"},
        {2, 150, "Party",        NULL,     "Berlin", NULL    },
        {3, 200, "Show",         "Berlin", NULL,     NULL    },
        {4, 300, "Berlin Calls", NULL,     NULL,     NULL    },
        {5, 900, "BERLIN!",      NULL,     NULL,     NULL    },
        {6, 250, "Berlinale",    NULL,     NULL,     NULL    },
        {7, 50,  "Party II",     NULL,     "Berlin", NULL    },
        {8, 300, "Calls Berlin", NULL,     NULL,     NULL    },
    };
    CLEANUP(lab_close) struct search *search = SEARCH_OF(rows);

    lab_check(search, "5 4 8 3 7 2 1 6", "berlin");
    lab_check(search, "4 8", "berlin calls");
    lab_check(search, "8 4", "calls berlin");
}

TEST(exact_comes_before_begun_before_misspelt)
{
    static const struct row rows[] = {
        {1, 100, "Martian Talk", NULL, NULL, NULL    }, /* one edit */
        {2, 200, "Marten Talk",  NULL, NULL, NULL    }, /* one edit */
        {3, 300, "Martinique",   NULL, NULL, NULL    },
        {4, 400, "Talk",         NULL, NULL, "Martin"},
        {5, 50,  "Fartin Talk",  NULL, NULL, NULL    }, /* one edit, in the first letter */
    };
    CLEANUP(lab_close) struct search *search = SEARCH_OF(rows);

    lab_check(search, "4 3 1 2 5", "martin");
    lab_check(search, "4 1 2 5", "martin talk");
}

TEST(equal_hits_come_in_order_of_start_then_of_id)
{
    static const struct row rows[] = {
        {3, 500, "Gala", NULL, NULL, NULL},
        {2, 500, "Gala", NULL, NULL, NULL},
        {1, 900, "Gala", NULL, NULL, NULL},
        {4, 100, "Gala", NULL, NULL, NULL},
    };
    CLEANUP(lab_close) struct search *search = SEARCH_OF(rows);

    lab_check(search, "4 2 3 1", "gala");
}

/* --- Pages and filters --- */

TEST(bounds_leave_out_what_starts_elsewhen_or_is_over)
{
    static const struct row rows[] = {
        {1, 5000,             "Gala", NULL, NULL, NULL},
        {2, 6400,             "Gala", NULL, NULL, NULL},
        {3, 6600,             "Gala", NULL, NULL, NULL},
        {4, 9000,             "Gala", NULL, NULL, NULL},
        {5, -3000,            "Gala", NULL, NULL, NULL},
        {6, INT64_C(1) << 50, "Gala", NULL, NULL, NULL},
    };
    static const struct {
        int64_t starts_from_ms;
        int64_t starts_to_ms;
        int64_t ends_after_ms;
        const char *expected;
    } cases[] = {
        {SEARCH_ALWAYS,    SEARCH_FOREVER, SEARCH_ALWAYS,            "5 1 2 3 4 6"},
        {0,                SEARCH_FOREVER, SEARCH_ALWAYS,            "1 2 3 4 6"  },
        {6400,             9000,           SEARCH_ALWAYS,            "2 3 4"      },
        {6401,             8999,           SEARCH_ALWAYS,            "3"          },
        {SEARCH_ALWAYS,    -3000,          SEARCH_ALWAYS,            "5"          },
        {INT64_C(1) << 50, SEARCH_FOREVER, SEARCH_ALWAYS,            "6"          },
        {SEARCH_ALWAYS,    SEARCH_FOREVER, 6400 + LAB_LENGTH_MS - 1, "2 3 4 6"    },
        {SEARCH_ALWAYS,    SEARCH_FOREVER, 6400 + LAB_LENGTH_MS,     "3 4 6"      },
        {SEARCH_ALWAYS,    6500,           5000,                     "1 2"        },
    };
    CLEANUP(lab_close) struct search *search = SEARCH_OF(rows);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        lab_check_query(search, cases[i].expected,
                        &(struct search_query){.text = STR("gala"),
                                               .limit = LAB_LIMIT,
                                               .starts_from_ms = cases[i].starts_from_ms,
                                               .starts_to_ms = cases[i].starts_to_ms,
                                               .ends_after_ms = cases[i].ends_after_ms});
}

static bool keep_odd(void *arg, struct uuid event, [[maybe_unused]] size_t slot)
{
    size_t *asked = arg;

    (*asked)++;
    return lab_number(event) % 2 == 1;
}

TEST(the_caller_decides_which_events_may_be_found)
{
    struct search *search = search_open();
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    size_t asked = 0;

    for (unsigned i = 1; i <= 20; i++)
        (void)lab_put(search, &(struct row){i, i, "Fair", NULL, NULL, i > 10 ? "Oslo" : "Rome"});

    const struct search_query query =
        SEARCH_QUERY(.text = STR("fair oslo"), .limit = 3, .keep = keep_odd, .arg = &asked);
    const struct search_hits hits = search_find(search, arena, &query);
    CHECK_I64(3, hits.count);
    CHECK_I64(11, lab_number(hits.hits[0].event));
    CHECK(asked >= 3 && asked <= 10); /* nobody in Rome */
    search_close(search);
}

TEST(pages_follow_one_another_without_gap_or_double)
{
    struct search *search = search_open();
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct search_hit last = {0};
    unsigned expected = 1;
    struct search_query query = SEARCH_QUERY(.text = STR("fair"), .limit = 7);

    for (unsigned i = 40; i >= 1; i--)
        (void)lab_put(search, &(struct row){i, i / 4, "Fair of all", NULL, NULL, NULL});
    for (;;) {
        const struct search_hits hits = search_find(search, arena, &query);
        for (size_t i = 0; i < hits.count; i++)
            CHECK_I64(expected++, lab_number(hits.hits[i].event));
        if (hits.count == 0)
            break;
        last = hits.hits[hits.count - 1];
        query.after = &last;
    }
    CHECK_I64(41, expected);
    search_close(search);
}

TEST(a_query_is_cut_at_its_limits)
{
    CLEANUP(lab_close) struct search *search = search_open();
    CLEANUP(buf_done) struct buf text = buf_on_heap(100000);

    (void)lab_put(search, &(struct row){1, 1, "aa bb", NULL, NULL, NULL});
    for (int i = 0; i < SEARCH_QUERY_WORDS_MAX; i++)
        buf_add_cstr(&text, "aa ");
    buf_add_cstr(&text, "unheard");
    lab_check_query(search, "1", &SEARCH_QUERY(.text = buf_str(&text), .limit = 1));

    buf_clear(&text);
    buf_add_cstr(&text, "bb ");
    while (text.size < SEARCH_QUERY_LETTERS_MAX)
        buf_add_char(&text, ' ');
    buf_add_cstr(&text, "unheard");
    lab_check_query(search, "1", &SEARCH_QUERY(.text = buf_str(&text), .limit = 1));

    buf_clear(&text);
    for (int i = 0; i < 20000; i++)
        buf_add_cstr(&text, "\xD8\xB9");
    lab_check_query(search, "", &SEARCH_QUERY(.text = buf_str(&text), .limit = 1));
    lab_check_query(search, "", &SEARCH_QUERY(.text = STR_ABSENT, .limit = 1));
}

/* --- Changes --- */

TEST(an_event_is_replaced_under_its_slot_and_removed_without_a_trace)
{
    CLEANUP(lab_close) struct search *search = search_open();
    const size_t first = lab_put(search, &(struct row){1, 1, "Old Name", "Singer", "Hall", "Town"});
    const size_t second = lab_put(search, &(struct row){2, 2, "Other", NULL, NULL, NULL});

    CHECK(first != second);
    CHECK_I64(first, lab_put(search, &(struct row){1, 3, "New Name", NULL, NULL, "City"}));
    static const struct found replaced[] = {
        {"old",    "" },
        {"singer", "" },
        {"new",    "1"},
        {"city",   "1"},
        {"name",   "1"},
    };
    CHECK_FOUND(search, replaced);
    CHECK_I64(2, search_event_count(search));
    CHECK_I64(4, search_term_count(search));

    search_remove(search, lab_id(1));
    search_remove(search, lab_id(1));
    search_remove(search, lab_id(77));
    static const struct found removed[] = {
        {"new",   "" },
        {"other", "2"},
    };
    CHECK_FOUND(search, removed);
    CHECK_I64(1, search_event_count(search));
    CHECK_I64(1, search_term_count(search));
    CHECK_I64(first, lab_put(search, &(struct row){3, 1, "Third", NULL, NULL, NULL}));
    CHECK_I64(2, search_slots_end(search));

    search_remove(search, lab_id(2));
    search_remove(search, lab_id(3));
    CHECK_I64(0, search_term_count(search));
    lab_check(search, "", "third");
}

TEST(an_event_with_too_many_words_is_found_by_the_first)
{
    CLEANUP(lab_close) struct search *search = search_open();
    CLEANUP(buf_done) struct buf name = buf_on_heap(100000);
    size_t slot;

    for (int i = 0; i < SEARCH_EVENT_WORDS_MAX; i++)
        buf_printf(&name, "w%dx ", i);
    buf_add_cstr(&name, "unheard of");
    const struct search_event said = {.name = buf_str(&name)};
    CHECK_OK(search_put(search, lab_id(1), &said, &slot));
    CHECK_I64(SEARCH_EVENT_WORDS_MAX, search_term_count(search));
    lab_check(search, "1", "w0x w511x");
    lab_check(search, "", "unheard");
    search_remove(search, lab_id(1));
    CHECK_I64(0, search_term_count(search));
}
