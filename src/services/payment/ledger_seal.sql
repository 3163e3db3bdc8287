-- name: ledger_head_begin
INSERT INTO ledger_head (id, seq, hash) VALUES (1, 0, $1) ON CONFLICT (id) DO NOTHING;

-- name: ledger_head_take
SELECT seq, hash FROM ledger_head WHERE id = 1;

-- name: ledger_head_move
UPDATE ledger_head SET seq = $1, hash = $2 WHERE id = 1;

-- name: ledger_pending_any
SELECT transaction_id FROM ledger_pending LIMIT 1;

-- The oldest that wait, whole: rows of one transaction stand together.
-- name: ledger_pending_read
SELECT t.id, t.source_kind, t.source_id, t.kind, t.round, t.vendor_id, t.event_id, t.currency, t.day, t.posted_at_ms, t.reverses, t.entry_count,
       e.account, e.purpose, e.ticket_type_id, e.quantity, e.amount_minor
FROM (SELECT transaction_id FROM ledger_pending ORDER BY transaction_id LIMIT $1) p
JOIN ledger_transaction t ON t.id = p.transaction_id
JOIN ledger_entry e ON e.transaction_id = t.id
ORDER BY t.id, e.line;

-- name: ledger_pending_delete
DELETE FROM ledger_pending WHERE transaction_id = $1;

-- name: ledger_seal_insert
INSERT INTO ledger_seal (seq, transaction_id, hash) VALUES ($1, $2, $3);

-- name: ledger_balance_add
INSERT INTO ledger_balance (account, vendor_id, currency, balance_minor) VALUES ($1, $2, $3, $4)
ON CONFLICT (account, vendor_id, currency) DO UPDATE SET balance_minor = ledger_balance.balance_minor + excluded.balance_minor;

-- name: sales_day_add
INSERT INTO sales_day (vendor_id, currency, event_id, day, ticket_type_id, gross_minor, refunds_minor, fees_minor, sold, refunded)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (vendor_id, currency, event_id, day, ticket_type_id) DO UPDATE
SET gross_minor = sales_day.gross_minor + excluded.gross_minor, refunds_minor = sales_day.refunds_minor + excluded.refunds_minor,
    fees_minor = sales_day.fees_minor + excluded.fees_minor, sold = sales_day.sold + excluded.sold, refunded = sales_day.refunded + excluded.refunded;

-- name: sales_event_add
INSERT INTO sales_event (vendor_id, currency, event_id, ticket_type_id, gross_minor, refunds_minor, fees_minor, sold, refunded)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (vendor_id, currency, event_id, ticket_type_id) DO UPDATE
SET gross_minor = sales_event.gross_minor + excluded.gross_minor, refunds_minor = sales_event.refunds_minor + excluded.refunds_minor,
    fees_minor = sales_event.fees_minor + excluded.fees_minor, sold = sales_event.sold + excluded.sold, refunded = sales_event.refunded + excluded.refunded;

-- name: sales_date_add
INSERT INTO sales_date (vendor_id, currency, day, gross_minor, refunds_minor, fees_minor, sold, refunded)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (vendor_id, currency, day) DO UPDATE
SET gross_minor = sales_date.gross_minor + excluded.gross_minor, refunds_minor = sales_date.refunds_minor + excluded.refunds_minor,
    fees_minor = sales_date.fees_minor + excluded.fees_minor, sold = sales_date.sold + excluded.sold, refunded = sales_date.refunded + excluded.refunded;
