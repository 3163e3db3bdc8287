-- name: ledger_adoption_insert
INSERT INTO ledger_adoption (source_kind, source_id) VALUES ($1, $2) ON CONFLICT (source_kind, source_id) DO NOTHING;

-- Payments (1) before refunds (2).
-- name: ledger_adoption_list
SELECT source_kind, source_id FROM ledger_adoption ORDER BY source_kind, source_id LIMIT $1;

-- name: ledger_adoption_delete
DELETE FROM ledger_adoption WHERE source_kind = $1 AND source_id = $2;

-- name: ledger_adopt_paid_at
SELECT updated_at_ms FROM payment_attempt WHERE id = $1;

-- name: ledger_adopt_refund
SELECT attempt_id, amount_minor, status, created_at_ms FROM payment_refund WHERE id = $1;
