-- What was sold. Every change of `remaining` is a row of stock_ledger, written in the same transaction.
-- Tables with a key of their own are that key's index (WITHOUT ROWID): a hold then writes six b-trees, not ten.

CREATE TABLE ticket_type_stock (
    id UUID PRIMARY KEY,              -- of the ticket type
    event_id UUID NOT NULL,
    total BIGINT NOT NULL CHECK (total >= 0 AND total <= 10000000),
    remaining BIGINT NOT NULL CHECK (remaining >= 0 AND remaining <= total),
    version BIGINT NOT NULL DEFAULT 0,    -- of `remaining`: hints in memory go by it
    ever_held INTEGER NOT NULL DEFAULT 0  -- 1: the type cannot leave the offer any more
) WITHOUT ROWID;
CREATE INDEX ticket_type_stock_event ON ticket_type_stock (event_id);

CREATE TABLE stock_ledger (
    seq INTEGER PRIMARY KEY,
    ticket_type_id UUID NOT NULL,
    order_id UUID,                    -- NULL: opened or adjusted by the vendor
    kind INTEGER NOT NULL,            -- enum stock_kind
    quantity BIGINT NOT NULL,         -- what it adds to `remaining`; 0 for a sale, which turns held into sold
    at_ms BIGINT NOT NULL
);
CREATE TRIGGER stock_ledger_no_update BEFORE UPDATE ON stock_ledger
BEGIN
    SELECT RAISE(ABORT, 'stock_ledger is append-only');
END;
CREATE TRIGGER stock_ledger_no_delete BEFORE DELETE ON stock_ledger
BEGIN
    SELECT RAISE(ABORT, 'stock_ledger is append-only');
END;

CREATE TABLE order_state (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL,
    event_id UUID NOT NULL,
    status INTEGER NOT NULL,          -- enum order_status
    attempt_id UUID,                  -- the live or the last payment attempt
    attempt_state INTEGER NOT NULL DEFAULT 0, -- enum order_attempt: none, live, confirmed, settled, aborted
    expires_at_ms BIGINT NOT NULL,    -- of a hold
    hold_ms BIGINT NOT NULL,          -- how long it was held at first: a replay answers with that
    total_minor BIGINT NOT NULL CHECK (total_minor >= 0),
    currency TEXT NOT NULL,
    idem_key TEXT NOT NULL,
    idem_digest BYTEA NOT NULL,
    created_at_ms BIGINT NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX order_state_idem ON order_state (user_id, idem_key);
CREATE INDEX order_state_expiry ON order_state (expires_at_ms) WHERE status = 0;
CREATE INDEX order_state_event ON order_state (event_id, id);

CREATE TABLE order_item (
    order_id UUID NOT NULL,
    ticket_type_id UUID NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    unit_price_minor BIGINT NOT NULL CHECK (unit_price_minor >= 0),
    PRIMARY KEY (order_id, ticket_type_id)
) WITHOUT ROWID;

CREATE TABLE order_detail (           -- written when there is something to say
    order_id UUID PRIMARY KEY,
    attendees TEXT,                   -- JSON
    confirmed_at_ms BIGINT,
    payment_method TEXT,              -- "card", "cash_on_arrival"
    due_minor BIGINT NOT NULL DEFAULT 0,
    refunded_minor BIGINT NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE event_buyer (            -- tickets held or bought by a user where the event limits them
    user_id UUID NOT NULL,
    event_id UUID NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity >= 0),
    PRIMARY KEY (user_id, event_id)
) WITHOUT ROWID;

CREATE TABLE ticket (
    id UUID PRIMARY KEY,
    order_id UUID NOT NULL,
    event_id UUID NOT NULL,
    ticket_type_id UUID NOT NULL,
    user_id UUID NOT NULL,
    status INTEGER NOT NULL,          -- enum ticket_status
    generation INTEGER NOT NULL,      -- in the code: a higher one kills the older codes
    attendee_name TEXT,
    price_minor BIGINT NOT NULL,
    used_at_ms BIGINT,
    used_device TEXT
) WITHOUT ROWID;
CREATE INDEX ticket_order ON ticket (order_id);
CREATE INDEX ticket_user ON ticket (user_id, id);

CREATE TABLE scan (                   -- the answer of each scan, kept for the scanner's retry
    owner_id UUID NOT NULL,           -- the vendor whose scanner it is, or the admin: devices name themselves
    device_id TEXT NOT NULL,
    nonce TEXT NOT NULL,
    code_digest BYTEA NOT NULL,       -- SHA-256 of what was scanned
    ticket_id UUID NOT NULL,
    result TEXT NOT NULL,             -- "admitted" or the code of the refusal
    fact BIGINT,                      -- what it says besides: the first scan's time, when check-in opens, what is due
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (owner_id, device_id, nonce)
) WITHOUT ROWID;

CREATE TABLE order_refund (
    id UUID PRIMARY KEY,
    order_id UUID NOT NULL,
    user_id UUID NOT NULL,            -- who asked
    idem_key TEXT,
    idem_digest BYTEA,
    amount_minor BIGINT NOT NULL CHECK (amount_minor >= 0),
    currency TEXT NOT NULL,
    status INTEGER NOT NULL,          -- enum refund_status of payment.h
    reason TEXT,
    tickets TEXT NOT NULL,            -- JSON: their ids
    created_at_ms BIGINT NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX order_refund_idem ON order_refund (user_id, idem_key);
CREATE INDEX order_refund_order ON order_refund (order_id);
