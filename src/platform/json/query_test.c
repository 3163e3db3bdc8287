/* platform/json/query_test.c */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "base/id.h"
#include "base/time.h"
#include "platform/json/json.h"

struct search {
    str text;
    str cursor;
    struct uuid event;
    int64_t limit;
    int64_t from_ms;
    double lat;
    bool available;
    int sort;
};

static const char *const sorts[] = {"date_asc", "price_asc", NULL};
static const struct json_field search_fields[] = {
    JSON_F_TEXT("search", struct search, text, 1, 10, JSON_OPTIONAL),
    JSON_F_TOKEN("cursor", struct search, cursor, 1, 8, JSON_OPTIONAL),
    JSON_F_ID("event_id", struct search, event, "evt", JSON_OPTIONAL),
    JSON_F_I64("limit", struct search, limit, 1, 100, JSON_OPTIONAL),
    JSON_F_TIME("date_from", struct search, from_ms, JSON_OPTIONAL),
    JSON_F_REAL("lat", struct search, lat, -90, 90, JSON_OPTIONAL),
    JSON_F_BOOL("available", struct search, available, JSON_OPTIONAL),
    JSON_F_ENUM("sort", struct search, sort, sorts, JSON_OPTIONAL),
};
static const struct json_shape search_shape = JSON_SHAPE(search_fields, struct search);

TEST(every_kind_of_parameter_is_read)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct search search = {.limit = 20};
    struct json_errors errors;

    CHECK_OK(json_decode_query(
        arena,
        STR("search=a+%62%C3%A4%2B%2f%4f%5A%39%30&cursor=x%3d&event_id=evt_"
            "01h455vb4pex5vsknk084sn02q&"
            "date_from=2026-11-22T21:22:13Z&lat=-12.5e0&available=true&sort=price_asc"),
        &search_shape, &search, &errors));
    CHECK_I64(0, (int64_t)errors.count);
    CHECK_STR("a b\xc3\xa4+/OZ90", search.text);
    CHECK_STR("x=", search.cursor);
    CHECK(!uuid_is_zero(search.event));
    CHECK_I64(20, search.limit);
    CHECK_I64(1795382533000, search.from_ms);
    CHECK(search.lat == -12.5 && search.available);
    CHECK_I64(1, search.sort);
}

TEST(a_date_is_its_midnight_in_utc)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct search search = {0};

    CHECK_OK(json_decode_query(arena, STR("date_from=2026-11-22"), &search_shape, &search, NULL));
    CHECK_STR("2026-11-22T00:00:00Z", str_of(time_format(search.from_ms).text));
    CHECK_OK(json_decode_query(arena, STR("date_from=2026-11-22T01:00:00%2B01:00"), &search_shape,
                               &search, NULL));
    CHECK_STR("2026-11-22T00:00:00Z", str_of(time_format(search.from_ms).text));
}

TEST(an_empty_query_changes_nothing)
{
    static const str queries[] = {STR_ABSENT, STR(""), STR("&"), STR("&&&")};

    for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
        CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
        struct search search = {.limit = 20};

        CHECK_OK(json_decode_query(arena, queries[i], &search_shape, &search, NULL));
        CHECK_I64(20, search.limit);
    }
}

