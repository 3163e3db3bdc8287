-- name: credential_find
SELECT id, password FROM user_credential WHERE email_index = $1;

-- name: credential_set_password
UPDATE user_credential SET password = $2 WHERE id = $1;

-- name: session_insert
INSERT INTO user_session (id, user_id, access_hash, refresh_hash, access_expires_ms, refresh_expires_ms, created_at_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: session_find
SELECT s.id, s.user_id, s.access_expires_ms, s.revoked_at_ms, c.role, c.vendor_id
FROM user_session s JOIN user_credential c ON c.id = s.user_id WHERE s.access_hash = $1;

-- name: session_revoke
UPDATE user_session SET revoked_at_ms = $2 WHERE id = $1 AND revoked_at_ms IS NULL;

-- name: session_forget
DELETE FROM user_session WHERE id IN (SELECT id FROM user_session WHERE refresh_expires_ms < $1 LIMIT $2);
