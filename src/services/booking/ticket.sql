-- name: ticket_get
SELECT t.order_id, t.event_id, t.ticket_type_id, t.user_id, t.status, t.generation, t.attendee_name, t.price_minor, t.used_at_ms, s.status, s.currency, s.due_minor, t.id
FROM ticket t JOIN order_state s ON s.id = t.order_id
WHERE t.id = $1;

-- name: ticket_list_of_order
SELECT t.order_id, t.event_id, t.ticket_type_id, t.user_id, t.status, t.generation, t.attendee_name, t.price_minor, t.used_at_ms, s.status, s.currency, s.due_minor, t.id
FROM ticket t JOIN order_state s ON s.id = t.order_id
WHERE t.order_id = $1 ORDER BY t.id;

-- Newest first; those of held orders (status 0) are not shown yet.
-- name: ticket_list_of_user
SELECT t.order_id, t.event_id, t.ticket_type_id, t.user_id, t.status, t.generation, t.attendee_name, t.price_minor, t.used_at_ms, s.status, s.currency, s.due_minor, t.id
FROM ticket t JOIN order_state s ON s.id = t.order_id
WHERE t.user_id = $1 AND t.id < $2 AND s.status <> 0 AND (CAST($4 AS UUID) IS NULL OR t.event_id = $4)
ORDER BY t.id DESC LIMIT $3;

-- Those that a user has tickets for, of these two states.
-- name: ticket_events_of_user
SELECT DISTINCT event_id FROM ticket WHERE user_id = $1 AND status IN ($2, $3) LIMIT $4;

-- name: ticket_insert
INSERT INTO ticket (id, order_id, event_id, ticket_type_id, user_id, status, generation, attendee_name, price_minor)
VALUES ($1, $2, $3, $4, $5, 0, 1, $6, $7);

-- name: ticket_insert_money
INSERT INTO ticket_money (ticket_id, discount_minor, buyer_fee_minor, vendor_fee_minor, tax_minor, tax_included_minor) VALUES ($1, $2, $3, $4, $5, $6);

-- name: ticket_money_of_order
SELECT m.ticket_id, m.discount_minor, m.buyer_fee_minor, m.vendor_fee_minor, m.tax_minor, m.tax_included_minor
FROM ticket t JOIN ticket_money m ON m.ticket_id = t.id WHERE t.order_id = $1;
