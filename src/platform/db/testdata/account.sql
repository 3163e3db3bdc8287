-- Statements of the database's own tests.

-- name: account_insert   conflict: account_email_key -> EMAIL_TAKEN, account_pkey -> CONFLICT
-- conflict: account_name_lower -> IN_USE, account_balance_check -> INSUFFICIENT_FUNDS
INSERT INTO account (id, email, name, balance) VALUES ($1, $2, $3, $4);

-- name: account_insert_plain
INSERT INTO account (id, email, name, balance) VALUES ($1, $2, $3, $4);

-- name: account_find
SELECT id, email, name, balance FROM account WHERE email = $1;

-- name: account_balance
SELECT balance FROM account WHERE email = $1;

-- name: account_pay   conflict: account_balance_check -> INSUFFICIENT_FUNDS
UPDATE account SET balance = balance - $2 /* ?1 */ WHERE email = $1; -- numbered, not in order of appearance

-- name: account_sum
SELECT sum(balance), sum(balance) / 2.0 FROM account;

-- name: account_lock
SELECT balance FROM account WHERE email = $1;

-- name: account_count
SELECT count(*) FROM account;

-- name: account_list
SELECT email, balance FROM account ORDER BY email;

-- name: account_delete   conflict: seat_account_fkey -> IN_USE
DELETE FROM account WHERE email = $1;

-- name: seat_claim   conflict: seat_pkey -> CONFLICT, seat_account_fkey -> NOT_FOUND
INSERT INTO seat (event, number, account) VALUES ($1, $2, $3);

-- name: account_types
SELECT $1, $2, $3, $4, $5, 'it''s $9 ?';

-- name: seat_take   conflict: seat_pkey -> CONFLICT, seat_account_fkey -> NOT_FOUND
INSERT INTO seat (event, number, account) VALUES ($1, $2, $3) RETURNING number;
