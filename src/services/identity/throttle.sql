-- name: throttle_find
SELECT blocked_until_ms FROM sign_in_failure WHERE email_index = $1;

-- What is THROTTLE_MEMORY_S old counts no more.
-- name: throttle_fail
INSERT INTO sign_in_failure (email_index, failures, blocked_until_ms, last_ms) VALUES ($1, 1, 0, $2)
ON CONFLICT (email_index) DO UPDATE
SET failures = CASE WHEN sign_in_failure.last_ms < $2 - 3600000 THEN 1 ELSE sign_in_failure.failures + 1 END, last_ms = $2
RETURNING failures;

-- name: throttle_block
UPDATE sign_in_failure SET blocked_until_ms = $2 WHERE email_index = $1;

-- name: throttle_clear
DELETE FROM sign_in_failure WHERE email_index = $1;

-- name: throttle_forget
DELETE FROM sign_in_failure WHERE email_index IN (SELECT email_index FROM sign_in_failure WHERE last_ms < $1 LIMIT $2);
