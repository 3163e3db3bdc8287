-- Numbers: states of attempts (6 captured, 10 succeeded), of charges (2 authorised, 3 captured), of refunds (1 succeeded, 2 failed); the rest is in ledger.h.

-- --- The ledger, replayed ---

-- name: audit_head
SELECT seq, hash FROM ledger_head WHERE id = 1;

-- name: audit_chain
SELECT t.id, t.source_kind, t.source_id, t.kind, t.round, t.vendor_id, t.event_id, t.currency, t.day, t.posted_at_ms, t.reverses, t.entry_count,
       e.account, e.purpose, e.ticket_type_id, e.quantity, e.amount_minor, s.seq, s.hash
FROM ledger_seal s
JOIN ledger_transaction t ON t.id = s.transaction_id
JOIN ledger_entry e ON e.transaction_id = t.id
WHERE s.seq > $1 AND s.seq <= $2
ORDER BY s.seq, e.line;

-- name: audit_pending
SELECT t.id, t.source_kind, t.source_id, t.kind, t.round, t.vendor_id, t.event_id, t.currency, t.day, t.posted_at_ms, t.reverses, t.entry_count,
       e.account, e.purpose, e.ticket_type_id, e.quantity, e.amount_minor
FROM (SELECT transaction_id FROM ledger_pending WHERE transaction_id > $1 ORDER BY transaction_id LIMIT $2) p
JOIN ledger_transaction t ON t.id = p.transaction_id
JOIN ledger_entry e ON e.transaction_id = t.id
ORDER BY t.id, e.line;

-- name: audit_balances
SELECT account, vendor_id, currency, balance_minor FROM ledger_balance;

-- name: audit_sales
SELECT vendor_id, currency, event_id, day, ticket_type_id, gross_minor, refunds_minor, fees_minor, sold, refunded FROM sales_day;

-- What sales are over all days, and over all events, must be the sums of those by day.
-- name: audit_sales_event
SELECT event_id FROM (
    SELECT vendor_id, currency, event_id, ticket_type_id, sum(gross_minor) AS a, sum(refunds_minor) AS b, sum(fees_minor) AS c, sum(sold) AS d, sum(refunded) AS e
    FROM sales_day GROUP BY vendor_id, currency, event_id, ticket_type_id
    EXCEPT
    SELECT vendor_id, currency, event_id, ticket_type_id, gross_minor, refunds_minor, fees_minor, sold, refunded FROM sales_event
) x LIMIT 1;

-- name: audit_sales_date
SELECT vendor_id FROM (
    SELECT vendor_id, currency, day, sum(gross_minor) AS a, sum(refunds_minor) AS b, sum(fees_minor) AS c, sum(sold) AS d, sum(refunded) AS e
    FROM sales_day GROUP BY vendor_id, currency, day
    EXCEPT
    SELECT vendor_id, currency, day, gross_minor, refunds_minor, fees_minor, sold, refunded FROM sales_date
) x LIMIT 1;

-- name: audit_zero
SELECT currency FROM ledger_balance GROUP BY currency HAVING sum(balance_minor) <> 0 LIMIT 1;

-- Entries of no transaction; a transaction that is neither chained nor waits for it, or both.
-- name: audit_stray_entry
SELECT e.transaction_id FROM ledger_entry e LEFT JOIN ledger_transaction t ON t.id = e.transaction_id WHERE t.id IS NULL LIMIT 1;

-- name: audit_stray_transaction
SELECT t.id FROM ledger_transaction t
LEFT JOIN ledger_seal s ON s.transaction_id = t.id
LEFT JOIN ledger_pending p ON p.transaction_id = t.id
WHERE (s.seq IS NULL) = (p.transaction_id IS NULL) LIMIT 1;

-- --- Payments and refunds against the ledger ---

-- Paid, but not in the ledger, nor among what waits to be adopted.
-- name: audit_unposted
SELECT a.id FROM payment_attempt a
LEFT JOIN ledger_transaction t ON t.source_id = a.id AND t.source_kind = 1 AND t.kind IN (1, 2)
LEFT JOIN ledger_adoption o ON o.source_id = a.id AND o.source_kind = 1
WHERE (a.state = 10 OR (a.state = 6 AND a.provider IS NOT NULL)) AND a.amount_minor > 0 AND t.id IS NULL AND o.source_id IS NULL
LIMIT 1;

-- name: audit_posted_twice
SELECT source_id FROM ledger_transaction WHERE source_kind = 1 AND kind IN (1, 2) GROUP BY source_id HAVING count(*) > 1 LIMIT 1;

