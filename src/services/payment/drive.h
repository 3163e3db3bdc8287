/* payment/drive.h - moves an attempt on, step by step, as far as it goes now. */
#pragma once

#include "services/payment/attempt.h"
#include "services/payment/provider.h"

/* Takes every step that can be taken now. ERR_OK: the attempt is over, waits for somebody
 * (provider, buyer, staff), or somebody else moves it. Any other: it could not go on. `token` is
 * the buyer's, for the first call to the provider alone; absent: ask what became of it. */
err attempt_drive(struct call *call, struct attempt *attempt, str token);
/* The same for whoever has nobody to tell: what could not go on is logged and left to the
 * reconciler, and requests that wait for the attempt are resumed. */
void attempt_drive_or_leave(struct call *call, struct attempt *attempt, str token);

/* Chore: takes up what nobody has finished. */
err attempt_reconcile(struct call *call, int64_t *ret_next_ms);
