/* booking/price.c - the money of tickets, order lines and refunds.
 *
 * Amounts are whole minor units, so what is divided leaves a remainder: it goes to the first, one
 * unit each, so that parts always sum up to the whole (the method of largest remainders, where all
 * have the same claim). */
#include "services/booking/price.h"

#include <assert.h>
#include <string.h>

enum { PPM = 1000000, BASIS_POINTS = 10000 };
#define FIXED_FEE_MAX INT64_C(1000000000)

/* --- Rules --- */

/* numerator / denominator, both not negative. */
static int64_t divide(int64_t numerator, int64_t denominator, int rounding)
{
    const int64_t whole = numerator / denominator;
    const int64_t twice = 2 * (numerator % denominator);

    switch ((enum price_rounding)rounding) {
    case PRICE_HALF_UP:
        return whole + (twice >= denominator);
    case PRICE_HALF_EVEN:
        return whole + (twice > denominator || (twice == denominator && whole % 2 != 0));
    case PRICE_DOWN:
        break;
    }
    return whole;
}

/* At most 10^12 x 10^6: fits. */
static int64_t tax_of(const struct price_rules *rules, int64_t base_minor, int64_t rate_ppm)
{
    return divide(base_minor * rate_ppm, rules->tax_on_top ? PPM : PPM + rate_ppm,
                  rules->tax_rounding);
}

static int64_t fee_of(const struct price_rules *rules, int64_t price_minor)
{
    if (price_minor == 0)
        return 0;
    const int64_t fee = rules->fee_fixed_minor +
                        divide(price_minor * rules->fee_basis_points, BASIS_POINTS, PRICE_HALF_UP);
    return rules->vendor_bears && fee > price_minor ? price_minor : fee;
}

/* The tickets of a line cost alike, but for a unit of the discount: (quantity - less) of them cost
 * `price`, `less` of them one unit less. */
struct tickets {
    int64_t quantity;
    int64_t less;
    int64_t price_minor;
};

static struct tickets tickets_of(const struct booking_money_line *line)
{
    const int64_t n = line->quantity;

    return (struct tickets){
        .quantity = n,
        .less = line->discount_minor % n,
        .price_minor = line->face_minor / n - line->discount_minor / n,
    };
}

static void add_fees(const struct price_rules *rules, struct booking_money_line *line)
{
    const struct tickets tickets = tickets_of(line);
    int64_t fee = (tickets.quantity - tickets.less) * fee_of(rules, tickets.price_minor);

    if (tickets.less > 0)
        fee += tickets.less * fee_of(rules, tickets.price_minor - 1);
    line->buyer_fee_minor = rules->vendor_bears ? 0 : fee;
    line->vendor_fee_minor = rules->vendor_bears ? fee : 0;
}

static int64_t base_of(const struct booking_money_line *line)
{
    return line->face_minor - line->discount_minor;
}

static int64_t line_tax(const struct price_rules *rules, const struct booking_money_line *line,
                        int64_t rate_ppm)
{
    const struct tickets tickets = tickets_of(line);
    int64_t tax = 0;

    if (rules->tax_per == PRICE_PER_LINE)
        return tax_of(rules, base_of(line), rate_ppm);
    tax = (tickets.quantity - tickets.less) * tax_of(rules, tickets.price_minor, rate_ppm);
    if (tickets.less > 0)
        tax += tickets.less * tax_of(rules, tickets.price_minor - 1, rate_ppm);
    return tax;
}

/* By the largest remainder: each has its share rounded down, and what is left goes, a unit each, to
 * those that lost most; the first of equals. */
static void split(int64_t whole, const int64_t *weights, size_t count, int64_t *ret)
{
    int64_t remainders[BOOKING_LINES_MAX];
    int64_t sum = 0;
    int64_t left = whole;

    assert(count <= BOOKING_LINES_MAX);
    for (size_t i = 0; i < count; i++)
        sum += weights[i];
    for (size_t i = 0; i < count; i++) {
        const __int128 exact = sum > 0 ? (__int128)whole * weights[i] : 0;

        ret[i] = sum > 0 ? (int64_t)(exact / sum) : 0;
        remainders[i] = sum > 0 ? (int64_t)(exact % sum) : 0;
        left -= ret[i];
    }
    for (; left > 0 && sum > 0; left--) {
        size_t most = 0;

        for (size_t i = 1; i < count; i++)
            if (remainders[i] > remainders[most])
                most = i;
        ret[most]++;
        remainders[most] = -1;
    }
}

