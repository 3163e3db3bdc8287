-- name: points_account_get
SELECT available, reserved, debt FROM points_account WHERE user_id = $1 FOR UPDATE;
