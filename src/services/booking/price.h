/* booking/price.h - what tickets cost, and what of it comes back: arithmetic of minor units, without
 * I/O. */
#pragma once

#include "services/booking/booking.h"

/* What the buyer pays for it. */
static inline int64_t price_paid(const struct booking_money_line *line)
{
    return line->face_minor - line->discount_minor + line->buyer_fee_minor + line->tax_minor;
}

/* Is there anything but the list price in it? */
bool price_is_plain(const struct booking_money_line *line);
/* Adds quantity and amounts of `more`. */
void price_add(struct booking_money_line *sum, const struct booking_money_line *more);
/* Adds to the line of the same ticket type, or puts a new one behind the others: there is room for
 * one more. */
void price_gather(struct booking_money_line *lines, size_t *count,
                  const struct booking_money_line *more);
/* As a column has them; absent: none. */
str price_lines_write(struct arena *arena, const struct booking_money_line *lines, size_t count);
err price_lines_read(struct arena *arena, str text, struct booking_money_line **ret,
                     size_t *ret_count);
/* One of the line's tickets, the `index`th from 0: its share of each amount by the largest
 * remainder, so that the shares of all sum up to the line. */
struct booking_money_line price_one(const struct booking_money_line *line, int64_t index);
