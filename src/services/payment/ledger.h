/* payment/ledger.h - double-entry bookkeeping: transactions whose entries sum up to 0, for good.
 *
 * A debit is positive, a credit negative; amounts are minor units of the transaction's one
 * currency. What is posted is never changed (triggers refuse it on both engines): a correction is
 * another transaction with the signs turned, linked to the one that it takes back. Posting writes
 * rows that nobody else writes, so payments do not wait for each other; balances, sales and the
 * hash chain follow a moment later (ledger_seal.h, docs/adr/0014-ledger.md). */
#pragma once

#include "base/money.h"
#include "base/time.h"
#include "platform/db/db.h"
#include "platform/node/call.h"

/* The numbers of these are in the database. */
enum ledger_account {
    ACCOUNT_PSP_CLEARING = 1,       /* asset: what payment providers hold for us */
    ACCOUNT_BANK = 2,               /* asset */
    ACCOUNT_DISPUTE_RECEIVABLE = 3, /* asset: withdrawn by a provider until a dispute is decided */
    ACCOUNT_VENDOR_RECEIVABLE = 4,  /* asset, per vendor: our fees and tax in money that he took */
    ACCOUNT_VENDOR_PAYABLE = 5,     /* liability, per vendor: what we owe him */
    ACCOUNT_PAYOUT_IN_TRANSIT = 6,  /* liability, per vendor */
    ACCOUNT_REFUND_PAYABLE = 7,     /* liability: what customers are to get back */
    ACCOUNT_TAX_PAYABLE = 8,        /* liability */
    ACCOUNT_SUSPENSE = 9,           /* what nobody could explain yet */
    ACCOUNT_PLATFORM_FEE = 10,      /* income */
    ACCOUNT_PSP_FEE = 11,           /* expense */
    ACCOUNT_GOODWILL = 12,          /* expense */
    ACCOUNTS,
};
enum ledger_purpose {                 /* what an entry is in a vendor's sales */
                      PURPOSE_MONEY,  /* nothing */
                      PURPOSE_SALE,   /* face value less discount; with the number of tickets */
                      PURPOSE_REFUND, /* the same, given back */
                      PURPOSE_FEE, /* what the vendor bears of the platform's fee, or (credit) gets back of it */
};
enum ledger_source { LEDGER_ATTEMPT = 1, LEDGER_REFUND = 2, LEDGER_DISPUTE = 3 };
enum ledger_kind {
    LEDGER_PAID = 1,              /* attempt: captured at a provider, or free */
    LEDGER_PAID_BY_HAND = 2,      /* attempt: cash, transfer */
    LEDGER_REFUND_OWED = 3,       /* refund: it is to be given back; by hand: it was */
    LEDGER_REFUND_PAID = 4,       /* refund: the provider has given it back */
    LEDGER_REFUND_RETURNED = 5,   /* reverses REFUND_PAID: it came back to the provider */
    LEDGER_REFUND_RELEASED = 6,   /* reverses REFUND_OWED: given up */
    LEDGER_PSP_FEE = 7,           /* attempt: what the provider keeps */
    LEDGER_DISPUTE_WITHDRAWN = 8, /* dispute: the provider took the money back */
    LEDGER_DISPUTE_LOST = 9,
    LEDGER_DISPUTE_WON = 10,
    LEDGER_KINDS,
};

enum { LEDGER_ENTRIES_MAX = 512 }; /* 200 lines at most, of two entries each, and some */

struct ledger_entry {
    enum ledger_account account;
    enum ledger_purpose purpose;
    struct uuid ticket_type; /* zero: of none */
    int64_t quantity;        /* tickets; negative where a refund is taken back */
    int64_t amount_minor;
};
struct ledger_transaction {
    struct uuid id; /* set by ledger_post */
    enum ledger_source source;
    struct uuid source_id;
    enum ledger_kind kind;
    int64_t round; /* how often this had happened to the source before */
    struct uuid vendor;
    struct uuid event;
    struct currency currency;
    int64_t day; /* 20261231, in the event's time zone */
    int64_t posted_at_ms;
    struct uuid reverses; /* zero: none */
    struct ledger_entry *entries;
    size_t count;
    size_t capacity;
    struct arena *arena;
    bool overflow; /* an amount did not fit: ledger_post refuses it */
};

/* An empty one; its entries will live in the arena. */
struct ledger_transaction ledger_begin(struct arena *arena);
/* One more entry. Without an amount and a quantity: nothing. */
void ledger_add(struct ledger_transaction *transaction, const struct ledger_entry *entry);
/* 0 unless it is wrong; sets *ret_sum. False on overflow. Pure. */
bool ledger_sum(const struct ledger_entry *entries, size_t count, int64_t *ret_sum);
/* Has the account a balance for each vendor? */
bool ledger_is_of_vendor(enum ledger_account account);
int64_t ledger_day(struct civil date);            /* 20261231 */
const char *ledger_account_name(int64_t account); /* "vendor_payable"; "unknown" */

/* Writes it, in the transaction of its cause; without entries: nothing. Sets id and posted_at_ms (to
 * now, unless it is set). ERR_DUPLICATE, at the latest when `tx` is committed: the source has that
 * kind and round already. ERR_INTERNAL: its entries do not sum up to 0. */
err ledger_post(struct tx *tx, struct call *call, struct ledger_transaction *transaction);
/* The last transaction of that kind that the source has, with entries. ERR_NOT_FOUND. */
err ledger_find_last(struct tx *tx, struct call *call, enum ledger_source source, struct uuid id,
                     enum ledger_kind kind, struct ledger_transaction *ret);
/* Posts the last `kind` of the source once more, as another `kind` of it, with the signs turned and
 * linked to it; `day` is its own. ERR_NOT_FOUND: there is none. */
err ledger_reverse(struct tx *tx, struct call *call, const struct ledger_transaction *original,
                   enum ledger_kind as, int64_t day);
