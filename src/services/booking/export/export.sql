-- The tables of an export, a page at a time. What hangs on events is read event by event, by keys: $1 the event, $2 and $5 the keys of the last row, $3 how many;
-- what hangs on orders only up to the order $4, so that all tables are about the same orders.

-- name: export_next_event
SELECT id FROM event_key WHERE vendor_id = $1 AND id > $2 ORDER BY id LIMIT 1;

-- name: export_ticket_types
SELECT t.id, t.event_id, t.position, t.name, t.price_minor, d.currency, t.max_per_order, t.sales_start_ms, t.sales_end_ms, s.total, s.remaining, t.tax_rate_ppm
FROM ticket_type t JOIN ticket_type_stock s ON s.id = t.id JOIN event_document d ON d.event_id = t.event_id
WHERE t.event_id = $1 AND t.id > $2 ORDER BY t.id LIMIT $3;

-- name: export_event_artists
SELECT artist_id, event_id, min(position) FROM event_artist WHERE event_id = $1 AND artist_id > $2 GROUP BY artist_id, event_id ORDER BY artist_id LIMIT $3;

-- name: export_venues
SELECT v.id, v.name, v.city, v.country, v.address, v.lat, v.lon FROM venue v
WHERE v.id > $2 AND v.id IN (SELECT d.venue_id FROM event_key k JOIN event_document d ON d.event_id = k.id WHERE k.vendor_id = $1) ORDER BY v.id LIMIT $3;

-- name: export_artists
SELECT a.id, a.name FROM artist a
WHERE a.id > $2 AND a.id IN (SELECT e.artist_id FROM event_key k JOIN event_artist e ON e.event_id = k.id WHERE k.vendor_id = $1) ORDER BY a.id LIMIT $3;

-- As order_shown_status tells it: a hold whose time is over ($5) and that nobody pays for is expired (3).
-- name: export_orders
SELECT s.id, s.event_id, CASE WHEN s.status = 0 AND s.attempt_state NOT IN (1, 2) AND s.expires_at_ms <= $5 THEN 3 ELSE s.status END, s.created_at_ms,
       d.confirmed_at_ms, d.payment_method, s.total_minor, s.currency, s.due_minor, d.paid_minor, d.refunded_minor, s.user_id
FROM order_state s LEFT JOIN order_detail d ON d.order_id = s.id
WHERE s.event_id = $1 AND s.id > $2 AND s.id <= $4 ORDER BY s.id LIMIT $3;

-- name: export_order_items
SELECT s.id, i.ticket_type_id, s.event_id, i.quantity, i.unit_price_minor, coalesce(m.discount_minor, 0), coalesce(m.buyer_fee_minor, 0), coalesce(m.vendor_fee_minor, 0),
       coalesce(m.tax_minor, 0), coalesce(m.tax_included_minor, 0), s.currency
FROM order_state s JOIN order_item i ON i.order_id = s.id LEFT JOIN order_item_money m ON m.order_id = i.order_id AND m.ticket_type_id = i.ticket_type_id
WHERE s.event_id = $1 AND s.id >= $2 AND s.id <= $4 AND (s.id > $2 OR i.ticket_type_id > $5) ORDER BY s.id, i.ticket_type_id LIMIT $3;

-- Of orders that are held (0) no ticket is shown to anybody.
-- name: export_tickets
SELECT s.id, t.id, t.event_id, t.ticket_type_id, t.status, t.attendee_name, t.price_minor, s.currency, t.used_at_ms, t.used_device
FROM order_state s JOIN ticket t ON t.order_id = s.id
WHERE s.event_id = $1 AND s.id >= $2 AND s.id <= $4 AND s.status <> 0 AND (s.id > $2 OR t.id > $5) ORDER BY s.id, t.id LIMIT $3;

-- name: export_refunds
SELECT s.id, r.id, s.event_id, r.status, r.amount_minor, r.currency, r.reason, r.created_at_ms FROM order_state s JOIN order_refund r ON r.order_id = s.id
WHERE s.event_id = $1 AND s.id >= $2 AND s.id <= $4 AND (s.id > $2 OR r.id > $5) ORDER BY s.id, r.id LIMIT $3;

-- Of whoever has bought (tables.c, has_bought).
-- name: export_attendees
SELECT s.id, d.attendees FROM order_state s JOIN order_detail d ON d.order_id = s.id
WHERE s.event_id = $1 AND s.id > $2 AND s.id <= $4 AND d.attendees IS NOT NULL
  AND (s.status IN (1, 2, 5, 6) OR (s.status = 4 AND d.confirmed_at_ms IS NOT NULL)) ORDER BY s.id LIMIT $3;
