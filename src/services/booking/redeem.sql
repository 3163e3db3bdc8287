-- name: redeem_insert
INSERT INTO order_points (order_id, points) VALUES ($1, $2);

-- name: redeem_points
SELECT points FROM order_points WHERE order_id = $1;

-- name: redeem_order_status
SELECT status FROM order_state WHERE id = $1;
