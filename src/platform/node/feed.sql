-- Of the consumer's database:
-- name: feed_cursor_get
SELECT xid, seq FROM feed_cursor WHERE source = $1;

-- The same in a transaction that moves it.
-- name: feed_cursor_claim
SELECT xid, seq FROM feed_cursor WHERE source = $1;

-- name: feed_cursor_init
INSERT INTO feed_cursor (source, xid, seq) VALUES ($1, 0, 0) ON CONFLICT DO NOTHING;

-- name: feed_cursor_set
INSERT INTO feed_cursor (source, xid, seq) VALUES ($1, $2, $3)
ON CONFLICT (source) DO UPDATE SET xid = excluded.xid, seq = excluded.seq;

-- Of the source's database: how far the consumer will never ask again.
-- name: feed_reader_get
SELECT xid, seq FROM feed_reader WHERE consumer = $1;

-- name: feed_reader_set
INSERT INTO feed_reader (consumer, xid, seq) VALUES ($1, $2, $3)
ON CONFLICT (consumer) DO UPDATE SET xid = excluded.xid, seq = excluded.seq;
