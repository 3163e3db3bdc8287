/* payment/ledger_sums.c - adds transactions up, for the chore that keeps the sums and for the audit
 * that holds them against the ledger: one way of reckoning, so that only the data can differ. */
#include "services/payment/ledger_sums.h"

#include <string.h>

#include "platform/crypto/crypto.h"

/* --- Keys and canonical form --- */

enum {
    HEAD_SIZE = 4 * 16 + CURRENCY_CODE_SIZE + 7 * 8 + 16,
    ENTRY_SIZE = 16 + 4 * 8,
    FORM_SIZE_MAX = LEDGER_HASH_SIZE + HEAD_SIZE + LEDGER_ENTRIES_MAX * ENTRY_SIZE,
    KEY_SIZE_MAX = 3 * 16 + 8 + CURRENCY_CODE_SIZE,
};

/* Bytes written one after the other; who uses it knows that there is room. */
struct form {
    uint8_t *at;
};

static void put(struct form *form, const void *bytes, size_t size)
{
    memcpy(form->at, bytes, size);
    form->at += size;
}

static void put_uuid(struct form *form, struct uuid id)
{
    put(form, id.bytes, sizeof(id.bytes));
}

static void put_i64(struct form *form, int64_t n)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        *form->at++ = (uint8_t)((uint64_t)n >> shift);
}

void ledger_hash(const uint8_t previous[LEDGER_HASH_SIZE],
                 const struct ledger_transaction *transaction, uint8_t ret[LEDGER_HASH_SIZE])
{
    uint8_t bytes[FORM_SIZE_MAX];
    struct form form = {bytes};

    put(&form, previous, LEDGER_HASH_SIZE);
    put_uuid(&form, transaction->id);
    put_i64(&form, transaction->source);
    put_uuid(&form, transaction->source_id);
    put_i64(&form, transaction->kind);
    put_i64(&form, transaction->round);
    put_uuid(&form, transaction->vendor);
    put_uuid(&form, transaction->event);
    put(&form, transaction->currency.code, CURRENCY_CODE_SIZE);
    put_i64(&form, transaction->day);
    put_i64(&form, transaction->posted_at_ms);
    put_uuid(&form, transaction->reverses);
    put_i64(&form, (int64_t)transaction->count);
    for (size_t i = 0; i < transaction->count; i++) {
        const struct ledger_entry *entry = &transaction->entries[i];

        put_i64(&form, entry->account);
        put_i64(&form, entry->purpose);
        put_uuid(&form, entry->ticket_type);
        put_i64(&form, entry->quantity);
        put_i64(&form, entry->amount_minor);
    }
    sha256((str){(const char *)bytes, (size_t)(form.at - bytes)}, ret);
}

/* --- Sums --- */

struct ledger_sums ledger_sums_open(struct arena *arena)
{
    return (struct ledger_sums){.arena = arena, .balances = map_open(), .sales = map_open()};
}

void ledger_sums_close(struct ledger_sums *sums)
{
    map_close(sums->balances);
    map_close(sums->sales);
    *sums = (struct ledger_sums){0};
}

struct balance_cell *ledger_sums_balance(struct ledger_sums *sums, enum ledger_account account,
                                         struct uuid vendor, struct currency currency)
{
    uint8_t bytes[KEY_SIZE_MAX];
    struct form form = {bytes};

    put_i64(&form, account);
    put_uuid(&form, vendor);
    put(&form, currency.code, CURRENCY_CODE_SIZE);
    const str key = {(const char *)bytes, (size_t)(form.at - bytes)};
    struct balance_cell *cell = map_find(sums->balances, key);
    if (cell == NULL) {
        cell = arena_new(sums->arena, struct balance_cell);
        *cell = (struct balance_cell){.account = account, .vendor = vendor, .currency = currency};
        (void)map_put(sums->balances, key, cell);
    }
    return cell;
}

struct sales_cell *ledger_sums_sales(struct ledger_sums *sums, const struct sales_cell *key)
{
    uint8_t bytes[KEY_SIZE_MAX];
    struct form form = {bytes};

    put_uuid(&form, key->vendor);
    put_uuid(&form, key->event);
    put_uuid(&form, key->ticket_type);
    put_i64(&form, key->day);
    put(&form, key->currency.code, CURRENCY_CODE_SIZE);
    const str name = {(const char *)bytes, (size_t)(form.at - bytes)};
    struct sales_cell *cell = map_find(sums->sales, name);
    if (cell == NULL) {
        cell = arena_new(sums->arena, struct sales_cell);
        *cell = (struct sales_cell){.vendor = key->vendor,
                                    .currency = key->currency,
                                    .event = key->event,
                                    .day = key->day,
                                    .ticket_type = key->ticket_type};
        (void)map_put(sums->sales, name, cell);
    }
    return cell;
}

static bool plus(int64_t *sum, int64_t n)
{
    return minor_add(*sum, n, sum);
}

static bool add_sales(struct ledger_sums *sums, const struct ledger_transaction *transaction,
                      const struct ledger_entry *entry)
{
    const struct sales_cell key = {
        .vendor = transaction->vendor,
        .currency = transaction->currency,
        .event = transaction->event,
        .day = transaction->day,
        .ticket_type = entry->ticket_type,
    };

    if (entry->purpose == PURPOSE_MONEY)
        return true;
    struct sales_cell *cell = ledger_sums_sales(sums, &key);
    switch (entry->purpose) {
    case PURPOSE_SALE:
        return plus(&cell->gross_minor, -entry->amount_minor) && plus(&cell->sold, entry->quantity);
    case PURPOSE_REFUND:
        return plus(&cell->refunds_minor, entry->amount_minor) &&
               plus(&cell->refunded, entry->quantity);
    case PURPOSE_FEE:
        return plus(&cell->fees_minor, entry->amount_minor);
    case PURPOSE_MONEY:
        break;
    }
    return true;
}

bool ledger_sums_add(struct ledger_sums *sums, const struct ledger_transaction *transaction)
{
    for (size_t i = 0; i < transaction->count; i++) {
        const struct ledger_entry *entry = &transaction->entries[i];
        const struct uuid nobody = {0};
        struct balance_cell *cell =
            ledger_sums_balance(sums, entry->account,
                                ledger_is_of_vendor(entry->account) ? transaction->vendor : nobody,
                                transaction->currency);

        if (!plus(&cell->minor, entry->amount_minor) || !add_sales(sums, transaction, entry))
            sums->overflow = true;
    }
    return !sums->overflow;
}
