-- A position is (xid, seq), see outbox.h. SQLite commits in the order of the numbers: there xid is always 0.

-- name: outbox_insert
INSERT INTO outbox (kind, payload, at_ms) VALUES ($1, $2, $3);

-- The newest row is never pruned, so this never goes back.
-- name: outbox_last
SELECT 0, seq FROM outbox ORDER BY seq DESC LIMIT 1;

-- name: outbox_after
SELECT 0, seq, kind, payload, at_ms FROM outbox WHERE $1 = 0 AND seq > $2 ORDER BY seq LIMIT $3;

-- How many are ahead of a reader, counted up to a limit.
-- name: outbox_ahead
SELECT count(*) FROM (SELECT 1 FROM outbox WHERE $1 = 0 AND seq > $2 LIMIT $3) AS rows_ahead;

-- How far the next few rows reach that all have read and that are old. $1 and $2 may lie above all positions.
-- name: outbox_prunable
SELECT 0, seq FROM (
    SELECT seq FROM outbox
    WHERE $1 >= 0 AND seq <= $2 AND at_ms < $3 AND seq < (SELECT max(seq) FROM outbox)
    ORDER BY seq LIMIT $4) AS oldest
ORDER BY seq DESC LIMIT 1;

-- name: outbox_prune
DELETE FROM outbox WHERE $1 = 0 AND seq <= $2 AND at_ms < $3;

-- Only PostgreSQL's have such rows.
-- name: outbox_foreign
SELECT 1 FROM outbox WHERE seq < 0 LIMIT 1;

-- name: outbox_adopt
DELETE FROM outbox WHERE seq < 0;

-- name: feed_readers
SELECT consumer, xid, seq FROM feed_reader;

-- name: feed_reader_forget
DELETE FROM feed_reader WHERE consumer = $1;
