-- Several processes take jobs from one database: whoever comes second takes the next one.
-- name: job_claim
UPDATE job SET attempts = attempts + 1, lease_until_ms = $2
WHERE id = (SELECT id FROM job WHERE died_ms IS NULL AND due_ms <= $1 AND lease_until_ms <= $1
            ORDER BY due_ms, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, kind, payload, attempts, due_ms;
