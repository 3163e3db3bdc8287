/* platform/zone/tzif.c - reads a TZif file (RFC 9636) into a struct zone.
 *
 * Only the second data block is read: the first repeats it in 32 bits for the oldest readers. Files
 * that count leap seconds ("right/") are refused, as an instant here is POSIX time. Every count is
 * checked against the bytes that are there before anything is taken from it. */

#include "platform/zone/tzif.h"

#include <string.h>

#include "base/mem.h"

enum {
    HEADER_SIZE = 44,
    COUNTS_AT = 20, /* six of 32 bits */
    TYPE_SIZE = 6,
    TYPES_MAX = 256, /* an index is one byte */
};

struct counts {
    size_t utc_flags;
    size_t standard_flags;
    size_t leaps;
    size_t transitions;
    size_t types;
    size_t characters;
};

static uint64_t read_be(const char *from, size_t size)
{
    uint64_t n = 0;

    for (size_t i = 0; i < size; i++)
        n = n << 8 | (uint8_t)from[i];
    return n;
}

/* Cuts `size` bytes off *rest; false if there are fewer. */
static bool cut(str *rest, size_t size, str *ret_part)
{
    if (rest->size < size)
        return false;
    *ret_part = str_slice(*rest, 0, size);
    *rest = str_slice(*rest, size, rest->size);
    return true;
}

static bool cut_header(str *rest, struct counts *ret)
{
    str header;

    if (!cut(rest, HEADER_SIZE, &header) || !str_starts(header, STR("TZif")) || header.ptr[4] < '2')
        return false;

    size_t n[6];
    for (size_t i = 0; i < 6; i++)
        n[i] = (size_t)read_be(header.ptr + COUNTS_AT + 4 * i, 4);
    *ret = (struct counts){n[0], n[1], n[2], n[3], n[4], n[5]};
    return true;
}

/* Bytes of a data block; the counts have 32 bits each, so that 64 cannot overflow. */
static size_t block_size(const struct counts *counts, size_t time_size)
{
    return counts->transitions * (time_size + 1) + counts->types * TYPE_SIZE + counts->characters +
           counts->leaps * (time_size + 4) + counts->standard_flags + counts->utc_flags;
}

static bool read_transitions(struct zone *zone, str times, str indexes, size_t type_count)
{
    for (size_t i = 0; i < zone->transition_count; i++) {
        zone->transitions_s[i] = (int64_t)read_be(times.ptr + 8 * i, 8);
        zone->types_after[i] = (uint8_t)indexes.ptr[i];
        if (zone->types_after[i] >= type_count)
            return false;
        if (i > 0 && zone->transitions_s[i] <= zone->transitions_s[i - 1])
            return false;
    }
    return true;
}

static bool read_types(struct zone *zone, str types, size_t type_count, str characters)
{
    for (size_t i = 0; i < type_count; i++) {
        const char *from = types.ptr + TYPE_SIZE * i;
        struct zone_type *type = &zone->types[i];
        const str name = str_slice(characters, (uint8_t)from[5], characters.size);
        const size_t size = strnlen(name.ptr, name.size);

        type->offset_s = (int32_t)(uint32_t)read_be(from, 4);
        type->is_dst = from[4] != 0;
        if (type->offset_s < -ZONE_OFFSET_MAX_S || type->offset_s > ZONE_OFFSET_MAX_S)
            return false;
        if (size == name.size || size > ZONE_ABBREVIATION_MAX) /* without its NUL, or too long */
            return false;
        memcpy(type->abbreviation, name.ptr, size);
    }
    return true;
}

/* The TZ string between two newlines; an empty one means that nothing ever changes again. */
static bool read_footer(struct zone *zone, str footer)
{
    if (footer.size < 2 || footer.ptr[0] != '\n')
        return false;
    footer = str_slice(footer, 1, footer.size);
    const char *end = memchr(footer.ptr, '\n', footer.size);
    if (end == NULL)
        return false;
    footer.size = (size_t)(end - footer.ptr);
    zone->has_rule = footer.size > 0;
    return footer.size == 0 || tz_rule_parse(footer, &zone->rule);
}

static bool read_block(struct zone *zone, const struct counts *counts, str rest)
{
    str times;
    str indexes;
    str types;
    str characters;
    str flags;

    if (!cut(&rest, counts->transitions * 8, &times) ||
        !cut(&rest, counts->transitions, &indexes) ||
        !cut(&rest, counts->types * TYPE_SIZE, &types) ||
        !cut(&rest, counts->characters, &characters) ||
        !cut(&rest, counts->standard_flags + counts->utc_flags, &flags))
        return false;

    zone->transition_count = counts->transitions;
    zone->transitions_s = mem_alloc(counts->transitions * sizeof(zone->transitions_s[0]));
    zone->types_after = mem_alloc(counts->transitions);
    zone->types = mem_alloc(counts->types * sizeof(zone->types[0]));
    return read_types(zone, types, counts->types, characters) &&
           read_transitions(zone, times, indexes, counts->types) && read_footer(zone, rest);
}

struct zone *tzif_parse(str file)
{
    struct counts counts;
    str skipped;

    if (!cut_header(&file, &counts) || !cut(&file, block_size(&counts, 4), &skipped) ||
        !cut_header(&file, &counts))
        return NULL;
    if (counts.leaps > 0 || counts.types == 0 || counts.types > TYPES_MAX)
        return NULL;

    struct zone *zone = mem_new(struct zone);
    if (!read_block(zone, &counts, file)) {
        tzif_free(zone);
        return NULL;
    }
    return zone;
}

struct zone *tzif_of_rule(const struct tz_rule *rule)
{
    struct zone *zone = mem_new(struct zone);

    zone->has_rule = true;
    zone->rule = *rule;
    return zone;
}

void tzif_free(struct zone *zone)
{
    if (zone == NULL)
        return;
    mem_free(zone->transitions_s);
    mem_free(zone->types_after);
    mem_free(zone->types);
    mem_free(zone);
}

/* How many transitions are not after `at_s`. */
static size_t count_until(const struct zone *zone, int64_t at_s)
{
    size_t low = 0;
    size_t high = zone->transition_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (zone->transitions_s[middle] <= at_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct zone_span tzif_span(const struct zone *zone, int64_t at_s)
{
    const size_t passed = count_until(zone, at_s);
    const int64_t from_s = passed > 0 ? zone->transitions_s[passed - 1] : INT64_MIN;

    if (passed == zone->transition_count && zone->has_rule) {
        struct zone_span span = tz_rule_span(&zone->rule, at_s);
        if (span.from_s < from_s)
            span.from_s = from_s;
        return span;
    }
    return (struct zone_span){
        .from_s = from_s,
        .until_s = passed < zone->transition_count ? zone->transitions_s[passed] : INT64_MAX,
        .type = &zone->types[passed > 0 ? zone->types_after[passed - 1] : 0],
    };
}
