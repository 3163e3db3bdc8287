-- name: redeem_insert
INSERT INTO order_points (order_id, points) VALUES ($1, $2);

-- name: redeem_points
SELECT points FROM order_points WHERE order_id = $1;

-- name: redeem_order_status
SELECT status FROM order_state WHERE id = $1;

-- A user's tickets of an event that are good; of a held order (status 0) none is there yet.
-- name: redeem_tickets
SELECT t.id, t.ticket_type_id, t.price_minor
FROM ticket t JOIN order_state s ON s.id = t.order_id
WHERE t.user_id = $1 AND t.event_id = $2 AND t.status = 0 AND s.status <> 0
ORDER BY t.id LIMIT $3;
