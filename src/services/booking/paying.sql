-- name: paying_attempt
UPDATE order_state SET attempt_id = $2, attempt_state = $3, expires_at_ms = $4 WHERE id = $1;

-- What is to be paid at the entrance, or by transfer.
-- name: paying_due
UPDATE order_state SET due_minor = $2 WHERE id = $1;

-- name: paying_detail
INSERT INTO order_detail (order_id, confirmed_at_ms, payment_method) VALUES ($1, $2, $3)
ON CONFLICT (order_id) DO UPDATE
SET confirmed_at_ms = coalesce(order_detail.confirmed_at_ms, $2), payment_method = coalesce($3, order_detail.payment_method);

-- What an order was settled for, which a repeated call is told again. Lines: only where they are not those of the order.
-- name: paying_paid
UPDATE order_detail SET paid_minor = $2, paid_lines = $3 WHERE order_id = $1;

-- name: paying_was_paid
SELECT paid_minor, paid_lines FROM order_detail WHERE order_id = $1;
