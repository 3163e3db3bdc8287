/* services/booking/import_read_test.c - files as vendors have them: good, odd and broken. */
#include "services/booking/import_read.h"

#include "support/test.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/rng.h"

/* What a reader is told, as text: a line an event, "!line reason", "~line what". */
struct heard {
    struct buf buf;
    size_t rows;
    size_t refused;
    err answer; /* to each row */
};

static void add_field(struct buf *buf, const char *name, str text)
{
    if (text.ptr != NULL)
        buf_printf(buf, " %s=%.*s", name, STR_ARG(text));
}

static void add_when(struct buf *buf, const char *name, const struct import_when *when)
{
    switch (when->kind) {
    case IMPORT_UNKNOWN:
        return;
    case IMPORT_DAY:
        buf_printf(buf, " %s=%04d-%02d-%02d", name, when->civil.year, when->civil.month,
                   when->civil.day);
        return;
    case IMPORT_LOCAL:
        buf_printf(buf, " %s=%.19s", name, time_format(civil_to_ms(&when->civil)).text);
        return;
    case IMPORT_INSTANT:
        buf_printf(buf, " %s=%s", name, time_format(when->at_ms).text);
        return;
    }
}

static err hear_row(void *arg, const struct import_event *event)
{
    struct heard *heard = arg;
    struct buf *buf = &heard->buf;

    heard->rows++;
    buf_printf(buf, "%zu %.*s", event->line, STR_ARG(event->name));
    add_when(buf, "starts", &event->starts);
    add_when(buf, "ends", &event->ends);
    add_field(buf, "zone", event->timezone);
    add_field(buf, "venue", event->venue);
    add_field(buf, "address", event->address);
    add_field(buf, "city", event->city);
    add_field(buf, "country", event->country);
    for (size_t i = 0; i < event->artist_count; i++)
        add_field(buf, "artist", event->artists[i]);
    add_field(buf, "type", event->type);
    add_field(buf, "description", event->description);
    add_field(buf, "url", event->url);
    if (event->online)
        buf_add_cstr(buf, " online");
    if (event->price_minor >= 0)
        buf_printf(buf, " price=%" PRId64, event->price_minor);
    if (event->currency.code[0] != '\0')
        buf_printf(buf, " %s", event->currency.code);
    if (event->quantity >= 0)
        buf_printf(buf, " quantity=%" PRId64, event->quantity);
    buf_add_char(buf, '\n');
    return heard->answer;
}

static void hear_refused(void *arg, size_t line, const char *reason)
{
    struct heard *heard = arg;

    heard->refused++;
    buf_printf(&heard->buf, "!%zu %s\n", line, reason);
}

static void hear_ignored(void *arg, size_t line, const char *what)
{
    struct heard *heard = arg;

    buf_printf(&heard->buf, "~%zu %s\n", line, what);
}

static struct heard heard_new(void)
{
    return (struct heard){.buf = buf_on_heap(1 << 20)};
}

static void heard_done(struct heard *heard)
{
    buf_done(&heard->buf);
}

typedef err read_file(str text, const struct import_reader *reader);

static err read_as(read_file *read, str text, struct heard *heard)
{
    return read(text, &(struct import_reader){
                          .row = hear_row,
                          .refused = hear_refused,
                          .ignored = hear_ignored,
                          .arg = heard,
                      });
}

static void check_read(read_file *read, err expected, const char *text, const char *lines)
{
    CLEANUP(heard_done) struct heard heard = heard_new();

    CHECK_ERR(expected, read_as(read, str_of(text), &heard));
    CHECK_STR(lines, heard.buf.size > 0 ? buf_str(&heard.buf) : STR(""));
}

/* --- CSV --- */

