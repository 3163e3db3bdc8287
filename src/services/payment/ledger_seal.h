/* payment/ledger_seal.h - the chore that chains what was posted, and keeps the sums of it.
 *
 * A payment only adds rows of its own, so no two of them wait for each other. What many of them
 * would have to change together - the end of the hash chain, balances, sales by day - is done here
 * for all that wait at once, by one process at a time (the row of ledger_head is its lease). What
 * is still waiting is in ledger_pending, and whoever reads sums adds that to them. */
#pragma once

#include "services/payment/ledger.h"

enum {
    SEAL_BATCH = 500, /* transactions in one commit */
    SEAL_EVERY_MS = 1000,
};
#define SEAL_CHORE "seal_ledger"

/* The beginning of the chain, where there is none yet. */
err ledger_seal_begin(struct tx *tx);
/* Chains up to `limit` of those that wait. *ret_count: how many; 0 also if another process is at
 * it. */
err ledger_seal_some(struct call *call, int64_t limit, int64_t *ret_count);
/* Chore. */
err ledger_seal(struct call *call, int64_t *ret_next_ms);
