-- name: checkin_find
SELECT code_digest, ticket_id, result, fact FROM scan WHERE owner_id = $1 AND device_id = $2 AND nonce = $3;

-- Another process has just answered the same scan.
-- name: checkin_insert   conflict: scan_pkey -> STALE
INSERT INTO scan (owner_id, device_id, nonce, code_digest, ticket_id, result, fact, at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- The first scan wins.
-- name: checkin_use
UPDATE ticket SET status = 1, used_at_ms = $2, used_device = $3 WHERE id = $1 AND status = 0 AND generation = $4;
