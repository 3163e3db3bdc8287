/* payment/ledger_rows.h - reads transactions from a query whose rows are their entries. */
#pragma once

#include "services/payment/ledger.h"

struct ledger_reader {
    struct rows *rows;
    struct arena *arena;
    struct ledger_entry *entries;
    bool has_row;
    bool chained;
    int64_t seq; /* of the one that was read last, if the query tells */
    str hash;
};

/* `rows` are open: t.id, source_kind, source_id, kind, round, vendor_id, event_id, currency, day,
 * posted_at_ms, reverses, entry_count, account, purpose, ticket_type_id, quantity, amount_minor; those of one
 * transaction stand together. `chained`: and s.seq, s.hash behind them. */
struct ledger_reader ledger_read(struct rows *rows, struct arena *arena, bool chained);
/* The next one; its entries are good until the one after it. False: there is none. `*ret_counted`: how many entries its row speaks of. */
bool ledger_read_next(struct ledger_reader *reader, struct ledger_transaction *ret,
                      int64_t *ret_counted);
