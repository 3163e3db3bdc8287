-- name: outbox_insert
INSERT INTO outbox (kind, payload, at_ms) VALUES ($1, $2, $3);

-- The newest row is never pruned, so this never goes back.
-- name: outbox_last
SELECT coalesce(max(seq), 0) FROM outbox;

-- name: outbox_after
SELECT seq, kind, payload, at_ms FROM outbox WHERE seq > $1 ORDER BY seq LIMIT $2;

-- How far the next few rows reach that all have read and that are old; 0: there are none.
-- name: outbox_prunable
SELECT coalesce(max(seq), 0) FROM (
    SELECT seq FROM outbox
    WHERE seq <= $1 AND at_ms < $2 AND seq < (SELECT max(seq) FROM outbox)
    ORDER BY seq LIMIT $3) AS oldest;

-- name: outbox_prune
DELETE FROM outbox WHERE seq <= $1 AND at_ms < $2;

-- name: feed_readers
SELECT consumer, seq FROM feed_reader;

-- name: feed_reader_forget
DELETE FROM feed_reader WHERE consumer = $1;
