/* payment/ledger_sums.h - what transactions add up to: the balances of accounts, the sales of
 * vendors, and the hash that chains one to those before it. No I/O. */
#pragma once

#include "base/map.h"
#include "services/payment/ledger.h"

enum { LEDGER_HASH_SIZE = 32 };

/* One row of `sales_day`. */
struct sales_cell {
    struct uuid vendor;
    struct currency currency;
    struct uuid event;
    int64_t day;
    struct uuid ticket_type;
    int64_t gross_minor;
    int64_t refunds_minor;
    int64_t fees_minor;
    int64_t sold;
    int64_t refunded;
    bool seen; /* for who compares */
};
struct balance_cell {
    enum ledger_account account;
    struct uuid vendor; /* zero: of all vendors */
    struct currency currency;
    int64_t minor;
    bool seen;
};

/* The cells live in the arena. */
struct ledger_sums {
    struct arena *arena;
    struct map *balances; /* -> struct balance_cell */
    struct map *sales;    /* -> struct sales_cell */
    bool overflow;
};

struct ledger_sums ledger_sums_open(struct arena *arena);
void ledger_sums_close(struct ledger_sums *sums); /* for CLEANUP */
/* False, and sums->overflow, where a sum did not fit. */
bool ledger_sums_add(struct ledger_sums *sums, const struct ledger_transaction *transaction);
/* The cell, made empty if there is none. */
struct balance_cell *ledger_sums_balance(struct ledger_sums *sums, enum ledger_account account,
                                         struct uuid vendor, struct currency currency);
struct sales_cell *ledger_sums_sales(struct ledger_sums *sums, const struct sales_cell *key);

/* SHA-256 of `previous` and the transaction's canonical form: all its fields and those of its
 * entries, in their order, numbers in 8 bytes with the highest first. */
void ledger_hash(const uint8_t previous[LEDGER_HASH_SIZE],
                 const struct ledger_transaction *transaction, uint8_t ret[LEDGER_HASH_SIZE]);
