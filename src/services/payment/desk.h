/* payment/desk.h - the threads that talk to providers, and the requests that wait for them.
 *
 * No customer waits for a provider longer than ANSWER_MS: what is unfinished then is answered as it
 * stands and ends in the background. */
#pragma once

#include "platform/http/http.h"
#include "services/payment/attempt.h"

enum {
    ANSWER_MS = 2500,
    DESK_THREADS = 8,
    DESK_RECONCILERS = 4, /* threads that buyers do not wait for */
    DESK_WAITING_MAX = 512,
    DESK_TOKEN_SIZE_MAX = 255,
};
#define DESK_CHORE "answer_late"

struct desk;

/* NULL: the system has no threads to give. */
struct desk *desk_open(struct instance *self);
/* Finishes what runs; what waits is left to the reconciler of the next start. The server has gone
 * before: requests that still wait have nobody to be answered to, and are freed. */
void desk_close(struct desk *desk); /* NULL is accepted */

/* Has the attempt driven by a thread of the desk, if it is still leased as here when its turn comes.
 * ERR_OVERLOADED: too many wait. */
err desk_submit(struct desk *desk, const struct attempt *attempt, str token);
/* The same for the reconciler, which has leased it: waits until one of DESK_RECONCILERS is free. */
void desk_reconcile(struct desk *desk, const struct attempt *attempt);
/* Waits until all that the reconciler has handed in is done. */
void desk_reconciled(struct desk *desk);
/* Parks the request until the attempt has been driven or removed, at most ANSWER_MS from when it
 * came; `then` answers. Gives what the handler returns. Whoever drives the attempt is told of it
 * after this, or has perhaps finished before: see desk_wake. */
err desk_await(struct desk *desk, struct req *req, attempt_id attempt, err (*then)(struct req *));
/* Resumes whoever waits for the attempt. */
void desk_wake(struct desk *desk, attempt_id attempt);

/* Chore: answers those whose time is up. */
err desk_answer_late(struct call *call, int64_t *ret_next_ms);
