-- name: hold_first
SELECT id, idem_digest FROM order_state WHERE user_id = $1 AND idem_key = $2;

-- name: hold_event
SELECT version, status FROM event_key WHERE id = $1;

-- name: hold_active
SELECT 1 FROM order_state
WHERE user_id = $1 AND event_id = $2 AND status = 0 AND expires_at_ms > $3
LIMIT 1;

-- name: hold_insert
INSERT INTO order_state (id, user_id, event_id, status, expires_at_ms, hold_ms, total_minor, currency,
                         idem_key, idem_digest, created_at_ms, event_version)
VALUES ($1, $2, $3, 0, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: hold_insert_item
INSERT INTO order_item (order_id, ticket_type_id, quantity, unit_price_minor) VALUES ($1, $2, $3, $4);

-- name: hold_insert_money
INSERT INTO order_item_money (order_id, ticket_type_id, discount_minor, buyer_fee_minor, vendor_fee_minor, tax_minor, tax_included_minor)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: hold_insert_attendees
INSERT INTO order_detail (order_id, attendees) VALUES ($1, $2);

-- Everybody's keys of the orders after $1.
-- name: hold_keys
SELECT id, user_id, idem_key FROM order_state WHERE id > $1 ORDER BY id LIMIT $2;
