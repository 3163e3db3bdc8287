-- Where a reader stands is (xid, seq); xid is always 0 here.
ALTER TABLE feed_cursor ADD COLUMN xid INTEGER NOT NULL DEFAULT 0;
ALTER TABLE feed_reader ADD COLUMN xid INTEGER NOT NULL DEFAULT 0;
