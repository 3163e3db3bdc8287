/* payment/ledger_adopt.h - posts what was paid and given back before there was a ledger.
 *
 * The migration that made the ledger has noted it all in ledger_adoption. A chore asks booking what
 * each order was for, posts it under the day on which it happened, and strikes it off: in one
 * transaction, so once. */
#pragma once

#include "services/payment/ledger.h"

#define ADOPT_CHORE "adopt_ledger"

/* One more that is not in the ledger; twice does no harm. */
err ledger_adopt_later(struct tx *tx, enum ledger_source source, struct uuid id);
/* Chore. */
err ledger_adopt(struct call *call, int64_t *ret_next_ms);
