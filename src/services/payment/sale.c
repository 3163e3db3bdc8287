/* payment/sale.c - the lines of an attempt, in a narrow table of their own: they are written once
 * and read once or twice, while the attempt's row moves on many times. */
#include "services/payment/sale.h"

#include "services/payment/sale.sql.h"

static err insert_lines(struct tx *tx, attempt_id id, const struct sale *sale)
{
    if (sale->line_count > BOOKING_LINES_MAX)
        return ERR_INTERNAL;
    for (size_t i = 0; i < sale->line_count; i++) {
        const struct booking_money_line *line = &sale->lines[i];

        TRY(db_exec(tx, &SQL_SALE_LINE_INSERT,
                    ARGS(UUID(id.uuid), I64((int64_t)i + 1), UUID(line->ticket_type),
                         I64(line->quantity), I64(line->face_minor), I64(line->discount_minor),
                         I64(line->buyer_fee_minor), I64(line->vendor_fee_minor),
                         I64(line->tax_minor))));
    }
    return ERR_OK;
}

err sale_keep(struct tx *tx, attempt_id id, const struct sale *sale)
{
    const str place = sale->timezone.ptr != NULL ? sale->timezone : STR("");

    TRY(db_exec(tx, &SQL_SALE_INSERT, ARGS(UUID(id.uuid), TEXT(place))));
    return insert_lines(tx, id, sale);
}

err sale_change(struct tx *tx, attempt_id id, const struct sale *sale)
{
    TRY(db_exec(tx, &SQL_SALE_LINE_DELETE, ARGS(UUID(id.uuid))));
    return insert_lines(tx, id, sale);
}

/* Room for one more; lines are few, mostly one. */
static struct booking_money_line *grow(struct arena *arena, struct booking_money_line *lines,
                                       size_t count, size_t *capacity)
{
    if (count < *capacity)
        return lines;
    *capacity = *capacity == 0 ? 4 : *capacity * 2;
    struct booking_money_line *more = arena_new_array(arena, struct booking_money_line, *capacity);
    for (size_t i = 0; i < count; i++)
        more[i] = lines[i];
    return more;
}

err sale_find(struct tx *tx, struct call *call, attempt_id id, struct sale *ret)
{
    CLEANUP(rows_done) struct rows rows = {0};
    struct booking_money_line *lines = NULL;
    size_t capacity = 0;
    struct sale sale = {0};

    TRY(rows_open(&rows, tx, &SQL_SALE_FIND, ARGS(UUID(id.uuid)), call->arena));
    while (rows_next(&rows)) {
        sale.timezone = row_text(&rows, 0);
        if (row_is_null(&rows, 1))
            continue;
        lines = grow(call->arena, lines, sale.line_count, &capacity);
        lines[sale.line_count++] = (struct booking_money_line){
            .ticket_type = row_uuid(&rows, 1),
            .quantity = row_i64(&rows, 2),
            .face_minor = row_i64(&rows, 3),
            .discount_minor = row_i64(&rows, 4),
            .buyer_fee_minor = row_i64(&rows, 5),
            .vendor_fee_minor = row_i64(&rows, 6),
            .tax_minor = row_i64(&rows, 7),
        };
    }
    sale.lines = lines;
    *ret = sale;
    return rows_close(&rows);
}