TEST(what_is_wrong_with_a_query_is_named)
{
    /* clang-format off */
    static const struct {
        str query;
        err verdict;
        const char *name;
        const char *detail;
    } cases[] = {
        {STR("limit=0"), ERR_INVALID, "limit", "must be a whole number from 1 to 100"},
        {STR("limit=1.0"), ERR_INVALID, "limit", "must be a whole number from 1 to 100"},
        {STR("limit=+5"), ERR_INVALID, "limit", "must be a whole number from 1 to 100"},
        {STR("limit=99999999999999999999"), ERR_INVALID, "limit",
         "must be a whole number from 1 to 100"},
        {STR("limit="), ERR_INVALID, "limit", "must not be empty"},
        {STR("limit"), ERR_INVALID, "limit", "must not be empty"},
        {STR("limit=5&limit=5"), ERR_INVALID, "limit", "is given twice"},
        {STR("available=1"), ERR_INVALID, "available", "must be true or false"},
        {STR("available=TRUE"), ERR_INVALID, "available", "must be true or false"},
        {STR("lat=inf"), ERR_INVALID, "lat", "must be a number from -90 to 90"},
        {STR("lat=0x10"), ERR_INVALID, "lat", "must be a number from -90 to 90"},
        {STR("lat=nan"), ERR_INVALID, "lat", "must be a number from -90 to 90"},
        {STR("lat=91"), ERR_INVALID, "lat", "must be a number from -90 to 90"},
        {STR("lat=1,2"), ERR_INVALID, "lat", "must be a number from -90 to 90"},
        {STR("sort=up"), ERR_INVALID, "sort", "must be one of date_asc, price_asc"},
        {STR("date_from=yesterday"), ERR_INVALID, "date_from",
         "must be a time like 2026-11-22T21:22:13Z or a date like 2026-11-22"},
        {STR("date_from=2026-02-30"), ERR_INVALID, "date_from",
         "must be a time like 2026-11-22T21:22:13Z or a date like 2026-11-22"},
        {STR("event_id=ord_01h455vb4pex5vsknk084sn02q"), ERR_INVALID, "event_id",
         "must be an id that begins with evt_"},
        {STR("search=12345678901"), ERR_INVALID, "search", "must have 1 to 10 characters"},
        {STR("search=%1b"), ERR_INVALID, "search", "must not contain control characters"},
        {STR("color=red"), ERR_UNKNOWN_FIELD, "color", "is not a known parameter"},
        {STR("=red"), ERR_UNKNOWN_FIELD, "", "is not a known parameter"},
        {STR("limit=0&color=red"), ERR_UNKNOWN_FIELD, "color", "is not a known parameter"},
        {STR("search=%"), ERR_MALFORMED, "search", "is not percent-encoded UTF-8"},
        {STR("search=%4"), ERR_MALFORMED, "search", "is not percent-encoded UTF-8"},
        {STR("search=%zz"), ERR_MALFORMED, "search", "is not percent-encoded UTF-8"},
        {STR("search=%00"), ERR_MALFORMED, "search", "is not percent-encoded UTF-8"},
        {STR("search=%ff"), ERR_MALFORMED, "search", "is not percent-encoded UTF-8"},
        {STR("search=%c3"), ERR_MALFORMED, "search", "is not percent-encoded UTF-8"},
        {STR("search=\xff"), ERR_MALFORMED, "search", "is not percent-encoded UTF-8"},
        {STR("color=1&limit=0&%f=1"), ERR_MALFORMED, "%f", "is not percent-encoded UTF-8"},
        {STR("\xff=1"), ERR_MALFORMED, "", "is not percent-encoded UTF-8"},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
        struct search search = {.limit = 20};
        struct json_errors errors;

        CHECK_ERR(cases[i].verdict,
                  json_decode_query(arena, cases[i].query, &search_shape, &search, &errors));
        CHECK(errors.count >= 1);
        CHECK_STR(cases[i].name, errors.items[0].pointer);
        CHECK_STR(cases[i].detail, errors.items[0].detail);
        CHECK_I64(20, search.limit);
    }
}

TEST(an_escape_is_not_read_beyond_the_end)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const str query = STR("search=%41");
    struct search search = {0};

    for (size_t cut = 1; cut <= 2; cut++)
        CHECK_ERR(ERR_MALFORMED, json_decode_query(arena, str_slice(query, 0, query.size - cut),
                                                   &search_shape, &search, NULL));
}

TEST(a_long_unknown_name_is_shown_cut)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct search search = {0};
    struct json_errors errors;

    CHECK_ERR(ERR_UNKNOWN_FIELD, json_decode_query(arena, arena_printf(arena, "%0500d=1", 1),
                                                   &search_shape, &search, &errors));
    CHECK_I64(64, (int64_t)errors.items[0].pointer.size);
}

TEST(a_name_is_cut_between_characters)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    CLEANUP(buf_done) struct buf query = buf_on_heap(1000);
    struct search search = {0};
    struct json_errors errors = {0};

    for (int i = 0; i < 30; i++)
        buf_add_cstr(&query, "%e2%82%ac");
    CHECK_ERR(ERR_UNKNOWN_FIELD,
              json_decode_query(arena, buf_str(&query), &search_shape, &search, &errors));
    CHECK_I64(63, (int64_t)errors.items[0].pointer.size);
    CHECK(str_is_utf8(errors.items[0].pointer));
}

TEST(required_parameters_are_required)
{
    static const struct json_field fields[] = {
        JSON_F_I64("year", struct search, limit, 1, 9999, JSON_REQUIRED),
    };
    static const struct json_shape shape = JSON_SHAPE(fields, struct search);
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct search search = {0};
    struct json_errors errors;

    CHECK_ERR(ERR_INVALID, json_decode_query(arena, STR(""), &shape, &search, &errors));
    CHECK_STR("year", errors.items[0].pointer);
    CHECK_STR("is required", errors.items[0].detail);
    CHECK_OK(json_decode_query(arena, STR("year=2026"), &shape, &search, &errors));
    CHECK_I64(2026, search.limit);
}
