-- Of the consumer's database:
-- name: feed_cursor_get
SELECT seq FROM feed_cursor WHERE source = $1;

-- name: feed_cursor_set
INSERT INTO feed_cursor (source, seq) VALUES ($1, $2)
ON CONFLICT (source) DO UPDATE SET seq = excluded.seq;

-- Of the source's database: how far the consumer will never ask again.
-- name: feed_reader_get
SELECT seq FROM feed_reader WHERE consumer = $1;

-- name: feed_reader_set
INSERT INTO feed_reader (consumer, seq) VALUES ($1, $2)
ON CONFLICT (consumer) DO UPDATE SET seq = excluded.seq;
