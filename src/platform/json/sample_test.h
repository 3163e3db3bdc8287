/* platform/json/sample_test.h - a shape with a row of every kind, for tests and for the fuzzer. */
#pragma once

#include "base/id.h"
#include "base/money.h"
#include "platform/json/json.h"

struct place {
    str city;
    int64_t seats;
    double lat;
    bool open;
    int kind;
    struct place *within;
};

struct line {
    struct uuid type;
    int64_t quantity;
    struct money price;
    str *names;
    size_t name_count;
    int64_t row;
};

struct sample {
    bool flag;
    int64_t count;
    int64_t any_count;
    double score;
    str name;
    str token;
    struct uuid id;
    struct money price;
    int64_t at_ms;
    int kind;
    struct place *place;
    struct line *lines;
    size_t line_count;
    int64_t *numbers;
    size_t number_count;
    str raw;
    int64_t limit; /* nullable */
    str note;      /* nullable */
    int64_t version;
    str password;
};

static const char *const sample_kinds[] = {"concert", "theatre", "other", NULL};

static const struct json_shape place_shape;
static const struct json_field place_fields[] = {
    JSON_F_TEXT("city", struct place, city, 1, 20, JSON_REQUIRED),
    JSON_F_I64("seats", struct place, seats, 0, 1000, JSON_OPTIONAL),
    JSON_F_REAL("lat", struct place, lat, -90, 90, JSON_OPTIONAL),
    JSON_F_BOOL("open", struct place, open, JSON_OPTIONAL),
    JSON_F_ENUM("kind", struct place, kind, sample_kinds, JSON_OPTIONAL),
    JSON_F_OBJECT("within", struct place, within, &place_shape, JSON_NULLABLE),
};
static const struct json_shape place_shape = JSON_SHAPE(place_fields, struct place);

static const struct json_field name_item = {.type = JSON_TEXT, .min = 1, .max = 10};
static const struct json_field number_item = {
    .type = JSON_I64, .min = INT64_MIN, .max = INT64_MAX, .flags = JSON_NULLABLE};

static const struct json_field line_fields[] = {
    JSON_F_ID("type", struct line, type, "tt", JSON_REQUIRED),
    JSON_F_I64("quantity", struct line, quantity, 1, 10, JSON_REQUIRED),
    JSON_F_MONEY("price", struct line, price, 0, MONEY_MINOR_MAX, JSON_OPTIONAL),
    JSON_F_SCALARS("names", struct line, names, name_count, &name_item, 0, 5, JSON_OPTIONAL),
    JSON_F_I64("row", struct line, row, 0, 99, JSON_OPTIONAL),
};
static const struct json_shape line_shape = JSON_SHAPE(line_fields, struct line);

static const struct json_field sample_fields[] = {
    JSON_F_BOOL("flag", struct sample, flag, JSON_OPTIONAL),
    JSON_F_I64("count", struct sample, count, 1, 10, JSON_OPTIONAL),
    JSON_F_I64("any_count", struct sample, any_count, INT64_MIN, INT64_MAX, JSON_OPTIONAL),
    JSON_F_REAL("score", struct sample, score, -1000000, 1000000, JSON_OPTIONAL),
    JSON_F_TEXT("name", struct sample, name, 1, 8, JSON_REQUIRED),
    JSON_F_TOKEN("token", struct sample, token, 3, 12, JSON_OPTIONAL),
    JSON_F_ID("id", struct sample, id, "evt", JSON_OPTIONAL),
    JSON_F_MONEY("price", struct sample, price, 0, MONEY_MINOR_MAX, JSON_OPTIONAL),
    JSON_F_TIME("at", struct sample, at_ms, JSON_OPTIONAL),
    JSON_F_ENUM("kind", struct sample, kind, sample_kinds, JSON_OPTIONAL),
    JSON_F_OBJECT("place", struct sample, place, &place_shape, JSON_OPTIONAL),
    JSON_F_LIST("lines", struct sample, lines, line_count, &line_shape, 1, 3, JSON_OPTIONAL),
    JSON_F_SCALARS("numbers", struct sample, numbers, number_count, &number_item, 0, 4,
                   JSON_OPTIONAL),
    JSON_F_RAW("raw", struct sample, raw, JSON_OPTIONAL),
    JSON_F_I64("limit", struct sample, limit, 1, 100, JSON_NULLABLE),
    JSON_F_TEXT("note", struct sample, note, 0, 100, JSON_NULLABLE),
    JSON_F_I64("version", struct sample, version, 0, INT64_MAX, JSON_READ_ONLY),
    JSON_F_TEXT("password", struct sample, password, 8, 20, JSON_SECRET),
};
static const struct json_shape sample_shape = JSON_SHAPE(sample_fields, struct sample);
