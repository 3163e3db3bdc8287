-- One process at a time delivers; the others find no row and look again later.
-- name: feed_cursor_claim
SELECT xid, seq FROM feed_cursor WHERE source = $1 FOR UPDATE SKIP LOCKED;
