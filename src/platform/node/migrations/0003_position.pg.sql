-- Where a reader stands is (xid, seq): numbers commit out of order.
ALTER TABLE feed_cursor ADD COLUMN xid bigint NOT NULL DEFAULT 0;
ALTER TABLE feed_reader ADD COLUMN xid bigint NOT NULL DEFAULT 0;
