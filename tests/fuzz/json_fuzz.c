/* tests/fuzz/json_fuzz.c - JSON and query strings from hostile hands.
 *
 * Whatever comes in: no crash, no undefined behaviour, and these hold. What was decoded is
 * encoded into something that decodes again and encodes the same. What was refused names at
 * least one fault, in well-formed UTF-8. Any bytes written as a text make a document that
 * parses. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "platform/json/sample_test.h"

enum { SIZE_MAX_TAKEN = 64 * 1024, WRITTEN_SIZE_MAX = 16 * SIZE_MAX_TAKEN };

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void check_faults(const struct json_errors *errors)
{
    demand(errors->count > 0 && errors->count <= JSON_ERRORS_MAX);
    for (size_t i = 0; i < errors->count; i++) {
        demand(str_is_utf8(errors->items[i].pointer) && str_is_utf8(errors->items[i].detail));
        demand(errors->items[i].detail.size > 0);
    }
}

static void check_round_trip(struct arena *arena, const struct sample *sample)
{
    const str once = json_encode(arena, &sample_shape, sample);
    struct sample again;

    demand(once.ptr != NULL && str_is_utf8(once));
    json_clear(&sample_shape, &again);
    demand(json_read(arena, once, &sample_shape, &again) == ERR_OK);
    demand(str_eq(once, json_encode(arena, &sample_shape, &again)));
}

static void try_document(struct arena *arena, str text)
{
    struct json_errors errors;
    struct json_doc *doc;
    struct sample sample;
    uint8_t digest[32];
    str detail = STR_ABSENT;

    if (json_parse(arena, text, &doc, &detail) != ERR_OK) {
        demand(detail.size > 0);
        return;
    }
    json_digest(doc, digest);
    json_clear(&sample_shape, &sample);
    if (json_decode(arena, doc, &sample_shape, &sample, &errors) == ERR_OK)
        check_round_trip(arena, &sample);
    else
        check_faults(&errors);

    json_clear(&sample_shape, &sample);
    if (json_read(arena, text, &sample_shape, &sample) == ERR_OK)
        check_round_trip(arena, &sample);
}

static void try_text(struct arena *arena, str text)
{
    struct buf buf = buf_in(arena, WRITTEN_SIZE_MAX);
    struct json_doc *doc;
    str detail;

    json_write_text(&buf, text);
    demand(!buf.overflow);
    /* NUL is written as an escape that parsing refuses on purpose. */
    for (size_t i = 0; i < text.size; i++)
        if (text.ptr[i] == '\0')
            return;
    demand(json_parse(arena, buf_str(&buf), &doc, &detail) == ERR_OK);
}

struct query {
    str text;
    struct uuid event;
    int64_t limit;
    int64_t from_ms;
    double lat;
    bool available;
    int kind;
};

static const struct json_field query_fields[] = {
    JSON_F_TEXT("search", struct query, text, 1, 10, JSON_OPTIONAL),
    JSON_F_ID("event_id", struct query, event, "evt", JSON_OPTIONAL),
    JSON_F_I64("limit", struct query, limit, 1, 100, JSON_OPTIONAL),
    JSON_F_TIME("from", struct query, from_ms, JSON_OPTIONAL),
    JSON_F_REAL("lat", struct query, lat, -90, 90, JSON_OPTIONAL),
    JSON_F_BOOL("available", struct query, available, JSON_OPTIONAL),
    JSON_F_ENUM("kind", struct query, kind, sample_kinds, JSON_OPTIONAL),
};
static const struct json_shape query_shape = JSON_SHAPE(query_fields, struct query);

static void try_query(struct arena *arena, str text)
{
    struct json_errors errors;
    struct query query;

    json_clear(&query_shape, &query);
    if (json_decode_query(arena, text, &query_shape, &query, &errors) != ERR_OK)
        check_faults(&errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const str text = {(const char *)data, size};

    if (size > SIZE_MAX_TAKEN)
        return 0;
    if (size > 0 && data[0] == '?')
        try_query(arena, str_slice(text, 1, size));
    else
        try_document(arena, text);
    try_text(arena, text);
    return 0;
}
