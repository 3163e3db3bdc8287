-- Its end and its adoption are one after the other.
-- name: ledger_adopt_refund
SELECT attempt_id, amount_minor, status, created_at_ms FROM payment_refund WHERE id = $1 FOR UPDATE;
