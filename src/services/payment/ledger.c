/* payment/ledger.c - writes transactions into the ledger, and takes them back by others.
 *
 * Here is only what all postings have in common; what an event of business becomes is in posting.c,
 * what is reckoned from the ledger in ledger_seal.c and sales.c. */
#include "services/payment/ledger.h"

#include <assert.h>

#include "platform/node/node.h"
#include "services/payment/ledger.sql.h"

/* --- Rules: no I/O --- */

struct ledger_transaction ledger_begin(struct arena *arena)
{
    return (struct ledger_transaction){.arena = arena};
}

static void grow(struct ledger_transaction *transaction)
{
    const size_t capacity = transaction->capacity == 0 ? 8 : transaction->capacity * 2;
    struct ledger_entry *entries =
        arena_new_array(transaction->arena, struct ledger_entry, capacity);

    for (size_t i = 0; i < transaction->count; i++)
        entries[i] = transaction->entries[i];
    transaction->entries = entries;
    transaction->capacity = capacity;
}

void ledger_add(struct ledger_transaction *transaction, const struct ledger_entry *entry)
{
    assert(entry->account > 0 && entry->account < ACCOUNTS);
    if (entry->amount_minor == 0 && entry->quantity == 0)
        return;
    if (transaction->count == LEDGER_ENTRIES_MAX) {
        transaction->overflow = true;
        return;
    }
    if (transaction->count == transaction->capacity)
        grow(transaction);
    transaction->entries[transaction->count++] = *entry;
}

bool ledger_sum(const struct ledger_entry *entries, size_t count, int64_t *ret_sum)
{
    int64_t sum = 0;

    for (size_t i = 0; i < count; i++)
        if (!minor_add(sum, entries[i].amount_minor, &sum))
            return false;
    *ret_sum = sum;
    return true;
}

bool ledger_is_of_vendor(enum ledger_account account)
{
    return account == ACCOUNT_VENDOR_RECEIVABLE || account == ACCOUNT_VENDOR_PAYABLE ||
           account == ACCOUNT_PAYOUT_IN_TRANSIT;
}

int64_t ledger_day(struct civil date)
{
    return (int64_t)date.year * 10000 + (int64_t)date.month * 100 + date.day;
}

const char *ledger_account_name(int64_t account)
{
    static const char *const names[ACCOUNTS] = {
        [ACCOUNT_PSP_CLEARING] = "psp_clearing",
        [ACCOUNT_BANK] = "bank",
        [ACCOUNT_DISPUTE_RECEIVABLE] = "dispute_receivable",
        [ACCOUNT_VENDOR_RECEIVABLE] = "vendor_receivable",
        [ACCOUNT_VENDOR_PAYABLE] = "vendor_payable",
        [ACCOUNT_PAYOUT_IN_TRANSIT] = "payout_in_transit",
        [ACCOUNT_REFUND_PAYABLE] = "customer_refund_payable",
        [ACCOUNT_TAX_PAYABLE] = "tax_payable",
        [ACCOUNT_SUSPENSE] = "suspense",
        [ACCOUNT_PLATFORM_FEE] = "platform_fee",
        [ACCOUNT_PSP_FEE] = "psp_fee",
        [ACCOUNT_GOODWILL] = "goodwill",
    };

    return account > 0 && account < ACCOUNTS ? names[account] : "unknown";
}

/* --- Storage --- */

static err refuse(struct call *call, const struct ledger_transaction *transaction, int64_t sum)
{
    log_event(call->self->node->log, LOG_ERROR, "ledger.refused",
              LOG_I64("kind", transaction->kind), LOG_I64("entries", (int64_t)transaction->count),
              LOG_I64("sum", sum));
    return ERR_INTERNAL;
}

