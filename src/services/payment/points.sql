-- name: points_account_make
INSERT INTO points_account (user_id) VALUES ($1) ON CONFLICT (user_id) DO NOTHING;

-- name: points_account_get
SELECT available, reserved, debt FROM points_account WHERE user_id = $1;

-- name: points_account_change
UPDATE points_account SET available = available + $2, reserved = reserved + $3, debt = debt + $4 WHERE user_id = $1;

-- name: points_entry_add
INSERT INTO points_entry (user_id, kind, source, order_id, available, reserved, debt, base, at_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (kind, source) DO NOTHING;

-- Kinds 0 and 1: earned, taken back.
-- name: points_earned_since
SELECT CAST(coalesce(sum(base), 0) AS BIGINT) FROM points_entry WHERE user_id = $1 AND kind IN (0, 1) AND at_ms > $2;

-- name: points_lot_add
INSERT INTO points_lot (id, user_id, order_id, points, remaining, expires_at_ms) VALUES ($1, $2, $3, $4, $4, $5);

-- name: points_lot_take
UPDATE points_lot SET remaining = remaining - $2 WHERE id = $1 AND remaining >= $2;

-- Those of order $2 first, then what ends first.
-- name: points_lots
SELECT id, remaining, order_id, expires_at_ms FROM points_lot
WHERE user_id = $1 AND remaining > 0
ORDER BY CASE WHEN order_id = $2 THEN 0 ELSE 1 END, expires_at_ms, id LIMIT $3;

-- name: points_lots_over
SELECT id, remaining FROM points_lot WHERE user_id = $1 AND remaining > 0 AND expires_at_ms <= $2
ORDER BY expires_at_ms, id LIMIT $3;

-- name: points_lot_first
SELECT user_id, expires_at_ms FROM points_lot WHERE remaining > 0 ORDER BY expires_at_ms LIMIT 1;

-- name: points_part_add
INSERT INTO points_part (order_id, lot_id, earned_by, points, expires_at_ms) VALUES ($1, $2, $3, $4, $5);

-- What lasts longest comes back first.
-- name: points_parts
SELECT lot_id, points - back, earned_by, expires_at_ms FROM points_part
WHERE order_id = $1 AND back < points ORDER BY expires_at_ms DESC, lot_id LIMIT $2;

-- name: points_part_back
UPDATE points_part SET back = back + $3 WHERE order_id = $1 AND lot_id = $2;

-- Accounts that their entries do not add up to, or that have less or more in their lots.
-- name: points_audit_accounts
SELECT a.user_id
FROM points_account a
LEFT JOIN (
    SELECT user_id, sum(available) AS available, sum(reserved) AS reserved, sum(debt) AS debt FROM points_entry GROUP BY user_id
) e ON e.user_id = a.user_id
LEFT JOIN (
    SELECT user_id, sum(remaining) AS remaining FROM points_lot GROUP BY user_id
) l ON l.user_id = a.user_id
LEFT JOIN (
    SELECT user_id, sum(points) AS points FROM points_redemption WHERE state = 0 GROUP BY user_id
) r ON r.user_id = a.user_id
WHERE a.available <> coalesce(e.available, 0) OR a.reserved <> coalesce(e.reserved, 0) OR a.debt <> coalesce(e.debt, 0)
   OR a.available <> coalesce(l.remaining, 0) OR a.reserved <> coalesce(r.points, 0)
ORDER BY a.user_id LIMIT 1;

-- name: points_audit_entries
SELECT seq, user_id, kind, available, reserved, debt FROM points_entry ORDER BY user_id, seq;

-- name: points_audit_strays
SELECT e.user_id FROM points_entry e WHERE NOT EXISTS (SELECT 1 FROM points_account a WHERE a.user_id = e.user_id) LIMIT 1;

-- Earnings (kinds 0 and 1 of their order) that are not what was written down for the order. Debt that was paid is earned too.
-- name: points_audit_earnings
SELECT o.order_id
FROM points_earning o
LEFT JOIN (
    SELECT order_id, sum(available - debt) AS points, sum(base) AS base FROM points_entry WHERE kind IN (0, 1) GROUP BY order_id
) e ON e.order_id = o.order_id
WHERE o.points <> coalesce(e.points, 0) OR o.base <> coalesce(e.base, 0) OR o.counted_minor > o.paid_minor
ORDER BY o.order_id LIMIT 1;

-- Redemptions whose parts or entries (2 reserved, 3 released, 4 redeemed, 5 returned) do not fit what has become of them.
-- name: points_audit_redemptions
SELECT r.order_id
FROM points_redemption r
LEFT JOIN (
    SELECT order_id, sum(points) AS points, sum(back) AS back FROM points_part GROUP BY order_id
) p ON p.order_id = r.order_id
LEFT JOIN (
    SELECT order_id, sum(reserved) AS reserved,
           sum(CASE WHEN kind = 5 THEN available - debt ELSE 0 END) AS returned,
           sum(CASE WHEN kind = 2 THEN 1 ELSE 0 END) AS reservations,
           sum(CASE WHEN kind IN (3, 4) THEN 1 ELSE 0 END) AS ends
    FROM points_entry WHERE kind IN (2, 3, 4, 5) GROUP BY order_id
) e ON e.order_id = r.order_id
WHERE coalesce(p.points, 0) <> r.points
   OR coalesce(p.back, 0) <> CASE WHEN r.state = 2 THEN r.points ELSE r.returned END
   OR coalesce(e.reserved, 0) <> CASE WHEN r.state = 0 THEN r.points ELSE 0 END
   OR coalesce(e.returned, 0) <> r.returned OR coalesce(e.reservations, 0) <> 1
   OR coalesce(e.ends, 0) <> CASE WHEN r.state = 0 THEN 0 ELSE 1 END
ORDER BY r.order_id LIMIT 1;
