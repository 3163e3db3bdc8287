-- What Stripe has told us of, once each, until it is seen to; and disputes.
CREATE TABLE stripe_event (
    id TEXT PRIMARY KEY,              -- "evt_...": Stripe's
    type TEXT NOT NULL,
    object_id TEXT,                   -- what it is about
    payment TEXT,                     -- our id of it, from its metadata
    refund TEXT,
    tries INTEGER NOT NULL DEFAULT 0,
    next_ms BIGINT NOT NULL,
    received_at_ms BIGINT NOT NULL,
    done_at_ms BIGINT                 -- NULL: it is still to be seen to
);
CREATE INDEX stripe_event_due ON stripe_event (next_ms, id) WHERE done_at_ms IS NULL;
CREATE INDEX stripe_event_done ON stripe_event (done_at_ms) WHERE done_at_ms IS NOT NULL;
CREATE TABLE stripe_cursor (
    id INTEGER PRIMARY KEY,           -- 1
    since_s BIGINT NOT NULL           -- events up to then are in the inbox
);
CREATE TABLE payment_dispute (
    id UUID PRIMARY KEY,
    provider_id TEXT NOT NULL UNIQUE, -- "dp_..."
    attempt_id UUID NOT NULL,
    order_id UUID NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    status TEXT NOT NULL,             -- as the provider says: "needs_response", "won", "lost"
    reason TEXT,
    is_over INTEGER NOT NULL,
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);
CREATE INDEX payment_dispute_open ON payment_dispute (id) WHERE is_over = 0;
