-- Money. Every step of an attempt is written before it is taken, so that a crash at any point can be finished.

CREATE TABLE payment_attempt (
    id UUID PRIMARY KEY,
    order_id UUID NOT NULL,
    user_id UUID NOT NULL,
    event_id UUID,                    -- NULL until booking has said what is paid
    vendor_id UUID,
    method TEXT NOT NULL,             -- "card", "cash_on_arrival", "bank_transfer", "free"
    brand TEXT,                       -- "visa": as the provider says
    provider TEXT,                    -- "sandbox"; NULL: no provider takes part
    provider_key TEXT NOT NULL UNIQUE, -- what the provider knows the charge by
    state INTEGER NOT NULL,           -- enum attempt_state
    failure TEXT,                     -- err_name of why it ended without money
    redirect_url TEXT,
    amount_minor BIGINT NOT NULL CHECK (amount_minor >= 0),
    currency TEXT NOT NULL,
    refunded_minor BIGINT NOT NULL DEFAULT 0 CHECK (refunded_minor >= 0 AND refunded_minor <= amount_minor),
    idem_key TEXT,                    -- NULL once the request has left no effect to replay
    idem_digest BYTEA,
    answer_status INTEGER NOT NULL DEFAULT 0, -- 200 or 402 once answered; a replay keeps it
    tries INTEGER NOT NULL DEFAULT 0, -- of the reconciler in this state
    next_ms BIGINT NOT NULL,          -- when the reconciler looks at it if nobody else has finished it
    created_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX payment_attempt_idem ON payment_attempt (user_id, idem_key);
CREATE INDEX payment_attempt_order ON payment_attempt (order_id, id);
CREATE INDEX payment_attempt_live ON payment_attempt (next_ms) WHERE state < 9;

CREATE TABLE payment_refund (
    id UUID PRIMARY KEY,
    attempt_id UUID NOT NULL,
    order_id UUID NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL,
    status INTEGER NOT NULL,          -- enum refund_status
    reason TEXT,
    tries INTEGER NOT NULL DEFAULT 0,
    next_ms BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL
);
CREATE INDEX payment_refund_pending ON payment_refund (next_ms) WHERE status = 0;
CREATE INDEX payment_refund_attempt ON payment_refund (attempt_id);

-- The sandbox provider's own books: durable, for they are the truth to reconcile with.
CREATE TABLE sandbox_charge (
    provider_key TEXT PRIMARY KEY,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    brand TEXT NOT NULL,
    status INTEGER NOT NULL,          -- enum charge_status
    failure TEXT,
    ready_at_ms BIGINT NOT NULL,      -- the outcome is known from here on
    refunded_minor BIGINT NOT NULL DEFAULT 0 CHECK (refunded_minor >= 0 AND refunded_minor <= amount_minor)
);
CREATE TABLE sandbox_refund (
    provider_key TEXT PRIMARY KEY,
    charge_key TEXT NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0)
);
