-- name: event_read
SELECT k.vendor_id, k.status, k.version, k.starts_at_ms, k.ends_at_ms, d.slug, d.type, d.name, d.description, d.url, d.timezone, d.whole_day, d.online, d.currency,
       d.payment_methods, d.policies, d.limits, d.checkin_opens_at_ms, d.created_at_ms, v.id, v.name, v.city, v.country, v.address, v.lat, v.lon
FROM event_key k JOIN event_document d ON d.event_id = k.id LEFT JOIN venue v ON v.id = d.venue_id
WHERE k.id = $1;

-- name: event_read_artists
SELECT a.id, a.name FROM event_artist e JOIN artist a ON a.id = e.artist_id WHERE e.event_id = $1 ORDER BY e.position;

-- name: event_read_types
SELECT t.id, t.name, t.price_minor, t.max_per_order, t.sales_start_ms, t.sales_end_ms, s.total, t.tax_rate_ppm
FROM ticket_type t JOIN ticket_type_stock s ON s.id = t.id WHERE t.event_id = $1 ORDER BY t.position;

-- name: event_ids
SELECT id FROM event_key ORDER BY id;

-- name: event_of_import
SELECT event_id FROM event_document WHERE import_key = $1;

-- name: event_slug_taken
SELECT 1 FROM event_document WHERE slug = $1;

-- name: event_has_orders
SELECT EXISTS (SELECT 1 FROM order_state WHERE event_id = $1);

-- name: event_key_insert
INSERT INTO event_key (id, vendor_id, status, version, starts_at_ms, ends_at_ms) VALUES ($1, $2, $3, $4, $5, $6);

-- name: event_key_update
UPDATE event_key SET status = $3, version = $4, starts_at_ms = $5, ends_at_ms = $6 WHERE id = $1 AND version = $2;

-- name: event_document_insert
INSERT INTO event_document (event_id, slug, import_key, type, name, description, url, timezone, local_start, local_end, whole_day, online, venue_id, currency, payment_methods,
                            policies, limits, checkin_opens_at_ms, created_at_ms, updated_at_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $19);

-- name: event_document_update
UPDATE event_document
SET type = $2, name = $3, description = $4, url = $5, timezone = $6, local_start = $7, local_end = $8, whole_day = $9, online = $10, venue_id = $11, currency = $12, payment_methods = $13,
    policies = $14, limits = $15, checkin_opens_at_ms = $16, updated_at_ms = $17
WHERE event_id = $1;

-- name: event_terms_insert
INSERT INTO event_terms (event_id, version, policies) VALUES ($1, $2, $3);

-- name: event_terms_find
SELECT policies FROM event_terms WHERE event_id = $1 AND version <= $2 ORDER BY version DESC LIMIT 1;

-- name: event_terms_delete
DELETE FROM event_terms WHERE event_id = $1;

-- name: event_document_delete
DELETE FROM event_document WHERE event_id = $1;

-- name: event_key_delete
DELETE FROM event_key WHERE id = $1 AND version = $2;

-- name: venue_find
SELECT id FROM venue WHERE folded = $1;

-- name: venue_insert
INSERT INTO venue (id, name, city, country, address, lat, lon, folded) VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- What is said of a venue later fills what was not known of it.
-- name: venue_complete
UPDATE venue SET address = coalesce($2, address), lat = coalesce($3, lat), lon = coalesce($4, lon) WHERE id = $1;

-- name: artist_find
SELECT id FROM artist WHERE folded = $1;

-- name: artist_insert
INSERT INTO artist (id, name, folded) VALUES ($1, $2, $3);

-- name: event_artist_insert
INSERT INTO event_artist (event_id, position, artist_id) VALUES ($1, $2, $3);

-- name: event_artist_clear
DELETE FROM event_artist WHERE event_id = $1;

-- name: ticket_type_insert
INSERT INTO ticket_type (id, event_id, position, name, price_minor, max_per_order, sales_start_ms, sales_end_ms, tax_rate_ppm)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: ticket_type_update
UPDATE ticket_type SET position = $2, name = $3, price_minor = $4, max_per_order = $5, sales_start_ms = $6, sales_end_ms = $7, tax_rate_ppm = $8
WHERE id = $1;

-- name: ticket_type_delete
DELETE FROM ticket_type WHERE id = $1;
