-- name: points_show_account
SELECT available, reserved, debt FROM points_account WHERE user_id = $1;

-- What has ended by $2, but is in the balance still.
-- name: points_show_over
SELECT CAST(coalesce(sum(remaining), 0) AS BIGINT) FROM points_lot WHERE user_id = $1 AND remaining > 0 AND expires_at_ms <= $2;

-- name: points_show_expiring
SELECT expires_at_ms, CAST(sum(remaining) AS BIGINT) FROM points_lot
WHERE user_id = $1 AND remaining > 0 AND expires_at_ms > $2 AND expires_at_ms <= $3
GROUP BY expires_at_ms ORDER BY expires_at_ms LIMIT $4;

-- What tickets that are not admitted yet are going to earn.
-- name: points_show_pending
SELECT percent, paid_minor - refunded_minor, points FROM points_earning
WHERE user_id = $1 AND at_checkin = 1 AND until_ms > $2 AND counted_minor < paid_minor - refunded_minor;

-- Newest first. Kind 4 (redeemed) changes no balance.
-- name: points_show_history
SELECT seq, kind, available, debt, order_id, at_ms FROM points_entry
WHERE user_id = $1 AND seq < $2 AND kind <> 4 ORDER BY seq DESC LIMIT $3;
