-- name: refund_insert
INSERT INTO payment_refund (id, attempt_id, order_id, amount_minor, currency, status, reason, next_ms, created_at_ms)
VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8) ON CONFLICT (id) DO NOTHING;

-- name: refund_find
SELECT attempt_id, amount_minor, status, tries FROM payment_refund WHERE id = $1;

-- name: refund_end
UPDATE payment_refund SET status = $2 WHERE id = $1 AND status = 0;

-- name: refund_failure
UPDATE payment_refund SET failure = $2 WHERE id = $1;

-- name: refund_return
UPDATE payment_refund SET status = 2, failure = $2 WHERE id = $1 AND status = 1;

-- name: refund_revive
UPDATE payment_refund SET status = 0, tries = 0, next_ms = $2 WHERE id = $1 AND status = 2;

-- It had succeeded, and failed then.
-- name: refund_reopen
UPDATE payment_refund SET status = 0, tries = tries + $2, next_ms = $3, failure = $4 WHERE id = $1 AND status = 1;

-- name: refund_due
SELECT id, next_ms, tries FROM payment_refund WHERE status = 0 ORDER BY next_ms LIMIT 1;

-- name: refund_lease
UPDATE payment_refund SET next_ms = $3, tries = tries + 1 WHERE id = $1 AND next_ms = $2 AND status = 0;
