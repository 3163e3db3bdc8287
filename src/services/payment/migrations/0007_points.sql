-- Loyalty points: a ledger. Every change of an account is a row of points_entry, written in the same transaction.
-- points_entry: what each row adds; the sums over a user's rows are the row of points_account.

CREATE TABLE points_account (
    user_id UUID PRIMARY KEY,
    available BIGINT NOT NULL DEFAULT 0 CHECK (available >= 0), -- the sum of what remains in the lots
    reserved BIGINT NOT NULL DEFAULT 0 CHECK (reserved >= 0),   -- for orders that are not promised or paid yet
    debt BIGINT NOT NULL DEFAULT 0 CHECK (debt >= 0),           -- taken back after it was spent: what is earned next pays it
    CHECK (debt = 0 OR available = 0)
);

CREATE TABLE points_entry (
    seq INTEGER PRIMARY KEY,
    user_id UUID NOT NULL,
    kind INTEGER NOT NULL,            -- enum points_kind
    source UUID NOT NULL,             -- what it is for: with the kind unique, so nothing counts twice
    order_id UUID,
    available BIGINT NOT NULL,
    reserved BIGINT NOT NULL,
    debt BIGINT NOT NULL,
    base BIGINT NOT NULL,             -- of earnings, before multipliers: tiers go by it
    at_ms BIGINT NOT NULL
);
CREATE UNIQUE INDEX points_entry_source ON points_entry (kind, source);
CREATE INDEX points_entry_user ON points_entry (user_id, seq);
CREATE TRIGGER points_entry_no_update BEFORE UPDATE ON points_entry
BEGIN
    SELECT RAISE(ABORT, 'points_entry is append-only');
END;
CREATE TRIGGER points_entry_no_delete BEFORE DELETE ON points_entry
BEGIN
    SELECT RAISE(ABORT, 'points_entry is append-only');
END;

CREATE TABLE points_lot (             -- points that end together; what ends first is spent first
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL,
    order_id UUID,                    -- that earned them
    points BIGINT NOT NULL CHECK (points > 0),
    remaining BIGINT NOT NULL CHECK (remaining >= 0 AND remaining <= points),
    expires_at_ms BIGINT NOT NULL     -- 2^63 - 1: never
) WITHOUT ROWID;
CREATE INDEX points_lot_user ON points_lot (user_id, expires_at_ms) WHERE remaining > 0;
CREATE INDEX points_lot_expiry ON points_lot (expires_at_ms) WHERE remaining > 0;

CREATE TABLE points_part (            -- what a redemption took from a lot
    order_id UUID NOT NULL,           -- the redemption's
    lot_id UUID NOT NULL,
    earned_by UUID,                   -- the lot's order_id and end, for what comes back
    points BIGINT NOT NULL CHECK (points > 0),
    back BIGINT NOT NULL DEFAULT 0 CHECK (back >= 0 AND back <= points),
    expires_at_ms BIGINT NOT NULL,
    PRIMARY KEY (order_id, lot_id)
) WITHOUT ROWID;

CREATE TABLE points_redemption (
    order_id UUID PRIMARY KEY,
    user_id UUID NOT NULL,
    kind INTEGER NOT NULL,            -- enum payment_redeem of payment.h
    points BIGINT NOT NULL CHECK (points > 0),
    discount_minor BIGINT NOT NULL CHECK (discount_minor >= 0),
    currency TEXT NOT NULL,
    state INTEGER NOT NULL,           -- 0 reserved, 1 redeemed, 2 released
    returned BIGINT NOT NULL DEFAULT 0 CHECK (returned >= 0 AND returned <= points),
    look_at_ms BIGINT NOT NULL,       -- when a reserved one is held against its order
    created_at_ms BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX points_redemption_reserved ON points_redemption (look_at_ms) WHERE state = 0;

CREATE TABLE points_earning (         -- what an order earns
    order_id UUID PRIMARY KEY,
    user_id UUID NOT NULL,
    event_id UUID NOT NULL,
    at_checkin INTEGER NOT NULL,      -- 1: as its tickets are admitted
    percent BIGINT NOT NULL,          -- of tier and boost, as they were at first
    paid_minor BIGINT NOT NULL CHECK (paid_minor >= 0),
    face_minor BIGINT NOT NULL,       -- list price of what was paid
    admitted_minor BIGINT NOT NULL DEFAULT 0, -- list price of the tickets admitted
    refunded_minor BIGINT NOT NULL DEFAULT 0,
    counted_minor BIGINT NOT NULL,    -- of paid_minor: all of it, or that of the tickets admitted
    points BIGINT NOT NULL DEFAULT 0 CHECK (points >= 0), -- earned less what was taken back
    base BIGINT NOT NULL DEFAULT 0,
    until_ms BIGINT NOT NULL,         -- the event is over: what is not admitted by then is expected no longer
    created_at_ms BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX points_earning_user ON points_earning (user_id) WHERE at_checkin = 1;

CREATE TABLE points_vendor (          -- what a vendor has changed of the rules
    vendor_id UUID PRIMARY KEY,
    earn INTEGER NOT NULL,            -- enum points_earn
    redeem INTEGER NOT NULL,          -- 1: takes points
    boosts TEXT NOT NULL              -- JSON
) WITHOUT ROWID;
