/* platform/json/encode_test.c */
#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "platform/json/sample_test.h"

static struct uuid id_of(const char *prefix, const char *text)
{
    struct uuid id;

    CHECK(id_parse(prefix, str_of(text), &id));
    return id;
}

TEST(every_kind_of_field_is_written)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct place country = {
        .city = STR("Egypt"), .seats = JSON_NULL, .lat = (double)NAN, .kind = -1};
    struct place city = {.city = STR("Cairo"),
                         .seats = 5,
                         .lat = 30.044420,
                         .open = true,
                         .kind = 0,
                         .within = &country};
    str names[] = {STR("a"), STR("\"b\"")};
    struct line lines[] = {
        {.type = id_of("tt", "tt_01h455vb4pex5vsknk084sn02q"),
         .quantity = 2,
         .price = {1250, {"KWD"}},
         .names = names,
         .name_count = 2},
        {.type = id_of("tt",    "tt_01h455vb4pex5vsknk084sn02r"),                                    .quantity = 1, .row = JSON_NULL},
    };
    int64_t numbers[] = {0, JSON_NULL, -3};
    const struct sample sample = {
        .flag = true,
        .count = 7,
        .any_count = INT64_MAX,
        .score = -12.5,
        .name = STR("x"),
        .token = STR("tok"),
        .id = id_of("evt", "evt_01h455vb4pex5vsknk084sn02q"),
        .price = {0, {"EUR"}},
        .at_ms = 1795382533000,
        .kind = 2,
        .place = &city,
        .lines = lines,
        .line_count = 2,
        .numbers = numbers,
        .number_count = 3,
        .raw = STR("{\"k\":[1]}"),
        .limit = 5,
        .note = STR("n"),
        .version = 4,
        .password = STR("do not show"),
    };

    CHECK_STR(
        "{\"flag\":true,\"count\":7,\"any_count\":9223372036854775807,\"score\":-12.5,"
        "\"name\":\"x\",\"token\":\"tok\",\"id\":\"evt_01h455vb4pex5vsknk084sn02q\","
        "\"price\":{\"amount\":0,\"currency\":\"EUR\"},\"at\":\"2026-11-22T21:22:13Z\","
        "\"kind\":\"other\",\"place\":{\"city\":\"Cairo\",\"seats\":5,\"lat\":30.04442,"
        "\"open\":true,\"kind\":\"concert\","
        "\"within\":{\"city\":\"Egypt\",\"open\":false,\"within\":null}},"
        "\"lines\":[{\"type\":\"tt_01h455vb4pex5vsknk084sn02q\",\"quantity\":2,"
        "\"price\":{\"amount\":1250,\"currency\":\"KWD\"},\"names\":[\"a\",\"\\\"b\\\"\"],\"row\":"
        "0},"
        "{\"type\":\"tt_01h455vb4pex5vsknk084sn02r\",\"quantity\":1}],"
        "\"numbers\":[0,null,-3],\"raw\":{\"k\":[1]},\"limit\":5,\"note\":\"n\",\"version\":4}",
        json_encode(arena, &sample_shape, &sample));
}

TEST(absent_members_are_left_out_or_null)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct sample sample;

    json_clear(&sample_shape, &sample);
    CHECK_STR("{\"flag\":false,\"limit\":null,\"note\":null}",
              json_encode(arena, &sample_shape, &sample));
}

struct page {
    int64_t *items;
    size_t count;
};

TEST(a_required_list_is_written_even_if_there_is_none)
{
    static const struct json_field item = {.type = JSON_I64};
    static const struct json_field fields[] = {
        JSON_F_SCALARS("data", struct page, items, count, &item, 0, 9, JSON_REQUIRED),
    };
    static const struct json_shape shape = JSON_SHAPE(fields, struct page);
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    int64_t one = 1;

    CHECK_STR("{\"data\":[]}", json_encode(arena, &shape, &(struct page){NULL, 0}));
    CHECK_STR("{\"data\":[]}", json_encode(arena, &shape, &(struct page){&one, 0}));
    CHECK_STR("{\"data\":[1]}", json_encode(arena, &shape, &(struct page){&one, 1}));
}

