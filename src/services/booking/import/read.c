/* services/booking/import/read.c - checks a row and makes an event of its texts.
 *
 * A check gives NULL or the reason as people read it, with the name of the column. What the file
 * leaves out stays absent: defaults belong to whoever stores the event. */

#include "services/booking/import/read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "services/booking/import/row.h"

enum {
    DATE_SIZE = 10,
    MINUTES_SIZE = 5, /* "20:30" */
    PRICE_DIGITS_MAX = 18,
    ONLINE_TEXT_MAX = 5,
    NUMBER_TEXT_MAX = 30,
    STATUS_TEXT_MAX = 10,
    WHEN_TEXT_MAX = 40,
    ARTISTS_TEXT_MAX = IMPORT_ARTISTS_MAX * (IMPORT_NAME_MAX + 2),
};

/* --- Texts --- */

/* In the order of enum import_column. */
static const struct column {
    const char *name;
    size_t code_points_max;
} columns[IMPORT_COLUMNS] = {
    {"name",        IMPORT_NAME_MAX       },
    {"starts_at",   WHEN_TEXT_MAX         },
    {"ends_at",     WHEN_TEXT_MAX         },
    {"timezone",    IMPORT_ZONE_MAX       },
    {"venue",       IMPORT_NAME_MAX       },
    {"address",     IMPORT_ADDRESS_MAX    },
    {"city",        IMPORT_PLACE_MAX      },
    {"country",     IMPORT_PLACE_MAX      },
    {"type",        IMPORT_TYPE_MAX       },
    {"description", IMPORT_DESCRIPTION_MAX},
    {"url",         IMPORT_URL_MAX        },
    {"online",      ONLINE_TEXT_MAX       },
    {"price",       NUMBER_TEXT_MAX       },
    {"currency",    CURRENCY_CODE_SIZE    },
    {"quantity",    NUMBER_TEXT_MAX       },
    {"uid",         IMPORT_UID_MAX        },
    {"status",      STATUS_TEXT_MAX       },
    {"lat",         NUMBER_TEXT_MAX       },
    {"lon",         NUMBER_TEXT_MAX       },
    {"doors_at",    WHEN_TEXT_MAX         },
    {"artists",     ARTISTS_TEXT_MAX      },
};

const char *import_column_name(enum import_column column)
{
    return columns[column].name;
}

