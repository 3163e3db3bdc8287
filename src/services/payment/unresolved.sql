-- Refunds that have failed (2) or were tried often ($1), attempts that cannot be finished, and disputes that are not over, behind $2.
-- name: unresolved_list
SELECT u.kind, u.id, u.order_id, u.amount_minor, u.currency, u.failed, u.tries, u.failure, u.created_at_ms FROM (
    SELECT 0 AS kind, r.id, r.order_id, r.amount_minor, r.currency, CASE WHEN r.status = 2 THEN 1 ELSE 0 END AS failed, r.tries, r.failure, r.created_at_ms
    FROM payment_refund r WHERE r.status = 2 OR (r.status = 0 AND r.tries >= $1)
    UNION ALL
    SELECT 1 AS kind, a.id, a.order_id, a.amount_minor, a.currency, 0 AS failed, a.tries, a.failure, a.created_at_ms
    FROM payment_attempt a WHERE a.state < 9 AND a.tries >= $1
    UNION ALL
    SELECT 2 AS kind, d.id, d.order_id, d.amount_minor, d.currency, 0 AS failed, 0 AS tries, d.status AS failure, d.created_at_ms
    FROM payment_dispute d WHERE d.is_over = 0
) u WHERE u.id > $2 ORDER BY u.id LIMIT $3;
