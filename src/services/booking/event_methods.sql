-- Orders that are to be paid by hand in this way (1: pending), or are being paid right now (0: held; 1, 2: live, confirmed).
-- name: event_methods_needed
SELECT count(*) FROM order_state s LEFT JOIN order_detail d ON d.order_id = s.id
WHERE s.event_id = $1 AND ((s.status = 1 AND d.payment_method = $2) OR (s.status = 0 AND s.attempt_state IN (1, 2)));
