-- name: account_types
SELECT $1::text, $2::bytea, $3::bigint, $4::double precision, $5::bytea, 'it''s $9 ?';

-- name: account_lock
SELECT balance FROM account WHERE email = $1 FOR UPDATE;
