/* booking/price.h - what tickets cost, and what of it comes back: arithmetic of minor units, without
 * I/O. */
#pragma once

#include "base/money.h"
#include "services/booking/booking.h"

/* --- What an order costs --- */

/* How a fraction of a minor unit becomes a whole one. */
enum price_rounding {
    PRICE_HALF_UP,   /* 0.5 becomes 1: what is taught, and usual for VAT */
    PRICE_HALF_EVEN, /* 0.5 becomes 0, 1.5 becomes 2: no drift over many orders */
    PRICE_DOWN,      /* 0.9 becomes 0: usual for Japan's consumption tax */
};
/* Of what the tax is rounded. Of each ticket: n tickets cost n times what one does. Of the order, once
 * for each rate: what an invoice by EN 16931 (BR-CO-17) shows. */
enum price_per { PRICE_PER_ORDER, PRICE_PER_LINE, PRICE_PER_TICKET };

struct price_rules {
    int64_t fee_fixed_minor; /* of the platform, for each ticket that costs anything, and ... */
    int64_t
        fee_basis_points; /* ... of what it costs after the discount; each fee is rounded half up */
    bool vendor_bears;    /* the fee: then never more than the ticket costs */
    bool tax_on_top;      /* else the prices have it in them */
    int tax_rounding;     /* enum price_rounding */
    int tax_per;          /* enum price_per */
};

/* Fills fees and tax of lines that say quantity, face and discount; `rates_ppm`: the tax rate of each
 * in millionths (19 %: 190000). What is taxed is face - discount: a fee has its own tax in it.
 * Amounts must be within MONEY_MINOR_MAX. */
void price_order(const struct price_rules *rules, const int64_t *rates_ppm,
                 struct booking_money_line *lines, size_t count);
/* What an order of one ticket costs the buyer. */
int64_t price_all_in(const struct price_rules *rules, int64_t rate_ppm, int64_t face_minor);
/* Splits a discount over the lines, by what they cost: at most the sum of that. */
void price_discount(struct booking_money_line *lines, size_t count, int64_t discount_minor);
/* The fee of a currency in the setting "EUR:50 JPY:80": minor units; 0 where it is not there. False:
 * the setting is malformed. */
bool price_fixed_fee(str setting, struct currency currency, int64_t *ret_minor);

/* --- Lines --- */

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
/* What comes back of a ticket: so many percent of each amount, rounded half up; of the fees too, or
 * nothing. Never more than it cost. */
struct price_terms {
    int64_t percent; /* 0 to 100 */
    bool fees;
};
struct booking_money_line price_back(const struct booking_money_line *line,
                                     const struct price_terms *terms);
/* As a column has them; absent: none. */
str price_lines_write(struct arena *arena, const struct booking_money_line *lines, size_t count);
err price_lines_read(struct arena *arena, str text, struct booking_money_line **ret,
                     size_t *ret_count);
/* One of the line's tickets, the `index`th from 0: its share of each amount by the largest
 * remainder, so that the shares of all sum up to the line. */
struct booking_money_line price_one(const struct booking_money_line *line, int64_t index);
