-- name: points_redemption_add
INSERT INTO points_redemption (order_id, user_id, kind, points, discount_minor, currency, state, look_at_ms, created_at_ms)
VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8);

-- name: points_redemption_get
SELECT user_id, points, discount_minor, currency, state, returned FROM points_redemption WHERE order_id = $1;

-- name: points_redemption_end
UPDATE points_redemption SET state = $2 WHERE order_id = $1 AND state = 0;

-- name: points_redemption_return
UPDATE points_redemption SET returned = returned + $2 WHERE order_id = $1 AND state = 1;

-- name: points_redemption_due
SELECT order_id, look_at_ms FROM points_redemption WHERE state = 0 ORDER BY look_at_ms LIMIT 1;

-- name: points_redemption_look
UPDATE points_redemption SET look_at_ms = $2 WHERE order_id = $1 AND state = 0;
