-- name: order_find
SELECT s.user_id, s.event_id, s.status, s.attempt_id, s.attempt_state, s.expires_at_ms, s.hold_ms, s.total_minor,
       s.currency, s.created_at_ms, d.attendees, d.confirmed_at_ms, d.payment_method, s.due_minor, d.refunded_minor, s.event_version
FROM order_state s LEFT JOIN order_detail d ON d.order_id = s.id
WHERE s.id = $1;

-- name: order_items
SELECT i.ticket_type_id, i.quantity, i.unit_price_minor, coalesce(m.discount_minor, 0), coalesce(m.buyer_fee_minor, 0), coalesce(m.vendor_fee_minor, 0),
       coalesce(m.tax_minor, 0), coalesce(m.tax_included_minor, 0)
FROM order_item i LEFT JOIN order_item_money m ON m.order_id = i.order_id AND m.ticket_type_id = i.ticket_type_id
WHERE i.order_id = $1 ORDER BY i.ticket_type_id;

-- name: order_tickets
SELECT id FROM ticket WHERE order_id = $1 ORDER BY id;

-- name: order_refunds
SELECT id, status, amount_minor, currency FROM order_refund WHERE order_id = $1 AND amount_minor > 0 ORDER BY id LIMIT $2;

-- name: order_become
UPDATE order_state SET status = $3 WHERE id = $1 AND status = $2;

-- Newest first: ids grow with time. $2 is the last id that was shown, or above all.
-- name: order_list_of_user
SELECT id FROM order_state WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3;

-- name: order_list_of_user_at_event
SELECT id FROM order_state WHERE user_id = $1 AND id < $2 AND event_id = $4 ORDER BY id DESC LIMIT $3;

-- name: order_list_of_event
SELECT id FROM order_state WHERE event_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3;
