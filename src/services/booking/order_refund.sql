-- name: order_refund_first
SELECT id, idem_digest FROM order_refund WHERE user_id = $1 AND idem_key = $2;

-- name: order_refund_find
SELECT order_id, amount_minor, currency, status, reason, tickets, lines FROM order_refund WHERE id = $1;

-- name: order_refund_insert
INSERT INTO order_refund (id, order_id, user_id, idem_key, idem_digest, amount_minor, currency, status, reason, tickets, created_at_ms, lines)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- One that has failed (2) may be tried again and succeed (1); that is its end.
-- name: order_refund_end
UPDATE order_refund SET status = $2 WHERE id = $1 AND status <> 1 AND status <> $2;

-- name: order_refund_unpaid
UPDATE order_state SET due_minor = due_minor - $2 WHERE id = $1;

-- name: order_refund_count
UPDATE order_detail SET refunded_minor = refunded_minor + $2 WHERE order_id = $1;

-- Tickets that admit or have admitted.
-- name: order_refund_left
SELECT count(*) FROM ticket WHERE order_id = $1 AND status IN (0, 1);
