/* platform/node/jobs.h - durable work for later: due times, leases, exponential backoff.
 *
 * A job row is written in the transaction of its cause and runs at least once. Its effect must
 * be idempotent, or be keyed. */
#pragma once

#include "platform/db/db.h"
#include "platform/node/call.h"

enum {
    JOB_LEASE_S = 120,
    JOB_PAYLOAD_SIZE_MAX = 1024 * 1024,
    JOB_RETRY_MAX_S = 3600,
};

struct job_kind {
    const char *name; /* "mail_order" */
    /* ERR_OK ends the job; anything else has it tried again, or kept as dead after attempts_max
     * (metric boxoffice_jobs_dead). */
    err (*run)(struct call *call, str payload);
    int attempts_max;
    int backoff_s; /* 1st retry after this, then doubled, +-10 %, at most 1 h */
};

/* `kind` is one of call->self's own, `tx` writes to its database. `key` makes it unique among the
 * kind's live jobs (a running one is alive): a second one is silently the same job. Absent: none.
 * `payload` is JSON; ERR_INTERNAL if it is larger than JOB_PAYLOAD_SIZE_MAX. */
err job_add(struct tx *tx, struct call *call, const char *kind, str key, int64_t due_ms,
            str payload);
/* Call after the commit: lets the runner see it at once. */
void jobs_wake(struct instance *self);

/* The node's own: frees what a dead process had leased, if the node is alone, and adds the chore
 * "jobs". */
err jobs_open(struct instance *self);
