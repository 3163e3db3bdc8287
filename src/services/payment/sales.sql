-- What is chained by now, summed up (ledger_seal.sql); what waits comes from sales_waiting, in the same snapshot. Days are $3 to $4; $5 NULL: all events.

-- name: sales_by_event
SELECT event_id, CAST(sum(gross_minor) AS BIGINT), CAST(sum(refunds_minor) AS BIGINT), CAST(sum(fees_minor) AS BIGINT), CAST(sum(sold) AS BIGINT), CAST(sum(refunded) AS BIGINT)
FROM sales_day WHERE vendor_id = $1 AND currency = $2 AND day >= $3 AND day <= $4 AND (event_id = $5 OR $5 IS NULL)
GROUP BY event_id;

-- name: sales_by_event_day
SELECT event_id, CAST(sum(gross_minor) AS BIGINT), CAST(sum(refunds_minor) AS BIGINT), CAST(sum(fees_minor) AS BIGINT), CAST(sum(sold) AS BIGINT), CAST(sum(refunded) AS BIGINT), day
FROM sales_day WHERE vendor_id = $1 AND currency = $2 AND day >= $3 AND day <= $4 AND (event_id = $5 OR $5 IS NULL)
GROUP BY event_id, day;

-- name: sales_by_event_type
SELECT event_id, CAST(sum(gross_minor) AS BIGINT), CAST(sum(refunds_minor) AS BIGINT), CAST(sum(fees_minor) AS BIGINT), CAST(sum(sold) AS BIGINT), CAST(sum(refunded) AS BIGINT), ticket_type_id
FROM sales_day WHERE vendor_id = $1 AND currency = $2 AND day >= $3 AND day <= $4 AND (event_id = $5 OR $5 IS NULL)
GROUP BY event_id, ticket_type_id;

-- Over all days.
-- name: sales_of_events
SELECT event_id, gross_minor, refunds_minor, fees_minor, sold, refunded, ticket_type_id
FROM sales_event WHERE vendor_id = $1 AND currency = $2 AND (event_id = $3 OR $3 IS NULL);

-- Over all events.
-- name: sales_of_dates
SELECT vendor_id, gross_minor, refunds_minor, fees_minor, sold, refunded, day
FROM sales_date WHERE vendor_id = $1 AND currency = $2 AND day >= $3 AND day <= $4;

-- name: sales_waiting
SELECT t.event_id, t.day, e.ticket_type_id, e.purpose, e.quantity, e.amount_minor
FROM ledger_pending p
JOIN ledger_transaction t ON t.id = p.transaction_id
JOIN ledger_entry e ON e.transaction_id = t.id
WHERE p.vendor_id = $1 AND t.currency = $2 AND t.day >= $3 AND t.day <= $4 AND (t.event_id = $5 OR $5 IS NULL) AND e.purpose <> 0;

-- The next currency behind $2 that the vendor has sold in: found by the index, however much that is.
-- name: sales_currency
SELECT min(currency) FROM sales_day WHERE vendor_id = $1 AND currency > $2;

-- name: sales_currency_waiting
SELECT min(t.currency) FROM ledger_pending p JOIN ledger_transaction t ON t.id = p.transaction_id WHERE p.vendor_id = $1 AND t.currency > $2;
