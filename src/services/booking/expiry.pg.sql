-- name: expiry_due
SELECT id FROM order_state
WHERE status = 0 AND expires_at_ms <= $1 AND attempt_state IN (0, 4)
ORDER BY expires_at_ms LIMIT $2
FOR UPDATE SKIP LOCKED;
