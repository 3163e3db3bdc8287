/* services/booking/import/fields_test.c - what a field may say, by table. */
#include "services/booking/import/import_lab.h"

/* --- Fields --- */

static void check_field(const char *column, const char *value, const char *expected)
{
    CLEANUP(buf_done) struct buf text = buf_on_heap(1 << 20);
    CLEANUP(heard_done) struct heard heard = heard_new();

    buf_printf(&text, "name,starts_at,%s\nX,2026-01-01,%s\n", column, value);
    const err result = read_as(import_read_csv, buf_str(&text), &heard);
    CHECK_ERR(heard.rows == 1 ? ERR_OK : ERR_MALFORMED, result);
    CHECK_STR(expected, buf_str(&heard.buf));
}

TEST(a_start_is_a_day_a_wall_time_or_an_instant)
{
    static const struct {
        const char *value;
        const char *expected; /* NULL: refused */
    } cases[] = {
        {"2026-05-01",                "2026-05-01"          },
        {" 2026-05-01 ",              "2026-05-01"          },
        {"2026-05-01T20:30",          "2026-05-01T20:30:00" },
        {"2026-05-01 20:30",          "2026-05-01T20:30:00" },
        {"2026-05-01T20:30:15",       "2026-05-01T20:30:15" },
        {"2026-05-01T20:30Z",         "2026-05-01T20:30:00Z"},
        {"2026-05-01T20:30+03:00",    "2026-05-01T17:30:00Z"},
        {"2026-05-01T20:30:15-03:30", "2026-05-02T00:00:15Z"},
        {"2026-05-01T20:30:15.000Z",  "2026-05-01T20:30:15Z"},
        {"0001-01-01",                "0001-01-01"          },
        {"9999-12-31T23:59",          "9999-12-31T23:59:00" },
        {"2026-5-1",                  NULL                  },
        {"2026-05-32",                NULL                  },
        {"2026-05-01T",               NULL                  },
        {"2026-05-01T24:00",          NULL                  },
        {"2026-05-01T20",             NULL                  },
        {"2026-05-01T20:3",           NULL                  },
        {"2026-05-01T20:30+0300",     NULL                  },
        {"2026-05-01T20:30 CET",      NULL                  },
        {"2026-05-01X20:30",          NULL                  },
        {"01.05.2026",                NULL                  },
        {"May 1st",                   NULL                  },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(buf_done) struct buf text = buf_on_heap(4096);
        CLEANUP(buf_done) struct buf expected = buf_on_heap(4096);
        CLEANUP(heard_done) struct heard heard = heard_new();

        buf_printf(&text, "name,starts_at\nX,%s\n", cases[i].value);
        const err result = read_as(import_read_csv, buf_str(&text), &heard);
        CHECK_ERR(cases[i].expected != NULL ? ERR_OK : ERR_MALFORMED, result);
        buf_printf(&expected, "2 X starts=%s online\n", cases[i].expected);
        if (cases[i].expected != NULL)
            CHECK(str_eq(buf_str(&expected), buf_str(&heard.buf)));
    }
}

TEST(an_end_is_not_before_the_start_as_far_as_that_shows)
{
    static const struct {
        const char *starts;
        const char *ends;
        bool fine;
    } cases[] = {
        {"2026-05-01",        "2026-05-01",             true },
        {"2026-05-02",        "2026-05-01",             false},
        {"2026-05-01T20:00",  "2026-05-01",             true },
        {"2026-05-01T20:00",  "2026-04-30",             false},
        {"2026-05-01",        "2026-05-01T00:00",       true },
        {"2026-05-01T20:00",  "2026-05-01T20:00",       true },
        {"2026-05-01T20:00",  "2026-05-01T19:59",       false},
        {"2026-05-01T20:00Z", "2026-05-01T20:00Z",      true },
        {"2026-05-01T20:00Z", "2026-05-01T21:00+02:00", false},
        {"2026-05-01T20:00",  "2026-05-01T01:00Z",      true }, /* it depends on the zone */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(buf_done) struct buf text = buf_on_heap(4096);
        CLEANUP(heard_done) struct heard heard = heard_new();

        buf_printf(&text, "name,starts_at,ends_at\nX,%s,%s\n", cases[i].starts, cases[i].ends);
        CHECK_ERR(cases[i].fine ? ERR_OK : ERR_MALFORMED,
                  read_as(import_read_csv, buf_str(&text), &heard));
        if (!cases[i].fine)
            CHECK_STR("!2 ends_at: before starts_at\n", buf_str(&heard.buf));
    }
}

