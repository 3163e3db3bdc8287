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
);
CREATE UNIQUE INDEX ledger_transaction_source ON ledger_transaction (source_id, source_kind, kind, round);

CREATE TABLE ledger_entry (
    transaction_id UUID NOT NULL REFERENCES ledger_transaction (id) DEFERRABLE INITIALLY DEFERRED,
    line INTEGER NOT NULL,            -- from 1
    account INTEGER NOT NULL,         -- enum ledger_account
    purpose INTEGER NOT NULL,         -- enum ledger_purpose
    ticket_type_id UUID NOT NULL,     -- zero: of none
    quantity BIGINT NOT NULL,
    amount_minor BIGINT NOT NULL, -- a debit is positive, a credit negative
    PRIMARY KEY (transaction_id, line)
);

CREATE FUNCTION ledger_transaction_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    entries BIGINT;
    total NUMERIC;
BEGIN
    SELECT count(*), sum(amount_minor) INTO entries, total FROM ledger_entry WHERE transaction_id = NEW.id;
    IF entries <> NEW.entry_count OR total <> 0 THEN
        RAISE EXCEPTION 'ledger_transaction does not sum up to 0';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER ledger_transaction_balances BEFORE INSERT ON ledger_transaction
    FOR EACH ROW EXECUTE FUNCTION ledger_transaction_balances();
CREATE FUNCTION ledger_entry_in_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM ledger_transaction WHERE id = NEW.transaction_id) THEN
        RAISE EXCEPTION 'ledger_transaction is closed';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER ledger_entry_in_time BEFORE INSERT ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION ledger_entry_in_time();

-- The order in which they were chained, and the chain: each hash is of the one before it and of the transaction.
CREATE TABLE ledger_seal (
    seq BIGINT PRIMARY KEY,           -- from 1, without a gap
    transaction_id UUID NOT NULL UNIQUE,
    hash BYTEA NOT NULL
);
CREATE FUNCTION ledger_seal_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM ledger_seal) THEN
        RAISE EXCEPTION 'ledger_seal does not follow the last one';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER ledger_seal_follows BEFORE INSERT ON ledger_seal
    FOR EACH ROW EXECUTE FUNCTION ledger_seal_follows();
-- Those that are not chained yet, nor in the sums below: what the chore has to do.
CREATE TABLE ledger_pending (
    transaction_id UUID PRIMARY KEY,
    vendor_id UUID NOT NULL
);
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
    balance_minor BIGINT NOT NULL,
    PRIMARY KEY (account, vendor_id, currency)
);
CREATE TABLE sales_day (
    vendor_id UUID NOT NULL,
    currency TEXT NOT NULL,
    event_id UUID NOT NULL,
    day INTEGER NOT NULL,
    ticket_type_id UUID NOT NULL,     -- zero: of none
    gross_minor BIGINT NOT NULL,
    refunds_minor BIGINT NOT NULL,
    fees_minor BIGINT NOT NULL,
    sold BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    PRIMARY KEY (vendor_id, currency, event_id, day, ticket_type_id)
);

CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END;
$$;
CREATE TRIGGER ledger_transaction_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transaction
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
CREATE TRIGGER ledger_entry_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();
CREATE TRIGGER ledger_seal_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_seal
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only();

-- What an attempt is going to pay, line by line, and where its days begin.
CREATE TABLE payment_sale (
    attempt_id UUID PRIMARY KEY,
    timezone TEXT NOT NULL
);
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
);

-- What was paid and given back before there was a ledger: posted by a chore, once.
CREATE TABLE ledger_adoption (
    source_id UUID NOT NULL,
    source_kind INTEGER NOT NULL,     -- enum ledger_source
    PRIMARY KEY (source_kind, source_id)
);
INSERT INTO ledger_adoption (source_kind, source_id)
SELECT 1, id FROM payment_attempt WHERE state = 10 OR (state = 6 AND provider IS NOT NULL);
INSERT INTO ledger_adoption (source_kind, source_id) SELECT 2, id FROM payment_refund WHERE status <> 2;
