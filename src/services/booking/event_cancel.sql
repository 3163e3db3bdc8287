-- The orders of an event behind $2 that hold, promise or have tickets which could still admit somebody.
-- name: event_cancel_orders
SELECT s.id FROM order_state s
WHERE s.event_id = $1 AND s.id > $2
  AND (s.status IN (0, 1) OR (s.status IN (2, 6) AND EXISTS (SELECT 1 FROM ticket t WHERE t.order_id = s.id AND t.status = 0)))
ORDER BY s.id LIMIT $3;

-- How many of them are left.
-- name: event_cancel_left
SELECT count(*) FROM order_state s
WHERE s.event_id = $1
  AND (s.status IN (0, 1) OR (s.status IN (2, 6) AND EXISTS (SELECT 1 FROM ticket t WHERE t.order_id = s.id AND t.status = 0)));

-- The refunds that nobody asked for ($2: no user), by their status.
-- name: event_cancel_refunds
SELECT r.status, count(*), CAST(sum(r.amount_minor) AS BIGINT)
FROM order_state s JOIN order_refund r ON r.order_id = s.id
WHERE s.event_id = $1 AND r.user_id = $2 AND r.amount_minor > 0
GROUP BY r.status;