TEST(a_csv_file_has_its_columns_in_any_order)
{
    check_read(import_read_csv, ERR_OK,
               "\xEF\xBB\xBF"
               "CITY, Name ,starts_at,price,Currency,colour,quantity,ARTISTS,online\r\n"
               "Cairo,Jazz Night,2026-12-05T20:00,250.00,EGP,red,500,Amr Diab; Angham ;;,\r\n"
               "\r\n"
               ",\"Talk, \"\"live\"\"\",2026-12-06,,,,,,\r\n"
               ",,,,,,,,\r\n"
               "Oslo,Hybrid,2026-12-07,,,,,,yes\r\n",
               "~1 unknown column \"colour\"\n"
               "2 Jazz Night starts=2026-12-05T20:00:00 city=Cairo artist=Amr Diab artist=Angham "
               "price=25000 EGP quantity=500\n"
               "4 Talk, \"live\" starts=2026-12-06 online\n"
               "6 Hybrid starts=2026-12-07 city=Oslo online\n");
}

TEST(a_csv_row_may_say_everything)
{
    check_read(
        import_read_csv, ERR_OK,
        "name,starts_at,ends_at,timezone,venue,address,city,country,artists,type,description,url,"
        "online,price,currency,quantity\n"
        "Gala,2026-05-01T19:30,2026-05-01T23:00:30,Africa/Cairo,Opera House,1 Gezira "
        "St,Cairo,Egypt,"
        "Fairuz,concert,\"Two\r\nlines\",https://example.org/gala?a=1,no,12.5,kwd,1\n",
        "2 Gala starts=2026-05-01T19:30:00 ends=2026-05-01T23:00:30 zone=Africa/Cairo "
        "venue=Opera House address=1 Gezira St city=Cairo country=Egypt artist=Fairuz type=concert "
        "description=Two\nlines url=https://example.org/gala?a=1 price=12500 KWD quantity=1\n");
}

TEST(a_broken_csv_line_is_reported_and_the_rest_is_read)
{
    check_read(import_read_csv, ERR_OK,
               "name,starts_at\n"
               "One,2026-01-01\n"
               "\"Two,2026-01-02\n"
               "Three,2026-01-03,more\n"
               "Four\n"
               ",2026-01-05\n"
               "Six\xFF,2026-01-06\n"
               "Seven,2026-02-30\n"
               "Eight,2026-01-08\n",
               "2 One starts=2026-01-01 online\n"
               "!3 a quote is never closed\n"
               "!4 more fields than columns\n"
               "!5 starts_at: missing\n"
               "!6 name: missing\n"
               "!7 name: not UTF-8\n"
               "!8 starts_at: neither YYYY-MM-DD nor YYYY-MM-DDTHH:MM, with or without an offset, "
               "or there is no such time\n"
               "9 Eight starts=2026-01-08 online\n");
}

TEST(a_csv_file_that_makes_no_sense_is_malformed)
{
    static const char header[] = "!1 the first line must name the columns, separated by commas, "
                                 "with name and starts_at among them\n";

    check_read(import_read_csv, ERR_MALFORMED, "", "!1 the file is empty\n");
    check_read(import_read_csv, ERR_MALFORMED, "\n\r\n", "!3 the file is empty\n");
    check_read(import_read_csv, ERR_MALFORMED, "name\nx\n", header);
    check_read(import_read_csv, ERR_MALFORMED, "\xFF\xFE\nx\n", header);
    check_read(import_read_csv, ERR_MALFORMED, "name,starts_at,NAME\nx,2026-01-01,y\n",
               "!1 a column is there twice\n");
    check_read(import_read_csv, ERR_MALFORMED, "name,\"starts_at\nx,2026-01-01\n",
               "!1 a quote is never closed\n");
    check_read(import_read_csv, ERR_MALFORMED, "name,starts_at\n,\nx,y\n",
               "!3 starts_at: neither YYYY-MM-DD nor YYYY-MM-DDTHH:MM, with or without an offset, "
               "or there is no such time\n");
    check_read(import_read_csv, ERR_OK, "name,starts_at\n", "");
}

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

/* --- JSON --- */