TEST(a_price_is_converted_exactly)
{
    static const struct {
        const char *value; /* price,currency */
        const char *expected;
    } cases[] = {
        {"12.50,EUR",             "2 X starts=2026-01-01 online price=1250 EUR\n"         },
        {"12.5,EUR",              "2 X starts=2026-01-01 online price=1250 EUR\n"         },
        {"12,eur",                "2 X starts=2026-01-01 online price=1200 EUR\n"         },
        {"12.500,EUR",            "2 X starts=2026-01-01 online price=1250 EUR\n"         },
        {"0,EUR",                 "2 X starts=2026-01-01 online price=0 EUR\n"            },
        {"0.07,EUR",              "2 X starts=2026-01-01 online price=7 EUR\n"            },
        {"1200,JPY",              "2 X starts=2026-01-01 online price=1200 JPY\n"         },
        {"1200.00,JPY",           "2 X starts=2026-01-01 online price=1200 JPY\n"         },
        {"1.25,KWD",              "2 X starts=2026-01-01 online price=1250 KWD\n"         },
        {"10000000000.00,EUR",    "2 X starts=2026-01-01 online price=1000000000000 EUR\n"},
        {",EUR",                  "2 X starts=2026-01-01 online EUR\n"                    },
        {"10000000000.01,EUR",    "!2 price: no amount of EUR\n"                          },
        {"99999999999999999,JPY", "!2 price: no amount of JPY\n"                          },
        {"12.505,EUR",            "!2 price: no amount of EUR\n"                          },
        {"1200.5,JPY",            "!2 price: no amount of JPY\n"                          },
        {"-1,EUR",                "!2 price: no amount of EUR\n"                          },
        {"+1,EUR",                "!2 price: no amount of EUR\n"                          },
        {".5,EUR",                "!2 price: no amount of EUR\n"                          },
        {"5.,EUR",                "!2 price: no amount of EUR\n"                          },
        {"1.2.3,EUR",             "!2 price: no amount of EUR\n"                          },
        {"\"1,50\",EUR",          "!2 price: no amount of EUR\n"                          },
        {"1e3,EUR",               "!2 price: no amount of EUR\n"                          },
        {"5,",                    "!2 price: without a currency\n"                        },
        {"5,XYZ",                 "!2 currency: no currency of ISO 4217\n"                },
        {"5,EU",                  "!2 currency: no currency of ISO 4217\n"                },
        {"5,EURO",                "!2 currency: more than 3 characters\n"                 },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_field("price,currency", cases[i].value, cases[i].expected);
}

TEST(a_price_without_a_currency_takes_the_readers)
{
    CLEANUP(heard_done) struct heard heard = heard_new();
    struct import_reader reader = {
        .row = hear_row, .refused = hear_refused, .ignored = hear_ignored, .arg = &heard};

    CHECK(currency_parse(STR("EGP"), &reader.currency));
    CHECK_OK(
        import_read_csv(STR("name,starts_at,price\nX,2026-01-01,5\nY,2026-01-01,\n"), &reader));
    CHECK_STR("2 X starts=2026-01-01 online price=500 EGP\n3 Y starts=2026-01-01 online\n",
              buf_str(&heard.buf));
}

TEST(other_fields_are_checked_too)
{
    static const struct {
        const char *column;
        const char *value;
        const char *expected;
    } cases[] = {
        {"quantity", "10000000",            "2 X starts=2026-01-01 online quantity=10000000\n"  },
        {"quantity", "0",                   "!2 quantity: not a number from 1 to 10000000\n"    },
        {"quantity", "10000001",            "!2 quantity: not a number from 1 to 10000000\n"    },
        {"quantity", "1.5",                 "!2 quantity: not a number from 1 to 10000000\n"    },
        {"online",   "FALSE",               "2 X starts=2026-01-01\n"                           },
        {"online",   "maybe",               "!2 online: neither true nor false\n"               },
        {"online",   "perhaps",             "!2 online: more than 5 characters\n"               },
        {"venue",    "Hall 1",              "2 X starts=2026-01-01 venue=Hall 1\n"              },
        {"url",      "HTTPS://e.org/a",     "2 X starts=2026-01-01 url=HTTPS://e.org/a online\n"},
        {"url",      "https://",            "!2 url: not an http or https address\n"            },
        {"url",      "e.org",               "!2 url: not an http or https address\n"            },
        {"url",      "javascript:alert(1)", "!2 url: not an http or https address\n"            },
        {"url",      "https://e.org/<b>",   "!2 url: not an http or https address\n"            },
        {"url",      "https://e.org/a b",   "!2 url: not an http or https address\n"            },
        {"city",     "\"a\nb\"",            "!2 city: has control characters\n"                 },
        {"city",     "a\x01",               "!2 city: has control characters\n"                 },
        {"artists",  ";;",                  "2 X starts=2026-01-01 online\n"                    },
        {"artists",  "a\x7F",               "!2 artists: has control characters\n"              },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_field(cases[i].column, cases[i].value, cases[i].expected);
}

TEST(names_have_1_to_200_characters_and_artists_are_at_most_50)
{
    CLEANUP(buf_done) struct buf name = buf_on_heap(4096);
    CLEANUP(buf_done) struct buf artists = buf_on_heap(4096);
    CLEANUP(buf_done) struct buf text = buf_on_heap(8192);

    for (size_t i = 0; i < IMPORT_NAME_MAX; i++)
        buf_add_cstr(&name, "\xC3\xA9");
    for (size_t i = 0; i < IMPORT_ARTISTS_MAX; i++)
        buf_add_cstr(&artists, "a;");
    buf_printf(&text, "name,starts_at,artists\n%s,2026-01-01,%s\n", name.data, artists.data);
    buf_printf(&text, "%se,2026-01-01\nX,2026-01-01,%sa\n", name.data, artists.data);
    CLEANUP(heard_done) struct heard heard = heard_new();
    CHECK_OK(read_as(import_read_csv, buf_str(&text), &heard));
    CHECK_I64(1, heard.rows);
    CHECK(str_ends(buf_str(&heard.buf),
                   STR("!3 name: more than 200 characters\n!4 artists: too many\n")));
}
