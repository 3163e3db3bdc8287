-- name: vendor_insert
INSERT INTO vendor (id, name, created_at_ms) VALUES ($1, $2, $3);

-- name: account_insert   conflict: user_credential_email_index_key -> EMAIL_TAKEN
INSERT INTO user_credential (id, email_index, password, role, vendor_id) VALUES ($1, $2, $3, $4, $5);

-- name: profile_insert
INSERT INTO user_profile (user_id, email, name, city, locale, interests, created_at_ms, updated_at_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7);

-- name: account_exists
SELECT 1 FROM user_credential WHERE email_index = $1;

-- name: account_find
SELECT c.role, c.vendor_id, v.name, p.email, p.name, p.city, p.locale, p.interests, p.created_at_ms
FROM user_credential c JOIN user_profile p ON p.user_id = c.id LEFT JOIN vendor v ON v.id = c.vendor_id
WHERE c.id = $1;

-- name: account_set_email   conflict: user_credential_email_index_key -> EMAIL_TAKEN
UPDATE user_credential SET email_index = $2 WHERE id = $1;

-- name: profile_update
UPDATE user_profile SET email = $2, name = $3, city = $4, locale = $5, interests = $6, updated_at_ms = $7 WHERE user_id = $1;

-- name: vendor_find
SELECT v.name, c.id FROM vendor v JOIN user_credential c ON c.vendor_id = v.id WHERE v.id = $1 ORDER BY c.id LIMIT 1;

-- name: vendor_of_email
SELECT vendor_id FROM user_credential WHERE email_index = $1 AND vendor_id IS NOT NULL;
