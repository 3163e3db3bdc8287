/* platform/json/decode_test.c */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "base/time.h"
#include "platform/json/sample_test.h"

static err decode(struct arena *arena, str text, struct sample *sample, struct json_errors *errors)
{
    struct json_doc *doc;
    str detail;

    TRY(json_parse(arena, text, &doc, &detail));
    return json_decode(arena, doc, &sample_shape, sample, errors);
}

TEST(every_kind_of_field_is_read)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct sample sample;
    struct json_errors errors = {0};
    const str text = STR(
        "{\"flag\":true,\"count\":7,\"any_count\":-9223372036854775807,\"score\":-12.5,"
        "\"name\":\"Gr\\u00fc\\u00dfe\\n\\t\",\"token\":\"a b~!\","
        "\"id\":\"evt_01h455vb4pex5vsknk084sn02q\","
        "\"price\":{\"amount\":25000,\"currency\":\"EGP\"},\"at\":\"2026-11-22T22:22:13.5+01:00\","
        "\"kind\":\"theatre\",\"place\":{\"city\":\"Cairo\",\"within\":{\"city\":\"Egypt\"}},"
        "\"lines\":[{\"type\":\"tt_01h455vb4pex5vsknk084sn02q\",\"quantity\":2,"
        "\"names\":[\"a\",\"bc\"]},"
        "{\"type\":\"tt_01h455vb4pex5vsknk084sn02r\",\"quantity\":3}],"
        "\"numbers\":[1,null,-3],\"raw\":{\"b\" : [1, 2.5, null]},\"limit\":5,\"note\":\"\"}");

    json_clear(&sample_shape, &sample);
    CHECK_OK(decode(arena, text, &sample, &errors));
    CHECK_I64(0, (int64_t)errors.count);
    CHECK(sample.flag);
    CHECK_I64(7, sample.count);
    CHECK_I64(INT64_MIN + 1, sample.any_count);
    CHECK(sample.score == -12.5);
    CHECK_STR("Gr\xc3\xbc\xc3\x9f"
              "e\n\t",
              sample.name);
    CHECK_STR("a b~!", sample.token);
    CHECK_STR("evt_01h455vb4pex5vsknk084sn02q", str_of(id_format("evt", sample.id).text));
    CHECK_I64(25000, sample.price.minor);
    CHECK_STR("EGP", str_of(sample.price.currency.code));
    CHECK_STR("2026-11-22T21:22:13.500Z", str_of(time_format(sample.at_ms).text));
    CHECK_I64(1, sample.kind);
    CHECK_STR("Cairo", sample.place->city);
    CHECK_STR("Egypt", sample.place->within->city);
    CHECK(sample.place->within->within == NULL);
    CHECK_I64(2, (int64_t)sample.line_count);
    CHECK_I64(2, sample.lines[0].quantity);
    CHECK_I64(2, (int64_t)sample.lines[0].name_count);
    CHECK_STR("bc", sample.lines[0].names[1]);
    CHECK_I64(3, sample.lines[1].quantity);
    CHECK_I64(3, (int64_t)sample.number_count);
    CHECK(sample.numbers[0] == 1 && sample.numbers[1] == JSON_NULL && sample.numbers[2] == -3);
    CHECK_STR("{\"b\":[1,2.5,null]}", sample.raw);
    CHECK_I64(5, sample.limit);
    CHECK_STR("", sample.note);
}

TEST(what_is_new_begins_absent)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct sample sample;
    const str text =
        STR("{\"name\":\"x\",\"place\":{\"city\":\"Cairo\"},"
            "\"lines\":[{\"type\":\"tt_01h455vb4pex5vsknk084sn02q\",\"quantity\":2}]}");

    memset(&sample, 0x55, sizeof(sample));
    json_clear(&sample_shape, &sample);
    CHECK_OK(decode(arena, text, &sample, NULL));
    CHECK(!sample.flag && sample.count == JSON_NULL && isnan(sample.score));
    CHECK(sample.token.ptr == NULL && uuid_is_zero(sample.id) && sample.kind == -1);
    CHECK(sample.price.currency.code[0] == '\0' && sample.at_ms == JSON_NULL);
    CHECK(sample.numbers == NULL && sample.number_count == 0 && sample.raw.ptr == NULL);
    CHECK(sample.place->seats == JSON_NULL && isnan(sample.place->lat) && !sample.place->open);
    CHECK(sample.place->kind == -1 && sample.place->within == NULL);
    CHECK(sample.lines[0].price.currency.code[0] == '\0' && sample.lines[0].names == NULL);
    CHECK_I64(JSON_NULL, sample.lines[0].row);
}

