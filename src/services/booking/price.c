/* booking/price.c - the money of tickets, order lines and refunds.
 *
 * Amounts are whole minor units, so what is divided leaves a remainder: it goes to the first, one
 * unit each, so that parts always sum up to the whole (the method of largest remainders, where all
 * have the same claim). */
#include "services/booking/price.h"

#include <assert.h>
#include <string.h>

#include "base/money.h"

bool price_is_plain(const struct booking_money_line *line)
{
    return line->discount_minor == 0 && line->buyer_fee_minor == 0 && line->vendor_fee_minor == 0 &&
           line->tax_minor == 0 && line->tax_included_minor == 0;
}

void price_add(struct booking_money_line *sum, const struct booking_money_line *more)
{
    sum->quantity += more->quantity;
    sum->face_minor += more->face_minor;
    sum->discount_minor += more->discount_minor;
    sum->buyer_fee_minor += more->buyer_fee_minor;
    sum->vendor_fee_minor += more->vendor_fee_minor;
    sum->tax_minor += more->tax_minor;
    sum->tax_included_minor += more->tax_included_minor;
}

void price_gather(struct booking_money_line *lines, size_t *count,
                  const struct booking_money_line *more)
{
    for (size_t i = 0; i < *count; i++)
        if (uuid_eq(lines[i].ticket_type, more->ticket_type)) {
            price_add(&lines[i], more);
            return;
        }
    lines[(*count)++] = *more;
}

static int64_t share(int64_t whole, int64_t parts, int64_t index)
{
    return whole / parts + (index < whole % parts);
}

struct booking_money_line price_one(const struct booking_money_line *line, int64_t index)
{
    const int64_t n = line->quantity;

    assert(index >= 0 && index < n);
    return (struct booking_money_line){
        .ticket_type = line->ticket_type,
        .quantity = 1,
        .face_minor = share(line->face_minor, n, index),
        .discount_minor = share(line->discount_minor, n, index),
        .buyer_fee_minor = share(line->buyer_fee_minor, n, index),
        .vendor_fee_minor = share(line->vendor_fee_minor, n, index),
        .tax_minor = share(line->tax_minor, n, index),
        .tax_included_minor = share(line->tax_included_minor, n, index),
    };
}

/* --- As JSON: of ops and columns --- */

static const struct json_field line_fields[] = {
    JSON_F_ID("ticket_type", struct booking_money_line, ticket_type, TICKET_TYPE_PREFIX,
              JSON_REQUIRED),
    JSON_F_I64("quantity", struct booking_money_line, quantity, 0, MONEY_MINOR_MAX, JSON_REQUIRED),
    JSON_F_I64("face", struct booking_money_line, face_minor, 0, MONEY_MINOR_MAX, JSON_REQUIRED),
    JSON_F_I64("discount", struct booking_money_line, discount_minor, 0, MONEY_MINOR_MAX,
               JSON_REQUIRED),
    JSON_F_I64("buyer_fee", struct booking_money_line, buyer_fee_minor, 0, MONEY_MINOR_MAX,
               JSON_REQUIRED),
    JSON_F_I64("vendor_fee", struct booking_money_line, vendor_fee_minor, 0, MONEY_MINOR_MAX,
               JSON_REQUIRED),
    JSON_F_I64("tax", struct booking_money_line, tax_minor, 0, MONEY_MINOR_MAX, JSON_REQUIRED),
    JSON_F_I64("tax_included", struct booking_money_line, tax_included_minor, 0, MONEY_MINOR_MAX,
               JSON_REQUIRED),
};
const struct json_shape booking_money_line_shape =
    JSON_SHAPE(line_fields, struct booking_money_line);

struct lines {
    struct booking_money_line *items;
    size_t count;
};
static const struct json_field lines_fields[] = {
    JSON_F_LIST("lines", struct lines, items, count, &booking_money_line_shape, 0,
                BOOKING_LINES_MAX, JSON_REQUIRED),
};
static const struct json_shape lines_shape = JSON_SHAPE(lines_fields, struct lines);

str price_lines_write(struct arena *arena, const struct booking_money_line *lines, size_t count)
{
    struct lines all = {.count = count};

    if (count == 0)
        return STR_ABSENT;
    all.items = arena_new_array(arena, struct booking_money_line, count);
    memcpy(all.items, lines, count * sizeof(*lines));
    return json_encode(arena, &lines_shape, &all);
}

err price_lines_read(struct arena *arena, str text, struct booking_money_line **ret,
                     size_t *ret_count)
{
    struct lines all = {0};

    if (text.ptr != NULL)
        TRY(json_read(arena, text, &lines_shape, &all));
    *ret = all.items;
    *ret_count = all.count;
    return ERR_OK;
}
