-- Both go by the index order_state_expiry. attempt_state 0: none, 4: aborted.

-- name: expiry_due
SELECT id FROM order_state
WHERE status = 0 AND expires_at_ms <= $1 AND attempt_state IN (0, 4)
ORDER BY expires_at_ms LIMIT $2;

-- name: expiry_next
SELECT expires_at_ms FROM order_state
WHERE status = 0 AND attempt_state IN (0, 4)
ORDER BY expires_at_ms LIMIT 1;