TEST(what_is_not_given_keeps_its_value)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct place country = {.city = STR("Egypt"), .seats = 9};
    struct place city = {.city = STR("Cairo"), .seats = 5, .open = true, .within = &country};
    int64_t numbers[] = {1, 2, 3};
    struct sample sample = {
        .count = 3, .note = STR("n"), .place = &city, .numbers = numbers, .number_count = 3};

    CHECK_OK(decode(arena,
                    STR("{\"name\":\"x\",\"numbers\":[8],"
                        "\"place\":{\"city\":\"Giza\",\"within\":{\"city\":\"EG\"}}}"),
                    &sample, NULL));
    CHECK_I64(3, sample.count);
    CHECK_STR("n", sample.note);
    CHECK_STR("Giza", sample.place->city);
    CHECK(sample.place->seats == 5 && sample.place->open);
    CHECK_STR("EG", sample.place->within->city);
    CHECK_I64(9, sample.place->within->seats);
    CHECK_I64(1, (int64_t)sample.number_count);
    CHECK_I64(8, sample.numbers[0]);
    /* Nothing was written through the old pointers. */
    CHECK_STR("Cairo", city.city);
    CHECK_STR("Egypt", country.city);
    CHECK_I64(1, numbers[0]);
}

TEST(null_makes_a_nullable_field_absent)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct place country = {.city = STR("Egypt")};
    struct place city = {.city = STR("Cairo"), .within = &country};
    struct sample sample = {.limit = 5, .note = STR("n"), .place = &city};

    CHECK_OK(decode(arena,
                    STR("{\"name\":\"x\",\"limit\":null,\"note\":null,"
                        "\"place\":{\"city\":\"Cairo\",\"within\":null}}"),
                    &sample, NULL));
    CHECK(sample.limit == JSON_NULL && sample.note.ptr == NULL && sample.place->within == NULL);
}

TEST(big_integers_become_reals_and_texts_stay_as_they_are)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct sample sample = {0};

    CHECK_OK(decode(arena,
                    STR("{\"name\":\"x\",\"raw\":[9223372036854775808,-9223372036854775808,"
                        "\"9223372036854775808\",\"\\\"-9223372036854775809\",5]}"),
                    &sample, NULL));
    CHECK_STR("[9.2233720368547758e18,-9223372036854775808,"
              "\"9223372036854775808\",\"\\\"-9223372036854775809\",5]",
              sample.raw);
}

TEST(a_failure_leaves_the_value_alone)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct sample sample = {.count = 4};

    CHECK_ERR(ERR_INVALID,
              decode(arena, STR("{\"name\":\"x\",\"flag\":true,\"count\":0}"), &sample, NULL));
    CHECK(!sample.flag && sample.count == 4 && sample.name.ptr == NULL);
}

TEST(texts_outlive_the_document_they_came_from)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct arena *short_lived = arena_open(0);
    struct json_doc *doc;
    struct sample sample = {0};
    str detail;

    CHECK_OK(json_parse(short_lived, STR("{\"name\":\"x\",\"raw\":[\"y\"]}"), &doc, &detail));
    CHECK_OK(json_decode(arena, doc, &sample_shape, &sample, NULL));
    arena_close(short_lived);
    CHECK_STR("x", sample.name);
    CHECK_STR("[\"y\"]", sample.raw);
}

