-- name: points_earning_add
INSERT INTO points_earning (order_id, user_id, event_id, at_checkin, percent, paid_minor, counted_minor, until_ms, created_at_ms, face_minor)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (order_id) DO NOTHING;

-- name: points_earning_get
SELECT user_id, at_checkin, percent, paid_minor, refunded_minor, counted_minor, points, base, face_minor, admitted_minor FROM points_earning WHERE order_id = $1;

-- name: points_earning_set
UPDATE points_earning SET refunded_minor = $2, counted_minor = $3, points = $4, base = $5, admitted_minor = $6 WHERE order_id = $1;