TEST(a_json_list_of_conferences_is_read)
{
    check_read(
        import_read_json, ERR_OK,
        "[\n{\n"
        "\"name\": \"Voxxed Days Z\\u00fcrich\",\n\"url\": \"https://example.org/\",\n"
        "\"startDate\": \"2025-01-15\",\n\"endDate\": \"2025-01-16\",\n"
        "\"city\": \"Geneva\", \"country\": \"Switzerland\", \"online\": false,\n"
        "\"locales\": \"EN\", \"topics\": [\"general\", \"]}\"], \"cfp\": {\"url\": null}\n"
        "},\n"
        "{\"name\": \"SymfonyOnline\", \"startDate\": \"2025-01-16\", \"online\": true},\n"
        "{\"name\": \"Nowhere\", \"startDate\": \"2025-01-17\", \"city\": null, \"url\": \"\"},\n"
        "{\"name\": \"Gig\", \"startDate\": \"2025-01-17T20:00\", \"type\": \"concert\",\n"
        " \"artists\": [\"A\", 7, \" B \"], \"venue\": \"Hall\", \"timezone\": \"Asia/Tokyo\"}\n"
        "]\n",
        "2 Voxxed Days Zürich starts=2025-01-15 ends=2025-01-16 city=Geneva "
        "country=Switzerland type=conference url=https://example.org/\n"
        "10 SymfonyOnline starts=2025-01-16 type=conference online\n"
        "11 Nowhere starts=2025-01-17 type=conference online\n"
        "12 Gig starts=2025-01-17T20:00:00 zone=Asia/Tokyo venue=Hall artist=A artist=B "
        "type=concert\n");
}

TEST(a_broken_json_element_is_reported_and_the_rest_is_read)
{
    check_read(import_read_json, ERR_OK,
               "[{\"name\":\"One\",\"startDate\":\"2025-01-01\"},\n"
               "{\"name\":\"Two\",\"startDate\":20250101},\n"
               "{\"name\":\"Three\" \"startDate\":\"2025-01-01\"},\n"
               "7, [], \n"
               "{\"name\":\"Four\",\"name\":\"Four\",\"startDate\":\"2025-01-01\"},\n"
               "{\"name\":\"Five\",\"startDate\":\"2025-01-01\",\"online\":\"yes\"}\n"
               "{\"name\":\"Si\\\"x]\",\"startDate\":\"2025-01-01\"}},\n"
               "{\"startDate\":\"2025-01-01\"},\n"
               "] and more",
               "1 One starts=2025-01-01 type=conference online\n"
               "!2 startDate: not a text\n"
               "!3 not JSON: '}' expected near '\"startDate\"'\n"
               "!4 not an object\n"
               "!4 not an object\n"
               "!5 not JSON: duplicate object key near '\"name\"'\n"
               "!6 online: neither true nor false\n"
               "7 Si\"x] starts=2025-01-01 type=conference online\n"
               "~7 a bracket too many\n"
               "!8 name: missing\n"
               "~9 what stands behind the list\n");
}

TEST(a_json_file_that_makes_no_sense_is_malformed)
{
    check_read(import_read_json, ERR_MALFORMED, "", "!1 not a list of events\n");
    check_read(import_read_json, ERR_MALFORMED, "\n{\"name\":\"x\"}", "!2 not a list of events\n");
    check_read(import_read_json, ERR_MALFORMED, "[", "!1 the list is not closed\n");
    check_read(import_read_json, ERR_MALFORMED, "[{\"name\": \"x\n",
               "!1 not JSON: premature end of input near '\"x'\n!2 the list is not closed\n");
    check_read(import_read_json, ERR_OK, "\xEF\xBB\xBF[ ]\n", "");
}

/* --- Limits and errors --- */

TEST(a_file_has_a_maximum_size)
{
    CLEANUP(heard_done) struct heard heard = heard_new();
    const str text = {"", IMPORT_FILE_SIZE_MAX + 1}; /* never looked at */

    CHECK_ERR(ERR_TOO_LARGE, read_as(import_read_csv, text, &heard));
    CHECK_ERR(ERR_TOO_LARGE, read_as(import_read_json, text, &heard));
    CHECK_I64(0, heard.refused);
}

