-- name: job_insert
INSERT INTO job (kind, unique_key, payload, due_ms, added_ms) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING;

-- The lease is asked for twice: of two runners the second finds it gone when it gets to the row.
-- name: job_claim
UPDATE job SET attempts = attempts + 1, lease_until_ms = $2
WHERE id = (SELECT id FROM job WHERE died_ms IS NULL AND due_ms <= $1 AND lease_until_ms <= $1
            ORDER BY due_ms, id LIMIT 1)
  AND lease_until_ms <= $1
RETURNING id, kind, payload, attempts, due_ms;

-- name: job_end
DELETE FROM job WHERE id = $1 AND attempts = $2;

-- name: job_retry
UPDATE job SET due_ms = $3, error = $4, lease_until_ms = 0 WHERE id = $1 AND attempts = $2;

-- name: job_bury
UPDATE job SET died_ms = $3, error = $4, lease_until_ms = 0 WHERE id = $1 AND attempts = $2;

-- name: job_leased
SELECT count(*) FROM job WHERE lease_until_ms > 0;

-- name: job_free
UPDATE job SET lease_until_ms = 0 WHERE lease_until_ms > 0;

-- When the next job can be claimed; 0: there is none.
-- name: job_next
SELECT coalesce(min(at_ms), 0) FROM (
    SELECT min(due_ms) AS at_ms FROM job WHERE died_ms IS NULL AND lease_until_ms = 0
    UNION ALL
    SELECT min(lease_until_ms) FROM job WHERE lease_until_ms > 0) AS times;

-- name: job_count
SELECT (SELECT count(*) FROM job WHERE died_ms IS NULL),
       (SELECT count(*) FROM job WHERE died_ms IS NOT NULL);