/* clang-format off */
static const struct fault_case {
    const char *member;
    const char *pointer;
    const char *detail;
} faults[] = {
    {"\"flag\":1", "/flag", "must be true or false"},
    {"\"flag\":\"true\"", "/flag", "must be true or false"},
    {"\"flag\":null", "/flag", "must not be null"},
    {"\"count\":0", "/count", "must be a whole number from 1 to 10"},
    {"\"count\":11", "/count", "must be a whole number from 1 to 10"},
    {"\"count\":1.0", "/count", "must be a whole number from 1 to 10"},
    {"\"count\":1e0", "/count", "must be a whole number from 1 to 10"},
    {"\"count\":\"1\"", "/count", "must be a whole number from 1 to 10"},
    {"\"count\":null", "/count", "must not be null"},
    {"\"count\":9223372036854775808", "/count", "must be a whole number from 1 to 10"},
    {"\"count\":-99999999999999999999999999", "/count", "must be a whole number from 1 to 10"},
    {"\"any_count\":9223372036854775808", "/any_count", "must be a whole number"},
    {"\"any_count\":-9223372036854775808", "/any_count", "must be a whole number"},
    {"\"score\":\"1\"", "/score", "must be a number from -1000000 to 1000000"},
    {"\"score\":1000000.5", "/score", "must be a number from -1000000 to 1000000"},
    {"\"score\":1e300", "/score", "must be a number from -1000000 to 1000000"},
    {"\"name\":\"\"", "/name", "must have 1 to 8 characters"},
    {"\"name\":\"123456789\"", "/name", "must have 1 to 8 characters"},
    {"\"name\":5", "/name", "must be a text"},
    {"\"name\":[\"x\"]", "/name", "must be a text"},
    {"\"name\":\"a\\rb\"", "/name", "must not contain control characters"},
    {"\"name\":\"a\\u001bb\"", "/name", "must not contain control characters"},
    {"\"name\":\"a\\u007fb\"", "/name", "must not contain control characters"},
    {"\"name\":\"a\\u0085b\"", "/name", "must not contain control characters"},
    {"\"token\":\"ab\"", "/token", "must have 3 to 12 printable ASCII characters"},
    {"\"token\":\"1234567890123\"", "/token", "must have 3 to 12 printable ASCII characters"},
    {"\"token\":\"abc\\n\"", "/token", "must have 3 to 12 printable ASCII characters"},
    {"\"token\":\"abc\\u00e4\"", "/token", "must have 3 to 12 printable ASCII characters"},
    {"\"id\":\"ord_01h455vb4pex5vsknk084sn02q\"", "/id", "must be an id that begins with evt_"},
    {"\"id\":\"evt_00000000000000000000000000\"", "/id", "must be an id that begins with evt_"},
    {"\"id\":7", "/id", "must be a text"},
    {"\"price\":25", "/price", "must be an object with amount and currency"},
    {"\"price\":{\"currency\":\"EUR\"}", "/price/amount", "is required"},
    {"\"price\":{\"amount\":5}", "/price/currency", "is required"},
    {"\"price\":{\"amount\":-1,\"currency\":\"EUR\"}", "/price/amount",
     "must be a whole number from 0 to 1000000000000"},
    {"\"price\":{\"amount\":1000000000001,\"currency\":\"EUR\"}", "/price/amount",
     "must be a whole number from 0 to 1000000000000"},
    {"\"price\":{\"amount\":2.50,\"currency\":\"EUR\"}", "/price/amount",
     "must be a whole number from 0 to 1000000000000"},
    {"\"price\":{\"amount\":null,\"currency\":\"EUR\"}", "/price/amount",
     "must be a whole number from 0 to 1000000000000"},
    {"\"price\":{\"amount\":5,\"currency\":\"eur\"}", "/price/currency",
     "must be an ISO 4217 code in capitals, like EUR"},
    {"\"price\":{\"amount\":5,\"currency\":978}", "/price/currency",
     "must be an ISO 4217 code in capitals, like EUR"},
    {"\"at\":\"2026-02-30T00:00:00Z\"", "/at", "must be a time like 2026-11-22T21:22:13Z"},
    {"\"at\":\"2026-02-03\"", "/at", "must be a time like 2026-11-22T21:22:13Z"},
    {"\"at\":1795382533", "/at", "must be a text"},
    {"\"kind\":\"Concert\"", "/kind", "must be one of concert, theatre, other"},
    {"\"kind\":0", "/kind", "must be a text"},
    {"\"place\":[]", "/place", "must be an object"},
    {"\"place\":null", "/place", "must not be null"},
    {"\"place\":{}", "/place/city", "is required"},
    {"\"place\":{\"city\":\"x\",\"within\":{\"city\":\"y\",\"seats\":-1}}", "/place/within/seats",
     "must be a whole number from 0 to 1000"},
    {"\"lines\":{}", "/lines", "must be a list"},
    {"\"lines\":[]", "/lines", "must have 1 to 3 elements"},
    {"\"lines\":[1,2,3,4]", "/lines", "must have 1 to 3 elements"},
    {"\"lines\":[null]", "/lines/0", "must be an object"},
    {"\"lines\":[{\"type\":\"tt_01h455vb4pex5vsknk084sn02q\",\"quantity\":2},"
     "{\"type\":\"tt_01h455vb4pex5vsknk084sn02q\",\"quantity\":11}]", "/lines/1/quantity",
     "must be a whole number from 1 to 10"},
    {"\"lines\":[{\"quantity\":2}]", "/lines/0/type", "is required"},
    {"\"lines\":[{\"type\":\"tt_01h455vb4pex5vsknk084sn02q\",\"quantity\":2,"
     "\"names\":[\"a\",\"\"]}]", "/lines/0/names/1", "must have 1 to 10 characters"},
    {"\"lines\":[{\"type\":\"tt_01h455vb4pex5vsknk084sn02q\",\"quantity\":2,\"names\":[null]}]",
     "/lines/0/names/0", "must not be null"},
    {"\"lines\":[{\"type\":\"tt_01h455vb4pex5vsknk084sn02q\",\"quantity\":2,"
     "\"price\":{\"amount\":1,\"currency\":\"EURO\"}}]", "/lines/0/price/currency",
     "must be an ISO 4217 code in capitals, like EUR"},
    {"\"numbers\":[1,2,true]", "/numbers/2", "must be a whole number"},
    {"\"raw\":null", "/raw", "must not be null"},
    {"\"raw\":[[[[[[[[[]]]]]]]]]", "/raw", "must not be nested deeper than 8"},
    {"\"password\":\"short\"", "/password", "must have 8 to 20 characters"},
};
/* clang-format on */

