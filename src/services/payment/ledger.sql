-- What the numbers mean is in ledger.h.

-- name: ledger_entry_insert
INSERT INTO ledger_entry (transaction_id, line, account, purpose, ticket_type_id, quantity, amount_minor) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: ledger_transaction_insert
INSERT INTO ledger_transaction (id, source_kind, source_id, kind, round, vendor_id, event_id, currency, day, posted_at_ms, reverses, entry_count)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: ledger_pending_insert
INSERT INTO ledger_pending (transaction_id, vendor_id) VALUES ($1, $2);

-- The last one of a kind that a source has.
-- name: ledger_last
SELECT id, round, vendor_id, event_id, currency FROM ledger_transaction
WHERE source_id = $1 AND source_kind = $2 AND kind = $3 ORDER BY round DESC LIMIT 1;

-- name: ledger_entries
SELECT account, purpose, ticket_type_id, quantity, amount_minor FROM ledger_entry WHERE transaction_id = $1 ORDER BY line;
