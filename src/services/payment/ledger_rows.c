/* payment/ledger_rows.c - puts transactions together again from the rows of their entries. */
#include "services/payment/ledger_rows.h"

struct ledger_reader ledger_read(struct rows *rows, struct arena *arena, bool chained)
{
    return (struct ledger_reader){
        .rows = rows,
        .arena = arena,
        .entries = arena_new_array(arena, struct ledger_entry, LEDGER_ENTRIES_MAX),
        .has_row = rows_next(rows),
        .chained = chained};
}

static struct ledger_transaction read_head(const struct ledger_reader *reader)
{
    const struct rows *rows = reader->rows;
    struct ledger_transaction transaction = {.entries = reader->entries};

    transaction.id = row_uuid(rows, 0);
    transaction.source = (enum ledger_source)row_i64(rows, 1);
    transaction.source_id = row_uuid(rows, 2);
    transaction.kind = (enum ledger_kind)row_i64(rows, 3);
    transaction.round = row_i64(rows, 4);
    transaction.vendor = row_uuid(rows, 5);
    transaction.event = row_uuid(rows, 6);
    (void)currency_parse(row_text(rows, 7), &transaction.currency);
    transaction.day = row_i64(rows, 8);
    transaction.posted_at_ms = row_i64(rows, 9);
    transaction.reverses = row_uuid(rows, 10);
    return transaction;
}

bool ledger_read_next(struct ledger_reader *reader, struct ledger_transaction *ret,
                      int64_t *ret_counted)
{
    struct rows *rows = reader->rows;

    if (!reader->has_row)
        return false;
    *ret = read_head(reader);
    *ret_counted = row_i64(rows, 11);
    if (reader->chained) {
        reader->seq = row_i64(rows, 17);
        reader->hash = row_blob(rows, 18);
    }
    while (reader->has_row && uuid_eq(row_uuid(rows, 0), ret->id)) {
        if (ret->count == LEDGER_ENTRIES_MAX)
            ret->overflow = true;
        else
            ret->entries[ret->count++] = (struct ledger_entry){
                .account = (enum ledger_account)row_i64(rows, 12),
                .purpose = (enum ledger_purpose)row_i64(rows, 13),
                .ticket_type = row_uuid(rows, 14),
                .quantity = row_i64(rows, 15),
                .amount_minor = row_i64(rows, 16),
            };
        reader->has_row = rows_next(rows);
    }
    return true;
}