TEST(texts_are_escaped_and_always_well_formed)
{
    static const struct {
        str text;
        const char *json;
    } cases[] = {
        {STR_ABSENT,              "null"                        },
        {STR(""),                 "\"\""                        },
        {STR("plain"),            "\"plain\""                   },
        {STR("a\"b\\c/d"),        "\"a\\\"b\\\\c/d\""           },
        {STR("\b\t\n\f\r"),       "\"\\b\\t\\n\\f\\r\""         },
        {STR("\x01\x1f\x7f"),     "\"\\u0001\\u001f\x7f\""      },
        {STR("a\0b"),             "\"a\\u0000b\""               },
        {STR("\xe2\x82\xac"),     "\"\xe2\x82\xac\""            },
        {STR("\xf0\x9f\x98\x80"), "\"\xf0\x9f\x98\x80\""        },
        {STR("a\xff"
             "b"),
         "\"a\xef\xbf\xbd"
         "b\""                                                  },
        {STR("\xe2\x82"),         "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {STR("\xc0\x80"),         "\"\xef\xbf\xbd\xef\xbf\xbd\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(buf_done) struct buf buf = buf_on_heap(100);

        json_write_text(&buf, cases[i].text);
        CHECK_STR(cases[i].json, buf_str(&buf));
    }
}

/* The fast way looks at eight bytes at once: whatever is special must be found at each place of
 * them. */
TEST(a_special_byte_is_escaped_wherever_it_stands)
{
    static const struct {
        char byte;
        const char *written;
    } cases[] = {
        {'"',    "\\\""        },
        {'\\',   "\\\\"        },
        {'\n',   "\\n"         },
        {'\x1f', "\\u001f"     },
        {'\xff', "\xef\xbf\xbd"},
    };
    char text[20];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (size_t at = 0; at < sizeof(text); at++) {
            CLEANUP(buf_done) struct buf expected = buf_on_heap(100);
            CLEANUP(buf_done) struct buf buf = buf_on_heap(100);

            memset(text, '#', sizeof(text)); /* one above the quote */
            text[at] = cases[i].byte;
            buf_printf(&expected, "\"%.*s%s%.*s\"", (int)at, text, cases[i].written,
                       (int)(sizeof(text) - at - 1), text + at + 1);
            json_write_text(&buf, (str){text, sizeof(text)});
            CHECK(str_eq(buf_str(&expected), buf_str(&buf)));
        }
}

struct number {
    double n;
};
static const struct json_field number_fields[] = {
    JSON_F_REAL("n", struct number, n, INT64_MIN, INT64_MAX, JSON_NULLABLE),
};
static const struct json_shape number_shape = JSON_SHAPE(number_fields, struct number);

TEST(reals_are_short_where_they_can_be)
{
    static const struct {
        double n;
        const char *json;
    } cases[] = {
        {0.0,              "{\"n\":0.0}"                    },
        {-0.0,             "{\"n\":-0.0}"                   },
        {1.0,              "{\"n\":1.0}"                    },
        {-1.5,             "{\"n\":-1.5}"                   },
        {0.1,              "{\"n\":0.1}"                    },
        {30.044419,        "{\"n\":30.044419}"              },
        {0.000001,         "{\"n\":0.000001}"               },
        {123456789.25,     "{\"n\":123456789.25}"           },
        {1e15,             "{\"n\":1000000000000000}"       },
        {(double)NAN,      "{\"n\":null}"                   },
        {(double)INFINITY, "{\"n\":null}"                   },
        {1e300,            "{\"n\":1.0000000000000001e+300}"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
        const struct number number = {cases[i].n};

        CHECK_STR(cases[i].json, json_encode(arena, &number_shape, &number));
    }
}

TEST(every_real_reads_back_as_itself)
{
    struct rng_seeded seeded;

    rng_seeded_init(&seeded, 9);
    for (int i = 0; i < 20000; i++) {
        CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
        struct number number;
        struct number back = {0};

        rng_fill(&seeded.rng, &number, sizeof(number));
        if (i % 2 == 0) /* decimals of people's kind, which take the short way */
            number.n = (double)(int64_t)rng_below(&seeded.rng, 1u << 31) /
                       (double)(1 + rng_below(&seeded.rng, 1000000));
        if (!isfinite(number.n) || fabs(number.n) > 9e18)
            continue;
        CHECK_OK(
            json_read(arena, json_encode(arena, &number_shape, &number), &number_shape, &back));
        CHECK(number.n == back.n && signbit(number.n) == signbit(back.n));
    }
}

TEST(what_was_written_reads_back_and_is_written_the_same)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct sample sample;
    const str text = STR(
        "{\"flag\":true,\"score\":0.333333333333333315,\"name\":\"x\\u0009\","
        "\"id\":\"evt_01h455vb4pex5vsknk084sn02q\",\"at\":\"2026-11-22T21:22:13.007Z\","
        "\"place\":{\"city\":\"Cairo\",\"open\":false,\"within\":{\"city\":\"EG\",\"open\":true,"
        "\"within\":null}},\"numbers\":[],\"limit\":null,\"note\":\"\",\"version\":9}");

    json_clear(&sample_shape, &sample);
    CHECK_OK(json_read(arena, text, &sample_shape, &sample));
    const str once = json_encode(arena, &sample_shape, &sample);
    json_clear(&sample_shape, &sample);
    CHECK_OK(json_read(arena, once, &sample_shape, &sample));
    CHECK(str_eq(once, json_encode(arena, &sample_shape, &sample)));
}

TEST(a_full_buffer_overflows_and_keeps_what_fits)
{
    CLEANUP(buf_done) struct buf buf = buf_on_heap(20);
    struct sample sample;

    json_clear(&sample_shape, &sample);
    sample.name = STR("0123456789012345678901234567890123456789");
    json_write(&buf, &sample_shape, &sample);
    CHECK(buf.overflow);
    CHECK_STR("{\"flag\":false", buf_str(&buf));
}