/* The lines of one rate, from `first` on, are taxed together. */
static void tax_together(const struct price_rules *rules, const int64_t *rates_ppm,
                         struct booking_money_line *lines, size_t count, size_t first)
{
    int64_t bases[BOOKING_LINES_MAX] = {0};
    int64_t taxes[BOOKING_LINES_MAX];
    int64_t sum = 0;

    assert(count <= BOOKING_LINES_MAX);
    for (size_t i = first; i < count; i++)
        if (rates_ppm[i] == rates_ppm[first])
            sum += bases[i] = base_of(&lines[i]);
    split(tax_of(rules, sum, rates_ppm[first]), bases, count, taxes);
    for (size_t i = first; i < count; i++)
        if (rates_ppm[i] == rates_ppm[first])
            lines[i].tax_minor = taxes[i];
}

static bool is_first_of_rate(const int64_t *rates_ppm, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (rates_ppm[i] == rates_ppm[index])
            return false;
    return true;
}

void price_order(const struct price_rules *rules, const int64_t *rates_ppm,
                 struct booking_money_line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        add_fees(rules, &lines[i]);
        if (rules->tax_per != PRICE_PER_ORDER)
            lines[i].tax_minor = line_tax(rules, &lines[i], rates_ppm[i]);
        else if (is_first_of_rate(rates_ppm, i))
            tax_together(rules, rates_ppm, lines, count, i);
    }
    for (size_t i = 0; i < count && !rules->tax_on_top; i++) {
        lines[i].tax_included_minor = lines[i].tax_minor;
        lines[i].tax_minor = 0;
    }
}

int64_t price_all_in(const struct price_rules *rules, int64_t rate_ppm, int64_t face_minor)
{
    struct booking_money_line line = {.quantity = 1, .face_minor = face_minor};

    price_order(rules, &rate_ppm, &line, 1);
    return price_paid(&line);
}

void price_discount(struct booking_money_line *lines, size_t count, int64_t discount_minor)
{
    int64_t weights[BOOKING_LINES_MAX] = {0};
    int64_t shares[BOOKING_LINES_MAX];

    assert(count <= BOOKING_LINES_MAX);
    for (size_t i = 0; i < count; i++)
        weights[i] = base_of(&lines[i]);
    split(discount_minor, weights, count, shares);
    for (size_t i = 0; i < count; i++)
        lines[i].discount_minor += shares[i];
}

/* "EUR:50": one word of the setting. */
static bool read_fixed_fee(str word, struct currency *ret_currency, int64_t *ret_minor)
{
    return word.size > CURRENCY_CODE_SIZE + 1 && word.ptr[CURRENCY_CODE_SIZE] == ':' &&
           currency_parse(str_slice(word, 0, CURRENCY_CODE_SIZE), ret_currency) &&
           str_to_i64(str_slice(word, CURRENCY_CODE_SIZE + 1, word.size), ret_minor) &&
           *ret_minor >= 0 && *ret_minor <= FIXED_FEE_MAX;
}

bool price_fixed_fee(str setting, struct currency currency, int64_t *ret_minor)
{
    *ret_minor = 0;
    for (size_t from = 0; from < setting.size;) {
        struct currency of = {0};
        int64_t minor = 0;
        size_t to = from;

        while (to < setting.size && setting.ptr[to] != ' ')
            to++;
        if (to > from && !read_fixed_fee(str_slice(setting, from, to), &of, &minor))
            return false;
        if (to > from && currency_eq(of, currency))
            *ret_minor = minor;
        from = to + 1;
    }
    return true;
}

/* --- Lines --- */

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

static int64_t percent_of(int64_t minor, int64_t percent)
{
    return divide(minor * percent, 100, PRICE_HALF_UP);
}

struct booking_money_line price_back(const struct booking_money_line *line,
                                     const struct price_terms *terms)
{
    const int64_t percent = terms->percent;
    const int64_t of_fees = terms->fees ? percent : 0;

    assert(percent >= 0 && percent <= 100);
    return (struct booking_money_line){
        .ticket_type = line->ticket_type,
        .quantity = line->quantity,
        .face_minor = percent_of(line->face_minor, percent),
        .discount_minor = percent_of(line->discount_minor, percent),
        .buyer_fee_minor = percent_of(line->buyer_fee_minor, of_fees),
        .vendor_fee_minor = percent_of(line->vendor_fee_minor, of_fees),
        .tax_minor = percent_of(line->tax_minor, percent),
        .tax_included_minor = percent_of(line->tax_included_minor, percent),
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
