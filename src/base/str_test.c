/* base/str_test.c */
#include "support/test.h"

#include <stdio.h>
#include <string.h>

TEST(an_absent_text_is_not_an_empty_one)
{
    CHECK(str_eq(STR_ABSENT, str_of(NULL)));
    CHECK(!str_eq(STR_ABSENT, STR("")));
    CHECK(!str_eq_nocase(STR_ABSENT, STR("")));
    CHECK(str_compare(STR_ABSENT, STR("")) < 0);
    CHECK(str_compare(STR(""), STR_ABSENT) > 0);
    CHECK(str_compare(STR_ABSENT, STR_ABSENT) == 0);
    CHECK(str_slice(STR_ABSENT, 0, 1).ptr == NULL);
    CHECK(str_trim(STR_ABSENT).ptr == NULL);
    CHECK(str_starts(STR_ABSENT, STR("")));
    CHECK(str_is_utf8(STR_ABSENT));
    CHECK_I64(0, (int64_t)str_code_points(STR_ABSENT));
    CHECK(str_hash(STR_ABSENT) == str_hash(STR("")));
}

TEST(texts_compare_bytewise)
{
    static const struct {
        str a;
        str b;
        int expected;
    } cases[] = {
        {STR(""),     STR(""),     0 },
        {STR("a"),    STR("a"),    0 },
        {STR("a"),    STR("b"),    -1},
        {STR("a"),    STR("aa"),   -1},
        {STR("b"),    STR("aa"),   1 },
        {STR("\xff"), STR("\x01"), 1 },
        {STR("a\0b"), STR("a\0c"), -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK_I64(cases[i].expected, str_compare(cases[i].a, cases[i].b));
        CHECK_I64(-cases[i].expected, str_compare(cases[i].b, cases[i].a));
        CHECK(str_eq(cases[i].a, cases[i].b) == (cases[i].expected == 0));
    }
}

TEST(only_ascii_letters_have_two_cases)
{
    CHECK(str_eq_nocase(STR("Content-TYPE"), STR("content-type")));
    CHECK(!str_eq_nocase(STR("a"), STR("b")));
    CHECK(!str_eq_nocase(STR("@"), STR("`")));
    CHECK(!str_eq_nocase(STR("["), STR("{")));
    CHECK(!str_eq_nocase(STR("\xc3\x84"), STR("\xc3\xa4")));
}

TEST(a_text_starts_and_ends_with_its_parts)
{
    CHECK(str_starts(STR("evt_1"), STR("evt_")));
    CHECK(!str_starts(STR("evt"), STR("evt_")));
    CHECK(str_ends(STR("a.ini"), STR(".ini")));
    CHECK(!str_ends(STR("ini"), STR(".ini")));
    CHECK(!str_ends(STR("a.inj"), STR(".ini")));
    CHECK(str_starts(STR("x"), STR("")) && str_ends(STR("x"), STR("")));
}

TEST(a_slice_stays_within_its_text)
{
    CHECK_STR("bc", str_slice(STR("abc"), 1, 3));
    CHECK_STR("bc", str_slice(STR("abc"), 1, 99));
    CHECK_STR("", str_slice(STR("abc"), 3, 1));
    CHECK_STR("", str_slice(STR("abc"), 50, 60));
}

TEST(trim_takes_ascii_white_space_only)
{
    CHECK_STR("a b", str_trim(STR(" \t\r\n\v\fa b \n")));
    CHECK_STR("", str_trim(STR(" \t ")));
    CHECK_STR("\xc2\xa0", str_trim(STR(" \xc2\xa0 ")));
}

TEST(split_gives_every_part_also_empty_ones)
{
    static const char *const parts[] = {"a", "", "b", ""};
    str rest = STR("a,,b,");
    str part;
    size_t count = 0;

    while (str_split(&rest, ',', &part)) {
        CHECK(count < 4);
        CHECK_STR(parts[count], part);
        count++;
    }
    CHECK_I64(4, (int64_t)count);

    rest = STR("");
    CHECK(str_split(&rest, ',', &part));
    CHECK_STR("", part);
    CHECK(!str_split(&rest, ',', &part));
}

TEST(a_number_is_read_whole_or_not_at_all)
{
    static const struct {
        str text;
        bool good;
        int64_t n;
    } cases[] = {
        {STR("0"),                    true,  0        },
        {STR("-0"),                   true,  0        },
        {STR("007"),                  true,  7        },
        {STR("9223372036854775807"),  true,  INT64_MAX},
        {STR("-9223372036854775808"), true,  INT64_MIN},
        {STR("9223372036854775808"),  false, 0        },
        {STR("-9223372036854775809"), false, 0        },
        {STR("99999999999999999999"), false, 0        },
        {STR(""),                     false, 0        },
        {STR("-"),                    false, 0        },
        {STR("--1"),                  false, 0        },
        {STR("+1"),                   false, 0        },
        {STR(" 1"),                   false, 0        },
        {STR("1 "),                   false, 0        },
        {STR("1.0"),                  false, 0        },
        {STR("1e3"),                  false, 0        },
        {STR("0x1"),                  false, 0        },
        {STR("1\0"),                  false, 0        },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t n = 42;
        CHECK(str_to_i64(cases[i].text, &n) == cases[i].good);
        CHECK_I64(cases[i].good ? cases[i].n : 42, n);
    }
}

TEST(utf8_is_checked_to_the_letter_of_rfc_3629)
{
    static const struct {
        str text;
        bool good;
    } cases[] = {
        {STR(""),                 true },
        {STR("plain ascii text"), true },
        {STR("abc"),              true },
        {STR("\xc3\xa4"
             "bc"),
         true                          },
        {STR("\xc2\x80"),         true },
        {STR("\xdf\xbf"),         true },
        {STR("\xe0\xa0\x80"),     true },
        {STR("\xed\x9f\xbf"),     true },
        {STR("\xee\x80\x80"),     true },
        {STR("\xef\xbf\xbf"),     true },
        {STR("\xf0\x90\x80\x80"), true },
        {STR("\xf4\x8f\xbf\xbf"), true },
        {STR("\x80"),             false},
        {STR("\xbf"),             false},
        {STR("\xc0\x80"),         false},
        {STR("\xc1\xbf"),         false},
        {STR("\xc2"),             false},
        {STR("\xc2\x41"),         false},
        {STR("\xe0\x9f\xbf"),     false},
        {STR("\xed\xa0\x80"),     false},
        {STR("\xe2\x82"),         false},
        {STR("\xe2\x82\x41"),     false},
        {STR("\xf0\x8f\xbf\xbf"), false},
        {STR("\xf0\x9f\x98"),     false},
        {STR("\xf4\x90\x80\x80"), false},
        {STR("\xf5\x80\x80\x80"), false},
        {STR("\xff"),             false},
        {STR("a\0b"),             false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CHECK(str_is_utf8(cases[i].text) == cases[i].good);
}

/* The fast way looks at eight bytes at once: whatever is wrong must be found at each place of
 * them. */
TEST(a_broken_byte_is_found_wherever_it_stands)
{
    static const char broken[] = {'\0', '\x80', '\xff', '\xc2'};
    char text[40];

    for (size_t i = 0; i < sizeof(broken); i++)
        for (size_t at = 0; at < sizeof(text); at++) {
            memset(text, 'a', sizeof(text));
            CHECK(str_is_utf8((str){text, sizeof(text)}));
            text[at] = broken[i];
            CHECK(!str_is_utf8((str){text, sizeof(text)}));
        }
}

TEST(code_points_are_counted_not_bytes)
{
    CHECK_I64(3, (int64_t)str_code_points(STR("abc")));
    CHECK_I64(3, (int64_t)str_code_points(STR("\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80")));
}

TEST(hashes_of_short_keys_spread_over_the_low_bits)
{
    enum { BUCKETS = 256, KEYS = 256 * 32 };
    static int buckets[BUCKETS];
    char key[24];

    memset(buckets, 0, sizeof(buckets));
    for (int i = 0; i < KEYS; i++) {
        const int size = snprintf(key, sizeof(key), "event:%d", i);
        buckets[str_hash((str){key, (size_t)size}) % BUCKETS]++;
    }
    for (int i = 0; i < BUCKETS; i++)
        CHECK(buckets[i] >= 8 && buckets[i] <= 72);
}
