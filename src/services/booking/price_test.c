/* booking/price_test.c - the arithmetic of prices, by tables. */

#include "services/booking/price.h"

#include "base/money.h"
#include "support/test.h"

static const struct booking_money_line line = {
    .ticket_type = {{1}},
    .quantity = 7,
    .face_minor = 7000,
    .discount_minor = 101,
    .buyer_fee_minor = 13,
    .vendor_fee_minor = 6,
    .tax_minor = 699,
    .tax_included_minor = 2,
};

static void check_line(const struct booking_money_line *expected,
                       const struct booking_money_line *is)
{
    CHECK(uuid_eq(expected->ticket_type, is->ticket_type));
    CHECK_I64(expected->quantity, is->quantity);
    CHECK_I64(expected->face_minor, is->face_minor);
    CHECK_I64(expected->discount_minor, is->discount_minor);
    CHECK_I64(expected->buyer_fee_minor, is->buyer_fee_minor);
    CHECK_I64(expected->vendor_fee_minor, is->vendor_fee_minor);
    CHECK_I64(expected->tax_minor, is->tax_minor);
    CHECK_I64(expected->tax_included_minor, is->tax_included_minor);
}

TEST(the_shares_of_its_tickets_sum_up_to_the_line)
{
    struct booking_money_line sum = {.ticket_type = line.ticket_type};
    int64_t last_minor = INT64_MAX;

    for (int64_t i = 0; i < line.quantity; i++) {
        const struct booking_money_line one = price_one(&line, i);

        CHECK_I64(1, one.quantity);
        CHECK_I64(1000, one.face_minor);
        CHECK(one.tax_minor == 99 || one.tax_minor == 100);
        CHECK(one.tax_minor <= last_minor); /* the remainder goes to the first */
        last_minor = one.tax_minor;
        price_add(&sum, &one);
    }
    check_line(&line, &sum);
    CHECK_I64(7000 - 101 + 13 + 699, price_paid(&line));
}

TEST(lines_of_one_type_become_one)
{
    struct booking_money_line lines[3] = {0};
    struct booking_money_line other = line;
    size_t count = 0;

    other.ticket_type.bytes[0] = 2;
    price_gather(lines, &count, &line);
    price_gather(lines, &count, &other);
    price_gather(lines, &count, &line);
    CHECK_I64(2, (int64_t)count);
    CHECK_I64(14, lines[0].quantity);
    CHECK_I64(2 * price_paid(&line), price_paid(&lines[0]));
    check_line(&other, &lines[1]);
}

TEST(lines_come_back_from_a_column_as_they_went_in)
{
    struct arena *arena = arena_open(0);
    const struct booking_money_line given[2] = {
        line, {.ticket_type = {{2}}, .quantity = 1, .face_minor = MONEY_MINOR_MAX}
    };
    struct booking_money_line *lines = NULL;
    size_t count = 0;

    CHECK_OK(price_lines_read(arena, price_lines_write(arena, given, 2), &lines, &count));
    CHECK_I64(2, (int64_t)count);
    check_line(&given[0], &lines[0]);
    check_line(&given[1], &lines[1]);
    CHECK(price_lines_write(arena, NULL, 0).ptr == NULL);
    CHECK_OK(price_lines_read(arena, STR_ABSENT, &lines, &count));
    CHECK_I64(0, (int64_t)count);
    arena_close(arena);
}

TEST(a_line_of_list_prices_is_plain)
{
    struct booking_money_line plain = {.quantity = 2, .face_minor = 500};

    CHECK(price_is_plain(&plain));
    CHECK(!price_is_plain(&line));
    plain.tax_included_minor = 1;
    CHECK(!price_is_plain(&plain));
}