TEST(what_is_wrong_is_named_by_pointer_and_in_words)
{
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
        const bool names_itself = strncmp(faults[i].member, "\"name\":", 7) == 0;
        struct sample sample = {0};
        struct json_errors errors = {0};

        CHECK_ERR(ERR_INVALID, decode(arena,
                                      arena_printf(arena, "{%s%s}", faults[i].member,
                                                   names_itself ? "" : ",\"name\":\"x\""),
                                      &sample, &errors));
        CHECK_I64(1, (int64_t)errors.count);
        CHECK_STR(faults[i].pointer, errors.items[0].pointer);
        CHECK_STR(faults[i].detail, errors.items[0].detail);
    }
}

TEST(text_is_measured_in_code_points_and_may_hold_any_script)
{
    static const char *const names[] = {
        "\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac\\u20ac",
        "\xe2\x82\xac\xe2\x82\xac",
        "\xd9\x85\xd8\xb1\xd8\xad\xd8\xa8\xd8\xa7",
        "\\ud83d\\ude00",
        "\xef\xbb\xbfx",
        "\xe2\x80\x8fx",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
        struct sample sample = {0};

        CHECK_OK(decode(arena, arena_printf(arena, "{\"name\":\"%s\"}", names[i]), &sample, NULL));
    }
}

TEST(a_text_that_must_say_something_is_not_blank)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct json_errors errors = {0};
    struct sample sample = {0};

    CHECK_ERR(ERR_INVALID, decode(arena, STR("{\"name\":\" \\n \"}"), &sample, &errors));
    CHECK_STR("must not be blank", errors.items[0].detail);
}

TEST(bounds_are_inclusive)
{
    static const char *const members[] = {
        "\"count\":1",
        "\"count\":10",
        "\"score\":-1000000",
        "\"score\":1000000.0",
        "\"token\":\"abc\"",
        "\"token\":\"123456789012\"",
        "\"token\":\" ~~\"",
        "\"numbers\":[]",
        "\"numbers\":[1,2,3,4]",
        "\"password\":\"12345678\"",
        "\"price\":{\"amount\":1000000000000,\"currency\":\"EUR\"}",
        "\"raw\":[[[[[[[[]]]]]]]]",
    };
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
        struct sample sample = {0};

        CHECK_OK(decode(arena, arena_printf(arena, "{\"name\":\"12345678\",%s}", members[i]),
                        &sample, NULL));
    }
}

TEST(all_faults_are_listed_in_the_order_of_the_document)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct sample sample = {0};
    struct json_errors errors = {0};

    CHECK_ERR(ERR_INVALID,
              decode(arena, STR("{\"kind\":\"x\",\"count\":99,\"place\":{}}"), &sample, &errors));
    CHECK_I64(4, (int64_t)errors.count);
    CHECK_STR("/kind", errors.items[0].pointer);
    CHECK_STR("/count", errors.items[1].pointer);
    CHECK_STR("/place/city", errors.items[2].pointer);
    CHECK_STR("/name", errors.items[3].pointer);
    CHECK_STR("is required", errors.items[3].detail);
}

