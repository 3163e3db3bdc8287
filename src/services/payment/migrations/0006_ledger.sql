-- The double-entry ledger. What stands in it is never changed: corrections are transactions of their own. A transaction's entries are written
-- first, its row last: that closes it, and only if they sum up to 0. It has one currency, because entries have none.

CREATE TABLE ledger_transaction (
    id UUID PRIMARY KEY,
    source_kind INTEGER NOT NULL,     -- enum ledger_source
    source_id UUID NOT NULL,
    kind INTEGER NOT NULL,            -- enum ledger_kind
    round INTEGER NOT NULL,           -- how often this had happened to the source before
    vendor_id UUID NOT NULL,
    event_id UUID NOT NULL,
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    day INTEGER NOT NULL,             -- 20261231: in the event's time zone
    posted_at_ms BIGINT NOT NULL,
    reverses UUID,                    -- the transaction whose entries these are with the signs turned
    entry_count INTEGER NOT NULL CHECK (entry_count > 0)
) WITHOUT ROWID;
CREATE UNIQUE INDEX ledger_transaction_source ON ledger_transaction (source_id, source_kind, kind, round);

CREATE TABLE ledger_entry (
    transaction_id UUID NOT NULL REFERENCES ledger_transaction (id) DEFERRABLE INITIALLY DEFERRED,
    line INTEGER NOT NULL,            -- from 1
    account INTEGER NOT NULL,         -- enum ledger_account
    purpose INTEGER NOT NULL,         -- enum ledger_purpose
    ticket_type_id UUID NOT NULL,     -- zero: of none
    quantity BIGINT NOT NULL CHECK (typeof(quantity) = 'integer'),
    amount_minor BIGINT NOT NULL CHECK (typeof(amount_minor) = 'integer'), -- a debit is positive, a credit negative
    PRIMARY KEY (transaction_id, line)
) WITHOUT ROWID;

CREATE TRIGGER ledger_transaction_balances BEFORE INSERT ON ledger_transaction
BEGIN
    SELECT RAISE(ABORT, 'ledger_transaction does not sum up to 0')
    WHERE (SELECT count(*) FROM ledger_entry WHERE transaction_id = NEW.id) <> NEW.entry_count
       OR (SELECT sum(amount_minor) FROM ledger_entry WHERE transaction_id = NEW.id) <> 0;
END;
CREATE TRIGGER ledger_transaction_once BEFORE INSERT ON ledger_transaction
WHEN EXISTS (SELECT 1 FROM ledger_transaction WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'ledger_transaction is closed'); -- INSERT OR REPLACE would not ask the trigger of DELETE
END;
CREATE TRIGGER ledger_entry_in_time BEFORE INSERT ON ledger_entry
WHEN EXISTS (SELECT 1 FROM ledger_transaction WHERE id = NEW.transaction_id)
BEGIN
    SELECT RAISE(ABORT, 'ledger_transaction is closed');
END;

-- The order in which they were chained, and the chain: each hash is of the one before it and of the transaction.
CREATE TABLE ledger_seal (
    seq INTEGER PRIMARY KEY,          -- from 1, without a gap
    transaction_id UUID NOT NULL UNIQUE,
    hash BYTEA NOT NULL
);
CREATE TRIGGER ledger_seal_follows BEFORE INSERT ON ledger_seal
WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM ledger_seal)
BEGIN
    SELECT RAISE(ABORT, 'ledger_seal does not follow the last one');
END;
-- Those that are not chained yet, nor in the sums below: what the chore has to do.
CREATE TABLE ledger_pending (
    transaction_id UUID PRIMARY KEY,
    vendor_id UUID NOT NULL
) WITHOUT ROWID;
CREATE INDEX ledger_pending_vendor ON ledger_pending (vendor_id);
-- The end of the chain. Whoever chains has its row.
CREATE TABLE ledger_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seq BIGINT NOT NULL,
    hash BYTEA NOT NULL
);

-- Sums of what is chained.
CREATE TABLE ledger_balance (
    account INTEGER NOT NULL,
    vendor_id UUID NOT NULL,          -- zero: of all vendors
    currency TEXT NOT NULL,
    balance_minor BIGINT NOT NULL CHECK (typeof(balance_minor) = 'integer'),
    PRIMARY KEY (account, vendor_id, currency)
) WITHOUT ROWID;
CREATE TABLE sales_day (
    vendor_id UUID NOT NULL,
    currency TEXT NOT NULL,
    event_id UUID NOT NULL,
    day INTEGER NOT NULL,
    ticket_type_id UUID NOT NULL,     -- zero: of none
    gross_minor BIGINT NOT NULL CHECK (typeof(gross_minor) = 'integer'),
    refunds_minor BIGINT NOT NULL CHECK (typeof(refunds_minor) = 'integer'),
    fees_minor BIGINT NOT NULL CHECK (typeof(fees_minor) = 'integer'),
    sold BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    PRIMARY KEY (vendor_id, currency, event_id, day, ticket_type_id)
) WITHOUT ROWID;

CREATE TRIGGER ledger_transaction_no_update BEFORE UPDATE ON ledger_transaction
BEGIN
    SELECT RAISE(ABORT, 'ledger_transaction is append-only');
END;
CREATE TRIGGER ledger_transaction_no_delete BEFORE DELETE ON ledger_transaction
BEGIN
    SELECT RAISE(ABORT, 'ledger_transaction is append-only');
END;
CREATE TRIGGER ledger_entry_no_update BEFORE UPDATE ON ledger_entry
BEGIN
    SELECT RAISE(ABORT, 'ledger_entry is append-only');
END;
CREATE TRIGGER ledger_entry_no_delete BEFORE DELETE ON ledger_entry
BEGIN
    SELECT RAISE(ABORT, 'ledger_entry is append-only');
END;
CREATE TRIGGER ledger_seal_no_update BEFORE UPDATE ON ledger_seal
BEGIN
    SELECT RAISE(ABORT, 'ledger_seal is append-only');
END;
CREATE TRIGGER ledger_seal_no_delete BEFORE DELETE ON ledger_seal
BEGIN
    SELECT RAISE(ABORT, 'ledger_seal is append-only');
END;

-- What an attempt is going to pay, line by line, and where its days begin.
CREATE TABLE payment_sale (
    attempt_id UUID PRIMARY KEY,
    timezone TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE payment_sale_line (
    attempt_id UUID NOT NULL,
    line INTEGER NOT NULL,
    ticket_type_id UUID NOT NULL,
    quantity BIGINT NOT NULL,
    face_minor BIGINT NOT NULL,
    discount_minor BIGINT NOT NULL,
    buyer_fee_minor BIGINT NOT NULL,
    vendor_fee_minor BIGINT NOT NULL,
    tax_minor BIGINT NOT NULL,
    PRIMARY KEY (attempt_id, line)
) WITHOUT ROWID;

-- What was paid and given back before there was a ledger: posted by a chore, once.
CREATE TABLE ledger_adoption (
    source_id UUID NOT NULL,
    source_kind INTEGER NOT NULL,     -- enum ledger_source
    PRIMARY KEY (source_kind, source_id)
) WITHOUT ROWID;
INSERT INTO ledger_adoption (source_kind, source_id)
SELECT 1, id FROM payment_attempt WHERE state = 10 OR (state = 6 AND provider IS NOT NULL);
INSERT INTO ledger_adoption (source_kind, source_id) SELECT 2, id FROM payment_refund WHERE status <> 2;