err ledger_post(struct tx *tx, struct call *call, struct ledger_transaction *transaction)
{
    int64_t sum = 0;

    if (transaction->overflow || !ledger_sum(transaction->entries, transaction->count, &sum) ||
        sum != 0)
        return refuse(call, transaction, sum);
    if (transaction->count == 0)
        return ERR_OK;
    transaction->id = call_uuid(call);
    if (transaction->posted_at_ms == 0)
        transaction->posted_at_ms = call->now_ms;
    for (size_t i = 0; i < transaction->count; i++) {
        const struct ledger_entry *entry = &transaction->entries[i];

        TRY(db_exec(tx, &SQL_LEDGER_ENTRY_INSERT,
                    ARGS(UUID(transaction->id), I64((int64_t)i + 1), I64(entry->account),
                         I64(entry->purpose), UUID(entry->ticket_type), I64(entry->quantity),
                         I64(entry->amount_minor))));
    }
    TRY(db_exec(tx, &SQL_LEDGER_TRANSACTION_INSERT,
                ARGS(UUID(transaction->id), I64(transaction->source), UUID(transaction->source_id),
                     I64(transaction->kind), I64(transaction->round), UUID(transaction->vendor),
                     UUID(transaction->event), TEXT(str_of(transaction->currency.code)),
                     I64(transaction->day), I64(transaction->posted_at_ms),
                     UUID_OR_NIL(transaction->reverses), I64((int64_t)transaction->count))));
    return db_exec(tx, &SQL_LEDGER_PENDING_INSERT,
                   ARGS(UUID(transaction->id), UUID(transaction->vendor)));
}

static err read_entries(struct tx *tx, struct call *call, struct ledger_transaction *transaction)
{
    CLEANUP(rows_done) struct rows rows = {0};

    TRY(rows_open(&rows, tx, &SQL_LEDGER_ENTRIES, ARGS(UUID(transaction->id)), call->arena));
    while (rows_next(&rows)) {
        const struct ledger_entry entry = {
            .account = (enum ledger_account)row_i64(&rows, 0),
            .purpose = (enum ledger_purpose)row_i64(&rows, 1),
            .ticket_type = row_uuid(&rows, 2),
            .quantity = row_i64(&rows, 3),
            .amount_minor = row_i64(&rows, 4),
        };

        ledger_add(transaction, &entry);
    }
    return rows_close(&rows);
}

err ledger_find_last(struct tx *tx, struct call *call, enum ledger_source source, struct uuid id,
                     enum ledger_kind kind, struct ledger_transaction *ret)
{
    CLEANUP(rows_done) struct rows rows = {0};
    struct ledger_transaction found = ledger_begin(call->arena);

    TRY(rows_first(&rows, tx, &SQL_LEDGER_LAST, ARGS(UUID(id), I64(source), I64(kind)),
                   call->arena));
    found.source = source;
    found.source_id = id;
    found.kind = kind;
    found.id = row_uuid(&rows, 0);
    found.round = row_i64(&rows, 1);
    found.vendor = row_uuid(&rows, 2);
    found.event = row_uuid(&rows, 3);
    (void)currency_parse(row_text(&rows, 4), &found.currency);
    TRY(rows_close(&rows));
    TRY(read_entries(tx, call, &found));
    *ret = found;
    return ERR_OK;
}

err ledger_reverse(struct tx *tx, struct call *call, const struct ledger_transaction *original,
                   enum ledger_kind as, int64_t day)
{
    struct ledger_transaction reversal = ledger_begin(call->arena);

    reversal.source = original->source;
    reversal.source_id = original->source_id;
    reversal.kind = as;
    reversal.round = original->round;
    reversal.vendor = original->vendor;
    reversal.event = original->event;
    reversal.currency = original->currency;
    reversal.day = day;
    reversal.reverses = original->id;
    for (size_t i = 0; i < original->count; i++) {
        struct ledger_entry entry = original->entries[i];

        reversal.overflow |= !minor_multiply(entry.amount_minor, -1, &entry.amount_minor) ||
                             !minor_multiply(entry.quantity, -1, &entry.quantity);
        ledger_add(&reversal, &entry);
    }
    return ledger_post(tx, call, &reversal);
}