TEST(an_unknown_field_anywhere_wins_over_invalid_ones)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct sample sample = {0};
    struct json_errors errors = {0};

    CHECK_ERR(ERR_UNKNOWN_FIELD,
              decode(arena,
                     STR("{\"count\":99,\"lines\":[{\"quantity\":0,\"color\":1}],"
                         "\"price\":{\"amount\":1,\"currency\":\"EUR\",\"vat\":0},\"version\":1}"),
                     &sample, &errors));
    CHECK_I64(7, (int64_t)errors.count);
    CHECK_STR("/lines/0/color", errors.items[0].pointer);
    CHECK_STR("is not a known field", errors.items[0].detail);
    CHECK_STR("/price/vat", errors.items[1].pointer);
    CHECK_STR("/version", errors.items[2].pointer);
    CHECK_STR("/count", errors.items[3].pointer);
    CHECK_STR("/lines/0/quantity", errors.items[4].pointer);
    CHECK_STR("/lines/0/type", errors.items[5].pointer);
    CHECK_STR("/name", errors.items[6].pointer);
}

TEST(names_match_whole_and_exactly)
{
    static const char *const names[] = {"nam", "names", "Name", "", "name\\t"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
        struct sample sample = {0};

        CHECK_ERR(ERR_UNKNOWN_FIELD,
                  decode(arena, arena_printf(arena, "{\"name\":\"x\",\"%s\":1}", names[i]), &sample,
                         NULL));
    }
}

TEST(a_list_of_faults_is_bounded_and_unknown_fields_go_first)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    CLEANUP(buf_done) struct buf text = buf_on_heap(10000);
    struct sample sample = {0};
    struct json_errors errors = {0};

    buf_add_cstr(&text, "{\"count\":0");
    for (int i = 0; i < 40; i++)
        buf_printf(&text, ",\"u%d\":%d", i, i);
    buf_add_cstr(&text, "}");
    CHECK_ERR(ERR_UNKNOWN_FIELD, decode(arena, buf_str(&text), &sample, &errors));
    CHECK_I64(JSON_ERRORS_MAX, (int64_t)errors.count);
    CHECK_STR("/u0", errors.items[0].pointer);
    CHECK_STR("/u15", errors.items[15].pointer);
}

TEST(pointers_are_escaped_and_long_names_cut)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct sample sample = {0};
    struct json_errors errors = {0};
    const str long_name = arena_printf(arena, "%0100d", 1);

    CHECK_ERR(ERR_UNKNOWN_FIELD,
              decode(arena, arena_printf(arena, "{\"a/b~c\":1,\"%.*s\":2}", STR_ARG(long_name)),
                     &sample, &errors));
    CHECK_STR("/a~1b~0c", errors.items[0].pointer);
    CHECK(str_ends(errors.items[1].pointer, STR("...")));
    CHECK_I64(1 + 64 + 3, (int64_t)errors.items[1].pointer.size);
}

TEST(a_document_that_is_no_object_is_invalid_as_a_whole)
{
    static const char *const texts[] = {"[]", "\"name\"", "5", "null", "true"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
        struct sample sample = {0};
        struct json_errors errors = {0};

        CHECK_ERR(ERR_INVALID, decode(arena, str_of(texts[i]), &sample, &errors));
        CHECK_STR("", errors.items[0].pointer);
        CHECK_STR("must be an object", errors.items[0].detail);
    }
}

TEST(our_own_text_may_be_newer_than_its_reader)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct sample sample = {0};

    CHECK_OK(json_read(arena,
                       STR("{\"name\":\"x\",\"version\":3,\"color\":\"red\","
                           "\"price\":{\"amount\":1,\"currency\":\"EUR\",\"vat\":0}}"),
                       &sample_shape, &sample));
    CHECK_I64(3, sample.version);
    CHECK_I64(1, sample.price.minor);
    CHECK_ERR(ERR_INVALID, json_read(arena, STR("{}"), &sample_shape, &sample));
    CHECK_ERR(ERR_MALFORMED, json_read(arena, STR("{"), &sample_shape, &sample));
    CHECK_ERR(ERR_MALFORMED, json_read(arena, STR_ABSENT, &sample_shape, &sample));
}