static const char *reason(struct arena *arena, enum import_column column, const char *why)
{
    return arena_printf(arena, "%s: %s", columns[column].name, why).ptr;
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static bool has_control(str text, bool many_lines)
{
    for (size_t i = 0; i < text.size; i++) {
        const uint8_t byte = (uint8_t)text.ptr[i];
        if (byte == 0x7F || (byte < 0x20 && !(many_lines && (byte == '\n' || byte == '\t'))))
            return true;
    }
    return false;
}

static str without_returns(struct arena *arena, str text)
{
    char *copy = arena_alloc(arena, text.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++)
        if (text.ptr[i] != '\r')
            copy[size++] = text.ptr[i];
    return (str){copy, size};
}

/* Trims *text, and makes it absent if nothing is left. */
static const char *check_text(struct arena *arena, enum import_column column, str *text)
{
    const size_t most = columns[column].code_points_max;
    const bool many_lines = column == IMPORT_DESCRIPTION;

    *text = str_trim(*text);
    if (text->size == 0) {
        *text = STR_ABSENT;
        return NULL;
    }
    if (!str_is_utf8(*text))
        return reason(arena, column, "not UTF-8");
    if (many_lines)
        *text = without_returns(arena, *text);
    if (has_control(*text, many_lines))
        return reason(arena, column, "has control characters");
    if (str_code_points(*text) > most)
        return arena_printf(arena, "%s: more than %zu characters", columns[column].name, most).ptr;
    return NULL;
}

static const char *check_texts(struct arena *arena, struct import_draft *draft)
{
    for (size_t i = 0; i < IMPORT_COLUMNS; i++) {
        const char *why = check_text(arena, (enum import_column)i, &draft->texts[i]);
        if (why != NULL)
            return why;
    }
    return NULL;
}

/* --- Times --- */

/* "2026-05-01", "2026-05-01T20:30", the same with seconds, an offset or Z, or a space for the T. */
static bool parse_when(str text, struct import_when *ret)
{
    const str date = str_slice(text, 0, DATE_SIZE);
    struct import_when when = {.kind = IMPORT_DAY};
    char rfc3339[2 * WHEN_TEXT_MAX];
    size_t size = 0;

    if (!date_parse(date, &when.civil))
        return false;
    if (text.size > DATE_SIZE) {
        if (text.ptr[DATE_SIZE] != 'T' && text.ptr[DATE_SIZE] != 't' && text.ptr[DATE_SIZE] != ' ')
            return false;
        const str rest = str_slice(text, DATE_SIZE + 1, text.size);
        while (size < rest.size && is_one_of(rest.ptr[size], "0123456789:."))
            size++;
        const str offset = str_slice(rest, size, rest.size);
        const bool is_local = offset.size == 0;
        (void)snprintf(rfc3339, sizeof(rfc3339), "%.*sT%.*s%s%.*s", STR_ARG(date), (int)size,
                       rest.ptr, size == MINUTES_SIZE ? ":00" : "",
                       STR_ARG(is_local ? STR("Z") : offset));
        if (!time_parse(str_of(rfc3339), &when.at_ms))
            return false;
        when.kind = is_local ? IMPORT_LOCAL : IMPORT_INSTANT;
        when.civil = civil_from_ms(when.at_ms);
    }
    *ret = when;
    return true;
}

/* As far as that can be told without the zone. */
static bool ends_before_start(const struct import_when *starts, const struct import_when *ends)
{
    if (ends->kind == IMPORT_UNKNOWN ||
        (starts->kind == IMPORT_INSTANT) != (ends->kind == IMPORT_INSTANT))
        return false;
    const int64_t start_ms = civil_to_ms(&starts->civil);
    const int64_t end_ms = civil_to_ms(&ends->civil);

    if (starts->kind == IMPORT_DAY || ends->kind == IMPORT_DAY)
        return (end_ms - TIME_MS_MIN) / DAY_MS < (start_ms - TIME_MS_MIN) / DAY_MS;
    return end_ms < start_ms;
}

static const char *check_times(struct arena *arena, const struct import_draft *draft,
                               struct import_event *event)
{
    static const char why[] = "neither YYYY-MM-DD nor YYYY-MM-DDTHH:MM, with or without an offset, "
                              "or there is no such time";
    const str starts = draft->texts[IMPORT_STARTS_AT];
    const str ends = draft->texts[IMPORT_ENDS_AT];

    if (starts.ptr == NULL)
        return reason(arena, IMPORT_STARTS_AT, "missing");
    if (!parse_when(starts, &event->starts))
        return reason(arena, IMPORT_STARTS_AT, why);
    if (ends.ptr != NULL && !parse_when(ends, &event->ends))
        return reason(arena, IMPORT_ENDS_AT, why);
    if (ends_before_start(&event->starts, &event->ends))
        return reason(arena, IMPORT_ENDS_AT, "before starts_at");
    if (draft->texts[IMPORT_DOORS_AT].ptr != NULL &&
        (!parse_when(draft->texts[IMPORT_DOORS_AT], &event->doors) ||
         event->doors.kind == IMPORT_DAY))
        return reason(arena, IMPORT_DOORS_AT, "not YYYY-MM-DDTHH:MM, with or without an offset");
    return NULL;
}

/* --- Money and numbers --- */

static bool add_digit(int64_t *n, char digit)
{
    return digit >= '0' && digit <= '9' && minor_multiply(*n, 10, n) &&
           minor_add(*n, digit - '0', n);
}

/* "12.50" is 1250 for two digits behind the point; digits that a currency lacks must be 0. */
static bool parse_price(str text, size_t exponent, int64_t *ret_minor)
{
    int64_t minor = 0;
    str fraction = text;
    str whole;

    if (text.size > PRICE_DIGITS_MAX || !str_split(&fraction, '.', &whole) || whole.size == 0)
        return false;
    if (fraction.ptr != NULL && fraction.size == 0)
        return false;
    for (size_t i = 0; i < whole.size; i++)
        if (!add_digit(&minor, whole.ptr[i]))
            return false;
    for (size_t i = 0; i < exponent || i < fraction.size; i++) {
        char digit = '0';
        if (fraction.ptr != NULL && i < fraction.size)
            digit = fraction.ptr[i];
        if (i < exponent ? !add_digit(&minor, digit) : digit != '0')
            return false;
    }
    if (minor > MONEY_MINOR_MAX)
        return false;
    *ret_minor = minor;
    return true;
}

static bool parse_currency(str text, struct currency *ret)
{
    char code[CURRENCY_CODE_SIZE];

    if (text.size != CURRENCY_CODE_SIZE)
        return false;
    for (size_t i = 0; i < CURRENCY_CODE_SIZE; i++) {
        code[i] = text.ptr[i];
        if (code[i] >= 'a' && code[i] <= 'z')
            code[i] = (char)(code[i] - ('a' - 'A'));
    }
    return currency_parse((str){code, CURRENCY_CODE_SIZE}, ret);
}

static const char *check_offer(struct arena *arena, const struct import_offer_draft *draft,
                               struct currency currency, int quantity_min,
                               struct import_offer *offer)
{
    *offer = (struct import_offer){
        .name = str_trim(draft->name),
        .price_minor = -1,
        .quantity = -1,
        .sales_start_ms = draft->sales_start_ms,
        .sales_end_ms = draft->sales_end_ms,
        .max_per_order = draft->max_per_order,
        .tax_rate_ppm = draft->has_tax_rate ? draft->tax_rate_ppm : INT64_MIN,
    };
    if (offer->name.size == 0)
        offer->name = STR_ABSENT;
    else if (!str_is_utf8(offer->name) || has_control(offer->name, false) ||
             str_code_points(offer->name) > IMPORT_TYPE_NAME_MAX)
        return "ticket type: its name is too long or not plain text";
    if (draft->price.ptr != NULL) {
        if (currency.code[0] == '\0')
            return reason(arena, IMPORT_PRICE, "without a currency");
        if (!parse_price(draft->price, (size_t)currency_exponent(currency), &offer->price_minor))
            return arena_printf(arena, "price: no amount of %s", currency.code).ptr;
    }
    if (draft->quantity.ptr != NULL &&
        (!str_to_i64(draft->quantity, &offer->quantity) || offer->quantity < quantity_min ||
         offer->quantity > IMPORT_QUANTITY_MAX))
        return quantity_min > 0 ? "quantity: not a number from 1 to 10000000"
                                : "quantity: not a number from 0 to 10000000";
    if (offer->sales_start_ms != INT64_MIN && offer->sales_end_ms != INT64_MIN &&
        offer->sales_end_ms <= offer->sales_start_ms)
        offer->sales_end_ms = INT64_MIN;
    return NULL;
}

static const char *check_money(struct arena *arena, const struct import_draft *draft,
                               struct currency otherwise, struct import_event *event)
{
    const str currency = draft->texts[IMPORT_CURRENCY];
    const struct import_offer_draft plain = {
        .price = draft->texts[IMPORT_PRICE],
        .quantity = draft->texts[IMPORT_QUANTITY],
        .sales_start_ms = INT64_MIN,
        .sales_end_ms = INT64_MIN,
    };
    const struct import_offer_draft *offers = draft->offer_count > 0 ? draft->offers : &plain;
    bool any_price = false;

    event->offer_count = draft->offer_count > 0 ? draft->offer_count : 1;
    if (event->offer_count > IMPORT_OFFERS_MAX)
        return arena_printf(arena, "more than %d ticket types", IMPORT_OFFERS_MAX).ptr;
    if (currency.ptr != NULL && !parse_currency(currency, &event->currency))
        return reason(arena, IMPORT_CURRENCY, "no currency of ISO 4217");
    for (size_t i = 0; i < event->offer_count; i++)
        any_price |= offers[i].price.ptr != NULL;
    if (any_price && currency.ptr == NULL)
        event->currency = otherwise;
    event->offers = arena_new_array(arena, struct import_offer, event->offer_count);
    for (size_t i = 0; i < event->offer_count; i++) {
        /* Our own API knows types that are not sold yet; elsewhere 0 is a mistake. */
        const char *why = check_offer(arena, &offers[i], event->currency, draft->terms == NULL,
                                      &event->offers[i]);

        if (why != NULL)
            return why;
    }
    return NULL;
}

/* --- The rest --- */

/* The address of a page, and nothing that a browser would run. */
static bool is_url(str text)
{
    const bool is_http = str_eq_nocase(str_slice(text, 0, 7), STR("http://")) && text.size > 7;
    const bool is_https = str_eq_nocase(str_slice(text, 0, 8), STR("https://")) && text.size > 8;

    for (size_t i = 0; i < text.size; i++)
        if (is_one_of(text.ptr[i], " \"<>\\^`{|}"))
            return false;
    return is_http || is_https;
}

static const char *check_online(struct arena *arena, const struct import_draft *draft,
                                struct import_event *event)
{
    static const struct {
        str text;
        bool online;
    } words[] = {
        {{"true", 4},  true },
        {{"yes", 3},   true },
        {{"1", 1},     true },
        {{"false", 5}, false},
        {{"no", 2},    false},
        {{"0", 1},     false},
    };
    const str text = draft->texts[IMPORT_ONLINE];

    event->online = event->city.ptr == NULL && event->venue.ptr == NULL;
    if (text.ptr == NULL)
        return NULL;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (str_eq_nocase(text, words[i].text)) {
            event->online = words[i].online;
            return NULL;
        }
    return reason(arena, IMPORT_ONLINE, "neither true nor false");
}

static const char *check_artists(struct arena *arena, const struct import_draft *draft,
                                 struct import_event *event)
{
    str *artists = arena_new_array(arena, str, IMPORT_ARTISTS_MAX);
    str rest = draft->texts[IMPORT_ARTISTS];
    size_t listed = 0;
    str artist;

    event->artists = artists;
    for (;;) {
        if (listed < draft->artist_count)
            artist = draft->artists[listed++];
        else if (!str_split(&rest, ';', &artist))
            return NULL;
        artist = str_trim(artist);
        if (artist.size == 0)
            continue;
        if (event->artist_count == IMPORT_ARTISTS_MAX)
            return reason(arena, IMPORT_ARTISTS, "too many");
        if (!str_is_utf8(artist) || has_control(artist, false) ||
            str_code_points(artist) > IMPORT_NAME_MAX)
            return reason(arena, IMPORT_ARTISTS, "one is too long or not plain text");
        artists[event->artist_count++] = artist;
    }
}

static const char *check_status(struct arena *arena, const struct import_draft *draft,
                                struct import_event *event)
{
    static const char *const names[] = {[IMPORT_DRAFT] = "draft",
                                        [IMPORT_PUBLISHED] = "published",
                                        [IMPORT_CANCELLED] = "cancelled"};
    const str text = draft->texts[IMPORT_STATUS];

    if (text.ptr == NULL)
        return NULL;
    for (int i = IMPORT_DRAFT; i <= IMPORT_CANCELLED; i++)
        if (str_eq_nocase(text, str_of(names[i]))) {
            event->status = (enum import_status)i;
            return NULL;
        }
    return reason(arena, IMPORT_STATUS, "none of draft, published, cancelled");
}

static bool parse_degrees(str text, double most, double *ret)
{
    char digits[NUMBER_TEXT_MAX + 1];
    char *end = NULL;

    if (text.size > NUMBER_TEXT_MAX)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (!is_one_of(text.ptr[i], "0123456789.+-eE"))
            return false;
    (void)snprintf(digits, sizeof(digits), "%.*s", STR_ARG(text));
    *ret = strtod(digits, &end);
    return end == digits + text.size && *ret >= -most && *ret <= most;
}

static const char *check_position(struct arena *arena, const struct import_draft *draft,
                                  struct import_event *event)
{
    const str lat = draft->texts[IMPORT_LAT];
    const str lon = draft->texts[IMPORT_LON];

    event->lat = event->lon = __builtin_nan("");
    if (lat.ptr == NULL && lon.ptr == NULL)
        return NULL;
    if (lat.ptr == NULL || !parse_degrees(lat, 90, &event->lat))
        return reason(arena, IMPORT_LAT, "not a number of degrees from -90 to 90");
    if (lon.ptr == NULL || !parse_degrees(lon, 180, &event->lon))
        return reason(arena, IMPORT_LON, "not a number of degrees from -180 to 180");
    return NULL;
}

static const char *check(struct arena *arena, struct import_draft *draft, struct currency otherwise,
                         struct import_event *ret)
{
    const char *why = check_texts(arena, draft);
    struct import_event event = {
        .name = draft->texts[IMPORT_NAME],
        .url = draft->texts[IMPORT_URL],
        .city = draft->texts[IMPORT_CITY],
        .country = draft->texts[IMPORT_COUNTRY],
        .venue = draft->texts[IMPORT_VENUE],
        .address = draft->texts[IMPORT_ADDRESS],
        .type = draft->texts[IMPORT_TYPE],
        .description = draft->texts[IMPORT_DESCRIPTION],
        .timezone = draft->texts[IMPORT_TIMEZONE],
        .uid = draft->texts[IMPORT_UID],
        .terms = draft->terms,
        .line = draft->line,
    };

    if (why == NULL && event.name.ptr == NULL)
        why = reason(arena, IMPORT_NAME, "missing");
    if (why == NULL && event.url.ptr != NULL && !is_url(event.url))
        why = reason(arena, IMPORT_URL, "not an http or https address");
    if (why == NULL)
        why = check_times(arena, draft, &event);
    if (why == NULL)
        why = check_money(arena, draft, otherwise, &event);
    if (why == NULL)
        why = check_online(arena, draft, &event);
    if (why == NULL)
        why = check_status(arena, draft, &event);
    if (why == NULL)
        why = check_position(arena, draft, &event);
    if (why == NULL)
        why = check_artists(arena, draft, &event);
    *ret = event;
    return why;
}

/* --- A run --- */

void import_refuse(struct import_run *run, size_t line, const char *why)
{
    run->refused++;
    run->reader->refused(run->reader->arg, line, why);
}

bool import_is_full(struct import_run *run, size_t line)
{
    if (run->given + run->refused < IMPORT_ROWS_MAX)
        return false;
    import_refuse(run, line, "too many rows: this one and those behind it are left out");
    return true;
}

err import_give(struct import_run *run, const struct import_draft *draft)
{
    struct import_draft checked = *draft;
    struct import_event event;

    const char *why = check(run->arena, &checked, run->reader->currency, &event);
    if (why != NULL) {
        import_refuse(run, draft->line, why);
        return ERR_OK;
    }
    run->given++;
    return run->reader->row(run->reader->arg, &event);
}

err import_result(const struct import_run *run)
{
    return run->given == 0 && run->refused > 0 ? ERR_MALFORMED : ERR_OK;
}
