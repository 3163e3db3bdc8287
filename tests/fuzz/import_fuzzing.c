/* tests/fuzz/import_fuzzing.c - files of events from hostile hands.
 *
 * Whatever comes in: no crash, no undefined behaviour, no endless search, and what is given on is what import/read.h says: texts are
 * UTF-8 of bounded length without control characters, ends are not before starts, amounts and places are within their bounds. */
#include "import_fuzzing.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/mem.h"
#include "platform/zone/zone.h"

enum { SIZE_MAX_TAKEN = 64 * 1024, WORK = 50000 };
#define NOW_MS INT64_C(1780272000000)

struct told {
    size_t rows;
    size_t refused;
    uint64_t hash;
};

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void check_text(struct told *told, str text, size_t most, bool many_lines)
{
    if (text.ptr == NULL)
        return;
    demand(text.size > 0 && str_is_utf8(text) && str_code_points(text) <= most);
    for (size_t i = 0; i < text.size; i++) {
        const uint8_t byte = (uint8_t)text.ptr[i];

        demand(byte != 0x7F && (byte >= 0x20 || (many_lines && (byte == '\n' || byte == '\t'))));
    }
    told->hash = told->hash * 31 + str_hash(text);
}

static void check_offers(const struct import_event *event)
{
    demand(event->offer_count > 0 && event->offer_count <= IMPORT_OFFERS_MAX);
    for (size_t i = 0; i < event->offer_count; i++) {
        const struct import_offer *offer = &event->offers[i];

        demand(offer->price_minor >= -1 && offer->price_minor <= MONEY_MINOR_MAX);
        demand(offer->price_minor < 0 || event->currency.code[0] != '\0');
        demand(offer->quantity == -1 ||
               (offer->quantity >= (event->terms != NULL ? 0 : 1) && /* our own may have none */
                offer->quantity <= IMPORT_QUANTITY_MAX));
        demand(offer->sales_start_ms == INT64_MIN || offer->sales_end_ms == INT64_MIN ||
               offer->sales_start_ms < offer->sales_end_ms);
    }
}

static err check_row(void *arg, const struct import_event *event)
{
    struct told *told = arg;

    told->rows++;
    demand(event->name.ptr != NULL && event->line > 0);
    check_text(told, event->name, IMPORT_NAME_MAX, false);
    check_text(told, event->url, IMPORT_URL_MAX, false);
    check_text(told, event->city, IMPORT_PLACE_MAX, false);
    check_text(told, event->country, IMPORT_PLACE_MAX, false);
    check_text(told, event->venue, IMPORT_NAME_MAX, false);
    check_text(told, event->address, IMPORT_ADDRESS_MAX, false);
    check_text(told, event->type, IMPORT_TYPE_MAX, false);
    check_text(told, event->description, IMPORT_DESCRIPTION_MAX, true);
    check_text(told, event->timezone, IMPORT_ZONE_MAX, false);
    check_text(told, event->uid, IMPORT_UID_MAX, false);
    demand(event->artist_count <= IMPORT_ARTISTS_MAX);
    for (size_t i = 0; i < event->artist_count; i++)
        check_text(told, event->artists[i], IMPORT_NAME_MAX, false);
    check_offers(event);
    demand(event->starts.kind != IMPORT_UNKNOWN);
    demand(isnan(event->lat) || (event->lat >= -90 && event->lat <= 90));
    demand(isnan(event->lon) || (event->lon >= -180 && event->lon <= 180));
    if (event->starts.kind == IMPORT_INSTANT && event->ends.kind == IMPORT_INSTANT)
        demand(event->ends.at_ms >= event->starts.at_ms);
    return ERR_OK;
}

static void count_refused(void *arg, [[maybe_unused]] size_t line, const char *reason)
{
    struct told *told = arg;

    demand(str_is_utf8(str_of(reason)) && reason[0] != '\0');
    told->refused++;
}

static void hear_note([[maybe_unused]] void *arg, [[maybe_unused]] size_t line, const char *what)
{
    demand(what[0] != '\0');
}

static struct told read_once(err (*read)(str text, const struct import_reader *reader), str text,
                             struct zones *zones)
{
    struct told told = {0};
    const struct import_reader reader = {
        .row = check_row,
        .refused = count_refused,
        .ignored = hear_note,
        .arg = &told,
        .zones = zones,
        .now_ms = NOW_MS,
        .work = WORK,
    };
    const err e = read(text, &reader);

    demand(e == ERR_OK || e == ERR_MALFORMED);
    demand(e == ERR_OK || told.refused > 0);
    return told;
}

int import_fuzz(err (*read)(str text, const struct import_reader *reader), const uint8_t *data,
                size_t size)
{
    static struct zones *zones;
    const str text = {(const char *)data, size};

    if (zones == NULL)
        zones = zones_open(NULL);
    if (size > SIZE_MAX_TAKEN)
        return 0;
    const struct told first = read_once(read, text, zones);
    const struct told again = read_once(read, text, zones);

    demand(first.rows == again.rows && first.refused == again.refused && first.hash == again.hash);
    return 0;
}