TEST(a_file_has_a_maximum_of_rows)
{
    CLEANUP(buf_done) struct buf csv = buf_on_heap(8 << 20);
    CLEANUP(buf_done) struct buf json = buf_on_heap(16 << 20);
    CLEANUP(heard_done) struct heard heard = heard_new();

    buf_add_cstr(&csv, "name,starts_at\n");
    buf_add_char(&json, '[');
    for (int i = 0; i < IMPORT_ROWS_MAX + 5; i++) {
        buf_add_cstr(&csv, "a,2026-01-01\n");
        buf_add_cstr(&json, "{\"name\":\"a\",\"startDate\":\"2026-01-01\"},\n");
    }
    buf_add_cstr(&json, "7]");
    CHECK_OK(read_as(import_read_csv, buf_str(&csv), &heard));
    CHECK_I64(IMPORT_ROWS_MAX, heard.rows);
    CHECK_I64(1, heard.refused);
    CHECK_OK(read_as(import_read_json, buf_str(&json), &heard));
    CHECK_I64(INT64_C(2) * IMPORT_ROWS_MAX, heard.rows);
    CHECK_I64(2, heard.refused);
}

TEST(an_error_of_the_caller_ends_the_reading)
{
    CLEANUP(heard_done) struct heard heard = heard_new();

    heard.answer = ERR_UNAVAILABLE;
    CHECK_ERR(
        ERR_UNAVAILABLE,
        read_as(import_read_csv, STR("name,starts_at\na,2026-01-01\nb,2026-01-01\n"), &heard));
    CHECK_I64(1, heard.rows);
    CHECK_ERR(ERR_UNAVAILABLE,
              read_as(import_read_json, STR("[{\"name\":\"a\",\"startDate\":\"2026-01-01\"},{}]"),
                      &heard));
    CHECK_I64(2, heard.rows);
    CHECK_I64(0, heard.refused);
}

/* Damaged anywhere, a file is read to its end and never past it. */
TEST(any_damage_is_survived)
{
    static const char csv[] = "name,starts_at,price,currency,artists,description\n"
                              "\"A \"\"b\"\"\",2026-01-01T20:00Z,12.50,EUR,x;y,\"two\nlines\"\n"
                              "B,2026-01-02,,,,\n";
    static const char json[] = "[{\"name\":\"A \\\"b\\\"\",\"startDate\":\"2026-01-01\","
                               "\"artists\":[\"x\",\"y\"],\"online\":true},\n"
                               "{\"name\":\"B\",\"startDate\":\"2026-01-02\",\"city\":\"C\"}]\n";
    static const char letters[] = "\"\\,;[]{}:\n\r0aZ \xFF\x01";
    struct rng_seeded rng;
    size_t rows = 0;

    rng_seeded_init(&rng, 5);
    for (int round = 0; round < 4000; round++) {
        CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
        CLEANUP(heard_done) struct heard heard = heard_new();
        const bool is_csv = round % 2 == 0;
        const str whole = is_csv ? STR(csv) : STR(json);
        const size_t size =
            rng_below(&rng.rng, 4) == 0 ? rng_below(&rng.rng, whole.size) : whole.size;
        char *text = memcpy(arena_alloc(arena, size), whole.ptr, size);

        for (size_t i = 0; size > 0 && i < 3; i++)
            text[rng_below(&rng.rng, size)] = letters[rng_below(&rng.rng, sizeof(letters) - 1)];
        const err result =
            read_as(is_csv ? import_read_csv : import_read_json, (str){text, size}, &heard);
        CHECK((result == ERR_OK) == (heard.rows > 0 || heard.refused == 0));
        rows += heard.rows;
    }
    CHECK(rows > 1000);
}