-- In the ledger, but not paid, or another amount.
-- name: audit_posted_wrong
SELECT t.source_id
FROM ledger_transaction t
LEFT JOIN payment_attempt a ON a.id = t.source_id
LEFT JOIN ledger_entry e ON e.transaction_id = t.id AND e.account = 1
WHERE t.source_kind = 1 AND t.kind IN (1, 2)
  AND (a.id IS NULL OR a.currency <> t.currency OR NOT (a.state = 10 OR (a.state = 6 AND a.provider IS NOT NULL))
       OR (t.kind = 1 AND coalesce(e.amount_minor, 0) <> a.amount_minor))
LIMIT 1;

-- A refund is owed once unless it has failed, and paid once if it has succeeded and was not given back by hand.
-- name: audit_refunds
SELECT r.id
FROM payment_refund r
JOIN payment_attempt a ON a.id = r.attempt_id
LEFT JOIN ledger_adoption o ON o.source_id = r.id AND o.source_kind = 2
LEFT JOIN (
    SELECT source_id, sum(CASE kind WHEN 3 THEN 1 WHEN 6 THEN -1 ELSE 0 END) AS owed, sum(CASE kind WHEN 4 THEN 1 WHEN 5 THEN -1 ELSE 0 END) AS paid
    FROM ledger_transaction WHERE source_kind = 2 GROUP BY source_id
) l ON l.source_id = r.id
LEFT JOIN (
    SELECT t.source_id, sum(e.amount_minor) AS given
    FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id AND e.account = 1
    WHERE t.source_kind = 2 GROUP BY t.source_id
) c ON c.source_id = r.id
WHERE o.source_id IS NULL
  AND (coalesce(l.owed, 0) <> CASE WHEN r.status = 2 THEN 0 ELSE 1 END
       OR coalesce(l.paid, 0) <> CASE WHEN r.status = 1 AND a.provider IS NOT NULL THEN 1 ELSE 0 END
       OR coalesce(c.given, 0) <> CASE WHEN r.status = 1 AND a.provider IS NOT NULL THEN -r.amount_minor ELSE 0 END)
LIMIT 1;

-- name: audit_refund_of_nothing
SELECT t.source_id FROM ledger_transaction t LEFT JOIN payment_refund r ON r.id = t.source_id WHERE t.source_kind = 2 AND r.id IS NULL LIMIT 1;

-- Refunds of an attempt must add up to what its row says was given back.
-- name: audit_refund_sums
SELECT a.id FROM payment_attempt a
LEFT JOIN (SELECT attempt_id, sum(amount_minor) AS given FROM payment_refund WHERE status <> 2 GROUP BY attempt_id) r ON r.attempt_id = a.id
WHERE a.refunded_minor <> coalesce(r.given, 0) LIMIT 1;

-- --- The sandbox's books against payments ---

-- Charges and the attempts that they belong to, side by side: what differs is the audit's finding. Captured is right while an attempt is
-- capturing, captured or succeeded; authorised is wrong once it is over.
-- name: audit_charges
SELECT c.provider_key
FROM sandbox_charge c
LEFT JOIN payment_attempt a ON a.provider_key = c.provider_key
LEFT JOIN (SELECT charge_key, sum(amount_minor) AS given FROM sandbox_refund GROUP BY charge_key) r ON r.charge_key = c.provider_key
WHERE (c.status = 3 AND (a.id IS NULL OR a.amount_minor <> c.amount_minor OR a.currency <> c.currency
                         OR a.state NOT IN (5, 6, 10) OR a.refunded_minor < c.refunded_minor))
   OR (c.status = 2 AND (a.id IS NULL OR a.state >= 10))
   OR c.refunded_minor <> coalesce(r.given, 0)
LIMIT 1;

-- Attempts that are paid, and what was given back of them: the sandbox must have captured and refunded as much.
-- name: audit_attempts
SELECT a.id
FROM payment_attempt a
LEFT JOIN sandbox_charge c ON c.provider_key = a.provider_key
LEFT JOIN (SELECT attempt_id, sum(amount_minor) AS given FROM payment_refund WHERE status = 1 GROUP BY attempt_id) r ON r.attempt_id = a.id
WHERE a.provider = 'sandbox' AND a.state IN (6, 10)
  AND (c.provider_key IS NULL OR c.status <> 3 OR c.refunded_minor < coalesce(r.given, 0))
LIMIT 1;
